"""Functions of the top level that few programs use: loaded with the first of them, to keep the import short."""

from .autograd import amp as amp
from .autograd import dropout as _dropout
from .autograd.accelerators import backends as backends
from .autograd.accelerators import cuda as cuda
from .autograd.activation import celu as celu
from .autograd.activation import celu_ as celu_
from .autograd.activation import prelu as prelu
from .autograd.activation import rrelu as rrelu
from .autograd.activation import rrelu_ as rrelu_
from .autograd.activation import selu as selu
from .autograd.activation import selu_ as selu_
from .autograd.activation import threshold as threshold
from .autograd.activation import threshold_ as threshold_
from .autograd.amp import autocast as autocast
from .autograd.amp import is_autocast_enabled as is_autocast_enabled
from .autograd.anomaly import is_anomaly_enabled as is_anomaly_enabled
from .autograd.creation import BoolTensor as BoolTensor
from .autograd.creation import ByteTensor as ByteTensor
from .autograd.creation import CharTensor as CharTensor
from .autograd.creation import DoubleTensor as DoubleTensor
from .autograd.creation import FloatTensor as FloatTensor
from .autograd.creation import HalfTensor as HalfTensor
from .autograd.creation import IntTensor as IntTensor
from .autograd.creation import LongTensor as LongTensor
from .autograd.creation import ShortTensor as ShortTensor
from .autograd.dlpack import from_dlpack as from_dlpack
from .autograd.dropout import alpha_dropout as alpha_dropout
from .autograd.dropout import feature_alpha_dropout as feature_alpha_dropout
from .autograd.dropout import feature_dropout as feature_dropout
from .autograd.grids import tril_indices as tril_indices
from .autograd.grids import triu_indices as triu_indices
from .autograd.ops import norm as _norm
from .autograd.ops.average import adaptive_avg_pool1d as adaptive_avg_pool1d
from .autograd.ops.average import avg_pool1d as avg_pool1d
from .autograd.ops.conv import conv1d as conv1d
from .autograd.ops.conv import conv2d as conv2d
from .autograd.ops.conv import conv3d as conv3d
from .autograd.ops.conv import conv_transpose1d as conv_transpose1d
from .autograd.ops.conv import conv_transpose2d as conv_transpose2d
from .autograd.ops.conv import conv_transpose3d as conv_transpose3d
from .autograd.ops.distance import cosine_similarity as cosine_similarity
from .autograd.ops.distance import pairwise_distance as pairwise_distance
from .autograd.ops.linear import bilinear as bilinear
from .autograd.ops.matrix import matrix_exp as matrix_exp
from .autograd.ops.norm import group_norm as group_norm
from .autograd.ops.pad import constant_pad_nd as constant_pad_nd
from .autograd.ops.pool import max_pool1d as max_pool1d
from .autograd.ops.pool import max_pool2d as max_pool2d
from .autograd.ops.pool import max_pool3d as max_pool3d
from .autograd.ops.resize import channel_shuffle as channel_shuffle
from .autograd.ops.resize import native_channel_shuffle as native_channel_shuffle
from .autograd.ops.resize import pixel_shuffle as pixel_shuffle
from .autograd.ops.resize import pixel_unshuffle as pixel_unshuffle
from .autograd.ops.row_norm import layer_norm as layer_norm
from .autograd.ops.row_norm import rms_norm as rms_norm
from .autograd.recurrent import gru_cell as gru_cell
from .autograd.recurrent import lstm_cell as lstm_cell
from .autograd.recurrent import rnn_relu_cell as rnn_relu_cell
from .autograd.recurrent import rnn_tanh_cell as rnn_tanh_cell
from .serialization import load as load
from .serialization import save as save

# Under these names PyTorch has other signatures here than in torch.nn.functional.
dropout, dropout_ = _dropout.core_dropout, _dropout.core_dropout_
batch_norm, instance_norm = _norm.weights_first_batch_norm, _norm.weights_first_instance_norm

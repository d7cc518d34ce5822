"""rushlight: a mini-PyTorch. Dynamic-graph autograd in pure Python on NumPy; ``import rushlight as torch``."""

from warnings import filterwarnings as _filterwarnings

from . import autograd as autograd
from .autograd.creation import from_numpy as from_numpy
from .autograd.creation import tensor as tensor
from .autograd.dtypes import bool_ as bool
from .autograd.dtypes import can_cast as can_cast
from .autograd.dtypes import dtype as dtype
from .autograd.dtypes import float16 as float16
from .autograd.dtypes import float16 as half
from .autograd.dtypes import float32 as float
from .autograd.dtypes import float32 as float32
from .autograd.dtypes import float64 as double
from .autograd.dtypes import float64 as float64
from .autograd.dtypes import get_default_dtype as get_default_dtype
from .autograd.dtypes import int8 as int8
from .autograd.dtypes import int16 as int16
from .autograd.dtypes import int16 as short
from .autograd.dtypes import int32 as int
from .autograd.dtypes import int32 as int32
from .autograd.dtypes import int64 as int64
from .autograd.dtypes import int64 as long
from .autograd.dtypes import promote_types as promote_types
from .autograd.dtypes import set_default_dtype as set_default_dtype
from .autograd.dtypes import uint8 as uint8
from .autograd.mode import enable_grad as enable_grad
from .autograd.mode import inference_mode as inference_mode
from .autograd.mode import is_grad_enabled as is_grad_enabled
from .autograd.mode import is_inference_mode_enabled as is_inference_mode_enabled
from .autograd.mode import no_grad as no_grad
from .autograd.mode import set_grad_enabled as set_grad_enabled
from .autograd.tensor import Tensor as Tensor

__version__ = "0.1.0"

# PyTorch computes inf and nan without a word; so do the modules of this package.
_filterwarnings("ignore", category=RuntimeWarning, module="rushlight")

"""rushlight: a mini-PyTorch. Dynamic-graph autograd in pure Python on NumPy; ``import rushlight as torch``."""

from math import e, inf, nan, pi
from warnings import filterwarnings as _filterwarnings

from . import autograd, lazy
from .arrays import return_types
from .tensors.tensor.methods import Tensor

__version__ = "0.1.0"
newaxis = None
Tensor.__module__ = __name__  # in pickles and in its repr it has the name by which people know it

# PyTorch computes inf and nan without a word; so do the modules of this package.
_filterwarnings("ignore", category=RuntimeWarning, module="rushlight")

_MEMBERS = {
    # dtypes, devices, settings
    "amp": "autocast",
    "arrays.device": """
        channels_last channels_last_3d contiguous_format device get_default_device layout memory_format
        preserve_format set_default_device strided
    """,
    "arrays.dtypes": """
        bool=bool_ can_cast double=float64 dtype float16 float32 float64 float=float32 get_default_dtype
        half=float16 int16 int32 int64 int8 int=int32 long=int64 promote_types set_default_dtype short=int16
        uint8
    """,
    "arrays.formatting": "set_printoptions",
    "arrays.settings": """
        are_deterministic_algorithms_enabled compile get_deterministic_debug_mode get_float32_matmul_precision
        get_num_interop_threads get_num_threads is_autocast_enabled
        is_deterministic_algorithms_warn_only_enabled set_deterministic_debug_mode set_float32_matmul_precision
        set_num_interop_threads set_num_threads use_deterministic_algorithms
    """,
    "arrays.size": "Size",
    "arrays.symbolic": "sym_float sym_int sym_ite sym_max sym_min sym_not sym_sum",
    "arrays.type_info": "finfo iinfo",
    "autograd.anomaly_mode": "is_anomaly_enabled",
    # recording
    "autograd.grad_mode": "enable_grad inference_mode no_grad set_grad_enabled",
    "autograd.recording": "is_grad_enabled is_inference_mode_enabled",
    # tensors
    "tensors.creation.dlpack": "from_dlpack",
    "tensors.creation.factories": """
        as_tensor asarray BoolTensor ByteTensor CharTensor DoubleTensor empty empty_like empty_permuted
        empty_strided eye
        FloatTensor from_numpy frombuffer full full_like HalfTensor IntTensor LongTensor ones ones_like
        scalar_tensor set_default_tensor_type ShortTensor tensor zeros zeros_like
    """,
    "tensors.creation.ranges": "arange linspace logspace range",
    "tensors.creation.triangle_indices": "tril_indices triu_indices",
    "tensors.creation.windows": "bartlett_window blackman_window hamming_window hann_window kaiser_window",
    "tensors.predicates": """
        get_device is_complex is_conj is_floating_point is_inference is_neg is_nonzero is_same_size is_signed
        is_storage is_tensor numel result_type typename
    """,
    # random numbers
    "tensors.random.creation": "normal rand rand_like randint randint_like randn randn_like randperm",
    "tensors.random.generator": """
        default_generator Generator get_rng_state initial_seed manual_seed seed set_rng_state
    """,
    "tensors.random.inplace": "bernoulli multinomial",
    "tensors.random.poisson": "poisson",
    # ops
    "tensors.ops.shape.diagonal": "diag diag_embed diagflat diagonal tril triu",
    "tensors.ops.shape.join": """
        atleast_1d atleast_2d atleast_3d block_diag broadcast_shapes broadcast_tensors cartesian_prod cat
        column_stack concat concatenate dstack hstack meshgrid row_stack=vstack stack tile vstack
    """,
    "tensors.ops.shape.order": """
        adjoint flip fliplr flipud moveaxis=movedim movedim permute roll rot90 swapaxes swapdims t transpose
    """,
    "tensors.ops.shape.pad": "constant_pad_nd",
    "tensors.ops.shape.split": """
        chunk dsplit hsplit split split_with_sizes tensor_split unbind unsafe_chunk unsafe_split
        unsafe_split_with_sizes vsplit
    """,
    "tensors.ops.shape.views": """
        broadcast_to clone flatten narrow narrow_copy ravel reshape select squeeze unflatten unsqueeze
    """,
    "tensors.ops.elementwise.activation": "hardshrink relu",
    "tensors.ops.elementwise.arithmetic": """
        add div divide floor_divide fmod mul multiply neg negative positive remainder rsub sub subtract
        true_divide
    """,
    "tensors.ops.elementwise.binary": "arctan2 atan2 fmax fmin hypot logaddexp logaddexp2",
    "tensors.ops.elementwise.bessel": "i0",
    "tensors.ops.elementwise.bitwise": """
        bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor
    """,
    "tensors.ops.elementwise.compare": """
        allclose eq equal ge greater greater_equal gt isclose isfinite isinf isnan isneginf isposinf isreal le
        less less_equal logical_and logical_not logical_or logical_xor lt ne not_equal signbit
    """,
    "tensors.ops.elementwise.complex_parts": "angle conj conj_physical imag real resolve_conj resolve_neg",
    "tensors.ops.elementwise.gamma_integral": "igamma igammac",
    "tensors.ops.elementwise.power": "float_power pow square",
    "tensors.ops.elementwise.rounding": "abs absolute ceil fix floor frac heaviside nan_to_num round sgn sign trunc",
    "tensors.ops.elementwise.special": """
        copysign digamma frexp gcd lcm ldexp lgamma mvlgamma nextafter polygamma sinc xlogy
    """,
    "tensors.ops.elementwise.ternary": "addcdiv addcmul clamp clamp_max clamp_min clip lerp masked_fill where",
    "tensors.ops.elementwise.unary": """
        acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh cos cosh deg2rad erf erfc
        erfinv exp exp2 expm1 log log10 log1p log2 logit rad2deg reciprocal rsqrt sigmoid sin sinh sqrt tan tanh
    """,
    "tensors.ops.reduce.counting": "bincount histc histogram isin unique unique_consecutive",
    "tensors.ops.reduce.covariance": "corrcoef cov",
    "tensors.ops.reduce.cumulative": "cummax cummin cumprod cumsum logcumsumexp",
    "tensors.ops.reduce.difference": "cumulative_trapezoid diff trapezoid trapz",
    "tensors.ops.reduce.extrema": "amax amin aminmax argmax argmin max maximum min minimum",
    "tensors.ops.reduce.finite_differences": "gradient",
    "tensors.ops.reduce.norm": "norm",
    "tensors.ops.reduce.quantiles": "nanquantile quantile",
    "tensors.ops.reduce.softmax": "log_softmax softmax",
    "tensors.ops.reduce.sorting": "argsort kthvalue median mode msort nanmedian sort topk",
    "tensors.ops.reduce.sums": """
        all any count_nonzero logsumexp mean nanmean nansum prod std std_mean sum var var_mean
    """,
    "tensors.ops.reduce.vector_norms": "dist renorm",
    "tensors.ops.index.advanced": "index_put",
    "tensors.ops.index.masked": "argwhere masked_scatter masked_select nonzero",
    "tensors.ops.index.scatter": "gather index_add index_copy index_fill index_select scatter_add",
    "tensors.ops.index.scatter_reduce": "index_reduce scatter_reduce",
    "tensors.ops.index.take": """
        bucketize combinations put repeat_interleave scatter searchsorted take take_along_dim unravel_index
    """,
    "tensors.ops.index.view_scatter": "as_strided as_strided_scatter diagonal_scatter select_scatter slice_scatter",
    "tensors.ops.loss.distance": "cosine_similarity pairwise_distance",
    "tensors.functions.low_rank": "pca_lowrank svd_lowrank",
    "tensors.ops.matrix.decompositions": "cholesky=cholesky_of cholesky_solve inverse pinverse qr=qr_of svd=svd_of",
    "tensors.ops.matrix.determinants": "det logdet matrix_exp matrix_power slogdet=slogdet_of",
    "tensors.ops.matrix.einsum": "einsum",
    "tensors.ops.matrix.linear": "bilinear",
    "tensors.ops.matrix.lu": "lu=lu_of lu_solve=lu_solve_of lu_unpack",
    "tensors.ops.matrix.reflectors": "geqrf orgqr=householder_product ormqr",
    "tensors.ops.matrix.systems": "cholesky_inverse triangular_solve",
    "tensors.ops.matrix.matmul": "bmm dot matmul mm mv vdot",
    "tensors.ops.matrix.norms": "cross=cross_of vander=vander_of",
    "tensors.ops.matrix.pairwise_distance": "cdist pdist",
    "tensors.ops.matrix.products": "addbmm addmm addmv addr baddbmm chain_matmul ger inner kron outer tensordot trace",
    "tensors.ops.window.average_pool": "adaptive_avg_pool1d avg_pool1d",
    "tensors.ops.window.conv": "conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d",
    "tensors.ops.window.grid_sample": "affine_grid_generator grid_sampler",
    "tensors.ops.window.interpolate": "channel_shuffle native_channel_shuffle pixel_shuffle pixel_unshuffle",
    "tensors.ops.window.max_pool": "max_pool1d max_pool2d max_pool3d",
    "tensors.ops.layer.batch_norm": """
        batch_norm=weights_first_batch_norm group_norm instance_norm=weights_first_instance_norm
    """,
    "tensors.ops.layer.layer_norm": "layer_norm rms_norm",
    # functions
    "serialization": "load save",
    "tensors.functions.activation": "celu celu_ prelu relu_ rrelu rrelu_ selu selu_ threshold threshold_",
    "tensors.functions.dropout": """
        alpha_dropout dropout=core_dropout dropout_=core_dropout_ feature_alpha_dropout feature_dropout
    """,
    "tensors.functions.native": """
        adaptive_max_pool1d binary_cross_entropy_with_logits cosine_embedding_loss ctc_loss embedding
        embedding_bag embedding_renorm_ hinge_embedding_loss kl_div margin_ranking_loss max_pool1d_with_indices
        poisson_nll_loss triplet_margin_loss
    """,
    "tensors.functions.recurrent": "gru_cell lstm_cell rnn_relu_cell rnn_tanh_cell",
    "tensors.inplace_functions": """
        abs_ acos_ acosh_ addmv_ arccos_ arccosh_ arcsin_ arcsinh_ arctan_ arctanh_ as_strided_ asin_ asinh_
        atan_ atanh_ ceil_ clamp_ clamp_max_ clamp_min_ clip_ conj_physical_ cos_ cosh_ deg2rad_ detach
        detach_ erf_ erfc_ exp2_ exp_ expm1_ fill fill_ fix_ floor_ frac_ gcd_ i0_ index_put_ lcm_ ldexp_
        log10_ log1p_ log2_ log_ logit_ nan_to_num_ neg_ negative_ rad2deg_ reciprocal_ resize_as_ round_
        rsqrt_ sigmoid_ sin_ sinc_ sinh_ sqrt_ square_ tan_ tanh_ trunc_ xlogy_ zero_
    """,
    "tensors.vmap": "vmap",
}
# Not files random.py and __future__.py at the root: Python would take them for its own modules wherever the checkout is
# the working folder.
_SUBMODULES = (
    "__future__=nn.future",
    *("accelerator", "amp", "backends", "cpu", "cuda", "func", "linalg", "nn", "optim", "quasirandom"),
    *("random=tensors.random.generator", "serialization", "special", "testing", "utils", "version", "viz"),
)
__getattr__, __dir__, _lazily = lazy.attach(__name__, _MEMBERS, _SUBMODULES)
__all__ = ["Tensor", "autograd", "e", "inf", "nan", "newaxis", "pi", "return_types"]
__all__.extend(_lazily)

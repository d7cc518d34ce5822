"""Tensor: every op as a method. An index, not a body.

The families of ops have an underscore in front, so that no method hides the module it comes from: the paragraphs of
the class may stand in any order.
"""

from __future__ import annotations

from typing import Any

from ...arrays.dims import variadic
from ...autograd.inplace_methods import inplace_cumulative, inplace_variant
from ...autograd.variable import Variable
from ...lazy import function, functions
from .. import predicates as _predicates
from ..functions import activation as _activation_functions
from ..ops.elementwise import activation as _activation
from ..ops.elementwise import arithmetic as _arithmetic
from ..ops.elementwise import binary as _binary
from ..ops.elementwise import bitwise as _bitwise
from ..ops.elementwise import compare as _compare
from ..ops.elementwise import complex_parts as _complex_parts
from ..ops.elementwise import power as _power
from ..ops.elementwise import rounding as _rounding
from ..ops.elementwise import ternary as _ternary
from ..ops.elementwise import unary as _unary
from ..ops.index import advanced as _advanced
from ..ops.index import masked as _masked
from ..ops.index import scatter as _scatter
from ..ops.index import scatter_reduce as _scatter_reduce
from ..ops.index import take as _take
from ..ops.matrix import matmul as _matmul
from ..ops.matrix import products as _products
from ..ops.reduce import counting as _counting
from ..ops.reduce import cumulative as _cumulative
from ..ops.reduce import difference as _difference
from ..ops.reduce import extrema as _extrema
from ..ops.reduce import norm as _norm
from ..ops.reduce import quantiles as _quantiles
from ..ops.reduce import softmax as _softmax
from ..ops.reduce import sorting as _sorting
from ..ops.reduce import sums as _sums
from ..ops.reduce import vector_norms as _vector_norms
from ..ops.shape import diagonal as _diagonal
from ..ops.shape import join as _join
from ..ops.shape import order as _order
from ..ops.shape import split as _split
from ..ops.shape import views as _views
from ..random import inplace as _random
from . import python_functions as _python_functions
from . import reshape_inplace as _reshape_inplace
from . import setitem as _setitem
from .conversions import Conversions
from .numpy_protocols import NumpyProtocols
from .python_protocols import PythonProtocols

_DECOMPOSITIONS, _DETERMINANTS = "tensors.ops.matrix.decompositions", "tensors.ops.matrix.determinants"
_OPS = "tensors.ops.elementwise"
_SPECIAL, _VIEW_SCATTER = f"{_OPS}.special", "tensors.ops.index.view_scatter"


class Tensor(PythonProtocols, Conversions, NumpyProtocols):
    """An array of numbers that records what is done with it.

    https://pytorch.org/docs/stable/tensors.html
    """

    __slots__ = ()
    __hash__ = Variable.__hash__  # a class that defines == would lose it

    # ------------------------------------------------------------------ random numbers
    uniform_, normal_, log_normal_, cauchy_ = _random.uniform_, _random.normal_, _random.log_normal_, _random.cauchy_
    exponential_, geometric_, random_ = _random.exponential_, _random.geometric_, _random.random_
    bernoulli, bernoulli_, multinomial = _random.bernoulli, _random.bernoulli_, _random.multinomial

    # ------------------------------------------------------------------ matrix products, softmax
    __matmul__, __rmatmul__ = _matmul.operator_matmul, _matmul.operator_rmatmul
    softmax, log_softmax = _softmax.softmax, _softmax.log_softmax
    inner, outer, ger, kron, trace = _products.inner, _products.outer, _products.ger, _products.kron, _products.trace
    addmm, addmm_ = _products.addmm, inplace_variant(_products.addmm)
    addmv, addmv_ = _products.addmv, inplace_variant(_products.addmv)
    addr, addr_ = _products.addr, inplace_variant(_products.addr)
    addbmm, addbmm_ = _products.addbmm, inplace_variant(_products.addbmm)
    baddbmm, baddbmm_ = _products.baddbmm, inplace_variant(_products.baddbmm)
    mm, mv, bmm, dot, vdot, matmul = _matmul.mm, _matmul.mv, _matmul.bmm, _matmul.dot, _matmul.vdot, _matmul.matmul

    # ------------------------------------------------------------------ arithmetic
    __add__ = __radd__ = _arithmetic._add
    __sub__, __rsub__ = _arithmetic._sub, _arithmetic._rsub
    __mul__ = __rmul__ = _arithmetic._mul
    __truediv__, __rtruediv__ = _arithmetic._div, _arithmetic.reverse_div
    __floordiv__, __rfloordiv__ = _arithmetic.floordiv, _arithmetic.reverse_floordiv
    __mod__, __rmod__ = _arithmetic._remainder, _arithmetic.reverse_remainder
    __pow__, __rpow__ = _power.power, _power.reverse_power
    __neg__, __pos__, __abs__ = _arithmetic.neg, _arithmetic.positive, _rounding.abs
    __iadd__, __isub__ = inplace_variant(_arithmetic._add, "add_"), inplace_variant(_arithmetic._sub, "sub_")
    __imul__, __itruediv__ = inplace_variant(_arithmetic._mul, "mul_"), inplace_variant(_arithmetic._div, "div_")
    __ifloordiv__ = inplace_variant(_arithmetic.floordiv, "floor_divide_")
    __imod__ = inplace_variant(_arithmetic._remainder, "remainder_")
    __ipow__ = inplace_variant(_power.power, "pow_")
    add, sub, mul = _arithmetic.add, _arithmetic.sub, _arithmetic.mul
    div, true_divide = _arithmetic.div, _arithmetic.true_divide
    subtract, multiply, divide, floor_divide = sub, mul, div, _arithmetic.floor_divide
    remainder, fmod, pow = _arithmetic.remainder, _arithmetic.fmod, _power.pow
    float_power, square = _power.float_power, _power.square
    neg, negative, positive = _arithmetic.neg, _arithmetic.neg, _arithmetic.positive
    add_, sub_, mul_, div_, true_divide_ = map(inplace_variant, (add, sub, mul, div, true_divide))
    subtract_, multiply_, divide_, floor_divide_ = sub_, mul_, div_, inplace_variant(floor_divide)
    remainder_, fmod_, pow_, square_ = (
        inplace_variant(remainder),
        inplace_variant(fmod),
        inplace_variant(pow),
        inplace_variant(square),
    )
    float_power_ = inplace_variant(_power.float_power_of_double, "float_power_")
    neg_ = negative_ = inplace_variant(neg)

    # ------------------------------------------------------------------ functions of one number
    exp, exp2, expm1, log, log2 = _unary.exp, _unary.exp2, _unary.expm1, _unary.log, _unary.log2
    log10, log1p, sqrt, rsqrt = _unary.log10, _unary.log1p, _unary.sqrt, _unary.rsqrt
    reciprocal, sigmoid, logit = _unary.reciprocal, _unary.sigmoid, _unary.logit
    exp_, exp2_, expm1_, log_, log2_ = map(inplace_variant, (exp, exp2, expm1, log, log2))
    log10_, log1p_, sqrt_, rsqrt_ = map(inplace_variant, (log10, log1p, sqrt, rsqrt))
    reciprocal_, sigmoid_, logit_ = map(inplace_variant, (reciprocal, sigmoid, logit))
    sin, cos, tan = _unary.sin, _unary.cos, _unary.tan
    sinh, cosh, tanh = _unary.sinh, _unary.cosh, _unary.tanh
    sin_, cos_, tan_, sinh_, cosh_, tanh_ = map(inplace_variant, (sin, cos, tan, sinh, cosh, tanh))
    asin, acos, atan, asinh = _unary.asin, _unary.acos, _unary.atan, _unary.asinh
    acosh, atanh, deg2rad, rad2deg = _unary.acosh, _unary.atanh, _unary.deg2rad, _unary.rad2deg
    asin_, acos_, atan_, asinh_ = map(inplace_variant, (asin, acos, atan, asinh))
    acosh_, atanh_, deg2rad_, rad2deg_ = map(inplace_variant, (acosh, atanh, deg2rad, rad2deg))
    arcsin, arccos, arctan, arcsinh, arccosh, arctanh = asin, acos, atan, asinh, acosh, atanh
    arcsin_, arccos_, arctan_, arcsinh_, arccosh_, arctanh_ = asin_, acos_, atan_, asinh_, acosh_, atanh_
    erf, erfc, erfinv = _unary.erf, _unary.erfc, _unary.erfinv
    erf_, erfc_, erfinv_ = map(inplace_variant, (erf, erfc, erfinv))
    abs, sign, sgn, nan_to_num = _rounding.abs, _rounding.sign, _rounding.sgn, _rounding.nan_to_num
    floor, ceil, trunc, round, frac = _rounding.floor, _rounding.ceil, _rounding.trunc, _rounding.round, _rounding.frac
    absolute, fix, heaviside = abs, trunc, _rounding.heaviside
    abs_, sign_, sgn_, nan_to_num_ = map(inplace_variant, (abs, sign, sgn, nan_to_num))
    floor_, ceil_, trunc_, round_, frac_ = map(inplace_variant, (floor, ceil, trunc, round, frac))
    absolute_, fix_, heaviside_ = abs_, trunc_, inplace_variant(heaviside)
    relu, relu_, prelu = _activation.relu, inplace_variant(_activation.relu), _activation_functions.prelu
    hardshrink = _activation.hardshrink

    # ------------------------------------------------------------------ functions of two numbers
    atan2, hypot, logaddexp, logaddexp2 = _binary.atan2, _binary.hypot, _binary.logaddexp, _binary.logaddexp2
    arctan2, fmax, fmin = _binary.atan2, _binary.fmax, _binary.fmin
    atan2_, hypot_ = inplace_variant(atan2), inplace_variant(hypot)
    arctan2_ = atan2_

    # ------------------------------------------------------------------ choosing and mixing
    masked_fill, lerp, addcmul, addcdiv = _ternary.masked_fill, _ternary.lerp, _ternary.addcmul, _ternary.addcdiv
    masked_fill_, lerp_ = inplace_variant(masked_fill), inplace_variant(lerp)
    addcmul_, addcdiv_ = inplace_variant(addcmul), inplace_variant(addcdiv)
    clamp, clamp_min, clamp_max, clip = _ternary.clamp, _ternary.clamp_min, _ternary.clamp_max, _ternary.clamp
    clamp_, clamp_min_, clamp_max_ = map(inplace_variant, (clamp, clamp_min, clamp_max))
    clip_ = clamp_

    def where(self, condition: Any, other: Any) -> Any:
        """Return this tensor where ``condition`` holds, else ``other``."""
        return _ternary.where(condition, self, other)

    # ------------------------------------------------------------------ comparisons
    __eq__, __ne__ = _compare._eq, _compare._ne  # type: ignore[assignment]  # they answer with tensors
    __lt__, __le__, __gt__, __ge__ = _compare._lt, _compare._le, _compare._gt, _compare._ge
    eq, ne, lt, le, gt, ge = _compare.eq, _compare.ne, _compare.lt, _compare.le, _compare.gt, _compare.ge
    not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge
    eq_, ne_, lt_, le_, gt_, ge_ = map(inplace_variant, (eq, ne, lt, le, gt, ge))
    not_equal_, less_, less_equal_, greater_, greater_equal_ = ne_, lt_, le_, gt_, ge_
    isclose, allclose, equal, signbit = _compare.isclose, _compare.allclose, _compare.equal, _compare.signbit
    isnan, isinf, isfinite, isreal = _compare.isnan, _compare.isinf, _compare.isfinite, _compare.isreal
    isposinf, isneginf = _compare.isposinf, _compare.isneginf

    # ------------------------------------------------------------------ logic and bits
    logical_and, logical_or, logical_xor = _compare.logical_and, _compare.logical_or, _compare.logical_xor
    logical_not, bitwise_not, __invert__ = _compare.logical_not, _bitwise.bitwise_not, _bitwise.invert
    logical_and_, logical_or_, logical_xor_ = map(inplace_variant, (logical_and, logical_or, logical_xor))
    logical_not_, bitwise_not_ = inplace_variant(logical_not), inplace_variant(bitwise_not)
    __and__, __or__, __xor__ = _bitwise._bitwise_and, _bitwise._bitwise_or, _bitwise._bitwise_xor
    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__
    __lshift__, __rshift__ = _bitwise._bitwise_left_shift, _bitwise._bitwise_right_shift
    __rlshift__, __rrshift__ = _bitwise.reverse_left_shift, _bitwise.reverse_right_shift
    bitwise_and, bitwise_or, bitwise_xor = _bitwise.bitwise_and, _bitwise.bitwise_or, _bitwise.bitwise_xor
    bitwise_left_shift, bitwise_right_shift = _bitwise.bitwise_left_shift, _bitwise.bitwise_right_shift
    bitwise_and_, bitwise_or_, bitwise_xor_ = map(inplace_variant, (bitwise_and, bitwise_or, bitwise_xor))
    bitwise_left_shift_, bitwise_right_shift_ = (
        inplace_variant(bitwise_left_shift),
        inplace_variant(bitwise_right_shift),
    )
    __iand__, __ior__, __ixor__ = bitwise_and_, bitwise_or_, bitwise_xor_
    __ilshift__, __irshift__ = bitwise_left_shift_, bitwise_right_shift_

    # ------------------------------------------------------------------ reductions
    sum, nansum, mean, nanmean, prod = _sums.sum, _sums.nansum, _sums.mean, _sums.nanmean, _sums.prod
    var, std, logsumexp = _sums.var, _sums.std, _sums.logsumexp
    all, any, count_nonzero = _sums.all, _sums.any, _sums.count_nonzero
    sum_to_size = _sums.sum_to_size
    norm, dist, renorm = _norm.norm, _vector_norms.dist, _vector_norms.renorm
    renorm_ = inplace_variant(renorm)
    max, min, argmax, argmin = _extrema.max, _extrema.min, _extrema.argmax, _extrema.argmin
    amax, amin, aminmax = _extrema.amax, _extrema.amin, _extrema.aminmax
    maximum, minimum = _extrema.maximum, _extrema.minimum

    # ------------------------------------------------------------------ order
    sort, argsort, msort = _sorting.sort, _sorting.argsort, _sorting.msort
    topk, kthvalue = _sorting.topk, _sorting.kthvalue
    median, nanmedian, mode = _sorting.median, _sorting.nanmedian, _sorting.mode
    quantile, nanquantile = _quantiles.quantile, _quantiles.nanquantile
    unique, unique_consecutive = _counting.unique, _counting.unique_consecutive
    bincount, histc, histogram = _counting.bincount, _counting.histc, _counting.histogram

    # ------------------------------------------------------------------ along a dim
    cumsum, cumprod, logcumsumexp = _cumulative.cumsum, _cumulative.cumprod, _cumulative.logcumsumexp
    cummax, cummin, diff = _cumulative.cummax, _cumulative.cummin, _difference.diff
    cumsum_, cumprod_ = inplace_cumulative(_cumulative.cumsum), inplace_cumulative(_cumulative.cumprod)

    # ------------------------------------------------------------------ shape
    view, view_as, ravel = _views.view, _views.view_as, _views.ravel
    reshape, reshape_as = variadic(_views.reshape, "shape"), _views.reshape_as
    flatten, unflatten = _views.flatten, _views.unflatten
    squeeze, unsqueeze = _views.squeeze, _views.unsqueeze
    expand, expand_as, broadcast_to = variadic(_views.expand, "size"), _views.expand_as, _views.broadcast_to
    clone, contiguous = _views.clone, _views.contiguous
    transpose, swapaxes, swapdims, t = _order.transpose, _order.swapaxes, _order.swapdims, _order.t
    permute, movedim, moveaxis = variadic(_order.permute, "dims"), _order.movedim, _order.movedim
    T, H = property(_order.reversed_dims), property(_order.matrix_adjoint)
    mT, mH, adjoint = property(_order.matrix_transpose), property(_order.adjoint), _order.adjoint
    flip, fliplr, flipud = variadic(_order.flip, "dims"), _order.fliplr, _order.flipud
    rot90, roll = _order.rot90, _order.roll
    repeat, tile = variadic(_join.repeat, "repeats"), variadic(_join.tile, "dims")
    repeat_interleave = _take.repeat_interleave
    diagonal, diag, diag_embed, diagflat = _diagonal.diagonal, _diagonal.diag, _diagonal.diag_embed, _diagonal.diagflat
    tril, triu, unfold = _diagonal.tril, _diagonal.triu, _diagonal.unfold_dim
    tril_, triu_ = inplace_variant(_diagonal.tril), inplace_variant(_diagonal.triu)
    unsqueeze_, squeeze_, t_ = _reshape_inplace.unsqueeze_, _reshape_inplace.squeeze_, _reshape_inplace.t_
    as_strided_ = _reshape_inplace.as_strided_
    transpose_, swapaxes_, swapdims_ = (
        _reshape_inplace.transpose_,
        _reshape_inplace.swapaxes_,
        _reshape_inplace.swapdims_,
    )

    # ------------------------------------------------------------------ parts
    split_with_sizes, chunk = _split.split_with_sizes, _split.chunk
    tensor_split, hsplit, vsplit, dsplit = _split.tensor_split, _split.hsplit, _split.vsplit, _split.dsplit
    unsafe_split, unsafe_split_with_sizes = _split.unsafe_split, _split.unsafe_split_with_sizes
    unsafe_chunk = _split.unsafe_chunk
    unbind, __iter__ = _split.unbind, _split.rows
    select, narrow, narrow_copy = _views.select, _views.narrow, _views.narrow_copy

    def split(self, split_size: Any, dim: int = 0) -> Any:
        """Return parts of ``split_size`` elements of ``dim`` each (the last may be smaller), or of these sizes."""
        return _split.split(self, split_size, dim)

    # ------------------------------------------------------------------ index
    __getitem__, __setitem__ = _advanced.fetch, _setitem.store_item
    index_select, gather = _scatter.index_select, _scatter.gather
    take, take_along_dim = _take.take, _take.take_along_dim
    masked_select, nonzero, argwhere = _masked.masked_select, _masked.nonzero, _masked.argwhere
    masked_scatter, masked_scatter_ = _masked.masked_scatter, inplace_variant(_masked.masked_scatter)
    scatter, scatter_ = _take.scatter, inplace_variant(_take.scatter)
    scatter_add, scatter_add_ = _scatter.scatter_add, inplace_variant(_scatter.scatter_add)
    scatter_reduce, scatter_reduce_ = _scatter_reduce.scatter_reduce, inplace_variant(_scatter_reduce.scatter_reduce)
    index_reduce, index_reduce_ = _scatter_reduce.index_reduce, inplace_variant(_scatter_reduce.index_reduce)
    index_put, index_put_ = _advanced.index_put, inplace_variant(_advanced.index_put)
    index_add, index_add_ = _scatter.index_add, inplace_variant(_scatter.index_add)
    index_copy, index_copy_ = _scatter.index_copy, inplace_variant(_scatter.index_copy)
    index_fill, index_fill_ = _scatter.index_fill, inplace_variant(_scatter.index_fill)
    put, put_ = _take.put, inplace_variant(_take.put)
    copy_, fill_, zero_, fill_diagonal_ = _setitem.copy_, _setitem.fill_, _setitem.zero_, _setitem.fill_diagonal_

    # ------------------------------------------------------------------ questions
    is_nonzero, is_same_size = _predicates.is_nonzero, _predicates.is_same_size
    is_conj, is_neg, is_set_to = _predicates.is_conj, _predicates.is_neg, _predicates.is_set_to

    # ------------------------------------------------------------------ as if complex
    real, imag, angle = property(_complex_parts.real), property(_complex_parts.imag), _complex_parts.angle
    conj, resolve_conj, resolve_neg = _complex_parts.conj, _complex_parts.resolve_conj, _complex_parts.resolve_neg
    conj_physical, conj_physical_ = _complex_parts.conj_physical, inplace_variant(_complex_parts.conj_physical)

    # ------------------------------------------------------------------ Python functions
    apply_, map_, map2_ = _python_functions.apply_, _python_functions.map_, _python_functions.map2_

    # ------------------------------------------------------------------ loaded when first called
    cov, corrcoef = functions("tensors.ops.reduce.covariance", "cov corrcoef")
    inverse, pinverse, cholesky_solve = functions(_DECOMPOSITIONS, "inverse pinverse cholesky_solve")
    svd, qr, cholesky = functions(_DECOMPOSITIONS, "svd_of qr_of cholesky_of")
    det, logdet, slogdet = functions(_DETERMINANTS, "det logdet slogdet_of")
    matrix_power, matrix_exp = functions(_DETERMINANTS, "matrix_power matrix_exp")
    lu, lu_solve = functions("tensors.ops.matrix.lu", "lu_of lu_solve_of")
    geqrf, orgqr, ormqr = functions("tensors.ops.matrix.reflectors", "geqrf householder_product ormqr")
    cholesky_inverse, triangular_solve = functions("tensors.ops.matrix.systems", "cholesky_inverse triangular_solve")
    cross = function("tensors.ops.matrix.norms", "cross_of")
    lgamma, digamma, sinc, xlogy = functions(_SPECIAL, "lgamma digamma sinc xlogy")
    copysign, nextafter, ldexp = functions(_SPECIAL, "copysign nextafter ldexp")
    gcd, lcm, mvlgamma = functions(_SPECIAL, "gcd lcm mvlgamma")
    frexp, polygamma = functions(_SPECIAL, "frexp polygamma_of")
    i0, (igamma, igammac) = function(f"{_OPS}.bessel", "i0"), functions(f"{_OPS}.gamma_integral", "igamma igammac")
    i0_, igamma_, igammac_ = map(inplace_variant, (i0, igamma, igammac))
    lgamma_, digamma_, sinc_, xlogy_ = map(inplace_variant, (lgamma, digamma, sinc, xlogy))
    copysign_, nextafter_, ldexp_, gcd_, lcm_ = map(inplace_variant, (copysign, nextafter, ldexp, gcd, lcm))
    mvlgamma_, polygamma_ = inplace_variant(mvlgamma), inplace_variant(polygamma, "polygamma_")
    select_scatter, slice_scatter = functions(_VIEW_SCATTER, "select_scatter slice_scatter")
    diagonal_scatter, as_strided = functions(_VIEW_SCATTER, "diagonal_scatter as_strided")
    as_strided_scatter = function(_VIEW_SCATTER, "as_strided_scatter")


Variable.result = Tensor

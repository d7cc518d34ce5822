"""Tensor: every op as a method. An index, not a body."""

from __future__ import annotations

from typing import Any

from ...arrays.dims import variadic
from ...autograd.inplace_methods import inplace_cumulative, inplace_variant
from ...autograd.variable import Variable
from ...lazy import function, functions
from .. import predicates
from ..functions import activation as activations
from ..ops.elementwise import activation, arithmetic, binary, bitwise, compare, power, rounding, unary
from ..ops.elementwise import ternary as choosing
from ..ops.index import advanced, masked
from ..ops.index import scatter as gathering
from ..ops.index import scatter_reduce as combine
from ..ops.index import take as choose
from ..ops.matrix import matmul, products
from ..ops.matrix import norm as norm_
from ..ops.reduce import counting, cumulative, difference, extrema, quantiles, softmax, sorting, sums, vector_norms
from ..ops.shape import diagonal as triangles
from ..ops.shape import join, order, views
from ..ops.shape import split as parts
from ..random import inplace
from . import reshape_inplace, setitem
from .numpy_protocols import TensorInterop

_DECOMPOSITIONS, _DETERMINANTS = "tensors.ops.matrix.decompositions", "tensors.ops.matrix.determinants"
_SPECIAL, _VIEW_SCATTER = "tensors.ops.elementwise.special", "tensors.ops.index.view_scatter"


class Tensor(TensorInterop):
    """An array of numbers that records what is done with it.

    https://pytorch.org/docs/stable/tensors.html
    """

    __slots__ = ()
    __hash__ = Variable.__hash__  # a class that defines == would lose it

    # ------------------------------------------------------------------ random numbers
    uniform_, normal_, log_normal_, cauchy_ = inplace.uniform_, inplace.normal_, inplace.log_normal_, inplace.cauchy_
    exponential_, geometric_, random_ = inplace.exponential_, inplace.geometric_, inplace.random_
    bernoulli, bernoulli_, multinomial = inplace.bernoulli, inplace.bernoulli_, inplace.multinomial

    # ------------------------------------------------------------------ matrix products, softmax
    __matmul__, __rmatmul__ = matmul.operator_matmul, matmul.operator_rmatmul
    softmax, log_softmax = softmax.softmax, softmax.log_softmax
    inner, outer, ger, kron, trace = products.inner, products.outer, products.ger, products.kron, products.trace
    addmm, addmm_ = products.addmm, inplace_variant(products.addmm)
    addmv, addmv_ = products.addmv, inplace_variant(products.addmv)
    addr, addr_ = products.addr, inplace_variant(products.addr)
    addbmm, addbmm_ = products.addbmm, inplace_variant(products.addbmm)
    baddbmm, baddbmm_ = products.baddbmm, inplace_variant(products.baddbmm)
    mm, mv, bmm, dot, vdot, matmul = matmul.mm, matmul.mv, matmul.bmm, matmul.dot, matmul.vdot, matmul.matmul

    # ------------------------------------------------------------------ arithmetic
    __add__ = __radd__ = arithmetic._add
    __sub__, __rsub__ = arithmetic._sub, arithmetic._rsub
    __mul__ = __rmul__ = arithmetic._mul
    __truediv__, __rtruediv__ = arithmetic._div, arithmetic.reverse_div
    __floordiv__, __rfloordiv__ = arithmetic.floordiv, arithmetic.reverse_floordiv
    __mod__, __rmod__ = arithmetic._remainder, arithmetic.reverse_remainder
    __pow__, __rpow__ = power.power, power.reverse_power
    __neg__, __pos__, __abs__ = arithmetic.neg, arithmetic.positive, rounding.abs
    __iadd__, __isub__ = inplace_variant(arithmetic._add, "add_"), inplace_variant(arithmetic._sub, "sub_")
    __imul__, __itruediv__ = inplace_variant(arithmetic._mul, "mul_"), inplace_variant(arithmetic._div, "div_")
    __ifloordiv__ = inplace_variant(arithmetic.floordiv, "floor_divide_")
    __imod__ = inplace_variant(arithmetic._remainder, "remainder_")
    __ipow__ = inplace_variant(power.power, "pow_")
    add, sub, mul = arithmetic.add, arithmetic.sub, arithmetic.mul
    div, true_divide = arithmetic.div, arithmetic.true_divide
    subtract, multiply, divide, floor_divide = sub, mul, div, arithmetic.floor_divide
    remainder, fmod, pow = arithmetic.remainder, arithmetic.fmod, power.pow
    float_power, square = power.float_power, power.square
    neg, negative, positive = arithmetic.neg, arithmetic.neg, arithmetic.positive
    add_, sub_, mul_, div_, true_divide_ = map(inplace_variant, (add, sub, mul, div, true_divide))
    subtract_, multiply_, divide_, floor_divide_ = sub_, mul_, div_, inplace_variant(floor_divide)
    remainder_, fmod_, pow_, square_ = (
        inplace_variant(remainder),
        inplace_variant(fmod),
        inplace_variant(pow),
        inplace_variant(square),
    )
    float_power_ = inplace_variant(power.float_power_of_double, "float_power_")
    neg_ = negative_ = inplace_variant(neg)

    # ------------------------------------------------------------------ functions of one number
    exp, exp2, expm1, log, log2 = unary.exp, unary.exp2, unary.expm1, unary.log, unary.log2
    log10, log1p, sqrt, rsqrt = unary.log10, unary.log1p, unary.sqrt, unary.rsqrt
    reciprocal, sigmoid, logit = unary.reciprocal, unary.sigmoid, unary.logit
    exp_, exp2_, expm1_, log_, log2_ = map(inplace_variant, (exp, exp2, expm1, log, log2))
    log10_, log1p_, sqrt_, rsqrt_ = map(inplace_variant, (log10, log1p, sqrt, rsqrt))
    reciprocal_, sigmoid_, logit_ = map(inplace_variant, (reciprocal, sigmoid, logit))
    sin, cos, tan = unary.sin, unary.cos, unary.tan
    sinh, cosh, tanh = unary.sinh, unary.cosh, unary.tanh
    sin_, cos_, tan_, sinh_, cosh_, tanh_ = map(inplace_variant, (sin, cos, tan, sinh, cosh, tanh))
    asin, acos, atan, asinh = unary.asin, unary.acos, unary.atan, unary.asinh
    acosh, atanh, deg2rad, rad2deg = unary.acosh, unary.atanh, unary.deg2rad, unary.rad2deg
    asin_, acos_, atan_, asinh_ = map(inplace_variant, (asin, acos, atan, asinh))
    acosh_, atanh_, deg2rad_, rad2deg_ = map(inplace_variant, (acosh, atanh, deg2rad, rad2deg))
    arcsin, arccos, arctan, arcsinh, arccosh, arctanh = asin, acos, atan, asinh, acosh, atanh
    arcsin_, arccos_, arctan_, arcsinh_, arccosh_, arctanh_ = asin_, acos_, atan_, asinh_, acosh_, atanh_
    erf, erfc, erfinv = unary.erf, unary.erfc, unary.erfinv
    erf_, erfc_, erfinv_ = map(inplace_variant, (erf, erfc, erfinv))
    abs, sign, sgn, nan_to_num = rounding.abs, rounding.sign, rounding.sgn, rounding.nan_to_num
    floor, ceil, trunc, round, frac = rounding.floor, rounding.ceil, rounding.trunc, rounding.round, rounding.frac
    absolute, fix, heaviside = abs, trunc, rounding.heaviside
    abs_, sign_, sgn_, nan_to_num_ = map(inplace_variant, (abs, sign, sgn, nan_to_num))
    floor_, ceil_, trunc_, round_, frac_ = map(inplace_variant, (floor, ceil, trunc, round, frac))
    absolute_, fix_, heaviside_ = abs_, trunc_, inplace_variant(heaviside)
    relu, relu_, prelu = activation.relu, inplace_variant(activation.relu), activations.prelu

    # ------------------------------------------------------------------ functions of two numbers
    atan2, hypot, logaddexp, logaddexp2 = binary.atan2, binary.hypot, binary.logaddexp, binary.logaddexp2
    arctan2, fmax, fmin = binary.atan2, binary.fmax, binary.fmin
    atan2_, hypot_ = inplace_variant(atan2), inplace_variant(hypot)
    arctan2_ = atan2_

    # ------------------------------------------------------------------ choosing and mixing
    masked_fill, lerp, addcmul, addcdiv = choosing.masked_fill, choosing.lerp, choosing.addcmul, choosing.addcdiv
    masked_fill_, lerp_ = inplace_variant(masked_fill), inplace_variant(lerp)
    addcmul_, addcdiv_ = inplace_variant(addcmul), inplace_variant(addcdiv)
    clamp, clamp_min, clamp_max, clip = choosing.clamp, choosing.clamp_min, choosing.clamp_max, choosing.clamp
    clamp_, clamp_min_, clamp_max_ = map(inplace_variant, (clamp, clamp_min, clamp_max))
    clip_ = clamp_

    def where(self, condition: Any, other: Any) -> Any:
        """Return this tensor where ``condition`` holds, else ``other``."""
        return choosing.where(condition, self, other)

    # ------------------------------------------------------------------ comparisons
    __eq__, __ne__ = compare._eq, compare._ne  # type: ignore[assignment]  # they answer with tensors
    __lt__, __le__, __gt__, __ge__ = compare._lt, compare._le, compare._gt, compare._ge
    eq, ne, lt, le, gt, ge = compare.eq, compare.ne, compare.lt, compare.le, compare.gt, compare.ge
    not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge
    eq_, ne_, lt_, le_, gt_, ge_ = map(inplace_variant, (eq, ne, lt, le, gt, ge))
    not_equal_, less_, less_equal_, greater_, greater_equal_ = ne_, lt_, le_, gt_, ge_
    isclose, allclose, equal, signbit = compare.isclose, compare.allclose, compare.equal, compare.signbit
    isnan, isinf, isfinite, isreal = compare.isnan, compare.isinf, compare.isfinite, compare.isreal
    isposinf, isneginf = compare.isposinf, compare.isneginf

    # ------------------------------------------------------------------ logic and bits
    logical_and, logical_or, logical_xor = compare.logical_and, compare.logical_or, compare.logical_xor
    logical_not, bitwise_not, __invert__ = compare.logical_not, bitwise.bitwise_not, bitwise.invert
    logical_and_, logical_or_, logical_xor_ = map(inplace_variant, (logical_and, logical_or, logical_xor))
    logical_not_, bitwise_not_ = inplace_variant(logical_not), inplace_variant(bitwise_not)
    __and__, __or__, __xor__ = bitwise._bitwise_and, bitwise._bitwise_or, bitwise._bitwise_xor
    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__
    __lshift__, __rshift__ = bitwise._bitwise_left_shift, bitwise._bitwise_right_shift
    __rlshift__, __rrshift__ = bitwise.reverse_left_shift, bitwise.reverse_right_shift
    bitwise_and, bitwise_or, bitwise_xor = bitwise.bitwise_and, bitwise.bitwise_or, bitwise.bitwise_xor
    bitwise_left_shift, bitwise_right_shift = bitwise.bitwise_left_shift, bitwise.bitwise_right_shift
    bitwise_and_, bitwise_or_, bitwise_xor_ = map(inplace_variant, (bitwise_and, bitwise_or, bitwise_xor))
    bitwise_left_shift_, bitwise_right_shift_ = (
        inplace_variant(bitwise_left_shift),
        inplace_variant(bitwise_right_shift),
    )
    __iand__, __ior__, __ixor__ = bitwise_and_, bitwise_or_, bitwise_xor_
    __ilshift__, __irshift__ = bitwise_left_shift_, bitwise_right_shift_

    # ------------------------------------------------------------------ reductions
    sum, nansum, mean, nanmean, prod = sums.sum, sums.nansum, sums.mean, sums.nanmean, sums.prod
    var, std, logsumexp = sums.var, sums.std, sums.logsumexp
    all, any, count_nonzero = sums.all, sums.any, sums.count_nonzero
    norm, dist = norm_.norm, vector_norms.dist
    max, min, argmax, argmin = extrema.max, extrema.min, extrema.argmax, extrema.argmin
    amax, amin, aminmax = extrema.amax, extrema.amin, extrema.aminmax
    maximum, minimum = extrema.maximum, extrema.minimum

    # ------------------------------------------------------------------ order
    sort, argsort, msort = sorting.sort, sorting.argsort, sorting.msort
    topk, kthvalue = sorting.topk, sorting.kthvalue
    median, nanmedian, mode = sorting.median, sorting.nanmedian, sorting.mode
    quantile, nanquantile = quantiles.quantile, quantiles.nanquantile
    unique, unique_consecutive = counting.unique, counting.unique_consecutive
    bincount, histc = counting.bincount, counting.histc

    # ------------------------------------------------------------------ along a dim
    cumsum, cumprod, logcumsumexp = cumulative.cumsum, cumulative.cumprod, cumulative.logcumsumexp
    cummax, cummin, diff = cumulative.cummax, cumulative.cummin, difference.diff
    cumsum_, cumprod_ = inplace_cumulative(cumulative.cumsum), inplace_cumulative(cumulative.cumprod)

    # ------------------------------------------------------------------ shape
    view, view_as, ravel = views.view, views.view_as, views.ravel
    reshape, reshape_as = variadic(views.reshape, "shape"), views.reshape_as
    flatten, unflatten = views.flatten, views.unflatten
    squeeze, unsqueeze = views.squeeze, views.unsqueeze
    expand, expand_as, broadcast_to = variadic(views.expand, "size"), views.expand_as, views.broadcast_to
    clone, contiguous = views.clone, views.contiguous
    transpose, swapaxes, swapdims, t = order.transpose, order.swapaxes, order.swapdims, order.t
    permute, movedim, moveaxis = variadic(order.permute, "dims"), order.movedim, order.movedim
    T, H = property(order.reversed_dims), property(order.matrix_adjoint)
    mT, mH, adjoint = property(order.matrix_transpose), property(order.adjoint), order.adjoint
    flip, fliplr, flipud = variadic(order.flip, "dims"), order.fliplr, order.flipud
    rot90, roll = order.rot90, order.roll
    repeat, tile = variadic(join.repeat, "repeats"), variadic(join.tile, "dims")
    repeat_interleave = choose.repeat_interleave
    diagonal, diag, diag_embed, diagflat = triangles.diagonal, triangles.diag, triangles.diag_embed, triangles.diagflat
    tril, triu, unfold = triangles.tril, triangles.triu, triangles.unfold_dim
    tril_, triu_ = inplace_variant(triangles.tril), inplace_variant(triangles.triu)
    unsqueeze_, squeeze_, t_ = reshape_inplace.unsqueeze_, reshape_inplace.squeeze_, reshape_inplace.t_
    transpose_, swapaxes_, swapdims_ = reshape_inplace.transpose_, reshape_inplace.swapaxes_, reshape_inplace.swapdims_

    # ------------------------------------------------------------------ parts
    split_with_sizes, chunk = parts.split_with_sizes, parts.chunk
    tensor_split, hsplit, vsplit, dsplit = parts.tensor_split, parts.hsplit, parts.vsplit, parts.dsplit
    unbind, __iter__ = parts.unbind, parts.rows
    select, narrow = views.select, views.narrow

    def split(self, split_size: Any, dim: int = 0) -> Any:
        """Return parts of ``split_size`` elements of ``dim`` each (the last may be smaller), or of these sizes."""
        return parts.split(self, split_size, dim)

    # ------------------------------------------------------------------ index
    __getitem__, __setitem__ = advanced.fetch, setitem.store_item
    index_select, gather = gathering.index_select, gathering.gather
    take, take_along_dim = choose.take, choose.take_along_dim
    masked_select, nonzero, argwhere = masked.masked_select, masked.nonzero, masked.argwhere
    masked_scatter, masked_scatter_ = masked.masked_scatter, inplace_variant(masked.masked_scatter)
    scatter, scatter_ = choose.scatter, inplace_variant(choose.scatter)
    scatter_add, scatter_add_ = gathering.scatter_add, inplace_variant(gathering.scatter_add)
    scatter_reduce, scatter_reduce_ = combine.scatter_reduce, inplace_variant(combine.scatter_reduce)
    index_reduce, index_reduce_ = combine.index_reduce, inplace_variant(combine.index_reduce)
    index_put, index_put_ = advanced.index_put, inplace_variant(advanced.index_put)
    index_add, index_add_ = gathering.index_add, inplace_variant(gathering.index_add)
    index_copy, index_copy_ = gathering.index_copy, inplace_variant(gathering.index_copy)
    index_fill, index_fill_ = gathering.index_fill, inplace_variant(gathering.index_fill)
    put, put_ = choose.put, inplace_variant(choose.put)
    copy_, fill_, zero_, fill_diagonal_ = setitem.copy_, setitem.fill_, setitem.zero_, setitem.fill_diagonal_

    # ------------------------------------------------------------------ loaded when first called
    inverse, pinverse, cholesky_solve = functions(_DECOMPOSITIONS, "inverse pinverse cholesky_solve")
    svd, qr, cholesky = functions(_DECOMPOSITIONS, "svd_of qr_of cholesky_of")
    det, logdet, slogdet = functions(_DETERMINANTS, "det logdet slogdet_of")
    matrix_power, matrix_exp = functions(_DETERMINANTS, "matrix_power matrix_exp")
    cross = function("tensors.ops.matrix.norms", "cross_of")
    lgamma, digamma, sinc, xlogy = functions(_SPECIAL, "lgamma digamma sinc xlogy")
    copysign, nextafter, ldexp = functions(_SPECIAL, "copysign nextafter ldexp")
    gcd, lcm, mvlgamma = functions(_SPECIAL, "gcd lcm mvlgamma")
    frexp, polygamma = functions(_SPECIAL, "frexp polygamma_of")
    lgamma_, digamma_, sinc_, xlogy_ = map(inplace_variant, (lgamma, digamma, sinc, xlogy))
    copysign_, nextafter_, ldexp_, gcd_, lcm_ = map(inplace_variant, (copysign, nextafter, ldexp, gcd, lcm))
    mvlgamma_, polygamma_ = inplace_variant(mvlgamma), inplace_variant(polygamma, "polygamma_")
    select_scatter, slice_scatter = functions(_VIEW_SCATTER, "select_scatter slice_scatter")
    diagonal_scatter, as_strided = functions(_VIEW_SCATTER, "diagonal_scatter as_strided")
    narrow_copy, sum_to_size = views.narrow_copy, sums.sum_to_size
    cov, corrcoef = functions("tensors.ops.reduce.covariance", "cov corrcoef")
    renorm, histogram = vector_norms.renorm, counting.histogram
    renorm_ = inplace_variant(renorm)
    hardshrink = activation.hardshrink
    is_nonzero, is_same_size, is_conj, is_neg = (
        predicates.is_nonzero,
        predicates.is_same_size,
        predicates.is_conj,
        predicates.is_neg,
    )


Variable.result = Tensor

"""Tensor: every op as a method. An index, not a body."""

from __future__ import annotations

from typing import Any

from . import draws, setitem
from .dims import variadic
from .inplace import in_place
from .interop import TensorInterop
from .node import Variable
from .ops import (
    adapt,
    arithmetic,
    choose,
    counting,
    cumulative,
    difference,
    extrema,
    index,
    join,
    linalg,
    matmul,
    norms,
    order,
    pointwise,
    quantiles,
    reduce,
    shape,
    sorting,
)
from .ops import diagonal as triangles
from .ops import scatter as gathering
from .ops import split as parts


class Tensor(TensorInterop):
    """An array of numbers that records what is done with it.

    https://pytorch.org/docs/stable/tensors.html
    """

    __slots__ = ()
    __hash__ = Variable.__hash__  # a class that defines == would lose it

    # ------------------------------------------------------------------ random numbers
    uniform_, normal_, log_normal_, cauchy_ = draws.uniform_, draws.normal_, draws.log_normal_, draws.cauchy_
    exponential_, geometric_, random_ = draws.exponential_, draws.geometric_, draws.random_
    bernoulli, bernoulli_, multinomial = draws.bernoulli, draws.bernoulli_, draws.multinomial

    # ------------------------------------------------------------------ arithmetic
    __add__ = __radd__ = arithmetic._add
    __mul__ = __rmul__ = arithmetic._mul
    __sub__ = arithmetic._sub
    __truediv__ = arithmetic._div
    __neg__ = neg = arithmetic.neg
    __iadd__ = in_place(arithmetic._add, "add_")
    __imul__ = in_place(arithmetic._mul, "mul_")

    # ------------------------------------------------------------------ functions of one number
    exp, tanh = pointwise.exp, pointwise.tanh

    # ------------------------------------------------------------------ reductions
    sum, nansum, mean, nanmean, prod = reduce.sum, reduce.nansum, reduce.mean, reduce.nanmean, reduce.prod
    var, std, logsumexp = reduce.var, reduce.std, reduce.logsumexp
    all, any, count_nonzero = reduce.all, reduce.any, reduce.count_nonzero
    norm, dist = norms.norm, norms.dist
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
    cumsum_, cumprod_ = in_place(cumulative.cumsum), in_place(cumulative.cumprod)

    # ------------------------------------------------------------------ shape
    view, view_as, ravel = shape.view, shape.view_as, shape.ravel
    reshape, reshape_as = variadic(shape.reshape, "shape"), shape.reshape_as
    flatten, unflatten = shape.flatten, shape.unflatten
    squeeze, unsqueeze = shape.squeeze, shape.unsqueeze
    expand, expand_as, broadcast_to = variadic(shape.expand, "size"), shape.expand_as, shape.broadcast_to
    clone, contiguous = shape.clone, shape.contiguous
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
    tril_, triu_ = in_place(triangles.tril), in_place(triangles.triu)

    # ------------------------------------------------------------------ parts
    split, split_with_sizes, chunk = parts.split, parts.split_with_sizes, parts.chunk
    tensor_split, hsplit, vsplit, dsplit = parts.tensor_split, parts.hsplit, parts.vsplit, parts.dsplit
    unbind, __iter__ = parts.unbind, parts.rows
    select, narrow = shape.select, shape.narrow

    # ------------------------------------------------------------------ index
    __getitem__, __setitem__ = index.fetch, setitem.store_item
    index_select, gather, take, take_along_dim = gathering.index_select, gathering.gather, choose.take, choose.take_along_dim
    masked_select, nonzero, argwhere = choose.masked_select, choose.nonzero, choose.argwhere
    masked_scatter, masked_scatter_ = choose.masked_scatter, in_place(choose.masked_scatter)
    scatter, scatter_ = choose.scatter, in_place(choose.scatter)
    scatter_add, scatter_add_ = gathering.scatter_add, in_place(gathering.scatter_add)
    index_put, index_put_ = index.index_put, in_place(index.index_put)
    index_add, index_add_ = gathering.index_add, in_place(gathering.index_add)
    index_copy, index_copy_ = gathering.index_copy, in_place(gathering.index_copy)
    index_fill, index_fill_ = gathering.index_fill, in_place(gathering.index_fill)
    put, put_ = choose.put, in_place(choose.put)
    copy_, fill_, zero_, fill_diagonal_ = setitem.copy_, setitem.fill_, setitem.zero_, setitem.fill_diagonal_


Variable.result = Tensor

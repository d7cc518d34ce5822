"""Norms and condition numbers of matrices, products of vectors, and matrices of powers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dims import norm_dim
from ....arrays.dtypes import dtype_of
from ....autograd.arguments import array_of
from ....autograd.out_argument import write_out
from ...doors import doors
from ..backward_ops import reshape_to
from ..common import as_kind, no_bool
from ..elementwise.rounding import abs
from ..index.scatter import index_select
from ..reduce import vector_norms
from ..reduce.extrema import amax, amin
from ..reduce.sums import sum
from ..shape.join import broadcast, stack
from ..shape.order import movedim
from .decompositions import inv, matrices, svdvals


def _into(name: str, made: Any, out: Any) -> Any:
    return made if out is None else write_out(name, made, out)


@doors("linalg")
def vector_norm(
    input: Any, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Any:
    """Return ``sum(|x| ** ord) ** (1 / ord)`` of all elements or over ``dim``.

    https://pytorch.org/docs/stable/generated/torch.linalg.vector_norm.html
    """
    return _into("vector_norm", vector_norms.vector_norm(input, ord, dim, keepdim, dtype=dtype), out)


def _two(dim: Any, ndim: int) -> tuple[int, int]:
    if not isinstance(dim, tuple | list):
        raise TypeError(f"linalg.matrix_norm: dim must be a tuple of two ints, not {dim!r}")
    if len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dim}")
    first, second = (norm_dim(d, ndim) for d in dim)
    if first == second:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    return first, second


@doors("linalg")
def matrix_norm(
    input: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Any:
    """Return a norm of the matrices in two dims: "fro", "nuc", or inf, -inf, 1, -1, 2, -2.

    "fro" is the root of the sum of squares, "nuc" the sum of the singular values, 2 and -2 the largest and smallest of
    them, 1 and inf the largest sum of sizes in a column and in a row, with a minus sign the smallest.
    https://pytorch.org/docs/stable/generated/torch.linalg.matrix_norm.html
    """
    x = array_of(input, "linalg.matrix_norm", "input")
    if x.dtype.kind != "f":
        raise RuntimeError(
            f"linalg.matrix_norm: Expected a floating point or complex tensor as input. Got {dtype_of(x.dtype).legacy}"
        )
    if x.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    rows, columns = _two(dim, x.ndim)
    if isinstance(ord, str) and ord not in ("fro", "nuc"):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    if ord == "fro":
        return vector_norm(input, 2, (rows, columns), keepdim, dtype=dtype, out=out)
    if dtype is not None:
        input = as_kind(input, dtype.numpy)
    if ord in ("nuc", 2, -2):
        made = _by_values(input, ord, rows, columns, keepdim, x.ndim)
    elif np.abs(ord) in (1, np.inf):
        along, over = (rows, columns) if np.abs(ord) == 1 else (columns, rows)
        sums = sum(abs(input), along, True)
        made = (_largest if ord > 0 else amin)(sums, over, True)
        made = (
            made if keepdim else reshape_to(made, tuple(n for d, n in enumerate(x.shape) if d not in (rows, columns)))
        )
    else:
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    return _into("matrix_norm", made, out)


def _largest(x: Any, dim: int, keepdim: bool = False) -> Any:
    """Return the maximum along ``dim``, or 0 if that dim is empty."""
    return (amax if array_of(x, "linalg.matrix_norm").shape[dim] else sum)(x, dim, keepdim)


def _by_values(A: Any, ord: Any, rows: int, columns: int, keepdim: bool, ndim: int) -> Any:
    """Return the matrix norms that are functions of the singular values."""
    values = svdvals(movedim(A, (rows, columns), (-2, -1)))
    made = sum(values, -1) if ord == "nuc" else (_largest if ord == 2 else amin)(values, -1)
    if not keepdim:
        return made
    lead = iter(made.shape)
    return reshape_to(made, tuple(1 if d in (rows, columns) else next(lead) for d in range(ndim)))


@doors("linalg")
def norm(
    input: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, out: Any = None, dtype: Any = None
) -> Any:
    """Return :func:`vector_norm` for one dim or no ``ord``, else :func:`matrix_norm`.

    https://pytorch.org/docs/stable/generated/torch.linalg.norm.html

    >>> import rushlight as torch
    >>> torch.linalg.norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    x = array_of(input, "linalg.norm", "input")
    if dim is not None and not isinstance(dim, int) and len(dim) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {dim}")
    if dim is None and ord is not None and x.ndim not in (1, 2):
        raise RuntimeError("linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. "
                           f"Got {x.ndim}D")  # fmt: skip
    if ord is None:
        return vector_norm(input, 2, dim, keepdim, dtype=dtype, out=out)
    two = (dim is None and x.ndim == 2) or (dim is not None and not isinstance(dim, int) and len(dim) == 2)
    if not two and isinstance(ord, str):
        raise RuntimeError(f"linalg.norm: order {ord} is for matrices, but one dim was asked for")
    if two:
        return matrix_norm(input, ord, (0, 1) if dim is None else dim, keepdim, dtype=dtype, out=out)
    return vector_norm(input, ord, dim, keepdim, dtype=dtype, out=out)


@doors("linalg")
def cond(input: Any, p: Any = None, *, out: Any = None) -> Any:
    """Return the condition number: the ``p``-norm (2 unless given) times that of the inverse; inf if singular.

    https://pytorch.org/docs/stable/generated/torch.linalg.cond.html
    """
    nothing = 0 in array_of(input, "linalg.cond").shape[-2:]
    if p is None or p in (2, -2):
        matrices("linalg.cond", input, False)
        if nothing:
            return _into("cond", sum(input, (-2, -1)), out)
        values = svdvals(input)
        made = values[..., 0] / values[..., -1] if p != -2 else values[..., -1] / values[..., 0]
        return _into("cond", made, out)
    if p not in ("fro", "nuc", 1, -1, np.inf, -np.inf) or isinstance(p, bool):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    x = matrices("linalg.cond", input)
    if nothing:
        return _into("cond", sum(input, (-2, -1)), out)
    singular = np.linalg.det(x) == 0
    if singular.any():
        if x.ndim > 2 and not singular.all():
            parts = [cond(part, p) for part in input.reshape((-1, *x.shape[-2:]))]
            return _into("cond", stack(parts).reshape(x.shape[:-2]), out)
        return _into("cond", sum(input, (-2, -1)) * 0 + np.full(x.shape[:-2], np.inf, x.dtype), out)
    return _into("cond", matrix_norm(input, p) * matrix_norm(inv(input), p), out)


# ------------------------------------------------------------------ vectors


@doors("linalg")
def vecdot(x: Any, y: Any, *, dim: int = -1, out: Any = None) -> Any:
    """Return the sums of products of vectors along ``dim``, which broadcast.

    https://pytorch.org/docs/stable/generated/torch.linalg.vecdot.html
    """
    for one in (array_of(x, "linalg.vecdot", "x"), array_of(y, "linalg.vecdot", "y", 2)):
        if one.dtype.kind != "f":
            raise RuntimeError(
                f"linalg.vecdot: Expected a floating point or complex tensor as input. Got {dtype_of(one.dtype).legacy}"
            )
    if array_of(x, "linalg.vecdot").dtype != array_of(y, "linalg.vecdot").dtype:
        raise RuntimeError(f"linalg.vecdot: Expected x and y to have the same dtype, but found {x.dtype} and {y.dtype}")
    return _into("vecdot", sum(x * y, dim), out)


@doors("linalg")
def cross(input: Any, other: Any, *, dim: int = -1, out: Any = None) -> Any:
    """Return the cross products of vectors of three elements along ``dim``, which broadcast.

    https://pytorch.org/docs/stable/generated/torch.linalg.cross.html
    """
    x, y = array_of(input, "linalg.cross"), array_of(other, "linalg.cross", "other", 2)
    if x.ndim != y.ndim:
        raise RuntimeError(
            f"linalg.cross: inputs must have the same number of dimensions, but have shapes {list(x.shape)} and "
            f"{list(y.shape)}"
        )
    if x.dtype != y.dtype:
        raise RuntimeError(f"expected scalar type {dtype_of(x.dtype).legacy} but found {dtype_of(y.dtype).legacy}")
    no_bool("cross", x)
    axis = norm_dim(dim, x.ndim)
    if x.shape[axis] != 3 or y.shape[axis] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {x.shape[axis]} and {y.shape[axis]}"
        )
    a, b = broadcast(input, other)
    after, before = np.array([1, 2, 0]), np.array([2, 0, 1])
    made = index_select(a, axis, after) * index_select(b, axis, before)
    made = made - index_select(a, axis, before) * index_select(b, axis, after)
    return _into("cross", made, out)


@doors("torch.cross Tensor.cross")
def cross_of(input: Any, other: Any, dim: int | None = None, *, out: Any = None) -> Any:
    """Return :func:`cross`, as ``torch.cross``: along the first dim of three elements unless ``dim`` is given.

    https://pytorch.org/docs/stable/generated/torch.cross.html
    """
    if dim is None:
        shape = array_of(input, "cross").shape
        if 3 not in shape:
            raise RuntimeError(f"no dimension of size 3 in input of shape {list(shape)}")
        dim = shape.index(3)
    return cross(input, other, dim=dim, out=out)


@doors("linalg")
def vander(x: Any, *, N: int | None = None) -> Any:
    """Return the powers 0 … N - 1 (N is the size of ``x`` unless given) of each element, along a new last dim.

    https://pytorch.org/docs/stable/generated/torch.linalg.vander.html
    """
    array = array_of(x, "linalg.vander", "x")
    if array.dtype.kind == "b":
        raise RuntimeError("linalg.vander supports floating point, complex, and integer tensors, but got Bool")
    if not array.ndim:
        x, array = reshape_to(x, (1,)), array.reshape(1)
    count = array.shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError(f"N must be greater than 1, not {count}.")
    plain = as_kind(x, array.dtype if array.dtype.kind == "f" else np.dtype(np.int64))
    powers = [plain**0]
    for _ in range(count - 1):
        powers.append(powers[-1] * plain)
    return stack(powers, -1)


@doors("torch.vander")
def vander_of(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Return the matrix of powers of a vector, the highest first unless ``increasing``: ``torch.vander``.

    https://pytorch.org/docs/stable/generated/torch.vander.html
    """
    array = array_of(x, "vander", "x")
    if array.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = len(array) if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    kind = array.dtype if array.dtype.kind == "f" else np.dtype(np.int64)
    plain = as_kind(x, kind)
    if count == 0:
        return plain[:, None][:, :0]
    powers = [plain**0]
    for _ in range(count - 1):
        powers.append(powers[-1] * plain)
    return stack(powers if increasing else powers[::-1], 1)

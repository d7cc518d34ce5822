"""The largest and the smallest: of all elements, along dims, and where they are."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....arrays import return_types
from ....arrays.dtypes import Array, as_int64
from ....arrays.kernels.argmax import first_place
from ....autograd.arguments import array_of
from ....autograd.codegen.forward import UNSET
from ....autograd.out_argument import write_out
from ....autograd.primitive import primitive
from ....autograd.variable import Variable
from ...doors import doors
from ..backward_ops import (
    Axes,
    as_array,
    axes_of,
    keep_dims,
    masked,
    max_reduce,
    min_reduce,
    one_axis,
    scatter_along,
    share_evenly,
)
from .sums import Dims


def _check_all(name: str, input: Any) -> None:
    if not input.size:
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
            "Specify the reduction dim with the 'dim' argument."
        )


def check_along(name: str, input: Any, axis: int) -> None:
    """Raise IndexError if ``input`` has no elements along ``axis``."""
    if input.ndim and not input.shape[axis]:
        raise IndexError(f"{name}(): Expected reduction dim {axis} to have non-zero size.")


# ------------------------------------------------------------------ of each pair


def _leading(g: Any, x: Any, y: Any, behind: Callable[[Any, Any], Any]) -> Any:
    """Return ``g`` where ``x`` is not ``behind`` ``y``, half of it where they are equal; beside NaN all of it."""
    x, y = as_array(x), as_array(y)
    kind = as_array(g).dtype
    equal = np.asarray(x == y)
    if equal.any():
        g = g * (1 - 0.5 * equal).astype(kind)
    return masked(g, ~np.asarray(behind(x, y)))


@primitive(
    input=lambda g, input, other: _leading(g, input, other, operator.lt),
    other=lambda g, input, other: _leading(g, other, input, operator.lt),
    promote="same",
    doors="torch Tensor",
)
def maximum(input: Array, other: Array) -> Array:
    """Return the larger of each pair, broadcast together; NaN if there is one. Equal ones share the gradient.

    https://pytorch.org/docs/stable/generated/torch.maximum.html
    """
    return np.maximum(input, other)


@primitive(
    input=lambda g, input, other: _leading(g, input, other, operator.gt),
    other=lambda g, input, other: _leading(g, other, input, operator.gt),
    promote="same",
    doors="torch Tensor",
)
def minimum(input: Array, other: Array) -> Array:
    """Return the smaller of each pair, broadcast together; NaN if there is one. Equal ones share the gradient.

    https://pytorch.org/docs/stable/generated/torch.minimum.html
    """
    return np.minimum(input, other)


# ------------------------------------------------------------------ of all elements


def share_equal(g: Any, input: Any, out: Any) -> Any:
    """Return ``g`` shared equally among the elements that equal the result ``out``, NaN among them."""
    x, best = as_array(input), as_array(out)
    return share_evenly(g, np.asarray(x == best if best == best else np.isnan(x)), None)  # noqa: PLR0124


@primitive(input=share_equal, grad_fn_name="MaxBackward1")
def _max_all(input: Array) -> Any:
    _check_all("max", input)
    return max_reduce(input, None)


@primitive(input=share_equal, grad_fn_name="MinBackward1")
def _min_all(input: Array) -> Any:
    _check_all("min", input)
    return min_reduce(input, None)


# ------------------------------------------------------------------ along one dim


def _best(name: str, input: Any, dim: int, keepdim: bool, ufunc: Any, where: Callable[..., Any]) -> Any:
    """Return the extreme along ``dim`` and its first index twice: a caller may write into one, the rule keeps one."""
    axis = one_axis(input, dim)
    if not input.ndim:
        return input.copy(), np.int64(0), np.int64(0)
    check_along(name, input, axis)
    values = ufunc.reduce(input, axis, None, None, keepdim)
    indices = as_int64(first_place(input, values, axis, keepdim, where))
    return values, indices, indices.copy()


@primitive(
    input=lambda g, input_shape, dim, found: scatter_along(g, found, dim, input_shape),
    aux=("indices", "found"),
    returns=lambda values, indices, found: return_types.max.of(values, indices),
    grad_fn_name="MaxBackward0",
)
def _max_along(input: Array, dim: int, keepdim: bool) -> Any:
    return _best("max", input, dim, keepdim, np.maximum, np.ndarray.argmax)


@primitive(
    input=lambda g, input_shape, dim, found: scatter_along(g, found, dim, input_shape),
    aux=("indices", "found"),
    returns=lambda values, indices, found: return_types.min.of(values, indices),
    grad_fn_name="MinBackward0",
)
def _min_along(input: Array, dim: int, keepdim: bool) -> Any:
    return _best("min", input, dim, keepdim, np.minimum, np.ndarray.argmin)


def _dispatch(name: str, ways: tuple[Any, Any, Any], input: Any, dim: Any, keepdim: Any, other: Any, out: Any) -> Any:
    """Call the overload that the arguments ask for: of all, along a dim, or of two tensors."""
    whole, along, pair = ways
    if isinstance(dim, Variable):
        dim, other = UNSET, dim
    if other is not UNSET:
        return pair(input, other, out=out)
    if dim is UNSET:
        return whole(input, out=out)
    if isinstance(dim, bool) or not isinstance(dim, int | np.integer):
        raise TypeError(
            f"{name}() received an invalid combination of arguments: dim must be an int or the second argument a "
            f"Tensor, not {type(dim).__name__}"
        )
    return along(input, dim, keepdim, out=out)


@doors("torch Tensor")
def max(
    input: Any, dim: Any = UNSET, keepdim: bool = False, *,
    other: Any = UNSET, out: Any = None, axis: Any = UNSET, keepdims: Any = UNSET,
) -> Any:  # fmt: skip
    """Return the largest element; along ``dim`` ``(values, indices)``; beside a tensor the larger of each pair.

    NaN is larger than anything. Of equal elements the first counts along a dim; of all, they share the gradient.
    RuntimeError of no elements, IndexError of none along ``dim``.
    https://pytorch.org/docs/stable/generated/torch.max.html

    >>> import rushlight as torch
    >>> x = torch.tensor([[1.0, 5.0], [4.0, 2.0]])
    >>> torch.max(x), x.max(dim=1).indices
    (tensor(5.), tensor([1, 0]))
    """
    if dim is UNSET and other is UNSET and axis is UNSET and out is None:
        return _max_all(input)
    return _dispatch(
        "max", (_max_all, _max_along, maximum), input, dim if axis is UNSET else axis,
        keepdim if keepdims is UNSET else keepdims, other, out,
    )  # fmt: skip


@doors("torch Tensor")
def min(
    input: Any, dim: Any = UNSET, keepdim: bool = False, *,
    other: Any = UNSET, out: Any = None, axis: Any = UNSET, keepdims: Any = UNSET,
) -> Any:  # fmt: skip
    """Return the smallest element; along ``dim`` ``(values, indices)``; beside a tensor the smaller of each pair.

    NaN is smaller than anything; otherwise as :func:`max`.
    https://pytorch.org/docs/stable/generated/torch.min.html
    """
    if dim is UNSET and other is UNSET and axis is UNSET and out is None:
        return _min_all(input)
    return _dispatch(
        "min", (_min_all, _min_along, minimum), input, dim if axis is UNSET else axis,
        keepdim if keepdims is UNSET else keepdims, other, out,
    )  # fmt: skip


# ------------------------------------------------------------------ over several dims


def _share(g: Any, input: Any, out: Any, axes: Axes) -> Any:
    shape = input.shape
    mask = as_array(input) == as_array(keep_dims(as_array(out), shape, axes))
    return share_evenly(keep_dims(g, shape, axes), np.asarray(mask), axes)


def _extreme(name: str, input: Any, dim: Dims, keepdim: bool, ufunc: Any) -> Any:
    if not input.size:
        dims = () if dim is None else dim if isinstance(dim, Sequence) else (dim,)
        if not dims:
            _check_all(name, input)
        for one in dims:
            check_along(name, input, one_axis(input, one))
    axes = axes_of(input, dim)
    return ufunc.reduce(input, axes, None, None, keepdim), axes


@primitive(input=_share, aux=("axes",), doors="torch Tensor")
def amax(input: Array, dim: Dims = (), keepdim: bool = False) -> Any:
    """Return the largest element over ``dim``: one dim, several, or all. Equal ones share the gradient.

    https://pytorch.org/docs/stable/generated/torch.amax.html
    """
    return _extreme("amax", input, dim, keepdim, np.maximum)


@primitive(input=_share, aux=("axes",), doors="torch Tensor")
def amin(input: Array, dim: Dims = (), keepdim: bool = False) -> Any:
    """Return the smallest element over ``dim``: one dim, several, or all. Equal ones share the gradient.

    https://pytorch.org/docs/stable/generated/torch.amin.html
    """
    return _extreme("amin", input, dim, keepdim, np.minimum)


@doors("torch Tensor")
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False, out: Any = None) -> Any:
    """Return ``(min, max)`` of all elements, or along ``dim``.

    https://pytorch.org/docs/stable/generated/torch.aminmax.html
    """
    array = array_of(input, "aminmax")
    if dim is None and not array.size:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    if dim is not None:
        dim = one_axis(array, dim)
        check_along("aminmax", array, dim)
    result = return_types.aminmax.of(amin(input, dim, keepdim), amax(input, dim, keepdim))
    return result if out is None else write_out("aminmax", result, out)


# ------------------------------------------------------------------ where


def _where(name: str, input: Any, dim: int | None, keepdim: bool) -> Any:
    if input.dtype.char == "?":
        raise RuntimeError(f"{name}(): does not support bool input")
    if dim is None:
        if not input.size:
            raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        found = as_int64(getattr(input, name)())
        return np.asarray(found).reshape((1,) * input.ndim) if keepdim else found
    axis = one_axis(input, dim)
    if not input.ndim:
        return np.int64(0)
    check_along(name, input, axis)
    return as_int64(getattr(input, name)(axis, None, keepdims=keepdim))


@primitive(input=None, doors="torch Tensor")
def argmax(input: Array, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return where the first largest element is: in all of ``input`` as if in one row, or along ``dim``; int64.

    RuntimeError for bools, IndexError of no elements.
    https://pytorch.org/docs/stable/generated/torch.argmax.html

    >>> import rushlight as torch
    >>> torch.argmax(torch.tensor([[1.0, 5.0], [4.0, 2.0]]), dim=0)
    tensor([1, 0])
    """
    return _where("argmax", input, dim, keepdim)


@primitive(input=None, doors="torch Tensor")
def argmin(input: Array, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return where the first smallest element is: in all of ``input`` as if in one row, or along ``dim``; int64.

    https://pytorch.org/docs/stable/generated/torch.argmin.html
    """
    return _where("argmin", input, dim, keepdim)

"""Functions that change the order of dims, or of the elements along them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....arrays.dims import ints, norm_dim, norm_dims
from ....arrays.dtypes import Array
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ...doors import doors
from .views import getitem

_ALL, _BACK = slice(None), slice(None, None, -1)

# ------------------------------------------------------------------ the order of dims


@primitive(
    view=True,
    input=lambda g, dim0, dim1: transpose(g, dim0, dim1),
    integers=("dim0", "dim1"),
    doors="torch Tensor Tensor_",
)
def transpose(input: Array, dim0: int, dim1: int) -> Array:
    """Return ``input`` with two dims swapped: a view.

    https://pytorch.org/docs/stable/generated/torch.transpose.html
    """
    first, second = norm_dim(dim0, input.ndim), norm_dim(dim1, input.ndim)
    return input.swapaxes(first, second) if input.ndim else np.asarray(input)[...]


@primitive(view=True, input=lambda g: t(g), grad_fn_name="TBackward0", doors="torch Tensor Tensor_")
def t(input: Array) -> Array:
    """Return a matrix transposed, and what has fewer dims as it is: a view.

    https://pytorch.org/docs/stable/generated/torch.t.html
    """
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return input.transpose() if input.ndim else np.asarray(input)[...]


@primitive(view=True, input=lambda g, dims: permute(g, _inverse(dims)), doors="torch Tensor")
def permute(input: Array, dims: Sequence[int]) -> Array:
    """Return ``input`` with its dims in the order ``dims``: a view.

    https://pytorch.org/docs/stable/generated/torch.permute.html
    """
    order, ndim = ints(dims, "permute", "dims"), input.ndim
    if len(order) != ndim:
        raise RuntimeError(
            "permute(): number of dimensions in the tensor input does not match the length of the desired ordering of "
            f"dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(order)}"
        )
    if not ndim:
        return np.asarray(input)[...]
    order = tuple([norm_dim(d, ndim) for d in order])
    if len(set(order)) != ndim:
        raise RuntimeError(f"permute(): duplicate dims are not allowed, but got {list(dims)}")
    return input.transpose(order)


def _inverse(dims: Sequence[int]) -> tuple[int, ...]:
    order = [d % len(dims) for d in dims]
    return tuple(sorted(range(len(order)), key=order.__getitem__))


@doors("torch Tensor Tensor_")
def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """Return ``input`` with two dims swapped: NumPy's word for :func:`transpose`."""
    return transpose(input, axis0, axis1)


@doors("torch Tensor Tensor_")
def swapdims(input: Any, dim0: int, dim1: int) -> Any:
    """Return ``input`` with two dims swapped: another word for :func:`transpose`."""
    return transpose(input, dim0, dim1)


@doors("torch Tensor torch.moveaxis Tensor.moveaxis")
def movedim(input: Any, source: Any, destination: Any) -> Any:
    """Return ``input`` with the dims ``source`` moved to ``destination``, the others kept in order: a view.

    https://pytorch.org/docs/stable/generated/torch.movedim.html
    """
    ndim = array_of(input, "movedim").ndim
    given, wanted = ints(source, "movedim", "source"), ints(destination, "movedim", "destination")
    if len(given) != len(wanted):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(given)} dims) should contain the same number "
            f"of dims as destination ({list(wanted)} dims)"
        )
    sources, targets = [norm_dim(d, ndim) for d in given], [norm_dim(d, ndim) for d in wanted]
    if not ndim:
        return getitem(input, (...,))
    for dims, which in ((sources, "source"), (targets, "destination")):
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{which}` ({dims})")
    rest = iter([d for d in range(ndim) if d not in sources])
    moved = dict(zip(targets, sources, strict=True))
    return permute(input, tuple([moved[d] if d in moved else next(rest) for d in range(ndim)]))


@doors("Tensor.mT")
def matrix_transpose(input: Any, name: str = "mT") -> Any:
    """Return ``input`` with its last two dims swapped: a view; without dims the same. RuntimeError for one dim."""
    ndim = array_of(input, name).ndim
    if ndim == 1:
        raise RuntimeError(f"tensor.{name} is only supported on matrices or batches of matrices. Got {ndim}-D tensor.")
    return transpose(input, -2, -1) if ndim else input


@doors("Tensor.T")
def reversed_dims(input: Any) -> Any:
    """Return ``input`` with its dims in reverse order: a view, ``Tensor.T``."""
    return permute(input, tuple(range(input.array.ndim))[::-1])


@doors("Tensor.H")
def matrix_adjoint(input: Any) -> Any:
    """Return a matrix transposed, ``Tensor.H``: for real numbers its adjoint."""
    ndim = input.array.ndim
    if ndim not in (0, 2):
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor. For batches of matrices, "
            "consider using tensor.mH"
        )
    return transpose(input, 0, 1) if ndim else getitem(input, (...,))


@doors("torch Tensor Tensor.mH")
def adjoint(input: Any) -> Any:
    """Return ``input`` with its last two dims swapped: for real numbers the conjugate transpose."""
    return matrix_transpose(input, "mH")


# ------------------------------------------------------------------ the order of elements: copies


@primitive(input=lambda g, dims: flip(g, dims), doors="torch Tensor")
def flip(input: Array, dims: int | Sequence[int]) -> Array:
    """Return ``input`` with the elements along ``dims`` in reverse order: a copy.

    https://pytorch.org/docs/stable/generated/torch.flip.html
    """
    array = np.asarray(input)
    turned = norm_dims(dims, array.ndim) if dims != () else ()
    if not array.ndim:
        return array.copy()
    return np.array(array[tuple([_BACK if d in turned else _ALL for d in range(array.ndim)])])


@doors("torch Tensor")
def fliplr(input: Any) -> Any:
    """Return ``input`` with dim 1 in reverse order: a copy. RuntimeError for fewer than two dims."""
    if array_of(input, "fliplr").ndim < 2:
        raise RuntimeError(f"Input must be >= 2-d, but got {array_of(input, 'fliplr').ndim}-d.")
    return flip(input, (1,))


@doors("torch Tensor")
def flipud(input: Any) -> Any:
    """Return ``input`` with dim 0 in reverse order: a copy. RuntimeError for a tensor without dims."""
    if array_of(input, "flipud").ndim < 1:
        raise RuntimeError("Input must be >= 1-d, but got 0-d.")
    return flip(input, (0,))


@primitive(input=lambda g, k, dims: rot90(g, -k, dims), integers=("k",), doors="torch Tensor")
def rot90(input: Array, k: int = 1, dims: Sequence[int] = (0, 1)) -> Array:
    """Return ``input`` turned ``k`` times by 90 degrees, from the first of ``dims`` towards the second: a copy.

    https://pytorch.org/docs/stable/generated/torch.rot90.html
    """
    plane = ints(dims, "rot90", "dims")
    if len(plane) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(plane)}")
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    first, second = norm_dim(plane[0], input.ndim), norm_dim(plane[1], input.ndim)
    if first == second:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {plane[0]} and dim1 = {plane[1]}")
    return np.rot90(input, k, (first, second)).copy()


@primitive(input=lambda g, shifts, dims: roll(g, _backwards(shifts), dims), doors="torch Tensor")
def roll(input: Array, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Array:
    """Return ``input`` with the elements moved along ``dims`` by ``shifts``; those pushed out come in at the start.

    Without ``dims`` the elements move as if they stood in one row.

    https://pytorch.org/docs/stable/generated/torch.roll.html
    """
    steps = ints(shifts, "roll", "shifts")
    where = () if dims is None else ints(dims, "roll", "dims")
    if not steps:
        raise RuntimeError("`shifts` required")
    if len(steps) != len(where) and (where or len(steps) != 1):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(steps)}, dims:{len(where)}")
    input = np.asarray(input, order="C")  # PyTorch's result is contiguous
    if not where:
        return np.roll(input, steps[0])
    if not input.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return np.roll(input, steps, [norm_dim(d, input.ndim) for d in where])


def _backwards(shifts: int | Sequence[int]) -> tuple[int, ...]:
    return tuple([-n for n in ints(shifts, "roll", "shifts")])

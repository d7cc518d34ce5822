"""Elements selected or written by a bool mask, and the indices of those that are not zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....arrays.dtypes import Array, as_int64
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ...doors import doors
from ..shape.join import common_shape
from ..shape.split import unbind
from ..shape.views import reshape, scatter_slice
from .scatter import one_dtype

# ------------------------------------------------------------------ elements under a mask


def _bools(mask: Any, name: str) -> Array:
    """Return the mask as an array; RuntimeError unless it holds bools."""
    if mask.dtype.kind != "b":
        raise RuntimeError(f"{name}: expected BoolTensor for mask, not one of dtype {mask.dtype}")
    return np.asarray(mask)


def _unmasked_again(g: Any, mask: Any) -> Any:
    """Return the gradient of the input of ``masked_scatter``: zero where the mask is True."""
    return unmasked(g, mask)


def _masked_source_back(g: Any, mask: Any, source_shape: tuple[int, ...]) -> Any:
    """Return the gradient of the source of ``masked_scatter``: zero for elements that were not used."""
    chosen = masked_select(g, mask)
    size = int(np.prod(source_shape))
    return reshape(scatter_slice(chosen, (size,), (slice(0, chosen.shape[0]),)), source_shape)


@primitive(
    input=lambda g, input_shape, mask: place_masked(g, mask, common_shape(input_shape, mask.shape)),
    mask=None,
    doors="torch Tensor",
)
def masked_select(input: Array, mask: Any) -> Array:
    """Return the elements of ``input`` where ``mask`` is True, as one dim; both are broadcast together.

    https://pytorch.org/docs/stable/generated/torch.masked_select.html
    """
    shape = common_shape(_bools(mask, "masked_select").shape, input.shape)
    chosen: Array = np.broadcast_to(input, shape)[np.broadcast_to(mask, shape)]
    return chosen.reshape(-1)


@primitive(g=lambda g, mask: masked_select(g, mask), mask=None, grad_fn_name="MaskedSelectBackward0")
def place_masked(g: Array, mask: Any, shape: tuple[int, ...]) -> Array:
    """Return zeros of ``shape`` with ``g`` where ``mask`` is True; the adjoint of ``masked_select``."""
    out = np.zeros(shape, g.dtype)
    out[np.broadcast_to(mask, shape)] = g
    return out


@primitive(input=_unmasked_again, mask=None, grad_fn_name="MaskedFillBackward0")
def unmasked(input: Array, mask: Any) -> Array:
    """Return ``input`` with zeros where ``mask`` is True."""
    return np.where(mask, input.dtype.type(0), input)


@primitive(input=_unmasked_again, source=_masked_source_back, mask=None, doors="torch Tensor Tensor_")
def masked_scatter(input: Array, mask: Any, source: Any) -> Array:
    """Return ``input`` with the first elements of ``source``, in order, where ``mask`` is True.

    https://pytorch.org/docs/stable/generated/torch.Tensor.masked_scatter_.html
    """
    one_dtype("masked_scatter", input, source)
    shape = common_shape(_bools(mask, "masked_scatter").shape, input.shape)
    out = np.array(np.broadcast_to(input, shape))
    wide = np.broadcast_to(mask, shape)
    count = int(np.count_nonzero(wide))
    if source.size < count:
        raise RuntimeError(
            f"masked_scatter: Number of elements of source < number of ones in mask: {source.size} < {count}"
        )
    out[wide] = source.reshape(-1)[:count]
    return out


# ------------------------------------------------------------------ elements that are not zero


@primitive(input=None)
def _nonzero(input: Array) -> Array:
    """Return the indices of the elements that are not zero, one row each."""
    array = np.asarray(input)
    if not array.ndim:
        return np.zeros((int(bool(array)), 0), np.int64)
    return np.asarray(as_int64(np.stack(array.nonzero(), 1)))


@doors("torch Tensor")
def nonzero(input: Any, *, out: Any = None, as_tuple: bool = False) -> Any:
    """Return the indices of the elements that are not zero: one row each, or a tuple with one tensor per dim.

    https://pytorch.org/docs/stable/generated/torch.nonzero.html
    """
    found: Any = _nonzero
    if not as_tuple:
        return found(input, out=out)
    ndim = array_of(input, "nonzero").ndim
    return unbind(_nonzero(input if ndim else reshape(input, (1,))), 1)


@doors("torch Tensor")
def argwhere(input: Any) -> Any:
    """Return the indices of the elements that are not zero, one row each.

    https://pytorch.org/docs/stable/generated/torch.argwhere.html
    """
    return nonzero(input)

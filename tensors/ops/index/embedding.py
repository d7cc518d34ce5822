"""Embeddings: rows of a table by index, alone or reduced in bags, and one-hot vectors."""

from __future__ import annotations

from typing import Any
from warnings import warn

import numpy as np

from ....arrays.dtypes import Array, dtype_of
from ....autograd.arguments import array_of
from ....autograd.primitive import primitive
from ....autograd.variable import Variable, as_ndarray, bump_version
from ...doors import doors
from ..backward_ops import gather_along
from ..common import keep
from ..shape.views import reshape

# ------------------------------------------------------------------ rows of a table


@primitive(g=lambda g, index, share: gather_rows(g, index, share), integers=("rows",))
def scatter_rows(g: Array, index: Array, share: Any, rows: int) -> Array:
    """Return ``rows`` rows of zeros to which the rows of ``g``, times their ``share``, were added at ``index``."""
    width = g.shape[-1]
    wide = g.astype(np.float32) if g.dtype.char == "e" else g
    wide = wide if share is None else wide * share
    out = np.zeros(rows * width, wide.dtype)
    places = index.reshape(-1, 1) * width + np.arange(width)  # ufunc.at is fast in one dim only
    np.add.at(out, places.ravel(), wide.reshape(-1))
    return out.reshape(rows, width).astype(g.dtype, copy=False)


@primitive(input=lambda g, input_shape, index, share: scatter_rows(g, index, share, input_shape[0]))
def gather_rows(input: Array, index: Array, share: Any) -> Array:
    """Return the rows of ``input`` at ``index``, times their ``share``; the adjoint of ``scatter_rows``."""
    rows = input[index]
    return rows if share is None else rows * share


@primitive(
    weight=lambda g, weight_shape, index, share: scatter_rows(g, index, share, weight_shape[0]),
    aux=("index", "share"),
    input=None,
)
def _embedding(input: Array, weight: Array, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    """Return the rows of ``weight`` that ``input`` names; ``share`` multiplies the gradient of each row."""
    index = np.array(input, np.int64)  # a copy to save: the caller may write into the original
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if index.size and index.view(np.uint64).max() >= len(weight):  # negative ones are large here
        raise IndexError("index out of range in self")
    share: Any = None
    if scale_grad_by_freq:
        share = (1 / np.maximum(np.bincount(index.ravel(), minlength=len(weight)), 1)).astype(weight.dtype)[index]
    if padding_idx >= 0 and (padding := index == padding_idx).any():
        share = np.where(padding, weight.dtype.type(0), weight.dtype.type(1) if share is None else share)
    return weight[index], index, None if share is None else share[..., None]


def _renormalize(weight: Any, index: Array, max_norm: float, norm_type: float) -> None:
    """Scale down, in place, those rows of ``weight`` at ``index`` whose norm is above ``max_norm``."""
    table = as_ndarray(weight) if isinstance(weight, Variable) else weight
    used = np.unique(index)
    norms = np.linalg.norm(table[used].astype(np.float64), norm_type, 1)
    long = norms > max_norm
    if not long.any():
        return
    table[used[long]] *= (max_norm / (norms[long] + 1e-7)).astype(table.dtype)[:, None]
    if isinstance(weight, Variable):
        bump_version(weight, "embedding_renorm_")


@doors("functional")
def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """Return the rows of ``weight`` (rows, width) at the indices ``input`` (int64 or int32): (*input.shape, width).

    The row ``padding_idx`` gets no gradient. With ``max_norm`` the rows in use are first scaled down, in ``weight``
    itself, to that norm of order ``norm_type``. ``scale_grad_by_freq`` divides the gradient of a row by how often it is
    used. Raises IndexError for an index out of range, AssertionError for such a ``padding_idx``.

    >>> import rushlight as torch
    >>> table = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> torch.nn.functional.embedding(torch.tensor([1, 1, 0]), table)
    tensor([[2., 3.],
            [2., 3.],
            [0., 1.]])

    https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html
    """
    if sparse:
        raise NotImplementedError("embedding: sparse=True is not supported, there are no sparse tensors")
    index = array_of(input, "embedding")
    table = array_of(weight, "embedding", "weight", 2)
    if index.dtype.char not in "lqi":
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{dtype_of(index.dtype).legacy}Tensor instead (while checking arguments for embedding)"
        )
    rows = len(table) if table.ndim else 0
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx += rows if padding_idx < 0 else 0
    if max_norm is not None and index.size:
        if index.min() < 0 or index.max() >= rows:
            raise IndexError("index out of range in self")
        _renormalize(weight, index, max_norm, norm_type)
    return _embedding(input, weight, -1 if padding_idx is None else padding_idx, scale_grad_by_freq)


# ------------------------------------------------------------------ one-hot vectors

_TOO_FEW = "Class values must be smaller than num_classes."


@primitive(input=None, integers=("num_classes",), doors="functional")
def one_hot(input: Array, num_classes: int = -1) -> Any:
    """Return int64 zeros with a new last dim of ``num_classes``, and a one at each index.

    Without ``num_classes`` it is the largest index plus one. Raises RuntimeError unless ``input`` is int64 and its
    numbers are classes.

    >>> import rushlight as torch
    >>> torch.nn.functional.one_hot(torch.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])

    https://pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html
    """
    if input.dtype.char not in "lq":
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    index = np.asarray(input)
    if not index.size:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return np.zeros((*index.shape, num_classes), np.int64)
    if index.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        num_classes = int(index.max()) + 1
    elif num_classes < 1:
        raise RuntimeError("num_classes should be positive" if num_classes < 0 else _TOO_FEW)
    if index.max() >= num_classes:
        raise RuntimeError(_TOO_FEW)
    return (index[..., None] == np.arange(num_classes)).astype(np.int64)


# ------------------------------------------------------------------ bags of rows


def bounds_of(offsets: Array, count: int, include_last_offset: bool) -> Array:
    """Return where each bag begins and the last ends, as int64; RuntimeError unless that fits ``count`` indices."""
    if offsets.dtype.kind != "i" or offsets.dtype.itemsize < 4:
        raise RuntimeError(
            "Expected tensor for argument #1 'offsets' to have one of the following scalar types: Long, Int; but got "
            f"torch.{dtype_of(offsets.dtype).legacy}Tensor instead (while checking arguments for embedding_bag)"
        )
    if include_last_offset and not offsets.size:
        raise RuntimeError("include_last_offset: number of offsets should be at least 1")
    bounds = offsets.astype(np.int64)
    if bounds.size:
        if bounds[0]:
            raise RuntimeError(
                "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
                f"However, got {bounds[0]}"
            )
        if bounds[-1] > count:
            raise RuntimeError(
                f"offsets[-1] can not be greater than input's length, but got offsets[-1] of {bounds[-1]} and input "
                f"length {count}"
            )
    if include_last_offset:
        bounds[-1] = count
    else:
        bounds = np.append(bounds, count)
    if (np.diff(bounds) < 0).any():
        raise RuntimeError(f"embedding_bag: offsets must not decrease, but are {offsets.tolist()}")
    return bounds


def winners(array: Array, bag: Array, bags: int) -> Array:
    """Return the index of the largest row in each column of each bag, the first of equals; 0 for an empty bag."""
    sizes = np.bincount(bag, minlength=bags)
    used = np.flatnonzero(sizes)
    winner = np.zeros((bags, array.shape[1]), np.int64)
    if used.size and array.size:
        starts = (np.cumsum(sizes) - sizes)[used]
        best = np.maximum.reduceat(array, starts, axis=0)
        wins = array == np.repeat(best, sizes[used], axis=0)
        places = np.where(wins | np.isnan(array), np.arange(len(array))[:, None], len(array))
        winner[used] = np.minimum.reduceat(places, starts, axis=0)
    return winner


def _largest(rows: Any, bag: Array, bags: int) -> Any:
    """Return the largest of each column in each bag, 0 for an empty bag."""
    array = array_of(rows, "embedding_bag")
    if not array.size:
        return scatter_rows(rows, bag, None, bags)
    winner = winners(array, bag, bags)
    found = gather_along(rows, winner, 0, winner.shape)
    used = np.bincount(bag, minlength=bags) > 0
    return found if used.all() else keep(found, np.broadcast_to(used[:, None], winner.shape))


def bagged(
    index: Array,
    weight: Any,
    bounds: Array,
    mode: str,
    scale_grad_by_freq: bool,
    share: Any,
    padding_idx: int | None,
) -> Any:
    """Return a row for each bag of the vector ``index``, of whose entries ``padding_idx`` does not count."""
    bags = len(bounds) - 1
    bag = np.repeat(np.arange(bags), np.diff(bounds))
    index = index[: bounds[-1]]
    table = array_of(weight, "embedding_bag", "weight", 2)
    if index.size and (index.min() < 0 or index.max() >= len(table)):
        wrong = index[(index < 0) | (index >= len(table))][0]
        raise RuntimeError(
            f"embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be {wrong}, with "
            f"{len(table)} embeddings"
        )
    rows = embedding(index, weight, None, None, 2.0, scale_grad_by_freq)
    if share is not None:
        rows = rows * reshape(share, (-1, 1))[: len(index)]
    if padding_idx is not None and (index == padding_idx).any():
        places = np.flatnonzero(index != padding_idx)
        rows, bag = rows[places], bag[places]
    if mode == "max":
        return _largest(rows, bag, bags)
    total = scatter_rows(rows, bag, None, bags)
    if mode == "sum":
        return total
    return total / np.maximum(np.bincount(bag, minlength=bags), 1).astype(table.dtype)[:, None]


def _vectors(input: Any, offsets: Any, share: Any, include_last_offset: bool) -> tuple[Array, Array, Any]:
    """Return the indices as a vector, the bounds of the bags, and the shares as a vector."""
    index = array_of(input, "embedding_bag")
    if index.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        bounds = np.arange(len(index) + 1) * index.shape[1]
        return index.reshape(-1), bounds, None if share is None else reshape(share, (-1,))
    if index.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {index.ndim}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    places = array_of(offsets, "embedding_bag", "offsets", 3)
    if places.ndim != 1:
        raise ValueError(f"offsets has to be a 1D Tensor, but has shape {list(places.shape)}")
    return index, bounds_of(places, len(index), include_last_offset), share


def _bagged_checked(
    index: Array, weight: Any, bounds: Array, mode: str, by_freq: bool, share: Any, padding_idx: int | None
) -> Any:
    """Return :func:`bagged`, or raise RuntimeError for dtypes and a ``padding_idx`` that do not fit."""
    table = array_of(weight, "embedding_bag", "weight", 2)
    if index.dtype.kind != "i" or index.dtype.itemsize < 4:
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{dtype_of(index.dtype).legacy}Tensor instead (while checking arguments for embedding_bag)"
        )
    if share is not None and array_of(share, "embedding_bag").dtype != table.dtype:
        raise RuntimeError(
            f"expected weight and per_sample_weights to have the same dtype, but got {dtype_of(table.dtype)} and "
            f"{share.dtype}"
        )
    if padding_idx is not None:
        if not -len(table) <= padding_idx < len(table):
            raise RuntimeError(f"padding_idx must be within the number of embeddings, {len(table)}, not {padding_idx}")
        padding_idx += len(table) if padding_idx < 0 else 0
    return bagged(index, weight, bounds, mode, by_freq, share, padding_idx)


@doors("functional")
def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Return a row for each bag of indices: the ``mode`` ("sum", "mean", "max") of their rows of ``weight``.

    A bag is a row of a matrix ``input``, or of a vector what begins at one of the ``offsets`` (with
    ``include_last_offset`` the last of them is the end). The index ``padding_idx`` does not count. ``max_norm`` and
    ``scale_grad_by_freq`` are as in :func:`embedding`; ``per_sample_weights``, for sums only, has the shape of
    ``input``. An empty bag gives zeros. ValueError and RuntimeError for arguments that do not fit.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html

    >>> import rushlight as torch
    >>> table = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> torch.nn.functional.embedding_bag(torch.tensor([[0, 1], [1, 1]]), table)
    tensor([[1., 2.],
            [2., 3.]])
    """
    if sparse:
        raise NotImplementedError("embedding_bag: sparse=True is not supported, there are no sparse tensors")
    index, table = array_of(input, "embedding_bag"), array_of(weight, "embedding_bag", "weight", 2)
    if table.dtype == np.int64 and index.dtype.kind == "f":
        warn("embedding_bag takes the indices first: embedding_bag(input, weight, ...).", stacklevel=2)
        input, weight, index, table = weight, input, table, index
    if per_sample_weights is not None and array_of(per_sample_weights, "embedding_bag").shape != index.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({list(per_sample_weights.shape)}) is not None, then it must have "
            f"the same shape as the input ({list(index.shape)})"
        )
    if table.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {table.ndim}")
    flat, bounds, share = _vectors(input, offsets, per_sample_weights, include_last_offset)
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"mode has to be one of sum, mean or max, not {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if max_norm is not None:
        embedding(flat, weight, None, max_norm, norm_type)
    if share is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}')."
        )
    return _bagged_checked(flat, weight, bounds, mode, scale_grad_by_freq, share, padding_idx)

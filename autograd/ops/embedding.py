"""Look-up tables: a row for each index."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dims import array_of
from ..dtypes import Array, dtype_of
from ..node import Variable, shared, wrote
from ..primitive import primitive


def _gathered(g: Any, index: Array, share: Any) -> Any:
    return gather_rows(g, index, share)


@primitive(g=_gathered)
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
    """Return the rows of ``input`` at ``index``, times their ``share``; the dual of ``scatter_rows``."""
    rows = input[index]
    return rows if share is None else rows * share


@primitive(weight=lambda g, weight_shape, index, share: scatter_rows(g, index, share, weight_shape[0]),
    keeps=("index", "share"), input=None)  # fmt: skip
def _embedding(input: Array, weight: Array, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    """Return the rows of ``weight`` that ``input`` names; ``share`` is how much of its gradient each row gets."""
    index = np.array(input, np.int64)  # a copy: the rule keeps it, and the caller may write what was given
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if index.size and index.view(np.uint64).max() >= len(weight):  # a negative one is a huge one
        raise IndexError("index out of range in self")
    share: Any = None
    if scale_grad_by_freq:
        share = (1 / np.maximum(np.bincount(index.ravel(), minlength=len(weight)), 1)).astype(weight.dtype)[index]
    if padding_idx >= 0 and (padding := index == padding_idx).any():
        share = np.where(padding, weight.dtype.type(0), weight.dtype.type(1) if share is None else share)
    return weight[index], index, None if share is None else share[..., None]


def _renormalize(weight: Any, index: Array, max_norm: float, norm_type: float) -> None:
    """Scale down, in place, those rows of ``weight`` at ``index`` whose norm is above ``max_norm``."""
    table = shared(weight) if isinstance(weight, Variable) else weight
    used = np.unique(index)
    norms = np.linalg.norm(table[used].astype(np.float64), norm_type, 1)
    long = norms > max_norm
    if not long.any():
        return
    table[used[long]] *= (max_norm / (norms[long] + 1e-7)).astype(table.dtype)[:, None]
    if isinstance(weight, Variable):
        wrote(weight, "embedding_renorm_")


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


@primitive(input=None)
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


_TOO_FEW = "Class values must be smaller than num_classes."

"""Linear maps, as layers use them: ``x @ weight.T + bias`` and its two-sided form."""

from __future__ import annotations

from typing import Any

from ....arrays.dtypes import Array
from ....autograd.arguments import array_of
from ....autograd.broadcast import is_expandable, sum_to
from ....autograd.primitive import primitive
from ...doors import doors
from .einsum import contract
from .matmul import check_expands, check_shapes, column_sum, fold_gemm, folded, gemm, matmul, product, same_kind


def _linear_title(array: Any, bias_array: Any) -> str:
    plain = bias_array is None
    if array.ndim == 2:
        return "MmBackward0" if plain else "AddmmBackward0"
    if array.ndim == 1:
        return "SqueezeBackward4" if plain else "ViewBackward0"
    return "UnsafeViewBackward0" if plain else "ViewBackward0"


@primitive(
    input=lambda g, weight: gemm(g, weight, False, False),
    weight=lambda g, input: fold_gemm(g, other=input),
    bias=lambda g, bias_shape: column_sum(g) if bias_shape == g.shape[-1:] else sum_to(g, bias_shape),
    grad_fn_name=_linear_title,
)
def _linear(input: Array, weight: Array, bias: Any = None) -> Any:
    """Return ``input @ weight.T + bias``: one matrix product, however many dims ``input`` has."""
    if input.dtype is not weight.dtype or (bias is not None and bias.dtype is not weight.dtype):
        _refuse_kinds(input, weight, bias)
    if input.shape[-1:] != weight.shape[1:]:
        _refuse_linear(input, weight)
    out = product(input, weight.T)
    if bias is None:
        return out
    if bias.shape != out.shape[-1:] and not is_expandable(out.shape, bias.shape):
        check_expands(bias.shape, folded(out).shape)
    out += bias
    return out


def _refuse_kinds(input: Any, weight: Any, bias: Any) -> None:
    if bias is None:
        same_kind(input, weight)
    else:
        same_kind(bias, weight, "self and mat2")
        same_kind(input, weight, "mat1 and mat2")


def _refuse_linear(input: Any, weight: Any) -> None:
    if input.ndim == 0:
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are 0D and {weight.ndim}D")
    if weight.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {weight.ndim}D")
    if weight.ndim < 2:
        raise RuntimeError(f"mat2 must be a matrix, got {weight.ndim}-D tensor")
    check_shapes(input.shape, weight.shape[::-1])


@doors("functional")
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """Return ``input @ weight.T + bias``: (..., out) for ``input`` (..., in), ``weight`` (out, in), ``bias`` (out,).

    >>> import rushlight as torch
    >>> x, w = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [5.0, 6.0]])
    >>> torch.nn.functional.linear(x, w, torch.tensor([0.5, 0.0]))
    tensor([[11.5000, 17.0000]])

    https://pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
    """
    if bias is None and array_of(weight, "linear", "weight", 2).ndim < 2:
        if not array_of(input, "linear").ndim:
            _refuse_linear(array_of(input, "linear"), array_of(weight, "linear", "weight", 2))
        return matmul(input, weight)
    return _linear(input, weight, bias)


@doors("torch functional")
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """Return ``input1 @ weight[o] @ input2`` for each o, plus ``bias``: (..., out).

    ``input1`` is (..., n), ``input2`` (..., m), ``weight`` (out, n, m), ``bias`` (out,). Raises RuntimeError for
    shapes that do not fit.

    https://pytorch.org/docs/stable/generated/torch.nn.functional.bilinear.html
    """
    one, two = array_of(input1, "bilinear", "input1"), array_of(input2, "bilinear", "input2", 2)
    w = array_of(weight, "bilinear", "weight", 3)
    if not one.dtype == two.dtype == w.dtype:
        raise RuntimeError(f"All tensors must have the same dtype, got {one.dtype}, {two.dtype} and weight {w.dtype}")
    if not one.ndim or w.ndim != 3:
        raise IndexError(
            f"bilinear(): inputs need dims and weight three, but they are {list(one.shape)}, {list(w.shape)}"
        )
    if one.ndim != two.ndim:
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {one.ndim} and {two.ndim}")
    for n, (n1, n2) in enumerate(zip(one.shape[:-1], two.shape[:-1], strict=True)):
        if n1 != n2:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {n}: got {n1} and {n2}")
    for which, x, n in (("input1", one, 1), ("input2", two, 2)):
        if x.shape[-1] != w.shape[n]:
            raise RuntimeError(
                f"bilinear(): {which} size does not match weight size: got {x.shape[-1]} but expected {w.shape[n]}"
            )
    lead, (o, i, j) = tuple(range(one.ndim - 1)), range(100, 103)
    halfway = contract(input1, weight, (*lead, i), (o, i, j), (*lead, o, j))
    out = contract(halfway, input2, (*lead, o, j), (*lead, j), (*lead, o))
    return out if bias is None else out + bias

"""Products with an addend, outer products, and products over chosen dims."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....arrays.dims import ints, norm_dims
from ....arrays.dtypes import Array, result_numpy
from ....autograd.arguments import array_of
from ....autograd.broadcast import sum_to
from ....autograd.out_argument import write_out
from ....autograd.primitive import primitive
from ....autograd.variable import Variable
from ...doors import doors
from ..shape.views import reshape
from .einsum import contract
from .matmul import (
    check_batches,
    check_expands,
    check_mv,
    check_shapes,
    dot,
    gemm,
    mm,
    no_bool,
    product,
    same_kind,
    same_scalar,
)

# ------------------------------------------------------------------ beta * input + alpha * product


def _times(g: Any, factor: float) -> Any:
    return g if factor == 1 else g * float(factor)


def _added(out: Any, input: Any, beta: float, alpha: float) -> Any:
    """Return ``beta * input + alpha * out``; with beta 0 not even NaN of ``input`` counts."""
    if type(beta) is not int or type(alpha) is not int:
        beta, alpha = ((float if out.dtype.kind == "f" else int)(factor) for factor in (beta, alpha))
    if alpha != 1:
        out = out * alpha
    if beta == 0:
        return out
    return out + (input if beta == 1 else input * beta)


def _add_rule(g: Any, beta: float) -> Any:
    return _times(g, beta)


@primitive(
    input=_add_rule,
    mat1=lambda g, mat2, alpha: _times(gemm(g, mat2, False, True), alpha),
    mat2=lambda g, mat1, alpha: _times(gemm(mat1, g, True, False), alpha),
    numbers=("beta", "alpha"),
    doors="torch Tensor Tensor_",
)
def addmm(input: Array, mat1: Array, mat2: Array, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return ``beta * input + alpha * (mat1 @ mat2)``: matrices (n, k) and (k, m), ``input`` broadcast to (n, m).

    https://pytorch.org/docs/stable/generated/torch.addmm.html
    """
    for x, name in ((mat1, "mat1"), (mat2, "mat2")):
        if x.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {x.ndim}-D tensor")
    check_expands(input.shape, (mat1.shape[0], mat2.shape[1]))
    check_shapes(mat1.shape, mat2.shape)
    same_kind(input, mat2, "self and mat2")
    same_kind(mat1, mat2, "mat1 and mat2")
    no_bool(mat1.dtype, "addmm_impl_cpu_")
    return _added(product(mat1, mat2), input, beta, alpha)


@primitive(
    input=_add_rule,
    mat=lambda g, vec, alpha: _times(g[:, None] * vec, alpha),
    vec=lambda g, mat, alpha: _times(gemm(g, mat, False, False), alpha),
    numbers=("beta", "alpha"),
    doors="torch Tensor Tensor_ torch_",
)
def addmv(input: Array, mat: Array, vec: Array, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return ``beta * input + alpha * (mat @ vec)``: (n, m) and (m,), ``input`` broadcast to (n,).

    https://pytorch.org/docs/stable/generated/torch.addmv.html
    """
    check_mv(mat, vec, input.shape)
    same_kind(input, mat, "self and mat")
    return _added(product(mat, vec), input, beta, alpha)


@primitive(
    input=_add_rule,
    vec1=lambda g, vec2, alpha: _times(gemm(g, vec2[:, None], False, False)[:, 0], alpha),
    vec2=lambda g, vec1, alpha: _times(gemm(vec1, g, False, False), alpha),
    numbers=("beta", "alpha"),
    doors="torch Tensor Tensor_",
)
def addr(input: Array, vec1: Array, vec2: Array, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return ``beta * input + alpha * outer(vec1, vec2)``, in the common dtype; ``input`` broadcasts to (n, m).

    https://pytorch.org/docs/stable/generated/torch.addr.html
    """
    _vectors("addr", vec1=vec1, vec2=vec2)
    check_expands(input.shape, (len(vec1), len(vec2)))
    kind: Any = result_numpy(input, vec1, vec2)
    for name, factor in (("beta", beta), ("alpha", alpha)):
        if kind.kind != "f" and isinstance(factor, float):
            raise RuntimeError(f"For integral input tensors, argument {name} must not be a floating point number.")
        if kind.kind != "b" and isinstance(factor, bool):
            raise RuntimeError(f"Boolean {name} only supported for Boolean results.")
    out = np.multiply(vec1.astype(kind)[:, None], vec2.astype(kind))
    if kind.kind == "b":
        return (out & bool(alpha)) | (input & bool(beta))
    return _added(out, input.astype(kind), beta, alpha)


@primitive(
    input=_add_rule,
    batch1=lambda g, batch2, alpha: _times(gemm(g, batch2, False, True), alpha),
    batch2=lambda g, batch1, alpha: _times(gemm(batch1, g, True, False), alpha),
    numbers=("beta", "alpha"),
    doors="torch Tensor Tensor_",
)
def addbmm(input: Array, batch1: Array, batch2: Array, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return ``beta * input + alpha * sum of batch1[i] @ batch2[i]``: (b, n, k), (b, k, m), ``input`` as (n, m).

    https://pytorch.org/docs/stable/generated/torch.addbmm.html
    """
    if batch1.ndim == batch2.ndim == 3 and len(batch1) != len(batch2):
        raise RuntimeError(f"batch1 and batch2 must have same number of batches, got {len(batch1)} and {len(batch2)}")
    check_batches(batch1, batch2)
    check_expands(input.shape, (batch1.shape[1], batch2.shape[2]))
    same_scalar(input, batch1)
    no_bool(batch1.dtype, "addbmm")
    b, n, k = batch1.shape
    out = product(batch1.transpose(1, 0, 2).reshape(n, b * k), batch2.reshape(b * k, batch2.shape[2]))
    return _added(out, input, beta, alpha)


@primitive(
    input=_add_rule,
    batch1=lambda g, batch2, alpha: _times(gemm(g, batch2, False, True), alpha),
    batch2=lambda g, batch1, alpha: _times(gemm(batch1, g, True, False), alpha),
    numbers=("beta", "alpha"),
    doors="torch Tensor Tensor_",
)
def baddbmm(input: Array, batch1: Array, batch2: Array, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return ``beta * input + alpha * bmm(batch1, batch2)``; ``input`` broadcasts to (b, n, m).

    https://pytorch.org/docs/stable/generated/torch.baddbmm.html
    """
    if batch1.ndim == batch2.ndim == 3:
        check_expands(input.shape, (len(batch1), batch1.shape[1], batch2.shape[2]))
    check_batches(batch1, batch2)
    same_scalar(input, batch1)
    no_bool(batch1.dtype, "baddbmm")
    return _added(product(batch1, batch2), input, beta, alpha)


# ------------------------------------------------------------------ outer products


def _into(name: str, result: Any, out: Any) -> Any:
    return result if out is None else write_out(name, result, out)


def _vectors(name: str, **given: Any) -> None:
    for which, x in given.items():
        if x.ndim != 1:
            raise RuntimeError(f"{name}: Expected 1-D argument {which}, but got {x.ndim}-D")


@doors("torch Tensor")
def outer(input: Any, vec2: Any, *, out: Any = None) -> Any:
    """Return the products (n, m) of the elements of two vectors, in their common dtype.

    >>> import rushlight as torch
    >>> torch.outer(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])

    https://pytorch.org/docs/stable/generated/torch.outer.html
    """
    _vectors("outer", self=array_of(input, "outer"), vec2=array_of(vec2, "outer", "vec2", 2))
    return _into("outer", input[:, None] * vec2, out)


@doors("torch Tensor")
def ger(input: Any, vec2: Any, *, out: Any = None) -> Any:
    """Return :func:`outer`, under its older name.

    https://pytorch.org/docs/stable/generated/torch.ger.html
    """
    return outer(input, vec2, out=out)


@doors("torch Tensor")
def kron(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return the Kronecker product: ``other`` times each element of ``input``, side by side.

    Fewer dims are filled up with ones in front.

    >>> import rushlight as torch
    >>> torch.kron(torch.tensor([1, 10]), torch.tensor([[1, 2]]))
    tensor([[ 1,  2, 10, 20]])

    https://pytorch.org/docs/stable/generated/torch.kron.html
    """
    a, b = array_of(input, "kron").shape, array_of(other, "kron", "other", 2).shape
    ndim = max(len(a), len(b))
    a, b = (1,) * (ndim - len(a)) + a, (1,) * (ndim - len(b)) + b
    left = reshape(input, [n for size in a for n in (size, 1)])
    right = reshape(other, [n for size in b for n in (1, size)])
    sizes = [n * m for n, m in zip(a, b, strict=True)]
    return _into("kron", reshape(left * right, sizes), out)


# ------------------------------------------------------------------ products over chosen dims


@doors("torch Tensor")
def inner(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return the sums of products over the last dim of both; with a number, the plain product.

    https://pytorch.org/docs/stable/generated/torch.inner.html
    """
    a, b = array_of(input, "inner"), array_of(other, "inner", "other", 2)
    if not a.ndim or not b.ndim:
        return _into("inner", input * other, out)
    if a.dtype != b.dtype:
        raise RuntimeError("both inputs should have same dtype")
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(a.shape)} and {list(b.shape)}"
        )
    if a.ndim == b.ndim == 1:
        return _into("inner", dot(input, other), out)
    return tensordot(input, other, ([-1], [-1]), out=out)


@doors("torch")
def tensordot(a: Any, b: Any, dims: Any = 2, out: Any = None) -> Any:
    """Return the product of ``a`` and ``b`` summed over pairs of dims.

    ``dims``: how many of the last dims of ``a`` and the first of ``b``, or a list of dims for each of them.

    https://pytorch.org/docs/stable/generated/torch.tensordot.html
    """
    x, y = array_of(a, "tensordot", "a"), array_of(b, "tensordot", "b", 2)
    ours, theirs = _paired(x, y, dims)
    if x.dtype != y.dtype:
        raise RuntimeError("both inputs should have same dtype")
    left, right = list(range(x.ndim)), list(range(100, 100 + y.ndim))
    for i, j in zip(ours, theirs, strict=True):
        n, m = x.shape[i], y.shape[j]
        if n != m and 1 not in (n, m):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {n} in dim {i} and second has size {m} in "
                f"dim {j}"
            )
        right[j] = left[i]
    a = _narrowed(a, ours, x.shape, [y.shape[j] for j in theirs])
    b = _narrowed(b, theirs, y.shape, [x.shape[i] for i in ours])
    no_bool(x.dtype, "addmm_impl_cpu_")
    wanted = [one for one in left if one not in right] + [one for one in right if one not in left]
    return _into("tensordot", contract(a, b, tuple(left), tuple(right), tuple(wanted)), out)


def _narrowed(x: Any, dims: Sequence[int], shape: tuple[int, ...], others: list[int]) -> Any:
    """Return ``x`` summed over those of ``dims`` whose partner has size 1 and is broadcast."""
    wide = [d for d, n in zip(dims, others, strict=True) if n == 1 and shape[d] != 1]
    return sum_to(x, tuple([1 if d in wide else n for d, n in enumerate(shape)])) if wide else x


def _paired(x: Any, y: Any, dims: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the dims of ``x`` and of ``y`` that are summed."""
    if isinstance(dims, str) or not isinstance(dims, Sequence | int | np.integer | np.ndarray | Variable):
        raise RuntimeError(f"tensordot expects dims to be an int or two lists of ints, but got dims={dims!r}")
    if isinstance(dims, Sequence):
        first, second = dims
        if isinstance(first, int) or isinstance(second, int):
            raise TypeError(f"tensordot(): argument 'dims' must be an int or two lists of ints, not {dims!r}")
        ours, theirs = ints(first, "tensordot", "dims"), ints(second, "tensordot", "dims")
        if len(ours) != len(theirs):
            raise RuntimeError("both dimension lists should have same length")
        return norm_dims(ours, x.ndim) if ours else (), norm_dims(theirs, y.ndim) if theirs else ()
    count = dims if isinstance(dims, int) else int(array_of(dims, "tensordot", "dims").item())
    if count < 0:
        raise RuntimeError(f"tensordot expects dims >= 0, but got dims={count}")
    if count > min(x.ndim, y.ndim):
        raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={count}")
    return tuple(range(x.ndim - count, x.ndim)), tuple(range(count))


@primitive(g=lambda g: trace(g))
def on_diagonal(g: Array, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with the number ``g`` along the diagonal; the adjoint of ``trace``."""
    out = np.zeros(shape, g.dtype)
    np.fill_diagonal(out, g)
    return out


@primitive(input=lambda g, input_shape: on_diagonal(g, input_shape), doors="torch Tensor")
def trace(input: Array) -> Any:
    """Return the sum of the diagonal of a matrix.

    https://pytorch.org/docs/stable/generated/torch.trace.html
    """
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    no_bool(input.dtype, "trace")
    wide = {"e": np.float32, "f": np.float32, "d": np.float64}.get(input.dtype.char, np.int64)
    total = np.add.reduce(input.diagonal(), dtype=wide)
    return total if input.dtype.kind != "f" else total.astype(input.dtype)


@doors("linalg")
def multi_dot(tensors: Any, *, out: Any = None) -> Any:
    """Return the product of two or more matrices, in the order that costs least; vectors may stand at the ends.

    The order comes from the dynamic programme of Cormen et al., Introduction to Algorithms, chapter 15.2.

    https://pytorch.org/docs/stable/generated/torch.linalg.multi_dot.html
    """
    arrays = [array_of(x, "multi_dot", "tensors") for x in tensors]
    if len(arrays) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(arrays)}")
    ends = arrays[0].ndim == 1, arrays[-1].ndim == 1
    for n, x in enumerate(arrays):
        if x.ndim != 2 and not (n in (0, len(arrays) - 1) and x.ndim == 1):
            raise RuntimeError(f"multi_dot(): tensor {n} must be 2D but got {x.ndim}D")
    chain = list(tensors)
    if ends[0]:
        chain[0] = chain[0][None]
    if ends[1]:
        chain[-1] = chain[-1][:, None]
    result = _chained(chain)
    if ends[0]:
        result = result[0]
    if ends[1]:
        result = result[..., 0]
    return _into("multi_dot", result, out)


def _chained(chain: list[Any]) -> Any:
    """Return the product of matrices, associated so that the fewest numbers are multiplied."""
    sizes = [chain[0].shape[0], *(x.shape[1] for x in chain)]
    count = len(chain)
    cost, cut = np.zeros((count, count)), np.zeros((count, count), int)
    for span in range(1, count):
        for i in range(count - span):
            j = i + span
            ways = [cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)]
            best = int(np.argmin(ways))
            cost[i, j], cut[i, j] = ways[best], i + best

    def between(i: int, j: int) -> Any:
        return chain[i] if i == j else mm(between(i, int(cut[i, j])), between(int(cut[i, j]) + 1, j))

    return between(0, count - 1)


@doors("torch")
def chain_matmul(*matrices: Any, out: Any = None) -> Any:
    """Return the product of matrices; deprecated in PyTorch, as it warns, in favour of ``torch.linalg.multi_dot``.

    https://pytorch.org/docs/stable/generated/torch.chain_matmul.html
    """
    warnings.warn(
        "torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot "
        "instead, which accepts a list of two or more tensors rather than multiple parameters.",
        UserWarning,
        stacklevel=2,
    )
    if len(matrices) == 1:
        return matrices[0]
    return multi_dot(matrices, out=out)

"""Matrix products. All of them, and all their gradients, come down to :func:`product`.

Matrices go to BLAS as they lie: transposed ones are views, never copies, and a matrix product of many dims with a
single matrix is one large product. float16 is computed in float32.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ....arrays.dtypes import Array, dtype_of
from ....autograd.arguments import array_of
from ....autograd.broadcast import expand_to
from ....autograd.primitive import primitive
from ....autograd.variable import Variable
from ...doors import doors

_FAST = (np.dtype(np.float32), np.dtype(np.float64))
_C_NAMES = {
    "float16": "c10::Half", "float32": "float", "float64": "double", "int8": "signed char", "int16": "short",
    "int32": "int", "int64": "long", "uint8": "unsigned char", "bool": "bool",
}  # fmt: skip

# ------------------------------------------------------------------ on arrays


def product(a: Any, b: Any) -> Any:
    """Return ``a @ b`` for arrays with dims; the result is new memory."""
    if a.dtype not in _FAST or b.dtype not in _FAST:
        if a.dtype.kind == b.dtype.kind == "f":
            wide = np.promote_types(np.promote_types(a.dtype, b.dtype), np.float32)
            narrow = np.promote_types(a.dtype, b.dtype)
            return product(a.astype(wide), b.astype(wide)).astype(narrow)
        return np.matmul(a, b)
    if b.ndim <= 2:
        if a.ndim <= 2:
            return a.dot(b)
        k = a.shape[-1]
        return a.reshape(prod(a.shape[:-1]), k).dot(b).reshape(*a.shape[:-1], *b.shape[1:])
    return np.matmul(_blas(a), _blas(b))


def _blas(a: Array) -> Array:
    """Return ``a``, copied if its matrices repeat elements, for which NumPy has only a slow loop."""
    if 0 in a.strides[-2:] and a.size > 1:
        return np.ascontiguousarray(a)
    return a


def folded(x: Array) -> Array:
    """Return ``x`` as a matrix: all dims but the last made one."""
    return x if x.ndim == 2 else x.reshape(prod(x.shape[:-1]), x.shape[-1])


def no_bool(kind: np.dtype[Any], name: str) -> None:
    """Raise NotImplementedError for bool, which PyTorch cannot multiply as matrices."""
    if kind.kind == "b":
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'")


def same_kind(a: Any, b: Any, which: str = "") -> None:
    """Raise RuntimeError if the dtypes differ; ``which`` says what the two are called."""
    if a.dtype == b.dtype:
        return
    if not which:
        names = (_C_NAMES[x.dtype.name] for x in (a, b))
        raise RuntimeError("expected m1 and m2 to have the same dtype, but got: {} != {}".format(*names))
    names = (dtype_of(x.dtype).legacy for x in (a, b))
    raise RuntimeError(which + " must have the same dtype, but got {} and {}".format(*names))


def check_shapes(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    """Raise RuntimeError if matrices of these shapes, the first folded, cannot be multiplied."""
    if a[-1] != b[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({prod(a[:-1])}x{a[-1]} and {'x'.join(map(str, b))})"
        )


def check_expands(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Raise RuntimeError if an array of ``shape`` cannot be broadcast to ``wanted``."""
    if len(shape) > len(wanted):
        raise RuntimeError(
            f"expand(size={list(wanted)}): the number of sizes provided ({len(wanted)}) must be greater or equal to "
            f"the number of dimensions in the tensor ({len(shape)})"
        )
    for back in range(1, len(shape) + 1):
        if shape[-back] not in (1, wanted[-back]):
            raise RuntimeError(
                f"The expanded size of the tensor ({wanted[-back]}) must match the existing size ({shape[-back]}) at "
                f"non-singleton dimension {len(wanted) - back}.  Target sizes: {list(wanted)}.  Tensor sizes: "
                f"{list(shape)}"
            )


def check_batches(a: Any, b: Any) -> None:
    """Raise RuntimeError unless ``a`` and ``b`` are batches of as many matrices that can be multiplied."""
    for x, which in ((a, "batch1"), (b, "batch2")):
        if x.ndim != 3:
            raise RuntimeError(f"{which} must be a 3D tensor")
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a.shape[0]}, {a.shape[2]}] but got: "
            f"[{b.shape[0]}, {b.shape[1]}]."
        )
    same_scalar(a, b)


def same_scalar(a: Any, b: Any) -> None:
    """Raise RuntimeError if the dtypes differ, in the words of a batched product."""
    if a.dtype != b.dtype:
        names = (dtype_of(x.dtype).legacy for x in (a, b))
        raise RuntimeError("expected scalar type {} but found {}".format(*names))


# ------------------------------------------------------------------ what the gradients are made of: a closed circle


def _right(g: Any, input: Any, ta: bool, tb: bool, other_shape: tuple[int, ...]) -> Any:
    if not ta and len(other_shape) == 2:
        return fold_gemm(g, input) if tb else fold_gemm(input, g)
    return gemm(g, input, True, ta) if tb else gemm(input, g, not ta, False)


@primitive(
    input=lambda g, other, ta, tb: gemm(other, g, tb, True) if ta else gemm(g, other, False, not tb),
    other=_right,
    grad_fn_name="MmBackward0",
)
def gemm(input: Array, other: Array, ta: bool, tb: bool) -> Any:
    """Return the product of matrices, each as it is or transposed: its gradients are such products again."""
    if input.ndim == other.ndim == 2:
        return product(input.T if ta else input, other.T if tb else other)
    return product(input.swapaxes(-1, -2) if ta else input, other.swapaxes(-1, -2) if tb else other)


@primitive(
    input=lambda g, other: gemm(other, g, False, True),
    other=lambda g, input: gemm(input, g, False, False),
    grad_fn_name="MmBackward0",
)
def fold_gemm(input: Array, other: Array) -> Any:
    """Return ``input.T @ other``, where all dims but the last were made one: the gradient of a weight."""
    return product(folded(input).T, folded(other))


@primitive(input=lambda g, vec2: mv(g, vec2), vec2=lambda g, input: _vm(input, g), grad_fn_name="MulBackward0")
def _cross(input: Array, vec2: Array) -> Any:
    """Return the outer product of two vectors."""
    return input[:, None] * vec2


@primitive(
    input=lambda g, other: mv(other, g), other=lambda g, input: _cross(input, g), grad_fn_name="SqueezeBackward4"
)
def _vm(input: Array, other: Array) -> Any:
    """Return the product of a vector and a matrix."""
    return product(input, other)


@primitive(input=lambda g, input_shape: expand_to(g, shape=input_shape), grad_fn_name="SumBackward1")
def column_sum(input: Array) -> Any:
    """Return the sum over all dims but the last: the gradient of a bias."""
    return np.add.reduce(folded(input), 0)


# ------------------------------------------------------------------ products of one kind


@primitive(
    input=lambda g, mat2: gemm(g, mat2, False, True),
    mat2=lambda g, input: gemm(input, g, True, False),
    doors="torch Tensor",
)
def mm(input: Array, mat2: Array) -> Any:
    """Return the product (n, m) of the matrices ``input`` (n, k) and ``mat2`` (k, m), both of one dtype.

    >>> import rushlight as torch
    >>> torch.mm(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]]))
    tensor([[11.]])

    https://pytorch.org/docs/stable/generated/torch.mm.html
    """
    a, b = input, mat2
    if a.dtype is b.dtype and a.dtype in _FAST and a.ndim == b.ndim == 2 and a.shape[1] == b.shape[0]:
        return a.dot(b)
    if a.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if b.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    check_shapes(a.shape, b.shape)
    same_kind(a, b)
    no_bool(a.dtype, "addmm_impl_cpu_")
    return product(a, b)


@primitive(input=lambda g, vec: _cross(g, vec), vec=lambda g, input: _vm(g, input), doors="torch Tensor")
def mv(input: Array, vec: Array) -> Any:
    """Return the product (n,) of the matrix ``input`` (n, m) and the vector ``vec`` (m,).

    https://pytorch.org/docs/stable/generated/torch.mv.html
    """
    check_mv(input, vec)
    return product(input, vec)


def check_mv(mat: Any, vec: Any, lead: tuple[int, ...] | None = None) -> None:
    """Raise RuntimeError unless a matrix and a vector can be multiplied; ``lead``: the shape of what is added."""
    if mat.ndim != 2 or vec.ndim != 1 or (lead is not None and len(lead) > 1):
        count = 1 if lead is None else len(lead)
        raise RuntimeError(f"vector + matrix @ vector expected, got {count}, {mat.ndim}, {vec.ndim}")
    rows = mat.shape[0] if lead is None or lead in ((), (1,)) else lead[0]
    if mat.shape[1] != vec.shape[0] or rows != mat.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({rows}), mat ({mat.shape[0]}x{mat.shape[1]}), vec ({vec.shape[0]})"
        )
    if mat.dtype != vec.dtype:
        one, two = dtype_of(vec.dtype).legacy, dtype_of(mat.dtype).legacy
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {one}, {two}, and {one}")
    no_bool(mat.dtype, "addmv_impl_cpu")


def _dot(a: Any, b: Any) -> Any:
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype != b.dtype:
        names = (dtype_of(x.dtype).legacy for x in (a, b))
        raise RuntimeError("dot : expected both vectors to have same dtype, but found {} and {}".format(*names))
    if a.shape != b.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{len(a)}] and src [{len(b)}] to have the same number of "
            f"elements, but got {len(a)} and {len(b)} elements respectively"
        )
    no_bool(a.dtype, "dot")
    return product(a, b)


@primitive(input=lambda g, tensor: g * tensor, tensor=lambda g, input: g * input, doors="torch Tensor")
def dot(input: Array, tensor: Array) -> Any:
    """Return the sum of the products of two vectors of the same length and dtype.

    >>> import rushlight as torch
    >>> torch.dot(torch.tensor([2, 3]), torch.tensor([2, 1]))
    tensor(7)

    https://pytorch.org/docs/stable/generated/torch.dot.html
    """
    return _dot(input, tensor)


@primitive(input=lambda g, other: g * other, other=lambda g, input: g * input, doors="torch Tensor")
def vdot(input: Array, other: Array) -> Any:
    """Return :func:`dot`, from which it differs only for complex numbers.

    https://pytorch.org/docs/stable/generated/torch.vdot.html
    """
    return _dot(input, other)


@primitive(
    input=lambda g, mat2: gemm(g, mat2, False, True),
    mat2=lambda g, input: gemm(input, g, True, False),
    doors="torch Tensor",
)
def bmm(input: Array, mat2: Array) -> Any:
    """Return the products (b, n, m) of the matrices of two batches, (b, n, k) and (b, k, m).

    https://pytorch.org/docs/stable/generated/torch.bmm.html
    """
    check_batches(input, mat2)
    no_bool(input.dtype, "bmm")
    return product(input, mat2)


# ------------------------------------------------------------------ matmul


def _matmul_left(g: Any, input_shape: tuple[int, ...], other: Any) -> Any:
    if other.ndim == 1:
        g, other = g[..., None], other[:, None]
    if len(input_shape) == 1:
        g = g[..., None, :]
    return gemm(g, other, False, True)  # the engine sums what was broadcast, also for a vector


def _matmul_right(g: Any, input: Any, other_shape: tuple[int, ...]) -> Any:
    if len(other_shape) == 1:
        return fold_gemm(input, g[..., None])[:, 0]
    if len(other_shape) == 2:
        return fold_gemm(input, g)
    if input.ndim == 1:
        input, g = input[None], g[..., None, :]
    return gemm(input, g, True, False)


@primitive(input=_matmul_left, other=_matmul_right, grad_fn_name="UnsafeViewBackward0")
def _matmul(input: Array, other: Array) -> Any:
    """Return ``input @ other`` where at least one has more than two dims; batches broadcast."""
    a, b = input, other
    if b.ndim == 1:
        if a.shape[-1] != len(b):
            raise RuntimeError(
                f"size mismatch, got input ({prod(a.shape[:-1])}), mat ({prod(a.shape[:-1])}x{a.shape[-1]}), "
                f"vec ({len(b)})"
            )
    elif b.ndim == 2 or a.ndim <= 2:
        if a.shape[-1] != b.shape[-2]:
            shapes = f"{prod(a.shape[:-1])}x{a.shape[-1]} and {b.shape[-2]}x{b.shape[-1]}"
            raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({shapes})")
    else:
        _check_broadcast(a, b)
    same_scalar(a, b) if min(a.ndim, b.ndim) > 2 else same_kind(a, b)
    no_bool(a.dtype, "bmm" if min(a.ndim, b.ndim) > 2 else "addmm_impl_cpu_")
    return product(a, b)


def _check_broadcast(a: Array, b: Array) -> None:
    lead = min(a.ndim, b.ndim) - 2
    for place in range(-3, -3 - lead, -1):
        n, m = a.shape[place], b.shape[place]
        if n != m and 1 not in (n, m):
            raise RuntimeError(
                f"The size of tensor a ({n}) must match the size of tensor b ({m}) at non-singleton dimension "
                f"{max(a.ndim, b.ndim) + place}"
            )
    if a.shape[-1] != b.shape[-2]:
        batch = prod(np.broadcast_shapes(a.shape[:-2], b.shape[:-2]))
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{batch}, {a.shape[-1]}] but got: "
            f"[{batch}, {b.shape[-2]}]."
        )


_BY_DIMS: dict[tuple[int, int], Any] = {(2, 2): mm, (2, 1): mv, (1, 1): dot, (1, 2): _vm}


@doors("torch Tensor linalg")
def matmul(input: Any, other: Any, *, out: Any = None) -> Any:
    """Return the matrix product; a vector counts as one row on the left and as one column on the right.

    With more than two dims the last two are the matrices and the others broadcast. Raises RuntimeError, as PyTorch
    does, for shapes that do not fit and for different dtypes.

    >>> import rushlight as torch
    >>> torch.matmul(torch.tensor([[1.0, 2.0]]), torch.tensor([3.0, 4.0]))
    tensor([11.])

    https://pytorch.org/docs/stable/generated/torch.matmul.html
    """
    a = input.array if isinstance(input, Variable) else array_of(input, "matmul")
    b = other.array if isinstance(other, Variable) else array_of(other, "matmul", "other", 2)
    dims = a.ndim, b.ndim
    if 0 in dims:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {dims[0]}D and {dims[1]}D")
    if dims == (1, 2):
        check_shapes((1, *a.shape), b.shape)
        same_kind(a, b)
        no_bool(a.dtype, "addmm_impl_cpu_")
    function = _BY_DIMS.get(dims, _matmul)
    return function(input, other) if out is None else function(input, other, out=out)


def operator_matmul(self: Any, other: Any) -> Any:
    """Return ``self @ other``."""
    return matmul(self, other) if isinstance(other, Variable | np.ndarray) else NotImplemented


def operator_rmatmul(self: Any, other: Any) -> Any:
    """Return ``other @ self``."""
    return matmul(other, self) if isinstance(other, Variable | np.ndarray) else NotImplemented

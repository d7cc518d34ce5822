"""What torch.func and vmap refuse: the same type of error as PyTorch, with the words that say why."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import torch

import rushlight
from rushlight.autograd import recording
from support.oracle import builtin

pytestmark = pytest.mark.filterwarnings(
    "ignore:`torch.jit.script` is deprecated", "ignore::DeprecationWarning:torch", "ignore:Attempted to insert"
)

GRADLIKE = ["F.grad", "F.grad_and_value", "F.jacrev", "F.jacfwd", "F.hessian"]

LINES: dict[str, str] = {}
for _g in GRADLIKE:
    LINES |= {
        f"{_g}(lambda a, b: (a * b).sum(), argnums=(0, 0))(x, y)": "argnums elements must be unique",
        f"{_g}(lambda a, b: (a * b).sum(), argnums=(0, -2))(x, y)": "argnums elements must be unique",
        f"{_g}(lambda a, b: (a * b).sum(), argnums=())(x, y)": "argnums must be non-empty",
        f"{_g}(lambda a, b: (a * b).sum(), argnums=2)(x, y)": "Got argnum=2, but only 2 positional inputs",
        f"{_g}(lambda a, b: (a * b).sum(), argnums=(0, -3))(x, y)": "Got argnum=-3, but only 2 positional inputs",
        f"{_g}(lambda a, b: (a * b).sum(), argnums='a')(x, y)": "argnums must be int or Tuple",
        f"{_g}(lambda a, b: (a * b).sum(), argnums=[0])(x, y)": "argnums must be int or Tuple",
        f"{_g}(lambda a, b: (a * b).sum(), argnums=1.0)(x, y)": "argnums must be int or Tuple",
        f"{_g}(lambda a, b: (a * b).sum(), argnums=(0, 'a'))(x, y)": "argnum must be int",
        f"{_g}(lambda a: a.sum())()": "Got argnum=0, but only 0 positional inputs",
    }
LINES |= {
    "F.grad(lambda a: a.sum())(3.0)": "must be Tensor",
    "F.grad(lambda a: a[0].sum())((x, 3.0))": "must be Tensor",
    "F.grad(lambda a: None)(x)": "to return a Tensor",
    "F.grad(lambda a: 3)(x)": "to return a Tensor",
    "F.grad(lambda a: (a.sum(),))(x)": "to return a Tensor",
    "F.grad(lambda a: a)(x)": "to return a scalar",
    "F.grad(lambda a: a.sum(), has_aux=True)(x)": "should be a tuple: (output, aux)",
    "F.grad(lambda a: [a.sum(), a], has_aux=True)(x)": "should be a tuple: (output, aux)",
    "F.grad(lambda a: (a.sum(), a, a), has_aux=True)(x)": "should be a tuple: (output, aux)",
    "F.grad(lambda a: (a.sum(), 3), has_aux=True)(x)": "Expected tensors, got unsupported type",
    "F.grad(lambda a: (a.sum(), None), has_aux=True)(x)": "Expected tensors, got unsupported type",
    "F.grad_and_value(lambda a: (a.sum(), 'a'), has_aux=True)(x)": "Expected tensors, got unsupported type",
    "F.grad(lambda a: a.sum())(i)": "floating point",
    "F.vjp(lambda a: a, 3)": "must be Tensor",
    "F.vjp(lambda a: None, x)": "non-empty output",
    "F.vjp(lambda a: (), x)": "non-empty output",
    "F.vjp(lambda a: 3, x)": "to return only tensors",
    "F.vjp(lambda a: (a, 3), x)": "to return only tensors",
    "F.vjp(lambda a: a > 0, x)": "must be floating-point",
    "F.vjp(lambda a: a.long(), x)": "must be floating-point",
    "F.vjp(lambda a: a, x, has_aux=True)": "should be a tuple: (output, aux)",
    "F.vjp(lambda a: (a, 3), x, has_aux=True)": "Expected tensors, got unsupported type",
    "F.vjp(lambda a: (a, a), x)[1](y)": "pytree structure of cotangents",
    "F.vjp(lambda a: (a, a), x)[1]([y, y])": "pytree structure of cotangents",
    "F.vjp(lambda a: a, x)[1]((y,))": "pytree structure of cotangents",
    "F.vjp(lambda a: a, x)[1](y[:2])": "shape",
    "F.jvp(lambda a: a, x, y)": "Expected primals to be a tuple",
    "F.jvp(lambda a: a, [x], [y])": "Expected primals to be a tuple",
    "F.jvp(lambda a: a, (x,), y)": "same python structure",
    "F.jvp(lambda a: a, (x,), [y])": "same python structure",
    "F.jvp(lambda a: a, (x,), (y, y))": "same python structure",
    "F.jvp(lambda: x, (), ())": "to contain at least one Tensor",
    "F.jvp(lambda a: x, (3,), (y,))": "to only contain Tensors",
    "F.jvp(lambda a: x, (x,), (3,))": "to only contain Tensors",
    "F.jvp(lambda a: a, (x,), (y[:2],))": "different size than that of the original Tensor",
    "F.jvp(lambda a: a, (i,), (y,))": "Expected primal to be floating point",
    "F.jvp(lambda a: a, (x,), (i,))": "Expected tangent to be floating point",
    "F.jvp(lambda a: None, (x,), (y,))": "non-empty output",
    "F.jvp(lambda a: (), (x,), (y,))": "non-empty output",
    "F.jvp(lambda a: 3, (x,), (y,))": "only tensors, got unsupported type",
    "F.jvp(lambda a: (a, 'b'), (x,), (y,))": "only tensors, got unsupported type",
    "F.jvp(lambda a: y * 2, (x,), (y,), strict=True)": "The output of f is independent of the inputs",
    "F.jvp(lambda a: (a, y), (x,), (y,), strict=True)": "The output of f is independent of the inputs",
    "F.jvp(lambda a: a, (x,), (y,), has_aux=True)": "should be a tuple: (output, aux)",
    "F.jvp(lambda a: (a, 3), (x,), (y,), has_aux=True)": "Expected tensors, got unsupported type",
    "F.jacrev(lambda a: a, chunk_size=0)": "`chunk_size` should be greater than 0",
    "F.jacrev(lambda a: a, chunk_size=-1)": "`chunk_size` should be greater than 0",
    "F.jacrev(lambda a: 3)(x)": "to return only tensors",
    "F.jacrev(lambda a: None)(x)": "non-empty output",
    "F.jacrev(lambda a: a > 0)(x)": "must be floating-point",
    "F.jacrev(lambda a: (a, 3), has_aux=True)(x)": "Expected tensors, got unsupported type",
    "F.jacrev(lambda a, k: a * k)(x, k=2)": "k",
    "F.jacfwd(lambda a, k: a * k)(x, k=2)": "k",
    "F.jacfwd(lambda a: 3)(x)": "only tensors, got unsupported type",
    "F.jacfwd(lambda a: None)(x)": "non-empty output",
    "F.jacfwd(lambda a: (a, 3), has_aux=True)(x)": "Expected tensors, got unsupported type",
    "F.jacfwd(lambda a: a)(i)": "",
    "F.linearize(lambda a: a * a, x)[1](x, x)": "to have the same argspec as the primals",
    "F.linearize(lambda a: a * a, x)[1]((x,))": "to have the same argspec as the primals",
    "F.linearize(lambda a: a * a, x)[1](x[:2])": "doesn't match the shape",
    "F.linearize(lambda a: a * a, x)[1](x.float())": "doesn't match the dtype",
    "F.grad(lambda a: a.requires_grad_().sum())(x)": "Tensor.requires_grad_()",
    "F.grad(lambda a: (y.requires_grad_() * a).sum())(x)": "Tensor.requires_grad_()",
    "F.grad(lambda a: (T.ones(3).requires_grad_(False) * a).sum())(x)": "Tensor.requires_grad_()",
    "F.jvp(lambda a: a.requires_grad_() * 2, (x,), (y,))": "Tensor.requires_grad_()",
    "T.vmap(lambda a: T.ones(3).requires_grad_() * a)(x)": "Tensor.requires_grad_()",
    "F.grad(lambda a: (a.sum().backward(), a.sum())[1])(x)": "backward() called inside a functorch transform",
    "F.grad(lambda a: (a.mul_(2)).sum())(x)": "a leaf Variable that requires grad",
    "F.grad(lambda a: (y.mul_(a)).sum())(x)": "mutate a captured Tensor",
    "F.grad(lambda a: (y.mul_(2) * a).sum())(x)": "mutate a captured Tensor",
    "F.grad(lambda a: (y[:1].mul_(a[:1])).sum())(x)": "mutate a captured Tensor",
    "F.grad(lambda a: y.copy_(a).sum())(x)": "mutate a captured Tensor",
    "F.vjp(lambda a: y.mul_(a), x)": "mutate a captured Tensor",
    "F.jvp(lambda a: y.mul_(a), (x,), (y,))": "mutate a captured Tensor",
    "F.jacrev(lambda a: y.mul_(a))(x)": "mutate a captured Tensor",
    "T.vmap(lambda a: a, in_dims='a')(x)": "expected `in_dims` to be int or a",
    "T.vmap(lambda a: a, in_dims=[0])(x)": "expected `in_dims` to be int or a",
    "T.vmap(lambda a: a, in_dims=(0, 0))(x)": "in_dims is not compatible with the structure of `inputs`",
    "T.vmap(lambda a: a[0], in_dims=([0, 0],))([x])": "in_dims is not compatible with the structure of `inputs`",
    "T.vmap(lambda a: a, in_dims=({'a': 0},))(x)": "in_dims is not compatible with the structure of `inputs`",
    "T.vmap(lambda a: a, in_dims=('a',))(x)": "Got in_dim=a for an input but in_dim must be either",
    "T.vmap(lambda a: a, in_dims=(0.5,))(x)": "Got in_dim=0.5 for an input but in_dim must be either",
    "T.vmap(lambda a: a)(3)": "but the input is of type",
    "T.vmap(lambda a: a)((x, 'a'))": "but the input is of type",
    "T.vmap(lambda a: a, in_dims=1)(x)": "but that input is a Tensor of dimensionality 1",
    "T.vmap(lambda a: a, in_dims=-2)(x)": "but that input is a Tensor of dimensionality 1",
    "T.vmap(lambda a: a)(x.sum())": "but that input is a Tensor of dimensionality 0",
    "T.vmap(lambda a: a, in_dims=None)(x)": "expected `in_dims` to be int or a",
    "T.vmap(lambda a, b: a)(x, y[:2])": "Expected all tensors to have the same size in the mapped dimension",
    "T.vmap(lambda: x)()": "got no inputs",
    "T.vmap(lambda a: None)(x)": "must only return Tensors",
    "T.vmap(lambda a: 3)(x)": "must only return Tensors",
    "T.vmap(lambda a: (a, 'b'))(x)": "must only return Tensors",
    "T.vmap(lambda a: a, out_dims='a')(x)": "`out_dims` must be an int, None or a python collection",
    "T.vmap(lambda a: a, out_dims=0.5)(x)": "`out_dims` must be an int, None or a python collection",
    "T.vmap(lambda a: a, out_dims=(0, 0))(x)": "out_dims is not compatible with the structure of `outputs`",
    "T.vmap(lambda a: (a, a), out_dims=(0,))(x)": "out_dims is not compatible with the structure of `outputs`",
    "T.vmap(lambda a: a, out_dims=None)(x)": "can not return a BatchedTensor when out_dim is None",
    "T.vmap(lambda a: a, out_dims=1)(x)": "",
    "T.vmap(lambda a: a, out_dims=-2)(x)": "",
    "T.vmap(lambda a: a, chunk_size=0)(x)": "chunk_size should be None or greater than 0",
    "T.vmap(lambda a: a, chunk_size=-1)(x)": "chunk_size should be None or greater than 0",
    "T.vmap(lambda a: a, randomness='a')(x)": "Only allowed values for randomness",
    "T.vmap(T.rand_like)(x)": "randomness error mode",
}


def names(T: Any) -> dict[str, Any]:
    x, y = (T.tensor(values, dtype=T.float64) for values in ([1.0, 2.0, 3.0], [0.5, -1.0, 2.0]))
    return {"T": T, "F": T.func, "x": x, "y": y, "i": T.tensor([1, 2, 3])}


@pytest.mark.parametrize("line", LINES)
def test_what_is_refused(line: str) -> None:
    with pytest.raises(Exception) as theirs:  # noqa: PT011 - which one, PyTorch says
        eval(line, names(torch))
    with pytest.raises(builtin(theirs.value)) as ours:
        eval(line, names(rushlight))
    assert LINES[line] in str(theirs.value).replace("\n", " "), f"PyTorch says {theirs.value}"
    assert LINES[line] in str(ours.value), f"PyTorch says {theirs.value}, rushlight {ours.value}"


TRANSFORMS = [
    "F.grad(lambda a: (a * a * w).sum())(x)",
    "F.grad_and_value(lambda a: ((a * a).sum(), a * w), has_aux=True)(x)",
    "F.vjp(lambda a: (a.sin(), a * w), x)[0]",
    "F.vjp(lambda a: a.sin() * w, x)[1](x)",
    "F.jvp(lambda a: a.sin() * w, (x,), (x,))",
    "F.jvp(lambda a: (a.sin() * w, a + 1), (x,), (w,), has_aux=True)",
    "F.jacrev(lambda a: a.sin() * w)(x)",
    "F.jacfwd(lambda a: a.sin() * w)(x)",
    "F.hessian(lambda a: (a ** 3 * w).sum())(x)",
    "F.jvp(F.grad(lambda a: (a ** 3 * w).sum()), (x,), (x,))",
    "F.grad(lambda a: F.jvp(lambda b: b ** 3 * w, (a,), (a,))[1].sum())(x)",
    "F.linearize(lambda a: a.sin() * w, x)[0]",
    "F.linearize(lambda a: a.sin() * w, x)[1](x)",
    "T.vmap(lambda a: a * a)(x) * w",
]


@pytest.mark.parametrize("line", TRANSFORMS)
@pytest.mark.parametrize("asking", ["", "x", "w", "xw"])
@pytest.mark.parametrize("enabled", [True, False])
def test_no_graph_leaks_out(line: str, asking: str, enabled: bool) -> None:
    """Results require grad exactly where PyTorch's do: where they depend on a tensor outside that requires grad."""

    def code(T: Any) -> list[bool]:
        x = T.tensor([1.0, 2.0, 3.0], requires_grad="x" in asking)
        w = T.tensor([0.5, -1.0, 2.0], requires_grad="w" in asking)
        with T.set_grad_enabled(enabled):
            return [t.requires_grad for t in flat(eval(line, {"T": T, "F": T.func, "x": x, "w": w}))]

    assert code(rushlight) == code(torch)


def flat(value: Any) -> list[Any]:
    return [one for item in value for one in flat(item)] if isinstance(value, tuple) else [value]


def test_nothing_is_left_on() -> None:
    """After a transform, one that failed too, steps are recorded as before and nobody looks on."""
    T = rushlight
    x = T.ones(2, requires_grad=True)
    for line in [*TRANSFORMS, *LINES]:
        with suppress(Exception):  # whatever it is, it is looked at elsewhere
            eval(line, names(T) | {"w": T.ones(3)})
    assert (x * 2).requires_grad
    assert recording.recording.get() is True
    assert recording.observer.get() is None
    assert recording.unrecorded.get() is False

"""Run the same code under PyTorch and under rushlight, and compare all that a user can see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

import rushlight

ENGINES = (rushlight, torch)
DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


@dataclass
class Seen:
    """What one engine gave: the results as plain data, and the error that came after them."""

    results: list[Any]
    error: BaseException | None = None


def describe(value: Any) -> Any:
    """Return a result as plain data: dtype, shape and values of tensors, containers item by item."""
    if isinstance(value, torch.Tensor | rushlight.Tensor):
        return str(value.dtype), tuple(value.shape), value.detach().numpy(force=True).copy()
    if isinstance(value, tuple | list):
        return [describe(v) for v in value]
    return value


def run(code: Callable[..., Any], engine: Any, args: tuple[Any, ...], grad: bool, names: bool) -> Seen:
    """Call ``code(engine, *args)``, arrays given as tensors; with ``grad`` add first and second gradients."""
    given = [tensor(engine, a, grad) for a in args]
    results: list[Any] = []
    try:
        out = code(engine, *given)
        results.append(describe(out))
        if names:
            outs = [o for o in (out if isinstance(out, tuple | list) else [out]) if isinstance(o, engine.Tensor)]
            results.append([o.grad_fn and o.grad_fn.name() for o in outs])
        if grad:
            results += gradients(engine, out, [g for g in given if isinstance(g, engine.Tensor) and g.requires_grad])
    except Exception as error:  # any error is a result
        return Seen(results, error)
    return Seen(results)


def tensor(engine: Any, value: Any, grad: bool) -> Any:
    """Return an array as a tensor of ``engine`` (a leaf with ``grad`` if it is floating), else the value."""
    if isinstance(value, list):
        return [tensor(engine, v, grad) for v in value]
    if not isinstance(value, np.ndarray):
        return value
    made = engine.from_numpy(value.copy(order="K")) if value.ndim else engine.tensor(value.copy())
    return made.requires_grad_() if grad and value.dtype.kind == "f" else made


def gradients(engine: Any, out: Any, leaves: list[Any]) -> list[Any]:
    """Return the gradients of all leaves, and the gradients of a fixed combination of those."""
    outs = [o for o in (out if isinstance(out, tuple | list) else [out]) if isinstance(o, engine.Tensor)]
    outs = [o for o in outs if o.requires_grad]
    if not outs or not leaves:
        return []
    seeds = [weight(engine, o) for o in outs]
    once = engine.autograd.grad(outs, leaves, seeds, create_graph=True, allow_unused=True)
    found = [describe(g) for g in once]
    again = [g for g in once if g is not None and g.requires_grad]
    if again:
        seeds = [weight(engine, g) for g in again]
        found += [describe(g) for g in engine.autograd.grad(again, leaves, seeds, allow_unused=True)]
    return found


def weight(engine: Any, like: Any) -> Any:
    """Return fixed uneven weights of the shape and dtype of ``like``."""
    shape = tuple(like.shape)
    size = int(np.prod(shape))
    values = (np.cos(np.arange(size) * 1.7) + 0.3).reshape(shape).astype(like.detach().numpy().dtype)
    return engine.tensor(values)


def same(code: Callable[..., Any], *args: Any, grad: bool = True, names: bool = False, tol: float = 1e-5) -> None:
    """Assert that both engines give the same results and gradients, and then the same type of error if any.

    ``code`` gets the engine and the arguments, ndarrays turned into tensors. ``names`` compares ``grad_fn`` too.
    ``tol`` is relative to the largest value, for float32; float64 gets its square root's share of rounding, 1e-10.
    """
    ours, theirs = (run(code, engine, args, grad, names) for engine in ENGINES)
    if theirs.error is not None:
        assert ours.error is not None, f"PyTorch raised {theirs.error!r}, rushlight gave {ours.results}"
        said = f"PyTorch raised {theirs.error!r}, rushlight raised {ours.error!r}"
        assert isinstance(ours.error, builtin(theirs.error)), said
        assert str(ours.error), "an error without a word"
        assert not isinstance(theirs.error, NameError | AttributeError), f"a slip in the test: {theirs.error!r}"
    elif ours.error is not None:
        raise AssertionError(f"rushlight raised {ours.error!r}, PyTorch gave {theirs.results}") from ours.error
    close(ours.results, theirs.results, tol)


def same_with_leaves(code: Any, *given: np.ndarray, tol: float = 1e-5) -> None:
    """Assert equal results, first and second gradients: ``code`` returns its results, and leaves of its own."""
    seen = []
    for engine in ENGINES:
        leaves = [tensor(engine, a, True) for a in given]
        engine.manual_seed(3)
        outs, more = code(engine, *leaves)
        found = [describe(out) for out in outs]
        seen.append(found + gradients(engine, list(outs), leaves + list(more)))
    assert len(seen[0]) > len(given)
    close(seen[0], seen[1], tol)


def builtin(error: BaseException) -> type[BaseException]:
    """Return the type of ``error``, or of its bases the first that Python itself has."""
    return next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")


def close(ours: Any, theirs: Any, tol: float) -> None:
    """Assert that two descriptions agree: dtypes and shapes exactly, floats within ``tol``."""
    if isinstance(theirs, tuple) and len(theirs) == 3 and isinstance(theirs[2], np.ndarray):
        assert isinstance(ours, tuple), f"{ours} is no tensor; PyTorch gave {theirs}"
        assert ours[:2] == theirs[:2], f"rushlight {ours[:2]}, PyTorch {theirs[:2]}"
        values(ours[2], theirs[2], tol)
    elif isinstance(theirs, list):
        assert isinstance(ours, list), f"rushlight {ours}, PyTorch {theirs}"
        assert len(ours) == len(theirs), f"rushlight {ours}, PyTorch {theirs}"
        for mine, other in zip(ours, theirs, strict=True):
            close(mine, other, tol)
    elif isinstance(theirs, float):
        assert type(ours) is type(theirs), f"{ours!r} is no {type(theirs)}"
        assert np.isclose(ours, theirs, rtol=tol, equal_nan=True), f"rushlight {ours}, PyTorch {theirs}"
    else:
        assert type(ours) is type(theirs) or type(theirs).__module__ != "builtins", f"{ours!r} is no {type(theirs)}"
        assert ours == theirs, f"rushlight {ours!r}, PyTorch {theirs!r}"


def values(ours: np.ndarray, theirs: np.ndarray, tol: float) -> None:
    """Assert equal values: integers exactly, floats within ``tol`` of the array's scale, NaN and inf in place."""
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), f"rushlight {ours!r}, PyTorch {theirs!r}"
    if theirs.dtype.kind != "f":
        np.testing.assert_array_equal(ours, theirs)
        return
    tol = {2: max(tol, 2e-3), 4: tol, 8: min(tol, 1e-10)}[theirs.dtype.itemsize]
    finite = np.abs(theirs[np.isfinite(theirs)]).astype(np.float64)
    scale = max(1.0, float(finite.max())) if finite.size else 1.0
    np.testing.assert_allclose(ours.astype(np.float64), theirs.astype(np.float64), rtol=tol, atol=tol * scale)


def takes_mkl() -> bool:
    """Return whether this PyTorch draws bernoulli, dropout and exponential from MKL, whose numbers are its own."""
    g = torch.Generator().manual_seed(0)
    torch.empty(8).bernoulli_(0.5, generator=g)
    return bool(g.get_state()[16] == 1)  # the place in the block of words: MKL takes one word for all


not_mkl = pytest.mark.skipif(takes_mkl(), reason="PyTorch takes these draws from MKL on this processor")

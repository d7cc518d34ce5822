"""Shared by ops of several topics: checks of operands, ``out=``, masks in rules, results without a derivative.

Rules choose by a mask instead of multiplying by one: ``g * mask`` would turn an infinite gradient that is masked out
into NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any, NoReturn, TypeVar

import numpy as np

from ...arrays.dtypes import Array, default_numpy, dtype_of
from ...arrays.kernels import mask as masks
from ...autograd.arguments import array_of
from ...autograd.broadcast import convert
from ...autograd.node import Backward, Node
from ...autograd.out_argument import check_written, write_out
from ...autograd.primitive import primitive
from ...autograd.recording import inference_version, recording
from ...autograd.variable import Variable, wrap
from ...autograd.view import refresh_view

F = TypeVar("F", bound=Callable[..., Any])

# ------------------------------------------------------------------ operands and results


def number_as_tensor(x: Any) -> Any:
    """Return a Python number as a tensor without dims, and anything else as it is."""
    if type(x) in (float, int, bool):
        return wrap(Variable.result, np.asarray(x, default_numpy() if type(x) is float else None))
    return x


def finish_operator(name: str, made: Any, other: Any, out: Any, input: Any = None) -> Any:
    """Return ``made``, written into ``out`` if there is one; TypeError if the operator declined ``other``.

    What was made of two Python numbers is a tensor as well.
    """
    made = number_as_tensor(made)
    if isinstance(out, Variable):
        check_written(out, (input, other))
    if made is NotImplemented:
        raise TypeError(f"{name}(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
    return made if out is None else write_out(name, made, out)


def without_old(function: F) -> F:
    """Return ``function`` with a signature that does not show ``*old``, which takes overloads that are deprecated."""
    seen = signature(function)
    kept = [p for p in seen.parameters.values() if p.kind is not Parameter.VAR_POSITIONAL]
    function.__signature__ = seen.replace(parameters=kept)  # type: ignore[attr-defined]  # any function takes it
    return function


def tensors_only(name: str, **given: Any) -> None:
    """Raise TypeError, in PyTorch's words, unless all that is ``given`` are tensors (or arrays, inside a rule)."""
    for position, (parameter, value) in enumerate(given.items()):
        if not isinstance(value, Variable | np.ndarray | np.generic):
            raise TypeError(
                f"{name}(): argument {parameter!r} (position {position + 1}) must be Tensor, not {type(value).__name__}"
            )


def unsupported(kernel: str, array: Any) -> NoReturn:
    """Raise NotImplementedError: ``kernel`` knows nothing of the dtype of ``array``."""
    raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtype_of(array.dtype).legacy}'")


def no_bool(kernel: str, array: Any) -> None:
    """Raise NotImplementedError if ``array`` holds bools."""
    if array.dtype.kind == "b":
        unsupported(kernel, array)


def floats_only(kernel: str, array: Any) -> None:
    """Raise NotImplementedError unless ``array`` holds floats."""
    if array.dtype.kind != "f":
        unsupported(kernel, array)


def as_kind(x: Any, kind: np.dtype[Any]) -> Any:
    """Return tensor ``x`` in NumPy's dtype ``kind``, itself if it is already."""
    return x if array_of(x, "to").dtype == kind else convert(x, kind)


# ------------------------------------------------------------------ masks in rules


@primitive(input=lambda g, mask: keep(g, mask), mask=None, grad_fn_name="WhereBackward0")
def keep(input: Array, mask: Any) -> Array:
    """Return ``input`` where ``mask`` (of its shape) holds, else 0."""
    return masks.keep(input, mask)


@primitive(input=lambda g, mask: drop(g, mask), mask=None, grad_fn_name="WhereBackward0")
def drop(input: Array, mask: Any) -> Array:
    """Return 0 where ``mask`` (of its shape) holds, else ``input``."""
    return masks.drop(input, mask)


# ------------------------------------------------------------------ derivatives that are zero or do not exist


@primitive(input=None)
def zeros(input: Array) -> Array:
    """Return zeros like ``input``."""
    return np.zeros(input.shape, input.dtype)


def zero_gradient(g: Any) -> Any:
    """Return the gradient that PyTorch defines for a step function: zeros."""
    return zeros(g)


def _no_derivative(g: Any, saved: Any, edges: Any) -> Any:
    """Raise the error of a backward pass through such a result; the only thing saved is the name in its message."""
    missing = ("unique", "igamma", "zeta")  # where PyTorch raises NotImplementedError
    kind = NotImplementedError if any(name in saved[0] for name in missing) else RuntimeError
    raise kind(f"the derivative for '{saved[0]}' is not implemented.")


def results_without_derivative(name: str, grad_fn_name: str, source: Any, arrays: list[Any]) -> Any:
    """Return the arrays as tensors, one alone as it is.

    The first depends on ``source``, but which of equal elements it came from is not known: a backward pass through it
    raises an error.
    """
    made = [wrap(Variable.result, array, None, inference_version.get()) for array in arrays]
    if not isinstance(source, Variable):
        return made[0] if len(made) == 1 else tuple(made)
    if source.view_of is not None:
        refresh_view(source)
    edge = source.node
    if edge is not None and recording.get():
        backward = Backward(name, grad_fn_name, _no_derivative)
        node = Node.record(backward, (edge,), (name,), arrays[0].shape, arrays[0].dtype)
        mode = recording.get()
        if isinstance(mode, bool) or not mode.node_made(node, arrays[0]):
            made[0].node = node
    return made[0] if len(made) == 1 else tuple(made)

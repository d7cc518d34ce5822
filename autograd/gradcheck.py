"""Gradients against finite differences: ``gradcheck`` and ``gradgradcheck``.

https://pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from warnings import warn

import numpy as np

from .. import lazy
from .entry import grad
from .variable import Variable, as_ndarray, new_leaf, wrap

Pairs = list[list[np.ndarray[Any, Any]]]


class GradcheckError(RuntimeError):
    """A gradient is not what finite differences say."""


def tuple_of(given: Any) -> tuple[Any, ...]:
    """Return what a function takes or gives as a tuple."""
    return tuple(given) if isinstance(given, tuple | list) else (given,)


def asking_of(values: Sequence[Any]) -> list[Any]:
    """Return the tensors among ``values`` that require a gradient."""
    return [v for v in values if isinstance(v, Variable) and v.requires_grad]  # type: ignore[attr-defined]


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Return True if ``func``'s gradients at ``inputs`` agree with central differences of step ``eps``.

    Each element may differ by ``atol + rtol * |numerical|``, and by ``nondet_tol`` from one backward pass to the next.
    Give inputs in float64: float32 is too coarse for the default tolerances. ``fast_mode`` compares one random
    direction for each pair of input and output. Disagreement raises :class:`GradcheckError`, or returns False with
    ``raise_exception=False``. ``check_forward_ad`` compares tangents too, ``check_batched_forward_grad`` several of
    them pushed in one pass with one at a time.

    >>> import rushlight as torch
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(lambda x: x * x, x)
    True
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    for asked, what in (check_batched_grad and not check_backward_ad, "grad=True requires check_backward_ad"), (
        check_batched_forward_grad and not check_forward_ad, "forward_grad=True requires check_forward_ad"
    ):  # fmt: skip
        if asked:
            raise AssertionError(f"Setting check_batched_{what} to be True")
    given = tuple_of(inputs)
    _examine(given)
    try:
        if check_backward_ad:
            _compare(func, given, eps, atol, rtol, nondet_tol, check_grad_dtypes, fast_mode)
        if check_forward_ad:
            lazy.load("autograd.forward_check").compare(func, given, eps, atol, rtol, fast_mode)
        if check_batched_forward_grad:
            lazy.load("autograd.forward_check").batched(func, given)
        if not check_backward_ad:
            return True
        _zero_in_zero_out(func, given)
        if check_undefined_grad:
            _each_output_alone(func, given)
        if check_batched_grad:
            _batched(func, given)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _examine(inputs: tuple[Any, ...]) -> None:
    """Raise ValueError if no input requires a gradient, and RuntimeError if one cannot be moved by itself."""
    asked = False
    for number, x in enumerate(inputs):
        if not asking_of([x]):
            continue
        asked = True
        if x.array.dtype != np.float64:
            warn(
                f"Input #{number} requires gradient and is not a double precision floating point or complex. This "
                "check will likely fail if all the inputs are not of double precision floating point or complex. ",
                UserWarning,
                stacklevel=3,
            )
        strides = as_ndarray(x).strides if x.array.size else ()  # NumPy has 0 for all dims of what is empty
        if any(s == 0 and n > 1 for s, n in zip(strides, x.array.shape, strict=False)):
            raise RuntimeError(
                f"The {number}th input has a dimension with stride 0. gradcheck only supports inputs that are "
                "non-overlapping to be able to compute the numerical gradients correctly. You should call .contiguous "
                "on the input before passing it to gradcheck."
            )
    if not asked:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )


def _outputs(func: Callable[..., Any], inputs: tuple[Any, ...]) -> list[Any]:
    return asking_of(tuple_of(func(*inputs)))


def _values(func: Callable[..., Any], inputs: tuple[Any, ...], chosen: Sequence[int]) -> list[Any]:
    """Return copies of the float outputs of ``func`` at the places ``chosen``, as flat arrays."""
    found = tuple_of(func(*inputs))
    return [np.array(found[n].array, np.float64).ravel() for n in chosen]


def _compare(
    func: Callable[..., Any],
    inputs: tuple[Any, ...],
    eps: float,
    atol: float,
    rtol: float,
    nondet_tol: float,
    check_dtypes: bool,
    fast: bool,
) -> None:
    """Raise GradcheckError unless the Jacobians by backward and by finite differences agree."""
    found = tuple_of(func(*inputs))
    chosen = [n for n, out in enumerate(found) if isinstance(out, Variable) and out.array.dtype.kind == "f"]
    asked = [n for n, out in enumerate(found) if asking_of([out])]
    leaves = asking_of(inputs)
    if not asked:
        if any(part.any() for x in leaves for part in jacobian_by_differences(func, inputs, x, chosen, eps)):
            raise GradcheckError("Numerical gradient for function expected to be zero")
        return
    places = [n for n, x in enumerate(inputs) if asking_of([x])]
    numerical = [jacobian_by_differences(func, inputs, x, asked, eps) for x in leaves]
    for row, out in enumerate(asked):
        analytical = _analytical(found[out], leaves, nondet_tol, check_dtypes)
        for column, (theirs, place) in enumerate(zip(analytical, places, strict=True)):
            ours = numerical[column][row]
            if fast:
                ours, theirs = projected(ours, theirs)  # noqa: PLW2901
            if not np.allclose(theirs, ours, rtol, atol, equal_nan=True):
                raise GradcheckError(
                    f"Jacobian mismatch for output {out} with respect to input {place},\n"
                    f"numerical:{ours}\nanalytical:{theirs}\n"
                )


def projected(*jacobians: Any) -> list[Any]:
    """Return each of several matrices of one shape between two random directions."""
    rng = np.random.default_rng(0)
    rows, columns = jacobians[0].shape
    left, right = (v / max(float(np.linalg.norm(v)), 1e-300) for v in (rng.normal(size=rows), rng.normal(size=columns)))
    return [left @ each @ right for each in jacobians]


def jacobian_by_differences(
    func: Callable[..., Any], inputs: tuple[Any, ...], x: Any, chosen: Sequence[int], eps: float
) -> list[Any]:
    """Return for each chosen output its Jacobian, one row for each element of ``x``, by central differences."""
    array = as_ndarray(x)
    rows: list[list[Any]] = [[] for _ in chosen]
    for place in np.ndindex(array.shape):
        before = array[place].copy()
        try:
            array[place] = before + eps
            ahead = _values(func, inputs, chosen)
            array[place] = before - eps
            behind = _values(func, inputs, chosen)
        finally:
            array[place] = before
        for row, a, b in zip(rows, ahead, behind, strict=True):
            if a.shape != b.shape:
                raise AssertionError(
                    f"Expected `func` to return outputs with the same shape when inputs are perturbed on index {place} "
                    f"by {eps}, but got: shapes {a.shape} and {b.shape}."
                )
            row.append((a - b) / (2 * eps))
    sizes = [each.size for each in _values(func, inputs, chosen)] if not array.size else []
    return [
        np.array(row) if row else np.zeros((0, size)) for row, size in zip(rows, sizes or [0] * len(rows), strict=True)
    ]


def _analytical(out: Any, leaves: list[Any], nondet_tol: float, check_dtypes: bool) -> list[Any]:
    """Return the Jacobian of ``out`` for each leaf, one row for each of its elements, by backward passes."""
    first = _pull_all(out, leaves, check_dtypes)
    again = _pull_all(out, leaves, check_dtypes)
    for a, b in zip(first, again, strict=True):
        if a.size and not np.abs(a - b).max() <= nondet_tol and not np.array_equal(a, b, equal_nan=True):
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times "
                "gives different values, although analytical gradient matches numerical gradient. The tolerance for "
                f"nondeterminism was {nondet_tol}."
            )
    return first


def _pull_all(out: Any, leaves: list[Any], check_dtypes: bool) -> list[Any]:
    found = [np.zeros((x.array.size, out.array.size)) for x in leaves]
    for place in range(out.array.size):
        weight = np.zeros(out.array.shape, out.array.dtype)
        weight.flat[place] = 1
        seed = wrap(out.result, weight)
        grads = grad(out, leaves, seed, retain_graph=True, allow_unused=True)
        for into, one, x in zip(found, grads, leaves, strict=True):
            if one is None:
                continue
            if check_dtypes and one.array.dtype != x.array.dtype:
                raise GradcheckError("Gradient has dtype mismatch")
            if one.array.shape != x.array.shape:
                raise GradcheckError("Analytical gradient has incorrect size")
            into[:, place] = np.asarray(one.array).ravel()
    return found


def _zero_in_zero_out(func: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
    """Raise GradcheckError if a backward pass gives anything for a gradient of zeros."""
    outputs = _outputs(func, inputs)
    if not outputs:
        return
    zeros = [wrap(out.result, np.zeros(out.array.shape, out.array.dtype)) for out in outputs]
    for one in grad(outputs, asking_of(inputs), zeros, retain_graph=True, allow_unused=True):
        if one is not None and np.any(one.array):
            raise GradcheckError("backward not multiplied by grad_output")


def _each_output_alone(func: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
    """Raise GradcheckError if backward cannot do without the gradients of the other outputs."""
    for out in _outputs(func, inputs):
        zeros = wrap(out.result, np.zeros(out.array.shape, out.array.dtype))
        try:
            grads = grad(out, asking_of(inputs), zeros, retain_graph=True, allow_unused=True)
        except RuntimeError as error:
            raise GradcheckError(
                "Expected backward function to handle undefined output grads: the gradients of other outputs may be "
                "None"
            ) from error
        if any(one is not None and np.any(one.array) for one in grads):
            raise GradcheckError("Expected all input grads to be undefined or zero when all output grads are zero")


def _batched(func: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
    """Raise GradcheckError if ``is_grads_batched`` gives other gradients than one pass after another."""
    leaves, rng = asking_of(inputs), np.random.default_rng(0)
    for out in _outputs(func, inputs):
        rows = rng.normal(size=(2, *out.array.shape)).astype(out.array.dtype)
        kept: dict[str, Any] = {"retain_graph": True, "allow_unused": True}
        together = grad(out, leaves, wrap(out.result, rows), is_grads_batched=True, **kept)
        for number, row in enumerate(rows):
            for one, each in zip(together, grad(out, leaves, wrap(out.result, row), **kept), strict=True):
                if (one is None) != (each is None) or (
                    one is not None and not np.allclose(one.array[number], each.array)
                ):
                    raise GradcheckError(
                        "gradcheck or gradgradcheck failed while testing batched gradient computation."
                    )


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Return True if the gradients of ``func``'s gradients, by ``inputs`` and ``grad_outputs``, are right.

    ``grad_outputs`` are drawn if None. See :func:`gradcheck`.

    >>> import rushlight as torch
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(lambda x: x * x * x, x)
    True
    """
    if not check_rev_over_rev:
        _without_reverse(check_fwd_over_rev, check_undefined_grad, check_batched_grad)
    given = tuple_of(inputs)
    if grad_outputs is None:
        weights = _drawn(_outputs(func, given), gen_non_contig_grad_outputs)
    else:
        weights = tuple_of(grad_outputs)
    asking = [bool(asking_of([x])) for x in (*given, *weights)]

    def slopes(*args: Any) -> tuple[Any, ...]:
        at, by = args[: len(given)], args[len(given) :]
        _ask_again(args, asking)
        found = grad(_outputs(func, at), asking_of(at), list(by), create_graph=True, allow_unused=True)
        return tuple(one for one in found if one is not None)

    return gradcheck(
        slopes,
        (*given, *weights),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
    )


def _without_reverse(forward: bool, undefined: bool, batched: bool) -> None:
    """Raise AssertionError for what cannot be checked without reverse over reverse."""
    if not forward:
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    for asked, what in (undefined, "undefined"), (batched, "batched"):
        if asked:
            raise AssertionError(f"Setting check_{what}_grad=True requires check_rev_over_rev to be True")


def _ask_again(args: tuple[Any, ...], asking: list[bool]) -> None:
    """Let those ``args`` require grad that shall: forward mode comes with duals that do not."""
    for x, asks in zip(args, asking, strict=True):
        if asks and not x.requires_grad:
            x.requires_grad_()


def _drawn(outputs: list[Any], strided: bool) -> tuple[Any, ...]:
    """Return a random gradient for each output, as a leaf; ``strided``: not contiguous in memory."""
    rng, made = np.random.default_rng(0), []
    for out in outputs:
        array = rng.normal(size=(*out.array.shape, 2)).astype(out.array.dtype)
        one = wrap(out.result, array[..., 0] if strided else np.array(array[..., 0]))
        one.node = new_leaf(one)
        made.append(one)
    return tuple(made)

"""``@gradient_test``: a function and strategies for its arguments become a property test of its derivatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Any

import numpy as np
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from ..autograd.variable import Variable, as_ndarray
from .agree import AgreementError, check_agreement
from .compare import assert_close
from .gradient import check_gradient
from .subject import called, floating, tensors_in
from .verdict import GradientError, Verdict


def gradient_test(
    *arguments: st.SearchStrategy[Any],
    order: int = 2,
    reference: Callable[..., Any] | None = None,
    kinks: bool = True,
    agreement: bool = True,
    **named: st.SearchStrategy[Any],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: the function becomes a test that draws its arguments and checks its derivatives there.

    For each drawn example: the gradient up to ``order``, by differences; with ``agreement`` all that
    :func:`check_agreement` compares (float32, memory layouts, checkpointing, twice in a row, nothing written); the
    value and its dtype and shape as ``reference`` gives it for the same arguments, arrays in place of tensors. With
    ``kinks=False`` a point where the function is not differentiable fails too. Hypothesis shrinks what fails.
    The function itself stays at hand as ``test.function``. There is no deadline for an example; with settings of your
    own above, say ``@settings(max_examples=500, deadline=None)``.

    >>> from rushlight.testing import gradient_test, tensors
    >>> @gradient_test(tensors())
    ... def test_smooth(x):
    ...     return x.sin() * x
    >>> test_smooth()
    """

    def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(fn)
        def test(*args: Any, **kwargs: Any) -> None:
            __tracebackhide__ = True
            bound = signature(fn).bind(*args, **kwargs)
            values = tuple(bound.arguments.values())
            note(f"{called(fn)} at {values!r}")
            if reference is not None:
                _same_value(fn, reference, values)
            if not any(isinstance(x, Variable) and x.array.dtype.kind == "f" for x in tensors_in(values)):
                return
            try:
                report = check_gradient(fn, *values, order=order)
                if agreement:
                    check_agreement(fn, *values, order=1)
            except (GradientError, AgreementError) as error:  # the test itself takes no arguments
                error.recipe.function = f"{called(fn)}.function"
                raise
            if not kinks:
                assert report.verdict is not Verdict.NOT_DIFFERENTIABLE, str(report)

        test.__signature__ = _bare(fn)  # type: ignore[attr-defined]
        made: Any = _patient(given(*arguments, **named)(test))
        made.function = fn
        return made  # type: ignore[no-any-return]

    return decorate


def _patient(test: Any) -> Any:
    """Return ``test`` without hypothesis' deadline, and without its list of lines of the engine that a failure runs.

    A check runs its function dozens of times, and at the first call of each op code is written. The mark that settings
    are there is taken off again, so that ``@settings`` of the user's own may stand above.
    """
    phases = [phase for phase in settings().phases if phase is not Phase.explain]
    settings(deadline=None, phases=phases)(test)
    vars(test).pop("_hypothesis_internal_settings_applied", None)
    return test


def _bare(fn: Callable[..., Any]) -> Any:
    """Return the signature of ``fn`` without annotations, by which hypothesis would draw."""
    found = signature(fn)
    plain = [each.replace(annotation=Parameter.empty) for each in found.parameters.values()]
    return found.replace(parameters=plain, return_annotation=None)


def _same_value(fn: Callable[..., Any], reference: Callable[..., Any], values: tuple[Any, ...]) -> None:
    """Assert that ``fn`` gives what ``reference`` gives for arrays."""
    arrays = [np.array(as_ndarray(x)) if isinstance(x, Variable) else x for x in values]
    expected = reference(*arrays)
    expected = expected if isinstance(expected, tuple | list) else (expected,)
    found = [np.asarray(out.array) for out in floating(fn(*values))]
    wanted = [np.asarray(each) for each in expected]
    assert len(found) == len(wanted), f"{len(found)} outputs, but the reference gives {len(wanted)}"
    for mine, other in zip(found, wanted, strict=True):
        assert_close(mine, other.astype(mine.dtype) if other.dtype.kind != "f" else other)

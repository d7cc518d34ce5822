"""The comparison itself: each kind of difference between the engines must be found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rushlight
from support.expressions import check
from support.oracle import run, same, torch

X = np.array([1.0, 2.0, 3.0])


def either(mine: Any, other: Any) -> Any:
    """Return code that does ``mine`` under rushlight and ``other`` under PyTorch."""
    return lambda T, *given: (mine if T is rushlight else other)(T, *given)


def fail(kind: type[BaseException], words: str = "bad") -> Any:
    def code(T: Any, *given: Any) -> None:
        raise kind(words)

    return code


class Strange(RuntimeError):
    """A type of error that only one engine has."""


DIFFERENCES = {
    "values": (lambda T, x: x * 2, lambda T, x: x * 2 + 1e-4),
    "dtype": (lambda T, x: x.float(), lambda T, x: x.double()),
    "shape": (lambda T, x: x[None], lambda T, x: x),
    "nan": (lambda T, x: x * 0, lambda T, x: x * 0 / 0),
    "gradient": (lambda T, x: x.detach() * x, lambda T, x: x * x / 1),
    "second gradient": (lambda T, x: x * x.detach() * 2 - x.detach() ** 2, lambda T, x: x * x),
    "no gradient": (lambda T, x: x.detach() * 2, lambda T, x: x * 2),
    "name": (lambda T, x: x * 1, lambda T, x: x / 1),
    "name in a tuple": (lambda T, x: (x, x * 1), lambda T, x: (x, x / 1)),
    "count": (lambda T, x: (x, x), lambda T, x: (x,)),
    "number": (lambda T, x: 1.5, lambda T, x: 2.5),
    "int for float": (lambda T, x: 1, lambda T, x: 1.0),
    "float for int": (lambda T, x: 1.0, lambda T, x: 1),
    "int for bool": (lambda T, x: 1, lambda T, x: True),
    "number for tensor": (lambda T, x: 1.0, lambda T, x: x.sum()),
    "error": (fail(ValueError), fail(RuntimeError)),
    "wider error": (fail(LookupError), fail(IndexError)),
    "error for value": (fail(ValueError), lambda T, x: x),
    "value for error": (lambda T, x: x, fail(ValueError)),
    "no words": (fail(ValueError, ""), fail(ValueError)),
    "slip": (fail(AttributeError), fail(AttributeError)),
}


@pytest.mark.parametrize("pair", DIFFERENCES.values(), ids=DIFFERENCES)
def test_a_difference_is_found(pair: tuple[Any, Any]) -> None:
    with pytest.raises(AssertionError):
        same(either(*pair), X, names=True)


@pytest.mark.parametrize(
    "pair",
    [
        (fail(ValueError), fail(ValueError)),
        (fail(NotImplementedError), fail(RuntimeError)),
        (fail(RuntimeError), fail(Strange)),
        (lambda T, x: (x * 2, None, [1, 2.5, "a"]), lambda T, x: (x * 2, None, [1, 2.5, "a"])),
    ],
)
def test_no_difference(pair: tuple[Any, Any]) -> None:
    same(either(*pair), X)


def test_what_came_before_the_error_is_compared() -> None:
    class Breaks(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, *g: Any) -> Any:
            raise RuntimeError("bad")

    with pytest.raises(AssertionError):
        same(either(fail(RuntimeError), lambda T, x: Breaks.apply(x)), X)
    assert run(lambda T, x: Breaks.apply(x), torch, (X,), True, False).results


@pytest.mark.parametrize("line", ["T.ones(2) + (T.__name__ == 'torch')", "T.nope_", "nope"])
def test_a_difference_in_a_table_is_found(line: str) -> None:
    with pytest.raises(AssertionError):
        check(line)

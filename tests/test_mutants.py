"""The maker of mutants: what it changes, and that a changed rule is caught unless it computes the same."""

from __future__ import annotations

import ast
from typing import Any

import pytest

import mutants
from cases import CASES
from equivalent_mutants import EQUIVALENT
from mutants import Run, changes
from rushlight.autograd.primitive import PRIMITIVES


def texts(source: str) -> list[str]:
    """Return the outermost expression with one thing changed, in every way."""
    return [ast.unparse(made) for _, made in changes(ast.parse(source, mode="eval").body)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a + b", ["a - b", "a", "b"]),
        ("a - b", ["a + b", "a", "b", "b - a"]),
        ("a * b", ["a / b", "a", "b"]),
        ("a / b", ["a * b", "b / a"]),
        ("a ** b", ["b ** a"]),
        ("a @ b", ["b @ a"]),
        ("-a", ["a"]),
        ("3", ["4"]),
        ("0.5", ["1.5"]),
        ("True", []),
        ("f(a, b, c)", ["f(b, a, c)"]),
        ("f(a)", []),
        ("f(a, a)", []),
        ("np.maximum(a, b)", []),
        ("f(*a, b)", []),
        ("a - a", ["a + a", "a", "a"]),
    ],
)
def test_changes(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


def test_every_mutant_of_a_simple_rule_is_caught() -> None:
    run = Run(["sigmoid"])
    (function, _), before = run.users[0], PRIMITIVES["sigmoid"].rules["input"].__code__
    found = run.outcomes(0)
    assert [(owner.split(":")[0], dead) for owner, _, dead in found] == [("unary.sigmoid(input)", True)] * 11
    assert len({change for _, change, _ in found}) == 11
    assert function.__code__ is before


def test_a_mutant_that_computes_the_same_survives() -> None:
    run = Run(["copysign"])
    alive = {
        (owner.split(":")[0], change)
        for number in range(len(run.users))
        for owner, change, dead in run.outcomes(number)
        if not dead
    }
    assert alive == {key for key in EQUIVALENT if key[0] == "special.copysign(input)"}


def test_a_check_of_versions_and_a_sum_left_out_are_caught() -> None:
    run = Run(["mul"])
    assert run.outcomes(len(run) - 1) == [
        ("mul", "version check skipped", True),
        ("mul", "broadcast not undone", True),
    ]


def test_an_op_that_fails_as_it_is_says_so() -> None:
    rule: Any = PRIMITIVES["exp"].rules["input"]
    run, before = Run(["exp"]), rule.__code__
    rule.__code__ = (lambda g, out: g * out * 2).__code__
    mutants.rewrite(run.ops)
    try:
        with pytest.raises(AssertionError, match="exp fails as it is"):
            run.outcomes(len(run) - 1)
    finally:
        rule.__code__ = before
        mutants.rewrite(run.ops)


def test_what_is_said_to_compute_the_same_is_a_mutant() -> None:
    """An entry that fits no mutant excuses nothing, or will excuse the wrong thing."""
    made = [(mutant.owner.split(":")[0], mutant.change) for mutant in Run(sorted(CASES)).mutants()]
    assert len(made) == len(set(made))
    assert EQUIVALENT.keys() <= set(made)

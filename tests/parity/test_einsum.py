"""Einstein summation, against PyTorch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight
from support.messages import in_words, real
from support.oracle import same, torch

EQUATIONS: list[tuple[str, list[tuple[int, ...]]]] = [
    ("ij->ji", [(2, 3)]), ("ij", [(2, 3)]), ("ba", [(2, 3)]), ("ii", [(3, 3)]), ("ii->i", [(3, 3)]), ("ij->", [(2, 3)]),
    ("ij->j", [(2, 3)]), ("iij->j", [(2, 2, 3)]), ("...ij->...ji", [(4, 2, 3)]), ("i...->i", [(2, 3, 2)]),
    ("...->", [(2, 3)]), ("ij->...", [(2, 3)]), (" i j -> j i", [(2, 3)]), ("Aa->aA", [(2, 3)]), ("", [()]),
    ("->", [()]),
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 4)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 2)]),
    ("...ij,...jk->...ik", [(5, 2, 3), (3, 4)]), ("...,...", [(2, 3), (5, 2, 3)]), ("i,j->ij", [(2,), (3,)]),
    ("i,i->", [(3,), (3,)]), ("i,i", [(3,), (3,)]), ("ij,ij->ij", [(2, 3), (1, 3)]), ("ij,", [(2, 3), ()]),
    ("ij,kj->k", [(2, 3), (4, 3)]), ("bhqd,bhkd->bhqk", [(2, 2, 3, 4), (2, 2, 5, 4)]), ("ij,j->i", [(2, 3), (1,)]),
    ("ii,ij->j", [(3, 3), (3, 2)]), ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]), ("a,b,c->cab", [(2,), (3,), (2,)]),
    ("bn,anm,bm->ba", [(2, 3), (5, 3, 4), (2, 4)]), ("ij,ij,ij->", [(2, 3)] * 3), ("ab,cd->", [(2, 3), (2, 2)]),
    ("i...j,j->i...", [(2, 3, 4), (4,)]), ("ij,jk->ik", [(2, 0), (0, 3)]), ("ijk,jil->kl", [(2, 3, 4), (3, 2, 5)]),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(EQUATIONS)))
def test_einsum(number: int) -> None:
    equation, shapes = EQUATIONS[number]
    xs = [real(*shape) for shape in shapes]
    same(lambda T, *xs: T.einsum(equation, *xs), *xs)
    same(lambda T, *xs: T.einsum(equation, list(xs)), *xs, grad=False)
    same(lambda T, *xs: T.einsum(equation, *[(10 * x).to(T.int64) for x in xs]), *xs, grad=False)
    same(lambda T, *xs: T.einsum(equation, *xs), *[x.T.copy().T for x in xs], grad=False)


def test_einsum_of_sublists() -> None:
    same(lambda T, a, b: T.einsum(a, [0, 1], b, [1, 2], [0, 2]), real(2, 3), real(3, 4))
    same(lambda T, a, b: T.einsum(a, [0, 1], b, [1, 2]), real(2, 3), real(3, 4))
    same(lambda T, a: T.einsum(a, [0, ...], [..., 0]), real(2, 3))


@given(st.data())
@settings(max_examples=60)
def test_einsum_of_drawn_equations(data: Any) -> None:
    sizes = {"a": 2, "b": 3, "c": 1, "d": 2}
    parts = data.draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3))
    letters = sorted(set("".join(parts)))
    wanted = "".join(data.draw(st.permutations(letters))[: data.draw(st.integers(0, 4))])
    equation = ",".join(parts) + data.draw(st.sampled_from(["", f"->{wanted}"]))
    same(lambda T, *xs: T.einsum(equation, *xs), *[real(*(sizes[c] for c in part)) for part in parts])


BAD = [
    ("ij,jk->ik", [(2, 3), (4, 5)]), ("ij,jk", [(2, 3)]), ("ij", [(2, 3, 4)]), ("ij->k", [(2, 3)]),
    ("ij->ii", [(2, 3)]),
    ("i.j", [(2, 3)]), ("i1", [(2, 3)]), ("ii->i", [(2, 3)]), ("a...b...", [(2, 3)]), ("ij->ij->", [(2, 3)]),
    ("ij>", [(2, 3)]), ("ij-", [(2, 3)]), ("i...->...i...", [(2, 3)]), ("..i", [(3,)]), ("i", [(3,), (3,)]),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BAD)))
def test_einsum_refused_in_the_same_words(number: int) -> None:
    equation, shapes = BAD[number]
    in_words(lambda T, *xs: T.einsum(equation, *xs), *[real(*shape) for shape in shapes])


def test_einsum_refused() -> None:
    in_words(lambda T, a: T.einsum(a, [0, 60]), real(2, 3))
    in_words(lambda T, a: T.einsum("i"), real(2, 3))
    for engine in (rushlight, torch):
        with pytest.raises(TypeError):
            engine.einsum("i", 3)
        with pytest.raises(TypeError):
            engine.einsum(3, engine.ones(3))

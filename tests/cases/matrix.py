"""Cases of tensors/ops/matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import AWAY, LINE, arrays, binary, distinct

CASES: dict[str, Any] = {}

# ------------------------------------------------------------------ matmul, linear, products

SIDE = st.sampled_from([2, 3, 1, 2, 3, 1, 2, 3, 1, 0])  # seldom empty: one empty side of five empties all
SCALE = st.sampled_from([1, 0, 2, -0.5])


@st.composite
def shaped(draw: Any, fixed: Any = None, **named: str) -> dict[str, Any]:
    """Inputs by name, each with a letter for a dim; letters stand for drawn sizes, digits for themselves."""
    sizes = {letter: draw(SIDE) for letter in sorted({c for text in named.values() for c in text})}
    sizes |= {digit: int(digit) for digit in "0123456789" if digit in sizes}
    found = {name: draw(arrays(tuple(sizes[c] for c in text))) for name, text in named.items()}
    return found | {name: draw(each) for name, each in (fixed or {}).items()}


@st.composite
def gemm(draw: Any) -> dict[str, Any]:
    """Matrices, transposed or not; maybe one of them or both in batches."""
    ta, tb = draw(st.booleans()), draw(st.booleans())
    left, right = ("kn" if ta else "nk"), ("mk" if tb else "km")
    leads = draw(st.sampled_from([("", ""), ("b", ""), ("", "b"), ("ab", "b"), ("ab", ""), ("1b", "a1")]))
    found: dict[str, Any] = draw(shaped(input=leads[0] + left, other=leads[1] + right))
    return found | {"ta": ta, "tb": tb}


@st.composite
def matmul(draw: Any) -> dict[str, Any]:
    """Operands of which one has more than two dims."""
    pair = draw(st.sampled_from(["bnk,k", "k,bkm", "bnk,km", "nk,bkm", "bnk,bkm", "abnk,bkm", "bnk,abkm", "a1nk,bkm"]))
    left, right = pair.split(",")
    found: dict[str, Any] = draw(shaped(input=left, other=right))
    return found


@st.composite
def linear(draw: Any) -> dict[str, Any]:
    """Inputs of up to three dims, with or without bias."""
    lead = draw(st.sampled_from(["", "n", "bn"]))
    bias = draw(st.sampled_from([None, "o", "1", "", "no" if lead else "o"]))
    found: dict[str, Any] = draw(shaped(input=lead + "k", weight="ok", **({} if bias is None else {"bias": bias})))
    return {"bias": None} | found


def added(inputs: list[str], **named: str) -> Any:
    """An addend, which broadcasts, beside a product."""
    scales = {"beta": SCALE, "alpha": SCALE}
    return st.sampled_from(inputs).flatmap(lambda text: shaped(fixed=scales, input=text, **named))


CASES |= {
    "gemm": gemm(),
    "fold_gemm": shaped(input="bnk", other="bnm") | shaped(input="nk", other="nm") | shaped(input="k", other="m"),
    "cross": shaped(input="n", vec2="m"),
    "vm": shaped(input="n", other="nm"),
    "column_sum": shaped(input="nk") | shaped(input="bnk") | shaped(input="k"),
    "mm": shaped(input="nk", mat2="km"),
    "mv": shaped(input="nk", vec="k"),
    "dot": shaped(input="k", tensor="k"),
    "vdot": shaped(input="k", other="k"),
    "bmm": shaped(input="bnk", mat2="bkm"),
    "matmul": matmul(),
    "linear": linear(),
    "addmm": added(["nm", "m", "1", "", "n1"], mat1="nk", mat2="km"),
    "addmv": added(["n", "1", ""], mat="nk", vec="k"),
    "addr": added(["nm", "m", ""], vec1="n", vec2="m"),
    "addbmm": added(["nm", "m", ""], batch1="bnk", batch2="bkm"),
    "baddbmm": added(["bnm", "nm", "", "b11"], batch1="bnk", batch2="bkm"),
    "trace": shaped(input="nm"),
    "on_diagonal": st.tuples(SIDE, SIDE).flatmap(lambda size: shaped(g="", fixed={"shape": st.just(size)})),
}


# ------------------------------------------------------------------ factors

SMALL = st.floats(0.05, 0.3).map(lambda v: round(v, 3))  # at zeros LAPACK changes the signs of what it finds
LEADS = [(), (2,), (1, 2), (0,)]


@st.composite
def square(draw: Any, symmetric: bool = False) -> Any:
    """Well-conditioned matrices with singular values far from each other."""
    n, lead = draw(st.integers(1, 3)), draw(st.sampled_from(LEADS))
    x = draw(arrays((*lead, n, n), SMALL))
    if symmetric:
        x = (x + x.swapaxes(-1, -2)) / 2
    return np.asarray(x + np.diag([1.5, 3.0, 5.0][:n]))


def turned(x: np.ndarray, sign: float) -> np.ndarray:
    """Return matrices with the first row times ``sign``: so the determinant may be negative."""
    x[..., 0, :] *= sign
    return x


@st.composite
def tall(draw: Any, wide: bool = False) -> Any:
    n, extra, lead = draw(st.integers(1, 2)), draw(st.integers(0, 2)), draw(st.sampled_from(LEADS))
    x = draw(arrays((*lead, n + extra, n), SMALL))
    x = x + np.eye(n + extra, n) * np.array([1.5, 3.0])[:n]
    return x.swapaxes(-1, -2) if wide and draw(st.booleans()) else x


@st.composite
def system(draw: Any) -> dict[str, Any]:
    a = draw(square())
    return {"input": a, "other": draw(arrays((*a.shape[:-1], draw(st.integers(1, 3))), LINE))}


def one(strategy: Any, **fixed: Any) -> Any:
    return st.fixed_dictionaries({"input": strategy, **{k: st.just(v) for k, v in fixed.items()}})


CASES |= {
    "inverted": one(square()),
    "solved": system(),
    "determinant": one(st.tuples(square(), st.sampled_from([1.0, -1.0])).map(lambda made: turned(*made))),
    "log_determinant": one(square()),
    "pseudoinverse": one(tall(wide=True), cut=0.1),
    "cholesky_factor": one(square(symmetric=True)),
    "eigh_factors": one(square(symmetric=True)),
    "svd_factors": one(tall(wide=True)),
    "qr_factors": one(tall()),
    "exponential": one(square()),
    "lu_compact": one(square() | tall(wide=True)),
    "over": binary(LINE, AWAY, idle=st.booleans().map(np.array)),
}


# ------------------------------------------------------------------ einsum

SIZES = {0: 2, 1: 3, 2: 1, 3: 2}


@st.composite
def arranged(draw: Any, dual: bool = False) -> dict[str, Any]:
    """An operand, maybe with repeated labels, and the labels it is to have."""
    labels = tuple(draw(st.lists(st.sampled_from(sorted(SIZES)), max_size=4)))
    wanted = tuple(draw(st.permutations(sorted(set(labels)))))[: draw(st.integers(0, 4))]
    shape, small = (tuple(SIZES[one] for one in own) for own in (labels, wanted))
    if dual:
        return {"g": draw(arrays(small)), "shape": shape, "labels": labels, "wanted": wanted}
    return {"input": draw(arrays(shape)), "labels": labels, "wanted": wanted}


@st.composite
def contracted(draw: Any) -> dict[str, Any]:
    """Two operands that share some labels."""
    left = tuple(draw(st.permutations(sorted(SIZES))))[: draw(st.integers(0, 4))]
    right = tuple(draw(st.permutations(sorted(SIZES))))[: draw(st.integers(0, 4))]
    alone = set(left) ^ set(right)
    wanted = [one for one in {*left, *right} if one in alone or draw(st.booleans())]
    x, y = (draw(arrays(tuple(SIZES[one] for one in own))) for own in (left, right))
    order = tuple(draw(st.permutations(wanted)))
    return {"input": np.asarray(x), "other": np.asarray(y), "left": left, "right": right, "wanted": order}


CASES |= {
    "arrange": arranged(),
    "disarrange": arranged(dual=True),
    "contract": contracted(),
}


# ------------------------------------------------------------------ pairwise_distance


@st.composite
def vectors(draw: Any, two: bool) -> dict[str, Any]:
    """Vectors of which no two share a coordinate, and no two differences the largest size."""
    lead = draw(st.sampled_from([(), (2,), (0,)])) if two else ()
    first, second, width = (draw(st.integers(1, 3)) for _ in range(3))
    count = first + second if two else first + 1
    x = draw(distinct((*lead, count, width), gap=0.5)) * np.array([1.0, 1.2345, 1.6789])[:width]
    p = draw(st.sampled_from([3.0, 2.0, 1.0, np.inf, 1.5, 0.0] if width > 1 else [1.0, 1.5, 2.0, 3.0]))
    if not two:
        return {"input": x, "p": p}
    return {"x1": x[..., :first, :], "x2": x[..., first:, :], "p": p, "matrix": p == 2 and draw(st.booleans())}


CASES |= {"cdist": vectors(two=True), "pdist": vectors(two=False)}

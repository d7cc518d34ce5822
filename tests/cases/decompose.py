"""Cases for inverses, determinants, decompositions, and for special functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import ABOVE, AWAY, LINE, arrays, binary, unary

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


@st.composite
def strided(draw: Any) -> dict[str, Any]:
    size = draw(st.sampled_from([(2, 2), (3,), (), (2, 0)]))
    stride = draw(st.tuples(*[st.integers(0, 2)] * len(size)))
    x = np.array(draw(arrays((7,), LINE)))
    return {"input": x, "size": size, "stride": stride, "storage_offset": draw(st.integers(0, 2))}


def one(strategy: Any, **fixed: Any) -> Any:
    return st.fixed_dictionaries({"input": strategy, **{k: st.just(v) for k, v in fixed.items()}})


APART = st.floats(-2.9, 2.9).map(lambda v: round(v, 3)).filter(lambda v: abs(v - round(v)) > 0.15)

CASES = {
    "as_strided": strided(),
    "inverted": one(square()),
    "solved": system(),
    "determinant": one(st.tuples(square(), st.sampled_from([1.0, -1.0])).map(lambda made: turned(*made))),
    "log_determinant": one(square()),
    "pseudoinverse": one(tall(wide=True), cut=0.1),
    "cholesky_factor": one(square(symmetric=True)),
    "eigh_packed": one(square(symmetric=True)),
    "svd_packed": one(tall(wide=True)),
    "qr_packed": one(tall()),
    "exponential": one(square()),
    "over": binary(LINE, AWAY, idle=st.booleans().map(np.array)),
    "lgamma": unary(ABOVE | APART.filter(lambda v: v < 0 and abs(v - round(v)) > 0.3)),
    "digamma": unary(ABOVE.map(lambda v: v + 0.3) | APART.filter(lambda v: v < 0 and abs(v - round(v)) > 0.3)),
    "polygamma": unary(ABOVE.map(lambda v: v + 0.5), n=st.integers(1, 3)),
    "sinc": unary(LINE),
    "sinc_slope": unary(LINE, order=st.integers(1, 3)),
    "xlogy": binary(LINE.map(abs), ABOVE),
    "copysign": binary(AWAY, AWAY),
    "nextafter": binary(LINE, LINE.map(lambda v: v + 10)),
}

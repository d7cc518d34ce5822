"""Cases for matrix products."""

from typing import Any

from hypothesis import strategies as st

from cases.draw import arrays

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


CASES = {
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

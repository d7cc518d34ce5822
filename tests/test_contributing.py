"""The op that CONTRIBUTING.md adds is the one in the code, and works when it is declared from the page."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rushlight as torch
from cases import draw as drawing
from rushlight.autograd.primitive import PRIMITIVES
from rushlight.tensors.ops.elementwise import special
from support.op_gradients import check_op

ROOT = Path(__file__).resolve().parents[1]
DECLARATION, CASE = (
    dedent(block)
    for block in re.findall(
        r"^   ```python\n(.*?)^   ```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
)


@pytest.fixture(scope="module")
def op() -> Any:
    """The page's op, declared once more under a name of its own."""
    scope = dict(vars(special))
    exec(DECLARATION.replace("def xlog1py(", "def xlog1py_of_the_page("), scope)
    yield PRIMITIVES["xlog1py_of_the_page"]
    del PRIMITIVES["xlog1py_of_the_page"]


def test_the_page_prints_what_stands_in_the_code() -> None:
    assert DECLARATION.strip() in inspect.getsource(special)
    assert CASE.strip() in (ROOT / "tests" / "cases" / "elementwise.py").read_text(encoding="utf-8")


@given(data=st.data())
def test_its_case_finds_the_gradients_right(op: Any, data: Any) -> None:
    case = eval("{" + CASE + "}", dict(vars(drawing)))["xlog1py"]
    check_op(op, data.draw(case), order=2)


@pytest.mark.parametrize(
    ("x", "y", "slopes"), [(0.0, -1.0, (0.0, 0.0)), (0.0, -2.0, (0.0, 0.0)), (2.0, 0.0, (0.0, 2.0))]
)
def test_it_is_right_at_its_special_points(op: Any, x: float, y: float, slopes: tuple[float, float]) -> None:
    given_x, given_y = (torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (x, y))
    out = op.function(given_x, given_y)
    grads = torch.autograd.grad(out.sum(), (given_x, given_y), create_graph=True)
    np.testing.assert_array_equal(out.detach().numpy(), [0.0])
    assert tuple(g.item() for g in grads) == slopes

"""Writes into memory that several elements share: refused, or carried out, as in PyTorch."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import rushlight

MADE = {
    "rows": "e = T.tensor([0.1, 0.2, 0.3]).expand(2, 3)",
    "columns": "e = T.tensor([[0.1], [0.2]]).expand(2, 3)",
    "a gradient": "x = T.ones(2, 3).requires_grad_(); e = T.autograd.grad(x.sum(), x)[0]",
}
WRITES = (
    "e[0] = 0.5",
    "e[0, 0] = 0.5",
    "e[:] = 0.5",
    "e[...] = 0.5",
    "e[0] = T.ones(3)",
    "e[0:1] = T.ones(3)",
    "e[1:1] = 0.5",
    "e[T.tensor([0])] = 0.5",
    "e[e > 0.15] = 0.5",
    "e.fill_(0.5)",
    "e.fill_(T.tensor(0.5))",
    "e.zero_()",
    "e.copy_(e)",
    "e.copy_(T.ones(2, 3))",
    "e.add_(1)",
    "e[0].mul_(2)",
    "e[:, 0].mul_(2)",
    "T.exp(T.ones(2, 3), out=e)",
    "T.add(T.ones(2, 3), 1, out=e)",
    "e.scatter_(0, T.zeros(1, 3, dtype=T.int64), 0.5)",
    "e.index_copy_(0, T.tensor([0]), T.ones(1, 3))",
)
RECORDED = ("e.add_(1)", "e[0, 0] = 0.5", "e[:, 0] = 0.5", "e.fill_(T.tensor(0.5))")
SHARED = "more than one element of the written-to tensor refers to a single memory location"


def result(engine: Any, *lines: str) -> Any:
    names: dict[str, Any] = {"T": engine}
    try:
        for line in lines:
            exec(line, names)
    except RuntimeError as error:
        return "refused" if SHARED in str(error) else repr(error)
    return [names["e"].tolist(), *(names["w"].grad.tolist() for _ in range("w" in names))]


@pytest.mark.filterwarnings("ignore")  # PyTorch warns of some
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("made", MADE)
def test_writes(made: str, write: str) -> None:
    assert result(rushlight, MADE[made], write) == result(torch, MADE[made], write)


BEFORE, AFTER = ("w = T.ones(3, requires_grad=True)", "e = (w * 2).expand(2, 3)"), "(e * e).sum().backward()"


@pytest.mark.parametrize("write", RECORDED)
def test_recorded_writes(write: str) -> None:
    assert result(rushlight, *BEFORE, write, AFTER) == result(torch, *BEFORE, write, AFTER)


@pytest.mark.parametrize("write", ["e.fill_(0.5)", "e.zero_()"])
def test_gradient_of_a_uniform_write(write: str) -> None:
    """PyTorch writes as well, and fails at the walk backward."""
    made = result(rushlight, *BEFORE, write, AFTER)
    assert made == [torch.full((2, 3), 0.5 * ("fill" in write)).tolist(), [0.0, 0.0, 0.0]]
    assert result(torch, *BEFORE[:2], write, "w = T.ones(3)", "w.grad = w.clone()")[0] == made[0]


@pytest.mark.parametrize(
    "write",
    [
        "index_fill_(0, T.tensor([0]), 0.5)",
        "tril_()",
        "masked_fill_(e > 0.15, 0.5)",
        "index_put_((T.tensor([0]),), T.ones(3))",
    ],
)
def test_what_only_rushlight_refuses(write: str) -> None:
    """PyTorch's result depends on the order in which it visits elements; it warns of some."""
    assert result(rushlight, MADE["rows"], f"e.{write}") == "refused"

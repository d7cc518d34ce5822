"""How results lie in memory where the input is not contiguous, and so where ``view`` works."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import rushlight

MADE = {
    "transposed": "T.tensor([[0.1, 0.2, -0.3], [0.4, -0.5, 0.6]]).t()",
    "permuted": "(T.arange(24.0) / 24).reshape(2, 3, 4).permute(2, 0, 1)",
    "sliced": "(T.arange(24.0) / 24).reshape(4, 6)[:, ::2]",
}
OPS = (
    "x.softmax(0)",
    "x.log_softmax(-1)",
    "x.cumsum(0)",
    "x.cumprod(-1)",
    "x.logcumsumexp(0)",
    "x.cummax(0)[0]",
    "x.cummin(0)[1]",
    "x.masked_fill(x > 0, 0.5)",
    "x.masked_fill(x > 0, T.tensor(0.5))",
    "F.logsigmoid(x)",
    "x.roll(1)",
    "x.roll(1, 0)",
    "T.cat([x, x])",
    "T.cat([x, x], -1)",
    "T.stack([x, x])",
    "T.stack([x, x], -1)",
    "x.scatter(0, T.zeros(x.shape, dtype=T.int64), 0.5)",
    "x.index_copy(0, T.tensor([0]), x[:1])",
    "x.index_fill(0, T.tensor([0]), 0.5)",
    "x.flip(0)",
    "x.flip(-1)",
    "x.flip(0, 1)",
    "x.erf()",
    "x.erfc()",
    "x.erfinv()",
    "x.lgamma()",
    "x.digamma()",
    "x.tanh()",
    "x * x",
    "x + 1",
    "x.clone()",
    "x.contiguous()",
    "x.double()",
    "F.gelu(x)",
    "x.clamp(-0.5, 0.5)",
)


def strides(engine: Any, made: str, op: str) -> list[int]:
    names = {"T": engine, "F": engine.nn.functional}
    names["x"] = eval(made, names)
    found = eval(op, names)
    return [step for step, size in zip(found.stride(), found.shape, strict=True) if size > 1]


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("made", MADE)
def test_strides(made: str, op: str) -> None:
    assert strides(rushlight, MADE[made], op) == strides(torch, MADE[made], op)

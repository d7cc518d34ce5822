"""Arguments of one number, or one for each spatial dim: what is refused is what PyTorch refuses, in its words."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import rushlight

BATCH = (1, 2, 4, 4, 4)
CALLS: dict[str, tuple[int, dict[str, Any]]] = {
    **{f"conv{n}d": (n, {"weight": (2, 2, *(2,) * n)}) for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": (n, {"weight": (2, 2, *(2,) * n)}) for n in (1, 2, 3)},
    **{f"max_pool{n}d": (n, {"kernel_size": 2}) for n in (2, 3)},
    **{f"avg_pool{n}d": (n, {"kernel_size": 2}) for n in (2, 3)},
    "unfold": (2, {"kernel_size": 2}),
    "fold": (2, {"output_size": 4, "kernel_size": 2}),
}
WORDS = ("to be a single integer", "must either be", "It is expected")
"""What PyTorch says of a wrong count, in each family."""
GIVEN = ((), (1,), (1, 1, 1, 1), [1, 1, 1, 1], (1.5,), 1.5, "a")


def outcome(engine: Any, name: str, parameter: str, given: Any) -> tuple[str, str]:
    """Return the class of what a call raises, and the first line of its message; two empty texts for a result."""
    dims, words = CALLS[name]
    size = (1, 8, 9) if name == "fold" else BATCH[: dims + 2]
    words = {key: engine.ones(word) if key == "weight" else word for key, word in words.items()}
    try:
        getattr(engine.nn.functional, name)(engine.ones(size), **(words | {parameter: given}))
    except (RuntimeError, TypeError, ValueError) as error:
        return type(error).__name__, str(error).split("\n")[0]
    return "", ""


def parameters(name: str) -> tuple[str, ...]:
    """Return the parameters of an op that take one number, or one for each dim."""
    if "transpose" in name:
        return "stride", "padding", "output_padding", "dilation"
    if name.startswith("conv"):
        return "stride", "padding", "dilation"
    first = ("output_size", "kernel_size") if name == "fold" else ("kernel_size",)
    return *first, "stride", "padding", *(() if "avg" in name else ("dilation",))


@pytest.mark.parametrize("given", GIVEN, ids=repr)
@pytest.mark.parametrize(("name", "parameter"), [(n, p) for n in CALLS for p in parameters(n)])
def test_numbers_per_dim(name: str, parameter: str, given: Any) -> None:
    theirs, ours = outcome(torch, name, parameter, given), outcome(rushlight, name, parameter, given)
    assert ours[0] == theirs[0], (theirs, ours)
    if any(words in theirs[1] for words in WORDS):
        assert ours[1].startswith(theirs[1])

"""Every block of docs/cs231n.md, run: formulas by hand in NumPy, and the engine in agreement."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rushlight as torch

PAGE = Path(__file__).parents[1] / "docs" / "cs231n.md"
TITLES, *SECTIONS = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def blocks(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def run(texts: list[str], names: dict[str, Any]) -> None:
    for text in texts:
        exec(compile(text, str(PAGE), "exec"), names)


NAMED = {section.partition("\n")[0]: blocks(section) for section in SECTIONS}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("title", NAMED)
def test_section(title: str, seed: int) -> None:
    names: dict[str, Any] = {"seed": seed}
    torch.manual_seed(seed)
    run(blocks(TITLES), names)
    calls: list[int] = []
    agree = names["agree"]
    names["agree"] = lambda by_hand, engine: (agree(by_hand, engine), calls.append(1))
    run(NAMED[title], names)
    checks = sum(text.count("agree(") + text.count("assert") for text in NAMED[title])
    assert checks > 0, "a section that compares nothing"
    assert calls or not any("agree(" in text for text in NAMED[title])


def test_disagreement_is_noticed() -> None:
    names: dict[str, Any] = {"seed": 0}
    run(blocks(TITLES), names)
    names["agree"](np.ones(2), torch.ones(2, dtype=torch.float64))
    with pytest.raises(AssertionError):
        names["agree"](np.ones(2) + 1e-9, torch.ones(2, dtype=torch.float64))
    with pytest.raises(AssertionError):
        names["agree"](np.ones(3), torch.ones(2, dtype=torch.float64))


def test_the_page_has_the_notes_topics() -> None:
    wanted = {"Batch normalization", "Layer normalization", "SGD and momentum", "RMSprop", "Adam", "Softmax loss",
              "Multi-class SVM loss", "Dropout", "Affine layer", "ReLU", "Convolution", "Max pooling"}  # fmt: skip
    assert wanted <= NAMED.keys()
    assert all(NAMED.values())

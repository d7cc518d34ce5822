"""Tables of expressions that must mean the same in both engines: one expression a line, ``T`` is the engine."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import torch

from support.oracle import ENGINES, close, describe

SLIPS = ("is not defined", "has no attribute")
WORDS = {"np": np, "copy": copy, "pickle": pickle}


def lines(table: str) -> list[str]:
    """Return the expressions of a table."""
    return [line for line in table.strip().splitlines() if line]


def plain(value: Any) -> Any:
    """Return a result as data that compares equal across engines."""
    if isinstance(value, dict):
        return {name: plain(v) for name, v in value.items()}
    found = describe(value)
    if isinstance(found, list):
        return [plain(v) for v in value]
    return found if isinstance(found, bool | int | float | str | tuple | type(None)) else str(found)


def prepare(engine: Any) -> dict[str, Any]:
    """Return the names that the tables use."""
    x = engine.ones(2, requires_grad=True)

    def keep(t: Any) -> Any:
        t.retain_grad()
        return t

    def set_(t: Any, name: str, value: Any) -> Any:
        setattr(t, name, value)
        return t

    return {"x": x, "y": x * 2, "keep": keep, "set_": set_}


def check(line: str, prepare: Any = None, tol: float = 1e-6) -> None:
    """Assert that ``line`` gives the same values, dtypes, shapes, text and warnings, or the same type of error."""
    ours, theirs = (_run(line, engine, prepare) for engine in ENGINES)
    if isinstance(theirs[0], Exception):
        assert isinstance(ours[0], Exception), f"PyTorch raised {theirs[0]!r}, rushlight gave {ours[0]}"
        assert type(ours[0]) is type(theirs[0]), f"PyTorch raised {theirs[0]!r}, rushlight raised {ours[0]!r}"
        assert str(ours[0]), "an error without a word"
        assert not any(slip in str(theirs[0]) for slip in SLIPS), f"a slip in the table: {theirs[0]!r}"
        return
    if isinstance(ours[0], Exception):
        raise AssertionError(f"rushlight raised {ours[0]!r}, PyTorch gave {theirs[0]}") from ours[0]
    close(ours[0], theirs[0], tol)
    assert ours[1] == theirs[1], f"rushlight warned {ours[1]}, PyTorch {theirs[1]}"


def _run(line: str, engine: Any, prepare: Any) -> tuple[Any, list[str]]:
    engine.manual_seed(0)
    names = {"T": engine, **WORDS, **(prepare(engine) if prepare else {})}
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", RuntimeWarning)
        torch.set_warn_always(True)  # else what PyTorch says depends on what ran before
        try:
            value = eval(line, names)
        except Exception as error:
            return error, []
        finally:
            torch.set_warn_always(False)
        text = repr(value) if isinstance(value, engine.Tensor | tuple | list) else ""
        return [plain(value), text], [w.category.__name__ for w in seen]

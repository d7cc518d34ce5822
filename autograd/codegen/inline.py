"""Recognize kernels and rules that are a single operator or a single ufunc, by comparing bytecode with a template's.

Such a function is written out, or the ufunc called, without a Python frame of its own.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

import numpy as np


def _templates() -> dict[bytes, str]:
    """Map the code of ``lambda x, y: x + y`` to its text, and so on."""
    table: dict[Any, str] = {
        lambda x, y: x + y: "{} + {}",
        lambda x, y: x - y: "{} - {}",
        lambda x, y: x * y: "{} * {}",
        lambda x, y: x / y: "{} / {}",
        lambda x: -x: "-{}",
        lambda x: x: "{}",
    }
    return {plain.__code__.co_code: text for plain, text in table.items()}


_OPERATORS = _templates()
_UFUNCS = {
    (lambda x: np.exp(x)).__code__.co_code: 1,  # noqa: PLW0108
    (lambda x, y: np.add(x, y)).__code__.co_code: 2,  # noqa: PLW0108
}


def direct(function: Any) -> Any:
    """Return the ufunc that is all that a kernel or rule calls, if so: one Python frame less."""
    code = function.__code__
    if _UFUNCS.get(code.co_code) == code.co_argcount and code.co_names[0] == "np":
        return getattr(np, code.co_names[1])
    return function


def call(function: Any, name: str, arguments: list[str]) -> str:
    """Return the text that calls ``function``, known as ``name``; plain operators are written out."""
    plain = _OPERATORS.get(function.__code__.co_code)
    return f"{name}({', '.join(arguments)})" if plain is None else plain.format(*arguments)


def names_of(function: Any) -> tuple[str, ...]:
    """Return the names of a plain function's parameters."""
    code: CodeType = function.__code__
    return code.co_varnames[: code.co_argcount]

"""Signatures of generated functions and in-place variants, for ``inspect.signature`` and ``help``.

A primitive's function writes its body when first called, an in-place method passes its arguments on. The signature
is worked out when somebody asks, so that hundreds of them cost an import nothing: ``inspect`` follows
``__wrapped__`` and stops at what has a ``__signature__``.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, signature
from typing import Any

from ...arrays import return_types

_SAID = {"Array": "Tensor", "Dims": "int | Sequence[int] | None", "Ints": "int | Sequence[int]"}
"""Words of the kernels, and what they are to callers."""


class Plain(str):
    """An annotation that prints without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class AsCalled:
    """Stands for ``kernel`` at the ``__wrapped__`` of a primitive's function: its signature as callers see it."""

    __slots__ = ("op",)

    def __init__(self, op: Any) -> None:
        self.op = op

    @property
    def __wrapped__(self) -> Any:
        return self.op.kernel

    @property
    def __signature__(self) -> Signature:
        op, kernel = self.op, signature(self.op.kernel)
        parameters = [p.replace(annotation=_parameter(op, p)) for p in kernel.parameters.values()]
        if not op.view and not op.operator:
            parameters.append(Parameter("out", Parameter.KEYWORD_ONLY, default=None, annotation=Plain("Tensor | None")))
        return Signature(parameters, return_annotation=_result(op, kernel.return_annotation))


def _parameter(op: Any, parameter: Parameter) -> Any:
    said, optional = parameter.annotation, " | None" if parameter.default is None else ""
    if parameter.name == op.many:
        return Plain("Sequence[Tensor]")
    if parameter.name in op.rules:
        number = " | Number" if op.operator and parameter.name != op.params[0] else ""
        return Plain(f"Tensor{number}{optional}")
    if parameter.name == "dtype":
        return Plain(f"dtype{optional}")
    return Plain(_SAID.get(said, said)) if isinstance(said, str) else said


def _result(op: Any, said: Any) -> Plain:
    if op.returns is not None or op.outputs:
        return Plain(f"return_types.{op.name}" if hasattr(return_types, op.name) else "tuple[Tensor, ...]")
    return Plain("Tensor" if said == "Any" else _SAID.get(said, said))


class InPlace:
    """Stands for ``op`` at the ``__wrapped__`` of its in-place variant, which is not told where to write."""

    __slots__ = ("op",)

    def __init__(self, op: Callable[..., Any]) -> None:
        self.op = op

    @property
    def __signature__(self) -> Signature:
        found = signature(self.op)
        kept = [p for p in found.parameters.values() if p.name not in ("out", "inplace")]
        return found.replace(parameters=kept, return_annotation=Plain("Tensor"))

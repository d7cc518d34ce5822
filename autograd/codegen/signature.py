"""Signatures that a ``def`` does not say, for ``inspect.signature`` and ``help``.

A primitive's function writes its body when first called, an in-place method passes its arguments on. The signature
is worked out when somebody asks, so that hundreds of them cost an import nothing: ``inspect`` follows
``__wrapped__`` and stops at what has a ``__signature__``. A function that takes its arguments in several ways, such as
``arange(end)`` and ``arange(start, end)``, declares one of them by ``called_as``.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, signature
from typing import Any, TypeVar

from ...arrays import return_types

_SAID = {"Array": "Tensor", "Dims": "int | Sequence[int] | None", "Ints": "int | Sequence[int]"}
"""Words of the kernels, and what they are to callers."""
OPTIONS = (
    "out: Tensor | None = None, dtype: dtype | None = None, layout: layout | None = None, "
    "device: device | str | int | None = None, pin_memory: bool = False, requires_grad: bool = False"
)
"""What ``**options`` of a function that makes tensors are."""
NEW_OPTIONS = OPTIONS.partition(", ")[2]
"""And those of a method, which does not write into ``out``."""
F = TypeVar("F", bound=Callable[..., Any])


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


class Declared(Signature):
    """The signature of a function, worked out when somebody looks at it: what is in ``text``, or else its own.

    In both ``**options`` is spelled out. The function then gets it as a plain signature.
    """

    __slots__ = ("function", "text")

    def __init__(self, function: Callable[..., Any], text: str) -> None:
        self.function, self.text = function, text

    def _made(self) -> Signature:
        function: Any = self.function
        vars(function).pop("__signature__", None)  # which is this, or what an earlier look made of it
        found = signature(function)
        if self.text:
            found = _read(self.text).replace(return_annotation=found.return_annotation)
        function.__signature__ = made = _spelled_out(found)
        return made

    @property
    def parameters(self) -> Any:
        """The parameters by name."""
        return self._made().parameters

    @property
    def return_annotation(self) -> Any:
        """What the function returns."""
        return self._made().return_annotation

    def replace(self, **changes: Any) -> Signature:  # type: ignore[override]  # inspect checks them
        """Return a plain signature with other parameters or another result, as ``inspect`` asks of bound methods."""
        return self._made().replace(**changes)

    def __reduce__(self) -> Any:
        return self._made().__reduce__()


def _read(text: str) -> Signature:
    """Return the signature whose parameters are ``text``, as between the parentheses of a ``def``."""
    scope: dict[str, Any] = {}
    exec(f"def declared({text}): ...", {}, scope)  # annotations stay text, as in this file
    return signature(scope["declared"])


def _spelled_out(found: Signature) -> Signature:
    """Return ``found`` with the keywords that ``**options`` stands for, its annotations without quotes."""
    kept = list(found.parameters.values())
    if kept and kept[-1].kind is Parameter.VAR_KEYWORD and kept[-1].name == "options":
        kept[-1:] = _read(f"*, {OPTIONS}").parameters.values()
    kept = [p.replace(annotation=Plain(p.annotation)) if isinstance(p.annotation, str) else p for p in kept]
    returns = found.return_annotation
    return Signature(kept, return_annotation=Plain("Tensor") if returns in ("Any", "Self") else Plain(returns))


def called_as(text: str) -> Callable[[F], F]:
    """Declare the parameters of a function that takes its arguments in several ways, so that every call fits them.

    They are PyTorch's names, in the documented order; None stands for what a call may leave out.
    """

    def declare(function: F) -> F:
        function.__signature__ = Declared(function, text)  # type: ignore[attr-defined]  # any function takes attributes
        return function

    return declare


def spell_out_options(function: F) -> F:
    """Declare that ``**options`` of a function are those of all that make tensors."""
    return called_as("")(function)

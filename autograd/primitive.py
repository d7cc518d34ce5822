"""``@primitive``: a NumPy kernel and its gradient rules become one function.

    @primitive(input=lambda g, other: g * other, other=lambda g, input: g * input, promote="same")
    def mul(input: Array, other: Array) -> Array:
        \"\"\"Return ``input * other``, broadcast together.\"\"\"
        return input * other

The keywords name the inputs that have a gradient. A rule's first parameter is the gradient that arrives (for an op of
``outputs=("Q", "R")`` its first two, ``None`` where none came); each further one is a name to save, and only that is:

=====================  ==================================================================
``x`` (an input)       its value
``out``                the result, or of several one by its name in ``outputs``
``x_shape``            the shape of input ``x``; the array is let go
another parameter      the argument
a name in ``aux``    what the kernel returned beside the result (constants: indices, masks)
``needs``              joint rules only: which inputs want a gradient
=====================  ==================================================================

Called on arrays the function computes; called on tensors it also records. So a rule, written in operators and
ops, runs on arrays (fast) and on tensors (when the graph of the gradient is asked for).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..arrays.dtypes import Array
from .codegen import forward as source
from .codegen.backward import saved_slots
from .codegen.inline import names_of
from .connected import connect
from .node import Backward
from .threads import WRITING

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Rule = Callable[..., Any]

PRIMITIVES: dict[str, Primitive] = {}
"""Every op by name."""


class Primitive:
    """One op as it was declared.

    name           the kernel's, without underscores at its ends
    kernel, rules  the NumPy function, and for each tensor input the rule of its gradient, or ``None``
    joint          the one rule of all inputs, if it was declared so
    view           the result looks into the first input
    promote        ``"same"`` brings the inputs to their common dtype, ``"float"`` also makes integers floats
    refuse_bool    bools among the inputs are refused
    outputs        names of the results, where several have gradients; ``results`` is they or ``("out",)``
    aux            names of what the kernel returns beside the result: constants, such as indices
    many           the parameter that takes a sequence of tensors
    numbers        parameters that take any number, or a tensor without dims, as a Python number
    integers       those that take one as an int
    operator       a foreign operand is answered with ``NotImplemented``, as Python asks of ``__add__``
    returns        builds what the caller gets from the results and the ``aux``; without, it is the result or a tuple
    connected      inputs that recorded gradients stay connected to although no rule reads them (``connected.py``)
    grad_fn_name   the node's name, or a function of some parameters that gives it
    function       what users call
    """

    def __init__(
        self, kernel: Any, rules: dict[str, Rule | None], joint: Rule | None, *, view: bool, promote: str,
        refuse_bool: bool, outputs: tuple[str, ...], aux: tuple[str, ...], many: str, numbers: tuple[str, ...],
        integers: tuple[str, ...], operator: bool, returns: Any, connected: tuple[str, ...], grad_fn_name: Any,
    ) -> None:  # fmt: skip
        self.kernel, self.rules, self.joint = kernel, rules, joint
        self.view, self.promote, self.aux, self.many = view, promote, aux, many
        self.outputs, self.results = outputs, outputs or ("out",)
        self.operator, self.returns, self.refuse_bool = operator, returns, refuse_bool
        self.numbers, self.integers, self.connected = numbers, integers, connected
        self.name = kernel.__name__.strip("_")
        self.grad_fn_name = grad_fn_name or pascal(self.name) + "Backward0"
        # An elementwise rule gives gradients of the result's shape and dtype: only an input of another needs more.
        self.elementwise = bool(promote) and not outputs
        if (numbers or integers) and (unknown := {*numbers, *integers}.difference(self.params)):
            raise ValueError(f"{self.name}() has no parameter {', '.join(sorted(unknown))}")
        self.backwards: dict[tuple[str, bool], Backward] = {}
        self.function = source.placeholder(self)

    # What follows is worked out when the op is first called, since an import declares hundreds.

    @cached_property
    def params(self) -> tuple[str, ...]:
        """The names of all parameters."""
        code: CodeType = self.kernel.__code__
        return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    @cached_property
    def inputs(self) -> list[str]:
        """The inputs that have a gradient, in order."""
        return [name for name, rule in self.rules.items() if rule is not None]

    @cached_property
    def needs(self) -> dict[str, tuple[str, ...]]:
        """For each of ``inputs``, the names that its rule asks for."""
        return {name: names_of(self.rules[name])[len(self.results) :] for name in self.inputs}

    @cached_property
    def saves(self) -> list[str]:
        """The values that the rules name, each once."""
        return list(dict.fromkeys(n for names in self.needs.values() for n in names if n != "needs"))

    @cached_property
    def frees(self) -> bool:
        """Whether an array is saved."""
        return any(self.is_array(name) for name in self.saves)

    def is_array(self, name: str) -> bool:
        """Return whether the saved ``name`` is an array that a write could change."""
        return name in self.results or name in self.rules

    def backward(self, grad_fn_name: str, needs_unbroadcast: bool) -> Backward:
        """Return what the nodes of this primitive called ``grad_fn_name`` point to, one object for all of them."""
        key = grad_fn_name, needs_unbroadcast
        found = self.backwards.get(key)
        if found is None:
            slots, arity = saved_slots(self), len(self.inputs)
            found = Backward(self.name, grad_fn_name, self._first_vjp, self.frees, needs_unbroadcast, slots, arity)
            found = self.backwards.setdefault(key, found)  # that of a faster thread
        return found

    def _first_vjp(self, g: Any, saved: Any, node: Any) -> Any:
        """Write the vjp, then do as it does."""
        with WRITING:
            for backward in list(self.backwards.values()):  # a copy: another thread may add one
                backward.vjp = connect(source.build_vjp(self, backward), self.inputs, self.connected)
        return next(iter(self.backwards.values())).vjp(g, saved, node)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


def pascal(name: str) -> str:
    """Return ``log_softmax`` as ``LogSoftmax``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def primitive(
    rule: Rule | None = None,
    inputs: tuple[str, ...] = (),
    *,
    view: bool = False,
    promote: str = "",
    refuse_bool: bool = False,
    outputs: tuple[str, ...] = (),
    aux: tuple[str, ...] = (),
    many: str = "",
    numbers: tuple[str, ...] = (),
    integers: tuple[str, ...] = (),
    operator: bool = False,
    returns: Any = None,
    connected: tuple[str, ...] = (),
    grad_fn_name: Any = "",
    doors: str = "",
    **rules: Rule | None,
) -> Callable[[Callable[Concatenate[Array, P], Any]], Callable[Concatenate[T, P], T]]:
    """Declare an op: one rule per input by keyword, or one joint ``rule`` for ``inputs``.

    A keyword with ``None`` marks a tensor input without gradient. ``doors`` says where the op is public. See
    :class:`Primitive` for the other arguments.
    """

    def declare(kernel: Callable[Concatenate[Array, P], Any]) -> Callable[Concatenate[T, P], T]:
        each: dict[str, Rule | None] = {**dict.fromkeys(inputs, rule), **rules} if rule else rules
        op = Primitive(
            kernel, each, rule,
            view=view, promote=promote, refuse_bool=refuse_bool, outputs=outputs, aux=aux, many=many, numbers=numbers,
            integers=integers, operator=operator, returns=returns, connected=connected, grad_fn_name=grad_fn_name,
        )  # fmt: skip
        before = PRIMITIVES.get(op.name)
        if before is not None and _place(before.kernel) != _place(kernel):  # the same after an import that broke off
            raise ValueError(f"two primitives are called {op.name!r}")
        PRIMITIVES[op.name] = op
        function: Any = op.function
        function.doors = doors
        return function  # type: ignore[no-any-return]

    return declare


def _place(kernel: Any) -> tuple[str, int]:
    return kernel.__module__, kernel.__code__.co_firstlineno


def is_primitive(function: Any) -> bool:
    """Return whether ``function`` was declared as a primitive."""
    return isinstance(function, FunctionType) and hasattr(function, "primitive")

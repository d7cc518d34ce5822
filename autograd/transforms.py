"""What holds inside of a function that ``torch.func`` or ``vmap`` transforms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import CodeType
from typing import Any

from .variable import Variable

_MOST = 1000
"""Where to end the look for captured tensors: a long list has so many."""
transformed: ContextVar[bool] = ContextVar("transformed", default=False)
"""Whether what is called now is part of a function that is transformed."""
transformed.set(False)  # as in recording.py


@contextmanager
def inside() -> Iterator[None]:
    """Mark what is called meanwhile as a function that is transformed."""
    outer = transformed.set(True)
    try:
        yield
    finally:
        transformed.reset(outer)


def refuse_inside(what: str) -> None:
    """Raise RuntimeError inside of a function that is transformed, where ``what`` has no meaning."""
    if transformed.get():
        raise RuntimeError(what)


REQUIRES_GRAD = (
    "You are attempting to call Tensor.requires_grad_() (or perhaps using torch.autograd.functional.* APIs) inside of "
    "a function being transformed by a functorch transform. This is unsupported, please attempt to use the functorch "
    "transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call requires_grad_() outside of a function being "
    "transformed instead."
)
BACKWARD = (
    "backward() called inside a functorch transform. This is not supported, please use functorch.grad or functorch.vjp "
    "instead or call backward() outside of functorch transforms."
)


class Transforming:
    """Context in which ``function`` is transformed.

    At its end RuntimeError if a tensor was written that ``function`` did not make and was not given, but found: in a
    closure, a default, a global, or a list, tuple or dict there. Its value is the new one, its history the old one.
    """

    def __init__(self, function: Any) -> None:
        self.function = function

    def __enter__(self) -> None:
        self.outer = transformed.set(True)
        self.found = [(x, _said(x), x.node) for x in captured(self.function)]

    def __exit__(self, kind: Any, *_: object) -> None:
        transformed.reset(self.outer)
        if kind is not None:
            return
        written = [(x, node) for x, version, node in self.found if _said(x) != version]
        for x, node in written:
            x.node = node
        if written:
            raise RuntimeError(
                "During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to call in-place "
                "operation that would mutate a captured Tensor. This is not supported; please rewrite the function "
                "being transformed to explicitly accept the mutated Tensor(s) as inputs."
            )


def _said(x: Variable) -> bytes:
    return b"" if x.version is None else bytes(x.version)


def captured(function: Any) -> Iterator[Variable]:
    """Yield the tensors that ``function`` finds outside of itself."""
    seen: set[int] = set()
    pending = [function]
    while pending and len(seen) < _MOST:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Variable):
            yield one
            if one.view_of is not None:
                yield one.view_of.base
        elif type(one) in (list, tuple):
            pending += one
        elif type(one) is dict:
            pending += one.values()
        elif isinstance(getattr(one, "__code__", None), CodeType):
            pending += _found_by(one)


def _found_by(function: Callable[..., Any]) -> list[Any]:
    """Return what a function written in Python can name: the values of its closure, its defaults, its globals."""
    scope, codes = function.__globals__, [function.__code__]
    for code in codes:  # grows as it goes: by the functions inside of functions
        codes += [each for each in code.co_consts if isinstance(each, CodeType)]
    names = {name for code in codes for name in code.co_names}
    found = [scope[name] for name in names if name in scope and not _is_packaged(scope[name])]
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # not yet bound
            continue
    return [*found, *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]


def _is_packaged(value: Any) -> bool:
    """Return whether ``value`` is a function of this package, which finds no tensor of a user."""
    return (
        not isinstance(value, Variable)
        and (getattr(value, "__module__", None) or "").partition(".")[0] == __name__.partition(".")[0]
    )

"""A function at a point, as checks see it: leaves that can be moved, outputs that can be weighed and pulled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import Parameter, signature
from typing import Any, Protocol

import numpy as np

from ..autograd.entry import grad
from ..autograd.function import Function as UserFunction
from ..autograd.grad_mode import enable_grad, no_grad
from ..autograd.variable import Variable, as_ndarray, new_leaf, wrap
from ..tensors.random.generator import get_rng_state, set_rng_state

Array = np.ndarray[Any, Any]


class Subject(Protocol):
    """The function under check. ``values`` are the leaves' arrays, ``names`` their names in messages."""

    values: list[Array]
    names: list[str]

    def call(self, values: list[Array], record: bool) -> tuple[list[Any], list[Any]]:
        """Return the leaves, made of ``values``, and the floating outputs; recorded if that is asked for."""
        ...


def tensors_in(structure: Any) -> Iterator[Any]:
    """Yield every tensor and floating array in nested lists, tuples and dicts."""
    if isinstance(structure, Variable):
        yield structure
    elif isinstance(structure, list | tuple):
        for item in structure:
            yield from tensors_in(item)
    elif isinstance(structure, dict):
        for item in structure.values():
            yield from tensors_in(item)


def mapped(structure: Any, change: Callable[[Any], Any]) -> Any:
    """Return ``structure`` with ``change`` of each tensor in it."""
    if isinstance(structure, Variable):
        return change(structure)
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(mapped(item, change) for item in structure))
    if isinstance(structure, list | tuple):
        return type(structure)(mapped(item, change) for item in structure)
    if isinstance(structure, dict):
        return {key: mapped(item, change) for key, item in structure.items()}
    return structure


def leaf(array: Any, record: bool = True) -> Any:
    """Return a tensor around ``array``, which requires grad if ``record``."""
    made = wrap(Variable.result, array)
    if record:
        made.node = new_leaf(made)
    return made


def named(fn: Callable[..., Any], count: int) -> list[str]:
    """Return the names of the first ``count`` positional parameters of ``fn``."""
    owner, skip = getattr(fn, "__self__", None), 0
    if isinstance(owner, type) and issubclass(owner, UserFunction):  # apply(*args) hands its arguments to forward
        fn, skip = owner.forward, int(owner.setup_context is UserFunction.setup_context)
    if hasattr(fn, "named_parameters"):
        fn = getattr(fn, "forward", fn)
    try:
        found = list(signature(fn).parameters.values())[skip:]
    except (TypeError, ValueError):
        found = []
    plain = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    names = [each.name for each in found if each.kind in plain][:count]
    return names + [f"input{n}" for n in range(len(names), count)]


def called(fn: Callable[..., Any]) -> str:
    """Return the name of ``fn`` for messages."""
    owner = getattr(fn, "__self__", None)
    name = getattr(fn, "__name__", None) or type(fn).__name__
    if name == "apply" and isinstance(owner, type):
        return f"{owner.__name__}.apply"
    return "fn" if name == "<lambda>" else str(name)


class Buffers:
    """A snapshot of a Module's buffers, to be restored; empty where ``fn`` is no Module."""

    def __init__(self, fn: Any) -> None:
        modules = fn.modules() if hasattr(fn, "named_parameters") else ()
        found = ((each._buffers, name, x) for each in modules for name, x in each._buffers.items() if x is not None)
        self.kept = [(place, name, x, as_ndarray(x).copy()) for place, name, x in found]

    def restore(self) -> None:
        """Put back the tensors and their values."""
        for place, name, buffer, value in self.kept:
            place[name] = buffer
            as_ndarray(buffer)[...] = value


class Function:
    """``fn`` at ``inputs``. A Module's parameters are leaves too: moved in place, and put back by :meth:`rest`.

    So are its buffers, before each call: what one call wrote there (running means, say) is not seen by the next.
    """

    def __init__(self, fn: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
        self.fn = fn
        self.inputs = _lifted(inputs)
        tensors = list(tensors_in(self.inputs))
        asking = [x for x in tensors if x.node is not None]
        module = getattr(fn, "named_parameters", None)
        self.parameters = [(name, p) for name, p in module() if p.node is not None] if module is not None else []
        if not asking:
            asking = [x for x in tensors if x.array.dtype.kind == "f"]
        self.moving = {id(x) for x in asking}
        self.count = len(asking)
        self.names = self._named()
        self.values = [np.array(as_ndarray(x)) if not x.array.ndim else as_ndarray(x).copy(order="K") for x in asking]
        self.values += [as_ndarray(p).copy(order="K") for _, p in self.parameters]
        if not self.values:
            raise ValueError("nothing to differentiate by: no input is a floating tensor, and none requires grad")
        self.buffers = Buffers(fn)
        self.rng = get_rng_state()
        self.calls = 0

    def _named(self) -> list[str]:
        """Return a name for each leaf: the parameter's, with a number where one argument holds several."""
        names: list[str] = []
        for name, value in zip(named(self.fn, len(self.inputs)), self.inputs, strict=True):
            moving = [x for x in tensors_in(value) if id(x) in self.moving]
            alone = isinstance(value, Variable)
            names += [name if alone else f"{name}[{n}]" for n in range(len(moving))]
        return names + [name for name, _ in self.parameters]

    def call(self, values: list[Array], record: bool) -> tuple[list[Any], list[Any]]:
        """Return leaves made of ``values``, and the floating outputs of the function."""
        self.start()
        leaves = [leaf(value, record) for value in values[: self.count]]
        leaves += [p for _, p in self.parameters]
        for (_, parameter), value in zip(self.parameters, values[self.count :], strict=True):
            as_ndarray(parameter)[...] = value
        with enable_grad() if record else no_grad():
            outputs = floating(self.filled(leaves))
        return leaves, outputs

    def start(self) -> None:
        """Set random numbers and buffers to where they were at first."""
        set_rng_state(self.rng)
        self.buffers.restore()

    def filled(self, leaves: list[Any]) -> Any:
        """Return the function's result for ``leaves`` in place of its inputs."""
        self.calls += 1
        rest = iter(leaves)

        def place(x: Any) -> Any:
            # what does not move is copied, as the function may write
            return next(rest) if id(x) in self.moving else leaf(np.array(x.array, order="K"), False)

        return self.fn(*mapped(self.inputs, place))

    def rest(self) -> None:
        """Put the parameters back to where they were, and the random numbers and buffers."""
        for (_, parameter), value in zip(self.parameters, self.values[self.count :], strict=True):
            as_ndarray(parameter)[...] = value
        self.start()


def _lifted(inputs: Any) -> Any:
    """Return ``inputs`` with floating arrays as tensors."""
    if isinstance(inputs, np.ndarray) and inputs.dtype.kind == "f":
        return leaf(inputs)
    if isinstance(inputs, list | tuple) and not hasattr(inputs, "_fields"):
        return type(inputs)(_lifted(one) for one in inputs)
    return inputs


def floating(outputs: Any) -> list[Any]:
    """Return the floating tensors among ``outputs``."""
    return [x for x in tensors_in(outputs) if x.array.dtype.kind == "f"]


class Arrays:
    """A function of arrays, of any library: ``vjp(inputs, weights)`` gives the gradients that are checked."""

    def __init__(self, fn: Callable[..., Any], inputs: tuple[Any, ...], vjp: Callable[..., Any]) -> None:
        self.fn, self.vjp = fn, vjp
        self.inputs = [np.asarray(as_ndarray(x) if isinstance(x, Variable) else x) for x in inputs]
        self.places = [n for n, x in enumerate(self.inputs) if x.dtype.kind == "f"]
        names = named(fn, len(inputs))
        self.names = [names[n] for n in self.places]
        self.values = [self.inputs[n] for n in self.places]
        self.calls = 0

    def arrays(self, values: list[Array]) -> list[Array]:
        """Return all inputs, those that move taken from ``values``."""
        given = list(self.inputs)
        for n, value in zip(self.places, values, strict=True):
            given[n] = value
        return given

    def outputs(self, values: list[Array]) -> list[Array]:
        """Return the outputs as arrays."""
        self.calls += 1
        found = self.fn(*self.arrays(values))
        return [np.asarray(x) for x in (found if isinstance(found, list | tuple) else [found])]

    def call(self, values: list[Array], record: bool) -> tuple[list[Any], list[Any]]:
        """Return the values and outputs as tensors without record: what is here cannot be walked back."""
        return [leaf(v, False) for v in values], [leaf(x, False) for x in self.outputs(values) if x.dtype.kind in "fc"]

    def pulled(self, weights: list[Array]) -> list[Array]:
        """Return the gradients that the library claims."""
        given = weights[0] if len(weights) == 1 else weights
        found = self.vjp(self.arrays(self.values), given)
        found = found if isinstance(found, list | tuple) else [found]
        if len(found) == len(self.inputs) > len(self.places):
            found = [found[n] for n in self.places]
        return [np.zeros(v.shape) if g is None else np.asarray(g) for g, v in zip(found, self.values, strict=True)]


class Derivative:
    """The derivative of ``below`` along ``steps``, weighed: a number that depends on its leaves and on the weights."""

    def __init__(self, below: Subject, weights: list[Array], steps: list[Array]) -> None:
        self.below, self.steps, self.count = below, steps, len(below.values)
        self.values = [*below.values, *weights]
        self.names = [*below.names, *(f"weight{n}" for n in range(len(weights)))]
        self.magnitude = self.eps = 0.0

    def call(self, values: list[Array], record: bool) -> tuple[list[Any], list[Any]]:
        """Return the leaves and weights, and the weighed derivative."""
        leaves, outputs = self.below.call(values[: self.count], True)
        weights = [leaf(w, record) for w in values[self.count :]]
        pairs = [(out, w) for out, w in zip(outputs, weights, strict=True) if out.requires_grad]
        total: Any = leaf(np.zeros(()), False)
        if not pairs:
            return [*leaves, *weights], [total]
        outs, ws = zip(*pairs, strict=True)
        with enable_grad() if record else no_grad():
            grads = grad(outs, leaves, ws, create_graph=record, allow_unused=True)
            for got, step in zip(grads, self.steps, strict=True):
                if got is not None:
                    total = total + (got * leaf(step, False)).sum()
        return [*leaves, *weights], [total]

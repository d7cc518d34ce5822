"""Functions of functions: ``torch.func``. Derivatives as functions, and modules called with other parameters.

There is no forward mode: ``jvp`` and ``jacfwd`` are computed with reverse passes.

https://pytorch.org/docs/stable/func.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from .arrays.trees import filled, flat, mapped
from .autograd.entry import grad as _grad
from .autograd.grad_mode import enable_grad
from .autograd.node import Node
from .autograd.recording import is_grad_enabled
from .autograd.variable import Variable, as_ndarray, ensure_version, new_leaf, wrap
from .nn.modules.module import Module
from .nn.utils.stateless import call as _call
from .tensors.ops.shape.join import stack
from .tensors.ops.shape.views import reshape, view
from .tensors.vmap import vmap

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "stack_module_state",
    "vjp",
    "vmap",
]

Function = Callable[..., Any]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Return ``module(*args, **kwargs)`` with other parameters and buffers, given by path; its own are left alone.

    Several dicts may be given if no path is in two of them. With ``tie_weights`` a value goes to all paths of a shared
    parameter; with ``strict`` no path may be missing or unknown. ``args`` that is no tuple is the one argument.

    https://pytorch.org/docs/stable/generated/torch.func.functional_call.html

    >>> import rushlight as torch
    >>> layer = torch.nn.Linear(2, 1)
    >>> torch.func.functional_call(layer, {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}, torch.ones(2))
    tensor([2.])
    """
    given = parameter_and_buffer_dicts
    if isinstance(given, dict):
        return _call(module, given, args, kwargs, tie_weights, strict)
    if not isinstance(given, list | tuple) or not all(isinstance(one, dict) for one in given):
        raise ValueError(f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {given}")
    merged: dict[str, Any] = {}
    for one in given:
        twice = merged.keys() & one.keys()
        if twice:
            raise ValueError(f"{sorted(twice)} appeared in multiple dictionaries: it is not clear which to use")
        merged |= one
    return _call(module, merged, args, kwargs, tie_weights, strict)


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters and the buffers of modules of one class, by path, stacked over the modules.

    With :func:`functional_call` and :func:`vmap` the modules run as an ensemble. RuntimeError for no module, modules
    of several classes, or in different modes.

    https://pytorch.org/docs/stable/generated/torch.func.stack_module_state.html

    >>> import rushlight as torch
    >>> parameters, buffers = torch.func.stack_module_state([torch.nn.Linear(2, 1) for _ in range(3)])
    >>> parameters["weight"].shape
    torch.Size([3, 1, 2])
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if any(type(one) is not type(models[0]) for one in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    if any(one.training != models[0].training for one in models):
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    parameters = {
        name: _stacked_leaf([dict(one.named_parameters())[name] for one in models])
        for name, _ in models[0].named_parameters()
    }
    buffers = {
        name: _stacked_leaf([dict(one.named_buffers())[name] for one in models])
        for name, _ in models[0].named_buffers()
    }
    return parameters, buffers


def _stacked_leaf(tensors: list[Any]) -> Any:
    """Return ``tensors`` stacked, as a leaf that requires grad if they do; RuntimeError if only some do."""
    asks = {one.requires_grad for one in tensors}
    if len(asks) > 1:
        raise RuntimeError(
            "Expected each parameter to have the same requires_grad setting for all models: it differs for some"
        )
    return stack([one.detach() for one in tensors]).requires_grad_(asks.pop())


# ------------------------------------------------------------------ one level of differentiation


class _Level:
    """Inputs that a function is differentiated by, and what then depends on something else as well."""

    def __init__(self) -> None:
        self.own: set[Node | None] = set()
        self.recorded = is_grad_enabled()

    def fresh(self, x: Any, what: str) -> Any:
        """Return the ``x`` given to the function: a leaf, or a view where the caller's own tensor requires grad."""
        if not isinstance(x, Variable):
            raise ValueError(f"{what}: Expected all inputs to be Tensors, got {type(x)}")
        if x.node is not None and self.recorded:
            return view(x, x.array.shape)
        made = wrap(x.result, as_ndarray(x), None, ensure_version(x))
        made.node = new_leaf(made)
        self.own.add(made.node)
        return made

    def closed(self, x: Any) -> Any:
        """Return ``x``, cut off from the graph unless that leads to something outside of this level."""
        if not isinstance(x, Variable) or x.node is None or self._leads_out(x.node):
            return x
        return wrap(x.result, as_ndarray(x), None, ensure_version(x))

    def _leads_out(self, node: Node) -> bool:
        seen: set[int] = set()
        pending = [node]
        while pending and self.recorded:
            one = pending.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            if one.backward is None:
                if one not in self.own:
                    return True
            else:
                pending += [edge for edge in one.edges if edge is not None]
        return False


def _pulled(level: _Level, outputs: list[Any], inputs: list[Any], weights: Any, **options: Any) -> list[Any]:
    """Return the gradient of each input, zeros where there is none."""
    pairs = [(out, w) for out, w in zip(outputs, weights, strict=True) if out.requires_grad]
    found: Any = [None] * len(inputs)
    if pairs and inputs:
        outs, ws = zip(*pairs, strict=True)
        found = _grad(outs, inputs, ws, create_graph=level.recorded, allow_unused=True, **options)
    return [_zeros(x) if g is None else g for g, x in zip(found, inputs, strict=True)]


def _zeros(like: Any, shape: tuple[int, ...] | None = None) -> Any:
    return wrap(like.result, np.zeros(like.array.shape if shape is None else shape, like.array.dtype))


def _arguments(args: tuple[Any, ...], argnums: Any) -> tuple[Any, ...]:
    """Return the places that ``argnums`` names; RuntimeError if there is no such argument."""
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    for number in numbers:
        if not isinstance(number, int):
            raise RuntimeError(f"argnum must be int or Tuple[int, ...], got: {type(number)}")
        if not -len(args) <= number < len(args):
            raise RuntimeError(f"Got argnum={number}, but only {len(args)} positional inputs")
    return tuple(number % len(args) for number in numbers)


def _opened(level: _Level, args: tuple[Any, ...], argnums: Any, what: str) -> tuple[list[Any], Any]:
    """Return the arguments with those of ``argnums`` made inputs of ``level``, and these, nested as they were."""
    places = _arguments(args, argnums)
    given = list(args)
    for place in places:
        given[place] = mapped(lambda x: level.fresh(x, what), args[place])
    chosen = tuple(given[place] for place in places)
    return given, chosen if isinstance(argnums, tuple) else chosen[0]


def _split(result: Any, has_aux: bool, what: str) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(f"{what}: output of function f should be a tuple: (output, aux) if has_aux is True")
    return result


def grad_and_value(func: Function, argnums: Any = 0, has_aux: bool = False) -> Function:
    """Return a function that gives the gradient of ``func`` and what ``func`` returned, a tensor without dims.

    As :func:`grad`; with ``has_aux`` it gives ``(gradient, (value, aux))``.

    https://pytorch.org/docs/stable/generated/torch.func.grad_and_value.html
    """

    @wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        level = _Level()
        with enable_grad():
            given, chosen = _opened(level, args, argnums, "grad_and_value")
            output, aux = _split(func(*given, **kwargs), has_aux, "grad_and_value")
            if not isinstance(output, Variable):
                raise RuntimeError(f"Expected f(*args) to return a Tensor, got {type(output)}")
            value: Any = output
            if value.array.ndim:
                raise RuntimeError(
                    f"Expected f(*args) to return a scalar tensor, got tensor with {value.array.ndim} dims."
                )
            found = _pulled(level, [value], flat(chosen), [None])
        gradients = filled(chosen, [level.closed(g) for g in found])
        value, aux = level.closed(value), mapped(level.closed, aux)
        return gradients, (value, aux) if has_aux else value

    return differentiated


def grad(func: Function, argnums: Any = 0, has_aux: bool = False) -> Function:
    """Return a function that gives the gradient of ``func`` by its argument number ``argnums``, or by several.

    ``func`` returns a tensor without dims, with ``has_aux`` also something else, which is handed on. The argument may
    be a tensor, or tuples, lists and dicts of them. Gradients of gradients are ``grad(grad(func))``.

    https://pytorch.org/docs/stable/generated/torch.func.grad.html

    >>> import rushlight as torch
    >>> from rushlight.func import grad
    >>> grad(lambda x: x**3)(torch.tensor(2.0)), grad(grad(lambda x: x**3))(torch.tensor(2.0))
    (tensor(12.), tensor(12.))
    """
    both = grad_and_value(func, argnums, has_aux)

    @wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        gradients, rest = both(*args, **kwargs)
        return (gradients, rest[1]) if has_aux else gradients

    return differentiated


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> Any:
    """Return ``func(*primals)`` and a function from what weighs its outputs to a tuple of gradients by ``primals``.

    With ``has_aux`` also what ``func`` returned second.

    https://pytorch.org/docs/stable/generated/torch.func.vjp.html

    >>> import rushlight as torch
    >>> value, vjp_fn = torch.func.vjp(torch.sin, torch.zeros(2))
    >>> value, vjp_fn(torch.tensor([1.0, 3.0]))
    (tensor([0., 0.]), (tensor([1., 3.]),))
    """
    level = _Level()
    with enable_grad():
        given = mapped(lambda x: level.fresh(x, "vjp"), primals)
        output, aux = _split(func(*given), has_aux, "vjp")
    outputs = flat(output)
    for out in outputs:
        if not isinstance(out, Variable):
            raise RuntimeError(f"vjp: Expected f(*primals) to return tensors, got {type(out)}")

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        weights = flat(cotangents)
        if len(weights) != len(outputs):
            raise RuntimeError(f"Expected cotangents for {len(outputs)} outputs, got {len(weights)}")
        with enable_grad():
            found = _pulled(level, outputs, flat(given), weights, retain_graph=retain_graph)
        return filled(given, [level.closed(g) for g in found])

    value = mapped(level.closed, output)
    return (value, vjp_fn, mapped(level.closed, aux)) if has_aux else (value, vjp_fn)


def jvp(func: Function, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """Return ``func(*primals)`` and how it moves as ``primals`` move by ``tangents``; both are tuples.

    Computed with two reverse passes. With ``has_aux`` also what ``func`` returned second.

    https://pytorch.org/docs/stable/generated/torch.func.jvp.html

    >>> import rushlight as torch
    >>> torch.func.jvp(torch.sin, (torch.zeros(2),), (torch.tensor([1.0, 3.0]),))
    (tensor([0., 0.]), tensor([1., 3.]))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError(f"jvp: Expected primals and tangents to be tuples, got {type(primals)}, {type(tangents)}")
    steps = flat(tangents)
    if [getattr(x, "shape", None) for x in flat(primals)] != [getattr(x, "shape", None) for x in steps]:
        raise RuntimeError("jvp: Expected primals and tangents to have the same structure and shapes")
    level = _Level()
    with enable_grad():
        given = mapped(lambda x: level.fresh(x, "jvp"), primals)
        output, aux = _split(func(*given), has_aux, "jvp")
        outputs = flat(output)
        probe, recording = [level.fresh(_zeros(out), "jvp") for out in outputs], level.recorded
        level.recorded = True  # the second pass goes through the first
        pulled = _pulled(level, outputs, flat(given), probe)
        level.recorded = recording
        moved = _pulled(level, pulled, probe, steps)
    value, change = mapped(level.closed, output), filled(output, [level.closed(x) for x in moved])
    return (value, change, mapped(level.closed, aux)) if has_aux else (value, change)


def jacrev(
    func: Function,
    argnums: Any = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Function:
    """Return a function that gives the Jacobian of ``func`` by its argument number ``argnums``, or by several.

    For each output and input a tensor of both their shapes, nested as outputs, then as inputs. One reverse pass for
    each element of the outputs; ``chunk_size`` changes nothing.

    https://pytorch.org/docs/stable/generated/torch.func.jacrev.html

    >>> import rushlight as torch
    >>> torch.func.jacrev(torch.square)(torch.tensor([1.0, 3.0]))
    tensor([[2., 0.],
            [0., 6.]])
    """

    @wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        level = _Level()
        with enable_grad():
            given, chosen = _opened(level, args, argnums, "jacrev")
            output, aux = _split(func(*given, **kwargs), has_aux, "jacrev")
            inputs = flat(chosen)
            rows = [_jacobian(level, out, inputs) for out in flat(output)]
        found = filled(output, [filled(chosen, [level.closed(x) for x in row]) for row in rows])
        return (found, mapped(level.closed, aux)) if has_aux else found

    return differentiated


def _jacobian(level: _Level, out: Any, inputs: list[Any]) -> list[Any]:
    """Return the Jacobian of one output by each input."""
    if not isinstance(out, Variable):
        raise RuntimeError(f"jacrev: Expected f to return tensors, got {type(out)}")
    value: Any = out
    rows = []
    for place in range(value.array.size):
        weight = _zeros(value)
        as_ndarray(weight).flat[place] = 1
        rows.append(_pulled(level, [value], inputs, [weight], retain_graph=True))
    shapes = [(*value.array.shape, *x.array.shape) for x in inputs]
    if not rows:
        return [_zeros(x, shape) for x, shape in zip(inputs, shapes, strict=True)]
    return [reshape(stack(column), shape) for column, shape in zip(zip(*rows, strict=True), shapes, strict=True)]


def jacfwd(func: Function, argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error") -> Function:
    """Return the Jacobian, as :func:`jacrev` does: the values are the same, and there is no forward mode here.

    https://pytorch.org/docs/stable/generated/torch.func.jacfwd.html
    """
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Function, argnums: Any = 0) -> Function:
    """Return a function that gives the second derivatives of ``func``, which returns a tensor.

    https://pytorch.org/docs/stable/generated/torch.func.hessian.html

    >>> import rushlight as torch
    >>> torch.func.hessian(lambda x: (x * x * x).sum())(torch.tensor([1.0, 3.0]))
    tensor([[ 6.,  0.],
            [ 0., 18.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)

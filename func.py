"""Functions of functions: ``torch.func``. Derivatives as functions, and modules called with other parameters.

https://pytorch.org/docs/stable/func.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from .arrays.trees import filled, flat, mapped, structure
from .autograd.entry import grad as _grad
from .autograd.forward_jacobian import basis, forward_jacobian, zeros
from .autograd.grad_mode import enable_grad
from .autograd.gradient_edge import node_of
from .autograd.levels import Level, float_only
from .autograd.linearization import Linearization
from .autograd.node import Node
from .autograd.recording import is_grad_enabled
from .autograd.tangents import as_tensor, fresh_leaf, without_history
from .autograd.transforms import Transforming
from .autograd.variable import Variable
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
    "linearize",
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


# ------------------------------------------------------------------ what comes in and what goes out

JVP = "jvp(f, primals, tangents)"


def _places(argnums: Any, count: int) -> tuple[int, ...]:
    """Return the places among ``count`` arguments that ``argnums`` names; RuntimeError if there is no such argument."""
    if not isinstance(argnums, int | tuple):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    for number in numbers:
        if not isinstance(number, int):
            raise RuntimeError(f"argnum must be int, got: {type(number)}")
        if not -count <= number < count:
            raise RuntimeError(f"Got argnum={number}, but only {count} positional inputs")
    places = tuple(number % count for number in numbers)
    if not places:
        raise RuntimeError("argnums must be non-empty")
    if len(set(places)) < len(places):
        raise RuntimeError(f"argnums elements must be unique, got {places}")
    return places


def _chosen(args: Any, argnums: Any, places: tuple[int, ...]) -> Any:
    """Return the arguments that ``argnums`` names, nested as it is."""
    chosen = tuple(args[place] for place in places)
    return chosen if isinstance(argnums, tuple) else chosen[0]


def _parted(result: Any, has_aux: bool, what: str) -> tuple[Any, Any]:
    """Return what a function returned as its output and what it returned beside it."""
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(f"{what}: output of function f should be a tuple: (output, aux) if has_aux is True")
    for one in flat(result[1]):
        if not isinstance(one, Variable):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(one)}")
    return result


def _only_tensors(outputs: list[Any], what: str) -> None:
    """Raise RuntimeError unless there are outputs, and all are tensors."""
    if not outputs or (len(outputs) == 1 and outputs[0] is None):
        raise RuntimeError(f"{what}: Expected f to be a function that has non-empty output (got output = {outputs})")
    for one in outputs:
        if not isinstance(one, Variable):
            raise RuntimeError(f"{what}: expected f(*primals) to return only tensors, got unsupported type {type(one)}")


def _seen(x: Any) -> Any:
    """Return an argument by which nothing is differentiated: on the same memory, so that a write leaves it no graph."""
    return without_history(x) if isinstance(x, Variable) and node_of(x) is None else x


# ------------------------------------------------------------------ one level of reverse mode


class _Reverse:
    """Inputs that a function is differentiated by, and what then depends on something else as well."""

    def __init__(self) -> None:
        self.own: set[Node | None] = set()
        self.recorded = is_grad_enabled()

    def fresh(self, x: Any) -> Any:
        """Return the ``x`` given to the function: a leaf, or a view where the caller's own tensor requires grad."""
        if not isinstance(x, Variable):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(x)}")
        if x.array.dtype.kind != "f":
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if self.recorded and node_of(x) is not None:
            return view(x, x.array.shape)
        made = fresh_leaf(x)
        self.own.add(made.node)
        return made

    def closed(self, x: Any) -> Any:
        """Return ``x``, cut off from the graph unless that leads to something outside of this level."""
        if not isinstance(x, Variable) or x.node is None or self._leads_out(x.node):
            return x
        return without_history(x)

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

    def opened(self, args: tuple[Any, ...], argnums: Any) -> tuple[list[Any], Any]:
        """Return the arguments with those of ``argnums`` made inputs of this level, and these, nested as they were."""
        places = _places(argnums, len(args))
        given = [mapped(self.fresh if place in places else _seen, x) for place, x in enumerate(args)]
        return given, _chosen(given, argnums, places)

    def pulled(
        self, outputs: list[Any], inputs: list[Any], weights: Any, create_graph: bool, **options: Any
    ) -> list[Any]:
        """Return the gradient of each input, zeros where there is none."""
        pairs = [(out, w) for out, w in zip(outputs, weights, strict=True) if out.requires_grad]
        found: Any = [None] * len(inputs)
        if pairs and inputs:
            outs, ws = zip(*pairs, strict=True)
            found = _grad(outs, inputs, ws, create_graph=create_graph, allow_unused=True, **options)
        return [zeros(x) if g is None else g for g, x in zip(found, inputs, strict=True)]


def grad_and_value(func: Function, argnums: Any = 0, has_aux: bool = False) -> Function:
    """Return a function that gives the gradient of ``func`` and what ``func`` returned, a tensor without dims.

    As :func:`grad`; with ``has_aux`` it gives ``(gradient, (value, aux))``.

    https://pytorch.org/docs/stable/generated/torch.func.grad_and_value.html
    """

    @wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        level, what = _Reverse(), "grad_and_value(f)(*args)"
        with enable_grad(), Transforming(func):
            given, chosen = level.opened(args, argnums)
            words = {name: mapped(_seen, one) for name, one in kwargs.items()}
            output, aux = _parted(func(*given, **words), has_aux, what)
            if not isinstance(output, Variable):
                raise RuntimeError(f"{what}: Expected f(*args) to return a Tensor, got {type(output)}")
            value: Any = output
            if value.array.ndim:
                raise RuntimeError(
                    f"{what}: Expected f(*args) to return a scalar Tensor, got tensor with {value.array.ndim} dims. "
                    "Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            found = level.pulled([value], flat(chosen), [None], level.recorded)
        gradients = filled(chosen, [level.closed(g) for g in found])
        value, aux = level.closed(value), mapped(level.closed, aux)
        return gradients, (value, aux) if has_aux else value

    return differentiated


def grad(func: Function, argnums: Any = 0, has_aux: bool = False) -> Function:
    """Return a function that gives the gradient of ``func`` by its argument number ``argnums``, or by several.

    ``func`` returns a tensor without dims, with ``has_aux`` also other tensors, which are handed on. The argument may
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
    return _vjp(func, primals, None, has_aux)


def _vjp(func: Function, primals: tuple[Any, ...], argnums: Any, has_aux: bool) -> Any:
    """Return what :func:`vjp` does, by the arguments ``argnums`` only; None: by all."""
    level, what = _Reverse(), "vjp(f, *primals)"
    with enable_grad(), Transforming(func):
        if argnums is None:
            given = chosen = mapped(level.fresh, primals)
        else:
            given, chosen = level.opened(primals, argnums)
        output, aux = _parted(func(*given), has_aux, what)
    outputs = flat(output)
    _only_tensors(outputs, what)
    for out in outputs:
        if out.array.dtype.kind != "f":
            raise RuntimeError(
                "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype "
                f"{out.dtype}"
            )

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        if structure(cotangents) != structure(output):
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {structure(cotangents)}, primal output: {structure(output)}"
            )
        record = level.recorded or (is_grad_enabled() if create_graph is None else create_graph)
        with enable_grad():
            found = level.pulled(outputs, flat(chosen), flat(cotangents), record, retain_graph=retain_graph)
        return filled(chosen, [level.closed(g) for g in found])

    value = mapped(level.closed, output)
    return (value, vjp_fn, mapped(level.closed, aux)) if has_aux else (value, vjp_fn)


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
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @wraps(func)
    def differentiated(*args: Any) -> Any:
        output, vjp_fn, *aux = _vjp(func, args, argnums, has_aux)
        chosen = _chosen(args, argnums, _places(argnums, len(args)))
        outputs = flat(output)
        rows: list[Any] = []
        for number, out in enumerate(outputs):
            passes = []
            for place in range(out.array.size):
                weights = [basis(one, place) if n == number else zeros(one) for n, one in enumerate(outputs)]
                passes.append(flat(vjp_fn(filled(output, weights))))
            shapes = [(*out.array.shape, *x.array.shape) for x in flat(chosen)]
            columns = zip(*passes, strict=True) if passes else ([] for _ in shapes)
            made = [_stacked(column, shape, out) for column, shape in zip(columns, shapes, strict=True)]
            rows.append(filled(chosen, made))
        found = filled(output, rows)
        return (found, *aux) if has_aux else found

    return differentiated


def _stacked(column: Any, shape: tuple[int, ...], like: Any) -> Any:
    return reshape(stack(list(column)), shape) if column else zeros(like, shape)


# ------------------------------------------------------------------ forward mode


def jvp(func: Function, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """Return ``func(*primals)`` and how it moves as ``primals`` move by ``tangents``; both are tuples.

    One pass forward. With ``has_aux`` also what ``func`` returned second; with ``strict`` RuntimeError for an output
    that does not depend on the inputs.

    https://pytorch.org/docs/stable/generated/torch.func.jvp.html

    >>> import rushlight as torch
    >>> torch.func.jvp(torch.sin, (torch.zeros(2),), (torch.tensor([1.0, 3.0]),))
    (tensor([0., 0.]), tensor([1., 3.]))
    """
    if not isinstance(primals, tuple):
        raise RuntimeError(f"{JVP}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals).")
    if structure(primals) != structure(tangents):
        raise RuntimeError(
            f"{JVP}: Expected primals and tangents to have the same python structure. For example, if primals is a "
            f"tuple of 3 tensors, tangents also must be. Got primals with structure {structure(primals)} and tangents "
            f"with structure {structure(tangents)}"
        )
    inputs, steps = flat(primals), flat(tangents)
    _lists_of_tensors(inputs, steps)
    with Transforming(func), Level() as level:
        duals = filled(primals, [level.dual_along(x, t) for x, t in zip(inputs, steps, strict=True)])
        output, aux = _parted(func(*duals), has_aux, JVP)
        outputs = flat(output)
        _only_tensors(outputs, JVP)
        moved, values = [level.tangents(out) for out in outputs], [level.primal(out) for out in outputs]
        aux = mapped(level.primal, aux) if has_aux else None
    if strict and any(one is None for one in moved):
        raise RuntimeError(
            "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not allowed "
            "with strict=True."
        )
    changes = [zeros(out) if t is None else as_tensor(t[0]) for out, t in zip(values, moved, strict=True)]
    value, change = filled(output, values), filled(output, changes)
    return (value, change, aux) if has_aux else (value, change)


def _lists_of_tensors(inputs: list[Any], steps: list[Any]) -> None:
    for listed, what in (inputs, "primals"), (steps, "tangents"):
        if not listed:
            raise RuntimeError(f"{JVP}: Expected {what} to contain at least one Tensor.")
        for one in listed:
            if not isinstance(one, Variable):
                raise RuntimeError(f"{JVP}: Expected {what} to only contain Tensors, got {type(one)}")


def jacfwd(func: Function, argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error") -> Function:
    """Return a function that gives the Jacobian of ``func``, nested as that of :func:`jacrev`.

    One pass forward, which pushes a tangent for each element of the inputs; ``randomness`` changes nothing.

    https://pytorch.org/docs/stable/generated/torch.func.jacfwd.html

    >>> import rushlight as torch
    >>> torch.func.jacfwd(torch.square)(torch.tensor([1.0, 3.0]))
    tensor([[2., 0.],
            [0., 6.]])
    """

    @wraps(func)
    def differentiated(*args: Any) -> Any:
        places = _places(argnums, len(args))
        chosen = _chosen(args, argnums, places)
        inputs = flat(chosen)
        _lists_of_tensors(inputs, inputs)
        for x in inputs:
            float_only(x, "primal")
        kept: list[Any] = []

        def call(duals: list[Any]) -> list[Any]:
            given, nested = [mapped(_seen, x) for x in args], filled(chosen, duals)
            for number, place in enumerate(places):
                given[place] = nested[number] if isinstance(argnums, tuple) else nested
            with Transforming(func):
                kept[:] = _parted(func(*given), has_aux, JVP)
            outputs = flat(kept[0])
            _only_tensors(outputs, JVP)
            return [*outputs, *(flat(kept[1]) if has_aux else ())]

        values, columns = forward_jacobian(call, inputs)
        output, aux = kept
        count = len(flat(output))
        rows, aux = [filled(chosen, each) for each in columns[:count]], filled(aux, values[count:]) if has_aux else None
        found = filled(output, rows)
        return (found, aux) if has_aux else found

    return differentiated


def linearize(func: Function, *primals: Any) -> tuple[Any, Function]:
    """Return ``func(*primals)``, and a function from tangents of ``primals`` to that of the output.

    ``func`` is called once; what its steps saved is kept, and must not be written.

    https://pytorch.org/docs/stable/generated/torch.func.linearize.html

    >>> import rushlight as torch
    >>> value, jvp_fn = torch.func.linearize(torch.sin, torch.zeros(2))
    >>> jvp_fn(torch.tensor([1.0, 3.0])), jvp_fn(torch.tensor([0.0, 2.0]))
    (tensor([1., 3.]), tensor([0., 2.]))
    """
    inputs, output = flat(primals), None

    for x in inputs:
        float_only(x, "primal")

    def call(duals: list[Any]) -> list[Any]:
        nonlocal output
        with Transforming(func):
            output = func(*filled(primals, duals))
        return flat(output)

    made = Linearization(call, inputs)
    like = filled(output, list(made.values))

    def jvp_fn(*tangents: Any) -> Any:
        if structure(tangents) != structure(primals):
            raise RuntimeError(
                f"Expected the tangents {structure(tangents)} to have the same argspec as the primals "
                f"{structure(primals)}"
            )
        steps = flat(tangents)
        for number, (t, x) in enumerate(zip(steps, inputs, strict=True)):
            for what in "shape", "dtype":
                if getattr(t, what) != getattr(x, what):
                    raise RuntimeError(
                        f"tangent:{number} with {what} {getattr(t, what)} in flattened pytree doesn't match the {what} "
                        f"{getattr(x, what)} of the corresponding primal."
                    )
        pushed = zip(made.push(steps), made.values, strict=True)
        return filled(like, [zeros(x) if t is None and isinstance(x, Variable) else t for t, x in pushed])

    return like, jvp_fn


def hessian(func: Function, argnums: Any = 0) -> Function:
    """Return a function that gives the second derivatives of ``func``, which returns a tensor: forward over reverse.

    https://pytorch.org/docs/stable/generated/torch.func.hessian.html

    >>> import rushlight as torch
    >>> torch.func.hessian(lambda x: (x * x * x).sum())(torch.tensor([1.0, 3.0]))
    tensor([[ 6.,  0.],
            [ 0., 18.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)

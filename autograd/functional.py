"""Derivatives of functions: Jacobians, Hessians, and their products with vectors.

https://pytorch.org/docs/stable/autograd.html#functional-higher-level-api. As in PyTorch ``jvp`` and ``hvp`` use the
backward of the backward (https://j-towns.github.io/2017/06/12/A-new-trick.html); ``func.jvp`` goes forward.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .entry import grad, stack
from .forward_jacobian import forward_jacobian
from .grad_mode import enable_grad, set_grad_enabled
from .recording import is_grad_enabled
from .tangents import fresh_leaf, without_history
from .variable import Variable, as_ndarray, new_leaf, wrap

Function = Callable[..., Any]
STRICT = "This is not allowed in strict mode."


def _listed(given: Any, what: str, where: str) -> tuple[bool, tuple[Any, ...]]:
    """Return whether ``given`` is a tuple, and its tensors; TypeError for anything else."""
    several = isinstance(given, tuple)
    listed: tuple[Any, ...] = given if several else (given,)
    for number, one in enumerate(listed):
        if not isinstance(one, Variable):
            which = f"value at index {number}" if several else f"given {what}"
            raise TypeError(
                f"The {what} given to {where} must be either a Tensor or a tuple of Tensors but the {which} has type "
                f"{type(one)}."
            )
    return several, listed


def _nested(given: tuple[Any, ...], several: bool) -> Any:
    return given if several else given[0]


def _fresh(inputs: tuple[Any, ...], create_graph: bool) -> tuple[Any, ...]:
    """Return the inputs as the function shall see them: tied to the graph if that is asked for, else new leaves."""
    return tuple(x.view(x.array.shape) if create_graph and x.requires_grad else fresh_leaf(x) for x in inputs)


def _leaf(x: Any) -> Any:
    x.node = new_leaf(x)
    return x


def _finished(found: tuple[Any, ...], create_graph: bool) -> tuple[Any, ...]:
    return found if create_graph else tuple(without_history(x) for x in found)


def _zeros(like: Any) -> Any:
    return wrap(like.result, np.zeros(like.array.shape, like.array.dtype))


def _vjp_of(
    outputs: tuple[Any, ...], inputs: tuple[Any, ...], weights: Any = None, create_graph: bool = False, **kept: Any
) -> tuple[Any, ...]:
    """Return the gradients of those outputs that have one, None where there is none."""
    weights = weights if weights is not None else (None,) * len(outputs)
    pairs = [(out, w) for out, w in zip(outputs, weights, strict=True) if out is not None and out.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    outs, ws = zip(*pairs, strict=True)
    return grad(outs, inputs, ws, create_graph=create_graph, allow_unused=True, **kept)


def _filled(
    found: tuple[Any, ...], like: tuple[Any, ...], strict: bool, create_graph: bool, absent: str, constant: str
) -> tuple[Any, ...]:
    """Return ``found`` with zeros for None; in strict mode that is an error, and so is a constant derivative."""
    for number, one in enumerate(found):
        if strict and one is None:
            raise RuntimeError(f"{absent} {number}. {STRICT}")
        if strict and create_graph and not one.requires_grad:
            raise RuntimeError(f"{constant} {number}. {STRICT[:-1]} when create_graph=True.")
    return tuple(_zeros(x) if one is None else one for one, x in zip(found, like, strict=True))


def _demand(values: tuple[Any, ...], strict: bool, constant: str) -> None:
    """Raise RuntimeError in strict mode if a value does not depend on the inputs."""
    for number, one in enumerate(values if strict else ()):
        if one is None:
            raise RuntimeError(f"The output of the user-provided function is independent of input {number}. {STRICT}")
        if not one.requires_grad:
            raise RuntimeError(f"{constant.format(number)} {STRICT}")


OUTPUT = "Output {} of the user-provided function does not require gradients, so it is independent of the inputs."
GRADIENT = "The gradient with respect to input {} is independent of the inputs of the user-provided function."
JACOBIAN = "The jacobian of the user-provided function with respect to input {} is independent of the input."
HESSIAN = "The hessian of the user-provided function with respect to input {} is independent of the input."
OF_OUTPUT = "The output of the user-provided function is independent of input"
OF_JACOBIAN = "The jacobian of the user-provided function is independent of input"
OF_HESSIAN = "The hessian of the user-provided function is independent of input"
OF_WEIGHT = "The gradient with respect to the input is independent of the weight of output"


def _vector(v: Any, like: tuple[Any, ...], several: bool, where: str, needed: str) -> tuple[Any, ...]:
    """Return the tensors of ``v``, ones where it is None; RuntimeError unless they fit ``like``."""
    if v is None:
        if len(like) != 1 or like[0].array.size != 1:
            raise RuntimeError(f"The vector v can only be None if {needed} a single Tensor with a single element.")
        return (wrap(like[0].result, np.ones(like[0].array.shape, like[0].array.dtype)),)
    listed = _listed(v, "v", where)[1]
    if len(listed) != len(like):
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(listed)}."
            if several
            else "The given v should contain a single Tensor."
        )
    for number, (one, x) in enumerate(zip(listed, like, strict=True)):
        if one.array.shape != x.array.shape:
            which = f"Entry {number} in " if several else ""
            raise RuntimeError(
                f"{which}v has invalid size: should be torch.Size({list(x.array.shape)}) but got "
                f"torch.Size({list(one.array.shape)})."
            )
    return tuple(wrap(one.result, as_ndarray(one)) if one.node is None else one for one in listed)


def vjp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return ``func(*inputs)`` and the product of ``v`` with its Jacobian, as one backward pass gives it.

    ``v`` has the shape of the output. With ``strict`` an independent input is an error, else its product is zeros.

    >>> import rushlight as torch
    >>> torch.autograd.functional.vjp(lambda x: x * x, torch.tensor([1.0, 3.0]), torch.tensor([1.0, 10.0]))
    (tensor([1., 9.]), tensor([ 2., 60.]))
    """
    with enable_grad():
        several, inputs = _listed(inputs, "inputs", "vjp")
        inputs = _fresh(inputs, create_graph)
        out_several, outputs = _listed(func(*inputs), "outputs of the user-provided function", "vjp")
        _demand(outputs, strict, OUTPUT)
        v = _vector(v, outputs, out_several, "vjp", "the user-provided function returns")
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = _filled(_vjp_of(outputs, inputs, v, create_graph), inputs, strict, create_graph, OF_OUTPUT, OF_JACOBIAN)
    return _nested(_finished(outputs, create_graph), out_several), _nested(_finished(found, create_graph), several)


def jvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return ``func(*inputs)`` and the product of its Jacobian with ``v``: how outputs move as inputs move by ``v``.

    >>> import rushlight as torch
    >>> torch.autograd.functional.jvp(lambda x: x * x, torch.tensor([1.0, 3.0]), torch.tensor([1.0, 10.0]))
    (tensor([1., 9.]), tensor([ 2., 60.]))
    """
    with enable_grad():
        several, inputs = _listed(inputs, "inputs", "jvp")
        v = _vector(v, inputs, several, "jvp", "the input to the user-provided function is")
        inputs = _fresh(inputs, create_graph)
        out_several, outputs = _listed(func(*inputs), "outputs of the user-provided function", "jvp")
        _demand(outputs, strict, OUTPUT)
        weights = tuple(_leaf(_zeros(out)) for out in outputs)
        grads = _vjp_of(outputs, inputs, weights, True)
        _demand(grads, strict, GRADIENT)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        pushed = _vjp_of(grads, weights, v, create_graph)
        found = _filled(pushed, outputs, strict, create_graph, OF_WEIGHT, OF_JACOBIAN)
    return (
        _nested(_finished(outputs, create_graph), out_several),
        _nested(_finished(found, create_graph), out_several),
    )


def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return the Jacobian of ``func`` at ``inputs``: for each output and input a tensor of both their shapes.

    A tuple of outputs gives a tuple, and so does a tuple of inputs inside of it. One backward pass for each element of
    the outputs, with the ``strategy`` "forward-mode" one pass forward with a tangent for each element of the inputs,
    which asks for ``vectorize``; that changes nothing else.

    >>> import rushlight as torch
    >>> torch.autograd.functional.jacobian(lambda x: x * x, torch.tensor([1.0, 3.0]))
    tensor([[2., 0.],
            [0., 6.]])
    """
    if strategy not in {"forward-mode", "reverse-mode"}:
        raise AssertionError(f'Expected strategy to be either "forward-mode" or "reverse-mode", not {strategy!r}.')
    if strategy == "forward-mode":
        return _forward(func, inputs, create_graph, strict, vectorize)
    if strict and vectorize:
        raise RuntimeError("jacobian: `strict=True` and `vectorized=True` are not supported together.")
    with enable_grad():
        several, inputs = _listed(inputs, "inputs", "jacobian")
        inputs = _fresh(inputs, create_graph)
        out_several, outputs = _listed(func(*inputs), "outputs of the user-provided function", "jacobian")
        _demand(outputs, strict, OUTPUT)
        rows = [_row(out, number, inputs, create_graph, strict) for number, out in enumerate(outputs)]
    return _nested(tuple(_nested(_finished(row, create_graph), several) for row in rows), out_several)


def _forward(func: Function, inputs: Any, create_graph: bool, strict: bool, vectorize: bool) -> Any:
    """Return the Jacobian by one pass forward."""
    if create_graph:
        raise NotImplementedError(
            'torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported '
            'together (yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.'
        )
    if strict:
        raise RuntimeError(
            'torch.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported '
            'together (yet). Please either set `strict=False` or `strategy="reverse-mode"`.'
        )
    several, inputs = _listed(inputs, "inputs", "jacobian")
    if not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only implemented for "
            "`vectorize=True`."
        )
    nested = []

    def call(duals: list[Any]) -> list[Any]:
        out_several, outputs = _listed(func(*duals), "outputs of the user-provided function", "jacobian")
        nested.append(out_several)
        return list(outputs)

    rows = forward_jacobian(call, inputs)[1]
    return _nested(tuple(_nested(tuple(row), several) for row in rows), nested[0])


def _row(out: Any, number: int, inputs: tuple[Any, ...], create_graph: bool, strict: bool) -> tuple[Any, ...]:
    """Return the Jacobian of one output with respect to each input."""
    columns: list[list[Any]] = [[] for _ in inputs]
    for place in range(out.array.size):
        weight = _zeros(out)
        weight.array = np.asarray(weight.array)
        weight.array.flat[place] = 1
        found = _vjp_of((out,), inputs, (weight,), create_graph, retain_graph=True)
        absent = f"Output {number} of the user-provided function is independent of input"
        filled = _filled(found, inputs, strict, create_graph, absent, OF_JACOBIAN)
        for column, one in zip(columns, filled, strict=True):
            column.append(one)
    return tuple(
        stack(column).reshape((*out.array.shape, *x.array.shape))
        if column
        else wrap(x.result, np.zeros((*out.array.shape, *x.array.shape), x.array.dtype))
        for column, x in zip(columns, inputs, strict=True)
    )


def _scalar(func: Function, inputs: tuple[Any, ...], where: str) -> Any:
    """Return the only element of what ``func`` returns; RuntimeError if there are more."""
    several, outputs = _listed(func(*inputs), "outputs of the user-provided function", where)
    if several:
        raise RuntimeError(f"The function given to {where} should return a single Tensor")
    if outputs[0].array.size != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {where} should contain a single element")
    return outputs[0]


def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return the Hessian of ``func``, which returns one number: for each pair of inputs a tensor of both their shapes.

    >>> import rushlight as torch
    >>> torch.autograd.functional.hessian(lambda x: (x * x * x).sum(), torch.tensor([1.0, 3.0]))
    tensor([[ 6.,  0.],
            [ 0., 18.]])
    """
    several, inputs = _listed(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in {"forward-mode", "reverse-mode"}:
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def slope(*at: Any) -> Any:
        found = jacobian(lambda *given: _scalar(func, given, "hessian").reshape(()), at, create_graph=True)
        _demand(found, strict, JACOBIAN)
        return found

    found = jacobian(slope, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)
    return _nested(tuple(_nested(row, several) for row in found), several)


def vhp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return ``func(*inputs)``, one number, and the product of ``v`` with its Hessian.

    >>> import rushlight as torch
    >>> torch.autograd.functional.vhp(lambda x: (x * x * x).sum(), torch.tensor([1.0, 3.0]), torch.tensor([1.0, 2.0]))
    (tensor(28.), tensor([ 6., 36.]))
    """
    with enable_grad():
        several, inputs = _listed(inputs, "inputs", "vhp")
        v = _vector(v, inputs, several, "vhp", "the input to the user-provided function is")
        inputs = _fresh(inputs, create_graph)
        output = _scalar(func, inputs, "vhp")
        slopes = _vjp_of((output,), inputs, None, True)
        _demand(slopes, strict, JACOBIAN)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        grads = _vjp_of(slopes, inputs, v, create_graph)
        found = _filled(grads, inputs, strict, create_graph, OF_JACOBIAN, OF_HESSIAN)
    return _finished((output,), create_graph)[0], _nested(_finished(found, create_graph), several)


def hvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return ``func(*inputs)``, one number, and the product of its Hessian with ``v``.

    :func:`vhp` gives the same for functions with continuous second derivatives, in less time.
    """
    with enable_grad():
        several, inputs = _listed(inputs, "inputs", "hvp")
        v = _vector(v, inputs, several, "hvp", "the input to the user-provided function is")
        inputs = _fresh(inputs, create_graph)
        output = _scalar(func, inputs, "hvp")
        slopes = _vjp_of((output,), inputs, None, True)
        _demand(slopes, strict, JACOBIAN)
        weights = tuple(_leaf(_zeros(x)) for x in inputs)
        grads = _vjp_of(slopes, inputs, weights, True)
        _demand(grads, strict, HESSIAN)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        pushed = _vjp_of(grads, weights, v, create_graph)
        found = _filled(pushed, inputs, strict, create_graph, OF_WEIGHT, OF_HESSIAN)
    return _finished((output,), create_graph)[0], _nested(_finished(found, create_graph), several)

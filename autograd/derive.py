"""``backward`` and ``grad``: what users call to differentiate.

https://pytorch.org/docs/stable/generated/torch.autograd.grad.html
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtypes import dtype_of
from .engine import arrive, run
from .hooks import hooks_of
from .mode import Recording
from .node import Node, Variable, new_leaf, wrap
from .ops.adapt import convert
from .ops.join import stack
from .view import settle


def node_of(x: Variable) -> Node | None:
    """Return the node of ``x`` as of now: a view first looks whether its base was written."""
    if x.view_of is not None:
        settle(x)
    return x.node


def _listed(given: Any, what: str) -> list[Any]:
    listed = [given] if isinstance(given, Variable) else list(given)
    if not listed:
        raise RuntimeError(f"'{what}' argument cannot be empty.")
    for one in listed:
        if not isinstance(one, Variable):
            raise TypeError(f"{what} must be Tensors, not {type(one).__name__}")
    return listed


def _seed(output: Variable, gradient: Any, create_graph: bool) -> Any:
    """Return the gradient that enters at ``output``: an array, or a tensor where the walk is recorded."""
    array = output.array
    if gradient is None:
        if array.size != 1:
            raise RuntimeError(
                f"grad can be implicitly created only for scalar outputs, but the output has shape {list(array.shape)}"
                ": pass the gradient, or reduce the output first"
            )
        if array.dtype.kind != "f":
            raise RuntimeError(
                f"grad can be implicitly created only for real scalar outputs but got {dtype_of(array.dtype)}"
            )
        ones = np.ones(array.shape, array.dtype) if array.ndim else array.dtype.type(1)
        return wrap(output.result, ones) if create_graph else ones
    if not isinstance(gradient, Variable):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
    if gradient.array.shape != array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[0] has a shape of {_size(gradient)} and output[0] has a shape of "
            f"{_size(output)}."
        )
    seed = gradient if create_graph else gradient.array
    return seed if gradient.array.dtype is array.dtype else convert(seed, array.dtype)


def _size(x: Variable) -> str:
    return f"torch.Size({list(x.array.shape)})"


def _roots(outputs: list[Any], gradients: Any, create_graph: bool) -> dict[Node, Any]:
    if gradients is None:
        gradients = [None] * len(outputs)
    elif isinstance(gradients, Variable):
        gradients = [gradients]
    if len(gradients) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(gradients)} gradients")
    roots: dict[Node, Any] = {}
    for number, (output, gradient) in enumerate(zip(outputs, gradients, strict=True)):
        node = node_of(output)
        if node is None:
            raise RuntimeError(f"element {number} of tensors does not require grad and does not have a grad_fn")
        seed = _seed(output, gradient, create_graph)
        roots[node] = roots[node] + seed if node in roots else seed
    return roots


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of ``tensors`` to the ``grad`` of the leaves they were computed from.

    ``grad_tensors`` holds a gradient of the same shape for each tensor, or None for one with a single element. Unless
    ``retain_graph`` (default: ``create_graph``) the saved values are freed. With ``create_graph`` the gradients can be
    differentiated again. ``inputs``: only these tensors accumulate.

    >>> import rushlight as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward([(x * x).sum()])
    >>> x.grad
    tensor([2., 4.])
    """
    outputs = _listed(tensors, "tensors") if isinstance(tensors, Variable) or len(tensors) else []
    targets = None
    if inputs is not None:
        wanted = _listed(inputs, "inputs")
        targets = {_target(x) for x in wanted}
        for node in targets:
            if node.op is not None:
                hooks_of(node).retain = True
    cls = Variable.result
    keep = create_graph if retain_graph is None else retain_graph
    with Recording(create_graph):
        roots = _roots(outputs, grad_tensors, create_graph)
        arrived = run(roots, cls, record=create_graph, keep=keep, targets=targets)
        del roots
        arrive({node: g for node, g in arrived.items() if node.op is None} if targets else arrived, cls, create_graph)


def _target(x: Variable) -> Node:
    node = node_of(x)
    if node is None:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return node


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Return the gradients of the sum of ``outputs`` with respect to each of ``inputs``.

    ``grad_outputs`` weighs the outputs (the vector of a vector-Jacobian product). An input that the outputs do not
    depend on raises RuntimeError, gives None with ``allow_unused``, zeros with ``materialize_grads``. With
    ``is_grads_batched`` the first dim of each of ``grad_outputs`` is a batch, and so is that of each gradient.

    >>> import rushlight as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (dx,) = torch.autograd.grad(x**3, x, create_graph=True)
    >>> torch.autograd.grad(dx, x)
    (tensor(18.),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    outputs, inputs = _listed(outputs, "outputs"), _listed(inputs, "inputs")
    nodes = [_target(x) for x in inputs]
    cls = outputs[0].result
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        return _batched(outputs, inputs, grad_outputs, keep, create_graph, allow_unused, materialize_grads)
    with Recording(create_graph):
        roots = _roots(outputs, grad_outputs, create_graph)
        arrived = run(roots, cls, record=create_graph, keep=keep, targets=set(nodes))
    found: list[Any] = []
    for x, node in zip(inputs, nodes, strict=True):
        got = arrived.get(node)
        if got is None and materialize_grads:
            got = wrap(cls, np.zeros(x.array.shape, x.array.dtype))
            got.node = new_leaf(got) if create_graph else None  # as in PyTorch
        if got is None and not allow_unused:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True "
                "if this is the desired behavior."
            )
        found.append(got if got is None or isinstance(got, Variable) else wrap(cls, got))
    return tuple(found)


def _batched(
    outputs: list[Any],
    inputs: list[Any],
    grad_outputs: Any,
    keep: bool,
    create_graph: bool,
    allow_unused: bool | None,
    materialize: bool,
) -> tuple[Any, ...]:
    """Return :func:`grad` for each row of ``grad_outputs``, stacked."""
    given: list[Any] = [grad_outputs] if isinstance(grad_outputs, Variable) else list(grad_outputs)
    size = len(given[0].array)
    rows = []
    for n in range(size):
        seeds = [g[n] for g in given]
        last = n == size - 1
        rows.append(
            grad(outputs, inputs, seeds, keep or not last, create_graph, True, allow_unused, False, materialize)
        )
    if not size:
        return tuple(wrap(Variable.result, np.zeros((0, *x.array.shape), x.array.dtype)) for x in inputs)
    return tuple(None if column[0] is None else stack(column) for column in zip(*rows, strict=True))

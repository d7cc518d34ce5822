"""Errors and messages: a saved value that is gone or was written, a view that must not be written."""

from __future__ import annotations

from typing import Any

from ..arrays.dtypes import dtype_of
from .multi_output import step_of
from .node import Backward, Node
from .variable import Variable
from .version import last_writer, writes


class FreedError(RuntimeError):
    """A second walk through a graph whose saved values were freed by the first."""

    def __init__(self) -> None:
        super().__init__(
            "Trying to backward through the graph a second time (or directly access saved tensors after they have "
            "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
            "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or "
            "if you need to access saved tensors after calling backward."
        )


def raise_modified_inplace(backward: Backward, name: str, saved: tuple[Any, ...], node: Node) -> None:
    """Raise RuntimeError: the saved value ``name`` was written after a step of kind ``backward`` saved it."""
    slot = next(each for each in backward.saved_slots if each.name == name)
    array, version, expected = saved[slot.place : slot.place + 3]
    array = array.array if isinstance(array, Variable) else array  # a tensor where the walk is recorded
    made = ""
    if slot.source is not None and slot.source < 0:
        made = f"output {~slot.source} of {backward.grad_fn_name}"
    elif slot.source is not None and (edge := node.edges[slot.source]) is not None and edge.backward is not None:
        step, number = step_of(edge)
        made = f"output {number} of {step.name()}"
    raise RuntimeError(modified_inplace(array, version, expected, f"{name!r} by {backward.grad_fn_name}", made))


def modified_inplace(array: Any, version: Any, expected: bytes, saved_as: str, made: str = "") -> str:
    """Return PyTorch's message for a saved value that was written, with who saved it and who wrote it."""
    which = f", which is {made}," if made else ""
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[torch.{dtype_of(array.dtype).legacy}Tensor {list(array.shape)}]{which} is at version {writes(version)}; "
        f"expected version {writes(expected)} instead. It was saved as {saved_as} and last written by "
        f"{last_writer(version)}. Hint: enable anomaly detection to find the operation that failed to compute its "
        "gradient, with torch.autograd.set_detect_anomaly(True)."
    )


def frozen_view(node: Node | None, why: str) -> str:
    """Return PyTorch's message for a write into a view with ``node`` that must not be written."""
    if node is None:
        return why
    step, number = step_of(node)
    return f"Output {number} of {step.name()} is a view and is being modified inplace. {why}"


VIEW_UNDER_NO_GRAD = (
    "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use "
    "case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the "
    "inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside "
    "(if you want the inplace to be tracked)."
)


MULTI_OUTPUT_VIEW = (
    "This view is the output of a function that returns multiple views. Such functions do not allow the output views "
    "to be modified inplace. You should replace the inplace operation by an out-of-place one."
)

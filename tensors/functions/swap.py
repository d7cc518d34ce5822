"""swap_tensors: two tensors exchange all that they are but their identity."""

from __future__ import annotations

from typing import Any, NoReturn

from ...autograd.hooks import hooks_of
from ...autograd.variable import Variable, new_leaf

_SLOTS = ("array", "array_dtype", "array_shape", "node", "old_leaf", "version", "view_of", "viewed")


def swap_tensors(t1: Any, t2: Any) -> None:
    """Exchange memory, graph, class and attributes of two tensors.

    A graph that was recorded before cannot send gradients to them any more, and raises RuntimeError. RuntimeError if
    one is a view, or has views.

    https://pytorch.org/docs/stable/utils.html#torch.utils.swap_tensors

    >>> import rushlight as torch
    >>> x, y = torch.ones(2), torch.zeros(3)
    >>> torch.utils.swap_tensors(x, y)
    >>> x
    tensor([0., 0., 0.])
    """
    for name, t in (("t1", t1), ("t2", t2)):
        if t.view_of is not None or getattr(t, "viewed", False):
            raise RuntimeError(
                f"Cannot swap {name}: it shares its memory with other tensors, as a view or as their base"
            )
    dicts, classes = (dict(t1.__dict__), dict(t2.__dict__)), (type(t1), type(t2))
    slots = [{name: getattr(t, name) for name in _SLOTS if hasattr(t, name)} for t in (t1, t2)]
    for t, other, attributes, cls in zip((t1, t2), slots[::-1], dicts[::-1], classes[::-1], strict=True):
        t.__class__ = cls
        t.__dict__.clear()
        t.__dict__.update(attributes)
        for name in _SLOTS:
            if name in other:
                setattr(t, name, other[name])
            elif hasattr(t, name):
                delattr(t, name)
        _renew_leaf(t)


def _renew_leaf(t: Variable) -> None:
    """Give ``t`` a leaf of its own, with the gradient and the hooks of the one that it was given."""
    for name in ("node", "old_leaf"):
        old = getattr(t, name, None)
        if old is not None and old.backward is None:
            leaf = new_leaf(t)
            leaf.grad, leaf.hooks, leaf.saved = old.grad, old.hooks, old.saved
            setattr(t, name, leaf)
            old.grad, old.hooks = None, None
            hooks_of(old).before.add(_poisoned)


def _poisoned(_: Any) -> NoReturn:
    raise RuntimeError(
        "Trying to execute AccumulateGrad node that was poisoned by swap_tensors this can happen when you try to run "
        "backward on a tensor that was swapped. For a module m with "
        "`torch.__future__.set_swap_module_params_on_conversion(True)` you should not change the device or dtype of "
        "the module (e.g. `m.cpu()` or `m.half()`) between running forward and backward. To resolve this, please only "
        "change the device/dtype before running forward (or after both forward and backward)."
    )

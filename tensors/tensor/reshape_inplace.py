"""Methods that give a tensor another shape in place: ``unsqueeze_``, ``squeeze_``, ``t_``, ``transpose_`` and so on."""

from __future__ import annotations

import gc
from collections.abc import Callable
from sys import getrefcount
from typing import Any

import numpy as np

from ...autograd.codegen.signature import InPlace
from ...autograd.inplace import check_inplace
from ...autograd.out_argument import check_written
from ...autograd.recording import recording
from ...autograd.threads import ONE_AT_A_TIME
from ...autograd.variable import Variable, as_ndarray, set_array, wrap
from ...autograd.version import INFERENCE, new_version
from ...autograd.view import View
from ..ops.index.view_scatter import as_strided
from ..ops.shape.order import swapaxes, swapdims, t, transpose
from ..ops.shape.views import squeeze, unsqueeze


def reshaped_in_place(view_op: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method that makes a tensor what ``view_op``, which returns a view, would have returned."""
    name = f"{view_op.__name__}_"

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.view_of is not None:
            if recording.get():
                check_inplace(self)
            made = view_op(self, *args, **kwargs)
            _check_recorded(self, made, name)
            self.view_of = made.view_of
        else:
            _check_alone(self, name)
            made = view_op(wrap(type(self), as_ndarray(self), self.node), *args, **kwargs)
            _check_recorded(self, made, name)
        set_array(self, made.array)
        self.node = made.node
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"In-place version of :func:`{view_op.__name__}`."
    method.__wrapped__ = InPlace(view_op)  # type: ignore[attr-defined]  # any function takes attributes
    return method


def _check_recorded(x: Any, made: Any, name: str) -> None:
    if x.node is not None and made.node is None and x.node.backward is None and x.view_of is None:
        made.node = x.node  # a leaf outside the record: only its shape changes
        made.node.shape = made.array.shape
    elif x.node is not None and made.node is None:
        raise RuntimeError(f"{name}: a tensor that requires grad can only change its shape where that is recorded")


def _check_alone(x: Any, name: str) -> None:
    """Raise RuntimeError if ``x`` is a leaf that requires grad, or if another tensor is a view of it.

    A view finds its history by the steps that lead to it from its base, which must keep its shape.
    """
    if x.node is not None and x.node.backward is None and recording.get():
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    if x.version is INFERENCE:
        check_written(x, ())
    # To find the views takes a scan of all that lives: only where there may be some, as each shares the version.
    if getattr(x, "viewed", False) and _shared(x.version) and any(type(one) is View for one in gc.get_referrers(x)):
        raise RuntimeError(
            f"{name}: the shape of this tensor cannot change in place while other tensors are views of it. Use "
            f"{name[:-1]}() instead, which returns a view."
        )


def _shared(version: Any) -> bool:
    """Return whether anything but one tensor may hold ``version``: a view, a detached tensor, a node that saved it."""
    return not ONE_AT_A_TIME or getrefcount(version) > _HELD_ONCE


def _held_once() -> int:
    x = wrap(Variable, np.empty(1), None, new_version())
    return _count(x.version)


def _count(version: Any) -> int:
    return getrefcount(version)


_HELD_ONCE = _held_once()
unsqueeze_, squeeze_ = reshaped_in_place(unsqueeze), reshaped_in_place(squeeze)
t_, transpose_ = reshaped_in_place(t), reshaped_in_place(transpose)
as_strided_ = reshaped_in_place(as_strided)
swapaxes_, swapdims_ = reshaped_in_place(swapaxes), reshaped_in_place(swapdims)

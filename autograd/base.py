"""What a tensor is, apart from the ops: its values, its place in the graph, its dealings with Python and NumPy."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from . import derive
from .dtypes import dtype, dtype_of
from .graph import Node, Variable, new_leaf, shared, shown, start, wrap
from .hooks import RemovableHandle, hooks_of


class TensorBase(Variable):
    """The part of :class:`Tensor` that has bodies."""

    __slots__ = ()
    __array_priority__ = 1000

    # ------------------------------------------------------------------ what it is

    @property
    def shape(self) -> Any:
        return self.array.shape

    ndim = property(lambda self: self.array.ndim)

    @property
    def dtype(self) -> dtype:
        """The type of the elements."""
        return dtype_of(self.array.dtype)

    # ------------------------------------------------------------------ its place in the graph

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are computed for this tensor."""
        return derive.node_of(self) is not None

    @requires_grad.setter
    def requires_grad(self, on: bool) -> None:
        self.requires_grad_(on)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Ask for the gradient of this leaf, or no longer; return the tensor itself."""
        node = derive.node_of(self)
        if requires_grad and node is None:
            if self.array.dtype.kind != "f":
                raise RuntimeError(
                    f"only Tensors of floating point dtype can require gradients, not {self.dtype}"
                )
            self.node = self.__dict__.pop("_leaf", None) or new_leaf(self)
        elif not requires_grad and node is not None:
            if node.op is not None:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                    "in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
                )
            self.__dict__["_leaf"], self.node = node, None
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        node = derive.node_of(self)
        return node is None or node.op is None

    @property
    def grad_fn(self) -> Node | None:
        """The recorded step that made this tensor, or None for a leaf."""
        node = derive.node_of(self)
        return None if node is None or node.op is None else shown(node)[0]

    @property
    def grad(self) -> Self | None:
        """The gradient that came to rest here, or None."""
        node = derive.node_of(self) or self.__dict__.get("_leaf")
        if node is None:
            return None
        if node.op is None:
            found: Self | None = node.grad
            return found
        return None if node.hooks is None else node.hooks.kept

    def backward(
        self,
        gradient: Self | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradients of this tensor to the ``grad`` of the leaves; see :func:`rushlight.autograd.backward`."""
        derive.backward([self], [gradient], retain_graph, create_graph, inputs)

    def detach(self) -> Self:
        """Return a tensor on the same memory that is no part of the graph."""
        return wrap(type(self).result, shared(self), None, start(self))  # type: ignore[no-any-return]

    # ------------------------------------------------------------------ values

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, Any]:
        """Return the tensor's memory as an ndarray."""
        if self.requires_grad and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        found: np.ndarray[Any, Any] = shared(self)
        return found

    def item(self) -> Any:
        """Return the only element as a Python number."""
        return self.array.item()

"""The attributes of a tensor: shape, dtype, device, its place in the graph, its hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self
from warnings import warn

import numpy as np

from ...arrays.device import CPU, channels_last, channels_last_3d, order_of, strided
from ...arrays.device import device as Device
from ...arrays.device import layout as Layout
from ...arrays.dims import norm_dim
from ...arrays.dtypes import dtype as DType
from ...arrays.dtypes import dtype_of
from ...arrays.size import Size, size_of
from ...autograd import entry, gradient_edge
from ...autograd.grad_fn import grad_fn_of
from ...autograd.hooks import RemovableHandle, hooks_of
from ...autograd.node import Node
from ...autograd.recording import inference_version
from ...autograd.tangents import hold, moving
from ...autograd.transforms import REQUIRES_GRAD, refuse_inside
from ...autograd.variable import Variable, as_ndarray, ensure_version, new_leaf, set_array, wrap
from ...autograd.version import INFERENCE, writes

_NO_GRAD = "cannot register a hook on a tensor that doesn't require gradient"
_COMPUTED = (
    "you can only change requires_grad flags of leaf variables; this tensor was computed"
    " (use detach() for one that is no part of the graph)."
)


class Attributes(Variable):
    """The attributes of a tensor, and its part in differentiation."""

    __slots__ = ()

    # ------------------------------------------------------------------ shape and size

    @property
    def shape(self) -> Size:
        """The number of elements along each dim."""
        return size_of(self.array.shape)

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the number of elements along ``dim``."""
        shape = self.array.shape
        return size_of(shape) if dim is None else shape[_place(dim, shape)]

    @property
    def ndim(self) -> int:
        """The number of dims."""
        count: int = self.array.ndim
        return count

    def dim(self) -> int:
        """Return the number of dims."""
        count: int = self.array.ndim
        return count

    ndimension = dim

    def numel(self) -> int:
        """Return the number of elements."""
        return int(self.array.size)

    nelement = numel

    # ------------------------------------------------------------------ type and memory

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return dtype_of(self.array.dtype)

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return int(self.array.itemsize)

    def element_size(self) -> int:
        """Return the bytes of one element."""
        return int(self.array.itemsize)

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return int(self.array.nbytes)

    def stride(self, dim: int | None = None) -> Any:
        """Return how many elements apart neighbours lie in memory, for each dim or for one."""
        array = self.array
        found = tuple([n // array.itemsize for n in array.strides]) if array.size else _dense(array.shape)
        return found if dim is None else found[_place(dim, found)]

    def storage_offset(self) -> int:
        """Return how many elements into its memory the tensor begins."""
        owner = as_ndarray(self)
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        return int((self.data_ptr() - owner.__array_interface__["data"][0]) // self.array.itemsize)

    def data_ptr(self) -> int:
        """Return the address of the first element."""
        return int(as_ndarray(self).__array_interface__["data"][0])

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Return whether the elements lie in memory one after the other."""
        order_of(memory_format)
        array = as_ndarray(self)
        if memory_format in (channels_last, channels_last_3d):
            if array.ndim != (4 if memory_format is channels_last else 5):
                return False
            array = np.moveaxis(array, 1, -1)
        return bool(array.flags.c_contiguous)

    @property
    def device(self) -> Device:
        """The device, always the CPU."""
        return CPU

    @property
    def layout(self) -> Layout:
        """The layout, always ``torch.strided``."""
        return strided

    is_cpu = property(lambda _: True, doc="Whether the tensor is on the CPU: yes.")
    is_cuda = property(lambda _: False, doc="Whether the tensor is on a GPU: no.")
    is_sparse = property(lambda _: False, doc="Whether the layout is sparse: no.")
    is_quantized = property(lambda _: False, doc="Whether the elements are quantized: no.")
    is_meta = property(lambda _: False, doc="Whether there is a shape but no data: no.")

    is_mkldnn = property(lambda _: False, doc="Whether the layout is that of oneDNN: no.")
    is_mps = property(lambda _: False, doc="Whether the tensor is on an Apple GPU: no.")
    is_xpu = property(lambda _: False, doc="Whether the tensor is on an Intel GPU: no.")
    is_sparse_csr = property(lambda _: False, doc="Whether the layout is compressed and sparse: no.")
    is_nested = property(lambda _: False, doc="Whether the tensor is a list of tensors: no.")

    def dim_order(self) -> tuple[int, ...]:
        """Return the dims in the order of their strides, outermost first.

        >>> import rushlight as torch
        >>> torch.ones(2, 3).t().dim_order()
        (1, 0)
        """
        strides = self.stride()
        return tuple(sorted(range(len(strides)), key=lambda dim: -strides[dim]))

    def to_dense(self) -> Any:
        """Return the tensor itself, which is dense."""
        return self

    def get_device(self) -> int:
        """Return the number of the device: -1, the CPU has none."""
        return -1

    def is_floating_point(self) -> bool:
        """Return whether the elements are floating-point numbers."""
        return bool(self.array.dtype.kind == "f")

    def is_complex(self) -> bool:
        """Return whether the elements are complex numbers: never."""
        return False

    def is_signed(self) -> bool:
        """Return whether the elements may be negative."""
        return self.array.dtype.kind in "fi"

    def is_inference(self) -> bool:
        """Return whether the tensor was made in inference mode."""
        return self.version is INFERENCE

    def is_pinned(self) -> bool:
        """Return whether the memory is locked for a GPU: never."""
        return False

    def is_shared(self) -> bool:
        """Return whether the memory belongs to several processes: never."""
        return False

    # ------------------------------------------------------------------ its place in the graph

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are computed for this tensor."""
        return gradient_edge.node_of(self) is not None

    @requires_grad.setter
    def requires_grad(self, on: bool) -> None:
        if not isinstance(on, bool):
            raise RuntimeError(f"requires_grad must be a bool, not {type(on).__name__}")
        if on and not self.is_leaf:
            raise RuntimeError(_COMPUTED)
        self._set_requires_grad(on)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let this leaf require grad, or no longer; return the tensor itself.

        Raises RuntimeError for integers, when switched off on a computed tensor, and inside of what ``torch.func``
        transforms.
        """
        refuse_inside(REQUIRES_GRAD)
        self._set_requires_grad(requires_grad)
        return self

    def _set_requires_grad(self, requires_grad: bool) -> None:
        node = gradient_edge.node_of(self)
        if requires_grad and node is None:
            if self.version is INFERENCE and inference_version.get() is not INFERENCE:
                raise RuntimeError(
                    "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed. Clone it, "
                    "and let the clone require grad."
                )
            if self.array.dtype.kind != "f":
                raise RuntimeError(f"only Tensors of floating point dtype can require gradients, not {self.dtype}")
            leaf = self._leaf()
            if self.node is not None:  # a carrier
                hold(leaf, moving(self.node))
            self.node = leaf
            self.old_leaf = None
        elif not requires_grad and node is not None:
            if node.backward is not None:
                raise RuntimeError(_COMPUTED)
            self._freeze(node)

    def _freeze(self, leaf: Node) -> None:
        """Require no grad from now on: walks that still come by here leave ``grad`` as it is."""
        leaf.saved = None
        self.old_leaf, self.node = leaf, None

    def _leaf(self) -> Node:
        """Return the leaf this tensor had before, or a new one."""
        leaf: Node | None = getattr(self, "old_leaf", None)
        if leaf is None:
            return new_leaf(self)
        leaf.saved = ()
        leaf.shape, leaf.dtype = self.array.shape, self.array.dtype
        return leaf

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        node = gradient_edge.node_of(self)
        return node is None or node.backward is None

    @property
    def grad_fn(self) -> Node | None:
        """The recorded step that made this tensor, or None for a leaf."""
        node = gradient_edge.node_of(self)
        return None if node is None or node.backward is None else grad_fn_of(node)[0]

    @property
    def output_nr(self) -> int:
        """Which result of that step this tensor is."""
        node = gradient_edge.node_of(self)
        return 0 if node is None or node.backward is None else grad_fn_of(node)[1]

    @property
    def grad(self) -> Any:
        """The gradient that accumulated here, or None. A computed tensor has one only after ``retain_grad()``."""
        node = gradient_edge.node_of(self) or getattr(self, "old_leaf", None)
        if node is None or node.backward is None:
            return None if node is None else node.grad
        if node.hooks is not None and (node.hooks.retain or node.hooks.kept is not None):
            return node.hooks.kept
        warn(
            "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed: backward() does not fill it. "
            "Call .retain_grad() on the tensor before backward() if you want it, or look at the leaf instead.",
            UserWarning,
            stacklevel=2,
        )
        return None

    @grad.setter
    def grad(self, value: Any) -> None:
        node = gradient_edge.node_of(self) or getattr(self, "old_leaf", None)
        if value is not None:
            self._check_grad(value)
        elif node is None:
            return
        if node is None:
            node = self.old_leaf = new_leaf(self)
        if node.backward is None:
            node.grad = value
        else:
            hooks_of(node).kept = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    def _check_grad(self, value: Any) -> None:
        if not isinstance(value, Variable):
            raise TypeError(
                f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
            )
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad")
        if value.array.shape != self.array.shape:
            raise RuntimeError(
                f"attempting to assign a gradient of size '{list(value.array.shape)}' to a tensor of size "
                f"'{list(self.array.shape)}'. Please ensure that the gradient and the tensor are the same size"
            )
        if value.array.dtype is not self.array.dtype:
            raise RuntimeError(
                f"attempting to assign a gradient with dtype '{dtype_of(value.array.dtype)}' to a tensor with dtype "
                f"'{self.dtype}'"
            )

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradients of this tensor to the ``grad`` of the leaves; see :func:`rushlight.autograd.backward`."""
        entry.backward([self], [gradient], retain_graph, create_graph, inputs)

    def detach(self) -> Any:
        """Return a tensor on the same memory that is no part of the graph; a write to either counts for both."""
        return wrap(Variable.result, as_ndarray(self), None, ensure_version(self))

    def detach_(self) -> Self:
        """Take the tensor out of the graph and return it; RuntimeError for a view."""
        if self.view_of is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        if self.node is not None and self.node.backward is None:
            self._freeze(self.node)
        self.node = None
        return self

    @property
    def data(self) -> Any:
        """The tensor's memory as a tensor of its own: no graph, and no count of writes.

        Set to another tensor it makes this one stand on that memory, with its shape and dtype.
        """
        return wrap(Variable.result, as_ndarray(self))

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, Variable):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        node = gradient_edge.node_of(self)
        array = as_ndarray(value)
        if node is not None and array.dtype.kind != "f":
            raise RuntimeError(
                f"data set to a tensor that requires gradients must be floating point, not {dtype_of(array.dtype)}"
            )
        set_array(self, array)
        self.view_of = None
        if node is not None and node.backward is None:
            node.shape, node.dtype = array.shape, array.dtype

    @property
    def _version(self) -> int:
        """How often the memory was written in place."""
        if self.version is INFERENCE:
            raise RuntimeError("Inference tensors do not track version counter.")
        return 0 if self.version is None else writes(self.version)

    @property
    def _base(self) -> Any:
        """The tensor that this one is a view of, or None."""
        return None if self.view_of is None else self.view_of.base

    def _is_view(self) -> bool:
        """Return whether this tensor is a view of another."""
        return self.view_of is not None

    # ------------------------------------------------------------------ hooks

    def retain_grad(self) -> None:
        """Keep the gradient of this computed tensor in ``grad``; RuntimeError if it requires none."""
        node = gradient_edge.node_of(self)
        if node is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if node.backward is not None:
            hooks_of(node).retain = True

    @property
    def retains_grad(self) -> bool:
        """Whether this computed tensor keeps its gradient."""
        node = gradient_edge.node_of(self)
        return node is not None and node.backward is not None and node.hooks is not None and node.hooks.retain

    def register_hook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Call ``hook(gradient)`` whenever the gradient of this tensor is computed; what it returns replaces that.

        Returns a handle whose ``remove()`` takes the hook away. RuntimeError if no gradient is required.

        >>> import rushlight as torch
        >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> handle = x.register_hook(lambda g: 2 * g)
        >>> (x * x).backward(torch.tensor([1.0, 1.0]))
        >>> x.grad
        tensor([4., 8.])
        """
        node = gradient_edge.node_of(self)
        if node is None:
            raise RuntimeError(_NO_GRAD)
        return hooks_of(node).tensor.add(hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Any], None]) -> RemovableHandle:
        """Call ``hook(tensor)`` whenever the ``grad`` of this leaf was written; RuntimeError unless it is a leaf."""
        node = gradient_edge.node_of(self)
        if node is None:
            raise RuntimeError(_NO_GRAD)
        if node.backward is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        hooks = hooks_of(node)
        hooks.variable = self
        return hooks.accumulated.add(hook)


def _place(dim: int, dims: tuple[int, ...]) -> int:
    if not dims:
        raise IndexError(f"dim {dim} of a tensor without dims: tensor has no dimensions")
    return norm_dim(dim, len(dims))


def _dense(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides PyTorch gives an empty tensor: dims of no elements count as one."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))

"""A tensor's values in another dtype, and new tensors like it."""

from __future__ import annotations

from math import prod
from typing import Any, Self
from warnings import warn

import numpy as np

from ...arrays.device import device as Device
from ...arrays.device import memory_format as MemoryFormat
from ...arrays.device import order_of, require_cpu, require_plain
from ...arrays.dtypes import (
    DTYPES,
    as_numpy,
    bool_,
    default_numpy,
    dtype_of,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from ...arrays.size import Size, sizes
from ...autograd import gradient_edge
from ...autograd.broadcast import convert
from ...autograd.codegen.signature import NEW_OPTIONS, called_as
from ...autograd.recording import inference_version, recording
from ...autograd.variable import Variable, as_ndarray, ensure_version, new_leaf, set_array, wrap
from ..creation.from_data import build, fill_number
from .attributes import Attributes

Flag = bool  # inside the class, ``bool`` is a method
_LEGACY = {f"torch.{each.legacy}Tensor": each.numpy for each in DTYPES}


def new(array: Any, requires_grad: bool = False) -> Any:
    """Return a new leaf on ``array``; RuntimeError if it shall require a gradient and holds no floats."""
    made = wrap(Variable.result, array, None, inference_version.get())
    if requires_grad:
        if array.dtype.kind != "f":
            raise RuntimeError(
                f"Only Tensors of floating point dtype can require gradients, not {dtype_of(array.dtype)}"
            )
        made.node = new_leaf(made)
    return made


def cast_values(array: Any, kind: np.dtype[Any]) -> Any:
    """Return a copy of ``array`` in ``kind``; floats become small integers by way of int64, as in C."""
    if array.dtype.kind == "f" and kind.kind in "iu" and kind.itemsize < 4:
        array = array.astype(np.int32)  # else the processor decides what -1.5 is as uint8
    return np.asarray(array).astype(kind)


def in_dtype(x: Any, kind: np.dtype[Any], copy: bool = False) -> Any:
    """Return tensor ``x`` in ``kind``, itself if it is already and no ``copy`` is asked for."""
    if x.array.dtype is kind and not copy:
        return x
    if kind.kind == "f":
        return convert(x, kind)
    return wrap(Variable.result, cast_values(x.array, kind), None, inference_version.get())


def _in(x: Any, dtype: Any, memory_format: Any) -> Any:
    """Return tensor ``x`` in ``dtype``."""
    return in_dtype(x, dtype.numpy) if memory_format is None else x.to(dtype, memory_format=memory_format)


def to_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[np.dtype[Any] | None, bool, str]:
    """Return what the arguments of ``to`` ask for: a dtype or None, whether to copy, and the order in memory."""
    given, names = dict(kwargs), ["dtype", "non_blocking", "copy"]
    first = args[0] if args else None
    if isinstance(first, Variable):
        args = (dtype_of(first.array.dtype), *args[1:])
    elif first is None or isinstance(first, str | int | Device):
        names = ["device", *names]
    if len(args) > len(names):
        raise TypeError(f"to() takes at most {len(names)} positional arguments ({len(args)} given)")
    for name, value in zip(names, args, strict=False):
        if name in given:
            raise TypeError(f"to() got multiple values for argument {name!r}")
        given[name] = value
    other = given.pop("tensor", None)
    if other is not None:
        given["dtype"] = dtype_of(other.array.dtype)
    require_cpu(given.pop("device", None))
    kind, copy, form = given.pop("dtype", None), given.pop("copy", False), given.pop("memory_format", None)
    given.pop("non_blocking", None)
    if given:
        raise TypeError(f"to() got an unexpected keyword argument {next(iter(given))!r}")
    if form is not None and not isinstance(form, MemoryFormat):
        raise TypeError(f"to(): argument 'memory_format' must be torch.memory_format, not {type(form).__name__}")
    return None if kind is None else as_numpy(kind), bool(copy), order_of(form)


def legacy_array(given: tuple[Any, ...], kind: np.dtype[Any]) -> Any:
    """Return the array of PyTorch's oldest constructor: ints are a size, a sequence is the data."""
    if len(given) == 1 and not isinstance(given[0], Size) and not hasattr(given[0], "__index__"):
        data = given[0]
        if isinstance(data, float):
            raise TypeError(f"new(): data must be a sequence (got {type(data).__name__})")
        return build(data, kind)
    if len(given) == 1 and isinstance(given[0], bool):
        raise TypeError("new(): data must be a sequence (got bool)")
    if len(given) == 1 and isinstance(given[0], np.ndarray | Variable):
        return build(given[0], kind)
    return np.zeros(sizes(given, "new") if given else (0,), kind)


class Conversions(Attributes):
    """Conversions of a tensor to another dtype or type, and new tensors of its dtype."""

    __slots__ = ()

    def __new__(cls, *given: Any, device: Any = None, **rest: Any) -> Any:
        """Return a tensor of the default dtype, by PyTorch's oldest constructor.

        ``Tensor(2, 3)`` is uninitialized, ``Tensor([2, 3])`` holds these values, ``Tensor(tensor)`` is another tensor
        on the same memory. ``rushlight.tensor`` and ``rushlight.empty`` say more clearly what is meant.
        """
        require_cpu(device)
        if rest and cls is Variable.result:  # a subclass may take them in its __init__
            raise TypeError(f"new() got an unexpected keyword argument {next(iter(rest))!r}")
        if len(given) == 1 and isinstance(given[0], Variable):
            source: Any = given[0]
            if gradient_edge.node_of(source) is not None:
                source = source[...]
            made = wrap(cls, as_ndarray(source), source.node, ensure_version(source))
            made.view_of = source.view_of
            return made
        return wrap(cls, legacy_array(given, default_numpy()), None, inference_version.get())

    # ------------------------------------------------------------------ in another dtype

    @called_as(
        "self, device: device | str | int | dtype | Tensor | None = None, dtype: dtype | None = None, "
        "non_blocking: bool = False, copy: bool = False, *, memory_format: memory_format | None = None"
    )
    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Return the tensor in another dtype: ``to(dtype)``, ``to(device, dtype)`` or ``to(other)``.

        It is the tensor itself if nothing changes, unless ``copy=True``. Between floats the gradient follows; integers
        have none. ``non_blocking`` says nothing here, and the only device is the CPU.

        https://pytorch.org/docs/stable/generated/torch.Tensor.to.html
        """
        kind, copy, order = to_arguments(args, kwargs)
        made = in_dtype(self, kind or self.array.dtype, copy)
        return made if order == "K" or made is self else made.contiguous()

    def cpu(self, memory_format: Any = None) -> Any:
        """Return the tensor itself: it is on the CPU."""
        return self.to(memory_format=memory_format)

    def cuda(self, device: Any = None, non_blocking: Flag = False, memory_format: Any = None) -> Any:
        """Raise AssertionError: there is no GPU here."""
        require_cpu("cuda" if device is None else device)
        return self

    def type(self, dtype: Any = None, non_blocking: Flag = False) -> Any:
        """Return the tensor's old type name, such as ``"torch.FloatTensor"``, or the tensor in ``dtype``."""
        if dtype is None:
            return f"torch.{self.dtype.legacy}Tensor"
        if isinstance(dtype, str):
            found = _LEGACY.get(dtype)
            if found is None:
                raise ValueError(f"invalid type: {dtype!r}")
            return in_dtype(self, found)
        if isinstance(dtype, type) and issubclass(dtype, Variable):
            return in_dtype(self, default_numpy())
        return in_dtype(self, as_numpy(getattr(dtype, "dtype", dtype)))

    def type_as(self, other: Any) -> Any:
        """Return the tensor in the dtype of ``other``."""
        return in_dtype(self, other.array.dtype)

    def double(self, memory_format: Any = None) -> Any:
        """Return the tensor in float64."""
        return _in(self, float64, memory_format)

    def half(self, memory_format: Any = None) -> Any:
        """Return the tensor in float16."""
        return _in(self, float16, memory_format)

    def long(self, memory_format: Any = None) -> Any:
        """Return the tensor in int64."""
        return _in(self, int64, memory_format)

    def short(self, memory_format: Any = None) -> Any:
        """Return the tensor in int16."""
        return _in(self, int16, memory_format)

    def char(self, memory_format: Any = None) -> Any:
        """Return the tensor in int8."""
        return _in(self, int8, memory_format)

    def byte(self, memory_format: Any = None) -> Any:
        """Return the tensor in uint8."""
        return _in(self, uint8, memory_format)

    # ------------------------------------------------------------------ new tensors like this one

    def new_tensor(
        self,
        data: Any,
        *,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        pin_memory: Flag = False,
        requires_grad: Flag = False,
    ) -> Any:
        """Return a copy of ``data`` in the dtype of this tensor."""
        if isinstance(data, Variable):
            warn("To copy construct from a tensor, use sourceTensor.detach().clone()", UserWarning, stacklevel=2)
        require_plain(layout, device, pin_memory)
        return new(build(data, self.array.dtype if dtype is None else as_numpy(dtype)), requires_grad)

    def new_full(
        self,
        size: Any,
        fill_value: Any,
        *,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        pin_memory: Flag = False,
        requires_grad: Flag = False,
    ) -> Any:
        """Return a tensor of ``size`` filled with a number, in the dtype of this tensor."""
        require_plain(layout, device, pin_memory)
        kind = self.array.dtype if dtype is None else as_numpy(dtype)
        return new(np.full(sizes((size,), "new_full"), fill_number("new_full", fill_value, kind)), requires_grad)

    @called_as(f"self, *size: int, {NEW_OPTIONS}")
    def new_zeros(self, *size: Any, **options: Any) -> Any:
        """Return zeros of ``size`` in the dtype of this tensor."""
        return self.new_full(options.pop("size", None) or sizes(size, "new_zeros"), 0, **options)

    @called_as(f"self, *size: int, {NEW_OPTIONS}")
    def new_ones(self, *size: Any, **options: Any) -> Any:
        """Return ones of ``size`` in the dtype of this tensor."""
        return self.new_full(options.pop("size", None) or sizes(size, "new_ones"), 1, **options)

    def new_empty_strided(
        self,
        size: Any,
        stride: Any,
        *,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        pin_memory: Flag = False,
        requires_grad: Flag = False,
    ) -> Any:
        """Return a tensor of arbitrary values (here: zeros) whose elements along each dim lie ``stride`` apart."""
        require_plain(layout, device, pin_memory)
        if len(size) != len(stride):
            raise RuntimeError(f"mismatch in length of strides and shape: {list(stride)} and {list(size)}")
        kind = self.array.dtype if dtype is None else as_numpy(dtype)
        last = sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if 0 not in size else -1
        memory = np.zeros(last + 1, kind)
        steps = tuple(step * kind.itemsize for step in stride)
        return new(np.ndarray(tuple(size), kind, memory, 0, steps), requires_grad)

    @called_as(f"self, *size: int, {NEW_OPTIONS}")
    def new_empty(self, *size: Any, **options: Any) -> Any:
        """Return a tensor of ``size`` in the dtype of this tensor, its values arbitrary (here: zeros)."""
        return self.new_full(options.pop("size", None) or sizes(size, "new_empty"), 0, **options)

    def new(self, *given: Any, device: Any = None) -> Any:
        """Return a tensor as ``Tensor(*given)`` does, in the dtype of this tensor."""
        require_cpu(device)
        return new(legacy_array(given, self.array.dtype))

    # ------------------------------------------------------------------ other memory, another class

    def resize_(self, *size: Any, memory_format: Any = None) -> Self:
        """Change the shape to ``size`` and return the tensor: elements beyond the old ones are arbitrary (here: zeros).

        Raises RuntimeError if a gradient is required, or if a view of another tensor would have to grow.
        """
        if gradient_edge.node_of(self) is not None:
            raise RuntimeError("cannot resize variables that require grad")
        if not size:
            raise TypeError('resize_() missing 1 required positional arguments: "size"')
        shape, array = sizes(size, "resize_"), as_ndarray(self)
        flat = array.reshape(-1) if array.flags.c_contiguous else array.ravel("K")
        needed = prod(shape)
        if needed > flat.size:
            if self.view_of is not None:
                raise RuntimeError(f"resize_: a view of shape {list(array.shape)} cannot grow to {list(shape)}")
            flat = np.concatenate([flat, np.zeros(needed - flat.size, flat.dtype)])
        set_array(self, flat[:needed].reshape(shape))
        return self

    def resize_as_(self, the_template: Any, memory_format: Any = None) -> Self:
        """Change the shape to that of another tensor; see :meth:`resize_`."""
        return self.resize_(tuple(the_template.array.shape))

    def set_(self, source: Any = None) -> Self:
        """Let this tensor stand on the memory of ``source`` (none: become empty) and return it.

        Raises RuntimeError if a gradient is required and steps are recorded, or for a source of another dtype.
        """
        node = gradient_edge.node_of(self)
        if node is not None and (recording.get() or node.backward is not None):
            raise RuntimeError("set_: a Variable that requires grad is being used in an in-place operation.")
        array = np.empty(0, self.array.dtype) if source is None else as_ndarray(source)
        if array.dtype is not self.array.dtype:
            raise RuntimeError(f"Could not set tensor of type {dtype_of(array.dtype)} to a tensor of type {self.dtype}")
        set_array(self, array)
        self.view_of = None
        self.version = None if source is None else ensure_version(source)
        if node is not None:
            node.shape, node.dtype = array.shape, array.dtype
        return self

    def as_subclass(self, cls: Any) -> Any:
        """Return this tensor as one of a subclass of Tensor."""
        if not (isinstance(cls, type) and issubclass(cls, Variable)):
            raise TypeError(f"as_subclass() takes a class that inherits from Tensor, not {cls!r}")
        gradient_edge.node_of(self)  # looks whether its base was written
        made = wrap(cls, as_ndarray(self), self.node, ensure_version(self))
        made.view_of = self.view_of
        return made

    @staticmethod
    def _make_subclass(kind: Any, data: Any, require_grad: Flag = False) -> Any:
        """Return a leaf of class ``kind`` on the memory of ``data``."""
        made = data.detach().as_subclass(kind)
        made.requires_grad = bool(require_grad)
        return made

    @property
    def real(self) -> Self:
        """The tensor itself: its numbers are real."""
        return self

    @property
    def imag(self) -> Any:
        """RuntimeError: no dtype here is complex."""
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")

    def share_memory_(self) -> Self:
        """Return the tensor itself; memory is not shared between processes here."""
        return self

    # ------------------------------------------------------------------ last, as they hide Python's names in this class

    def float(self, memory_format: Any = None) -> Any:
        """Return the tensor in float32."""
        return _in(self, float32, memory_format)

    def int(self, memory_format: Any = None) -> Any:
        """Return the tensor in int32."""
        return _in(self, int32, memory_format)

    def bool(self, memory_format: Any = None) -> Any:
        """Return the tensor as truth values: whether an element is not zero."""
        return _in(self, bool_, memory_format)

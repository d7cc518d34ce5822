"""Parameter and Buffer, the tensors that a module owns; and those whose shape is not known yet."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, Self

import numpy as np

from ..arrays.device import require_cpu
from ..arrays.dtypes import as_numpy, default_numpy, dtype_of
from ..arrays.formatting import parameter_repr
from ..autograd.variable import wrap
from ..tensors.tensor.methods import Tensor
from .common_types import Device, Dtype


class Parameter(Tensor):
    """A tensor that a module trains: assigned as an attribute it is listed by ``Module.parameters()``.

    It shares the memory of ``data`` and is a leaf that requires grad, unless ``requires_grad=False``. Results computed
    from it are plain tensors. RuntimeError if ``data`` is not floating and would require grad.

    https://pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html

    >>> import rushlight as torch
    >>> torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ()
    _prints_as_tensor = True

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Self:
        """Return a parameter on the memory of ``data``, empty if that is None."""
        if data is None:
            parameter: Self = wrap(cls, np.empty(0, default_numpy()))
        else:
            source = data.detach()
            parameter = wrap(cls, source.array, None, source.version)
        parameter.requires_grad = requires_grad
        return parameter

    def __init_subclass__(cls, **facts: Any) -> None:
        super().__init_subclass__(**facts)
        cls._prints_as_tensor = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copy: Self | None = memo.get(id(self))
        if copy is None:  # unlike a tensor's copy, a parameter's comes without gradient
            copy = memo[id(self)] = wrap(type(self), np.array(self.array))
            copy.requires_grad = self.requires_grad
        return copy

    def __repr__(self) -> str:
        return parameter_repr(super().__repr__(), subclass=type(self) is not Parameter)


class _BufferMeta(type):
    """Lets ``isinstance(x, Buffer)`` ask whether ``x`` was made as one; a buffer is a plain tensor otherwise."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(metaclass=_BufferMeta):
    """A tensor that a module keeps but does not train: assigned as an attribute it is registered as a buffer.

    The result is a plain tensor on the memory of ``data``, marked for registration; with ``persistent=False`` it is
    left out of ``state_dict``.

    https://pytorch.org/docs/stable/generated/torch.nn.parameter.Buffer.html
    """

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        """Return a tensor on the memory of ``data``, empty if that is None, marked as a buffer."""
        buffer = wrap(Tensor, np.empty(0, default_numpy())) if data is None else data.detach()
        if data is not None and data.requires_grad:
            buffer.requires_grad_()
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer


# ------------------------------------------------------------------ without a shape yet


def _no_values(*_: Any, **__: Any) -> NoReturn:
    raise ValueError(
        "Attempted to use an uninitialized parameter or buffer. This happens when a lazy module, or an "
        "UninitializedParameter of your own, is used before its shape is known. Call the module with a first batch."
    )


class _UninitializedArray:
    """The array of a tensor without a shape: it has a dtype, and everything else raises ValueError."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)

    def __getattr__(self, name: str) -> NoReturn:
        _no_values()


_SPECIAL_METHODS = """
    array array_ufunc array_function len getitem iter bool float int index neg abs invert eq ne lt le gt ge add radd sub
    rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow matmul rmatmul and rand or ror xor rxor lshift
    rlshift rshift rrshift
"""
for _name in _SPECIAL_METHODS.split():
    setattr(_UninitializedArray, f"__{_name}__", _no_values)


class UninitializedTensorMixin:
    """A tensor without shape and values until ``materialize``.

    cls_to_become: its class from then on.
    """

    __slots__ = ()
    cls_to_become: ClassVar[type]
    array: Any

    @classmethod
    def _of(cls, requires_grad: bool, device: Device, dtype: Dtype) -> Any:
        tensor = wrap(cls, empty(0, device=device, dtype=dtype).array)
        tensor.requires_grad = requires_grad
        tensor.array = _UninitializedArray(tensor.array.dtype)
        return tensor

    def materialize(self, shape: Any, device: Device = None, dtype: Dtype = None) -> None:
        """Take this shape, or this length, and this dtype unless it is None; the values are still to be set."""
        this: Any = self
        sizes = (shape,) if isinstance(shape, int) else shape
        this.data = empty(*sizes, device=device, dtype=this.dtype if dtype is None else dtype)
        this.__class__ = self.cls_to_become

    def _convert(self, fn: Any) -> None:
        """Take the dtype of ``fn`` of an empty tensor; ``fn`` is one that ``Module._apply`` is called with."""
        this: Any = self
        dtype = fn(empty(0, dtype=this.dtype)).array.dtype
        if this.node is not None:
            this.node.dtype = dtype
        this.array = _UninitializedArray(dtype)

    @property
    def dtype(self) -> Any:
        """The type that the elements will have."""
        return dtype_of(self.array.dtype)

    @property
    def shape(self) -> NoReturn:
        """Raise RuntimeError: it is not known."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    def share_memory_(self) -> NoReturn:
        """Raise RuntimeError: there is none."""
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters "
            "before calling `module.share_memory()`."
        )

    def _set_requires_grad(self, requires_grad: bool) -> None:
        """Raise ValueError: there are no values yet. The constructor itself calls it before that."""
        if isinstance(self.array, _UninitializedArray):
            _no_values()
        super()._set_requires_grad(requires_grad)  # type: ignore[misc]

    numel = nelement = element_size = stride = type = retain_grad = register_hook = detach = _no_values
    is_contiguous = __len__ = new_zeros = new_ones = new_empty = new_full = new_tensor = backward = numpy = _no_values

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copy = memo.get(id(self))
        if copy is None:
            this: Any = self
            copy = memo[id(self)] = type(this)(this.requires_grad, None, this.dtype)
        return copy

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        this: Any = self
        return type(this), (this.requires_grad, None, this.dtype)


def is_lazy(param: Any) -> bool:
    """Return whether ``param`` is an UninitializedParameter or an UninitializedBuffer."""
    return isinstance(param, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet: ``materialize(shape)`` makes it a Parameter.

    Whatever needs its values raises ValueError; ``shape`` raises RuntimeError.

    https://pytorch.org/docs/stable/generated/torch.nn.parameter.UninitializedParameter.html

    >>> import rushlight as torch
    >>> p = torch.nn.UninitializedParameter()
    >>> p
    <UninitializedParameter>
    >>> p.materialize((2, 3))
    >>> type(p).__name__, p.shape
    ('Parameter', torch.Size([2, 3]))
    """

    __slots__ = ()
    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Device = None, dtype: Dtype = None) -> Self:
        """Return a parameter without shape."""
        parameter: Self = cls._of(requires_grad, device, dtype)
        return parameter


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape is not known yet: ``materialize(shape)`` makes it a tensor.

    https://pytorch.org/docs/stable/generated/torch.nn.parameter.UninitializedBuffer.html
    """

    __slots__ = ()
    cls_to_become = Tensor
    persistent: bool

    def __new__(
        cls, requires_grad: bool = False, device: Device = None, dtype: Dtype = None, persistent: bool = True
    ) -> Self:
        """Return a buffer without shape."""
        buffer: Self = cls._of(requires_grad, device, dtype)
        buffer.persistent = persistent
        buffer._is_buffer = True  # type: ignore[attr-defined]
        return buffer


# ------------------------------------------------------------------ with values still to be set


def empty_parameter(*shape: int, device: Device = None, dtype: Dtype = None) -> Parameter:
    """Return a parameter of ``shape`` whose values are still to be set."""
    return Parameter(empty(*shape, device=device, dtype=dtype))


def empty(*shape: int, device: Device = None, dtype: Dtype = None) -> Tensor:
    """Return a tensor of ``shape`` whose values are still to be set; RuntimeError for a device that is not the CPU."""
    if device is not None:
        require_cpu(device)
    tensor: Tensor = wrap(Tensor, np.empty(shape, default_numpy() if dtype is None else as_numpy(dtype)))
    return tensor

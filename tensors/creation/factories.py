"""Making tensors from data, or filled with a number.

https://pytorch.org/docs/stable/torch.html#creation-ops
"""

from __future__ import annotations

from operator import index
from typing import Any, TypedDict, Unpack
from warnings import warn

import numpy as np

from ...arrays.device import order_of, require_cpu, require_plain
from ...arrays.dims import ints
from ...arrays.dtypes import DTYPES, as_numpy, default_numpy, dtype_of, set_default_dtype
from ...arrays.size import one_size, sizes
from ...autograd.arguments import as_number
from ...autograd.codegen.signature import spell_out_options
from ...autograd.out_argument import write_out
from ...autograd.variable import Variable, as_ndarray
from ..doors import doors
from ..predicates import checked
from ..tensor.conversions import in_dtype, legacy_array, new
from ..tensor.methods import Tensor
from .from_data import build, checked_array, fill_number, warn_read_only


class Options(TypedDict, total=False):
    """The keyword arguments that every function that makes a tensor takes beside its own."""

    out: Any
    dtype: Any
    layout: Any
    device: Any
    pin_memory: Any
    requires_grad: bool


_COMMON = frozenset(Options.__annotations__)


def kind_of(name: str, options: Options, default: np.dtype[Any] | None = None) -> np.dtype[Any] | None:
    """Return the dtype that ``options`` ask for, or the ``default``, after checking all of them."""
    if not options:
        return default
    if not _COMMON.issuperset(options):
        unknown = next(iter(options.keys() - _COMMON))
        raise TypeError(f"{name}() got an unexpected keyword argument {unknown!r}")
    require_plain(options.get("layout"), options.get("device"), options.get("pin_memory"))
    dtype, out = options.get("dtype"), options.get("out")
    if dtype is not None and not isinstance(dtype, type(DTYPES[0]) | type):
        raise TypeError(f"{name}(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")
    kind = None if dtype is None else as_numpy(dtype)
    if out is not None:
        if not isinstance(out, Variable):
            raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
        if kind is not None and kind is not out.array.dtype:
            raise RuntimeError(
                f"dtype {dtype_of(kind).legacy} does not match dtype of out parameter "
                f"({dtype_of(out.array.dtype).legacy})"
            )
        there: np.dtype[Any] = out.array.dtype
        return there
    return default if kind is None else kind


def finish(name: str, array: Any, options: Options) -> Tensor:
    """Return ``array`` as a new leaf, or written into ``out``."""
    out = options.get("out")
    if out is None:
        made: Tensor = new(array, bool(options.get("requires_grad")))
        return made
    if out.array.shape != array.shape and name != "arange":
        out.resize_(tuple(array.shape))
    written: Tensor = write_out(name, new(array), out)
    return written


def size_from(name: str, size: tuple[Any, ...], options: Any) -> tuple[int, ...]:
    """Return the size given as ints, as one tuple, or by keyword."""
    if "size" in options:
        if size:
            raise TypeError(f"{name}() got multiple values for argument 'size'")
        return one_size(options.pop("size"), name, 1)
    if not size:
        raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
    return sizes(size, name)


# ------------------------------------------------------------------ from data


@doors("torch")
def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """Return a new tensor with a copy of ``data``: a number, nested sequences, an ndarray, or a tensor.

    Ints give int64, bools bool, floats the default dtype; NumPy's data keeps its own. Raises ValueError for ragged
    sequences, RuntimeError for data that is no number or does not fit ``dtype``.

    https://pytorch.org/docs/stable/generated/torch.tensor.html

    >>> import rushlight as torch
    >>> torch.tensor([[1, 2], [3, 4]]), torch.tensor([1.5, 2], requires_grad=True)
    (tensor([[1, 2],
            [3, 4]]), tensor([1.5000, 2.0000], requires_grad=True))
    """
    kind = None
    if dtype is not None or device is not None or pin_memory:
        kind = kind_of("tensor", {"dtype": dtype, "device": device, "pin_memory": pin_memory})
    if isinstance(data, Variable):
        warn(
            "To copy construct from a tensor, use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True) rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
    made: Tensor = new(build(data, kind), requires_grad)
    return made


@doors("torch")
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """Return ``data`` as a tensor, on the same memory where that is possible.

    A tensor of the right dtype is returned itself, with its place in the graph.

    https://pytorch.org/docs/stable/generated/torch.as_tensor.html
    """
    kind = kind_of("as_tensor", {"dtype": dtype, "device": device})
    if isinstance(data, np.ndarray) and (kind is None or data.dtype == kind):
        return from_numpy(data)
    made: Tensor = new(build(data, kind)) if not isinstance(data, Tensor) else data
    return made if kind is None else in_dtype(made, kind)


@doors("torch")
def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool | None = None
) -> Tensor:
    """Return ``obj`` as a tensor: on the same memory unless ``copy`` (True: never, False: always, or ValueError).

    ``requires_grad`` None leaves a tensor as it is in the graph, False detaches it.

    https://pytorch.org/docs/stable/generated/torch.asarray.html
    """
    kind = kind_of("asarray", {"dtype": dtype, "device": device})
    if isinstance(obj, Tensor):
        source = obj if requires_grad is not False else obj.detach()
        same = kind is None or kind is source.array.dtype
        if copy is False and not same:
            raise ValueError(f"can't alias tensor with dtype '{source.dtype}' into dtype '{dtype}'")
        made: Tensor = source.clone() if same and copy else in_dtype(source, kind or source.array.dtype)
    elif isinstance(obj, np.ndarray) and not copy and (kind is None or obj.dtype == kind):
        made = from_numpy(obj)
    elif copy is False:
        raise ValueError(f"can't alias arbitrary sequence into a tensor: {type(obj).__name__}")
    else:
        made = new(build(obj, kind))
    if requires_grad:
        made.requires_grad = True
    return made


@doors("torch")
def from_numpy(ndarray: Any) -> Tensor:
    """Return a tensor on the memory of ``ndarray``: what is written to one is seen in the other.

    Raises TypeError for what is no ndarray or has a dtype without counterpart, ValueError for negative strides. A
    read-only array gives a warning.

    https://pytorch.org/docs/stable/generated/torch.from_numpy.html
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    array = checked_array(ndarray)
    if not ndarray.flags.writeable:
        warn_read_only("NumPy array")
    made: Tensor = new(np.asarray(array))
    return made


@doors("torch")
def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """Return a 1-d tensor on the memory of a buffer such as a bytearray: ``count`` elements from byte ``offset`` on.

    Raises ValueError if they do not lie within the buffer.

    https://pytorch.org/docs/stable/generated/torch.frombuffer.html
    """
    kind = as_numpy(dtype)
    view = memoryview(buffer)
    length, each = view.nbytes, kind.itemsize
    if not length or not count:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} bytes) minus 1"
        )
    if count < 0 and (length - offset) % each:
        raise ValueError(
            f"buffer length ({length - offset} bytes) after offset ({offset} bytes) must be a multiple of element size "
            f"({each})"
        )
    if count > 0 and count * each > length - offset:
        raise ValueError(
            f"requested buffer length ({count} * {each} bytes) after offset ({offset} bytes) must not be greater than "
            f"actual buffer length ({length} bytes)"
        )
    if view.readonly:
        warn_read_only("buffer")
    made: Tensor = new(np.frombuffer(buffer, kind, count, offset), requires_grad)
    return made


@doors("torch")
@spell_out_options
def scalar_tensor(s: Any, **options: Unpack[Options]) -> Tensor:
    """Return a tensor without dims that holds the number ``s``, in the default dtype unless given."""
    s = as_number("scalar_tensor", "s", s)
    kind = kind_of("scalar_tensor", options, default_numpy())
    return finish("scalar_tensor", fill_number("scalar_tensor", s, kind), options)


# ------------------------------------------------------------------ filled


@doors("torch")
@spell_out_options
def empty(*size: Any, memory_format: Any = None, **options: Unpack[Options]) -> Tensor:
    """Return a tensor of ``size`` whose values are arbitrary.

    https://pytorch.org/docs/stable/generated/torch.empty.html
    """
    order_of(memory_format)
    shape = size_from("empty", size, options)
    return finish("empty", np.empty(shape, kind_of("empty", options, default_numpy())), options)


@doors("torch")
@spell_out_options
def empty_strided(size: Any, stride: Any, **options: Unpack[Options]) -> Tensor:
    """Return a tensor of arbitrary values whose elements along each dim lie ``stride`` elements apart."""
    shape, steps = one_size(size, "empty_strided", 1), one_size(stride, "empty_strided", 2)
    if len(shape) != len(steps):
        raise RuntimeError(f"mismatch in length of strides and shape: {list(steps)} and {list(shape)}")
    kind = np.dtype(kind_of("empty_strided", options, default_numpy()))
    needed = 1 + sum((n - 1) * step for n, step in zip(shape, steps, strict=True)) if 0 not in shape else 0
    array = np.ndarray(shape, kind, np.empty(needed, kind), 0, tuple(step * kind.itemsize for step in steps))
    return finish("empty_strided", array, options)


@doors("torch")
@spell_out_options
def zeros(*size: Any, **options: Unpack[Options]) -> Tensor:
    """Return zeros of ``size``, given as ints or as one tuple.

    https://pytorch.org/docs/stable/generated/torch.zeros.html

    >>> import rushlight as torch
    >>> torch.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    shape = size_from("zeros", size, options)
    return finish("zeros", np.zeros(shape, kind_of("zeros", options, default_numpy())), options)


@doors("torch")
@spell_out_options
def ones(*size: Any, **options: Unpack[Options]) -> Tensor:
    """Return ones of ``size``, given as ints or as one tuple.

    https://pytorch.org/docs/stable/generated/torch.ones.html
    """
    shape = size_from("ones", size, options)
    return finish("ones", np.ones(shape, kind_of("ones", options, default_numpy())), options)


@doors("torch")
@spell_out_options
def full(size: Any, fill_value: Any, **options: Unpack[Options]) -> Tensor:
    """Return a tensor of ``size`` filled with a number, in the number's dtype unless given.

    https://pytorch.org/docs/stable/generated/torch.full.html

    >>> import rushlight as torch
    >>> torch.full((2,), 7), torch.full((2,), 7.0)
    (tensor([7, 7]), tensor([7., 7.]))
    """
    shape = one_size(size, "full", 1)
    value = fill_number("full", fill_value, kind_of("full", options))
    return finish("full", np.full(shape, value), options)


@doors("torch")
@spell_out_options
def eye(n: int, m: int | None = None, **options: Unpack[Options]) -> Tensor:
    """Return an ``n`` by ``m`` matrix (``m`` is ``n`` if not given) with ones on the diagonal and zeros elsewhere.

    https://pytorch.org/docs/stable/generated/torch.eye.html
    """
    rows, columns = whole("eye", "n", n, 1), n if m is None else whole("eye", "m", m, 2)
    for name, length in (("n", rows), ("m", columns)):
        if length < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {length}")
    return finish("eye", np.eye(rows, columns, dtype=kind_of("eye", options, default_numpy())), options)


def whole(function: str, name: str, given: Any, position: int) -> int:
    """Return ``given`` as an int, or raise TypeError in PyTorch's words."""
    if isinstance(given, bool) or not hasattr(given, "__index__"):
        raise TypeError(
            f"{function}(): argument {name!r} (position {position}) must be int, not {type(given).__name__}"
        )
    return index(given)


# ------------------------------------------------------------------ like another


def model(name: str, input: Any, memory_format: Any, options: Options) -> Any:
    """Return an array of arbitrary values with the shape, strides and dtype that ``name(input)`` shall have."""
    array = as_ndarray(checked(name, input))
    kind = kind_of(name, options, array.dtype)
    dense = array.size == 0 or not any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True))
    return np.empty_like(array, kind, order="K" if order_of(memory_format) == "K" and dense else "C", subok=False)


@doors("torch")
@spell_out_options
def empty_like(input: Tensor, *, memory_format: Any = None, **options: Unpack[Options]) -> Tensor:
    """Return a tensor of arbitrary values with the shape and dtype of ``input``."""
    return finish("empty_like", model("empty_like", input, memory_format, options), options)


@doors("torch")
@spell_out_options
def full_like(input: Tensor, fill_value: Any, *, memory_format: Any = None, **options: Unpack[Options]) -> Tensor:
    """Return a tensor filled with a number, with the shape and dtype of ``input``."""
    array = model("full_like", input, memory_format, options)
    array[...] = fill_number("full_like", fill_value, array.dtype)
    return finish("full_like", array, options)


@doors("torch")
@spell_out_options
def zeros_like(input: Tensor, *, memory_format: Any = None, **options: Unpack[Options]) -> Tensor:
    """Return zeros with the shape and dtype of ``input``.

    https://pytorch.org/docs/stable/generated/torch.zeros_like.html
    """
    array = model("zeros_like", input, memory_format, options)
    array[...] = 0
    return finish("zeros_like", array, options)


@doors("torch")
@spell_out_options
def ones_like(input: Tensor, *, memory_format: Any = None, **options: Unpack[Options]) -> Tensor:
    """Return ones with the shape and dtype of ``input``.

    https://pytorch.org/docs/stable/generated/torch.ones_like.html
    """
    array = model("ones_like", input, memory_format, options)
    array[...] = 1
    return finish("ones_like", array, options)


# ------------------------------------------------------------------ the oldest way


class TensorType(type):
    """The type of ``FloatTensor`` and its kin: each makes tensors of one dtype, and knows them as its instances."""

    dtype: Any

    def __call__(cls, *given: Any, device: Any = None) -> Any:
        """Return an uninitialized tensor of the size given, or one with the data given."""
        require_cpu(device)
        if len(given) == 1 and isinstance(given[0], Variable) and given[0].array.dtype is not cls.dtype.numpy:
            raise TypeError(f"expected a Tensor of {cls.dtype}, got one of {dtype_of(given[0].array.dtype)}")
        return new(legacy_array(given, cls.dtype.numpy))

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Variable) and instance.array.dtype is cls.dtype.numpy


TENSOR_TYPES: dict[str, Any] = {
    f"{each.legacy}Tensor": TensorType(f"{each.legacy}Tensor", (), {"dtype": each, "__module__": "torch"})
    for each in DTYPES
}
"""``FloatTensor``, ``LongTensor`` and so on, by name."""
FloatTensor, DoubleTensor, HalfTensor = (TENSOR_TYPES[name] for name in ("FloatTensor", "DoubleTensor", "HalfTensor"))
CharTensor, ShortTensor, IntTensor = (TENSOR_TYPES[name] for name in ("CharTensor", "ShortTensor", "IntTensor"))
LongTensor, ByteTensor, BoolTensor = (TENSOR_TYPES[name] for name in ("LongTensor", "ByteTensor", "BoolTensor"))


@doors("torch")
def set_default_tensor_type(t: Any) -> None:
    """Set the dtype of new floating-point tensors by a type such as ``torch.DoubleTensor``, or by its name.

    TypeError unless it is one of floats. See :func:`torch.set_default_dtype`.
    https://pytorch.org/docs/stable/generated/torch.set_default_tensor_type.html
    """
    if isinstance(t, str):
        t = TENSOR_TYPES.get(t.removeprefix("torch.")) if t.startswith("torch.") else t
    if not isinstance(t, TensorType):
        raise TypeError("invalid type object: only floating-point types are supported as the default type")
    if not t.dtype.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    set_default_dtype(t.dtype)


@doors("torch")
@spell_out_options
def empty_permuted(size: Any, physical_layout: Any, **options: Unpack[Options]) -> Tensor:
    """Return a tensor of arbitrary values, whose dims lie in memory in the order ``physical_layout``, outermost first.

    https://pytorch.org/docs/stable/generated/torch.empty_permuted.html

    >>> import rushlight as torch
    >>> torch.empty_permuted((2, 3, 5), (0, 2, 1)).stride()
    (15, 1, 3)
    """
    shape, order = ints(size, "empty_permuted", "size"), ints(physical_layout, "empty_permuted", "physical_layout")
    if len(order) != len(shape):
        raise RuntimeError(
            f"Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
            f"{len(shape)} is not equal to len(physical_layout) = {len(order)}"
        )
    for place, dim in enumerate(order):
        if not 0 <= dim < len(shape):
            raise RuntimeError(f"Dimension out of range (expected to be between 0 and {len(shape) - 1}, but got {dim})")
        if dim in order[:place]:
            raise RuntimeError("Duplicate dim not allowed")
    steps, step = [0] * len(shape), 1
    for dim in reversed(order):
        steps[dim] = step
        step *= max(shape[dim], 1)
    return empty_strided(shape, tuple(steps), **options)

"""NumPy beside tensors: ufuncs and functions on tensors give tensors with their gradients, or say clearly why not.

Where PyTorch hands NumPy the memory of a tensor (``np.concatenate`` of tensors is an ndarray), so does this module;
where it would have to refuse since a gradient is required, the functions in the table below record instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd.gradient_edge import node_of
from ...autograd.out_argument import write_out
from ...autograd.recording import recording
from ...autograd.variable import Variable, as_ndarray, bump_version
from ..creation.from_data import build, checked_array
from ..ops.shape import join
from .attributes import Attributes
from .conversions import new

_UNARY = {
    "abs": "absolute", "arccos": "arccos", "arccosh": "arccosh", "arcsin": "arcsin", "arcsinh": "arcsinh",
    "arctan": "arctan", "arctanh": "arctanh", "bitwise_not": "invert", "ceil": "ceil", "cos": "cos", "cosh": "cosh",
    "deg2rad": "deg2rad", "exp": "exp", "exp2": "exp2", "expm1": "expm1", "floor": "floor", "isfinite": "isfinite",
    "isinf": "isinf", "isnan": "isnan", "log": "log", "log10": "log10", "log1p": "log1p", "log2": "log2",
    "logical_not": "logical_not", "neg": "negative", "positive": "positive", "rad2deg": "rad2deg",
    "reciprocal": "reciprocal", "round": "rint", "sign": "sign", "signbit": "signbit", "sin": "sin", "sinh": "sinh",
    "sqrt": "sqrt", "square": "square", "tan": "tan", "tanh": "tanh", "trunc": "trunc",
}  # fmt: skip
_BINARY = {
    "add": "add", "atan2": "arctan2", "bitwise_and": "bitwise_and", "bitwise_left_shift": "left_shift",
    "bitwise_or": "bitwise_or", "bitwise_right_shift": "right_shift", "bitwise_xor": "bitwise_xor",
    "copysign": "copysign", "div": "divide", "eq": "equal", "float_power": "float_power",
    "floor_divide": "floor_divide", "fmax": "fmax", "fmin": "fmin", "fmod": "fmod", "ge": "greater_equal",
    "gt": "greater", "heaviside": "heaviside", "hypot": "hypot", "le": "less_equal", "logaddexp": "logaddexp",
    "logaddexp2": "logaddexp2", "logical_and": "logical_and", "logical_or": "logical_or", "logical_xor": "logical_xor",
    "lt": "less", "matmul": "matmul", "maximum": "maximum", "minimum": "minimum", "mul": "multiply",
    "ne": "not_equal", "pow": "power", "remainder": "remainder", "sub": "subtract",
}  # fmt: skip
UFUNCS = {getattr(np, theirs): ours for ours, theirs in (_UNARY | _BINARY).items() if hasattr(np, theirs)}
"""The method of Tensor that computes each ufunc."""
_REDUCTIONS = {
    (np.add, "reduce"): "sum", (np.multiply, "reduce"): "prod", (np.maximum, "reduce"): "amax",
    (np.minimum, "reduce"): "amin", (np.logical_and, "reduce"): "all", (np.logical_or, "reduce"): "any",
    (np.add, "accumulate"): "cumsum", (np.multiply, "accumulate"): "cumprod",
}  # fmt: skip
_METHODS = {
    "sum": "sum", "mean": "mean", "prod": "prod", "var": "var", "std": "std", "max": "amax", "min": "amin",
    "amax": "amax", "amin": "amin", "argmax": "argmax", "argmin": "argmin", "all": "all", "any": "any",
    "cumsum": "cumsum", "cumprod": "cumprod", "reshape": "reshape", "ravel": "ravel", "squeeze": "squeeze",
    "expand_dims": "unsqueeze", "swapaxes": "swapaxes", "moveaxis": "moveaxis", "clip": "clip", "round": "round",
    "dot": "matmul", "outer": "outer", "trace": "trace", "diagonal": "diagonal", "broadcast_to": "broadcast_to",
    "nansum": "nansum", "tril": "tril", "triu": "triu",
}  # fmt: skip
FUNCTIONS = {getattr(np, theirs): ours for theirs, ours in _METHODS.items()}
"""The method of Tensor that computes each NumPy function that is no ufunc."""
_WRITERS = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}
"""Functions that write into their first argument."""
_HINT = "use tensor.detach().numpy() to compute with NumPy and without a gradient"


def _tensor(value: Any) -> Any:
    """Return an operand of a ufunc as an op takes it: arrays and lists as tensors, NumPy's scalars as numbers."""
    if isinstance(value, Variable | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return new(checked_array(value))
    return new(build(value))


def _array(value: Any) -> Any:
    """Return a tensor as its memory, containers item by item; RuntimeError if a gradient would be lost."""
    if isinstance(value, NumpyProtocols):
        return value.numpy()
    if isinstance(value, tuple | list) and any(isinstance(one, Variable | tuple | list) for one in value):
        return type(value)([_array(one) for one in value]) if type(value) in (tuple, list) else value
    return value


def _count_writes(name: str, values: Any) -> None:
    """Note that NumPy wrote the tensors among ``values``."""
    for value in values:
        if isinstance(value, Variable):
            bump_version(value, f"np.{name}")


def _asks(values: Any) -> bool:
    """Return whether a tensor among ``values`` requires a gradient."""
    for value in values:
        if isinstance(value, Variable):
            if node_of(value) is not None:
                return True
        elif isinstance(value, tuple | list) and _asks(value):
            return True
    return False


class NumpyProtocols(Attributes):
    """The protocols of NumPy and of other array libraries."""

    __slots__ = ()
    __array_priority__ = 1000

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, Any]:
        """Return the tensor's memory as an ndarray.

        Raises RuntimeError if a gradient is required and steps are recorded; with ``force`` it is as
        ``detach().numpy()``.
        """
        if not force and node_of(self) is not None and recording.get():
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        found: np.ndarray[Any, Any] = as_ndarray(self)
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """Return the tensor's memory, or a copy; RuntimeError if a gradient is required."""
        return np.array(self.numpy(), dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **words: Any) -> Any:
        """Return ``ufunc`` of the inputs: the op of the same name, or NumPy's values where no gradient is required."""
        out = out[0] if isinstance(out, tuple) and len(out) == 1 else out
        name = UFUNCS.get(ufunc) if method == "__call__" else _REDUCTIONS.get((ufunc, method))
        op = getattr(Variable.result, name or "", None)
        if isinstance(out, np.ndarray | tuple) or op is None or (words and method == "__call__"):
            return self._by_numpy(getattr(ufunc, method), ufunc.__name__, inputs, out, words)
        if method == "__call__":
            found = op(*_first_a_tensor([_tensor(one) for one in inputs]))
        else:
            found = _reduced(op, name, inputs, words)
        return found if out is None else write_out(ufunc.__name__, found, out)

    def _by_numpy(self, function: Any, name: str, inputs: Any, out: Any, words: dict[str, Any]) -> Any:
        """Return what NumPy computes from the memory of the inputs, as tensors; TypeError if a gradient is required."""
        if _asks(inputs):
            raise TypeError(f"np.{name} with these arguments has no gradient for tensors: {_HINT}")
        if out is not None:
            words = words | {"out": tuple(map(_array, out)) if isinstance(out, tuple) else _array(out)}
        found = function(*map(_array, inputs), **words)
        _count_writes(name, out if isinstance(out, tuple) else (out,))
        if function.__name__ == "at":
            _count_writes(name, inputs[:1])
        if out is not None:
            return out
        return tuple(map(_made, found)) if isinstance(found, tuple) else _made(found)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Return NumPy's ``func`` of tensors: the method of the same meaning, or what NumPy makes of the memory."""
        given = {name: value for name, value in kwargs.items() if value is not np._NoValue}
        name = FUNCTIONS.get(func)
        first = bool(args) and isinstance(args[0], Variable)
        if name is not None and first and hasattr(Variable.result, name) and given.get("out") is None:
            given.pop("out", None)
            return _method(name, args, given)
        if _asks((*args, *kwargs.values())):
            joined = _joined(func, args, given)
            if joined is not NotImplemented:
                return joined
            raise TypeError(f"np.{func.__name__} has no gradient for tensors: {_HINT}")
        found = func(*map(_array, args), **{name: _array(value) for name, value in kwargs.items()})
        written = kwargs.get("out")
        _count_writes(func.__name__, written if isinstance(written, tuple) else (written,))
        if func in _WRITERS:
            _count_writes(func.__name__, args[:1])
        return found if written is None else written

    def __buffer__(self, flags: int) -> memoryview:
        """Return the memory to whoever speaks the buffer protocol (from Python 3.12 on)."""
        if node_of(self) is not None:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return memoryview(as_ndarray(self))

    def __dlpack__(self, **words: Any) -> Any:
        """Return the memory as a DLPack capsule; BufferError if a gradient is required."""
        if node_of(self) is not None:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return as_ndarray(self).__dlpack__(**words)

    def __dlpack_device__(self) -> Any:
        """Return the kind and number of the device: the CPU."""
        return as_ndarray(self).__dlpack_device__()


def _made(found: Any) -> Any:
    return new(found) if isinstance(found, np.ndarray | np.generic) else found


def _first_a_tensor(inputs: list[Any]) -> list[Any]:
    """Return the operands with a number in front made a tensor of the other's kind, as ``2 - x`` is understood."""
    if len(inputs) == 2 and not isinstance(inputs[0], Variable):
        other = inputs[1].array
        number = inputs[0]
        weak = other.dtype.kind == "f" or (isinstance(number, int) and other.dtype.kind != "b")
        inputs[0] = new(build(number, other.dtype if weak and not isinstance(number, bool) else None))
    return inputs


def _reduced(op: Any, name: Any, inputs: Any, words: dict[str, Any]) -> Any:
    axis, x = words.pop("axis", 0), inputs[0]
    words = {word: value for word, value in words.items() if value is not None and value is not np._NoValue}
    if words.keys() - {"keepdims"}:
        raise TypeError(f"a ufunc's reduction of tensors takes axis and keepdims, not {sorted(words)}")
    if name == "prod" and isinstance(axis, tuple):
        raise TypeError("np.multiply.reduce of tensors takes one axis")
    words = {"keepdim": True} if words.get("keepdims") else {}
    if axis is None:
        return op(x, (), **words) if name in ("amax", "amin") else op(x, **words)
    return op(x, axis, **words)


def _method(name: str, args: Any, words: dict[str, Any]) -> Any:
    """Call the method of the first argument with NumPy's arguments in PyTorch's words."""
    words = {{"axis": "dim", "keepdims": "keepdim"}.get(word, word): value for word, value in words.items()}
    dtype = words.get("dtype")
    if dtype is None:
        words.pop("dtype", None)
    if words.get("dim", 0) is None:
        del words["dim"]
    if name in ("var", "std"):
        words["correction"] = words.pop("correction", words.pop("ddof", 0))  # NumPy divides by n, PyTorch by n - 1
    if name in ("amax", "amin") and "dim" not in words and len(args) == 1:
        words.setdefault("dim", ())
    if name == "reshape" and "shape" in words:
        args = (*args, words.pop("shape"))
    return getattr(args[0], name)(*args[1:], **words)


_JOINS = {
    np.concatenate: join.cat,
    np.stack: join.stack,
    np.vstack: join.vstack,
    np.hstack: join.hstack,
    np.dstack: join.dstack,
}


def _joined(func: Any, args: Any, words: dict[str, Any]) -> Any:
    """Return a join, or ``np.where``, of tensors of which one requires a gradient."""
    if func is np.where and len(args) == 3 and not words:
        condition, *choices = map(_tensor, args)
        return Variable.result.where(choices[0], condition, choices[1])
    op = _JOINS.get(func)
    if op is None or words.keys() - {"axis"}:
        return NotImplemented
    return op([_tensor(one) for one in args[0]], *(args[1:] or words.values()))

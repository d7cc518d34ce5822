"""How a tensor reads when printed: PyTorch's text, character for character, from a NumPy array.

The rules are those of PyTorch 2.13 (CPU); `torch.set_printoptions
<https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html>`_ names the options.
This file knows arrays only; a tensor passes the other parts of its text as arguments.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from typing import Any

from numpy import ix_

from .dtypes import Array

__all__ = [
    "PRINT_OPTS",
    "PrintOptions",
    "get_printoptions",
    "parameter_repr",
    "printoptions",
    "set_printoptions",
    "tensor_repr",
]


class PrintOptions:
    """The options in force; see :func:`set_printoptions` for their meaning."""

    __slots__ = ("edgeitems", "linewidth", "precision", "sci_mode", "threshold")

    def __init__(self) -> None:
        self.precision = 4
        self.threshold: float = 1000
        self.edgeitems = 3
        self.linewidth = 80
        self.sci_mode: bool | None = None


PRINT_OPTS = PrintOptions()

_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}

# Beyond any of these, fixed notation would waste columns or hide digits.
_SCIENTIFIC_RATIO = 1000.0
_SCIENTIFIC_ABOVE = 1.0e8
_SCIENTIFIC_BELOW = 1.0e-4


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Return None; change how every tensor prints from now on.

    Args:
        precision: digits after the point.
        threshold: tensors of more elements are shown by their edges only.
        edgeitems: elements kept at either end of each dim when only edges are shown; with 0
            nothing is kept, and the size is added to every text.
        linewidth: columns after which a row of numbers, or what follows it, wraps.
        profile: ``"default"``, ``"short"`` or ``"full"``, a set of the four options above that
            the other arguments override. Any other name changes nothing, as in PyTorch.
        sci_mode: ``True`` or ``False`` to force or forbid scientific notation; ``None`` decides
            by the values shown. Unlike the others it is set at every call, to ``None`` if left out.

    As in PyTorch, values are not checked here. Printing raises ``ValueError`` for an impossible
    precision, ``TypeError`` for any other option of the wrong type, ``OverflowError`` for an
    infinite linewidth, and ``RuntimeError`` when it needs a negative edgeitems.

    Example:
        >>> import rushlight as torch
        >>> torch.set_printoptions(precision=2, threshold=4, edgeitems=1)
        >>> torch.tensor([0.125, 1.0, 2.0, 3.0, 4.0])
        tensor([0.12,  ..., 4.00])
        >>> torch.set_printoptions(profile="default")
        >>> torch.tensor([0.125, 1.0])
        tensor([0.1250, 1.0000])
    """
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    for name, value in (_PROFILES.get(profile or "", {}) | chosen).items():
        setattr(PRINT_OPTS, name, value)
    PRINT_OPTS.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """Return the options in force as a new dict, ready for ``set_printoptions(**options)``.

    Example:
        >>> from rushlight.arrays.formatting import get_printoptions
        >>> get_printoptions()["linewidth"]
        80
    """
    return {
        name: getattr(PRINT_OPTS, name) for name in ("precision", "threshold", "edgeitems", "linewidth", "sci_mode")
    }


@contextmanager
def printoptions(**kwargs: Any) -> Iterator[None]:
    """Return a context manager that sets options on entry and restores all of them on exit.

    Takes the arguments of :func:`set_printoptions`; an unknown name raises ``TypeError``.

    Example:
        >>> from rushlight.arrays.formatting import get_printoptions, printoptions
        >>> with printoptions(precision=8):
        ...     get_printoptions()["precision"]
        8
        >>> get_printoptions()["precision"]
        4
    """
    before = get_printoptions()
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        set_printoptions(**before)


def tensor_repr(
    array: Array,
    *,
    dtype_name: str,
    default_dtype_name: str = "torch.float32",
    requires_grad: bool = False,
    grad_fn_name: str | None = None,
    tangent: str | None = None,
    prefix: str = "tensor(",
) -> str:
    """Return the text of a tensor, which is its ``repr`` and its ``str``.

    Args:
        array: the values: real, integer or bool, any shape.
        dtype_name: the dtype as it prints, such as ``"torch.float32"``. It is left out for the
            default dtype, and for int64 and bool unless the tensor is empty.
        default_dtype_name: the dtype that goes without saying.
        requires_grad: whether to say so; a ``grad_fn`` says it already.
        grad_fn_name: name of the step the tensor came from, such as ``"AddBackward0"``.
        tangent: the text of the tangent, for a dual tensor.
        prefix: what opens the text, up to and with the parenthesis; ``"Name("`` for a subclass.

    Raises ``TypeError`` for any other kind of array, such as complex or object.

    Example:
        >>> import numpy as np
        >>> from rushlight.arrays.formatting import tensor_repr
        >>> print(tensor_repr(np.array([[1.5, -2.0]]), dtype_name="torch.float64"))
        tensor([[ 1.5000, -2.0000]], dtype=torch.float64)
        >>> print(tensor_repr(np.zeros((0, 3), np.float32), dtype_name="torch.float32"))
        tensor([], size=(0, 3))
    """
    facts = []
    if array.ndim != 1 if array.size == 0 else not PRINT_OPTS.edgeitems:
        facts.append(f"size={array.shape}")
    evident = ("torch.int64", "torch.bool") if array.size else ()
    if dtype_name != default_dtype_name and dtype_name not in evident:
        facts.append(f"dtype={dtype_name}")
    if grad_fn_name is not None:
        facts.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        facts.append("requires_grad=True")
    if tangent is not None:
        facts.append(f"tangent={tangent}")
    return _append(prefix + _contents(array, len(prefix)), facts, len(prefix)) + ")"


def parameter_repr(text: str, *, subclass: bool = False) -> str:
    """Return the text of a ``Parameter`` whose tensor prints as ``text``.

    Pass ``subclass=True`` for an instance of a class derived from ``Parameter``, whose text
    (opened by that class's name) PyTorch wraps once more.

    Example:
        >>> from rushlight.arrays.formatting import parameter_repr
        >>> print(parameter_repr("tensor([1.], requires_grad=True)"))
        Parameter containing:
        tensor([1.], requires_grad=True)
    """
    return f"Parameter containing:\nParameter({text})" if subclass else f"Parameter containing:\n{text}"


def _append(text: str, facts: Sequence[str], indent: int) -> str:
    """Return ``text`` with each fact after it, on a new line where it would not fit."""
    # PyTorch counts two columns too many for the last line of the values, but none too many for
    # a line that begins with a fact. Where facts wrap depends on both.
    column = len(text) - text.rfind("\n") + 1
    for fact in facts:
        if column + len(fact) + 2 > PRINT_OPTS.linewidth:
            text += ",\n" + " " * indent + fact
            column = indent + len(fact)
        else:
            text += ", " + fact
            column += len(fact) + 2
    return text


def _contents(array: Array, indent: int) -> str:
    """Return the brackets and numbers of ``array``, to be printed from column ``indent`` on."""
    kind = array.dtype.kind
    if kind not in "fiub" or array.dtype.itemsize > 8:
        raise TypeError(f"cannot print an array of dtype {array.dtype}: no tensor has this dtype")
    if array.size == 0:
        return "[]"
    edge = PRINT_OPTS.edgeitems
    clipped = [False] * array.ndim
    if array.size > PRINT_OPTS.threshold and array.ndim:
        if edge == 0:
            return "[...]"
        if edge < 0:
            raise RuntimeError(f"cannot show the edges of a tensor: edgeitems is {edge}")
        clipped = [size > 2 * edge for size in array.shape]
        array = array[ix_(*(_kept(size, edge) for size in array.shape))]
    values = array.reshape(-1).tolist()
    cells, width = _float_cells(values) if kind == "f" else _exact_cells(values)
    return _nest(cells, width, array.shape, clipped, indent)


def _kept(size: int, edge: int) -> list[int]:
    """Return the positions shown along a dim of ``size`` elements."""
    return list(range(size)) if size <= 2 * edge else [*range(edge), *range(size - edge, size)]


def _exact_cells(values: list[int]) -> tuple[list[str], int]:
    """Return the text of each integer or bool, aligned, and the column's width."""
    cells = [str(value) for value in values]
    width = max(map(len, cells))
    return [cell.rjust(width) for cell in cells], width


def _float_cells(values: list[float]) -> tuple[list[str], int]:
    """Return the text of each value, aligned, in one notation for all, and the column's width."""
    regular = [value != 0 and math.isfinite(value) for value in values]
    sizes = [abs(value) for value in compress(values, regular)]
    if _is_scientific(sizes):
        cells = [format(value, f".{PRINT_OPTS.precision}e") for value in values]
    elif all(size.is_integer() for size in sizes):
        cells = [f"{value:.0f}." if math.isfinite(value) else str(value) for value in values]
    else:
        cells = [format(value, f".{PRINT_OPTS.precision}f") for value in values]
    # Zeros, infinities and NaN do not count for the width: they may be wider than the column.
    width = max(map(len, compress(cells, regular)), default=1)
    return [cell.rjust(width) for cell in cells], width


def _is_scientific(sizes: list[float]) -> bool:
    """Return whether these magnitudes, all finite and none zero, are printed in scientific notation."""
    if not sizes:
        return False
    if PRINT_OPTS.sci_mode is not None:
        return bool(PRINT_OPTS.sci_mode)
    low, high = min(sizes), max(sizes)
    return high / low > _SCIENTIFIC_RATIO or high > _SCIENTIFIC_ABOVE or low < _SCIENTIFIC_BELOW


def _nest(cells: list[str], width: int, shape: Sequence[int], clipped: Sequence[bool], indent: int) -> str:
    """Return the cells in brackets, one pair a dim, with dots in the middle of clipped dims.

    ``shape`` is that of the cells and has no 0; ``indent`` is the column of the first bracket.
    """
    last = len(shape) - 1
    for dim in range(last, -1, -1):
        size, margin = shape[dim], " " * (indent + dim + 1)
        groups = [cells[start : start + size] for start in range(0, len(cells), size)]
        if clipped[dim]:
            dots = [" ..." if dim == last else "..."]
            groups = [group[: size // 2] + dots + group[size // 2 :] for group in groups]
        if dim == last:
            pace = max(1, math.floor((PRINT_OPTS.linewidth - indent - dim) / (width + 2)))
            groups = [_wrapped(group, pace) for group in groups]
        # Blank lines set blocks apart: one more for each dim that a block spans beyond rows.
        between = ",\n" + "\n" * (last - 1 - dim) + margin
        cells = [f"[{between.join(group)}]" for group in groups]
    return cells[0]


def _wrapped(row: list[str], pace: int) -> list[str]:
    """Return the lines of a row of cells, ``pace`` cells on each."""
    return [", ".join(row[start : start + pace]) for start in range(0, len(row), pace)]

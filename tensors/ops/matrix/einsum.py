"""Einstein summation: any product of tensors, summed over some of their dims.

An operand is an array with one label (a whole number) for each dim. First each operand alone is brought into shape:
repeated labels become a diagonal, labels that neither another operand nor the output has are summed. Then two operands
at a time are multiplied as matrices, those first whose result is smallest. Every gradient is such a product too.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ....arrays.dtypes import Array
from ....autograd.arguments import array_of
from ....autograd.codegen.signature import called_as
from ....autograd.primitive import primitive
from ....autograd.variable import Variable
from ...doors import doors
from .matmul import no_bool, product, same_scalar

Labels = tuple[int, ...]
_ELLIPSIS = 1000
"""The label of the first dim that an ellipsis stands for; letters come before."""

# ------------------------------------------------------------------ one operand


@primitive(
    input=lambda g, input_shape, labels, wanted: _disarrange(g, input_shape, labels, wanted),
    grad_fn_name=lambda labels, wanted: "SumBackward1" if set(labels) - set(wanted) else "PermuteBackward0",
)
def _arrange(input: Array, labels: Labels, wanted: Labels) -> Array:
    """Return the diagonal of dims with the same label, summed over labels not ``wanted``, in their order: a copy."""
    unique = tuple(dict.fromkeys(labels))
    looked = np.asarray(np.einsum(np.asarray(input), list(_dense(labels)), list(_dense(unique))))
    dropped = tuple([i for i, one in enumerate(unique) if one not in wanted])
    if dropped:
        kind = np.dtype(np.int64 if looked.dtype.kind in "bui" else looked.dtype)
        wide = np.dtype(np.float32) if kind.char == "e" else kind
        looked = np.add.reduce(looked, dropped, dtype=wide).astype(kind, copy=False)
    left = [one for one in unique if one in wanted]
    out = np.asarray(looked).transpose([left.index(one) for one in wanted])
    return out if dropped else np.array(out)


def _dense(labels: Labels) -> Labels:
    """Return labels as NumPy takes them: below 52."""
    order = dict.fromkeys(sorted(labels))
    return tuple([list(order).index(one) for one in labels])


@primitive(g=lambda g, labels, wanted: _arrange(g, labels, wanted))
def _disarrange(g: Array, shape: tuple[int, ...], labels: Labels, wanted: Labels) -> Array:
    """Return ``g`` broadcast to ``shape``, zero beside the diagonals; the adjoint of ``_arrange``."""
    if not labels:
        return np.array(g)
    out = np.zeros(shape, g.dtype)
    unique = tuple(dict.fromkeys(labels))
    dense = _dense(labels)
    looked = np.einsum(out, list(dense), [dense[labels.index(one)] for one in unique])
    left = [one for one in unique if one in wanted]
    turned = np.asarray(g).transpose([wanted.index(one) for one in left])
    looked[...] = turned[tuple([slice(None) if one in wanted else None for one in unique])]
    return out


# ------------------------------------------------------------------ two operands


def _contract_title(left: Labels, right: Labels, wanted: Labels) -> str:
    return "MulBackward0" if set(left) | set(right) == set(wanted) else "ViewBackward0"


@primitive(
    input=lambda g, other, left, right, wanted: contract(g, other, wanted, right, left),
    other=lambda g, input, left, right, wanted: contract(input, g, left, wanted, right),
    grad_fn_name=_contract_title,
)
def contract(input: Array, other: Array, left: Labels, right: Labels, wanted: Labels) -> Array:
    """Return the product of two arrays with dims ``left`` and ``right``, summed over labels not ``wanted``.

    No array has a label twice, sizes of a label agree, and a label of one array alone must be wanted.
    """
    summed = [one for one in left if one in right and one not in wanted]
    both = [one for one in left if one in right and one in wanted]
    ours = [one for one in left if one not in right]
    theirs = [one for one in right if one not in left]
    if not summed:
        order = [*both, *ours, *theirs]
        out = _broadcast(input, left, order) * _broadcast(other, right, order)
    else:
        a, a_shape = _grouped(input, left, both, ours, summed)
        b, b_shape = _grouped(other, right, both, summed, theirs)
        ends = len(both) + len(ours), len(both) + len(summed)
        out = product(a, b).reshape(a_shape[: ends[0]] + b_shape[ends[1] :])
        order = [*both, *ours, *theirs]
    place = {one: i for i, one in enumerate(order)}
    return np.asarray(out).transpose([place[one] for one in wanted])


def _broadcast(x: Array, labels: Labels, order: list[int]) -> Array:
    """Return ``x`` with dims in ``order``, of size 1 where it has none."""
    turned = np.asarray(x).transpose([labels.index(one) for one in order if one in labels])
    return turned[tuple([slice(None) if one in labels else None for one in order])]


def _grouped(x: Array, labels: Labels, both: list[int], rows: list[int], columns: list[int]) -> tuple[Array, Any]:
    """Return ``x`` as a batch of matrices, each group but the batch one dim, and the shape it had in that order."""
    turned = x.transpose([labels.index(one) for one in (*both, *rows, *columns)])
    shape, lead, middle = turned.shape, len(both), len(both) + len(rows)
    if len(rows) == len(columns) == 1:
        return turned, shape
    return turned.reshape(*shape[:lead], prod(shape[lead:middle]), prod(shape[middle:])), shape


# ------------------------------------------------------------------ any number of operands


def summation(operands: list[Any], labels: list[Labels], wanted: Labels) -> Any:
    """Return the product of ``operands``, whose dims are ``labels``, summed over labels not ``wanted``."""
    sizes = _sizes(operands, labels)
    for n, (x, own) in enumerate(zip(operands, labels, strict=True)):
        operands[n], labels[n] = _prepared(x, own, sizes, [*labels[:n], *labels[n + 1 :]], wanted, len(operands) == 1)
    while len(operands) > 1:
        i, j = _cheapest(labels, wanted, sizes)
        right, right_labels = operands.pop(j), labels.pop(j)
        left, left_labels = operands.pop(i), labels.pop(i)
        kept = {one for own in (wanted, *labels) for one in own}
        union = tuple(dict.fromkeys((*left_labels, *right_labels)))
        result = wanted if not operands else tuple([one for one in union if one in kept])
        operands.insert(0, _pair(left, right, left_labels, right_labels, result))
        labels.insert(0, result)
    return operands[0]


def _pair(a: Any, b: Any, left: Labels, right: Labels, wanted: Labels) -> Any:
    """Return :func:`contract` of two operands that may still have labels for a sum of their own."""
    a, left = _without(a, left, (*right, *wanted))
    b, right = _without(b, right, (*left, *wanted))
    if set(left) | set(right) != set(wanted):
        x, y = array_of(a, "einsum"), array_of(b, "einsum")
        same_scalar(x, y)
        no_bool(x.dtype, "bmm")
        return contract(a, b, left, right, wanted)
    order = tuple(dict.fromkeys((*wanted,)))
    return _arranged(a, left, order) * _arranged(b, right, order)


def _arranged(x: Any, labels: Labels, order: Labels) -> Any:
    """Return tensor ``x`` with dims in ``order``, of size 1 where it has none."""
    left = tuple([one for one in order if one in labels])
    turned = x if left == labels else _arrange(x, labels, left)
    if left == order:
        return turned
    return turned[tuple([slice(None) if one in labels else None for one in order])]


def _without(x: Any, labels: Labels, used: Sequence[int]) -> tuple[Any, Labels]:
    """Return ``x`` summed over labels that are not ``used``."""
    kept = tuple([one for one in labels if one in used])
    return (x, labels) if kept == labels else (_arrange(x, labels, kept), kept)


def _prepared(
    x: Any, own: Labels, sizes: dict[int, int], others: list[Labels], wanted: Labels, alone: bool
) -> tuple[Any, Labels]:
    """Return an operand and its labels, without repeated labels, dims to broadcast, and dims that only it has."""
    array = array_of(x, "einsum")
    narrow = [i for i, one in enumerate(own) if array.shape[i] == 1 and sizes[one] > 1]
    if narrow:
        x = x[tuple([0 if i in narrow else slice(None) for i in range(len(own))])]
        own = tuple([one for i, one in enumerate(own) if i not in narrow])
    used = {one for labels in (wanted, *others) for one in labels}
    kept = wanted if alone else tuple(dict.fromkeys([one for one in own if one in used]))
    if kept == own and not alone:
        return x, own
    return _arrange(x, own, kept), kept


def _sizes(operands: list[Any], labels: list[Labels]) -> dict[int, int]:
    """Return the size of each label, or raise RuntimeError where operands disagree."""
    sizes: dict[int, int] = {}
    for n, (x, own) in enumerate(zip(operands, labels, strict=True)):
        mine: dict[int, int] = {}
        for one, size in zip(own, array_of(x, "einsum").shape, strict=True):
            if mine.setdefault(one, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {_name(one)} is repeated for operand {n} but the sizes don't match, "
                    f"{size} != {mine[one]}"
                )
        for one, size in mine.items():
            seen = sizes.get(one, 1)
            if 1 not in (seen, size) and seen != size:
                raise RuntimeError(
                    f"einsum(): subscript {_name(one)} has size {size} for operand {n} which does not broadcast with "
                    f"previously seen size {seen}"
                )
            sizes[one] = size if seen == 1 else seen
    return sizes


def _cheapest(labels: list[Labels], wanted: Labels, sizes: dict[int, int]) -> tuple[int, int]:
    """Return the two operands whose product is smallest."""
    if len(labels) == 2:
        return 0, 1
    best, found = -1, (0, 1)
    for i in range(len(labels)):
        for j in range(i + 1, len(labels)):
            rest = {one for n, own in enumerate(labels) if n not in (i, j) for one in own} | set(wanted)
            size = prod(sizes[one] for one in {*labels[i], *labels[j]} & rest)
            if best < 0 or size < best:
                best, found = size, (i, j)
    return found


# ------------------------------------------------------------------ reading the equation


def _name(label: int) -> str:
    """Return the letter of a label: A-Z are 0 to 25, a-z are 26 to 51."""
    if label >= _ELLIPSIS:
        return "..."
    return chr(label + ord("A")) if label < 26 else chr(label - 26 + ord("a"))


def _label(letter: str) -> int:
    return ord(letter) - ord("A") if letter <= "Z" else ord(letter) - ord("a") + 26


def _read(text: str, start: int, where: str) -> list[Any]:
    """Return the labels, and maybe one Ellipsis, of one operand of an equation; ``start`` is its place there."""
    found: list[Any] = []
    skip = 0
    for place, letter in enumerate(text):
        if skip or letter == " ":
            skip = max(skip - 1, 0)
        elif letter == ".":
            if Ellipsis in found:
                already = "but an" if where == "output" else "for which an"
                tail = "ellipsis (...) was already found" if where == "output" else "ellipsis was already found"
                raise RuntimeError(f"einsum(): found '.' for {where} {already} {tail}")
            if text[place : place + 3] != "...":
                raise RuntimeError(f"einsum(): found '.' for {where} that is not part of any ellipsis")
            found.append(Ellipsis)
            skip = 2
        elif letter.isascii() and letter.isalpha():
            found.append(_label(letter))
        else:
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {start + place} in the equation string, subscripts must "
                "be in [a-zA-Z]"
            )
    return found


def _parse(equation: str) -> tuple[list[list[Any]], list[Any] | None]:
    """Return the subscripts of each operand and those of the output, or None if it is not given."""
    before, arrow, after = equation.partition("->")
    inputs, start = [], 0
    for n, text in enumerate(before.split(",")):
        inputs.append(_read(text, start, f"operand {n}"))
        start += len(text) + 1
    return inputs, _read(after, len(before) + 2, "output") if arrow else None


def _expanded(given: list[Any], ndim: int, n: int) -> Labels:
    """Return one label for each of the dims of operand ``n``; those of an ellipsis count from the back."""
    named = len(given) - given.count(Ellipsis)
    hidden = ndim - named
    if hidden < 0 and Ellipsis in given:
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({named}) is more than the number of dimensions "
            f"({ndim}) for operand {n}"
        )
    if hidden and Ellipsis not in given:
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({named}) does not match the number of dimensions "
            f"({ndim}) for operand {n} and no ellipsis was given"
        )
    found: list[int] = []
    for one in given:
        found += range(_ELLIPSIS + 99 - hidden, _ELLIPSIS + 99) if one is Ellipsis else [one]
    return tuple(found)


def _output(given: list[Any] | None, labels: list[Labels]) -> Labels:
    """Return the labels of the result: those asked for, else those that come once, sorted."""
    every = [one for own in labels for one in own]
    hidden = sorted({one for one in every if one >= _ELLIPSIS})
    if given is None:
        letters = sorted(one for one in set(every) if one < _ELLIPSIS and every.count(one) == 1)
        return (*hidden, *letters)
    found: list[int] = []
    for one in given:
        if one is Ellipsis:
            found += hidden
        elif one in found:
            raise RuntimeError(f"einsum(): output subscript {_name(one)} appears more than once in the output")
        elif one not in every:
            raise RuntimeError(
                f"einsum(): output subscript {_name(one)} does not appear in the equation for any input operand"
            )
        else:
            found.append(one)
    return tuple(found)


def _sublists(args: tuple[Any, ...]) -> tuple[list[Any], list[list[Any]], list[Any] | None]:
    """Return operands, subscripts and output of the form ``einsum(x, [0, 1], y, [1, 2], [0, 2])``."""

    def checked(given: Any) -> list[Any]:
        for one in given:
            if one is not Ellipsis and not 0 <= one < 52:
                raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")
        return list(given)

    count = len(args) // 2
    operands = [args[2 * n] for n in range(count)]
    return operands, [checked(args[2 * n + 1]) for n in range(count)], checked(args[-1]) if len(args) % 2 else None


@doors("torch")
@called_as("equation: str, *operands: Tensor")
def einsum(*args: Any) -> Any:
    """Return the product of the operands, summed as the equation says: a new tensor.

    ``einsum("bij,bjk->bik", x, y)``: a letter for each dim; letters missing after ``->`` are summed, a letter twice in
    one operand takes its diagonal, ``...`` stands for dims that broadcast. Without ``->`` the result has, in
    alphabetical order, the letters that come once. The operands may come as one list, and the form
    ``einsum(x, [0, 1], y, [1, 2], [0, 2])`` takes numbers for letters.

    >>> import rushlight as torch
    >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> torch.einsum("ij,kj->ik", x, x)
    tensor([[ 5., 11.],
            [11., 25.]])
    >>> torch.einsum("ii", x)
    tensor(5.)

    https://pytorch.org/docs/stable/generated/torch.einsum.html
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    output: list[Any] | None
    if isinstance(args[0], str):
        operands = list(args[1]) if len(args) == 2 and isinstance(args[1], list | tuple) else list(args[1:])
        given, output = _parse(args[0])
    elif isinstance(args[0], Variable | np.ndarray) and isinstance(args[1], list | tuple):
        operands, given, output = _sublists(args)
    else:
        raise TypeError(f"einsum(): argument 'equation' (position 1) must be str, not {type(args[0]).__name__}")
    if len(operands) != len(given):
        amount = "fewer" if len(operands) < len(given) else "more"
        raise RuntimeError(f"einsum(): {amount} operands were provided than specified in the equation")
    dims = [array_of(x, "einsum", "operands", n + 2).ndim for n, x in enumerate(operands)]
    labels = [_expanded(one, ndim, n) for n, (one, ndim) in enumerate(zip(given, dims, strict=True))]
    return summation(operands, labels, _output(output, labels))

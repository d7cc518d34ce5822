"""Tensors of random numbers: ``rand``, ``randn``, ``randint``, ``randperm``, ``normal``."""

from __future__ import annotations

from typing import Any, Unpack, cast

import numpy as np

from ...arrays.dtypes import default_numpy, int64
from ...arrays.size import one_size
from ...autograd.codegen.signature import called_as, spell_out_options
from ...autograd.out_argument import write_out
from ...autograd.variable import Variable
from ..creation.factories import Options, finish, kind_of, model, size_from, whole
from ..doors import doors
from ..tensor.methods import Tensor
from .generator import default_generator
from .inplace import DEFAULT, in_memory_order, normal_like, normal_of, stream_of

default_generator.stream = DEFAULT.stream


# ------------------------------------------------------------------ tensors


@doors("torch")
@spell_out_options
def rand(*size: Any, generator: Any = None, **options: Unpack[Options]) -> Tensor:
    """Return numbers uniform on [0, 1).

    https://pytorch.org/docs/stable/generated/torch.rand.html
    """
    shape = size_from("rand", size, options)
    kind = np.dtype(kind_of("rand", options, default_numpy()))
    return finish("rand", stream_of(generator).uniform(shape, kind), options)


@doors("torch")
@spell_out_options
def randn(*size: Any, generator: Any = None, **options: Unpack[Options]) -> Tensor:
    """Return normal numbers of mean 0 and variance 1.

    https://pytorch.org/docs/stable/generated/torch.randn.html
    """
    shape = size_from("randn", size, options)
    kind = np.dtype(kind_of("randn", options, default_numpy()))
    return finish("randn", stream_of(generator).normal(shape, kind), options)


@doors("torch")
@called_as(
    "low: int = 0, high: int | None = None, size: Sequence[int] | None = None, *, generator: Generator | None = None, "
    "**options"
)
def randint(*args: Any, generator: Any = None, **options: Any) -> Tensor:
    """Return integers of [low, high): ``randint(high, size)`` or ``randint(low, high, size)``; int64 unless given.

    https://pytorch.org/docs/stable/generated/torch.randint.html
    """
    size, low, high = _integer_arguments(args, options)
    given: Any = options
    kind = np.dtype(kind_of("randint", given, int64.numpy))
    return finish("randint", stream_of(generator).integers(size, kind, low, high), given)


def _integer_arguments(args: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[int, ...], int, int]:
    names = ("low", "high", "size")
    given = {name: options.pop(name) for name in names if name in options}
    free = [name for name in names if name not in given]
    if "low" in free and len(args) < len(free):
        free.remove("low")
    if len(args) != len(free):
        raise TypeError(f"randint() takes (high, size) or (low, high, size), got {[*args, *given]}")
    given |= dict(zip(free, args, strict=True))
    size = one_size(given["size"], "randint", len(args))
    low = whole("randint", "low", given.get("low", 0), 1)
    return size, low, whole("randint", "high", given["high"], 2)


@doors("torch")
@spell_out_options
def randperm(n: int, *, generator: Any = None, **options: Unpack[Options]) -> Tensor:
    """Return the integers below ``n`` in random order.

    https://pytorch.org/docs/stable/generated/torch.randperm.html
    """
    kind = np.dtype(kind_of("randperm", options, int64.numpy))
    count = whole("randperm", "n", n, 1)
    most = (
        2 ** {2: 11, 4: 24, 8: 53}[kind.itemsize] + 1
        if kind.kind == "f"
        else 2
        if kind.kind == "b"
        else np.iinfo(kind).max
    )
    if count > most:
        raise RuntimeError(f"randperm: n cannot be greater than {most} for {kind.name}, got {count}: value overflows")
    return finish("randperm", stream_of(generator).permutation(count, kind), options)


@doors("torch")
@spell_out_options
def rand_like(input: Tensor, *, generator: Any = None, memory_format: Any = None, **options: Unpack[Options]) -> Tensor:
    """Return numbers uniform on [0, 1), with the shape and dtype of ``input``."""
    stream, like = stream_of(generator), model("rand_like", input, memory_format, options)
    return finish("rand_like", in_memory_order(stream.uniform, like), options)


@doors("torch")
@spell_out_options
def randn_like(
    input: Tensor, *, generator: Any = None, memory_format: Any = None, **options: Unpack[Options]
) -> Tensor:
    """Return normal numbers of mean 0 and variance 1, with the shape and dtype of ``input``."""
    stream, like = stream_of(generator), model("randn_like", input, memory_format, options)
    return finish("randn_like", normal_like(stream, like), options)


@doors("torch")
@called_as(
    "input: Tensor, low: int = 0, high: int | None = None, *, generator: Generator | None = None, "
    "memory_format: memory_format | None = None, **options"
)
def randint_like(
    input: Tensor, *bounds: int, generator: Any = None, memory_format: Any = None, **options: Any
) -> Tensor:
    """Return integers of [low, high) with the shape and dtype of ``input``; bounds are ``high``, or ``low, high``.

    https://pytorch.org/docs/stable/generated/torch.randint_like.html
    """
    _, low, high = _integer_arguments((*bounds, ()), options)
    stream, given = stream_of(generator), cast("Options", options)
    like = model("randint_like", input, memory_format, given)
    drawn = in_memory_order(lambda shape, kind: stream.integers(shape, kind, low, high), like)
    return finish("randint_like", drawn, given)


@doors("torch")
@spell_out_options
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    **options: Unpack[Options],
) -> Tensor:
    """Return normal numbers of ``mean`` and ``std``: tensors, element by element, or numbers together with ``size``.

    https://pytorch.org/docs/stable/generated/torch.normal.html
    """
    if size is None:
        if not isinstance(mean, Variable) and not isinstance(std, Variable):
            raise TypeError("normal(): with two numbers for mean and std, argument 'size' is required")
        made: Tensor = normal_of(mean, std, generator)
        if options.keys() - {"out"}:
            raise TypeError(f"normal(): with tensors for mean or std there is no {sorted(options.keys() - {'out'})}")
        return made if options.get("out") is None else write_out("normal", made, options["out"])
    kind = np.dtype(kind_of("normal", options, default_numpy()))
    drawn = stream_of(generator).normal(one_size(size, "normal", 3), kind, float(mean), float(std))
    return finish("normal", drawn, options)

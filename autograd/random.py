"""Random tensors, and the generator they are drawn from: ``torch.random`` and its kin.

The same seed gives the numbers that PyTorch gives on the CPU; see :mod:`rushlight.autograd.streams`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Unpack, cast

import numpy as np

from .creation import Options, finish, kind_of, model, size_from, whole
from .device import CPU, require_cpu
from .device import device as Device
from .draws import DEFAULT, Source, in_memory_order, normal_like, normal_of, stream_of
from .dtypes import default_numpy, int64
from .node import Variable
from .size import one_size
from .streams import Stream
from .tensor import Tensor
from .writes import deliver


class Generator(Source):
    """A source of random numbers with a seed and a state of its own.

    https://pytorch.org/docs/stable/generated/torch.Generator.html

    >>> import rushlight as torch
    >>> g = torch.Generator().manual_seed(0)
    >>> torch.rand(2, generator=g)
    tensor([0.4963, 0.7682])
    """

    __slots__ = ()

    def __init__(self, device: Any = "cpu") -> None:
        require_cpu(device)
        super().__init__()

    @property
    def device(self) -> Device:
        """The device, always the CPU."""
        return CPU

    def manual_seed(self, seed: int) -> Generator:
        """Start again from ``seed`` and return the generator."""
        self.stream.manual_seed(_seed(seed))
        return self

    def seed(self) -> int:
        """Start again from a seed of the operating system and return it."""
        return self.stream.seed()

    def initial_seed(self) -> int:
        """Return the seed that the numbers were last started from."""
        return self.stream.initial_seed()

    def get_state(self) -> Tensor:
        """Return the state as a uint8 tensor, laid out as PyTorch's."""
        return finish("get_state", self.stream.get_state(), {})

    def set_state(self, new_state: Tensor) -> None:
        """Continue from a state that ``get_state`` gave."""
        if not isinstance(new_state, Variable):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        self.stream.set_state(np.ascontiguousarray(new_state.array))

    def clone_state(self) -> Generator:
        """Return a generator that will give the same numbers from here on."""
        made = Generator()
        made.stream.set_state(self.stream.get_state())
        return made


def _seed(seed: Any) -> int:
    return int(seed)


default_generator = Generator()
default_generator.stream = DEFAULT.stream


def manual_seed(seed: int) -> Generator:
    """Start the default generator again from ``seed`` and return it.

    https://pytorch.org/docs/stable/generated/torch.manual_seed.html
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default generator again from a seed of the operating system and return that seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """Return the seed that the default generator was last started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Return the state of the default generator as a uint8 tensor."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Let the default generator continue from ``new_state``."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, **_: Any) -> Iterator[None]:
    """Return a context after which the default generator goes on as if nothing had been drawn inside."""
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)


# ------------------------------------------------------------------ tensors


def rand(*size: Any, generator: Any = None, **options: Unpack[Options]) -> Tensor:
    """Return numbers uniform on [0, 1).

    https://pytorch.org/docs/stable/generated/torch.rand.html
    """
    shape = size_from("rand", size, options)
    kind = np.dtype(kind_of("rand", options, default_numpy()))
    return finish("rand", stream_of(generator).uniform(shape, kind), options)


def randn(*size: Any, generator: Any = None, **options: Unpack[Options]) -> Tensor:
    """Return normal numbers of mean 0 and variance 1.

    https://pytorch.org/docs/stable/generated/torch.randn.html
    """
    shape = size_from("randn", size, options)
    kind = np.dtype(kind_of("randn", options, default_numpy()))
    return finish("randn", stream_of(generator).normal(shape, kind), options)


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


def rand_like(input: Tensor, *, generator: Any = None, memory_format: Any = None, **options: Unpack[Options]) -> Tensor:
    """Return numbers uniform on [0, 1), with the shape and dtype of ``input``."""
    stream, like = stream_of(generator), model("rand_like", input, memory_format, options)
    return finish("rand_like", in_memory_order(stream.uniform, like), options)


def randn_like(
    input: Tensor, *, generator: Any = None, memory_format: Any = None, **options: Unpack[Options]
) -> Tensor:
    """Return normal numbers of mean 0 and variance 1, with the shape and dtype of ``input``."""
    stream, like = stream_of(generator), model("randn_like", input, memory_format, options)
    return finish("randn_like", normal_like(stream, like), options)


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
        return made if options.get("out") is None else deliver("normal", made, options["out"])
    kind = np.dtype(kind_of("normal", options, default_numpy()))
    drawn = stream_of(generator).normal(one_size(size, "normal", 3), kind, float(mean), float(std))
    return finish("normal", drawn, options)


__all__ = [
    "Generator", "Stream", "default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed",
    "set_rng_state",
]  # fmt: skip

"""Random tensors, and the generator they are drawn from: ``torch.random`` and its kin.

The same seed gives the numbers that PyTorch gives on the CPU; see :mod:`rushlight.arrays.random.streams`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...arrays.device import CPU, require_cpu
from ...arrays.device import device as Device
from ...autograd.variable import Variable
from ..creation.factories import finish
from ..doors import doors
from ..tensor.methods import Tensor
from .inplace import Source


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


@doors("torch")
def manual_seed(seed: int) -> Generator:
    """Start the default generator again from ``seed`` and return it.

    https://pytorch.org/docs/stable/generated/torch.manual_seed.html
    """
    return default_generator.manual_seed(seed)


@doors("torch")
def seed() -> int:
    """Start the default generator again from a seed of the operating system and return that seed."""
    return default_generator.seed()


@doors("torch")
def initial_seed() -> int:
    """Return the seed that the default generator was last started from."""
    return default_generator.initial_seed()


@doors("torch")
def get_rng_state() -> Tensor:
    """Return the state of the default generator as a uint8 tensor."""
    return default_generator.get_state()


@doors("torch")
def set_rng_state(new_state: Tensor) -> None:
    """Let the default generator continue from ``new_state``."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, *, device_type: str = "cuda") -> Iterator[None]:
    """Return a context after which the default generator goes on as if nothing had been drawn inside."""
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)

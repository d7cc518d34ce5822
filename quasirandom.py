"""Points that fill a cube more evenly than random ones: ``torch.quasirandom``."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from .arrays.dtypes import get_default_dtype
from .arrays.random import sobol
from .tensors.creation.factories import from_numpy
from .tensors.random.creation import randint
from .tensors.random.generator import Generator
from .tensors.tensor.methods import Tensor

__all__ = ["SobolEngine"]


class SobolEngine:
    """Sobol's sequences in ``dimension`` dimensions, scrambled or not: PyTorch's points, bit by bit.

    ``dimension`` is at most 1111 (21201 in PyTorch, whose table of direction numbers would take half of this package);
    ValueError beyond. With ``scramble`` the bits are mixed and shifted by random numbers, those of a generator
    with ``seed`` or of the default one.
    https://pytorch.org/docs/stable/generated/torch.quasirandom.SobolEngine.html

    >>> import rushlight as torch
    >>> torch.quasirandom.SobolEngine(dimension=5).draw(3)
    tensor([[0.0000, 0.0000, 0.0000, 0.0000, 0.0000],
            [0.5000, 0.5000, 0.5000, 0.5000, 0.5000],
            [0.7500, 0.2500, 0.2500, 0.2500, 0.7500]])
    """

    MAXBIT = sobol.BITS
    MAXDIM = sobol.DIMENSIONS

    def __init__(self, dimension: int, scramble: bool = False, seed: int | None = None) -> None:
        if dimension > self.MAXDIM or dimension < 1:
            raise ValueError(f"Supported range of dimensionality for SobolEngine is [1, {self.MAXDIM}]")
        self.seed, self.scramble, self.dimension = seed, scramble, dimension
        state, shift = sobol.direction_numbers(dimension), np.zeros(dimension, np.int64)
        if scramble:
            state, shift = self._scrambled(state)
        self.sobolstate, self.shift = from_numpy(state), from_numpy(shift)
        self.quasi = self.shift.clone()
        self._first_point = (self.quasi / 2**self.MAXBIT).reshape(1, -1)
        self.num_generated = 0

    def _scrambled(self, state: Any) -> tuple[Any, Any]:
        """Return the direction numbers mixed, and the shift of all points."""
        generator = None if self.seed is None else Generator().manual_seed(self.seed)
        shift = randint(2, (self.dimension, self.MAXBIT), generator=generator).numpy()
        triangles = randint(2, (self.dimension, self.MAXBIT, self.MAXBIT), generator=generator).tril().numpy()
        return sobol.scrambled(state, triangles), shift @ (1 << np.arange(self.MAXBIT))

    def draw(self, n: int = 1, out: Any = None, dtype: Any = None) -> Tensor:
        """Return the next ``n`` points, of shape (n, dimension), in the default dtype unless ``dtype`` is given.

        >>> import rushlight as torch
        >>> engine = torch.quasirandom.SobolEngine(2, scramble=True, seed=7)
        >>> engine.draw(4).shape, engine.num_generated
        (torch.Size([4, 2]), 4)
        """
        if n < 0 or (n == 0 and not self.num_generated):
            raise RuntimeError(f"draw() of {n} points: there must be one at least")
        kind = get_default_dtype() if dtype is None else dtype
        first = self.num_generated == 0
        count, passed = n - first, max(self.num_generated - 1, 0)
        drawn = sobol.points(self.sobolstate.numpy(), self.quasi.numpy(), count, passed)
        if count:
            self.quasi = from_numpy(drawn[-1].copy())
        result = drawn.astype(kind.numpy) * np.asarray(2.0**-self.MAXBIT, kind.numpy)
        if first:
            result = np.concatenate([self._first_point.to(kind).numpy(), result])
        self.num_generated += n
        made = from_numpy(result)
        return made if out is None else out.resize_as_(made).copy_(made)

    def draw_base2(self, m: int, out: Any = None, dtype: Any = None) -> Tensor:
        """Return the next ``2 ** m`` points; ValueError unless the number of all points is then a power of two."""
        n = 2**m
        total = self.num_generated + n
        if total & (total - 1):
            raise ValueError(
                "The balance properties of Sobol' points require n to be a power of 2. "
                f"{self.num_generated} points have been previously generated, then: n={self.num_generated}+2**{m}="
                f"{total}. If you still want to do this, please use 'SobolEngine.draw()' instead."
            )
        return self.draw(n, out, dtype)

    def reset(self) -> Self:
        """Return to the first point."""
        self.quasi.copy_(self.shift)
        self.num_generated = 0
        return self

    def fast_forward(self, n: int) -> Self:
        """Pass ``n`` points by, as :meth:`draw` would, without making them."""
        count, passed = n - (self.num_generated == 0), max(self.num_generated - 1, 0)
        if count > 0:
            self.quasi = from_numpy(sobol.skipped(self.sobolstate.numpy(), self.quasi.numpy(), count, passed))
        self.num_generated += n
        return self

    def __repr__(self) -> str:
        parts = [f"dimension={self.dimension}"]
        parts += ["scramble=True"] if self.scramble else []
        parts += [f"seed={self.seed}"] if self.seed is not None else []
        return f"{type(self).__name__}({', '.join(parts)})"

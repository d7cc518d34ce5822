"""Samplers: in which order a loader asks for samples.

https://pytorch.org/docs/stable/data.html#data-loading-order-and-sampler
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from ...arrays.dtypes import float64, int64
from ...tensors.creation.factories import as_tensor, empty
from ...tensors.random.creation import randint, randperm
from ...tensors.random.generator import Generator
from ...tensors.random.inplace import multinomial

T_co = TypeVar("T_co", covariant=True)
_AT_ONCE = 32  # so many indices a sampler with replacement draws together


def draw_seed(generator: Any = None) -> int:
    """Return a seed drawn from ``generator``, or from the default one: 63 random bits."""
    return int(empty((), dtype=int64).random_(generator=generator).item())


def positive(name: str, value: Any) -> int:
    """Return ``value``; ValueError unless it is an int above zero."""
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")
    return value


def truth(name: str, value: Any) -> bool:
    """Return ``value``; ValueError unless it is a bool."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} should be a boolean value, but got {name}={value}")
    return value


class Sampler(Generic[T_co]):
    """Base of samplers: subclasses write ``__iter__``, over indices or lists of indices, and most ``__len__``.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.Sampler
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} has no __iter__(): a subclass of Sampler must have one")


class SequentialSampler(Sampler[int]):
    """The indices of ``data_source`` from first to last."""

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices of ``data_source`` in random order, or ``num_samples`` of them, with or without ``replacement``.

    Without a ``generator`` each pass starts one of its own, from a seed that the default generator gives. Raises
    ValueError for a ``num_samples`` that is no positive int, TypeError for a ``replacement`` that is no bool.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.RandomSampler
    """

    def __init__(
        self, data_source: Any, replacement: bool = False, num_samples: int | None = None, generator: Any = None
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        wanted: Any = self.num_samples
        if not isinstance(wanted, int) or wanted <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={wanted}")

    @property
    def num_samples(self) -> int:
        """How many indices a pass gives: as many as there are samples now, unless set."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        source, count = self.generator, len(self.data_source)
        if source is None:
            source = Generator().manual_seed(draw_seed())
        step = _AT_ONCE if self.replacement else count
        for _ in range(self.num_samples // step):
            yield from self._drawn(count, step, source)
        yield from self._drawn(count, self.num_samples % step, source)

    def _drawn(self, count: int, wanted: int, source: Any) -> list[int]:
        if self.replacement:
            drawn: list[int] = randint(count, (wanted,), generator=source).tolist()
            return drawn
        order: list[int] = randperm(count, generator=source).tolist()
        return order[:wanted]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given ``indices`` in random order, each once."""

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for place in randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[place]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """``num_samples`` indices drawn with probabilities in proportion to ``weights``.

    Raises ValueError for weights that are not one-dimensional and for arguments of another type.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.WeightedRandomSampler

    >>> import rushlight as torch
    >>> sampler = torch.utils.data.WeightedRandomSampler([0.0, 1.0, 0.0], 3)
    >>> list(sampler)
    [1, 1, 1]
    """

    def __init__(self, weights: Any, num_samples: int, replacement: bool = True, generator: Any = None) -> None:
        positive("num_samples", num_samples)
        truth("replacement", replacement)
        self.weights = as_tensor(weights, dtype=float64)
        if self.weights.ndim != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        drawn = multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of ``sampler`` in lists of ``batch_size``; the last may be shorter, unless ``drop_last``.

    ValueError for a ``batch_size`` that is no positive int or a ``drop_last`` that is no bool.

    https://pytorch.org/docs/stable/data.html#torch.utils.data.BatchSampler

    >>> import rushlight as torch
    >>> list(torch.utils.data.BatchSampler(range(5), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int] | Sampler[int], batch_size: int, drop_last: bool) -> None:
        self.batch_size = positive("batch_size", batch_size)
        self.drop_last = truth("drop_last", drop_last)
        self.sampler = sampler

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        total = len(self.sampler)  # type: ignore[arg-type]  # TypeError if the sampler does not know
        return total // self.batch_size if self.drop_last else -(-total // self.batch_size)

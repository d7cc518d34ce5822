"""Random numbers for tensors: draws in place, and choices. All follow PyTorch's CPU stream.

Whoever passes no ``generator`` draws from :data:`DEFAULT`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...arrays.dims import as_int
from ...arrays.dtypes import Array, dtype_of
from ...arrays.random.sampling import BLOCK, laid_out, narrowed, unsupported
from ...arrays.random.streams import Stream
from ...autograd.arguments import as_number
from ...autograd.codegen.signature import called_as
from ...autograd.inplace import write_inplace
from ...autograd.out_argument import write_out
from ...autograd.primitive import primitive
from ...autograd.recording import inference_version
from ...autograd.variable import Variable, as_ndarray, wrap
from ..doors import doors
from ..predicates import checked

_FLOAT64 = np.dtype(np.float64)
Draw = Callable[[tuple[int, ...], np.dtype[Any]], Array]


class Source:
    """A source of draws: a stream of random numbers."""

    __slots__ = ("__weakref__", "stream")

    def __init__(self) -> None:
        self.stream = Stream()


DEFAULT = Source()
"""The source of whoever names none; its seed is fixed, so a program without a seed repeats itself."""


def stream_of(generator: Any) -> Stream:
    """Return the stream of ``generator``, or the default one for None; TypeError for anything else."""
    source = DEFAULT if generator is None else generator
    if not hasattr(source, "stream"):
        raise TypeError(f"argument 'generator' must be a torch.Generator, not {type(generator).__name__}")
    stream: Stream = source.stream
    return stream


# ------------------------------------------------------------------ in place


@primitive(input=None)
def erased(input: Array) -> Array:
    """Return zeros like ``input``: the gradient of what no longer depends on it."""
    return np.zeros(input.shape, input.dtype)


def _title(label: str) -> str:
    return label


def _nothing(g: Any) -> Any:
    return erased(g)


@primitive(input=_nothing, grad_fn_name=_title)
def redrawn(input: Array, draw: Any, label: str) -> Array:
    """Return what ``draw(input)`` makes in place of ``input``; its gradient is zero."""
    made: Array = draw(np.asarray(input))
    return made


def in_memory_order(draw: Draw, like: Array) -> Array:
    """Return what ``draw(shape, dtype)`` gives, in the shape of ``like`` and in the order of its memory."""
    if like.flags.c_contiguous:
        return draw(like.shape, like.dtype)
    return laid_out(draw((like.size,), like.dtype), like)


def _refill(x: Any, draw: Draw, label: str, name: str) -> Any:
    return write_inplace(x, redrawn, (lambda like: in_memory_order(draw, like), label), {}, name)


@doors("Tensor")
@called_as("self, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None")
def uniform_(self: Any, from_: float = 0.0, to: float = 1.0, *, generator: Any = None, **words: Any) -> Any:
    """Fill with numbers of [from, to) and return the tensor.

    https://pytorch.org/docs/stable/generated/torch.Tensor.uniform_.html
    """
    low, to = as_number("uniform_", "from", _from("uniform_", from_, words)), as_number("uniform_", "to", to)
    stream = stream_of(generator)
    return _refill(self, lambda shape, kind: stream.uniform(shape, kind, low, to), "UniformBackward0", "uniform_")


@doors("Tensor")
def normal_(self: Any, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Any:
    """Fill with normal numbers of ``mean`` and standard deviation ``std`` and return the tensor.

    https://pytorch.org/docs/stable/generated/torch.Tensor.normal_.html
    """
    mean, std = as_number("normal_", "mean", mean), as_number("normal_", "std", std)
    stream = stream_of(generator)
    return write_inplace(
        self, redrawn, (lambda like: normal_like(stream, like, mean, std), "NormalBackward0"), {}, "normal_"
    )


def normal_like(stream: Stream, like: Array, mean: float = 0.0, std: float = 1.0) -> Array:
    """Return normals in the shape, dtype and memory order of ``like``."""
    if like.flags.c_contiguous:
        return stream.normal(like.shape, like.dtype, mean, std)
    return laid_out(_one_by_one(stream, (like.size,), like.dtype, mean, std), like)


def _one_by_one(stream: Stream, shape: tuple[int, ...], kind: np.dtype[Any], mean: float, std: float) -> Array:
    """Return normals drawn by pairs however many there are, as PyTorch fills memory that is not contiguous."""
    total = int(np.prod(shape))
    few = [min(BLOCK - 1, total - begin) for begin in range(0, total, BLOCK - 1)] or [0]
    return np.concatenate([stream.normal((n,), kind, mean, std) for n in few]).reshape(shape)


@doors("Tensor")
def log_normal_(self: Any, mean: float = 1.0, std: float = 2.0, *, generator: Any = None) -> Any:
    """Fill with numbers whose logarithm is normal with ``mean`` and ``std`` and return the tensor.

    https://pytorch.org/docs/stable/generated/torch.Tensor.log_normal_.html
    """
    mean, std = as_number("log_normal_", "mean", mean), as_number("log_normal_", "std", std)
    stream = stream_of(generator)
    if not std > 0.0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")

    def draw(shape: tuple[int, ...], kind: np.dtype[Any]) -> Array:
        if kind.kind != "f":
            raise unsupported("log_normal_cpu", kind)
        return narrowed(np.exp(_one_by_one(stream, shape, _FLOAT64, mean, std)), kind)

    return _refill(self, draw, "LogNormalBackward0", "log_normal_")


@doors("Tensor")
def cauchy_(self: Any, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None) -> Any:
    """Fill with numbers of the Cauchy distribution around ``median`` of scale ``sigma`` and return the tensor.

    https://pytorch.org/docs/stable/generated/torch.Tensor.cauchy_.html
    """
    median, sigma = as_number("cauchy_", "median", median), as_number("cauchy_", "sigma", sigma)
    stream = stream_of(generator)
    if not sigma > 0.0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")

    def draw(shape: tuple[int, ...], kind: np.dtype[Any]) -> Array:
        if kind.kind != "f":
            raise RuntimeError(f"Cauchy distribution is a continuous probability distribution, not for {kind.name}")
        return narrowed(median + sigma * np.tan(np.pi * (stream.uniform(shape, _FLOAT64) - 0.5)), kind)

    return _refill(self, draw, "CauchyBackward0", "cauchy_")


@doors("Tensor")
def geometric_(self: Any, p: float, *, generator: Any = None) -> Any:
    """Fill with the number of trials until the first success, of probability ``p`` each, and return the tensor.

    https://pytorch.org/docs/stable/generated/torch.Tensor.geometric_.html
    """
    p = as_number("geometric_", "p", p)
    stream = stream_of(generator)
    if not 0.0 < p < 1.0:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")

    def draw(shape: tuple[int, ...], kind: np.dtype[Any]) -> Array:
        if kind.kind == "b":
            raise unsupported("geometric_cpu", kind)
        return np.ceil(np.log(stream.uniform(shape, _FLOAT64)) / math.log1p(-p)).astype(kind)

    return _refill(self, draw, "GeometricBackward0", "geometric_")


@doors("Tensor")
def exponential_(self: Any, lambd: float = 1.0, *, generator: Any = None) -> Any:
    """Fill with exponentially distributed numbers of mean ``1 / lambd`` and return the tensor.

    https://pytorch.org/docs/stable/generated/torch.Tensor.exponential_.html
    """
    lambd = as_number("exponential_", "lambd", lambd)
    stream = stream_of(generator)
    return _refill(
        self, lambda shape, kind: stream.exponential(shape, kind, lambd), "ExponentialBackward0", "exponential_"
    )


@doors("Tensor")
@called_as("self, from_: int = 0, to: int | None = None, *, generator: Generator | None = None")
def random_(self: Any, *bounds: Any, generator: Any = None, **words: Any) -> Any:
    """Fill with integers and return the tensor: ``random_(from, to)``, ``random_(to)``, or all the dtype holds.

    ``to`` is excluded; None stands for the largest value, included.

    https://pytorch.org/docs/stable/generated/torch.Tensor.random_.html
    """
    stream = stream_of(generator)
    if words.keys() - {"from", "to"} or len(bounds) + len(words) > 2:
        raise TypeError(f"random_() takes 'from' and 'to', got {[*bounds, *words]}")
    if not bounds and not words:
        return _refill(self, stream.random, "RandomBackward2", "random_")
    rest = list(bounds)
    low: Any = words["from"] if "from" in words else rest.pop(0) if len(rest) + len(words) == 2 else 0
    high: Any = words["to"] if "to" in words else rest.pop(0) if rest else None
    for name, bound in (("from", low), ("to", high)):
        if bound is not None and (isinstance(bound, bool | float) or not hasattr(bound, "__index__")):
            raise TypeError(f"random_(): argument {name!r} must be int, not {type(bound).__name__}")
    label = "RandomBackward1" if len(bounds) == 1 or words.keys() == {"to"} else "RandomBackward0"
    return _refill(self, lambda shape, kind: stream.integers(shape, kind, low, high), label, "random_")


@doors("Tensor")
def bernoulli_(self: Any, p: Any = 0.5, *, generator: Any = None) -> Any:
    """Fill with ones of probability ``p``, a number or a tensor that broadcasts, else zeros; return the tensor.

    https://pytorch.org/docs/stable/generated/torch.Tensor.bernoulli_.html
    """
    stream = stream_of(generator)
    if isinstance(p, Variable):
        chances = _expanded(p.array, self.array.shape)
        like = as_ndarray(self)

        def each(shape: tuple[int, ...], kind: np.dtype[Any]) -> Array:
            return stream.bernoulli_each(_in_memory_order(chances, like).reshape(shape), kind)

        return _refill(self, each, "BernoulliBackward1", "bernoulli_")
    return _refill(self, lambda shape, kind: stream.bernoulli(shape, kind, p), "BernoulliBackward2", "bernoulli_")


def _expanded(array: Any, shape: tuple[int, ...]) -> Array:
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise RuntimeError(
            f"the probabilities of shape {list(array.shape)} cannot be expanded to the tensor's shape {list(shape)}"
        ) from None


def _in_memory_order(values: Array, like: Array) -> Array:
    """Return ``values`` flat, in the order in which the elements of ``like`` lie in memory."""
    if like.flags.c_contiguous:
        return values.reshape(-1)
    order = laid_out(np.arange(like.size), like).reshape(-1)
    flat = np.empty(like.size, values.dtype)
    flat[order] = values.reshape(-1)
    return flat


def _from(name: str, low: Any, words: dict[str, Any]) -> Any:
    """Return the lower bound, which PyTorch calls by a word that Python keeps for itself."""
    if words.keys() - {"from"}:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(words.keys() - {'from'}))!r}")
    return words.get("from", low)


# ------------------------------------------------------------------ choices


@doors("torch Tensor")
def bernoulli(input: Any, p: Any = None, *, generator: Any = None, out: Any = None) -> Any:
    """Return ones and zeros: an element is one with the probability that ``input`` says (or ``p``, where given).

    https://pytorch.org/docs/stable/generated/torch.bernoulli.html

    >>> import rushlight as torch
    >>> torch.bernoulli(torch.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    stream = stream_of(generator)
    checked("bernoulli", input)
    if p is None:
        made = redrawn(input, lambda x: stream.bernoulli_each(x, x.dtype), "BernoulliBackward0")
    else:
        made = redrawn(input, lambda x: stream.bernoulli(x.shape, x.dtype, p), "BernoulliBackward1")
    if out is None:
        return made
    return write_out("bernoulli", made.to(dtype_of(out.array.dtype)) if isinstance(out, Variable) else made, out)


@doors("torch Tensor")
def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Any = None, out: Any = None
) -> Any:
    """Return int64 indices drawn by the weights ``input``, ``(n,)`` or ``(rows, n)``: ``num_samples`` of each row.

    https://pytorch.org/docs/stable/generated/torch.multinomial.html
    """
    weights = np.asarray(checked("multinomial", input).array)
    count = as_int(num_samples, "num_samples")
    found = stream_of(generator).multinomial(weights, count, replacement)
    made = wrap(Variable.result, found, None, inference_version.get())
    return made if out is None else write_out("multinomial", made, out)


@primitive(mean=_nothing, std=_nothing, grad_fn_name=_title)
def _normal(mean: Any = None, std: Any = None, draw: Any = None, label: str = "") -> Array:
    """Return what ``draw`` makes of the arrays ``mean`` and ``std``; their gradients are zero."""
    made: Array = draw(mean, std)
    return made


def normal_of(mean: Any, std: Any, generator: Any = None) -> Any:
    """Return normal numbers around the tensor ``mean``, with the tensor ``std``; one of them may be a number."""
    stream = stream_of(generator)
    if not isinstance(std, Variable):

        def moved(center: Any, _: Any) -> Array:
            return np.asarray(stream.normal(center.shape, center.dtype, 0.0, std) + center)

        return _normal(mean, None, moved, "NormalBackward1")
    if bool((np.asarray(std.array) < 0).any()):
        raise RuntimeError("normal expects all elements of std >= 0.0")

    def scaled(center: Any, spread: Any) -> Array:
        model = spread if center is None else center
        plain = stream.normal(np.broadcast_shapes(model.shape, spread.shape), model.dtype)
        center = model.dtype.type(mean) if center is None else center
        return np.asarray(center + plain * spread.astype(model.dtype, copy=False))

    if isinstance(mean, Variable):
        return _normal(mean, std, scaled, "NormalBackward3")
    return _normal(None, std, scaled, "NormalBackward2")

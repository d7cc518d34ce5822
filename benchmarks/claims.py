"""What comments in the code say about speed, measured: the way the code goes, beside the other one.

``python benchmarks/claims.py [--only PLACE]``: a row for each claim, with the time of the way taken divided by that of
the way left, as the median over pairs and the middle half of them. Below 1 the way taken pays. A threshold has a row on
either side of it. Arrays that the two ways return are equal up to rounding, or the row is refused.
"""

import argparse
import platform
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import cycle
from math import ceil
from pathlib import Path
from statistics import quantiles
from typing import Any

from single_thread import restart_single_threaded

if __name__ == "__main__":
    restart_single_threaded()

import numpy as np

import rushlight
from measure import SHORTEST, interleave, seconds
from rushlight.arrays.dtypes import number
from rushlight.arrays.kernels import average_pool, erf, gather, im2col, mask, recurrent, scatter_add
from rushlight.arrays.random import sampling
from rushlight.autograd import reference
from rushlight.autograd.broadcast import broadcast_view
from rushlight.autograd.node import Node
from rushlight.autograd.recording import Recording
from rushlight.optim import blockwise
from rushlight.tensors.ops.elementwise import activation, rounding, ternary

Ways = tuple[Callable[[], Any], Callable[[], Any]]
TURNS = 31
RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Claim:
    """One row: the file that makes the claim, what is compared, and what makes the way taken and the way left."""

    place: str
    taken: str
    left: str
    ways: Callable[[], Ways]


def normal(*shape: int) -> Any:
    """Return normal float32 numbers."""
    return RNG.standard_normal(shape).astype(np.float32)


def with_value(module: Any, name: str, taken: Any, left: Any, run: Callable[[], Any]) -> Ways:
    """Return ``run`` with the constant ``name`` of ``module`` at one value, and at another."""

    def way(value: Any) -> Callable[[], Any]:
        def go() -> Any:
            before = getattr(module, name)
            setattr(module, name, value)
            try:
                return run()
            finally:
                setattr(module, name, before)

        return go

    return way(taken), way(left)


# ------------------------------------------------------------------ the engine, where a step is overhead


def context_variable() -> Ways:
    given, default = ContextVar("given", default=True), ContextVar("default", default=True)
    given.set(True)
    return lambda: [given.get() for _ in range(200)], lambda: [default.get() for _ in range(200)]


def noted_shape() -> Ways:
    x = rushlight.ones(8)
    return (
        lambda: [(x.array_shape, x.array_dtype) for _ in range(200)],
        lambda: [(x.array.shape, x.array.dtype) for _ in range(200)],
    )


def context() -> Ways:
    def ours() -> None:
        with Recording(False):
            pass

    def users() -> None:
        with rushlight.no_grad():
            pass

    return ours, users


def flat_function() -> Ways:
    x, y = rushlight.tensor(normal(8), requires_grad=True), rushlight.tensor(normal(8))
    return lambda: (x * y).array, lambda: reference.call("mul", x, y).array


def trial() -> Ways:
    x, y = normal(8), normal(8)

    def tried() -> Any:
        try:
            return x * y
        except ValueError:
            raise

    def tested() -> Any:
        if x.shape != y.shape:
            raise ValueError
        return x * y

    return tried, tested


def one_class() -> Ways:
    kinds = [type(f"Node{i}", (Node,), {"__slots__": ()}) for i in range(8)]

    def nodes(classes: Sequence[type]) -> list[Any]:
        made = [classes[i % len(classes)]() for i in range(400)]
        for one in made:
            one.edge = one.other_edges = one.saved = None
        return made

    def walk() -> Callable[[list[Any]], None]:
        namespace: dict[str, Any] = {}
        exec(  # each way has a function of its own, whose instructions specialize for what it meets
            "def read(nodes):\n for node in nodes: node.edge; node.other_edges; node.saved; node.edge; node.saved",
            namespace,
        )
        made: Callable[[list[Any]], None] = namespace["read"]
        return made

    same, mixed, one, other = nodes([Node]), nodes(kinds), walk(), walk()
    return lambda: one(same), lambda: other(mixed)


def module_attribute() -> Ways:
    class ByGetattr:
        def __init__(self) -> None:
            self._parameters, self._buffers, self._modules = {"weight": 1}, {}, {}

        def __getattr__(self, name: str) -> Any:
            for registry in ("_parameters", "_buffers", "_modules"):
                if name in self.__dict__[registry]:
                    return self.__dict__[registry][name]
            raise AttributeError(name)

    plain, looked_up = rushlight.nn.Linear(2, 2), ByGetattr()
    return lambda: [plain.weight for _ in range(200)] and None, lambda: [looked_up.weight for _ in range(200)] and None


def versions(kind: type) -> Callable[[], None]:
    """Return what makes many pairs of a counter of this kind, which the collector follows or not, and a number."""

    def make() -> None:
        kept = [(kind(), i) for i in range(100_000)]
        del kept

    return make


# ------------------------------------------------------------------ numbers beside arrays


def constant_beside() -> Ways:
    x, one_and_a_half = normal(8), number(1.5, np.dtype("f4"))
    return lambda: x * one_and_a_half, lambda: x * 1.5


def zero_beside() -> Ways:
    x, zero = normal(8), mask.ZERO[np.dtype("f4")]
    return lambda: np.maximum(x, zero), lambda: np.maximum(x, 0)


def scalar() -> Ways:
    x, y = np.float32(0.7), np.float32(1.3)
    a, b = np.asarray(x), np.asarray(y)
    return lambda: x * y, lambda: a * b


# ------------------------------------------------------------------ array functions


def broadcast(*shape: int) -> Callable[[], Ways]:
    def ways() -> Ways:
        x, wanted = normal(*shape), (4, *(n if n > 1 else 5 for n in shape))
        return lambda: broadcast_view(x, wanted), lambda: np.broadcast_to(x, wanted)

    return ways


def einsum_mean(rows: int, columns: int) -> Callable[[], Ways]:
    def ways() -> Ways:
        x = np.abs(normal(rows, columns))
        return lambda: np.einsum("...i->...", x), lambda: np.add.reduce(x, -1)

    return ways


def channel_sums() -> Ways:
    x = np.abs(normal(32, 16, 196))
    return lambda: np.add.reduce(np.einsum("ncr->nc", x), 0), lambda: x.sum((0, 2))


def sign(size: int) -> Callable[[], Ways]:
    def ways() -> Ways:
        x = normal(size)
        return lambda: rounding._sign(x), lambda: np.greater(x, 0).astype(x.dtype) - np.less(x, 0)

    return ways


def clip(module: Any, size: int, run: Callable[[Any], Any]) -> Callable[[], Ways]:
    def ways() -> Ways:
        x = normal(size)
        large = size >= module._LARGE
        return with_value(module, "_LARGE", 0 if large else size + 1, size + 1 if large else 0, lambda: run(x))

    return ways


def clamp(size: int) -> Callable[[], Ways]:
    def ways() -> Ways:
        x, low, high = normal(size), *(number(bound, np.dtype("f4")) for bound in (-0.5, 0.5))
        return lambda: ternary._between(x, low, high), lambda: np.minimum(np.maximum(x, low), high)

    return ways


def masked(size: int) -> Callable[[], Ways]:
    def ways() -> Ways:
        x, masks = normal(size), cycle([normal(size) > 0 for _ in range(64)])  # no mask is learnt by heart
        large = size >= mask._LARGE

        def run() -> None:
            mask.keep(x, next(masks))

        return with_value(mask, "_LARGE", 0 if large else size + 1, size + 1 if large else 0, run)

    return ways


def few_erf(size: int) -> Callable[[], Ways]:
    def ways() -> Ways:
        x = normal(size)
        few = size <= erf._FEW
        return with_value(erf, "_FEW", size if few else 0, 0 if few else size, lambda: erf.erf(x))

    return ways


def few_taps(window: int) -> Callable[[], Ways]:
    def ways() -> Ways:
        x = normal(4, 16, window * 4, window * 4)
        few, most = window**2 <= average_pool._FEW_TAPS, window**2
        run = lambda: average_pool.adaptive_max_pool(x, (4, 4))[0]  # noqa: E731
        return with_value(average_pool, "_FEW_TAPS", most if few else 0, 0 if few else most, run)

    return ways


def few_sequences(size: int) -> Callable[[], Ways]:
    def ways() -> Ways:
        x, weight = normal(20 * size, 64), normal(256, 64)
        steps = tuple((i * size, (i + 1) * size) for i in range(20))
        few = size <= recurrent._FEW
        run = lambda: recurrent._projected(x, weight, None, steps)[0]  # noqa: E731
        return with_value(recurrent, "_FEW", size if few else 0, 0 if few else size, run)

    return ways


def columns() -> Ways:
    weight, h = normal(512, 128), normal(128, 32)
    rows, weight_t = np.ascontiguousarray(h.T), np.ascontiguousarray(weight.T)

    def gates(z: Any, parts: Sequence[Any]) -> Any:
        recurrent.sigmoid_(parts[0])
        np.tanh(parts[1], parts[1])
        recurrent.sigmoid_(parts[2])
        return z

    def by_columns() -> Any:
        z = weight.dot(h)
        return gates(z, (z[:256], z[256:384], z[384:]))

    def by_rows() -> Any:
        z = rows.dot(weight_t)
        return gates(z, (z[:, :256], z[:, 256:384], z[:, 384:])).T

    return by_columns, by_rows


def even_index() -> Ways:
    g, out = normal(64, 500), np.zeros((64, 1000), np.float32)
    index = np.arange(0, 1000, 2)
    places = gather._as_slice(index)

    def add(where: Any) -> None:
        out[:, where] += g

    return lambda: add(places), lambda: add(index)


def flat_add() -> Ways:
    rows, places = normal(2000, 32), RNG.integers(0, 300, 2000)

    def by_rows() -> Any:
        out = np.zeros((300, 32), np.float32)
        np.add.at(out, places, rows)
        return out

    return lambda: scatter_add.add_rows(rows, places, 300), by_rows


def shuffle(size: int) -> Callable[[], Ways]:
    def ways() -> Ways:
        words = RNG.integers(0, 2**32, size - 1, dtype=np.uint64)
        few = size < sampling._LOOP_SHUFFLE
        run = lambda: sampling.shuffled(words, size)  # noqa: E731
        return with_value(sampling, "_LOOP_SHUFFLE", size + 1 if few else 0, 0 if few else size + 1, run)

    return ways


def kind_stride() -> Ways:
    weight, x = normal(64, 288), normal(288, 1024)
    padded = im2col.padded_columns(288, 1024, x.dtype)
    padded[...] = x
    return lambda: weight.dot(padded), lambda: weight.dot(x)


def exact_stretch() -> Ways:
    x = (RNG.integers(0, 2**24, 100_000) * 2.0**-24).astype(np.float32)
    return lambda: sampling.stretch32(x, 2.0, -1.0), lambda: sampling.fused32(x, 2.0, -1.0)


def attention_division() -> Ways:
    weights, v = np.abs(normal(8, 64, 64)), normal(8, 64, 32)
    total = weights.sum(-1, keepdims=True)
    return lambda: (weights @ v) * (1 / total), lambda: (weights / total) @ v


def blocks(taken: int, left: int) -> Callable[[], Ways]:
    def ways() -> Ways:
        p = rushlight.tensor(normal(1 << 20), requires_grad=True)
        p.grad = rushlight.tensor(normal(1 << 20))
        step = rushlight.optim.Adam([p]).step

        def run() -> None:
            step()

        return with_value(blockwise, "BLOCK", taken, left, run)

    return ways


CLAIMS = (
    Claim("autograd/recording.py", "a context variable that was set", "one at its default", context_variable),
    Claim("autograd/recording.py", "Recording", "no_grad", context),
    Claim("autograd/variable.py", "noted shape and dtype", "those of the array", noted_shape),
    Claim("autograd/codegen/forward.py", "a flat function of mul", "reference.call", flat_function),
    Claim("autograd/codegen/forward.py", "a try", "a test of the shapes", trial),
    Claim("autograd/node.py", "attributes of one class", "of eight subclasses", one_class),
    Claim("autograd/version.py", "a bytearray beside each", "a list", lambda: (versions(bytearray), versions(list))),
    Claim("autograd/broadcast.py", "broadcast_view", "np.broadcast_to", broadcast(1, 8)),
    Claim("nn/modules/module_attributes.py", "an attribute", "__getattr__", module_attribute),
    Claim("arrays/dtypes.py", "a cached 0-d constant", "a Python number", constant_beside),
    Claim("arrays/dtypes.py", "NumPy scalars", "0-d arrays", scalar),
    Claim("arrays/kernels/mask.py", "ZERO", "the number 0", zero_beside),
    Claim("arrays/kernels/mask.py", "np.where, 512", "bits", masked(512)),
    Claim("arrays/kernels/mask.py", "bits, 2,048", "np.where", masked(2048)),
    Claim("arrays/kernels/mask.py", "bits, 100,000", "np.where", masked(100_000)),
    Claim("tensors/ops/elementwise/activation.py", "np.maximum, 1,024", "clip",
          clip(activation, 1024, activation.positive)),
    Claim("tensors/ops/elementwise/activation.py", "clip, 4,096", "np.maximum",
          clip(activation, 4096, activation.positive)),
    Claim("tensors/ops/elementwise/ternary.py", "clip, 8", "two ufuncs", clamp(8)),
    Claim("tensors/ops/elementwise/ternary.py", "clip, 4,096", "two ufuncs", clamp(4096)),
    Claim("tensors/ops/elementwise/rounding.py", "np.sign and zeros, 8", "two comparisons", sign(8)),
    Claim("tensors/ops/elementwise/rounding.py", "np.sign and zeros, 100,000", "two comparisons", sign(100_000)),
    Claim("tensors/ops/window/average_pool.py", "einsum, rows of 49", "np.add.reduce", einsum_mean(4096, 49)),
    Claim("tensors/ops/window/average_pool.py", "einsum, rows of 4,096", "np.add.reduce", einsum_mean(64, 4096)),
    Claim("tensors/ops/window/common.py", "einsum", "np.sum", channel_sums),
    Claim("arrays/kernels/average_pool.py", "taps, 3 x 3", "an argmax a window", few_taps(3)),
    Claim("arrays/kernels/average_pool.py", "an argmax a window, 12 x 12", "taps", few_taps(12)),
    Claim("arrays/kernels/erf.py", "math.erf, 96", "NumPy", few_erf(96)),
    Claim("arrays/kernels/erf.py", "NumPy, 256", "math.erf", few_erf(256)),
    Claim("arrays/kernels/recurrent.py", "one product, 4 sequences", "one a step", few_sequences(4)),
    Claim("arrays/kernels/recurrent.py", "one product a step, 16 sequences", "one", few_sequences(16)),
    Claim("arrays/kernels/recurrent.py", "columns", "rows", columns),
    Claim("arrays/kernels/gather.py", "a slice", "even indices", even_index),
    Claim("arrays/kernels/scatter_add.py", "a flat row", "np.add.at of rows", flat_add),
    Claim("arrays/kernels/im2col.py", "a kind row stride", "a power of two", kind_stride),
    Claim("arrays/kernels/attention.py", "results divided", "weights divided", attention_division),
    Claim("arrays/random/sampling.py", "a loop, 400", "sorting", shuffle(400)),
    Claim("arrays/random/sampling.py", "sorting, 1,000", "a loop", shuffle(1000)),
    Claim("arrays/random/sampling.py", "stretch32", "fused32", exact_stretch),
    Claim("optim/blockwise.py", "blocks of 32,768", "no blocks", blocks(32768, 1 << 20)),
    Claim("optim/blockwise.py", "blocks of 32,768", "of 16,384", blocks(32768, 16384)),
    Claim("optim/blockwise.py", "blocks of 32,768", "of 4,096", blocks(32768, 4096)),
)  # fmt: skip


def agree(taken: Any, left: Any) -> bool:
    """Return whether two results that are arrays are equal up to rounding; others are not compared."""
    arrays = isinstance(taken, np.ndarray) and isinstance(left, np.ndarray)
    return not arrays or (taken.shape == left.shape and np.allclose(taken, left, 1e-4, 1e-4))


def line(claim: Claim, turns: int) -> str:
    """Return one line of the table: the ratio, or that the two ways disagree."""
    taken, left = claim.ways()
    head = f"| {claim.place} | {claim.taken} | {claim.left} |"
    if not agree(taken(), left()):
        return f"{head} refused | |"
    inner = ceil(SHORTEST / max(seconds(taken, 3), seconds(left, 3), 1e-7))
    ours, others = interleave((taken, left), inner, turns)
    low, middle, high = quantiles([a / b for a, b in zip(ours, others, strict=True)])
    return f"{head} {middle:.2f} | {low:.2f} - {high:.2f} |"


def processor() -> str:
    """Return the processor's name."""
    source = Path("/proc/cpuinfo")
    if not source.exists():
        return platform.processor() or platform.machine()
    facts = [text.partition(":") for text in source.read_text().splitlines()]
    given = {key.strip(): value.strip() for key, _, value in facts}
    return f"{given.get('model name', platform.machine())}, family {given.get('cpu family')}"


def main(given: Sequence[str] | None = None) -> int:
    """Return 1 if a row was refused, else 0, after printing the table."""
    parser = argparse.ArgumentParser(description="Measure what comments say about speed.")
    parser.add_argument("--only", action="append", choices=sorted({claim.place for claim in CLAIMS}))
    parser.add_argument("--turns", type=int, default=TURNS)
    options = parser.parse_args(given)
    print("| place | way taken | way left | ratio | middle half |\n|---|---|---|--:|--:|")
    lines = []
    for claim in CLAIMS:
        if options.only is None or claim.place in options.only:
            lines.append(line(claim, options.turns))
            print(lines[-1], flush=True)
    print(f"\n1 thread, NumPy {np.__version__}, Python {platform.python_version()}, {processor()}")
    return int(any("refused" in each for each in lines))


if __name__ == "__main__":
    sys.exit(main())

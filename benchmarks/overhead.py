"""The time of single ops on 8 floats, in nanoseconds, in NumPy, rushlight and PyTorch.

``python benchmarks/overhead.py [--only OP]``: forward alone (``no_grad`` and recording) and
forward with backward. NumPy's backward is the gradient written out by hand. Ops whose values or
gradients differ between the engines show no time. Every number includes the same two Python calls
around the op.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from types import ModuleType
from typing import Any

from single_thread import restart_single_threaded

if __name__ == "__main__":
    restart_single_threaded()

import numpy as np

from engines import load_engines, versions
from measure import DisagreementError, interleave, require_agreement
from workloads import Results

INNER, TURNS, TOLERANCE = 200, 15, 1e-6
ONE = np.linspace(0.2, 1.6, 8, dtype=np.float32) - np.float32(0.5)
TWO = np.linspace(2.0, 0.5, 8, dtype=np.float32)
SCALARS = (np.float32(0.7), np.float32(1.3))
LEFT, RIGHT = ONE.reshape(2, 4), TWO.reshape(4, 2)

Step = Callable[[], Any]


@dataclass(frozen=True)
class Op:
    """One op: NumPy forward, NumPy vjp from (g, y, *inputs), and the engines' forward."""

    name: str
    inputs: tuple[Any, ...]
    hand: Callable[..., Any]
    vjp: Callable[..., tuple[Any, ...]]
    engine: Callable[..., Any]


def scattered(g: Any, x: Any) -> Any:
    """Return zeros like `x` with `g` in places 2 to 5."""
    out = np.zeros_like(x)
    out[2:6] = g
    return out


def sigmoid(x: Any) -> Any:
    """Return the logistic function of an array."""
    return 1 / (1 + np.exp(-x))


PAIR, TOP, BOTTOM, MATRICES = (ONE, TWO), (ONE,), (TWO,), (LEFT, RIGHT)
OPS = (
    Op("x + y", PAIR, lambda x, y: x + y, lambda g, _, x, y: (g, g), lambda x, y: x + y),
    Op("x - y", PAIR, lambda x, y: x - y, lambda g, _, x, y: (g, -g), lambda x, y: x - y),
    Op("x * y", PAIR, lambda x, y: x * y, lambda g, _, x, y: (g * y, g * x), lambda x, y: x * y),
    Op(
        "x / y",
        PAIR,
        lambda x, y: x / y,
        lambda g, z, x, y: (g / y, -g * z / y),
        lambda x, y: x / y,
    ),
    Op("x * 1.5", TOP, lambda x: x * 1.5, lambda g, _, x: (g * 1.5,), lambda x: x * 1.5),
    Op("-x", TOP, lambda x: -x, lambda g, _, x: (-g,), lambda x: -x),
    Op("x ** 2", TOP, lambda x: x**2, lambda g, _, x: (g * 2 * x,), lambda x: x**2),
    Op("exp", TOP, np.exp, lambda g, y, x: (g * y,), lambda x: x.exp()),
    Op("log", BOTTOM, np.log, lambda g, _, x: (g / x,), lambda x: x.log()),
    Op("tanh", TOP, np.tanh, lambda g, y, x: (g * (1 - y * y),), lambda x: x.tanh()),
    Op("sigmoid", TOP, sigmoid, lambda g, y, x: (g * y * (1 - y),), lambda x: x.sigmoid()),
    Op("relu", TOP, lambda x: np.maximum(x, 0), lambda g, _, x: (g * (x > 0),), lambda x: x.relu()),
    Op("sum", TOP, lambda x: x.sum(), lambda g, _, x: (np.full_like(x, g),), lambda x: x.sum()),
    Op(
        "mean",
        TOP,
        lambda x: x.mean(),
        lambda g, _, x: (np.full_like(x, g / x.size),),
        lambda x: x.mean(),
    ),
    Op(
        "x @ y",
        MATRICES,
        lambda x, y: x @ y,
        lambda g, _, x, y: (g @ y.T, x.T @ g),
        lambda x, y: x @ y,
    ),
    Op(
        "reshape",
        TOP,
        lambda x: x.reshape(2, 4),
        lambda g, _, x: (g.reshape(x.shape),),
        lambda x: x.reshape(2, 4),
    ),
    Op("x.T", (LEFT,), lambda x: x.T, lambda g, _, x: (g.T,), lambda x: x.T),
    # A value without dims is a NumPy scalar.
    Op("x * y of 0-d", SCALARS, lambda x, y: x * y, lambda g, _, x, y: (g * y, g * x), lambda x, y: x * y),
    Op(
        "expand",
        TOP,
        lambda x: np.broadcast_to(x, (3, 8)),
        lambda g, _, x: (g.sum(0),),
        lambda x: x.expand(3, 8),
    ),
    Op("x[2:6]", TOP, lambda x: x[2:6], lambda g, _, x: (scattered(g, x),), lambda x: x[2:6]),
)


def named(y: Any, gradients: Sequence[Any]) -> Results:
    """Return the value and the gradients under the names the check shows."""
    found = {f"gradient {i}": np.asarray(g) for i, g in enumerate(gradients)}
    return {"value": np.asarray(y)} | found


def by_hand(op: Op) -> tuple[list[Step], Results]:
    """Return NumPy's forward and forward with backward, and what they give."""
    seed = np.ones_like(op.hand(*op.inputs))

    def both() -> tuple[Any, tuple[Any, ...]]:
        y = op.hand(*op.inputs)
        return y, op.vjp(seed, y, *op.inputs)

    return [lambda: op.hand(*op.inputs), both], named(*both())


def in_torch(op: Op, torch: ModuleType) -> tuple[list[Step], Results]:
    """Return an engine's forward, recording forward and forward with backward, and results.

    ``no_grad`` is told by inputs that do not require grad: entering the context every time would
    be timed too.
    """
    plain = [torch.tensor(value) for value in op.inputs]
    leaves = [torch.tensor(value, requires_grad=True) for value in op.inputs]
    seed = torch.ones_like(op.engine(*plain))

    def both() -> Any:
        for leaf in leaves:
            leaf.grad = None
        y = op.engine(*leaves)
        y.backward(seed)
        return y

    y = both().detach().numpy()
    steps = [lambda: op.engine(*plain), lambda: op.engine(*leaves), both]
    return steps, named(y, [leaf.grad.numpy() for leaf in leaves])


def line(op: Op, engines: Sequence[tuple[str, ModuleType]]) -> str:
    """Return one line of the table: nanoseconds, or why there are none."""
    steps, wanted = by_hand(op)
    try:
        for title, module in engines:
            more, got = in_torch(op, module)
            require_agreement(title, got, wanted, TOLERANCE)
            steps += more
    except DisagreementError as reason:
        return f"| {op.name} | refused: {reason} |" + " |" * (1 + 3 * len(engines))
    times = (f"{median(own) * 1e9:.0f}" for own in interleave(steps, INNER, TURNS))
    return f"| {op.name} | {' | '.join(times)} |"


def main(given: Sequence[str] | None = None) -> int:
    """Return 1 if an op was refused, else 0, after printing the table."""
    parser = argparse.ArgumentParser(description="Time single ops on 8 floats, in nanoseconds.")
    parser.add_argument("--engine-module", default="rushlight", metavar="NAME")
    parser.add_argument("--only", action="append", choices=[op.name for op in OPS])
    options = parser.parse_args(given)
    loaded = load_engines(options.engine_module)
    engines = [(e.title, e.module) for e in loaded if e is not None and e.module is not None]
    columns = ["op", "NumPy", "+ backward"]
    for title, _ in engines:
        columns += [f"{title} no grad", "recording", "+ backward"]
    print(f"| {' | '.join(columns)} |")
    print("|---|" + "--:|" * (len(columns) - 1))
    lines = []
    for op in OPS:
        if options.only is None or op.name in options.only:
            lines.append(line(op, engines))
            print(lines[-1], flush=True)
    print("\nns, 1 thread;", ", ".join(f"{k} {v}" for k, v in versions(loaded).items()))
    return int(any("refused" in each for each in lines))


if __name__ == "__main__":
    sys.exit(main())

"""Does a deep graph cost more per node than a shallow one? Chains of 1,000 to 1,000,000 nodes.

``python benchmarks/depth.py`` times forward, backward and freeing. Each round runs every depth,
the short ones many times over, so all carry their share of garbage collection. The target: a
node of a long chain costs at most 1.6 times a node of the chain of 1,000.
"""

import argparse
import gc
import sys
from collections.abc import Sequence
from statistics import median
from time import process_time

from single_thread import restart_single_threaded

if __name__ == "__main__":
    restart_single_threaded()

import numpy as np

from engines import Engine, load_engines
from measure import DisagreementError

DEPTHS = (1_000, 10_000, 100_000, 1_000_000)
FEWEST_NODES = 100_000  # per depth and round: short chains are repeated
TARGET = 1.6
# Eighths, halves and ones: every value and gradient of the chain is exact.
X = np.arange(8, dtype=np.float32) / 8

Phases = tuple[float, float, float]


def chain(engine: Engine, depth: int) -> Phases:
    """Return the seconds of forward, backward and freeing of one chain of `depth` nodes.

    Raises:
        DisagreementError: the chain's end or its gradient is wrong.
    """
    torch = engine.module
    assert torch is not None
    x = torch.tensor(X, requires_grad=True)
    a, b = torch.tensor(np.ones_like(X)), torch.tensor(np.full_like(X, 0.5))
    start = process_time()
    y = x
    for _ in range(depth // 4):
        y = y * a
        y = y + b
        y = y * a
        y = y - b
    forward = process_time()
    loss = y.sum()
    loss.backward()
    backward = process_time()
    end = y.detach().numpy()
    before_free = process_time()
    del y, loss
    freed = process_time()
    if not np.array_equal(end, X) or not np.array_equal(x.grad.numpy(), np.ones_like(X)):
        raise DisagreementError(f"{engine.title}: a chain of {depth} nodes gave {end}, {x.grad}")
    return forward - start, backward - forward, freed - before_free


def per_node(engine: Engine, depth: int) -> Phases:
    """Return the mean seconds per node of each phase, over at least `FEWEST_NODES` nodes."""
    repeats = max(1, FEWEST_NODES // depth)
    runs = [chain(engine, depth) for _ in range(repeats)]
    forward, backward, free = (sum(phase) / repeats / depth for phase in zip(*runs, strict=True))
    return forward, backward, free


def report(engine: Engine, depths: Sequence[int], rounds: Sequence[Sequence[Phases]]) -> list[str]:
    """Return the table lines of one engine; `rounds` holds a row of phases, one a depth."""
    lines = []
    for i, depth in enumerate(depths):
        phases = [median(row[i][k] for row in rounds) * 1e9 for k in range(3)]
        ratio = median(sum(row[i]) / sum(row[0]) for row in rounds)
        sign = "✓" if ratio <= TARGET else "✗"
        cells = [engine.title, f"{depth:,}", *(f"{ns:.0f}" for ns in (*phases, sum(phases)))]
        lines.append(f"| {' | '.join(cells)} | {ratio:.2f} {sign} |")
    return lines


def main(given: Sequence[str] | None = None) -> int:
    """Return 0 after printing the table, 1 if a chain gave a wrong result."""
    parser = argparse.ArgumentParser(description="Time chains of growing depth.")
    parser.add_argument("--engine-module", default="rushlight", metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--deepest", type=int, default=DEPTHS[-1], help="leave out what is deeper")
    parser.add_argument("--alone", action="store_true", help="without PyTorch beside it")
    options = parser.parse_args(given)
    _, middle, pytorch = load_engines(options.engine_module)
    engines = [middle] if pytorch is None or options.alone else [middle, pytorch]
    depths = [depth for depth in DEPTHS if depth <= options.deepest]
    rounds: list[list[list[Phases]]] = [[] for _ in engines]
    try:
        for engine in engines:
            chain(engine, DEPTHS[0])
        gc.collect()
        gc.freeze()  # what the imports left is not part of any chain
        for _ in range(options.rounds):
            for engine, rows in zip(engines, rounds, strict=True):
                gc.collect()
                rows.append([per_node(engine, depth) for depth in depths])
    except DisagreementError as reason:
        print(f"refused: {reason}")
        return 1
    print("| engine | nodes | forward, ns/node | backward | free | together | to 1,000 nodes |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for engine, rows in zip(engines, rounds, strict=True):
        print("\n".join(report(engine, depths, rows)))
    print(f"\nTarget: at most {TARGET} times the cost of a node in the chain of {DEPTHS[0]:,}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

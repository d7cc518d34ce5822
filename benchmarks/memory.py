"""Peak memory of whole processes that train: NumPy by hand, rushlight, PyTorch.

``python benchmarks/memory.py`` starts one fresh process for each engine and workload, which trains some steps and says
the most memory that it ever held (its peak resident set); the table shows the medians of several such processes.
"""

import argparse
import resource
import subprocess
import sys
from importlib import import_module
from statistics import median

from single_thread import restart_single_threaded

if __name__ == "__main__":
    restart_single_threaded()

# name: title, target over PyTorch, target over NumPy
WORKLOADS = {"mlp_adam": ("MLP 784-256-256-10, Adam", 0.20, 1.2), "gpt": ("GPT, 4 layers, 128 wide, AdamW", 0.36, 1.3)}
ENGINES = ("numpy", "rushlight", "torch")


def train(workload: str, engine: str, steps: int) -> int:
    """Return the peak resident set of this process in bytes, after some steps."""
    module = import_module(f"workloads.{workload}")
    if engine == "numpy":
        case = module.by_hand()
    else:
        found = import_module(engine)
        if engine == "torch":
            found.set_num_threads(1)
        case = module.in_torch(found)
    for _ in range(steps):
        case.step()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak(workload: str, engine: str, steps: int) -> int:
    """Return the peak resident set of a fresh process, in bytes."""
    command = [sys.executable, __file__, "--train", workload, engine, "--steps", str(steps)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def verdict(ratio: float, target: float) -> str:
    """Return the ratio beside its target and whether it is met."""
    return f"{ratio:.2f} ≤ {target:.2f} ✓" if ratio <= target else f"{ratio:.2f} > {target:.2f} ✗"


def main() -> None:
    """Print the table, or in a child the peak."""
    parser = argparse.ArgumentParser(description="Peak memory of training beside NumPy and PyTorch.")
    parser.add_argument("--train", nargs=2, metavar=("WORKLOAD", "ENGINE"), help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=20, help="training steps of each process (default 20)")
    parser.add_argument("--processes", type=int, default=3, help="processes for each number (default 3)")
    options = parser.parse_args()
    if options.train is not None:
        print(train(*options.train, options.steps))
        return
    print("| peak memory of the process | NumPy | rushlight | PyTorch | rushlight / PyTorch | rushlight / NumPy |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, (title, over_torch, over_numpy) in WORKLOADS.items():
        found = [median(peak(name, e, options.steps) for _ in range(options.processes)) for e in ENGINES]
        cells = [f"{value / 1e6:.1f} MB" for value in found]
        ratios = verdict(found[1] / found[2], over_torch), verdict(found[1] / found[0], over_numpy)
        print(f"| {title} | {' | '.join([*cells, *ratios])} |", flush=True)


if __name__ == "__main__":
    main()

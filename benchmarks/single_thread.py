"""A clean, single-threaded start for every benchmark script.

Import this before NumPy and call `restart_single_threaded` under ``if __name__ == "__main__"``:
BLAS reads its environment once, when NumPy is first imported.
"""

import os
import sys
from collections.abc import Mapping

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# Both change which matrix kernels OpenBLAS picks, and usually for the worse.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
MARK = "BENCHMARK_RESTARTED"


def single_threaded(environment: Mapping[str, str]) -> dict[str, str]:
    """Return a copy of `environment` with one BLAS thread and OpenBLAS's own choice of kernels."""
    kept = {name: value for name, value in environment.items() if name not in UNSET}
    return kept | dict.fromkeys(ONE_THREAD, "1")


def restart_single_threaded() -> None:
    """Return at once in a clean environment; otherwise replace this process by a clean one.

    Raises:
        RuntimeError: NumPy is already imported, or something set the variables again.
    """
    wanted = single_threaded(os.environ)
    if "numpy" in sys.modules:
        raise RuntimeError("NumPy was imported before the benchmark could set its threads")
    if wanted == dict(os.environ):
        return
    if MARK in os.environ:
        raise RuntimeError(f"the start of Python changes {', '.join((*ONE_THREAD, *UNSET))}")
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted | {MARK: "1"})

"""The engines under measurement: NumPy by hand, the engine itself, PyTorch if installed."""

import gc
import platform
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

import numpy as np


@dataclass(frozen=True)
class Engine:
    """One column: its title and its module; `None` stands for NumPy by hand."""

    title: str
    module: ModuleType | None


def load_engines(name: str) -> tuple[Engine, Engine, Engine | None]:
    """Return NumPy by hand, the engine imported as `name`, and PyTorch or None.

    What the imports left behind is frozen out of the garbage collector's walks, so that no
    engine pays for the size of another.
    """
    middle = Engine(name, import_module(name))
    try:
        torch = import_module("torch")
    except ModuleNotFoundError:
        pytorch = None
    else:
        torch.set_num_threads(1)
        pytorch = Engine("PyTorch", torch)
    gc.collect()
    gc.freeze()
    return Engine("NumPy", None), middle, pytorch


def versions(engines: tuple[Engine, Engine, Engine | None]) -> dict[str, str]:
    """Return the version of Python, NumPy and every engine, by title."""
    found = {"Python": platform.python_version(), "NumPy": np.__version__}
    for engine in engines:
        if engine is not None and engine.module is not None:
            found[engine.title] = str(getattr(engine.module, "__version__", "unknown"))
    return found

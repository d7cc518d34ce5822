"""Layers, containers and losses: ``torch.nn``."""

from . import functional, init, modules, parallel, utils
from .modules import *  # noqa: F403 - modules says what is public, as in PyTorch
from .modules import __all__ as _layers
from .parallel import DataParallel
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter
from .summarize import summary

__all__ = [
    "Buffer",
    "DataParallel",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "functional",
    "init",
    "modules",
    "parallel",
    "summary",
    "utils",
]
__all__.extend(_layers)

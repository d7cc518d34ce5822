"""Reverse-mode automatic differentiation: what PyTorch's users find at ``torch.autograd``."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from . import function as function
from . import graph as graph
from . import mode as _mode
from .anomaly import detect_anomaly as detect_anomaly
from .anomaly import set_detect_anomaly as set_detect_anomaly
from .derive import backward as backward
from .derive import grad as grad
from .function import Function as Function
from .mode import enable_grad as enable_grad
from .mode import inference_mode as inference_mode
from .mode import no_grad as no_grad
from .mode import set_grad_enabled as set_grad_enabled
from .node import Variable as Variable

if _TYPE_CHECKING:
    from . import functional as functional
    from .check import gradcheck as gradcheck
    from .check import gradgradcheck as gradgradcheck

grad_mode = _mode

_ON_DEMAND = {"functional": ".functional", "gradcheck": ".check", "gradgradcheck": ".check"}


def __getattr__(name: str) -> _Any:
    """Load what checks gradients and builds Jacobians when it is first asked for."""
    if name not in _ON_DEMAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _import_module(_ON_DEMAND[name], __name__)
    found = module if name == "functional" else getattr(module, name)
    globals()[name] = found
    return found

"""Reverse-mode automatic differentiation: what PyTorch's users find at ``torch.autograd``."""

from .. import lazy
from . import grad_mode
from .anomaly_mode import detect_anomaly, set_detect_anomaly
from .entry import backward, grad
from .function import Function
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from .gradcheck import GradcheckError, gradcheck, gradgradcheck  # not lazily: the function hides its module
from .legacy_variable import Variable

__getattr__, __dir__, _lazily = lazy.attach(__name__, {}, ("forward_ad", "function", "functional", "graph"))
__all__ = [
    "Function",
    "GradcheckError",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "grad_mode",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
__all__.extend(_lazily)

"""Reverse-mode automatic differentiation: what PyTorch's users find at ``torch.autograd``."""

from . import function as function
from . import functional as functional
from . import graph as graph
from . import mode as grad_mode
from .anomaly import detect_anomaly as detect_anomaly
from .anomaly import set_detect_anomaly as set_detect_anomaly
from .check import gradcheck as gradcheck
from .check import gradgradcheck as gradgradcheck
from .derive import backward as backward
from .derive import grad as grad
from .function import Function as Function
from .mode import enable_grad as enable_grad
from .mode import inference_mode as inference_mode
from .mode import no_grad as no_grad
from .mode import set_grad_enabled as set_grad_enabled
from .node import Variable as Variable

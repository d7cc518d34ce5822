"""Reverse-mode automatic differentiation: what PyTorch's users find at ``torch.autograd``."""

from .anomaly import detect_anomaly as detect_anomaly
from .anomaly import set_detect_anomaly as set_detect_anomaly
from .derive import backward as backward
from .derive import grad as grad
from .function import Function as Function
from .graph import Variable as Variable
from .mode import enable_grad as enable_grad
from .mode import inference_mode as inference_mode
from .mode import no_grad as no_grad
from .mode import set_grad_enabled as set_grad_enabled

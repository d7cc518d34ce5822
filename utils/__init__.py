"""What training loops use beside layers and optimizers: ``torch.utils``."""

from .. import lazy
from . import data, dlpack

__getattr__, __dir__, _lazily = lazy.attach(__name__, {}, ("checkpoint",))
__all__ = ["data", "dlpack"]
__all__.extend(_lazily)

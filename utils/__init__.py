"""What training loops use beside layers and optimizers: ``torch.utils``."""

from . import data as data
from . import dlpack as dlpack

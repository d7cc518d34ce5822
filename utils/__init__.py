"""``torch.utils``: data loading, checkpointing and DLPack, for training loops."""

from .. import lazy
from . import data, dlpack

__getattr__, __dir__, _lazily = lazy.attach(
    __name__, {"tensors.functions.swap": "swap_tensors"}, ("checkpoint", "hooks")
)
__all__ = ["data", "dlpack"]
__all__.extend(_lazily)

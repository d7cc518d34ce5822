"""``torch.nn.modules``: where PyTorch keeps its layers. Names for imports; the layers themselves are one floor up."""

import sys as _sys
from types import ModuleType as _ModuleType

from .. import (
    activation,
    batchnorm,
    conv,
    dropout,
    embedding,
    flatten,
    lazy,
    linear,
    loss,
    norm,
    pooling,
)
from ..module import Module as Module
from . import container as container
from . import module as module
from . import utils as utils

# The files of torch.nn.modules by name: "from rushlight.nn.modules.conv import Conv2d" finds them.
_FILES = {
    "activation": activation,
    "batchnorm": batchnorm,
    "conv": conv,
    "dropout": dropout,
    "flatten": flatten,
    "instancenorm": batchnorm,
    "lazy": lazy,
    "linear": linear,
    "loss": loss,
    "normalization": norm,
    "pooling": pooling,
    "sparse": embedding,
}


def _publish(files: dict[str, _ModuleType]) -> None:
    """Make each file known under its name here, and its layers too."""
    for name, file in files.items():
        _sys.modules[f"{__name__}.{name}"] = globals()[name] = file
        layers = {n: v for n, v in vars(file).items() if isinstance(v, type) and issubclass(v, Module)}
        globals().update({n: v for n, v in layers.items() if not n.startswith("_")})


_publish(_FILES | {"container": container})

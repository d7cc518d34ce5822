"""Errors about arguments name the layer that was called, whatever base its methods come from."""

from __future__ import annotations

import re
from inspect import Parameter, signature
from typing import Any

import pytest

from rushlight import nn

LAYERS = sorted(name for name, x in vars(nn).items() if isinstance(x, type) and issubclass(x, nn.Module))
ANY_ARGUMENTS = {"Identity": ["__init__"], "DataParallel": ["forward"]}
NO_FORWARD = {name for name in LAYERS if getattr(nn, name).forward is nn.Module.forward}


def required(function: Any) -> list[str]:
    """Return the names of the arguments without default, but for self."""
    parameters = list(signature(function).parameters.values())[1:]
    named = Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD
    return [p.name for p in parameters if p.default is Parameter.empty and p.kind in named]


@pytest.mark.filterwarnings("ignore:`NLLLoss2d` is deprecated:FutureWarning")
@pytest.mark.parametrize("name", LAYERS)
def test_errors_of_the_constructor_name_the_class(name: str) -> None:
    layer = getattr(nn, name)
    if "__init__" not in ANY_ARGUMENTS.get(name, ()):
        with pytest.raises(TypeError, match=rf"^{name}\.__init__\(\) got an unexpected keyword argument 'nonesuch'"):
            layer(nonesuch=1)
    missing = required(layer.__init__)
    if missing:
        count = f"{len(missing)} required positional argument{'s' if len(missing) > 1 else ''}"
        with pytest.raises(TypeError, match=rf"^{name}\.__init__\(\) missing {count}: '{missing[0]}'"):
            layer()
    else:
        layer()


@pytest.mark.parametrize("name", sorted(set(LAYERS) - NO_FORWARD))
def test_errors_of_forward_name_the_class(name: str) -> None:
    forward = getattr(nn, name).forward
    if "forward" not in ANY_ARGUMENTS.get(name, ()):
        with pytest.raises(TypeError, match=rf"^{name}\.forward\(\) got an unexpected keyword argument 'nonesuch'"):
            forward(None, nonesuch=1)
    missing = required(forward)
    if missing:
        with pytest.raises(TypeError, match=rf"^{name}\.forward\(\) missing {len(missing)} required positional"):
            forward(None)


def test_errors_of_a_subclass_name_the_layer_whose_method_it_is() -> None:
    class Edges(nn.Conv2d):
        pass

    words = (
        "Conv2d.__init__() missing 3 required positional arguments: 'in_channels', 'out_channels', and 'kernel_size'"
    )
    with pytest.raises(TypeError, match=re.escape(words)):
        Edges()  # type: ignore[call-arg]


def test_methods_that_a_layer_inherits_are_said_to_be_its_own() -> None:
    for name in set(LAYERS) - NO_FORWARD:
        layer = getattr(nn, name)
        assert layer.forward.__qualname__ == f"{name}.forward"
        assert layer.forward.__doc__

"""Strategies for layers and networks with inputs that fit."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from . import layers, losses, windows
from .layers import Draw
from .strategies import ENGINE, tensors

LAYERS = layers.LAYERS | windows.LAYERS | losses.LAYERS
"""For each layer of ``nn`` its recipe."""
FEATURES, DEPTHS = st.integers(1, 4), st.integers(1, 3)


@st.composite
def modules(
    draw: Any, layer: Any = None, features: Any = FEATURES, depth: Any = DEPTHS, smooth: bool = True
) -> tuple[Any, ...]:
    """Pairs of a small network in float64 and an input that fits it: linear layers, norms, activations.

    ``layer`` names a class of ``nn``, or is a strategy of names: then tuples of one such layer, with drawn arguments,
    and all its inputs. Its inputs stay away from kinks, of ``smooth`` networks too.
    """
    if layer is None:
        return _network(draw, draw(features), draw(depth), smooth)
    name = draw(layer) if isinstance(layer, st.SearchStrategy) else layer
    if name not in LAYERS:
        raise ValueError(f"modules: {name!r} is no layer that can be drawn")
    made, *inputs = LAYERS[name](Draw(draw))
    return made.double(), *inputs


def _network(draw: Any, width: int, depth: int, smooth: bool) -> tuple[Any, ...]:
    nn: Any = ENGINE.nn
    x = draw(tensors(shape=(draw(st.integers(2, 4)), width), layout=("contiguous", "transposed")))
    ENGINE.manual_seed(draw(st.integers(0, 99)))
    steps: list[Any] = []
    for _ in range(depth):
        after = draw(FEATURES)
        steps.append(nn.Linear(width, after, bias=draw(st.booleans())))
        width = after
        bends = [nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.Softplus, nn.Identity]
        steps.append(draw(st.sampled_from(bends if smooth else [*bends, nn.ReLU, nn.LeakyReLU, nn.ELU]))())
        if draw(st.booleans()):
            steps.append(nn.LayerNorm(width) if width > 1 else nn.Identity())
    return nn.Sequential(*steps).double(), x

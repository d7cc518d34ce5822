"""How to draw each layer of ``nn``: small arguments that fit together, and inputs that fit the layer.

Values stay away from kinks, and within a tensor from one another where a layer picks maxima or divides by a spread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import strategies as st

from .strategies import AWAY, ENGINE, tensors

Made = tuple[Any, ...]
"""A layer, and what to call it with."""
UNIT = st.floats(0.05, 0.95).map(lambda v: round(v, 3))
INNER_UNIT = st.floats(0.3, 0.7).map(lambda v: round(v, 3))
"""Numbers so far inside (0, 1) that a difference does not step out of it."""
DENSE = ("contiguous", "transposed", "strided", "offset")


class Draw:
    """The random source and settings of a layer's recipe."""

    def __init__(self, draw: Any) -> None:
        self.draw, self.nn = draw, ENGINE.nn
        ENGINE.manual_seed(self.size(0, 99))

    def size(self, low: int = 1, high: int = 3) -> int:
        """Return a number from ``low`` to ``high``."""
        return int(self.draw(st.integers(low, high)))

    def of(self, *choices: Any) -> Any:
        """Return one of ``choices``."""
        return self.draw(st.sampled_from(choices))

    def shape(self, low: int = 1, high: int = 3) -> tuple[int, ...]:
        """Return a shape of ``low`` to ``high`` dims."""
        return tuple(self.size() for _ in range(self.size(low, high)))

    def space(self, dims: int, least: int = 1) -> tuple[int, ...]:
        """Return the sizes of ``dims`` dims, at least ``least`` each."""
        return tuple(self.size(least, least + (2 if dims < 3 else 1)) for _ in range(dims))

    def lead(self, batched: bool = False) -> tuple[int, ...]:
        """Return the size of the batch as a shape: empty for an input without one."""
        return self.of((2,), (1,)) if batched else self.of((), (2,), (1,))  # type: ignore[no-any-return]

    def x(self, *shape: int, elements: Any = AWAY, distinct: bool = False, grad: bool = True) -> Any:
        """Return a float64 tensor of ``shape``."""
        made = tensors(shape=shape, elements=elements, layout=DENSE, distinct=distinct, requires_grad=grad)
        return self.draw(made)

    def ints(self, high: int, *shape: int, low: int = 0) -> Any:
        """Return a tensor of ``shape`` with whole numbers from ``low`` to below ``high``."""
        return self.draw(tensors(ENGINE.int64, shape, st.integers(low, high - 1), layout=DENSE))

    def signs(self, *shape: int) -> Any:
        """Return a tensor of ones and minus ones."""
        return self.draw(tensors(shape=shape, elements=st.sampled_from([1.0, -1.0]), layout=DENSE, requires_grad=False))

    def reduction(self) -> str:
        """Return a way to reduce."""
        return str(self.of("mean", "sum", "none"))


Recipe = Callable[[Draw], Made]


def for_dims(name: str, recipe: Callable[[Draw, int, str], Made]) -> dict[str, Recipe]:
    """Return ``recipe`` for ``name`` with 1, 2 and 3 in place of its ``?``."""
    return {full: partial(_of_dims, recipe, n, full) for n in (1, 2, 3) for full in [name.replace("?", str(n))]}


def _of_dims(recipe: Callable[[Draw, int, str], Made], n: int, name: str, d: Draw) -> Made:
    return recipe(d, n, name)


LAYERS: dict[str, Recipe] = {}
"""For layers of ``nn`` their recipes; those of :mod:`windows <.windows>` and :mod:`losses <.losses>` stand there."""


def _elementwise(name: str, *options: dict[str, Any]) -> None:
    LAYERS[name] = lambda d: (getattr(d.nn, name)(**d.of({}, *options)), d.x(*d.shape(0)))


for _name, *_options in (
    ("CELU", {"alpha": 0.5}), ("ELU", {"alpha": 0.5}), ("GELU", {"approximate": "tanh"}), ("SELU",), ("Identity",),
    ("Hardshrink", {"lambd": 1.7}), ("Hardsigmoid",), ("Hardswish",), ("Hardtanh", {"min_val": -2.0}), ("LeakyReLU",),
    ("LogSigmoid",), ("Mish",), ("PReLU",), ("ReLU",), ("ReLU6",), ("Sigmoid",), ("SiLU",), ("Softplus", {"beta": 2.0}),
    ("Softshrink",), ("Softsign",), ("Tanh",), ("Tanhshrink",), ("RReLU",), ("Dropout", {"p": 0.2}), ("AlphaDropout",),
):  # fmt: skip
    _elementwise(_name, *_options)
for _name in ("Softmax", "Softmin", "LogSoftmax"):
    LAYERS[_name] = lambda d, name=_name: (getattr(d.nn, name)(d.of(-1, 0)), d.x(*d.shape()))  # type: ignore[misc]
LAYERS |= {
    "Threshold": lambda d: (d.nn.Threshold(0.05, 2.0), d.x(*d.shape(0))),
    "GLU": lambda d: (d.nn.GLU(), d.x(*d.shape(0, 2), 2 * d.size(1, 2))),
    "Softmax2d": lambda d: (d.nn.Softmax2d(), d.x(*d.lead(), d.size(), *d.space(2))),
    "FeatureAlphaDropout": lambda d: (d.nn.FeatureAlphaDropout(), d.x(*d.lead(batched=True), 2, *d.space(2))),
    "Flatten": lambda d: (d.nn.Flatten(d.of(0, 1)), d.x(*d.shape(2, 4))),
    "Unflatten": lambda d: (d.nn.Unflatten(1, (2, -1)), d.x(d.size(), 4, *d.shape(0, 1))),
}
LAYERS |= for_dims("Dropout?d", lambda d, n, name: (getattr(d.nn, name)(), d.x(*d.lead(batched=True), 2, *d.space(n))))


# ------------------------------------------------------------------ linear layers and norms


def _linear(d: Draw) -> Made:
    width = d.size()
    return d.nn.Linear(width, d.size(), bias=d.of(True, False)), d.x(*d.shape(0, 2), width)


def _bilinear(d: Draw) -> Made:
    a, b, lead = d.size(), d.size(), d.shape(0, 2)
    return d.nn.Bilinear(a, b, d.size(), bias=d.of(True, False)), d.x(*lead, a), d.x(*lead, b)


def _batch_norm(d: Draw, n: int, name: str) -> Made:
    layer = getattr(d.nn, name)(2, affine=d.of(True, False), track_running_stats=d.of(True, False))
    return layer, d.x(d.size(2, 3), 2, *d.space(n if n > 1 else d.size(0, 1)), distinct=True)


def _instance_norm(d: Draw, n: int, name: str) -> Made:
    layer = getattr(d.nn, name)(2, affine=d.of(True, False), track_running_stats=d.of(True, False))
    return layer, d.x(*d.lead(), 2, *d.space(n, 2), distinct=True)


def _group_norm(d: Draw) -> Made:
    groups = d.size(1, 2)
    return d.nn.GroupNorm(groups, 2 * groups, affine=d.of(True, False)), d.x(
        2, 2 * groups, *d.shape(0, 2), distinct=True
    )


def _layer_norm(d: Draw) -> Made:
    shape = d.of((2,), (3,), (2, 2))
    layer = d.nn.LayerNorm(shape, elementwise_affine=d.of(True, False), bias=d.of(True, False))
    return layer, d.x(*d.shape(0, 2), *shape, distinct=True)


def _rms_norm(d: Draw) -> Made:
    shape = d.of((2,), (3,), (2, 2))
    return d.nn.RMSNorm(shape, elementwise_affine=d.of(True, False)), d.x(*d.shape(0, 2), *shape)


LAYERS |= {
    "Linear": _linear,
    "Bilinear": _bilinear,
    "GroupNorm": _group_norm,
    "LayerNorm": _layer_norm,
    "RMSNorm": _rms_norm,
    "SyncBatchNorm": lambda d: _batch_norm(d, 2, "SyncBatchNorm"),
    "LocalResponseNorm": lambda d: (d.nn.LocalResponseNorm(d.size(), alpha=0.5), d.x(2, d.size(), *d.shape(1, 2))),
    "CrossMapLRN2d": lambda d: (d.nn.CrossMapLRN2d(d.of(1, 3), alpha=0.5), d.x(*d.lead(True), d.size(), *d.space(2))),
    "CosineSimilarity": lambda d: _pair(d, d.nn.CosineSimilarity(d.of(0, -1))),
    "PairwiseDistance": lambda d: _pair(d, d.nn.PairwiseDistance(d.of(1.0, 2.0, 3.0), keepdim=d.of(True, False))),
}
LAYERS |= for_dims("BatchNorm?d", _batch_norm)
LAYERS |= for_dims("InstanceNorm?d", _instance_norm)


def _pair(d: Draw, layer: Any) -> Made:
    shape = d.of((2,), (3,), (2, 2), (3, 2))
    return layer, d.x(*shape), d.x(*shape, elements=st.floats(4, 6).map(lambda v: round(v, 3)))

"""Cases of tensors/ops/layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import ABOVE, AWAY, LINE, arrays, distinct

CASES: dict[str, Any] = {}

# ------------------------------------------------------------------ batch_norm, layer_norm


@st.composite
def parameters(draw: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    """Weight and bias, each there or not; a weight near 0 drowns the other gradients."""
    elements = {"weight": AWAY, "bias": LINE}
    return {name: draw(arrays(shape, each)) if draw(st.booleans()) else None for name, each in elements.items()}


def images(least: int) -> Any:
    """Shapes (N, C, ...) with at least so many values a channel."""
    sizes = st.integers(1, 3)
    drawn = st.tuples(sizes, sizes) | st.tuples(sizes, sizes, sizes) | st.tuples(sizes, sizes, sizes, sizes)
    return drawn.filter(lambda s: s[0] * int(np.prod(s[2:])) >= least)


@st.composite
def batch(draw: Any) -> dict[str, Any]:
    training = draw(st.booleans())
    shape = draw(images(3 if training else 1))
    running = {"running_mean": None, "running_var": None}
    if not training:
        running = {"running_mean": draw(arrays((shape[1],))), "running_var": draw(arrays((shape[1],), ABOVE))}
    given = draw(parameters((shape[1],)))
    return {"input": draw(distinct(shape)), "training": training, "eps": 0.1, **given, **running}


@st.composite
def group(draw: Any) -> dict[str, Any]:
    batch_size, groups, size, rest = (draw(st.integers(1, 3)) for _ in range(4))
    shape = (batch_size, groups * size, *draw(st.sampled_from([(), (rest,), (rest, 2)])))
    given = draw(parameters((shape[1],)))
    kind = {"kind_of_norm": "NativeGroupNormBackward0"}
    return {"input": draw(distinct(shape)), "groups": groups, "eps": 0.1, **kind, **given}


@st.composite
def rows(draw: Any, bias: bool) -> dict[str, Any]:
    size = draw(st.sampled_from([(2,) if bias else (1,), (3,), (2, 3)]))  # one element less its mean is rounding alone
    lead = draw(st.sampled_from([(), (2,), (2, 2), (0,)]))
    given = draw(parameters(size))
    if not bias:
        del given["bias"]
    return {"input": draw(distinct((*lead, *size))), "normalized_shape": size, "eps": 0.1, **given}


CASES |= {
    "batch_norm": batch(),
    "group_norm": group(),
    "layer_norm": rows(bias=True),
    "rms_norm": rows(bias=False),
}


# ------------------------------------------------------------------ recurrent

SMALL = LINE.map(lambda v: v / 3)  # far from where the gates are flat


@st.composite
def layers(draw: Any, gates: int, cells: bool = False, once: bool = False, **fixed: Any) -> dict[str, Any]:
    """All inputs of a layer with so many gates, or with ``once`` of a cell."""
    batch, size, inputs = draw(st.integers(0, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    projected = draw(st.none() | st.integers(1, 2)) if cells and not once else None
    width = projected or size
    if once:
        steps, rows = None, (batch,)
    elif batch == 0 or draw(st.booleans()):
        long = draw(st.integers(1, 3))
        steps, rows = tuple((n * batch, (n + 1) * batch) for n in range(long)), (long, batch)
    else:
        sizes = sorted(draw(st.lists(st.integers(1, batch), min_size=1, max_size=3)), reverse=True)
        sizes[0] = batch
        ends = np.cumsum(sizes).tolist()
        steps, rows = tuple(zip([0, *ends[:-1]], ends, strict=True)), (ends[-1],)
    if not once:
        fixed["steps"] = steps[::-1] if draw(st.booleans()) else steps
    given = {
        "input": draw(arrays((*rows, inputs), SMALL)),
        "hx": draw(arrays((batch, width), SMALL)),
        "weight_ih": draw(arrays((gates * size, inputs), SMALL)),
        "weight_hh": draw(arrays((gates * size, width), SMALL)),
        "bias_ih": draw(st.none() | arrays((gates * size,), SMALL)),
        "bias_hh": draw(st.none() | arrays((gates * size,), SMALL)),
        **fixed,
    }
    if cells:
        given["cx"] = draw(arrays((batch, size), SMALL))
    if cells and not once:
        given["weight_hr"] = None if projected is None else draw(arrays((width, size), SMALL))
    return given


@st.composite
def elman(draw: Any, once: bool = False) -> dict[str, Any]:
    """With relu, all that goes into it is far from 0: the input decides."""
    nonlinearity = draw(st.sampled_from(["tanh", "relu"]))
    given = draw(layers(1, once=once, nonlinearity=nonlinearity))
    if nonlinearity == "relu":
        rows, inputs, size = given["input"].shape[:-1], given["input"].shape[-1], given["hx"].shape[1]
        signs = np.where(np.arange(size) % 2, -1.0, 1.0)
        given["input"] = draw(arrays((*rows, inputs), ABOVE))
        given["weight_ih"] = signs[:, None] * draw(arrays((size, inputs), ABOVE))
        given["weight_hh"] = signs[:, None] * np.abs(draw(arrays((size, size), SMALL))) * 0.1
        given["hx"] = np.abs(given["hx"])
        given["bias_ih"] = given["bias_hh"] = None
    return given


CASES |= {"lstm_steps": layers(4, cells=True), "gru_steps": layers(3), "elman_steps": elman()}
CASES |= {
    "lstm_step": layers(4, cells=True, once=True),
    "gru_step": layers(3, once=True),
    "elman_step": elman(once=True),
}


# ------------------------------------------------------------------ attention


@st.composite
def attention(draw: Any) -> dict[str, Any]:
    """Queries, keys and values, with or without an added bias, a mask, and dropped weights."""
    lead = draw(st.sampled_from([(), (2,), (2, 1)]))
    queries, keys, width, out = (draw(st.integers(1, 3)) for _ in range(4))
    grid = (*lead, queries, keys)
    mask = np.array(draw(st.lists(st.booleans(), min_size=queries * keys, max_size=queries * keys)))
    kept = np.full(grid, 2.0, np.float32)
    kept[..., 0] = 0
    return {
        "query": draw(arrays((*lead, queries, width))),
        "key": draw(arrays((*lead, keys, width))),
        "value": draw(arrays((*lead, keys, out))),
        "bias": draw(st.none() | arrays((queries, keys)) | arrays(grid)),
        "mask": draw(st.none() | st.just(mask.reshape(queries, keys))),
        "kept": draw(st.none() | st.just(kept)),
        "scale": draw(st.sampled_from([1.0, 0.5])),
    }


CASES |= {"attention": attention()}

"""Cases for norms: inputs spread out, so that no variance is near zero."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from cases.draw import ABOVE, arrays, distinct


@st.composite
def parameters(draw: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    """Weight and bias, each there or not."""
    return {name: draw(arrays(shape)) if draw(st.booleans()) else None for name in ("weight", "bias")}


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
    size = draw(st.sampled_from([(1,), (3,), (2, 3)]))
    lead = draw(st.sampled_from([(), (2,), (2, 2), (0,)]))
    given = draw(parameters(size))
    if not bias:
        del given["bias"]
    return {"input": draw(distinct((*lead, *size))), "normalized_shape": size, "eps": 0.1, **given}


CASES = {
    "batch_norm": batch(),
    "group_norm": group(),
    "layer_norm": rows(bias=True),
    "rms_norm": rows(bias=False),
}

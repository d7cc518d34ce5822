"""Cases for choosing and mixing."""

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

from cases.draw import AWAY, LINE, arrays, binary, broadcast, unary

OFF_BOUNDS = LINE.map(lambda v: v + 0.0371)  # bounds are drawn from LINE, whose numbers end earlier
NUMBER = st.sampled_from([-1.0, 0, 0.5])


@st.composite
def masked(draw: Any, names: tuple[str, ...], mask: str = "mask", full: bool = False, **fixed: Any) -> dict[str, Any]:
    """Tensors and a mask whose shapes broadcast together; ``full`` gives the mask to one tensor of its shape."""
    count = len(names) + 1
    found = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, min_side=0, max_side=3))
    shapes = [found.result_shape] * count if full else list(found.input_shapes)
    args: dict[str, Any] = {name: draw(arrays(shape)) for name, shape in zip(names, shapes, strict=False)}
    args[mask] = draw(hnp.arrays(np.bool_, shapes[-1]))
    return args | {name: draw(value) for name, value in fixed.items()}


def bounded(names: tuple[str, ...]) -> Any:
    """A tensor and tensors that bound it; which is None is drawn."""
    return broadcast({"input": OFF_BOUNDS, **dict.fromkeys(names, LINE)}).map(
        lambda args: {"min": None, "max": None} | _apart(args)
    )


def _apart(args: dict[str, Any]) -> dict[str, Any]:
    if "min" in args and "max" in args:
        args["max"] = np.asarray(args["max"] + 0.00517)
    return args


CASES = {
    "keep": masked(("input",), full=True),
    "drop": masked(("input",), full=True),
    "where": masked(("input", "other"), "condition"),
    "fill_number": masked(("input",), value=NUMBER),
    "fill_tensor": masked(("input",)).flatmap(lambda a: arrays(()).map(lambda v: a | {"value": v})),
    "clamp": unary(OFF_BOUNDS, min=st.sampled_from([-1.0, 0, None]), max=st.sampled_from([0.5, 1])),
    "clamp_min": unary(OFF_BOUNDS, min=NUMBER),
    "clamp_max": unary(OFF_BOUNDS, max=NUMBER),
    "clamp_grad": binary(names=("grad", "input"), min=st.just(-1.0), max=st.sampled_from([1.0, None])),
    "clamp_tensors": bounded(("min",)) | bounded(("max",)) | bounded(("min", "max")),
    "lerp_number": binary(names=("input", "end"), weight=st.sampled_from([-0.5, 0.3, 0.7, 2.0])),
    "lerp": broadcast({"input": LINE, "end": LINE, "weight": LINE}),
    "addcmul": broadcast({"input": LINE, "tensor1": LINE, "tensor2": LINE}, value=NUMBER),
    "addcdiv": broadcast({"input": LINE, "tensor1": LINE, "tensor2": AWAY}, value=NUMBER),
}

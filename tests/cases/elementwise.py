"""Cases of tensors/ops/elementwise."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

from cases.draw import ABOVE, AWAY, LINE, UNIT, arrays, binary, broadcast, unary

CASES: dict[str, Any] = {}

# ------------------------------------------------------------------ unary, binary, rounding

OPEN = st.floats(-0.9, 0.9).map(lambda v: round(v, 3))
OFF_STEPS = st.floats(-3, 3).map(lambda v: round(v) + 0.37)  # nor is a step of a quotient by 1 or 2 near
OFF_ODD = st.floats(-1, 1).map(lambda v: round(v, 3))  # away from the poles of the tangent
ABOVE_ONE = st.floats(1.2, 4).map(lambda v: round(v, 3))

SMOOTH = ["exp", "exp2", "expm1", "sin", "cos", "atan", "sinh", "cosh", "tanh", "asinh", "sigmoid", "erf", "erfc"]

CASES |= {name: unary() for name in [*SMOOTH, "deg2rad", "rad2deg"]} | {
    "log": unary(ABOVE),
    "log2": unary(ABOVE),
    "log10": unary(ABOVE),
    "log1p": unary(ABOVE),
    "sqrt": unary(ABOVE),
    "rsqrt": unary(ABOVE),
    "reciprocal": unary(AWAY),
    "tan": unary(OFF_ODD),
    "asin": unary(OPEN),
    "acos": unary(OPEN),
    "acosh": unary(ABOVE_ONE),
    "atanh": unary(OPEN),
    "erfinv": unary(OPEN),
    "logit": unary(UNIT, eps=st.sampled_from([None, -1.0, 1e-3])),
    "floor": unary(OFF_STEPS),
    "ceil": unary(OFF_STEPS),
    "trunc": unary(OFF_STEPS),
    "round": unary(OFF_STEPS, decimals=st.sampled_from([0, 1, -1])),
    "frac": unary(OFF_STEPS),
    "sign": unary(AWAY),
    "sgn": unary(AWAY),
    "abs": unary(AWAY),
    "nan_to_num": unary(nan=st.sampled_from([None, 1.0]), posinf=st.none(), neginf=st.none()),
    "atan2": binary(AWAY, AWAY),
    "hypot": binary(AWAY, AWAY),
    "logaddexp": binary(),
    "logaddexp2": binary(),
    "fmax": binary(LINE, LINE.map(lambda v: v + 0.0371)),
    "fmin": binary(LINE, LINE.map(lambda v: v + 0.0371)),
}


# ------------------------------------------------------------------ arithmetic, power

NUMBERS = st.sampled_from([-1.5, 2, 0, 3.0])
TWO = st.sampled_from([1.0, -2.0])

CASES |= {
    "add": binary(),
    "sub": binary(),
    "rsub": binary(),
    "mul": binary(),
    "div": binary(other=AWAY),
    "add_scaled": binary(alpha=NUMBERS),
    "sub_scaled": binary(alpha=NUMBERS),
    "neg": unary(),
    "div_rounded": binary(input=OFF_STEPS, other=TWO, rounding_mode=st.sampled_from(["trunc", "floor"])),
    "remainder": binary(input=OFF_STEPS, other=TWO),
    "fmod": binary(input=OFF_STEPS, other=TWO),
    "pow_number": unary(elements=ABOVE, exponent=st.sampled_from([0, 1, 2, 3, 0.5, -0.5, -1, -2, 2.7]))
    | unary(elements=LINE, exponent=st.sampled_from([0, 1, 2, 3, 4.0]))
    | unary(elements=AWAY, exponent=st.sampled_from([-1, -2, -3])),
    "pow_tensor": binary(input=ABOVE, other=AWAY, names=("input", "exponent")),
    "pow_base": unary(base=st.sampled_from([2, 0.5, 1, 3.5])).map(
        lambda a: {"base": a["base"], "exponent": a["input"]}
    ),
}


# ------------------------------------------------------------------ activation

OFF_KINKS = LINE.map(lambda v: v + 0.0371)  # all kinks lie at multiples of 1/8
SLOPE = st.sampled_from([0.01, 0.0, 1.5, -0.5])
ELU = {"alpha": st.sampled_from([1.0, 1.5, -0.5]), "scale": st.sampled_from([1.0, 1.1]), "input_scale": st.just(0.8)}
PLUS = {"beta": st.sampled_from([1.0, 0.5]), "threshold": st.sampled_from([20.0, 1.0])}


def in_pairs(names: tuple[str, str], **fixed: object) -> st.SearchStrategy[dict[str, object]]:
    """Two inputs, a gradient and what it belongs to, off the kinks."""
    return binary(LINE, OFF_KINKS, names, **fixed)


CASES |= {
    "relu": unary(AWAY),
    "relu_grad": in_pairs(("grad", "y")),
    "leaky_relu": unary(AWAY, negative_slope=SLOPE),
    "leaky_relu_grad": in_pairs(("grad", "input"), negative_slope=SLOPE),
    "between_grad": in_pairs(("grad", "input"), low=-1.0, high=0.5),
    "beyond_grad": in_pairs(("grad", "input"), low=-1.0, high=0.5),
    "hardtanh": unary(OFF_KINKS, min_val=-1.0, max_val=st.sampled_from([1.0, 0.5])),
    "hardsigmoid": unary(OFF_KINKS),
    "hardswish": unary(OFF_KINKS),
    "threshold": unary(OFF_KINKS, threshold=0.5, value=st.sampled_from([0.5, 20.0])),
    "hardshrink": unary(OFF_KINKS, lambd=st.sampled_from([0.5, 1.0])),
    "softshrink": unary(OFF_KINKS, lambd=st.sampled_from([0.5, 1.0])),
    "prelu": binary(AWAY, LINE, names=("input", "weight")),
    "elu": unary(AWAY, label="EluBackward0", **ELU),
    "elu_grad": in_pairs(("grad", "input"), **ELU),
    "softplus": unary(OFF_KINKS, **PLUS),
    "softplus_grad": in_pairs(("grad", "input"), **PLUS),
    "logsigmoid": unary(AWAY),
    "logsigmoid_grad": in_pairs(("grad", "input")),
    "silu": unary(),
    "silu_grad": in_pairs(("grad", "input")),
    "mish": unary(),
    "gelu_erf": unary(),
    "gelu_grad": in_pairs(("grad", "input")),
    "gelu_tanh": unary(),
    "gelu_tanh_grad": in_pairs(("grad", "input")),
    "glu": st.sampled_from([(2,), (3, 4), (2, 3, 2), (0, 2)])
    .flatmap(arrays)
    .flatmap(lambda x: st.just({"input": x, "dim": -1})),
}


# ------------------------------------------------------------------ ternary

OFF_BOUNDS = LINE.map(lambda v: v + 0.0371)  # bounds are drawn from LINE, whose numbers end earlier
NUMBER = st.sampled_from([-1.0, 0, 0.5])


@st.composite
def masked(draw: Any, names: tuple[str, ...], mask: str = "mask", **fixed: Any) -> dict[str, Any]:
    """Tensors and a mask whose shapes broadcast together."""
    count = len(names) + 1
    found = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, min_side=0, max_side=3))
    shapes = found.input_shapes
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


CASES |= {
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


# ------------------------------------------------------------------ special

APART = st.floats(-2.9, 2.9).map(lambda v: round(v, 3)).filter(lambda v: abs(v - round(v)) > 0.15)

CASES |= {
    "lgamma": unary(ABOVE | APART.filter(lambda v: v < 0 and abs(v - round(v)) > 0.3)),
    "digamma": unary(ABOVE.map(lambda v: v + 0.3) | APART.filter(lambda v: v < 0 and abs(v - round(v)) > 0.3)),
    "polygamma": unary(ABOVE.map(lambda v: v + 0.5), n=st.integers(1, 3)),
    "sinc": unary(LINE),
    "sinc_slope": unary(LINE, order=st.integers(1, 3)),
    "xlogy": binary(LINE.map(abs), ABOVE),
    "xlog1py": binary(LINE, ABOVE),
    "ratio": binary(LINE, AWAY),
    "copysign": binary(AWAY, AWAY),
    "nextafter": binary(LINE, LINE.map(lambda v: v + 10)),
}


# ------------------------------------------------------------------ normal, bessel, gamma_integral

CASES |= {
    "entr": unary(ABOVE),
    "ndtr": unary(),
    "ndtri": unary(UNIT),
    "log_ndtr": unary(),
    "erfcx": unary(ABOVE.map(lambda v: v - 0.7) | st.sampled_from([10.5, 14.0])),
    "erfcx_slope": unary(ABOVE.map(lambda v: v - 0.7), order=st.integers(1, 2)),
    "modified": unary(AWAY, order=st.integers(0, 3), scaled=st.booleans()),
    "i0": unary(),
    "i0e": unary(AWAY),
    "i1": unary(),
    "i1e": unary(AWAY),
    "lower": binary(ABOVE, ABOVE),
    "upper": binary(ABOVE, ABOVE),
    "angle": unary(AWAY),
    "zeta": binary(st.sampled_from([2.0, 2.5, 3.0]), ABOVE),
}

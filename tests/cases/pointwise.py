"""Cases for functions of one number and of two."""

from hypothesis import strategies as st

from cases.draw import ABOVE, AWAY, LINE, UNIT, binary, unary

OPEN = st.floats(-0.9, 0.9).map(lambda v: round(v, 3))
OFF_STEPS = st.floats(-3, 3).map(lambda v: round(v) + 0.37)
OFF_ODD = st.floats(-1, 1).map(lambda v: round(v, 3))  # away from the poles of the tangent
ABOVE_ONE = st.floats(1.2, 4).map(lambda v: round(v, 3))

SMOOTH = ["exp", "exp2", "expm1", "sin", "cos", "atan", "sinh", "cosh", "tanh", "asinh", "sigmoid", "erf", "erfc"]

CASES = {name: unary() for name in [*SMOOTH, "deg2rad", "rad2deg"]} | {
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

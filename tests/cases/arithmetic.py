"""Cases for arithmetic and powers."""

from hypothesis import strategies as st

from cases.draw import ABOVE, AWAY, LINE, binary, unary

NUMBERS = st.sampled_from([-1.5, 2, 0, 3.0])
OFF_STEPS = st.floats(-3, 3).map(lambda v: round(v) + 0.37)  # no step of a quotient by 1 or 2 is near
TWO = st.sampled_from([1.0, -2.0])

CASES = {
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

"""Cases for activations."""

from hypothesis import strategies as st

from cases.draw import AWAY, LINE, arrays, binary, unary

OFF_KINKS = LINE.map(lambda v: v + 0.0371)  # all kinks lie at multiples of 1/8
SLOPE = st.sampled_from([0.01, 0.0, 1.5, -0.5])
ELU = {"alpha": st.sampled_from([1.0, 1.5, -0.5]), "scale": st.sampled_from([1.0, 1.1]), "input_scale": st.just(0.8)}
PLUS = {"beta": st.sampled_from([1.0, 0.5]), "threshold": st.sampled_from([20.0, 1.0])}


def in_pairs(names: tuple[str, str], **fixed: object) -> st.SearchStrategy[dict[str, object]]:
    """Two inputs, a gradient and what it belongs to, off the kinks."""
    return binary(LINE, OFF_KINKS, names, **fixed)


CASES = {
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

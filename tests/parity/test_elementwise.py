"""Elementwise functions against PyTorch: as a function, a method, in place, with out=, and over all dtypes."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from support.oracle import DTYPES, same

NAN, INF = float("nan"), float("inf")
POINTS = np.array(
    [-INF, -30.5, -3.0, -2.5, -1.0, -0.5, -0.25, -0.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 30.5, INF, NAN]
)

UNARY = [
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "square", "reciprocal", "sin",
    "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "arcsin", "arccos",
    "arctan", "arcsinh", "arccosh", "arctanh", "sigmoid", "logit", "erf", "erfc", "erfinv", "floor", "ceil",
    "round", "trunc", "fix", "frac", "sign", "sgn", "abs", "absolute", "neg", "negative", "deg2rad", "rad2deg",
    "nan_to_num", "relu", "logical_not",
]  # fmt: skip
TESTS = [
    "isnan", "isinf", "isfinite", "isreal", "isposinf", "isneginf", "signbit", "bitwise_not", "positive",
]  # fmt: skip
BINARY = [
    "add", "sub", "mul", "div", "true_divide", "subtract", "multiply", "divide", "floor_divide", "remainder",
    "fmod", "pow", "atan2", "arctan2",
]  # fmt: skip
FLOATS_ONLY = [
    "hypot", "logaddexp", "logaddexp2",
]  # fmt: skip
COMPARE = [
    "eq", "ne", "lt", "le", "gt", "ge", "not_equal", "less", "less_equal", "greater", "greater_equal",
]  # fmt: skip
PICK = [
    "fmax", "fmin", "maximum", "minimum",
]  # fmt: skip
LOGIC = [
    "logical_and", "logical_or", "logical_xor",
]  # fmt: skip
BITS = [
    "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift",
]  # fmt: skip
NOT_IN_PLACE = {"positive", "logaddexp", "logaddexp2", "fmax", "fmin", "maximum", "minimum", *TESTS} - {"bitwise_not"}
# PyTorch 2.13 raises in backward for these; here their gradient is the zero that it is.
NO_DERIVATIVE = {"floor_divide", "heaviside"}
# PyTorch has none in place for the first six, and for the truth of a number it has that of the identity.
NO_GRADIENT_IN_PLACE = {"asinh", "acosh", "atanh", "arcsinh", "arccosh", "arctanh", "logical_not", *LOGIC, *COMPARE}
# Rules of PyTorch that wrap around or fail where the other operand is of a small or a bool type.
SAME_TYPE_ONLY = {"atan2", "arctan2", "logaddexp", "logaddexp2"}


def values(dtype: str, kind: int = 0) -> np.ndarray:
    """Numbers that fit the dtype: all kinks for floats, small integers of both signs, bools."""
    if dtype.startswith("float"):
        return (POINTS if kind == 0 else np.roll(POINTS, 7)).astype(dtype)
    if dtype == "bool":
        return np.array([True, False, True, False] if kind == 0 else [True, True, False, False])
    whole = np.array([1, 2, 3, 7, 100, 5, 0] if kind == 0 else [3, 1, 2, 2, 7, 5, 4])
    return (whole if dtype == "uint8" else whole * [1, -1, 1, -1, 1, 1, 1]).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY + TESTS)
def test_unary(name: str, dtype: str) -> None:
    x = values(dtype)
    same(lambda T, x: getattr(T, name)(x), x, names=dtype == "float64")
    same(lambda T, x: getattr(x, name)(), x)
    if name not in NOT_IN_PLACE:
        same(lambda T, x: getattr(x.clone(), f"{name}_")(), x, grad=name not in NO_GRADIENT_IN_PLACE)
        same(lambda T, x: getattr(x.ravel(), f"{name}_")(), x, grad=False)


@pytest.mark.parametrize("name", UNARY)
def test_unary_shapes_and_out(name: str) -> None:
    x = np.linspace(0.1, 0.9, 12).reshape(3, 4)
    for each in (x[0, 0], x[:0], x.T, x[:, ::2], x.astype(np.float32)[::-1].copy()):
        same(lambda T, x: getattr(T, name)(x), np.asarray(each))
    if name != "relu":  # torch.relu has no out=; here it has
        same(lambda T, x: getattr(T, name)(x, out=T.zeros(3, 4, dtype=T.float64)), x, grad=False)
        same(lambda T, x: getattr(T, name)(x, out=T.zeros(3, 4, dtype=T.float64)), x)
        same(lambda T, x: getattr(T, name)(x, out=T.zeros(3, 4, dtype=T.int64)), x, grad=False)
    same(lambda T: getattr(T, name)(1.5))
    same(lambda T: getattr(T, name)("a"))


def first_order(code: Any) -> Any:
    """Return ``code`` with the gradients of its result, but not their gradients."""

    def run(T: Any, *given: Any) -> list[Any]:
        leaves = [x.requires_grad_() for x in given if x.is_floating_point()]
        out = code(T, *given)
        weights = T.arange(out.numel(), dtype=out.dtype).reshape(out.shape) - 2
        return [out, *T.autograd.grad(out, leaves, weights)] if leaves else [out]

    return run


def two(name: str, dtype: str, other: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = values(dtype), values(other, 1)
    if dtype[0] == "f" and other[0] == "f":
        pairs = np.meshgrid(POINTS, POINTS)
        return pairs[0].ravel().astype(dtype), pairs[1].ravel().astype(other)
    size = min(x.size, y.size)
    return x[-size:].copy(), y[:size].copy()


def apart(name: str, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both without infinities and large numbers, where PyTorch's gradients of ``logaddexp`` are NaN."""
    if not name.startswith("logaddexp"):
        return x, y
    small = (np.abs(x) < 5) & (np.abs(y) < 5)
    return x[small], y[small]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*BINARY[:-3], *BINARY[-2:], *FLOATS_ONLY, *COMPARE, *PICK, *LOGIC, *BITS])
def test_binary(name: str, dtype: str) -> None:
    grad = name not in NO_DERIVATIVE
    others = {dtype, "float64", "int64", "float32", "bool"} if name not in SAME_TYPE_ONLY else {dtype}
    for other in sorted(others):
        x, y = apart(name, *two(name, dtype, other))
        same(lambda T, x, y: getattr(T, name)(x, y), x, y, grad=grad, names=dtype == other == "float64")
    x, y = apart(name, *two(name, dtype, dtype))
    same(lambda T, x, y: getattr(x, name)(y), x, y, grad=grad)
    if name not in NOT_IN_PLACE:
        same(lambda T, x, y: getattr(x.clone(), f"{name}_")(y), x, y, grad=grad and name not in NO_GRADIENT_IN_PLACE)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [2, -1, 0, 2.5, True, -0.5, 3])
@pytest.mark.parametrize("name", BINARY[:-2] + COMPARE + BITS)
def test_number(name: str, number: Any, dtype: str) -> None:
    x = values(dtype)
    grad = name not in NO_DERIVATIVE
    same(lambda T, x: getattr(T, name)(x, number), x, grad=grad, names=dtype == "float64" and grad)
    same(lambda T, x: getattr(x, name)(number), x, grad=grad)
    same(lambda T, x: getattr(x.clone(), f"{name}_")(number), x, grad=grad)
    same(lambda T, x: getattr(T, name)(x, number), np.asarray(x[1]), grad=grad)


OPERATORS = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow,
    operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge,
    operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift,
]  # fmt: skip
IN_PLACE = [
    operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ifloordiv, operator.imod, operator.ipow,
    operator.iand, operator.ior, operator.ixor, operator.ilshift, operator.irshift,
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", OPERATORS)
def test_operators(op: Any, dtype: str) -> None:
    x = values(dtype)
    grad = op is not operator.floordiv
    for number in (2, 2.5, True, -1, 0, np.float64(1.5), np.int64(2), np.float32(0.5)):
        same(lambda T, x, n=number: op(x, n), x, grad=grad)
    for number in (2, 2.5, -1) if op is operator.pow else (2, 2.5, True, -1, 0):
        # PyTorch has no derivative of number % tensor.
        same(lambda T, x, n=number: op(n, x), x, grad=grad and op is not operator.mod)
    same(lambda T, x, y: op(x, y), *two("", dtype, dtype), grad=grad and op is not operator.pow)
    for foreign in ("a", None, [1], object()):
        same(lambda T, x, f=foreign: op(x, f), x)
        same(lambda T, x, f=foreign: op(f, x), x)


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "uint8"])
@pytest.mark.parametrize("op", IN_PLACE)
def test_operators_in_place(op: Any, dtype: str) -> None:
    x = values(dtype)
    grad = op is not operator.ifloordiv
    for number in (2, 2.5, True):
        same(lambda T, x, n=number: op(x.clone(), n), x, grad=grad)
    same(lambda T, x, y: op(x.clone(), y), *two("", dtype, dtype), grad=grad and op is not operator.ipow)
    same(lambda T, x: op(x.clone(), "a"), x)


def test_number_operators_name_their_nodes() -> None:
    x = np.array([0.5, 2.0])
    for code in (
        lambda T, x: 2 - x, lambda T, x: 2 + x, lambda T, x: 2 * x, lambda T, x: x / 2, lambda T, x: x**2,
        lambda T, x: 2**x, lambda T, x: x**x, lambda T, x: x % 2, lambda T, x: x % x, lambda T, x: -x,
        lambda T, x: abs(x), lambda T, x: T.add(x, x, alpha=2), lambda T, x: T.sub(x, x, alpha=2),
        lambda T, x: T.rsub(x, 2), lambda T, x: T.div(x, 2, rounding_mode="trunc"), lambda T, x: T.fmod(x, 2),
        lambda T, x: T.fmod(x, x), lambda T, x: T.round(x, decimals=1),
    ):  # fmt: skip
        same(code, x, names=True)


def test_reversed_division() -> None:
    same(lambda T, x: 2 / x, values("float64")[7:])
    same(lambda T, x: 2 / x, values("int64"))
    same(lambda T, x: 1 / x, np.float32(3.0) * np.ones(()))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_numpy_on_either_side() -> None:
    x = np.array([1.0, 2.0, 3.0])
    for code in (
        lambda T, x: x + np.ones(3), lambda T, x: x * np.ones(3, np.float32), lambda T, x: np.float64(2) * x,
        lambda T, x: np.float32(2) + x, lambda T, x: np.int64(2) - x, lambda T, x: np.float64(2) ** x,
    ):  # fmt: skip
        same(code, x, grad=False)
        same(code, x.astype(np.float32), grad=False)


@pytest.mark.parametrize("alpha", [1, 2, -1.5, 0, True, 1.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_alpha(alpha: Any, dtype: str) -> None:
    x, y = two("", dtype, dtype)
    for name in ("add", "sub", "rsub"):
        same(lambda T, x, y, n=name: getattr(T, n)(x, y, alpha=alpha), x, y)
        same(lambda T, x, n=name: getattr(T, n)(x, 3, alpha=alpha), x)
    for name in ("add_", "sub_"):
        same(lambda T, x, y, n=name: getattr(x.clone(), n)(y, alpha=alpha), x, y)


@pytest.mark.parametrize("mode", ["trunc", "floor", "ceil", None])
@pytest.mark.parametrize("dtype", DTYPES)
def test_rounded_division(mode: str | None, dtype: str) -> None:
    x, y = two("", dtype, dtype)
    same(lambda T, x, y: T.div(x, y, rounding_mode=mode), x, y)
    same(lambda T, x, y: x.clone().div_(y, rounding_mode=mode), x, y)
    for number in (2, -3, 2.5, 0):
        same(lambda T, x, n=number: T.div(x, n, rounding_mode=mode), x)
    seven = np.arange(-7, 8).astype(np.int64)
    for divisor in (2, -2, 3, -3):
        same(lambda T, x, n=divisor: T.div(x, n, rounding_mode=mode), seven)


def test_number_first() -> None:
    x = np.array([0.5, 1.0, 2.0])
    for name in ("add", "sub", "mul", "div", "true_divide", "floor_divide", "remainder", "pow", "float_power"):
        same(lambda T, x, n=name: getattr(T, n)(2, x), x, grad=name not in {"floor_divide", "remainder"})
    for name in ("fmod", "eq", "lt", "rsub"):
        same(lambda T, x, n=name: getattr(T, n)(2, x), x)
    same(lambda T: T.pow(2, 3))


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4, -1, -2, 0.5, -0.5, 1.5, 2.0, True, 10])
@pytest.mark.parametrize("dtype", DTYPES)
def test_power_of_a_number(exponent: Any, dtype: str) -> None:
    x = np.array([-2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0, NAN]).astype(dtype) if dtype[0] == "f" else values(dtype)
    if dtype == "bool" and isinstance(exponent, bool):
        same(lambda T, x: x**exponent, x)
    same(lambda T, x: T.pow(x, exponent), x)
    same(lambda T, x: x.float_power(exponent), x)


@pytest.mark.parametrize("base", [0, 1, 2, 0.5, -2, 2.5, 0.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_power_of_a_base(base: Any, dtype: str) -> None:
    x = np.array([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0, NAN]).astype(dtype) if dtype[0] == "f" else values(dtype)
    code = lambda T, x: base**x
    same(first_order(code) if base == 0 else code, x, grad=base != 0)  # PyTorch's second is NaN for 0 ** x
    same(lambda T, x: T.pow(base, x), x, grad=False)


@pytest.mark.parametrize("dtype", DTYPES)
def test_power_of_tensors(dtype: str) -> None:
    for other in (dtype, "float64", "int64", "int8"):
        x, y = two("pow", dtype, other)
        same(first_order(lambda T, x, y: x**y), x, y, grad=False)
    x, y = two("pow", dtype, dtype)
    same(first_order(lambda T, x, y: x.clone().pow_(y)), x, y, grad=False)
    if dtype[0] == "f":
        base, exponent = np.meshgrid([0.25, 1.0, 2.5], [-2.0, -0.5, 0.5, 1.0, 3.0])
        same(lambda T, x, y: T.pow(x, y), base.astype(dtype), exponent.astype(dtype), names=True)


def test_integer_powers() -> None:
    base = np.array([2, 1, -1, 0, -2, -1, 3], np.int64)
    exponent = np.array([-1, -3, -3, -1, -2, -4, 2], np.int64)
    same(lambda T, x, y: x**y, base, exponent)
    same(lambda T, x: x**-1, base)
    same(lambda T, x, y: T.float_power(x, y), base, exponent)
    same(lambda T, x: x.float_power_(2), np.ones(3, np.float32), grad=False)


def test_round_decimals() -> None:
    x = np.array([1.2345, -1.255, 15.0, 25.0, 0.5, NAN, INF])
    for decimals in (0, 1, 2, -1, 3):
        same(lambda T, x, d=decimals: T.round(x, decimals=d), x, names=decimals != 0)
        same(lambda T, x, d=decimals: x.round(decimals=d), x.astype(np.float32))
    same(lambda T, x: T.round(x, decimals=1), np.array([1, 2]))


def test_logit_eps() -> None:
    x = np.array([-0.5, 0.0, 0.05, 0.1, 0.5, 0.9, 0.95, 1.0, 1.5, NAN])
    for eps in (None, 0.1, 0.0, 1e-6):
        same(lambda T, x, e=eps: T.logit(x, e), x)
        same(lambda T, x, e=eps: T.logit(x, eps=e), x.astype(np.float32))


def test_nan_to_num() -> None:
    for dtype in ("float16", "float32", "float64"):
        x = values(dtype)
        same(lambda T, x: T.nan_to_num(x, nan=1.0), x)
        same(lambda T, x: T.nan_to_num(x, 1.0, 2.0, -3.0), x)
        same(lambda T, x: x.nan_to_num(posinf=5.0), x)


def test_heaviside() -> None:
    x = np.array([-1.0, 0.0, -0.0, 2.0, NAN])
    same(lambda T, x, y: T.heaviside(x, y), x, np.arange(5.0), grad=False)
    same(lambda T, x, y: x.heaviside(y), np.array([-1, 0, 1]), np.array([5, 6, 7]))


def test_close_and_equal() -> None:
    x, y = np.array([1.0, INF, -INF, NAN, 1.0]), np.array([1.0 + 1e-9, INF, INF, NAN, 1.1])
    for code in (
        lambda T, x, y: T.isclose(x, y), lambda T, x, y: x.isclose(y, equal_nan=True),
        lambda T, x, y: T.isclose(x, y, rtol=0.2), lambda T, x, y: T.isclose(x, y, atol=-1.0),
        lambda T, x, y: T.isclose(x, y, -1.0), lambda T, x, y: T.allclose(x, y), lambda T, x, y: x.allclose(x),
        lambda T, x, y: T.allclose(x, x, equal_nan=True), lambda T, x, y: T.equal(x, y),
        lambda T, x, y: T.equal(x[:1], x[:1]), lambda T, x, y: T.equal(x[:1], x[:2]), lambda T, x, y: x.equal(x),
        lambda T, x, y: T.isclose(x, 1.0), lambda T, x, y: T.equal(x, 1.0), lambda T, x, y: T.isclose(x, y.float()),
        lambda T, x, y: T.equal(x[:1], x[:1].float()),
    ):  # fmt: skip
        same(code, x, y)
    same(lambda T, x, y: T.isclose(x, y, rtol=0.1), np.array([10, 10]), np.array([11, 12]))
    same(lambda T, x, y: T.equal(x, y), np.array([True, False]), np.array([True, False]))


def test_shapes_that_do_not_fit() -> None:
    for name in [*BINARY, *FLOATS_ONLY, *COMPARE, *PICK, *LOGIC]:
        same(lambda T, x, y, n=name: getattr(T, n)(x, y), np.ones(2), np.ones(3))
        same(lambda T, x, n=name: getattr(T, n)(x, "a"), np.ones(2))
        same(
            lambda T, x, y, n=name: getattr(T, n)(x, y),
            np.ones((2, 1)) * 0.5,
            np.ones((1, 3)),
            grad=name not in NO_DERIVATIVE,
        )
        same(
            lambda T, x, y, n=name: getattr(T, n)(x, y),
            np.ones((0, 1)),
            np.ones((1, 3)),
            grad=name not in NO_DERIVATIVE,
        )
    same(lambda T, x, y: x.add_(y), np.ones(2), np.ones((2, 2)), grad=False)


def test_comparison_operators_hash_and_truth() -> None:
    same(lambda T, x: [x == None, x != None, x == "a"], np.ones(2))  # noqa: E711
    same(lambda T, x: bool(x == x + 0), np.ones(2))
    same(lambda T, x: x in {x, 1}, np.ones(2))
    same(lambda T, x: ~x, np.ones(2))
    same(lambda T, x: +x, np.array([True]))
    same(lambda T, x: (+x) is x, np.ones(2))


def test_floor_divide_has_a_zero_gradient() -> None:
    """Unlike in PyTorch, which has none; ``div`` with a rounding mode has it in both."""
    same(lambda T, x: x // 2 if T.__name__ == "rushlight" else T.div(x, 2, rounding_mode="floor"), np.array([1.0, 5.0]))

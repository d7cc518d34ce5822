"""jacobian, hessian and products with them; gradcheck and gradgradcheck, and that they notice what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rushlight as torch
from rushlight.autograd import Function, gradcheck, gradgradcheck
from rushlight.autograd.functional import hessian, hvp, jacobian, jvp, vhp, vjp
from rushlight.autograd.gradcheck import GradcheckError
from rushlight.autograd.variable import as_ndarray
from support.values import leaf

A = np.array([[2.0, -1.0, 0.5], [1.0, 3.0, -2.0]])


def tensor(*values: float) -> Any:
    return torch.tensor(list(values), dtype=torch.float64)


def linear(x: Any) -> Any:
    return (torch.from_numpy(A) * x).sum(1)


def close(x: Any, expected: Any) -> None:
    np.testing.assert_allclose(as_ndarray(x), expected, rtol=1e-10)


def test_jacobian_and_products_of_a_matrix() -> None:
    """A has no symmetry, so a product from the wrong side, or a transposed result, shows."""
    x, v, w = tensor(1.0, 2.0, 3.0), tensor(1.0, -1.0, 2.0), tensor(0.5, 3.0)
    close(jacobian(linear, x), A)
    close(vjp(linear, x, w)[1], as_ndarray(w) @ A)
    close(jvp(linear, x, v)[1], A @ as_ndarray(v))
    assert not x.requires_grad


def test_hessian_and_products() -> None:
    def cubic(x: Any) -> Any:
        y = linear(x)
        return (y * y * y).sum()

    x, v = tensor(1.0, 2.0, 3.0), tensor(1.0, -1.0, 2.0)
    expected = A.T @ np.diag(6 * (A @ as_ndarray(x))) @ A
    close(hessian(cubic, x), expected)
    close(vhp(cubic, x, v)[1], as_ndarray(v) @ expected)
    close(hvp(cubic, x, v)[1], expected @ as_ndarray(v))


def test_hvp_and_vhp_differ_where_the_hessian_is_not_symmetric() -> None:
    class Odd(Function):
        """x0 * x1, but a backward whose derivative is not symmetric."""

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x[0] * x[1]

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * (x * tensor(0.0, 1.0) + x[1] * tensor(3.0, 0.0))

    x, v = tensor(1.0, 2.0), tensor(1.0, 10.0)
    second = np.array([[0.0, 3.0], [0.0, 1.0]])
    close(hessian(Odd.apply, x), second)
    close(hvp(Odd.apply, x, v)[1], second @ as_ndarray(v))
    close(vhp(Odd.apply, x, v)[1], as_ndarray(v) @ second)


def test_nesting() -> None:
    def two(x: Any, y: Any) -> Any:
        return x * y, (x * x).sum()

    x, y = tensor(1.0, 2.0), tensor(3.0, 4.0)
    found = jacobian(two, (x, y))
    assert [[tuple(each.shape) for each in row] for row in found] == [[(2, 2), (2, 2)], [(2,), (2,)]]
    close(found[0][0], np.diag([3.0, 4.0]))
    close(found[1][0], [2.0, 4.0])
    close(found[1][1], [0.0, 0.0])
    assert isinstance(jacobian(two, (x, y))[0], tuple)
    assert isinstance(jacobian(lambda x: (x,), x), tuple)
    assert isinstance(jacobian(lambda x: x, (x,)), tuple)
    corner = hessian(lambda x, y: (x * x * y).sum(), (x, y))
    close(corner[0][1], np.diag([2.0, 4.0]))
    close(corner[1][1], np.zeros((2, 2)))


@pytest.mark.parametrize("asks", [True, False])
def test_create_graph(asks: bool) -> None:
    x = tensor(1.0, 2.0).requires_grad_(asks)
    found = jacobian(lambda x: x * x * x, x, create_graph=True)
    assert found.requires_grad
    if asks:
        (dx,) = torch.autograd.grad(found.sum(), x)
        close(dx, [6.0, 12.0])
    assert not jacobian(lambda x: x * x, x).requires_grad


def test_errors() -> None:
    x = tensor(1.0, 2.0)
    square = lambda x: x * x
    with pytest.raises(TypeError, match="given inputs has type"):
        jacobian(square, [x])
    with pytest.raises(TypeError, match="value at index 1 has type"):
        jacobian(square, (x, 3.0))
    with pytest.raises(RuntimeError, match="can only be None"):
        vjp(square, x)
    with pytest.raises(RuntimeError, match="invalid size"):
        jvp(square, x, tensor(1.0))
    with pytest.raises(RuntimeError, match="invalid length"):
        jvp(square, (x,), (x, x))
    with pytest.raises(RuntimeError, match="single element"):
        hessian(square, x)
    with pytest.raises(RuntimeError, match="independent of input 1"):
        jacobian(lambda x, y: x * 2.0, (x, x), strict=True)
    with pytest.raises(RuntimeError, match="does not require gradients"):
        vjp(lambda x: tensor(1.0), x, tensor(1.0), strict=True)
    with pytest.raises(RuntimeError, match="strict mode"):
        hvp(lambda x: x.sum(), x, x, strict=True)
    with pytest.raises(AssertionError, match="strategy"):
        jacobian(square, x, strategy="sideways")


# ------------------------------------------------------------------ gradcheck


class Scaled(Function):
    """A square whose gradient is ``wrong`` times the true one."""

    @staticmethod
    def forward(ctx: Any, x: Any, wrong: float) -> Any:
        ctx.save_for_backward(x)
        ctx.wrong = wrong
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 2.0 * ctx.saved_tensors[0] * ctx.wrong, None


@pytest.mark.parametrize("fast", [False, True])
def test_right_gradients_pass(fast: bool) -> None:
    x, y = leaf(0.5, -1.0), leaf(2.0, 3.0)
    assert gradcheck(lambda x, y: (x * y, x.exp().sum()), (x, y), fast_mode=fast)
    assert gradgradcheck(lambda x, y: (x * y * y, x.exp().sum()), (x, y), fast_mode=fast)
    assert gradcheck(lambda x, c: x * c, (x, tensor(1.0, 2.0)), fast_mode=fast)
    assert gradcheck(lambda x: (x * x).sum(), x, fast_mode=fast, check_batched_grad=False)
    np.testing.assert_array_equal(as_ndarray(x), [0.5, -1.0])
    assert x.grad is None
    assert x._version == 0


@pytest.mark.parametrize("fast", [False, True])
def test_wrong_gradients_do_not(fast: bool) -> None:
    x = leaf(0.5, -1.0)
    assert gradcheck(lambda x: Scaled.apply(x, 1.0), x, fast_mode=fast)
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0"):
        gradcheck(lambda x: Scaled.apply(x, 1.01), x, fast_mode=fast)
    assert not gradcheck(lambda x: Scaled.apply(x, 1.01), x, raise_exception=False, fast_mode=fast)
    assert gradcheck(lambda x: Scaled.apply(x, 1.01), x, rtol=0.1, fast_mode=fast)
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: x * 2.0 + x.detach() * 0.1, x, fast_mode=fast)


def test_wrong_second_gradients() -> None:
    class Cut(Scaled):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2.0 * ctx.saved_tensors[0].detach(), None

    x = leaf(0.5, -1.0)
    assert gradcheck(lambda x: Cut.apply(x, 1.0), x)
    assert gradgradcheck(lambda x: Scaled.apply(x, 1.0), x)
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradgradcheck(lambda x: Cut.apply(x, 1.0), x)


def test_other_faults_that_gradcheck_finds() -> None:
    x = leaf(0.5, -1.0)
    state = [0.0]

    class Random(Scaled):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            state[0] += 1e-9
            return g * (2.0 * ctx.saved_tensors[0] + state[0]), None

    with pytest.raises(GradcheckError, match="not reentrant"):
        gradcheck(lambda x: Random.apply(x, 1.0), x)
    assert gradcheck(lambda x: Random.apply(x, 1.0), x, nondet_tol=1e-3)

    class Deaf(Scaled):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 2.0 * ctx.saved_tensors[0] if np.any(as_ndarray(g)) else tensor(1.0, 1.0), None

    with pytest.raises(GradcheckError, match="not multiplied by grad_output"):
        gradcheck(lambda x: Deaf.apply(x[0:1], 1.0), x[0:1].detach().requires_grad_())
    with pytest.raises(GradcheckError, match="expected to be zero"):
        gradcheck(lambda x: x.detach() * 2.0, x)


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="requires_grad=True"):
        gradcheck(lambda x: x, tensor(1.0))
    with pytest.warns(UserWarning, match="double precision"):
        gradcheck(lambda x: x * 1.0, torch.tensor([1.0], requires_grad=True), eps=1e-2, atol=1e-2)
    with pytest.raises(RuntimeError, match="stride 0"):
        gradcheck(lambda x: x * 1.0, leaf(1.0).expand(3))
    with pytest.raises(AssertionError, match="at least one of check_forward_ad"):
        gradcheck(lambda x: x * 1.0, leaf(1.0), check_backward_ad=False)

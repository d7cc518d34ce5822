"""Points that drawn inputs seldom or never meet: kinks, ties, poles, and branches of a rule that need a rare input.

At a kink differences say nothing; there the gradient is a convention, and PyTorch's is written down here. Elsewhere no
gradients are given: differences judge. Each function takes the library first, so that ``tests/parity/`` can put the
same question to PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

import rushlight
from rushlight.autograd.primitive import PRIMITIVES
from support.op_gradients import check

INF, NAN = math.inf, math.nan


@dataclass
class Corner:
    """A function that calls the op ``op``, where it is called, and its gradients for a gradient of ones."""

    op: str
    fn: Callable[..., Any]
    inputs: tuple[Any, ...]
    grads: tuple[Any, ...] | None = None
    dtype: Any = np.float64
    recorded: bool = True
    public: bool = True  # PyTorch can be asked

    def arrays(self) -> list[np.ndarray]:
        """Return the inputs as arrays."""
        return [np.array(x, self.dtype) for x in self.inputs]

    def gradients(self, torch: Any, recorded: bool, seed: float = 1.0) -> list[np.ndarray]:
        """Return the gradients of all inputs, zeros where there is none, for a gradient ``seed`` that arrives.

        The walk is recorded or not.
        """
        leaves = [torch.tensor(x).requires_grad_() for x in self.arrays()]
        out = self.fn(torch, *leaves)
        outs = out if isinstance(out, tuple) else (out,)
        seeds = [torch.full_like(one, seed) for one in outs]
        grads = torch.autograd.grad(outs, leaves, seeds, allow_unused=True, create_graph=recorded)
        return [np.zeros(x.shape) if g is None else g.detach().numpy() for g, x in zip(grads, leaves, strict=True)]


def check_corner(corner: Corner) -> None:
    """Assert that rushlight's gradients are those of ``corner``, to the sign of a zero, or those of differences."""
    if corner.grads is None:
        inputs = [rushlight.tensor(x).requires_grad_() for x in corner.arrays()]
        check(lambda *leaves: corner.fn(rushlight, *leaves), *inputs, order=2)
        return
    for recorded, seed in product((False, True) if corner.recorded else (False,), (1.0, -2.0)):
        with np.errstate(all="ignore"):
            found = corner.gradients(rushlight, recorded, seed)
        for got, wanted in zip(found, corner.grads, strict=True):
            expected = np.array(wanted, corner.dtype) * seed
            assert got.dtype == corner.dtype
            np.testing.assert_allclose(got, expected, 4 * float(np.finfo(corner.dtype).eps))
            if seed == 1:
                np.testing.assert_array_equal(np.signbit(got[got == 0]), np.signbit(expected[expected == 0]))


def of_op(name: str) -> Iterator[Corner]:
    """Yield the corners of an op."""
    yield from (corner for corner in CORNERS if corner.op == name)


def _after(write: str, *given: Any) -> Callable[..., Any]:
    """Return a function that writes its other arguments into a copy of its first."""

    def fn(torch: Any, x: Any, *more: Any) -> Any:
        copy = x * 1
        getattr(copy, write)(*given, *more)
        return copy

    return fn


def _layer(name: str, pick: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a function of the input of a recurrent layer that gives some of its results."""

    def fn(torch: Any, x: Any) -> Any:
        torch.manual_seed(0)
        return pick(getattr(torch.nn, name)(2, 2).double()(x))

    return fn


def _flat_part(turned: bool) -> Callable[..., Any]:
    """Return a function that writes a flat part of a matrix whose gradient lies across it in memory."""

    def fn(torch: Any, x: Any) -> Any:
        y = x.t() * 1.5 if turned else x * 1.5
        (y.t() if turned else y).view(-1)[1:3].mul_(2.0)
        return y.contiguous() if turned else y.t().contiguous()

    return fn


def _one_value(torch: Any, x: Any) -> Any:
    made: Any = PRIMITIVES["batch_norm"].function(x, True, 0.1)
    return made.output


def _half(torch: Any, x: Any, weight: Any) -> Any:
    mean, var = torch.tensor([0.0], dtype=torch.float16), torch.tensor([3.0], dtype=torch.float16)
    return torch.nn.functional.batch_norm(x, mean, var, weight, eps=1.0)


def _ctc(times: int, labels: int, zero_infinity: bool = False) -> Callable[..., Any]:
    """Return the loss of one target for so many steps, labels all 1."""

    def fn(torch: Any, x: Any) -> Any:
        targets, lengths = torch.tensor([[1, 1]]), (torch.tensor([times]), torch.tensor([labels]))
        return torch.nn.functional.ctc_loss(x, targets, *lengths, reduction="sum", zero_infinity=zero_infinity)

    return fn


THIRD = 1 / 3
PLAIN = [
    Corner("abs", lambda t, x: t.abs(x), ([-2.0, 0.0, 3.0],), ([-1.0, 0.0, 1.0],)),
    Corner("sign", lambda t, x: t.sign(x), ([-2.0, 0.0, 3.0],), ([0.0, 0.0, 0.0],)),
    Corner("nan_to_num", lambda t, x: t.nan_to_num(x), ([1.0, NAN, INF, -INF],), ([1.0, 0.0, 0.0, 0.0],)),
    Corner("atan2", lambda t, x, y: t.atan2(x, y), ([0.0, 1.0], [0.0, 0.0]), ([0.0, 0.0], [-0.0, -1.0])),
    Corner("logit", lambda t, x: t.logit(x), ([-0.5, 0.0, 0.25, 1.0, 1.5],), ([NAN, INF, 16 / 3, INF, NAN],)),
    Corner(
        "logit", lambda t, x: t.logit(x, 0.25), ([0.1, 0.25, 0.5, 0.75, 0.9],), ([0.0, 16 / 3, 4.0, 16 / 3, 0.0],)
    ),
    Corner(
        "xlogy", lambda t, x, y: t.xlogy(x, y), ([0.0, 0.0, 0.0, 1.0], [0.0, -1.0, 0.5, 2.0]),
        ([0.0, 0.0, math.log(0.5), math.log(2)], [0.0, -0.0, 0.0, 0.5]), public=False,
    ),
    Corner(
        "copysign", lambda t, x, y: t.copysign(x, y), ([-2.0, 0.0, 1.0, 3.0], [1.0, 1.0, -1.0, -1.0]),
        ([-1.0, 0.0, -1.0, -1.0], [0.0, 0.0, 0.0, 0.0]),
    ),
    Corner("maximum", lambda t, x, y: t.maximum(x, y), ([1.0, 2.0, 1.0], [1.0, 1.0, 2.0]),
           ([0.5, 1.0, 0.0], [0.5, 0.0, 1.0])),
    Corner("minimum", lambda t, x, y: t.minimum(x, y), ([1.0, 2.0, 1.0], [1.0, 1.0, 2.0]),
           ([0.5, 0.0, 1.0], [0.5, 1.0, 0.0])),
    Corner("nextafter", lambda t, x, y: t.nextafter(x, y), ([1.0], [2.0]), ([1.0], [0.0])),
    Corner("pow_base", lambda t, x: t.pow(0.0, x), ([-1.0, 0.0, 0.5, 2.0],), ([-INF, 0.0, 0.0, 0.0],)),
    Corner("pow_base", lambda t, x: t.pow(-0.0, x), ([-1.0, NAN, -2.0, 0.0],), ([INF, NAN, -INF, 0.0],)),
    Corner("pow_tensor", lambda t, x, y: t.pow(x, y), ([0.0, 0.0, 0.0, 0.0, 2.0], [-1.0, 0.0, 0.5, 2.0, 3.0]),
           ([-INF, 0.0, INF, 0.0, 12.0], [-INF, 0.0, 0.0, 0.0, 8 * math.log(2)])),
]  # fmt: skip
BENDS = [
    Corner("relu", lambda t, x: t.relu(x), ([-1.0, 0.0, 1.0],), ([0.0, 0.0, 1.0],)),
    Corner("leaky_relu", lambda t, x: t.nn.functional.leaky_relu(x, 0.25), ([0.0, 1.0],), ([0.25, 1.0],)),
    Corner("hardtanh", lambda t, x: t.nn.functional.hardtanh(x), ([-1.0, 0.5, 1.0],), ([0.0, 1.0, 0.0],)),
    Corner("threshold", lambda t, x: t.nn.functional.threshold(x, 1.0, 5.0), ([1.0, 1.5],), ([0.0, 1.0],)),
    Corner("hardshrink", lambda t, x: t.nn.functional.hardshrink(x), ([-0.5, 0.5, 2.0],), ([0.0, 0.0, 1.0],)),
    Corner("softshrink", lambda t, x: t.nn.functional.softshrink(x), ([-0.5, 0.5, 2.0],), ([0.0, 0.0, 1.0],)),
    Corner("hardsigmoid", lambda t, x: t.nn.functional.hardsigmoid(x), ([-3.5, -3.0, 0.0, 3.0, 3.5],),
           ([0.0, 0.0, 1 / 6, 0.0, 0.0],)),
    Corner("hardswish", lambda t, x: t.nn.functional.hardswish(x), ([-3.5, -3.0, 0.0, 3.0, 3.5],),
           ([0.0, 0.0, 0.5, 1.0, 1.0],)),
    Corner("clamp", lambda t, x: t.clamp(x, -1.0, 1.0), ([-2.0, -1.0, 1.0, 2.0],), ([0.0, 1.0, 1.0, 0.0],)),
    Corner("l1_loss", lambda t, x, y: t.nn.functional.l1_loss(x, y, reduction="sum"), ([1.0, 2.0], [1.0, 1.0]),
           ([0.0, 1.0], [0.0, -1.0])),
]  # fmt: skip
NORMS = [
    Corner("vector_norm", lambda t, x: t.linalg.vector_norm(x, 0), ([-2.0, 0.0, 3.0],), ([0.0, 0.0, 0.0],)),
    Corner("vector_norm", lambda t, x: t.linalg.vector_norm(x, 1), ([-2.0, 0.0, 3.0],), ([-1.0, 0.0, 1.0],)),
    Corner("vector_norm",  # its slope does not bend, however small the element
           lambda t, x: x + t.autograd.grad(t.linalg.vector_norm(x, 1), x, create_graph=True)[0], ([1e-310, 2.0],),
           ([1.0, 1.0],)),
    Corner("vector_norm", lambda t, x: t.linalg.vector_norm(x, 2), ([0.0, 0.0],), ([0.0, 0.0],)),
    Corner("vector_norm", lambda t, x: t.linalg.vector_norm(x, 3), ([0.0, 0.0],), ([0.0, 0.0],)),
    Corner("vector_norm", lambda t, x: t.linalg.vector_norm(x, INF), ([-2.0, 0.0, 2.0],), ([-0.5, 0.0, 0.5],)),
    Corner("vector_norm", lambda t, x: t.linalg.vector_norm(x, INF), ([0.0, 0.0],), ([0.0, 0.0],)),
    Corner("pdist", lambda t, x: t.pdist(x, 1.0), ([[0.0, 1.0], [0.0, 3.0]],), ([[0.0, -1.0], [0.0, 1.0]],)),
    Corner("pdist", lambda t, x: t.pdist(x, INF), ([[0.0, 1.0], [0.0, 3.0]],), ([[0.0, -1.0], [0.0, 1.0]],)),
    Corner("cdist", lambda t, x, y: t.cdist(x, y, 3.0), ([[0.1, 0.2]], [[1.0, 3.0], [2.0, -2.0]])),
    Corner("cdist", lambda t, x, y: t.cdist(x, y, INF), ([[0.1, 0.2]], [[1.0, 3.0], [2.0, -2.1]])),
    Corner("cdist", lambda t, x, y: t.cdist(x, y, 2.0), ([[1.0, 2.0]], [[1.0, 2.0]]), ([[0.0, 0.0]], [[-0.0, -0.0]]),
           public=False),
    Corner("layer_norm", lambda t, x, w: t.nn.functional.layer_norm(x, (2,), w, eps=1.0), ([0.0, 2.0], [1.0, 3.0]),
           ([-0.3535, 0.3535], [-0.7070, 0.7070]), dtype=np.float16),
    Corner("batch_norm", _half, ([[1.0], [2.0]], [2.0]), ([[1.0], [1.0]], [1.5]), dtype=np.float16),
    Corner("batch_norm", _one_value, ([[1.0, 2.0]],), ([[0.0, 0.0]],), public=False),
]  # fmt: skip
WRITES = [
    Corner("copy_into", _after("copy_"), ([1.0, 2.0], [3.0, 4.0]), ([0.0, 0.0], [1.0, 1.0])),
    Corner("filled", _after("fill_"), ([1.0, 2.0], 3.0), ([0.0, 0.0], 2.0)),
    Corner("zeroed", _after("zero_"), ([1.0, 2.0],), ([0.0, 0.0],)),
    Corner("redrawn", _after("normal_"), ([1.0, 2.0],), ([0.0, 0.0],)),
    Corner("index_copy", lambda t, x, s: t.index_copy(x, 0, t.tensor([1]), s), ([1.0, 2.0], 3.0), ([1.0, 0.0], 1.0)),
    Corner("index_copy", lambda t, x, s: t.index_copy(x, 0, t.tensor([0]), s), (1.0, [3.0]), (0.0, [1.0])),
    Corner("fill_rows", lambda t, x, v: t.index_fill(x, 0, t.tensor([2, 0]), v), ([1.0, 2.0, 3.0], 5.0),
           ([0.0, 1.0, 0.0], 2.0)),
    Corner("fill_rows", lambda t, x, v: t.index_fill(x, 0, t.tensor([-1, 2, 0]), v), ([1.0, 2.0, 3.0], 5.0),
           ([0.0, 1.0, 0.0], 2.0), public=False),
    Corner("fill_rows", lambda t, x, v: t.index_fill(x, 0, t.tensor([0, -1]), v), (1.0, 5.0), (0.0, 1.0),
           public=False),
    Corner("scatter_extreme",
           lambda t, x, s: t.scatter_reduce(x, 0, t.tensor([0, 0, 1]), s, "amax"), ([2.0, 0.0], [2.0, 2.0, 1.0]),
           ([THIRD, 0.0], [THIRD, THIRD, 1.0])),
]  # fmt: skip
BRANCHES = [
    Corner("determinant", lambda t, x: t.linalg.det(x), ([[0.2, 2.0], [1.5, 0.3]],)),
    Corner("svd_factors", lambda t, x: t.linalg.svdvals(x), ([[0.2, 2.0], [1.5, 0.3], [0.7, -0.4]],)),
    Corner("eigh_factors", lambda t, x: t.linalg.eigvalsh(x + x.mT), ([[0.2, 1.0], [0.7, 0.3]],)),
    Corner("linear", lambda t, x, w, b: t.nn.functional.linear(x, w, b),
           ([[[1.0], [2.0]], [[3.0], [0.5]]], [[0.3], [0.7]], [[1.0, 2.0], [3.0, 4.0]])),
    Corner("softplus_grad", lambda t, x: t.nn.functional.softplus(x, 0.5, 1.0), ([0.7, 1.5, 2.5],)),
    Corner("lstm_steps", _layer("LSTM", lambda got: got[0]), ([[[0.1, 0.2]], [[0.3, -0.4]]],)),
    Corner("lstm_steps", _layer("LSTM", lambda got: got[1][1]), ([[[0.1, 0.2]], [[0.3, -0.4]]],)),
    Corner("gru_steps", _layer("GRU", lambda got: got[0]), ([[[0.1, 0.2]], [[0.3, -0.4]]],)),
    Corner("elman_steps", _layer("RNN", lambda got: got[1]), ([[[0.1, 0.2]], [[0.3, -0.4]]],)),
]  # fmt: skip
DIMS = [  # a source, an index or the tensor itself has no dims
    Corner("scatter_src", lambda t, x, s: t.scatter(x, 0, t.tensor(1), s), ([1.0, 2.0, 3.0], 5.0), ([1.0, 0, 1], 1.0)),
    Corner("scatter_src", lambda t, x, s: t.scatter(x, 0, t.tensor([1]), s), ([1.0, 2.0, 3.0], 5.0),
           ([1.0, 0, 1], 1.0)),
    Corner("scatter_src", lambda t, x, s: t.scatter(x, 0, t.tensor([0]), s), (1.0, [5.0]), (0.0, [1.0])),
    Corner("scatter_src", lambda t, x, s: t.scatter(x, 0, t.tensor([], dtype=t.int64), s), ([1.0, 2.0], 5.0),
           ([1.0, 1.0], 0.0), public=False),
    Corner("scatter_src", lambda t, x, s: t.scatter(x, 0, t.tensor(0), s), (1.0, [5.0, 6.0, 7.0]),
           (0.0, [1.0, 0.0, 0.0]), public=False),
    Corner("scatter_add", lambda t, x, s: t.scatter_add(x, 0, t.tensor(1), s), ([1.0, 2.0, 3.0], 5.0),
           ([1.0, 1, 1], 1.0)),
    Corner("index_add", lambda t, x, s: t.index_add(x, 0, t.tensor([0]), s), (1.0, 5.0), (1.0, 1.0)),
]  # fmt: skip
LAID = [
    Corner("copy_slices", _flat_part(False), ([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]],)),
    Corner("copy_slices", _flat_part(True), ([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]],)),
]
SURE = [[[-0.5, -1.0]], [[-0.3, -2.0]]]  # log-probabilities of two classes at two steps
NEVER = [[[0.0, 0.0]], [[0.0, 0.0]]]
ALIGNED = [
    Corner("ctc_loss", _ctc(1, 0), (SURE,), ([[[math.exp(-0.5) - 1, math.exp(-1.0)]], [[0.0, 0.0]]],)),
    Corner("ctc_loss", _ctc(1, 2, zero_infinity=True), (SURE,), (NEVER,)),
    Corner("ctc_loss", _ctc(2, 2, zero_infinity=True), (SURE,), (NEVER,)),
    Corner("ctc_loss", _ctc(2, 1, zero_infinity=True), (SURE,), ([
        [[0.40355287750583896, -0.42914277662176337]], [[0.0669082510374065, -0.19075474711907597]]
    ],)),
    Corner("ctc_loss", _ctc(1, 2), (SURE,), ([[[NAN, NAN]], [[0.0, 0.0]]],), recorded=False),
]  # fmt: skip
CORNERS = [*ALIGNED, *PLAIN, *BENDS, *NORMS, *WRITES, *BRANCHES, *DIMS, *LAID]

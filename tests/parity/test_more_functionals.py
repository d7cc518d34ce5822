"""Functionals beyond the common ones against PyTorch: CTC, bags, grids, distances, random slopes, losses by number."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import rushlight
from support.expressions import check, lines
from support.oracle import same
from support.values import normals

RNG = np.random.default_rng(1)
normal = normals(RNG)


# ------------------------------------------------------------------ CTC

LOGITS = normal(7, 3, 5)
TARGETS = RNG.integers(1, 5, (3, 4))
HARD = np.array([2, 2, 2, 2, 1, 3])
CTC: list[dict[str, Any]] = [
    {"targets": TARGETS, "input_lengths": (7, 6, 5), "target_lengths": (4, 2, 1)},
    {"targets": TARGETS, "input_lengths": (7, 7, 3), "target_lengths": (0, 4, 3), "reduction": "sum"},
    {"targets": TARGETS.astype("int32"), "input_lengths": (7, 7, 7), "target_lengths": (1, 1, 4), "reduction": "none"},
    {"targets": np.array([1, 1, 2, 3, 3, 3]), "input_lengths": (7, 6, 7), "target_lengths": (1, 2, 3)},
    {"targets": TARGETS - 1, "input_lengths": (7, 7, 7), "target_lengths": (2, 3, 4), "blank": 4},
    {"targets": HARD, "input_lengths": (3, 7, 7), "target_lengths": (4, 1, 1), "zero_infinity": True},
    {"targets": HARD, "input_lengths": (3, 7, 7), "target_lengths": (4, 1, 1), "reduction": "none"},
    {"targets": TARGETS, "input_lengths": (7, 0, 0), "target_lengths": (2, 0, 1), "reduction": "none"},
    {"targets": TARGETS, "input_lengths": (7, 0, 0), "target_lengths": (2, 0, 1), "zero_infinity": True},
]  # fmt: skip


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("how", CTC, ids=lambda how: "-".join(f"{v}" for k, v in how.items() if k != "targets"))
@pytest.mark.parametrize("tensors", [False, True])
def test_ctc(how: dict[str, Any], tensors: bool, kind: str) -> None:
    def loss(T: Any, x: Any, targets: Any, through: bool) -> Any:
        x.requires_grad_()
        rest = {k: v for k, v in how.items() if k != "targets"}
        if tensors:
            rest |= {k: T.tensor(rest[k]) for k in ("input_lengths", "target_lengths")}
        out = T.nn.functional.ctc_loss(x.log_softmax(2) if through else x, targets, **rest)
        weights = T.arange(1, 4, dtype=x.dtype) if out.ndim else 1
        return out, *T.autograd.grad((out * weights).sum(), x)

    x = LOGITS.astype(kind)
    same(loss, x, how["targets"], True, grad=False, tol=3e-5)
    leaf = x - np.log(np.exp(x).sum(2, keepdims=True))
    same(loss, leaf, how["targets"], False, grad=False, tol=3e-5)


def test_ctc_unbatched_and_impossible_classes() -> None:
    def loss(T: Any, x: Any, t: Any, n: Any, m: Any, **how: Any) -> Any:
        x.requires_grad_()
        out = T.nn.functional.ctc_loss(x.log_softmax(-1), t, n, m, **how)
        return out, *T.autograd.grad(out.sum(), x)

    x, t = normal(6, 4), np.array([1, 2, 2])
    for reduction in ("none", "mean", "sum"):
        same(loss, x, t, np.array(6), np.array(3), grad=False)
        same(lambda T, *a, r=reduction: loss(T, *a, reduction=r), x, t, (6,), (3,), grad=False)
    with np.errstate(divide="ignore"):
        gone = np.log(np.array([[[0.5, 0.5, 0.0]], [[0.5, 0.25, 0.25]], [[0.2, 0.8, 0.0]]]))
    same(
        lambda T, x, t: T.nn.functional.ctc_loss(x, t, (3,), (2,), reduction="none"),
        gone,
        np.array([[2, 1]]),
        grad=False,
    )
    same(
        lambda T, x, t: T.nn.functional.ctc_loss(x, t, (3,), (2,), reduction="none"),
        gone,
        np.array([[2, 2]]),
        grad=False,
    )


def test_ctc_has_a_second_derivative() -> None:
    """PyTorch has none; here finite differences judge, through the softmax it is meant for."""
    x = rushlight.tensor(normal(5, 2, 3), requires_grad=True)
    t = rushlight.tensor([[1, 2], [1, 1]])
    rushlight.autograd.gradcheck(lambda x: rushlight.nn.functional.ctc_loss(x.log_softmax(2), t, (5, 4), (2, 2)), (x,))
    rushlight.autograd.gradgradcheck(
        lambda x: rushlight.nn.functional.ctc_loss(x.log_softmax(2), t, (5, 4), (2, 2)), (x,)
    )


CTC_ERRORS = """
T.nn.functional.ctc_loss(T.zeros(0, 2, 3), T.ones(2, 2, dtype=T.int64), (0, 0), (0, 1))
T.nn.functional.ctc_loss(T.full((4, 1, 3), T.nan), T.ones(1, 2, dtype=T.int64), (4,), (1,))
T.nn.functional.ctc_loss(T.zeros(4, 2, 3), T.ones(2, 2, dtype=T.int64), (4, 4), (2, 2), reduction="no")
T.nn.functional.ctc_loss(T.zeros(4, 2, 3), T.ones(2, 2, dtype=T.int64), (4,), (2, 2))
T.nn.functional.ctc_loss(T.zeros(4, 2, 3), T.ones(2, 2, dtype=T.int64), (4, 4), (2,))
T.nn.functional.ctc_loss(T.zeros(4, 2, 3), T.ones(2, 2, dtype=T.int64), (5, 4), (2, 2))
T.nn.functional.ctc_loss(T.zeros(4, 2, 3), T.ones(2, 2, dtype=T.int64), (4, 4), (2, 3))
T.nn.functional.ctc_loss(T.zeros(4, 2, 3), T.ones(2, 2, dtype=T.int64), (4, 4), (2, -1))
T.nn.functional.ctc_loss(T.zeros(4, 2, 3), T.ones(2, 2, dtype=T.int64), (4, 4), (2, 2), blank=3)
T.nn.functional.ctc_loss(T.zeros(4, 2, 3), T.ones(2, 2), (4, 4), (2, 2))
T.nn.functional.ctc_loss(T.zeros(4, 2, 3), T.ones(3, 2, dtype=T.int64), (4, 4), (2, 2))
T.nn.functional.ctc_loss(T.zeros(4, 2, 3).half(), T.ones(2, 2, dtype=T.int64), (4, 4), (2, 2))
T.nn.functional.ctc_loss(T.zeros(4, 2, 3), T.ones(3, dtype=T.int64), (4, 4), (2, 2))
T.nn.functional.ctc_loss(T.zeros(4, 2, 3), T.ones(5, dtype=T.int64), (4, 4), (2, 2))
T.ctc_loss(T.zeros(4, 2, 3), T.ones(2, 2, dtype=T.int64), (4, 4), (2, 2), 0, 0)
T.ctc_loss(T.zeros(4, 2, 3), T.ones(2, 2, dtype=T.int64), (4, 4), (2, 2), 0, 2, True)
T.ctc_loss(T.zeros(4, 2, 3), T.ones(2, 2, dtype=T.int64), (4, 4), (2, 2))
"""

# ------------------------------------------------------------------ bags

BAGS: list[dict[str, Any]] = [
    {"mode": mode, "offsets": offsets, "padding_idx": padding, "include_last_offset": last}
    for mode in ("sum", "mean", "max")
    for offsets, last in (([0, 2, 2, 5], False), ([0, 3, 6], True), ([0], False), ([0, 6, 6], False))
    for padding in (None, 1, -1)
]


@pytest.mark.parametrize("how", BAGS, ids=lambda how: "-".join(map(str, how.values())))
def test_embedding_bag(how: dict[str, Any]) -> None:
    index, table = np.array([1, 0, 3, 1, 2, 3]), normal(4, 3)

    def bag(T: Any, index: Any, table: Any) -> Any:
        offsets = T.tensor(how["offsets"], dtype=index.dtype)
        out = T.nn.functional.embedding_bag(index, table.requires_grad_(), **(how | {"offsets": offsets}))
        return out, *T.autograd.grad((out * out).sum(), table)

    same(bag, index, table, grad=False)
    same(bag, index.astype("int32"), table.astype("float32"), grad=False)
    ours = lambda table: rushlight.nn.functional.embedding_bag(
        rushlight.tensor(index), table, **(how | {"offsets": rushlight.tensor(how["offsets"])})
    )
    rushlight.autograd.gradgradcheck(lambda t: ours(t) ** 2, (rushlight.tensor(table, requires_grad=True),))


def test_embedding_bag_weights() -> None:
    def bag(T: Any, index: Any, table: Any, share: Any, padding: Any, second: bool) -> Any:
        F = T.nn.functional
        out = F.embedding_bag(index, table, mode="sum", per_sample_weights=share, padding_idx=padding)
        return out, *T.autograd.grad((out * out).sum(), [table, share])

    for padding in (None, 1):
        same(
            lambda T, i, t, s, p=padding: bag(T, i, t.requires_grad_(), s.requires_grad_(), p, False),
            np.array([[1, 0], [3, 1]]),
            normal(4, 3),
            normal(2, 2),
            grad=False,
        )


def test_embedding_bag_of_ties_nothing_and_long_rows() -> None:
    def largest(T: Any, i: Any, t: Any) -> Any:
        out = T.nn.functional.embedding_bag(i, t.requires_grad_(), mode="max")
        return out, *T.autograd.grad(out.sum(), t)

    same(largest, np.array([[0, 1, 2], [2, 2, 1]]), np.ones((3, 2)), grad=False)
    same(lambda T, i, t: T.nn.functional.embedding_bag(i, t, i), np.zeros(0, int), normal(3, 2), grad=False)
    same(
        lambda T, i, t: T.nn.functional.embedding_bag(i, t, T.tensor([0, 0])),
        np.zeros(0, int),
        normal(3, 2),
        grad=False,
    )

    def shortened(T: Any, i: Any, t: Any) -> Any:
        out = T.nn.functional.embedding_bag(i, t, max_norm=0.5, norm_type=1.0)
        return out, t

    same(shortened, np.array([[0, 1], [1, 1]]), normal(3, 2), grad=False)


def test_frequencies_scale_the_gradient_as_in_embedding() -> None:
    index, table = rushlight.tensor([[0, 1, 1, 2]]), rushlight.tensor(normal(4, 3), requires_grad=True)
    F = rushlight.nn.functional
    bag = F.embedding_bag(index, table, mode="sum", scale_grad_by_freq=True)
    rows = F.embedding(index, table, scale_grad_by_freq=True).sum(1)
    ours, theirs = (rushlight.autograd.grad((x * x).sum(), table)[0] for x in (bag, rows))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy())


BAG_CALLS = """
T.nn.functional.embedding_bag(T.ones(4, 3).cumsum(0), T.tensor([[0, 1]]))
T.embedding_bag(T.ones(4, 3).cumsum(0), T.tensor([0, 1, 2, 3]), T.tensor([0, 1, 1]))
T.embedding_bag(T.ones(4, 3).cumsum(0), T.tensor([0, 1, 2, 3]), T.tensor([0, 1, 1]), False, 1)
T.embedding_bag(T.ones(4, 3).cumsum(0), T.tensor([0, 1, 2, 3]), T.tensor([0, 1, 1]), False, 2)
T.embedding_bag(T.ones(4, 3).cumsum(0), T.tensor([0, 1, 2, 3]), T.tensor([0, 1, 1]), False, 2, False, None, False, 1)
T.embedding_bag(T.ones(4, 3).cumsum(0), T.tensor([0, 1, 2, 3]), T.tensor([0, 1, 1]), False, 0, False, None, False, -1)
T.embedding(T.arange(12.0).reshape(4, 3), T.tensor([[0, 1]]))
T.embedding(T.arange(12.0).reshape(4, 3), T.tensor([[0, 5]]))
T.embedding_renorm_(T.arange(12.0).reshape(4, 3), T.tensor([1, 2]), 1.0, 2.0)
"""

# ------------------------------------------------------------------ grids


@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_grid_sample(mode: str, padding: str, align: bool) -> None:
    def sample(T: Any, x: Any, grid: Any) -> Any:
        out = T.nn.functional.grid_sample(x, grid, mode, padding, align)
        return out * out

    for size in ((4, 5), (1, 3)):
        same(sample, normal(2, 3, *size), normal(2, 3, 4, 2) * 1.5)
    same(sample, normal(2, 3, 4, 5, kind="float32"), normal(2, 3, 4, 2, kind="float32") * 1.5, grad=False)
    if mode != "bicubic":
        same(sample, normal(2, 2, 3, 4, 2), normal(2, 2, 1, 3, 3) * 1.5)


@pytest.mark.parametrize("align", [True, False])
def test_affine_grid(align: bool) -> None:
    def moved(T: Any, theta: Any, size: Any) -> Any:
        grid = T.nn.functional.affine_grid(theta, size, align)
        return grid * grid, T.affine_grid_generator(theta, size, align) ** 2

    same(moved, normal(2, 2, 3), (2, 3, 4, 5))
    same(moved, normal(2, 3, 4), (2, 1, 2, 3, 4))
    same(moved, normal(1, 2, 3, kind="float32"), (1, 3, 2, 3))


GRID_CALLS = """
T.nn.functional.grid_sample(T.ones(1, 0, 2, 2), T.zeros(1, 1, 1, 2), align_corners=False).shape
T.nn.functional.grid_sample(T.ones(0, 1, 2, 2), T.zeros(0, 1, 1, 2), align_corners=False).shape
T.nn.functional.grid_sample(T.ones(1, 1, 2, 2).cumsum(3), T.full((1, 1, 1, 2), T.nan), "bilinear", "border", True)
T.nn.functional.grid_sample(T.ones(1, 1, 2, 2).cumsum(3), T.full((1, 1, 1, 2), T.nan), align_corners=True)
T.nn.functional.grid_sample(T.ones(1, 1, 2, 2).cumsum(3), T.full((1, 1, 1, 2), T.inf), "bilinear", "border", True)
T.nn.functional.grid_sample(T.ones(1, 1, 2, 2).cumsum(3), T.full((1, 1, 1, 2), 1e30), align_corners=True)
T.nn.functional.affine_grid(T.ones(1, 2, 3), (1, 1, 1, 2))
T.nn.functional.affine_grid(T.ones(1, 2, 3), (1, 1, 1, 2), True)
T.nn.functional.affine_grid(T.ones(1, 2, 3), (1, 1, 0, 2), False)
T.nn.functional.affine_grid(T.ones(1, 2, 3), (1, 1, 2), False)
T.nn.functional.affine_grid(T.ones(1, 3, 3), (1, 1, 2, 2), False)
T.nn.functional.affine_grid(T.ones(1, 2, 3, dtype=T.int64), (1, 1, 2, 2), False)
T.nn.functional.grid_sample(T.ones(1, 1, 2, 2), T.zeros(1, 1, 1, 2))
T.nn.functional.grid_sample(T.ones(1, 1, 2, 2), T.zeros(1, 1, 1, 2), "cubic")
T.nn.functional.grid_sample(T.ones(1, 1, 2, 2), T.zeros(1, 1, 1, 2), padding_mode="circular")
T.nn.functional.grid_sample(T.ones(1, 1, 2, 2), T.zeros(2, 1, 1, 2), align_corners=True)
T.nn.functional.grid_sample(T.ones(1, 1, 2, 2), T.zeros(1, 1, 1, 3), align_corners=True)
T.nn.functional.grid_sample(T.ones(1, 1, 2, 2), T.zeros(1, 1, 2), align_corners=True)
T.nn.functional.grid_sample(T.ones(1, 1, 0, 2), T.zeros(1, 1, 1, 2), align_corners=True)
T.nn.functional.grid_sample(T.ones(1, 1, 2, 2), T.zeros(1, 1, 1, 2).double(), align_corners=True)
T.nn.functional.grid_sample(T.ones(1, 1, 2, 2, 2), T.zeros(1, 1, 1, 1, 3), "bicubic", align_corners=True)
T.grid_sampler(T.arange(4.0).reshape(1, 1, 2, 2), T.zeros(1, 1, 1, 2), 1, 2, True)
"""

# ------------------------------------------------------------------ distances


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, float("inf")])
def test_distances(p: float) -> None:
    def first(T: Any, *given: Any) -> Any:
        given = [x.requires_grad_() for x in given]
        out = T.cdist(*given, p=p) if len(given) == 2 else T.pdist(given[0], p)
        return out, *T.autograd.grad((out * out).sum() + out.sum(), given)

    same(first, normal(3, 4), normal(5, 4), grad=False)
    same(first, normal(2, 1, 3, 4), normal(3, 2, 4), grad=False)
    same(first, normal(30, 4), normal(5, 4), grad=False)
    same(first, normal(4, 3), grad=False)
    same(lambda T, x: T.nn.functional.pdist(x, p), normal(4, 3), grad=False)
    twice = np.repeat(normal(2, 3), 2, 0)
    if p != float("inf"):
        same(first, twice, twice[1:].copy(), grad=False)
        same(first, twice, grad=False)


def test_distances_have_second_derivatives() -> None:
    """PyTorch has none; here finite differences judge."""
    a, b = (rushlight.tensor(normal(n, 3), requires_grad=True) for n in (4, 2))
    for p in (1.5, 2.0, 3.0):
        rushlight.autograd.gradgradcheck(lambda a, b, p=p: rushlight.cdist(a, b, p), (a, b))
        rushlight.autograd.gradgradcheck(lambda a, p=p: rushlight.pdist(a, p), (a,))


DISTANCES = """
T.cdist(T.ones(3), T.ones(2, 3))
T.cdist(T.ones(2, 3), T.ones(2, 4))
T.cdist(T.ones(2, 3), T.ones(2, 3), -1)
T.cdist(T.ones(2, 3), T.ones(2, 3), compute_mode="fast")
T.cdist(T.ones(2, 3, dtype=T.int64), T.ones(2, 3))
T.cdist(T.ones(2, 3).double(), T.ones(2, 3))
T.cdist(T.ones(0, 3), T.ones(2, 3))
T.cdist(T.ones(2, 0), T.ones(3, 0))
T.cdist(T.ones(2, 3), T.zeros(4, 3), compute_mode="use_mm_for_euclid_dist")
T.cdist(T.ones(2, 3), T.zeros(4, 3), compute_mode="donot_use_mm_for_euclid_dist")
T.pdist(T.ones(3))
T.pdist(T.ones(1, 3))
T.pdist(T.ones(0, 3))
T.pdist(T.ones(3, 0))
T.pdist(T.ones(3, 2), -1)
T.pdist(T.ones(3, 2, dtype=T.int64))
"""

# ------------------------------------------------------------------ others

OTHERS = """
T.binary_cross_entropy_with_logits(T.arange(3.0), T.ones(3))
T.binary_cross_entropy_with_logits(T.arange(3.0), T.ones(3), T.arange(3.0), T.arange(3.0), 0)
T.cosine_embedding_loss(T.arange(3.0), T.ones(3), T.tensor(-1), 0.1)
T.cosine_embedding_loss(T.ones(2, 3), T.ones(2, 3), T.tensor([-1, 1]), 0.1, 0)
T.hinge_embedding_loss(T.arange(3.0), T.tensor([1, -1, 1]))
T.hinge_embedding_loss(T.arange(3.0), T.tensor([1, -1, 1]), 2.0, 2)
T.margin_ranking_loss(T.arange(3.0), T.ones(3), T.tensor([1, -1, 1]), 0.5, 0)
T.kl_div(T.arange(3.0), T.ones(3))
T.kl_div(T.arange(3.0), T.ones(3), 2, log_target=True)
T.kl_div(T.arange(3.0), T.ones(3), 0)
T.poisson_nll_loss(T.arange(3.0), T.ones(3), True, True, 1e-8, 1)
T.triplet_margin_loss(T.arange(3.0), T.ones(3), T.zeros(3))
T.triplet_margin_loss(T.ones(2, 3), T.ones(2, 3) * 2, T.zeros(2, 3), 2.0, 1, 1e-3, True, 0)
T.kl_div(T.arange(3.0), T.ones(3), "mean")
T.adaptive_max_pool1d(T.arange(12.0).reshape(1, 2, 6), 3)
T.max_pool1d_with_indices(T.arange(12.0).reshape(1, 2, 6), 2)
T.nn.functional.max_pool1d_with_indices(T.arange(12.0).reshape(1, 2, 6), 2)
T.nn.functional.max_pool2d_with_indices(T.arange(12.0).reshape(1, 2, 6), (1, 2), stride=(1, 1))
T.nn.functional.max_pool3d_with_indices(T.arange(8.0).reshape(1, 2, 2, 2), 2)
T.nn.functional.adaptive_max_pool1d_with_indices(T.arange(12.0).reshape(1, 2, 6), 4)
T.nn.functional.adaptive_max_pool2d_with_indices(T.arange(12.0).reshape(1, 2, 6), (1, 4))
T.nn.functional.adaptive_max_pool3d_with_indices(T.arange(8.0).reshape(1, 2, 2, 2), 1)
T.nn.functional.fractional_max_pool2d(T.arange(36.0).reshape(1, 1, 6, 6), 2, output_ratio=(0.5, 0.5))
T.nn.functional.fractional_max_pool2d_with_indices(T.arange(36.0).reshape(1, 1, 6, 6), 2, 3)
T.nn.functional.fractional_max_pool3d_with_indices(T.arange(216.0).reshape(1, 6, 6, 6), 2, 3)
T.nn.functional.fractional_max_pool2d(T.arange(36.0).reshape(1, 6, 6), 2, 3, _random_samples=T.tensor([[[0.3, 0.9]]]))
T.nn.functional.fractional_max_pool2d(T.arange(36.0).reshape(1, 6, 6), 2, 3, _random_samples=T.tensor([[[0.3]]]))
T.nn.functional.fractional_max_pool2d(T.arange(36.0).reshape(1, 6, 6), 2)
T.nn.functional.fractional_max_pool2d(T.full((1, 4, 4), T.nan), 2, 2, return_indices=True)
T.nn.functional.gumbel_softmax(T.zeros(3, 4))
T.nn.functional.gumbel_softmax(T.tensor(1.0))
T.nn.functional.gumbel_softmax(T.arange(12.0).reshape(3, 4), 0.5, True, dim=0)
T.nn.functional.gumbel_softmax(T.zeros(3, 4), eps=1e-3)
T.rrelu(T.arange(-5.0, 5.0), training=True)
T.nn.functional.rrelu(T.arange(-5.0, 5.0, dtype=T.float64), 0.2, 0.9, True)
T.nn.functional.rrelu(T.arange(-5.0, 5.0, dtype=T.float16), 0.2, 0.9, True)
T.nn.functional.rrelu(T.arange(-6.0, 6.0).reshape(3, 4).t(), 0.2, 0.9, True)
T.nn.functional.rrelu(T.tensor([-1.0, T.nan, 0.0, -T.inf]), 0.2, 0.9, True)
T.nn.functional.rrelu_(T.arange(-5.0, 5.0), training=True)
T.conv_tbc(T.arange(24.0).reshape(4, 2, 3), T.arange(18.0).reshape(2, 3, 3), T.ones(3), 1)
T.conv_tbc(T.ones(4, 2, 3), T.ones(2, 2, 3), T.ones(3))
T.conv_tbc(T.ones(4, 2, 3), T.ones(2, 3, 3), T.ones(2))
T.conv_tbc(T.ones(4, 2), T.ones(2, 3, 3), T.ones(3))
T.nn.functional.linear_cross_entropy(T.ones(2, 3), T.ones(4, 3), T.tensor([1, 2]), reduction="none")
T.nn.functional.linear_cross_entropy(T.ones(2, 3), T.ones(4, 3), T.tensor([1, 2]), options=CHUNKS)
T.nn.functional.linear_cross_entropy(T.ones(3), T.ones(4, 3), T.tensor(1), linear_bias=T.arange(4.0), ignore_index=1)
T.nn.functional.linear_cross_entropy(T.ones(2, 3), T.ones(4, 3), T.ones(2, 4) / 4)
T.nn.functional.linear_cross_entropy(T.ones(2, 3), T.ones(4, 3), T.ones(2, 4) / 4, ignore_index=2)
T.nn.functional.linear_cross_entropy(T.ones(2, 3), T.ones(4, 3), T.ones(2, 4) / 4, options=CHUNKS)
T.nn.functional.linear_cross_entropy(T.ones(2, 3), T.ones(4, 5, 3), T.ones(2, 5, dtype=T.int64), label_smoothing=0.1)
T.nn.functional.linear_cross_entropy(T.ones(3), T.ones(4, 5, 3), T.ones(5, dtype=T.int64))
T.nn.functional.linear_cross_entropy(T.ones(2, 3), T.ones(4, 3), T.tensor([1, 2]), linear_bias=T.ones(3))
T.nn.functional.linear_cross_entropy(T.ones(2, 3, 1), T.ones(4, 3), T.tensor([1, 2]))
T.nn.functional.linear_cross_entropy(T.ones(2, 3), T.ones(3), T.tensor([1, 2]))
T.nn.functional.linear_cross_entropy(T.ones(2, 3), T.ones(4, 2), T.tensor([1, 2]))
T.nn.functional.multilabel_margin_loss(T.tensor(0.5), T.tensor(0))
T.nn.functional.multilabel_margin_loss(T.ones(0, 3), T.ones(0, 3, dtype=T.int64), reduction="none")
T.nn.functional.multilabel_margin_loss(T.arange(4.0), T.tensor([1, 3, -1, 0]), reduce=False)
T.nn.functional.triplet_margin_with_distance_loss(T.ones(2), T.ones(2), T.ones(2), reduction="no")
T.nn.functional.triplet_margin_with_distance_loss(T.ones(2), T.ones(2), T.ones(2), margin=0)
"""


@pytest.mark.parametrize("line", lines(CTC_ERRORS + BAG_CALLS + GRID_CALLS + DISTANCES + OTHERS))
def test_calls(line: str) -> None:
    check(line, lambda T: {"CHUNKS": T.nn.LinearCrossEntropyOptions()}, tol=1e-5)


def test_gradients_of_others() -> None:
    same(lambda T, x, w, b: T.conv_tbc(x, w, b, 1) ** 2, normal(4, 2, 3), normal(2, 3, 2), normal(2))

    def slopes(T: Any, x: Any) -> Any:
        T.manual_seed(5)
        return T.nn.functional.rrelu(x, training=True) ** 2

    same(slopes, normal(3, 4))

    def drawn(T: Any, x: Any, hard: bool) -> Any:
        T.manual_seed(5)
        return T.nn.functional.gumbel_softmax(x, 0.7, hard, dim=1) * x

    same(drawn, normal(3, 4), True)
    same(drawn, normal(3, 4), False)
    for reduction in ("none", "sum"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            same(
                lambda T, x, w, b, t, r=reduction: T.nn.functional.linear_cross_entropy(
                    x, w, t, linear_bias=b, reduction=r, label_smoothing=0.2
                )
                ** 2,
                normal(4, 3), normal(5, 2, 3), normal(5, 2), np.array([[0, 4], [1, 2], [3, 3], [0, 0]]),
            )  # fmt: skip

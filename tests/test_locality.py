"""What is not read leaves no trace: a result in no loss adds nothing to a gradient, NaN reaches what depends on it.

Both where a product with 0 would be NaN, and a choice is meant.
"""

from __future__ import annotations

import math
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import rushlight as torch
from cases import CASES
from rushlight import tensors
from rushlight.autograd.primitive import PRIMITIVES
from support.magnitudes import scaled
from support.op_gradients import Arrays, differentiable, inputs_of, with_leaves

for _module in walk_packages(tensors.__path__, "rushlight.tensors."):  # some load on demand
    import_module(_module.name)

F = torch.nn.functional
INF, NAN = math.inf, math.nan
DIFFERENTIABLE = sorted(name for name, op in PRIMITIVES.items() if op.inputs)

# ------------------------------------------------------------------ what no loss reads

_BEYOND = "results that are no numbers, of products that do not fit"
READS_ALL = {
    "attention": _BEYOND,
    "cumprod": _BEYOND,
    "determinant": _BEYOND,
    "elman_steps": _BEYOND,
    "gru_steps": _BEYOND,
    "lstm_steps": _BEYOND,
    "pow_number": _BEYOND,
    "pow_tensor": _BEYOND,
    "prod": _BEYOND,
    "recurrence": _BEYOND,
    "bce_slope": "takes probabilities, which have no other size",
    "binary_cross_entropy": "takes probabilities, which have no other size",
}
"""Ops that are not held to it at every size, each with the reason."""


def _zeros(op: Any, args: Arrays) -> None:
    """Assert that a walk from zeros ends in zeros, and so does the walk through its record."""
    given_tensors, leaves = with_leaves(op, args, np.float32)
    outs = differentiable(op.function(**given_tensors))
    assume(all(np.isfinite(out.detach().numpy()).all() for out in outs))
    seeds = [torch.zeros_like(out.detach()) for out in outs]
    for recorded in (False, True):
        grads = torch.autograd.grad(
            outs, leaves, seeds, allow_unused=True, create_graph=recorded, retain_graph=not recorded
        )
        for one in grads:
            assert one is None or not np.any(one.detach().numpy()), one


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@given(data=st.data())
@settings(max_examples=4)
def test_a_result_that_no_loss_reads_adds_nothing(name: str, data: Any) -> None:
    op = PRIMITIVES[name]
    args = data.draw(CASES[name])
    factor = 1.0 if name in READS_ALL else data.draw(st.sampled_from([1.0, 1e-20, 1e20]))
    _zeros(op, scaled(op, args, factor))


# ------------------------------------------------------------------ NaN

_ZERO = "a factor of 0 multiplies NaN, as in PyTorch"
_ALONE = "of a single element the result is constant, and computed as its difference from itself"
SPREADS = {
    "add_scaled": _ZERO,
    "addbmm": _ZERO,
    "addmv": _ZERO,
    "attention": _ZERO,
    "clamp_tensors": "a bound that is NaN is none, and gives NaN",
    "div_rounded": "rounding hides what the quotient depends on",
    **dict.fromkeys(("addbmm", "addcdiv", "addcmul", "addmm", "addmv", "addr", "baddbmm", "batch_norm", "lerp"), _ZERO),
    "upsample_back": "the adjoint adds where weights are zero: to leave that out would be slower",
    "conv_transposed": "weights are multiplied with the zeros of the padding",
    "conv_weight": "weights are multiplied with the zeros of the padding",
    "fmod": "a small number is what is left of it, whatever it is divided by",
    "remainder": "a small number is what is left of it, whatever it is divided by",
    "group_norm": _ALONE,
    "layer_norm": _ALONE,
    "leaky_relu_grad": _ZERO,
    "log_softmax": _ALONE,
    "softmax": _ALONE,
    "std": _ALONE,
    "var": _ALONE,
}
"""Ops in which NaN may reach what does not depend on it, each with the reason."""

STEPS = (0.01, -0.013, 5.0, -7.0, 1e3, -1e3)


def _results(op: Any, args: Arrays) -> list[np.ndarray]:
    outs = op.function(**with_leaves(op, args)[0])
    outs = outs if isinstance(outs, tuple) else (outs,)
    floats = [one for one in outs if isinstance(one, torch.Tensor) and one.is_floating_point()]
    return [one.detach().numpy() for one in floats]


def _no_zeros(value: Any) -> Any:
    """Return inputs without zeros: a product with 0 depends on the other factor only where that is NaN."""
    if isinstance(value, list | tuple):
        return [_no_zeros(one) for one in value]
    return np.where(value == 0, 0.37, value)


def _with(args: Arrays, name: str, part: int | None, place: tuple[int, ...], value: float) -> Arrays:
    """Return ``args`` with one element of one input written."""
    chosen = args[name] if part is None else args[name][part]
    changed = np.array(chosen)
    changed[place] = value
    return args | {name: changed if part is None else [*args[name][:part], changed, *args[name][part + 1 :]]}


@pytest.mark.parametrize("name", sorted(set(DIFFERENTIABLE) - SPREADS.keys()))
@given(data=st.data())
@settings(max_examples=4)
def test_nan_reaches_only_what_depends_on_it(name: str, data: Any) -> None:
    op = PRIMITIVES[name]
    args = data.draw(CASES[name])
    args |= {each: _no_zeros(args[each]) for each in inputs_of(op, args)}
    which = data.draw(st.sampled_from(inputs_of(op, args)))
    part = data.draw(st.integers(0, len(args[which]) - 1)) if isinstance(args[which], list | tuple) else None
    array = np.asarray(args[which] if part is None else args[which][part])
    if not array.size:
        return
    place = tuple(data.draw(st.integers(0, n - 1)) for n in array.shape)
    plain = _results(op, args)
    try:
        spoiled = _results(op, _with(args, which, part, place, NAN))
    except RuntimeError:  # refused
        return
    moved = [np.zeros(one.shape, bool) for one in plain]
    for step in STEPS:
        try:
            found = _results(op, _with(args, which, part, place, float(array[place]) + step))
        except RuntimeError:
            continue
        for number, (before, after) in enumerate(zip(plain, found, strict=True)):
            moved[number] |= ~((before == after) | (np.isnan(before) & np.isnan(after)))
    for hit, before, after in zip(moved, plain, spoiled, strict=True):
        assert not (np.isnan(after) & ~np.isnan(before) & ~hit).any(), (which, place)


# ------------------------------------------------------------------ the same, where numbers end


def _leaf(values: Any) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


ROWS: dict[str, Any] = {
    "logsumexp": lambda x: x.logsumexp(1),
    "logcumsumexp": lambda x: x.logcumsumexp(1),
    "logaddexp": lambda x: torch.logaddexp(x[:, 0], x[:, 1]),
    "logaddexp2": lambda x: torch.logaddexp2(x[:, 0], x[:, 1]),
    "kl_div of logs": lambda x: F.kl_div(torch.zeros(2, 2), x, log_target=True, reduction="none"),
    "kl_div": lambda x: F.kl_div(x, torch.tensor([[0.0, 0.0], [0.5, 0.5]]), reduction="none"),
}


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_minus_infinity_that_no_loss_reads(name: str, recorded: bool) -> None:
    x = _leaf([[-INF, -INF], [0.5, 1.0]])
    row = _leaf([[0.25, 0.25], [0.5, 1.0]])
    (found,) = torch.autograd.grad(ROWS[name](x)[1].sum(), x, create_graph=recorded)
    (right,) = torch.autograd.grad(ROWS[name](row)[1].sum(), row)
    np.testing.assert_allclose(found[1].detach().numpy(), right[1].numpy())
    np.testing.assert_array_equal(found[0].detach().numpy(), 0)


def test_a_row_of_minus_infinity_that_is_read() -> None:
    """Its sum is of nothing but zeros: no element of it counts."""
    for name in ("logsumexp", "logcumsumexp"):
        x = _leaf([[-INF, -INF], [0.5, 1.0]])
        (found,) = torch.autograd.grad(ROWS[name](x).sum(), x)
        np.testing.assert_array_equal(found[0].numpy(), 0)


def test_divergence_of_what_has_no_probability() -> None:
    found = F.kl_div(torch.tensor([-1.0, -INF]), torch.tensor([-INF, -INF]), log_target=True, reduction="none")
    assert found.tolist() == [0, 0]
    found = F.kl_div(torch.tensor([-INF, -1.0]), torch.tensor([0.0, 1.0]), reduction="none")
    assert found.tolist() == [0, 1]


def test_a_query_that_may_look_at_nothing_spoils_no_other() -> None:
    torch.manual_seed(0)
    layer = torch.nn.MultiheadAttention(4, 2, batch_first=True)
    x = torch.randn(1, 3, 4)
    mask = torch.tensor([[True, True, True], [False, True, True], [False, False, True]])
    for need in (True, False):
        layer.zero_grad()
        out, weights = layer(x, x, x, attn_mask=mask, need_weights=need)
        assert torch.isfinite(out).all()
        assert weights is None or weights[0, 0].tolist() == [0, 0, 0]
        out[0, 1:].sum().backward()
        assert torch.isfinite(layer.in_proj_weight.grad).all()


@pytest.mark.parametrize("p", [2.0, 2.5, 3.0])
def test_a_window_of_zeros(p: float) -> None:
    x = torch.tensor([[[0.0, 0.0, 3.0, 4.0]]], requires_grad=True)
    (first,) = torch.autograd.grad(F.lp_pool1d(x, p, 2).sum(), x, create_graph=True)
    assert first[0, 0, :2].tolist() == [0, 0]
    assert torch.isfinite(first).all()
    (second,) = torch.autograd.grad(first[0, 0, 2:].sum(), x)
    assert torch.isfinite(second).all()


MODES = {"linear": (6,), "bilinear": (6, 6), "bicubic": (6, 6)}


@pytest.mark.parametrize("size", [2, 3, 4, 6, 12])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_nan_in_an_image_that_is_resized(mode: str, antialias: bool, size: int) -> None:
    """Weights of zero read nothing."""
    if antialias and mode == "linear":
        return
    shape = MODES[mode]
    words = {"size": (size,) * len(shape), "mode": mode} | ({"antialias": True} if antialias else {})
    for place in np.ndindex(*shape):
        x = np.zeros((1, 1, *shape))
        x[0, 0, *place] = 1
        moved = F.interpolate(torch.tensor(x), **words).numpy() != 0
        x[0, 0, *place] = NAN
        assert not (np.isnan(F.interpolate(torch.tensor(x), **words).numpy()) & ~moved).any()


def test_quantiles_beside_infinity() -> None:
    row = torch.tensor([-INF, 1.0, 2.0])
    assert torch.quantile(row, torch.tensor([0.0, 0.25, 0.5, 0.75])).tolist() == [-INF, -INF, 1, 1.5]
    row = torch.tensor([0.0, 1.0, INF])
    assert torch.quantile(row, torch.tensor([0.25, 0.5, 0.75, 1.0])).tolist() == [0.5, 1, INF, INF]
    assert math.isnan(torch.quantile(torch.tensor([-INF, INF]), 0.5))
    x = torch.tensor([[-INF, 1.0, 2.0], [1.0, 2.0, 4.0]], requires_grad=True)
    (g,) = torch.autograd.grad(torch.quantile(x, 0.75, dim=1).sum(), x)
    assert g.tolist() == [[0, 0.5, 0.5], [0, 0.5, 0.5]]

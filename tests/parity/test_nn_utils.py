"""nn.utils against PyTorch: clipping, vectors of parameters, old weight and spectral norm, fusion, pruning, calls."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch.nn.utils.prune  # noqa: F401

import rushlight.nn.utils.prune  # noqa: F401
from support.oracle import ENGINES, same

RNG = np.random.default_rng(3)
A, B = RNG.normal(size=(3, 4)), RNG.normal(size=5).astype("float32")


def leaves(T: Any, a: Any = A, b: Any = B) -> list[Any]:
    """Three parameters, one without gradient."""
    made = [T.nn.Parameter(T.ones(*x.shape, dtype=T.from_numpy(x).dtype)) for x in (a, b)]
    for p, x in zip(made, (a, b), strict=True):
        p.grad = T.from_numpy(x.copy())
    return [*made, T.nn.Parameter(T.ones(2))]


def said(T: Any, code: Any) -> list[Any]:
    """What ``code`` returns, and what it warned of."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        found = code(T)
    return [found, [(w.category.__name__, str(w.message)[:60]) for w in seen]]


# ------------------------------------------------------------------ clipping


@pytest.mark.parametrize("norm_type", [2, 2.0, 1, 3, 0.5, 0, float("inf"), -float("inf"), "inf"])
@pytest.mark.parametrize("max_norm", [0.5, 100, 0])
@pytest.mark.parametrize("foreach", [None, False, True])
def test_clip_grad_norm(norm_type: Any, max_norm: float, foreach: Any) -> None:
    def code(T: Any) -> Any:
        p = leaves(T)
        total = T.nn.utils.clip_grad_norm_(p, max_norm, norm_type=norm_type, foreach=foreach)
        return [total, total.requires_grad, p[0].grad, p[1].grad, p[2].grad]

    same(code, grad=False)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_norms_that_are_not_finite(bad: float) -> None:
    a = np.array([1.0, bad])

    def gentle(T: Any) -> Any:
        p = leaves(T, a)
        return [T.nn.utils.clip_grad_norm_(p, 1.0), p[0].grad, p[1].grad]

    def strict(T: Any) -> Any:
        return T.nn.utils.clip_grad_norm_(leaves(T, a), 1.0, error_if_nonfinite=True)

    same(gentle, grad=False)
    same(strict, grad=False)
    for T in ENGINES:  # and nothing was written
        p = leaves(T, a)
        with pytest.raises(RuntimeError):
            T.nn.utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
        np.testing.assert_array_equal(p[0].grad.numpy(), a)


def test_clipping_takes_what_iterates() -> None:
    def code(T: Any) -> Any:
        U = T.nn.utils
        p, q = leaves(T), leaves(T)[0]
        alone = [U.clip_grad_norm_(q, 1.0), q.grad]
        found = [U.clip_grad_norm_((x for x in p), 2.0), p[0].grad, U.clip_grad_norm_([], 1.0), *alone]
        found += [U.clip_grad_norm_(T.nn.Linear(2, 2).parameters(), 1.0)]
        found += [U.clip_grad_norm_((x for x in ()), 1.0)]
        found += [U.clip_grad_value_(p, 0.25), p[0].grad, p[1].grad, U.clip_grad_value_(q, 0.01), q.grad]
        found += [U.get_total_norm([x.grad for x in p[:2]]), U.get_total_norm(q.grad, float("inf"))]
        found += [U.get_total_norm([]), U.clip_grads_with_norm_([], 1.0, T.ones(()))]
        found += [U.clip_grads_with_norm_(p, 0.1, T.tensor(4.0)), p[0].grad]
        return [*found, U.clip_grad_norm(p, 0.01), p[0].grad]

    def tried(T: Any) -> Any:
        return said(T, code)

    same(tried, grad=False)


@pytest.mark.parametrize("shape", [(), (0,), (2, 0)])
def test_clipping_small_gradients(shape: tuple[int, ...]) -> None:
    def code(T: Any) -> Any:
        p = T.nn.Parameter(T.ones(shape))
        p.grad = T.full(shape, 3.0)
        return [T.nn.utils.clip_grad_norm_([p], 1.0), p.grad]

    same(code, grad=False)


def test_a_clipped_gradient_is_written_in_place() -> None:
    for T in ENGINES:
        p = leaves(T)[0]
        before = p.grad
        T.nn.utils.clip_grad_norm_(p, 0.1)
        T.nn.utils.clip_grad_value_(p, 0.01)
        assert p.grad is before


# ------------------------------------------------------------------ vectors


def test_vectors_of_parameters() -> None:
    def code(T: Any) -> Any:
        U = T.nn.utils
        T.manual_seed(0)
        m = T.nn.Sequential(T.nn.Linear(2, 3), T.nn.Linear(3, 1))
        vec = U.parameters_to_vector(m.parameters())
        vec.pow(2).sum().backward()
        found = [vec, m[0].weight.grad]
        new = T.arange(20.0)
        U.vector_to_parameters(new, m.parameters())
        found += list(m.parameters())
        new[0] = 100.0  # shared
        found += [m[0].weight, m(T.ones(2))]
        m(T.ones(2)).sum().backward()
        return [*found, [p.grad for p in m.parameters()], U.parameters_to_vector([T.ones(1), T.zeros(2, 1)])]

    same(code, grad=False)
    for bad in (lambda T: T.nn.utils.vector_to_parameters([1.0], []), lambda T: T.nn.utils.parameters_to_vector([])):
        same(bad, grad=False)
    same(lambda T: T.nn.utils.vector_to_parameters(T.ones(2), [T.ones(3)]), grad=False)


# ------------------------------------------------------------------ the older norms


LAYERS = ["Linear(3, 4)", "Conv2d(2, 3, 2)", "ConvTranspose1d(3, 2, 2)", "Bilinear(2, 3, 4)"]
INPUTS = {"Linear": [(2, 3)], "Conv2d": [(2, 2, 4, 4)], "ConvTranspose1d": [(2, 3, 4)], "Bilinear": [(2, 2), (2, 3)]}


def inputs(T: Any, layer: str) -> list[Any]:
    rng = np.random.default_rng(0)
    return [T.from_numpy(rng.normal(size=shape).astype("float32")) for shape in INPUTS[layer.partition("(")[0]]]


def trained(T: Any, m: Any, layer: str) -> list[Any]:
    """State, results, gradients before and after a step, in training and evaluation."""
    found: list[Any] = [repr(m), list(m.state_dict()), list(m.state_dict().values())]
    x = inputs(T, layer)
    for _ in range(2):
        out = m(*x) + m(*x)
        m.zero_grad()
        out.pow(2).sum().backward()
        found += [out, [p.grad for p in m.parameters()], m.weight]
        with T.no_grad():
            for p in m.parameters():
                p.sub_(0.01 * p.grad)
    m.eval()
    return [*found, m(*x), m(*x), list(m.state_dict().values())]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("options", ["", ", dim=None", ", dim=1", ", dim=-1", ", name='bias'"])
def test_old_weight_norm(layer: str, options: str) -> None:
    def code(T: Any) -> Any:
        T.manual_seed(1)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            m = eval(f"T.nn.utils.weight_norm(T.nn.{layer}{options})", {"T": T})
        found = [str(w.message) for w in seen] + [w.category.__name__ for w in seen] + trained(T, m, layer)
        name = "bias" if "bias" in options else "weight"
        T.nn.utils.remove_weight_norm(m, name)
        return [*found, m(*inputs(T, layer)), sorted(m.state_dict()), len(m._forward_pre_hooks), type(m).__name__]

    same(code, grad=False)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("options", ["", ", n_power_iterations=3", ", dim=1", ", eps=0.1"])
def test_old_spectral_norm(layer: str, options: str) -> None:
    def code(T: Any) -> Any:
        T.manual_seed(1)
        m = eval(f"T.nn.utils.spectral_norm(T.nn.{layer}{options})", {"T": T})
        found = trained(T, m, layer)
        state = m.state_dict()
        other = eval(f"T.nn.utils.spectral_norm(T.nn.{layer}{options})", {"T": T})
        found += [str(other.load_state_dict(state)), other.eval()(*inputs(T, layer))]
        found += [{k: dict(v) for k, v in state._metadata.items()}]
        T.nn.utils.remove_spectral_norm(m)
        found += [m(*inputs(T, layer)), sorted(m.state_dict())]
        return [*found, len(m._forward_pre_hooks), len(m._state_dict_hooks)]

    same(code, grad=False, tol=2e-5)


OLD_ERRORS = [
    "U.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)",
    "U.spectral_norm(nn.Linear(2, 2), name='nope')",
    "U.spectral_norm(nn.Linear(2, 2, bias=False), name='bias')",
    "U.spectral_norm(U.spectral_norm(nn.Linear(2, 2)))",
    "U.spectral_norm(nn.LazyLinear(2))",
    "U.weight_norm(nn.LazyLinear(2))",
    "U.weight_norm(U.weight_norm(nn.Linear(2, 2)))",
    "U.remove_weight_norm(nn.Linear(2, 2))",
    "U.remove_spectral_norm(nn.Linear(2, 2))",
    "U.remove_weight_norm(U.weight_norm(nn.Linear(2, 2)), 'bias')",
    "U.skip_init(int)",
    "U.skip_init(nn.ReLU)",
    "U.fuse_conv_bn_eval(nn.Conv1d(1, 1, 1), nn.BatchNorm1d(1))",
    "U.fuse_linear_bn_eval(nn.Linear(2, 3).eval(), nn.BatchNorm1d(2).eval())",
]


@pytest.mark.parametrize("code", OLD_ERRORS)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_errors(code: str) -> None:
    same(lambda T: eval(code, {"U": T.nn.utils, "nn": T.nn}), grad=False)
    with pytest.raises(Exception, match=r"."):
        eval(code, {"U": ENGINES[1].nn.utils, "nn": ENGINES[1].nn})


def test_skip_init() -> None:
    def code(T: Any) -> Any:
        T.manual_seed(4)
        m = T.nn.utils.skip_init(T.nn.Linear, 3, 2, bias=False)
        n = T.nn.utils.skip_init(T.nn.Conv2d, in_channels=1, out_channels=2, kernel_size=3, dtype=T.float64)
        return [repr(m), m.weight.shape, repr(n), n.weight.dtype == T.float64, T.rand(2)]  # nothing was drawn

    same(code, grad=False)


# ------------------------------------------------------------------ fusion


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("plain", [False, True])
def test_fused_convolution(dims: int, transpose: bool, plain: bool) -> None:
    def code(T: Any) -> Any:
        T.manual_seed(0)
        kind = "ConvTranspose" if transpose else "Conv"
        conv = getattr(T.nn, f"{kind}{dims}d")(2, 4, 2, bias=not plain).double()
        bn = getattr(T.nn, f"BatchNorm{dims}d")(4, affine=not plain).double()
        x = T.rand(5, 2, *[4] * dims, dtype=T.float64)
        bn(conv(x))
        conv.eval(), bn.eval()
        fused = T.nn.utils.fuse_conv_bn_eval(conv, bn, transpose)
        assert T.allclose(fused(x), bn(conv(x)))
        return [fused(x), fused.weight, fused.bias, fused.weight.requires_grad, fused.bias.requires_grad, conv.weight]

    same(code, grad=False)


def test_fused_linear() -> None:
    def code(T: Any) -> Any:
        T.manual_seed(0)
        linear, bn, x = T.nn.Linear(3, 4), T.nn.BatchNorm1d(4), T.rand(6, 3)
        bn(linear(x))
        linear.eval(), bn.eval()
        linear.weight.requires_grad_(False)
        fused = T.nn.utils.fuse_linear_bn_eval(linear, bn)
        assert T.allclose(fused(x), bn(linear(x)), atol=1e-6)
        return [fused(x), fused.weight, fused.bias, fused.weight.requires_grad, fused.bias.requires_grad]

    same(code, grad=False)


# ------------------------------------------------------------------ pruning

PRUNINGS = [
    "P.l1_unstructured(m, 'weight', amount=0.3)",
    "P.l1_unstructured(m, 'bias', amount=2)",
    "P.l1_unstructured(m, 'weight', 3, importance_scores=T.arange(24.0).view(4, 6))",
    "P.random_unstructured(m, 'weight', amount=5)",
    "P.random_unstructured(m, 'weight', amount=0)",
    "P.random_structured(m, 'weight', amount=2, dim=0)",
    "P.random_structured(m, 'weight', amount=0.5, dim=-1)",
    "P.ln_structured(m, 'weight', amount=0.5, n=2, dim=1)",
    "P.ln_structured(m, 'weight', amount=1, n=float('inf'), dim=0)",
    "P.ln_structured(m, 'weight', amount=4, n=1, dim=0)",
    "P.ln_structured(m, 'weight', amount=0, n=1, dim=0)",
    "P.custom_from_mask(m, 'weight', mask=T.arange(24).view(4, 6) % 2 == 0)",
    "P.identity(m, 'weight')",
    "P.l1_unstructured(P.random_unstructured(m, 'weight', 4), 'weight', 0.5)",
    "P.ln_structured(P.l1_unstructured(m, 'weight', 4), 'weight', 1, 2, 0)",
    "P.l1_unstructured(P.ln_structured(P.random_structured(m, 'weight', 1, 0), 'weight', 2, 1, -1), 'weight', 3)",
    "P.custom_from_mask(P.random_unstructured(m, 'weight', 4), 'weight', T.arange(24).view(4, 6) % 3 == 0)",
]


@pytest.mark.parametrize("line", PRUNINGS)
def test_pruning(line: str) -> None:
    def code(T: Any) -> Any:
        T.manual_seed(0)
        m = T.nn.Linear(6, 4)
        P = T.nn.utils.prune
        returned = eval(line, {"T": T, "P": P, "m": m}) is m
        name = "bias" if "'bias'" in line else "weight"
        x = T.rand(2, 6)
        m(x).sum().backward()
        found = [returned, [n for n, _ in m.named_parameters()], list(m.state_dict()), *m.state_dict().values()]
        found += [getattr(m, name), m(x), getattr(m, name + "_orig").grad, P.is_pruned(m)]
        found.append(type(next(iter(m._forward_pre_hooks.values()))).__name__)
        P.remove(m, name)
        return [*found, m(x), sorted(m.state_dict()), P.is_pruned(m), getattr(m, name), T.rand(1)]

    same(code, grad=False)


def test_global_pruning() -> None:
    def code(T: Any) -> Any:
        T.manual_seed(0)
        P = T.nn.utils.prune
        m = T.nn.Sequential(T.nn.Linear(4, 3), T.nn.ReLU(), T.nn.Linear(3, 2))
        P.l1_unstructured(m[0], "weight", 2)
        pairs = [(m[0], "weight"), (m[2], "weight"), (m[2], "bias")]
        P.global_unstructured(pairs, P.L1Unstructured, amount=6)
        found = [getattr(part, name + "_mask") for part, name in pairs]
        P.global_unstructured(tuple(pairs), P.RandomUnstructured, amount=0.2)
        found += [getattr(part, name + "_mask") for part, name in pairs]
        scores = {(m[0], "bias"): T.tensor([1.0, -5.0, 0.1])}
        P.global_unstructured([(m[0], "bias"), (m[2], "bias")], P.L1Unstructured, importance_scores=scores, amount=2)
        return [*found, m[0].bias, m[2].bias, m(T.ones(4))]

    same(code, grad=False)


def test_a_pruning_of_ones_own() -> None:
    def code(T: Any) -> Any:
        P = T.nn.utils.prune

        class EveryOther(P.BasePruningMethod):
            PRUNING_TYPE = "unstructured"

            def compute_mask(self, t: Any, default_mask: Any) -> Any:
                mask = default_mask.clone()
                mask.view(-1)[::2] = 0
                return mask

        T.manual_seed(0)
        m = T.nn.Linear(3, 2)
        EveryOther.apply(m, "weight")
        once = m.weight.tolist()
        EveryOther.apply(m, "weight")
        method = P.L1Unstructured(amount=1)
        return [once, m.weight, method.prune(T.tensor([3.0, 1.0, 2.0])), len(next(iter(m._forward_pre_hooks.values())))]

    same(code, grad=False)


PRUNING_ERRORS = [
    "P.l1_unstructured(m, 'weight', amount='a')",
    "P.l1_unstructured(m, 'weight', amount=-1)",
    "P.l1_unstructured(m, 'weight', amount=1.5)",
    "P.l1_unstructured(m, 'weight', amount=1000)",
    "P.l1_unstructured(m, 'weight', 1, importance_scores=T.ones(2))",
    "P.ln_structured(m, 'bias', 1, 2, 0)",
    "P.ln_structured(m, 'weight', 1, 2, 5)",
    "P.random_structured(m, 'weight', 100, 0)",
    "P.custom_from_mask(m, 'weight', T.ones(3))",
    "P.remove(m, 'weight')",
    "P.global_unstructured(3, P.L1Unstructured, amount=1)",
    "P.global_unstructured([(m, 'weight')], P.LnStructured, amount=1, n=2)",
    "P.global_unstructured([(m, 'weight')], P.L1Unstructured, [1], amount=1)",
]


@pytest.mark.parametrize("line", PRUNING_ERRORS)
def test_pruning_errors(line: str) -> None:
    def code(T: Any) -> Any:
        m = T.nn.Linear(6, 4)
        try:
            eval(line, {"T": T, "P": T.nn.utils.prune, "m": m})
        except Exception as error:
            return [type(error).__name__, sorted(n for n, _ in m.named_parameters()), len(m._forward_pre_hooks)]
        raise AssertionError("no error")

    same(code, grad=False)

"""Lazy modules and tensors without shape, against PyTorch."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from support.oracle import ENGINES, same

LAYERS = [
    ("LazyLinear(5)", (2, 3)),
    ("LazyLinear(5, bias=False)", (2, 4, 3)),
    ("LazyLinear(5, dtype=T.float64)", (3,)),
    ("LazyConv1d(4, 3)", (2, 3, 6)),
    ("LazyConv1d(4, 3, 2, 1, 1, 1, False, 'circular')", (3, 6)),
    ("LazyConv2d(4, (2, 3), stride=2, padding=1, groups=2)", (2, 4, 6, 6)),
    ("LazyConv2d(4, 3, padding='same', bias=False, dtype=T.float64)", (3, 6, 6)),
    ("LazyConv3d(2, 2)", (1, 3, 4, 4, 4)),
    ("LazyConvTranspose1d(4, 3)", (2, 3, 6)),
    ("LazyConvTranspose2d(4, 3, 2, 1, 1, 2, True, 1)", (2, 4, 5, 5)),
    ("LazyConvTranspose2d(6, 3, bias=False)", (4, 5, 5)),
    ("LazyConvTranspose3d(2, 2, dilation=2)", (1, 3, 3, 3, 3)),
    ("LazyBatchNorm1d()", (4, 3)),
    ("LazyBatchNorm1d(1e-3, 0.2, bias=False)", (4, 3, 5)),
    ("LazyBatchNorm2d(affine=False)", (2, 3, 4, 4)),
    ("LazyBatchNorm2d(track_running_stats=False, dtype=T.float64)", (2, 3, 4, 4)),
    ("LazyBatchNorm3d(momentum=None)", (2, 3, 2, 2, 2)),
    ("LazyInstanceNorm1d()", (2, 3, 4)),
    ("LazyInstanceNorm2d(affine=False, track_running_stats=False)", (2, 3, 4, 4)),
    ("LazyInstanceNorm3d(eps=0.1)", (2, 3, 2, 2, 2)),
]


def made(T: Any, code: str) -> Any:
    return eval(f"T.nn.{code}", {"T": T})


def batch(T: Any, code: str, shape: tuple[int, ...]) -> Any:
    x = np.random.default_rng(0).normal(size=shape)
    return T.from_numpy(x if "float64" in code else x.astype("float32"))


def facts(T: Any, m: Any) -> list[Any]:
    state = m.state_dict()
    lazy = [repr(v) for v in state.values() if T.nn.parameter.is_lazy(v)]
    return [repr(m), type(m).__name__, list(state), lazy, len(m._forward_pre_hooks), len(m._load_state_dict_pre_hooks)]


@pytest.mark.parametrize(("code", "shape"), LAYERS)
def test_layers(code: str, shape: tuple[int, ...]) -> None:
    def seen(T: Any) -> Any:
        T.manual_seed(11)
        m = made(T, code)
        weight = m.weight
        found = [facts(T, m), m.has_uninitialized_params(), T.rand(1)]
        out = m(batch(T, code, shape))
        found += [facts(T, m), out, list(m.state_dict().values()), m.weight is weight, T.rand(1)]
        again = m(batch(T, code, shape))
        if again.requires_grad:
            again.pow(2).sum().backward()
        return [*found, again, [p.grad for p in m.parameters()], [type(p).__name__ for p in m.parameters()]]

    same(seen, grad=False)


@pytest.mark.parametrize(("code", "shape"), LAYERS)
def test_states(code: str, shape: tuple[int, ...]) -> None:
    """From one with a shape to one without, between two without, and then the first batch."""

    def seen(T: Any) -> Any:
        T.manual_seed(11)
        ready, lazy, other = made(T, code), made(T, code), made(T, code)
        x = batch(T, code, shape)
        ready(x)
        found = [str(other.load_state_dict(lazy.state_dict())), facts(T, other)]
        found += [str(lazy.load_state_dict(ready.state_dict())), facts(T, lazy), lazy.has_uninitialized_params()]
        found += [lazy.eval()(x), ready.eval()(x), facts(T, lazy)]
        # PyTorch cannot copy an UninitializedBuffer
        buffers = list(other.buffers()) and other.track_running_stats
        twin, back = (other if buffers else copy.deepcopy(other)), pickle.loads(pickle.dumps(other))
        found += [facts(T, twin), facts(T, back), twin(x).shape, facts(T, twin), facts(T, other)]
        # PyTorch's pickle forgets the dtype of what has no shape yet
        return found if "dtype" in code else [*found, back(x).shape, facts(T, back)]

    same(seen, grad=False)


def test_conversion_comes_first() -> None:
    def seen(T: Any) -> Any:
        T.manual_seed(0)
        m = T.nn.Sequential(T.nn.LazyLinear(2), T.nn.LazyBatchNorm1d())
        found = [repr(m), [str(v.dtype) for v in m.double().state_dict().values()]]
        found += [[str(v.dtype) for v in m.to(T.float16).state_dict().values()]]
        m.float().eval().train()
        m.zero_grad()
        T.optim.SGD(m.parameters(), lr=0.1)
        out = m(T.arange(12.0).reshape(3, 4).sin())
        return [*found, out, repr(m), [tuple(p.shape) for p in m.parameters()]]

    same(seen, grad=False)


BAD = [
    "nn.LazyLinear(2).load_state_dict({'weight': T.ones(2, 3), 'bias': T.ones(3)})(T.ones(3))",
    "after(nn.LazyLinear(2), {'weight': T.ones(2, 3), 'bias': T.ones(2)})(T.ones(4))",
    "nn.Linear(3, 2).load_state_dict(nn.LazyLinear(2).state_dict())",
    "nn.LazyConv2d(2, 3)(T.ones(3))",
    "nn.LazyConv2d(4, 3, groups=2)(T.ones(1, 3, 5, 5))",
    "nn.LazyConv1d(2, 3, groups=0)",
    "nn.LazyConv1d(2, 3, padding_mode='nope')",
    "nn.LazyBatchNorm2d()(T.ones(2, 3))",
    "nn.LazyLinear(2).share_memory()",
    "nn.LazyLinear(2).requires_grad_(True)",
    "nn.LazyLinear(2).reset()",
    "nn.LazyLinear(2).initialize_parameters()",
    "nn.init.zeros_(nn.LazyLinear(2).weight)",
    "nn.init.kaiming_uniform_(nn.LazyLinear(2).weight)",
    "nn.utils.parameters_to_vector(nn.LazyLinear(2).parameters())",
    "half(nn)(T.ones(2))",
]


def after(m: Any, state: Any) -> Any:
    m.load_state_dict(state)
    return m


def half(nn: Any) -> Any:
    """A lazy module that shapes only one of its two parameters."""

    class Half(nn.modules.lazy.LazyModuleMixin, nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.UninitializedParameter(), nn.UninitializedParameter()

        def initialize_parameters(self, x: Any) -> None:
            self.a.materialize(x.shape)

    return Half()


@pytest.mark.parametrize("code", BAD)
def test_errors(code: str) -> None:
    def seen(T: Any) -> Any:
        with pytest.raises(Exception, match=r".") as raised:
            eval(code, {"T": T, "nn": T.nn, "after": after, "half": half})
        return raised.type.__name__

    same(seen, grad=False)


def test_a_lazy_module_of_ones_own() -> None:
    def seen(T: Any) -> Any:
        class Scale(T.nn.modules.lazy.LazyModuleMixin, T.nn.Module):
            def __init__(self, *, by: float) -> None:
                super().__init__()
                self.by = by
                self.factor = T.nn.UninitializedParameter(dtype=T.float64)
                self.mean = T.nn.UninitializedBuffer(persistent=False)

            def initialize_parameters(self, x: Any, *, extra: int = 0) -> None:
                self.factor.materialize((x.shape[-1] + extra,))
                self.mean.materialize((2,), dtype=T.float16)
                with T.no_grad():
                    self.factor.fill_(self.by)

            def forward(self, x: Any, *, extra: int = 0) -> Any:
                return x * self.factor[: x.shape[-1]] + extra

        m = Scale(by=3.0)
        found = [list(m.state_dict()), [n for n, _ in m.named_buffers()], repr(m)]
        found += [m(T.ones(2), extra=1), repr(m), m.factor.shape, m.mean.dtype == T.float16, type(m.mean).__name__]
        return [*found, m(T.ones(2)), [n for n, _ in m.named_parameters()]]

    same(seen, grad=False)


# ------------------------------------------------------------------ tensors without shape

USES = (
    """
p + 1|1 + p|p + p|p * T.ones(2)|-p|p == 1|p @ p|T.ones(2) @ p|p.sum()|p.clone()|p.detach()|p.numpy()|p.tolist()|p.item()
len(p)|list(p)|p[0]|bool(p)|float(p)|p.numel()|p.stride()|p.is_contiguous()|p.element_size()|p.zero_()|p.fill_(1)
p.new_zeros(2)|p.backward()|p.requires_grad_(False)|T.relu(p)|T.cat([p, p])|T.stack([p])
T.nn.functional.linear(T.ones(2), p)
T.nn.functional.relu(p)|T.exp(p)|T.where(p > 0, p, p)|p.view(-1)|p.reshape(2)|p.norm()|p.mean()|p.max()|p.abs()|p.pow(2)
p.uniform_()|p.normal_()|T.softmax(p, 0)|T.ones(2).add_(p)|T.isnan(p)|p.any()
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", ["UninitializedParameter", "UninitializedBuffer"])
def test_without_a_shape_nothing_goes(use: str, kind: str) -> None:
    for T in ENGINES:
        with pytest.raises(ValueError, match="uninitialized"):
            eval(use, {"T": T, "p": getattr(T.nn, kind)()})


def test_what_does_go() -> None:
    def seen(T: Any) -> Any:
        nn, found = T.nn, []
        free = nn.UninitializedParameter(False, dtype=T.float64)
        for p in (nn.UninitializedParameter(), free, nn.UninitializedBuffer()):
            found += [repr(p), str(p), str(p.dtype), p.requires_grad, p.is_leaf, p.grad]
            found += [isinstance(p, nn.Parameter), isinstance(p, nn.Buffer), isinstance(p, T.Tensor), str(p.device)]
            found += [nn.parameter.is_lazy(p), p.is_floating_point(), {p: 1}[p]]
            with pytest.raises(RuntimeError, match="shape"):
                p.shape  # noqa: B018
            with pytest.raises(RuntimeError, match="hare memory"):
                p.share_memory_()
            if isinstance(p, nn.Parameter):  # PyTorch cannot copy the others
                twin = copy.deepcopy(p)
                found += [repr(twin), twin.requires_grad, str(twin.dtype)]
            back = pickle.loads(pickle.dumps(p))
            found += [repr(back), back.requires_grad]
            p.materialize((2, 3))
            with T.no_grad():
                p.fill_(2.0)
            found += [type(p).__name__, p, p.requires_grad, p + 1, nn.parameter.is_lazy(p), p.is_leaf]
            if p.requires_grad:
                (p * p).sum().backward()
                found.append(p.grad)
        both = copy.deepcopy([twin, twin])
        return [*found, both[0] is both[1], nn.UninitializedBuffer(persistent=False).persistent]

    same(seen, grad=False)

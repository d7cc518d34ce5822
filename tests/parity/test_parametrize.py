"""Parametrizations and calls with other parameters, against PyTorch."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import torch.nn.utils.parametrizations  # noqa: F401

from support.oracle import ENGINES, same


def maps(T: Any) -> dict[str, Any]:
    """Parametrizations as users write them."""

    class Symmetric(T.nn.Module):
        def forward(self, x: Any) -> Any:
            return x.triu() + x.triu(1).mT

        def right_inverse(self, a: Any) -> Any:
            return a.triu()

    class Skew(T.nn.Module):
        def forward(self, x: Any) -> Any:
            y = x.triu(1)
            return y - y.mT

    class Twice(T.nn.Module):
        def forward(self, x: Any) -> Any:
            return 2 * x

        def right_inverse(self, x: Any) -> Any:
            return x / 2

    class Low(T.nn.Module):
        """Two tensors for one."""

        def forward(self, u: Any, v: Any) -> Any:
            return u * v

        def right_inverse(self, x: Any) -> Any:
            return x.abs().sqrt(), x / (x.abs().sqrt() + 1)

    class Wide(T.nn.Module):
        def forward(self, x: Any) -> Any:
            return T.cat([x, x])

    class Double(T.nn.Module):
        def forward(self, x: Any) -> Any:
            return x.double()

    class Half(T.nn.Module):
        def forward(self, x: Any) -> Any:
            return x

        def right_inverse(self, x: Any) -> Any:
            return x.half()

    class Shorter(T.nn.Module):
        def forward(self, x: Any) -> Any:
            return x[:1]

        def right_inverse(self, x: Any) -> Any:
            return x * 2

    class Words(T.nn.Module):
        def forward(self, x: Any) -> Any:
            return x

        def right_inverse(self, x: Any) -> Any:
            return 3

    class Nothing(T.nn.Module):
        def forward(self, x: Any) -> Any:
            return None

    return {name: value for name, value in locals().items() if name != "T"}


def linear(T: Any, *names: str, n: int = 3, unsafe: bool = False) -> Any:
    T.manual_seed(7)
    m = T.nn.Linear(n, n)
    for name in names:
        T.nn.utils.parametrize.register_parametrization(m, "weight", maps(T)[name](), unsafe=unsafe)
    return m


CHAINS = [("Symmetric",), ("Skew",), ("Twice",), ("Twice", "Twice"), ("Symmetric", "Twice"), ("Low",), ("Low", "Skew")]


@pytest.mark.parametrize("names", CHAINS)
def test_chains(names: tuple[str, ...]) -> None:
    def code(T: Any) -> Any:
        P = T.nn.utils.parametrize
        m = linear(T, *names)
        found = [repr(m), list(m.state_dict()), *m.state_dict().values(), [n for n, _ in m.named_parameters()]]
        x = T.arange(6.0).view(2, 3)
        m(x).sin().sum().backward()
        found += [m.weight, m(x), *[p.grad for p in m.parameters()], m.weight.requires_grad, m.weight is m.weight]
        found += [P.is_parametrized(m), P.is_parametrized(m, "weight"), P.is_parametrized(m, "bias")]
        found += [P.type_before_parametrizations(m).__name__, type(m).__name__, isinstance(m, T.nn.Linear)]
        listed = m.parametrizations.weight
        found += [listed.is_tensor, listed.ntensors, listed.unsafe]
        with P.cached():
            found += [m.weight is m.weight, m(x)]
            with P.cached():
                found.append(m.weight is m.weight)
            found.append(m.weight is m.weight)
        found.append(m.weight is m.weight)
        other = linear(T, *names)
        with T.no_grad():
            for p in other.parameters():
                p.mul_(3)
        found += [str(m.load_state_dict(other.state_dict())), m.weight]
        P.remove_parametrizations(m, "weight")
        return [*found, repr(m), list(m.state_dict()), m.weight, type(m.weight).__name__, m(x), type(m).__name__]

    same(code, grad=False)


@pytest.mark.parametrize("names", CHAINS)
def test_assignment(names: tuple[str, ...]) -> None:
    def code(T: Any) -> Any:
        m = linear(T, *names)
        m.weight = T.arange(9.0).view(3, 3) + 1
        return [m.weight, *m.state_dict().values()]

    same(code, grad=False)


def test_what_is_kept_and_what_is_not() -> None:
    def code(T: Any) -> Any:
        P = T.nn.utils.parametrize
        m = T.nn.Linear(2, 2)
        weight = m.weight
        m = P.register_parametrization(m, "weight", maps(T)["Symmetric"]())
        found = [m.parametrizations.weight.original is weight, m.weight is weight]
        value = weight.detach().clone()
        P.remove_parametrizations(m, "weight", leave_parametrized=False)
        found += [m.weight is weight, T.equal(m.weight, value), T.equal(m.weight, m.weight.T)]
        P.register_parametrization(m, "weight", maps(T)["Symmetric"]())
        P.remove_parametrizations(m, "weight")
        found += [m.weight is weight, T.equal(m.weight, m.weight.T), "parametrizations" in dict(m.named_modules())]
        b = T.nn.BatchNorm1d(2)
        P.register_parametrization(b, "running_mean", maps(T)["Twice"]())
        found += [list(b.state_dict()), [n for n, _ in b.named_buffers()], b.running_mean, b(T.ones(3, 2)).shape]
        P.remove_parametrizations(b, "running_mean")
        found += [sorted(b.state_dict()), [n for n, _ in b.named_buffers()]]
        m.eval()
        part = maps(T)["Twice"]()
        P.register_parametrization(m, "bias", part)
        found += [part.training, m.train().parametrizations.bias[0].training]
        P.register_parametrization(m, "weight", maps(T)["Symmetric"]())
        P.remove_parametrizations(m, "bias")
        found += [type(m).__name__, P.is_parametrized(m), P.is_parametrized(m, "bias"), sorted(m.state_dict())]
        return found

    same(code, grad=False)


ERRORS = [
    "register(m, 'nope', maps['Twice']())",
    "register(m, 'weight', maps['Wide']())",
    "register(m, 'weight', maps['Double']())",
    "register(m, 'weight', maps['Half']())",
    "register(m, 'weight', maps['Words']())",
    "register(m, 'weight', maps['Shorter']())",
    "register(m, 'weight', maps['Nothing']())",
    "register(register(m, 'weight', maps['Twice']()), 'weight', maps['Wide']())",
    "register(register(m, 'weight', maps['Twice']()), 'weight', maps['Low']())",
    "register(register(m, 'weight', maps['Twice']()), 'weight', maps['Nothing']())",
    "P.remove_parametrizations(m, 'weight')",
    "P.remove_parametrizations(register(m, 'weight', maps['Low']()), 'weight', leave_parametrized=False)",
    "P.ParametrizationList([], m.weight)",
    "pickle.dumps(register(m, 'weight', maps['Twice']()))",
    "setattr(register(m, 'weight', maps['Skew']()), 'weight', T.zeros(3, 3))",
    "setattr(register(m, 'weight', maps['Twice']()), 'weight', T.zeros(3, 3, dtype=T.float64))",
    "setattr(register(m, 'weight', maps['Twice']()), 'weight', T.nn.Parameter(T.zeros(3, 3)))",
    "Z.spectral_norm(m, 'nope')",
    "Z.spectral_norm(m, n_power_iterations=0)",
    "Z.spectral_norm(m, dim=2)",
    "Z.orthogonal(m, 'nope')",
    "Z.orthogonal(m, 'bias')",
    "Z.orthogonal(m, orthogonal_map='nope')",
    "Z.weight_norm(m, 'nope')",
    "setattr(Z.orthogonal(m), 'weight', T.zeros(2, 2))",
    "setattr(Z.orthogonal(m, use_trivialization=False), 'weight', T.eye(3))",
]


@pytest.mark.parametrize("line", ERRORS)
def test_errors(line: str) -> None:
    def code(T: Any) -> Any:
        U = T.nn.utils
        m = linear(T)
        names = {"T": T, "m": m, "P": U.parametrize, "Z": U.parametrizations, "maps": maps(T), "pickle": pickle}
        before = m.weight.tolist()
        with pytest.raises(Exception, match=r".") as raised:
            eval(line, names | {"register": U.parametrize.register_parametrization})
        if T is ENGINES[0] and line.startswith("register(m"):  # PyTorch leaves it changed
            assert m.weight.tolist() == before
        return [raised.type.__name__, sorted(n for n, _ in m.named_parameters())]

    same(code, grad=False)


def test_unsafe() -> None:
    def code(T: Any) -> Any:
        m = linear(T, "Wide", unsafe=True)
        n = linear(T, "Twice", "Wide", unsafe=True)
        double = linear(T, "Double", unsafe=True)
        return [m.weight.shape, n.weight.shape, n.parametrizations.weight.unsafe, double.weight]

    same(code, grad=False)


def test_copies() -> None:
    def code(T: Any) -> Any:
        m = linear(T, "Symmetric")
        twin = copy.deepcopy(m)
        found = [repr(twin), twin.weight, twin.parametrizations.weight.original is m.parametrizations.weight.original]
        with T.no_grad():
            twin.parametrizations.weight.original.zero_()
        both = copy.deepcopy([m, m])
        found.append(both[0].parametrizations.weight.original.requires_grad)
        return [*found, twin.weight, m.weight, both[0] is both[1]]

    same(code, grad=False)
    T = ENGINES[0]
    m = linear(T, "Symmetric")
    twin = copy.deepcopy(m)
    T.nn.utils.parametrize.remove_parametrizations(twin, "weight")  # which in PyTorch breaks the original
    assert T.equal(m.weight, twin.weight)
    assert type(m).__name__ == "ParametrizedLinear"


def test_transfer() -> None:
    def code(T: Any) -> Any:
        P = T.nn.utils.parametrize
        m, target = linear(T, "Symmetric", "Twice"), T.nn.Linear(3, 3)
        P.register_parametrization(m, "bias", maps(T)["Low"]())
        P.transfer_parametrizations_and_params(m, target, "weight")
        found = [repr(target), T.equal(target.weight, m.weight), T.equal(target.bias, m.bias)]
        P.transfer_parametrizations_and_params(m, target, "bias")
        bare = T.nn.Module()
        P.transfer_parametrizations_and_params(m, bare)
        found += [T.equal(target.bias, m.bias), list(bare.state_dict()), bare.weight, bare.bias]
        found.append(target.parametrizations.weight.original is m.parametrizations.weight.original)
        return [*found, P.transfer_parametrizations_and_params(T.nn.ReLU(), target) is target]

    same(code, grad=False)


# ------------------------------------------------------------------ the ready-made ones

SHAPES = ["Linear(3, 3)", "Linear(5, 3)", "Linear(3, 5)", "Conv2d(2, 3, (4, 3))", "Linear(4, 1)"]
MADE = ["weight_norm(m)", "weight_norm(m, dim=None)", "weight_norm(m, dim=1)", "weight_norm(m, name='bias')",
        "spectral_norm(m)", "spectral_norm(m, n_power_iterations=2, dim=1)", "spectral_norm(m, 'bias')",
        "spectral_norm(m, eps=0.1, dim=-1)"]  # fmt: skip
ORTHOGONAL = [
    f"orthogonal(m{chosen}{trivial})"
    for chosen in ("", ", orthogonal_map='matrix_exp'", ", orthogonal_map='cayley'", ", orthogonal_map='householder'")
    for trivial in ("", ", use_trivialization=False")
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("line", MADE + ORTHOGONAL)
def test_ready_made(shape: str, line: str) -> None:
    def code(T: Any) -> Any:
        T.manual_seed(3)
        m = eval(f"T.nn.{shape}", {"T": T}).double()
        with T.no_grad():
            m.bias += 1.0
        m = eval(f"T.nn.utils.parametrizations.{line}", {"T": T, "m": m})
        name = "bias" if "bias" in line else "weight"
        rng = np.random.default_rng(0)
        x = T.from_numpy(rng.normal(size=(2, 2, 6, 6) if "Conv" in shape else (4, m.in_features)))
        found = [repr(m), list(m.state_dict()), list(m.state_dict().values()), getattr(m, name)]
        for _ in range(2):
            m.zero_grad()
            (m(x).sin().sum() + m(x).sum()).backward()
            found += [[p.grad for p in m.parameters()], getattr(m, name)]
            with T.no_grad():
                for p in m.parameters():
                    p.sub_(0.1 * p.grad)
        twin = eval(f"T.nn.utils.parametrizations.{line}", {"T": T, "m": eval(f"T.nn.{shape}", {"T": T}).double()})
        found += [str(twin.load_state_dict(m.state_dict())), twin.eval()(x), T.rand(1)]
        T.nn.utils.parametrize.remove_parametrizations(m, name)
        return [*found, m(x), type(m).__name__, getattr(m, name)]

    same(code, grad=False)


def test_assigning_orthogonal_weights() -> None:
    rng = np.random.default_rng(1)
    q = {n: np.linalg.qr(rng.normal(size=n))[0] for n in ((3, 3), (5, 3))}

    def code(T: Any) -> Any:
        found = []
        for (rows, cols), value in q.items():
            for chosen in ("matrix_exp", "cayley", "householder"):
                T.manual_seed(0)
                m = T.nn.utils.parametrizations.orthogonal(T.nn.Linear(cols, rows).double(), orthogonal_map=chosen)
                m.weight = T.from_numpy(value)
                found += [m.weight, m.weight - T.from_numpy(value)]
                m.weight = T.from_numpy(2 * value + 1)  # not orthogonal: its Q is taken
                found.append(m.weight)
        free = T.nn.utils.parametrizations.orthogonal(
            T.nn.Linear(3, 5).double(), orthogonal_map="householder", use_trivialization=False
        )
        free.weight = T.from_numpy(q[5, 3])
        return [*found, free.weight, free.parametrizations.weight.original]

    same(code, grad=False)


def test_old_states_fit_the_new_weight_norm() -> None:
    def code(T: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            T.manual_seed(0)
            old = T.nn.utils.weight_norm(T.nn.Linear(3, 2))
        new = T.nn.utils.parametrizations.weight_norm(T.nn.Linear(3, 2))
        return [str(new.load_state_dict(old.state_dict())), new.weight, T.allclose(new.weight, old.weight)]

    same(code, grad=False)


def test_functions_of_matrices() -> None:
    rng = np.random.default_rng(0)
    for scale in (0.01, 1, 8, 40):
        for shape in ((3, 3), (2, 4, 4), (1, 1), (0, 0), (0, 2, 2)):
            x = rng.normal(size=shape) * scale
            skew = x - np.swapaxes(x, -1, -2)
            same(lambda T, x: T.matrix_exp(x), skew)
            if scale < 10:
                same(lambda T, x: T.matrix_exp(x), skew.astype("float32"), grad=False, tol=2e-5)
                same(lambda T, x: T.matrix_exp(x), x)
    for bad in (np.ones((2, 3)), np.ones(3), np.ones((2, 2), int)):
        same(lambda T, x: T.matrix_exp(x), bad)


# ------------------------------------------------------------------ other parameters for a call


def tied(T: Any) -> Any:
    class Tied(T.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = T.nn.Linear(2, 2), T.nn.Linear(2, 2)
            self.b.weight = self.a.weight
            self.register_buffer("count", T.zeros(1))

        def forward(self, x: Any, *, scale: float = 1.0) -> Any:
            self.count.add_(1)
            return self.b(self.a(x)) * scale

    T.manual_seed(2)
    return Tied()


def test_functional_call() -> None:
    def code(T: Any) -> Any:
        m, x = tied(T), T.ones(1, 2)
        call = T.func.functional_call
        before = dict(m.named_parameters())
        new = {"a.weight": T.eye(2, requires_grad=True), "a.bias": T.ones(2)}
        out = call(m, new, (x,), {"scale": 2.0})
        out.sum().backward()
        found = [out, new["a.weight"].grad, m.a.weight.grad, m.a.weight is before["a.weight"], m.b.weight is m.a.weight]
        found += [call(m, {"b.weight": T.zeros(2, 2)}, x), call(m, new, (x,), tie_weights=False), m.count]
        counted = {"count": T.ones(1)}
        found += [call(m, counted, x), counted["count"], m.count, call(m, {}, x), call(m, (new, counted), x)]
        found += [call(m, {**dict(m.named_parameters()), "count": T.zeros(1)}, (x,), strict=True)]
        bn = T.nn.BatchNorm1d(2)
        state = {"running_mean": T.ones(2), "running_var": T.ones(2), "num_batches_tracked": T.tensor(3)}
        call(bn, state, T.tensor([[1.0, 2.0], [5.0, 6.0]]))
        found += [*state.values(), *bn.state_dict().values()]
        p = linear(T, "Symmetric")
        return [*found, call(p, {"parametrizations.weight.original": T.arange(9.0).view(3, 3)}, T.ones(3))]

    same(code, grad=False)


CALLS = [
    "call(m, {'a.weight': T.eye(2), 'b.weight': T.ones(2, 2)}, x)",
    "call(m, {'a.weight': T.eye(2)}, x, strict=True)",
    "call(m, {**dict(m.named_parameters()), 'count': T.ones(1), 'more': T.ones(1)}, x, strict=True)",
    "call(m, {'a.weight': 3}, x)",
    "call(m, 3, x)",
    "call(m, ({'a.bias': T.ones(2)}, {'a.bias': T.ones(2)}), x)",
    "call(m, ({'a.bias': T.ones(2)}, 3), x)",
    "call(m, {'c.bias': T.ones(2)}, x)",
    "call(m, {'a.weight': T.ones(3, 3)}, x)",
]


@pytest.mark.parametrize("line", CALLS)
def test_functional_call_errors(line: str) -> None:
    def code(T: Any) -> Any:
        m = tied(T)
        before = dict(m.named_parameters())
        with pytest.raises(Exception, match=r".") as raised:
            eval(line, {"T": T, "m": m, "x": T.ones(1, 2), "call": T.func.functional_call})
        now = dict(m.named_parameters())
        return [raised.type.__name__, all(now[n] is p for n, p in before.items()), len(now), m.b.weight is m.a.weight]

    same(code, grad=False)


def test_the_old_functional_call() -> None:
    def code(T: Any) -> Any:
        m = T.nn.Linear(1, 1)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            out = T.nn.utils.stateless.functional_call(m, {"weight": T.ones(1, 1), "bias": T.ones(1)}, T.ones(1))
        return [out, [w.category.__name__ for w in seen]]

    same(code, grad=False)

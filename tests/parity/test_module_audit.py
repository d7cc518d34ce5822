"""Module, its containers, hooks and states, method by method against PyTorch."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections import OrderedDict
from typing import Any

import pytest

from support.expressions import lines
from support.oracle import ENGINES, same

# ------------------------------------------------------------------ errors and messages of states


def net(T: Any) -> Any:
    T.manual_seed(0)
    last = T.nn.Sequential(T.nn.Linear(3, 1))
    return T.nn.Sequential(OrderedDict(a=T.nn.Linear(2, 3), b=T.nn.BatchNorm1d(3), c=last))


def state(T: Any, change: str) -> Any:
    found = net(T).state_dict()
    exec(change, {"s": found, "T": T})
    return found


CHANGES = [
    "pass",
    "del s['a.weight']",
    "del s['a.weight'], s['c.0.bias'], s['b.running_mean']",
    "s['x'] = T.ones(1)",
    "s['x'] = s['a.x'] = s['a.x.y'] = s['c.0.z'] = s['c.1.z'] = T.ones(1)",
    "s['a.weight'] = T.ones(3)",
    "s['a.weight'] = T.ones(3, 3); s['b.bias'] = T.ones(1); del s['a.bias']; s['y'] = T.ones(1)",
    "s['a.weight'] = 3",
    "s['a.weight'] = None",
    "s['a.weight'] = [[1.0]]",
    "s['b.num_batches_tracked'] = T.tensor([7])",
    "s['b.num_batches_tracked'] = T.ones(2)",
    "del s['b.num_batches_tracked']",
    "s['a.weight'] = T.ones(3, 2, dtype=T.float64)",
    "s['a.weight'] = T.ones(3, 2, dtype=T.int64)",
    "s['a.bias'] = T.tensor(1.0)",
    "s.clear()",
    "del s['b.num_batches_tracked']; s._metadata['b']['version'] = 1",
    "del s._metadata",
    "s['_extra_state'] = 3",
    "s['a._extra_state'] = 3",
    "s['weight'] = T.ones(1); s['.a'] = T.ones(1)",
    "s['a'] = T.ones(1)",
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("options", [{}, {"strict": False}, {"assign": True}, {"assign": True, "strict": False}])
def test_loading(change: str, options: Any) -> None:
    """The same keys, the same words, the same values."""

    def code(T: Any) -> Any:
        m = net(T)
        given = state(T, change)
        try:
            returned = m.load_state_dict(given, **options)
            found = [repr(returned), str(returned), returned.missing_keys, returned.unexpected_keys]
        except Exception as error:
            said = str(error).replace("rushlight.", "torch.")
            found = [type(error).__name__, said.lower().partition("floating point")[0]]
        now = m.state_dict()
        shared = [name for name in now if name in given and isinstance(given[name], T.Tensor)
                  and now[name].data_ptr() == given[name].data_ptr()]  # fmt: skip
        return [*found, list(now), list(now.values()), shared, [p.requires_grad for p in m.parameters()], len(given)]

    same(code, grad=False)


def test_loading_what_is_no_mapping() -> None:
    for given in (3, [("a", 1)], None):
        same_words(lambda T, g=given: net(T).load_state_dict(g))


OTHER_PLACES = [
    ("rushlight", "torch"),
    ("nn.containers", "nn.modules.container"),
    ("nn.module.", "nn.modules.module."),
]


def same_words(code: Any) -> None:
    """The same type of error in the same words; after them, ours may say which index, name or size it was."""
    found = []
    for T in ENGINES:
        with pytest.raises(Exception, match=r".") as raised:
            code(T)
        said = str(raised.value.args[0])
        for mine, theirs in OTHER_PLACES:
            said = said.replace(mine, theirs)
        found.append((raised.type, said))
    assert found[0][0] is found[1][0]
    assert found[0][1].startswith(found[1][1])


WORDS = [
    "nn.Linear(2, 2).nope",
    "nn.Module().forward(1)",
    "nn.Module()(1)",
    "setattr(nn.Linear(2, 2), 'weight', T.ones(2, 2))",
    "setattr(nn.Linear(2, 2), 'weight', 3)",
    "setattr(nn.Sequential(nn.ReLU()), '0', 3)",
    "setattr(nn.BatchNorm1d(2), 'running_mean', 3)",
    "nn.Linear(2, 2).register_parameter('weight.x', None)",
    "nn.Linear(2, 2).register_parameter('', None)",
    "nn.Linear(2, 2).register_parameter(3, None)",
    "nn.Linear(2, 2).register_parameter('forward', None)",
    "nn.Linear(2, 2).register_parameter('x', T.ones(2))",
    "nn.Linear(2, 2).register_parameter('x', 3)",
    "nn.Linear(2, 2).register_buffer('weight', T.ones(2))",
    "nn.Linear(2, 2).register_buffer('x', 3)",
    "nn.Linear(2, 2).register_buffer('x.y', None)",
    "nn.Linear(2, 2).register_buffer('', None)",
    "nn.Linear(2, 2).register_buffer(3, None)",
    "nn.Linear(2, 2).add_module('x', 3)",
    "nn.Linear(2, 2).add_module('weight', nn.ReLU())",
    "nn.Linear(2, 2).add_module('x.y', nn.ReLU())",
    "nn.Linear(2, 2).add_module('', nn.ReLU())",
    "nn.Linear(2, 2).add_module(3, nn.ReLU())",
    "nn.Linear(2, 2).get_submodule('x')",
    "nn.Linear(2, 2).get_submodule('weight')",
    "nn.Linear(2, 2).get_parameter('x')",
    "nn.Linear(2, 2).get_parameter('in_features')",
    "nn.BatchNorm1d(2).get_parameter('running_mean')",
    "nn.BatchNorm1d(2).get_buffer('weight')",
    "nn.BatchNorm1d(2).get_buffer('nope')",
    "nn.BatchNorm1d(2).get_buffer('eps')",
    "nn.Sequential(nn.ReLU()).set_submodule('', nn.ReLU())",
    "nn.Sequential(nn.ReLU()).set_submodule('0.x', nn.ReLU(), strict=True)",
    "nn.Linear(2, 2).set_submodule('weight', nn.ReLU())",
    "nn.Linear(2, 2).set_submodule('x', 3)",
    "nn.Linear(2, 2).train('yes')",
    "nn.Linear(2, 2).to(T.int64)",
    "nn.Linear(2, 2).set_extra_state(3)",
    "nn.Linear(2, 2).cuda()",
    "nn.Linear(2, 2).get_extra_state()",
    "nn.Linear(2, 2, nope=3)",
    "nn.ReLU(1, 2, 3)",
    "nn.Module(3)",
    "nn.Module(x=3)",
    "nn.ModuleList([nn.ReLU()])[1]",
    "nn.ModuleList(3)",
    "nn.ModuleList([3])",
    "nn.ModuleList()(1)",
    "nn.ModuleList([nn.ReLU()]).extend(3)",
    "nn.ModuleDict({'a': 3})",
    "nn.ModuleDict(3)",
    "nn.ModuleDict([3])",
    "nn.ModuleDict([(1, 2, 3)])",
    "nn.ModuleDict()['x']",
    "nn.ModuleDict()({})",
    "nn.ModuleDict({'a.b': nn.ReLU()})",
    "nn.ModuleDict({'keys': nn.ReLU()})",
    "nn.Sequential(3)",
    "nn.Sequential(nn.ReLU())[1]",
    "nn.Sequential(nn.ReLU()) + 3",
    "nn.Sequential(nn.ReLU()) * 0",
    "nn.Sequential(nn.ReLU()) * 'a'",
    "nn.Sequential(nn.ReLU()).insert(7, nn.ReLU())",
    "nn.Sequential(nn.ReLU()).insert(0, 3)",
    "nn.Sequential(nn.ReLU()).pop(3)",
    "nn.ParameterList([T.ones(1)])[1]",
    "nn.ParameterList(3)",
    "nn.ParameterList()()",
    "nn.ParameterList([T.ones(1)]).extend(T.ones(2))",
    "nn.ParameterDict({'a': T.ones(1)})['b']",
    "nn.ParameterDict({3: T.ones(1)})",
    "nn.ParameterDict()(1)",
    "nn.ParameterDict().popitem()",
    "nn.ParameterDict().pop('x')",
    "nn.Parameter(T.ones(2, dtype=T.int64))",
    "delattr(nn.Linear(2, 2), 'nope')",
    "nn.init.calculate_gain('nope')",
    "nn.init.calculate_gain('leaky_relu', 'a')",
    "nn.init.calculate_gain('leaky_relu', True)",
    "nn.init.xavier_uniform_(T.ones(3))",
    "nn.init.kaiming_normal_(T.ones(3))",
    "nn.init.kaiming_uniform_(T.ones(3, 3), mode='nope')",
    "nn.init.kaiming_uniform_(T.ones(3, 3), nonlinearity='nope')",
    "nn.init.orthogonal_(T.ones(3))",
    "nn.init.eye_(T.ones(3))",
    "nn.init.sparse_(T.ones(3), 0.1)",
    "nn.init.dirac_(T.ones(3, 3))",
    "nn.init.dirac_(T.ones(3, 3, 3), groups=2)",
]

# Python's own words, or words that name what only one of the two has.
FREE = {
    "nn.Linear(2, 2).cuda()",
    "nn.Linear(2, 2).set_extra_state(3)", "nn.Linear(2, 2).get_extra_state()", "nn.ModuleDict([3])",
    "nn.ParameterDict({3: T.ones(1)})",
    "nn.Parameter(T.ones(2, dtype=T.int64))", "nn.Linear(2, 2, nope=3)", "nn.ReLU(1, 2, 3)",
    "nn.ModuleList()(1)", "nn.ModuleDict()({})", "nn.ParameterDict()(1)", "nn.ModuleList(3)", "nn.ParameterList(3)",
}  # fmt: skip


@pytest.mark.parametrize("line", WORDS)
def test_words(line: str) -> None:
    def code(T: Any) -> Any:
        return eval(line, {"T": T, "nn": T.nn})

    if line in FREE:
        same(code, grad=False)
    else:
        same_words(code)


# ------------------------------------------------------------------ hooks


def hooked(T: Any) -> Any:
    """Every kind of hook, its order, its flags; of one module and of all."""
    M = T.nn.modules.module
    log: list[Any] = []

    def note(name: str, answer: Any = None) -> Any:
        def hook(*args: Any) -> Any:
            log.append([name, *[seen(a) for a in args]])
            return answer(*args) if answer else None

        return hook

    def seen(a: Any) -> Any:
        if isinstance(a, T.nn.Module):
            return type(a).__name__
        if isinstance(a, tuple | list):
            return [seen(x) for x in a]
        return a.detach().clone() if isinstance(a, T.Tensor) else a

    class Two(T.nn.Module):
        def forward(self, x: Any, *, k: Any = 1.0, fail: bool = False) -> Any:
            if fail:
                raise ValueError("asked for")
            return x * k, x.sum()

    m, x = Two(), T.tensor([1.0, 2.0], requires_grad=True)
    everywhere = [
        M.register_module_forward_pre_hook(note("all pre")),
        M.register_module_forward_hook(note("all post")),
        M.register_module_forward_hook(note("all post kw"), with_kwargs=True),
        M.register_module_forward_hook(note("all always"), always_call=True),
        M.register_module_full_backward_hook(note("all back")),
        M.register_module_full_backward_pre_hook(note("all back pre")),
    ]
    own = [
        m.register_forward_pre_hook(note("pre", lambda m, a: (a[0] * 2,))),
        m.register_forward_pre_hook(note("pre kw", lambda m, a, k: (a, {**k, "k": 3.0})), with_kwargs=True),
        m.register_forward_pre_hook(note("pre first", lambda m, a: a[0] + 1), prepend=True),
        m.register_forward_hook(note("post", lambda m, a, out: (out[0] + 1, out[1]))),
        m.register_forward_hook(note("post kw"), with_kwargs=True),
        m.register_forward_hook(note("post first"), prepend=True),
        m.register_forward_hook(note("always"), always_call=True),
        m.register_forward_hook(note("always kw"), always_call=True, with_kwargs=True),
        m.register_full_backward_hook(note("back", lambda m, gi, go: (gi[0] * 10,))),
        m.register_full_backward_hook(note("back first"), prepend=True),
        m.register_full_backward_pre_hook(note("back pre", lambda m, go: (go[0] * 2, go[1]))),
        m.register_full_backward_pre_hook(note("back pre first"), prepend=True),
    ]
    try:
        out = m(x, k=5.0)
        (out[0].sum() + 3 * out[1]).backward()
        with pytest.raises(ValueError, match="asked for"):
            m(x, fail=True)
        for handle in own:
            handle.remove()
        with everywhere[0], everywhere[4]:
            m(x)[0].sum().backward()
        m(x)
    finally:
        for handle in everywhere:
            handle.remove()
    m(x)
    return [log, out, x.grad, len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)]


def test_hooks() -> None:
    same(hooked, grad=False)


def registered(T: Any) -> Any:
    M, log = T.nn.modules.module, []
    twice = T.nn.Parameter(T.full((2,), 7.0))

    def note(kind: str) -> Any:
        def hook(module: Any, name: str, value: Any) -> Any:
            log.append([kind, type(module).__name__, name, type(value).__name__])
            return twice if name == "swap" else None

        return hook

    handles = [
        M.register_module_parameter_registration_hook(note("parameter")),
        M.register_module_buffer_registration_hook(note("buffer")),
        M.register_module_module_registration_hook(note("module")),
    ]
    try:
        m = T.nn.Sequential(T.nn.Linear(1, 1), T.nn.BatchNorm1d(1, affine=False))
        m.swap = T.nn.Parameter(T.ones(1))
        m.register_parameter("none", None)
        m.extra = T.nn.ReLU()
        m.buffer = T.nn.Buffer(T.ones(1))
        m[1].running_mean = T.zeros(1)
        m.extra = None
        m.add_module("last", T.nn.Tanh())
    finally:
        for handle in handles:
            handle.remove()
    m.quiet = T.nn.ReLU()
    return [log, m.swap is twice, m.swap]


def test_registration_hooks() -> None:
    same(registered, grad=False)


def test_state_hooks() -> None:
    def code(T: Any) -> Any:
        log: list[Any] = []
        m = T.nn.Sequential(T.nn.Linear(1, 1))

        def change(module: Any, state: Any, prefix: str, meta: Any) -> None:
            state[prefix + "more"] = T.ones(1)
            log.append(["post", type(module).__name__, list(state), prefix, dict(meta)])

        def load(module: Any, state: Any, prefix: str, meta: Any, *rest: Any) -> None:
            given = [list(r) if isinstance(r, list) else r for r in rest]
            log.append(["load", type(module).__name__, list(state), prefix, dict(meta), given])
            state.pop(prefix + "more", None)

        def after(module: Any, keys: Any) -> None:
            log.append(["after", type(module).__name__, list(keys.missing_keys), list(keys.unexpected_keys)])
            keys.missing_keys.clear()

        h = [m[0].register_state_dict_post_hook(change), m[0].register_load_state_dict_pre_hook(load),
             m.register_load_state_dict_post_hook(after), m[0].register_load_state_dict_post_hook(after),
             m.register_state_dict_pre_hook(lambda m, p, k: log.append(["pre", type(m).__name__, p, k]))]  # fmt: skip
        s = m.state_dict(prefix="p.", keep_vars=True)
        found = [list(s), s["p.0.weight"] is m[0].weight, [[k, dict(v)] for k, v in s._metadata.items()]]
        s = m.state_dict()
        del s["0.bias"]
        found += [str(m.load_state_dict(s)), list(s)]
        for handle in h:
            handle.remove()
        found += [list(m.state_dict()), list(m.state_dict(destination=OrderedDict(z=1), prefix="q."))]
        for bad in ("m.register_state_dict_post_hook(lambda *a: 3); m.state_dict()",
                    "m.register_load_state_dict_post_hook(lambda *a: 3); m.load_state_dict({})"):  # fmt: skip
            with pytest.raises((RuntimeError, AssertionError)) as raised:
                exec(bad, {"m": T.nn.ReLU()})
            found.append(raised.type.__name__)
        return [*found, log]

    same(code, grad=False)


def test_extra_state() -> None:
    def code(T: Any) -> Any:
        class Counted(T.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.n = 0

            def get_extra_state(self) -> Any:
                return {"n": self.n}

            def set_extra_state(self, state: Any) -> None:
                self.n = state["n"]

        m = T.nn.Sequential(Counted(), Counted())
        m[0].n = 5
        s = m.state_dict()
        other = T.nn.Sequential(Counted(), Counted())
        found = [list(s), s["0._extra_state"], str(other.load_state_dict(s)), other[0].n]
        del s["1._extra_state"]
        found += [str(other.load_state_dict(s, strict=False))]
        with pytest.raises(RuntimeError) as raised:
            other.load_state_dict(s)
        return [*found, str(raised.value)]

    same(code, grad=False)


# ------------------------------------------------------------------ the rest of Module


def test_modes_and_conversions() -> None:
    def code(T: Any) -> Any:
        m = net(T)
        found = [m.training, m.eval() is m, [x.training for x in m.modules()], m.train() is m, m.b.train(False) is m.b]
        found += [[x.training for x in m.modules()], m.train(False).training, m.requires_grad_(False) is m]
        found += [[p.requires_grad for p in m.parameters()], [p.requires_grad for p in m.requires_grad_().parameters()]]
        for change in ("double()", "half()", "float()", "to(T.float64)", "to('cpu')", "to('cpu', T.float16)",
                       "to(dtype=T.float32)", "to(T.ones(1, dtype=T.float64))", "type(T.float32)", "cpu()", "to()",
                       "to(device='cpu', dtype=T.float64, non_blocking=True)", "share_memory()",
                       "type('torch.HalfTensor')", "to(T.device('cpu'))"):  # fmt: skip
            try:
                same_object = eval(f"m.{change}", {"m": m, "T": T}) is m
            except Exception as error:
                same_object = type(error).__name__
            found.append([change, same_object, [str(v.dtype) for v in m.state_dict().values()]])
        seen: list[str] = []
        m.apply(lambda x: seen.append(type(x).__name__))
        empty = net(T).double().to_empty(device="cpu")
        found += [seen, [(tuple(v.shape), str(v.dtype)) for v in empty.state_dict().values()]]
        return [*found, [n for n in dir(m) if n in {"a", "weight", "forward", "0"}], [n for n in dir(m.c) if n == "0"]]

    same(code, grad=False)


def test_call_super_init() -> None:
    def code(T: Any) -> Any:
        class Other:
            def __init__(self, *, word: str = "none") -> None:
                self.word = word

        class Both(T.nn.Module, Other):
            call_super_init = True

            def __init__(self, **kwargs: Any) -> None:
                super().__init__(**kwargs)
                self.layer = T.nn.ReLU()

        class Plain(T.nn.Module, Other):
            pass

        flags = [T.nn.Module.call_super_init, T.nn.Module.dump_patches]
        return [Both(word="here").word, repr(Both()), hasattr(Plain(), "word"), *flags]

    same(code, grad=False)


def test_gradients_are_cleared() -> None:
    def code(T: Any) -> Any:
        m = T.nn.Linear(2, 1, bias=False)
        m(T.ones(2)).backward()
        grad = m.weight.grad
        m.zero_grad(set_to_none=False)
        found = [grad, m.weight.grad is grad]
        m(T.ones(2)).backward(create_graph=True)
        m.zero_grad(False)
        found += [m.weight.grad, m.weight.grad.requires_grad]
        m.zero_grad()
        return [*found, m.weight.grad]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(code, grad=False)


class Tied:
    """Made for both engines: a layer twice, its weight twice, a hook, a buffer that is not kept."""

    @staticmethod
    def of(T: Any) -> Any:
        T.manual_seed(0)
        layer = T.nn.Linear(2, 2)
        m = T.nn.Sequential(layer, T.nn.ReLU(), layer, T.nn.Linear(2, 2))
        m[3].weight = layer.weight
        m.register_buffer("kept", T.ones(1))
        m.register_buffer("left", T.ones(1), persistent=False)
        m.alias = m.kept
        m.register_forward_hook(hook)
        m.note = {"list": [1]}
        return m


def hook(module: Any, args: Any, out: Any) -> Any:
    return out + 1


@pytest.mark.parametrize("how", ["deepcopy", "pickle", "copy"])
def test_copies(how: str) -> None:
    def code(T: Any) -> Any:
        m = Tied.of(T)
        m(T.ones(2)).sum().backward()
        ways = {"deepcopy": copy.deepcopy, "copy": copy.copy, "pickle": lambda m: pickle.loads(pickle.dumps(m))}
        twin = ways[how](m)
        found = [twin[0] is twin[2], twin[3].weight is twin[0].weight, twin[0].weight is m[0].weight]
        found += [twin.alias is twin.kept, list(twin.state_dict()), [n for n, _ in twin.named_buffers()]]
        found += [twin(T.ones(2)), len(twin._forward_hooks), twin.note, twin.note is m.note, repr(twin)]
        found += [twin[0].weight.grad, twin[0].weight.requires_grad, twin[0].weight.is_leaf, twin.training]
        twin.register_forward_hook(hook)
        return [*found, twin(T.ones(2)), m(T.ones(2)), len(list(twin.parameters()))]

    same(code, grad=False)


def test_a_handle_can_be_copied_with_its_module() -> None:
    def code(T: Any) -> Any:
        m = T.nn.ReLU()
        m.handle = m.register_forward_hook(hook)
        twin, back = copy.deepcopy(m), pickle.loads(pickle.dumps(m))
        found = [twin(T.ones(1)), back(T.ones(1))]
        m.handle.remove()
        return [*found, m(T.ones(1)), twin(T.ones(1))]

    same(code, grad=False)


CONTAINERS = lines(
    """
nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh())).b
nn.Sequential(nn.ReLU(), nn.Tanh())[-1]
nn.Sequential(nn.ReLU(), nn.Tanh(), nn.GELU())[::2]
nn.Sequential(nn.ReLU()) + nn.Sequential(nn.Tanh())
nn.Sequential(nn.ReLU(), nn.Tanh()) * 2
2 * nn.Sequential(nn.ReLU())
len(nn.Sequential())
nn.Sequential(nn.ReLU()).append(nn.Tanh())
nn.Sequential(nn.ReLU()).extend(nn.Sequential(nn.Tanh()))
nn.Sequential(nn.ReLU()).extend([nn.Tanh()])
nn.Sequential(nn.ReLU()).insert(-1, nn.Tanh())
nn.Sequential(nn.ReLU()).insert(1, nn.Tanh())
nn.Sequential(nn.ReLU(), nn.Tanh()).pop(0)
nn.Sequential(nn.ReLU(), nn.Tanh()).pop(-1)
list(nn.Sequential(nn.ReLU(), nn.Tanh()))
did(nn.Sequential(nn.ReLU(), nn.Tanh(), nn.GELU()), 'del m[1]')
did(nn.Sequential(nn.ReLU(), nn.Tanh(), nn.GELU()), 'del m[1:]')
did(nn.Sequential(nn.ReLU(), nn.Tanh()), 'm[-1] = nn.GELU()')
did(nn.Sequential(nn.ReLU()), 'm += nn.Sequential(nn.GELU())')
did(nn.Sequential(nn.ReLU()), 'm *= 3')
nn.ModuleList([nn.ReLU(), nn.Linear(2, 2), nn.Linear(2, 2)])
nn.ModuleList([nn.ReLU()]) + [nn.Tanh()]
nn.ModuleList([nn.ReLU(), nn.Tanh()])[1:]
nn.ModuleList()
nn.ModuleList([nn.ReLU(), nn.Tanh()]).pop(0)
nn.ModuleList([nn.ReLU(), nn.Tanh()]).pop(slice(0, 1))
did(nn.ModuleList([nn.ReLU()]), 'm.insert(0, nn.Tanh())')
did(nn.ModuleList([nn.ReLU()]), 'm += (nn.Tanh(),)')
did(nn.ModuleList([nn.ReLU(), nn.Tanh()]), 'del m[0]')
did(nn.ModuleList([nn.ReLU(), nn.Tanh()]), 'm[0] = nn.GELU()')
did(nn.ModuleList([nn.ReLU(), nn.Tanh()]), 'del m[-1]')
nn.ModuleList([nn.ReLU(), None])
nn.ModuleDict({'b': nn.ReLU(), 'a': nn.Tanh()})
nn.ModuleDict([['b', nn.ReLU()], ('a', nn.Tanh())])
nn.ModuleDict(nn.ModuleDict({'b': nn.ReLU()}))
list(nn.ModuleDict({'b': nn.ReLU()}).items())
list(nn.ModuleDict({'b': nn.ReLU()}).keys())
'b' in nn.ModuleDict({'b': nn.ReLU()})
nn.ModuleDict({'b': nn.ReLU()}).pop('b')
did(nn.ModuleDict({'b': nn.ReLU()}), 'm.clear()')
did(nn.ModuleDict({'b': nn.ReLU()}), 'm.update({"z": nn.Tanh(), "y": nn.GELU()})')
did(nn.ModuleDict({'b': nn.ReLU()}), 'del m["b"]')
nn.ModuleDict({'b': nn.ReLU()}).b
nn.ModuleDict({'b': None})
nn.ParameterList([T.ones(2), nn.Parameter(T.zeros(1)), 3])
nn.ParameterList([T.ones(2)])[0]
nn.ParameterList([T.ones(2), T.ones(1)])[:1]
nn.ParameterList(T.ones(2) for _ in range(2)).append(T.zeros(1))
nn.ParameterList([T.ones(1)]).extend([T.zeros(2)])
did(nn.ParameterList([T.ones(1)]), 'm += [T.zeros(2)]')
did(nn.ParameterList([T.ones(1)]), 'm[0] = T.zeros(2)')
[x for x in nn.ParameterList([T.ones(1), 'a'])]
len(nn.ParameterList([T.ones(1), 3]))
list(nn.ParameterList([T.ones(1), T.ones(2)]).state_dict())
nn.ParameterList([T.ones(1, dtype=T.int64)])
nn.ParameterDict({'b': T.ones(1), 'a': T.zeros(2)})
nn.ParameterDict({'b': T.ones(1), 'c': 'word', 'd': [1]})
nn.ParameterDict([('b', T.ones(1)), ('a', T.zeros(2))])
nn.ParameterDict(OrderedDict(b=T.ones(1), a=T.zeros(2)))
nn.ParameterDict({'b': T.ones(1)}) | nn.ParameterDict({'a': T.ones(1)})
nn.ParameterDict({'b': T.ones(1)}).copy()
{'x': T.ones(2)} | nn.ParameterDict({'b': T.ones(1)})
did(nn.ParameterDict({'b': T.ones(1)}), 'm |= nn.ParameterDict({"a": T.ones(1)})')
nn.ParameterDict().fromkeys(['a', 'b'], T.ones(1))
list(reversed(nn.ParameterDict({'a': T.ones(1), 'b': T.ones(2)})))
nn.ParameterDict({'a': T.ones(1)}).get('z', 3)
nn.ParameterDict({'a': T.ones(1)}).setdefault('z', T.zeros(1))
nn.ParameterDict({'a': T.ones(1)}).setdefault('z')
nn.ParameterDict({'a': T.ones(1)}).popitem()
nn.ParameterDict({'a': T.ones(1)}).pop('a')
did(nn.ParameterDict({'a': T.ones(1)}), 'm.clear()')
did(nn.ParameterDict({'a': T.ones(1)}), 'del m["a"]')
list(nn.ParameterDict({'a': T.ones(1)}).items())
list(nn.ParameterDict({'a': T.ones(1)}).values())
list(nn.ParameterDict({'a': T.ones(1)}).keys())
'a' in nn.ParameterDict({'a': T.ones(1)})
len(nn.ParameterDict({'a': T.ones(1)}))
list(nn.ParameterDict({'a': T.ones(1), 'x': 3}).state_dict())
"""
)


@pytest.mark.parametrize("line", CONTAINERS)
def test_containers(line: str) -> None:
    def code(T: Any) -> Any:
        def did(m: Any, change: str) -> Any:
            names = {"m": m, "T": T, "nn": T.nn}
            exec(change, names)
            return names["m"]

        T.manual_seed(0)
        found = eval(line, {"T": T, "nn": T.nn, "OrderedDict": OrderedDict, "did": did})
        keys = list(found.state_dict()) if isinstance(found, T.nn.Module) else None
        return [repr(found), keys]

    same(code, grad=False)


# ------------------------------------------------------------------ first values

GAINS = ["linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid",
         "tanh", "relu", "leaky_relu", "selu"]  # fmt: skip


def test_gains() -> None:
    same(lambda T: [T.nn.init.calculate_gain(name) for name in GAINS], grad=False)
    same(lambda T: [T.nn.init.calculate_gain("leaky_relu", slope) for slope in (0, 0.2, 1, -3, None)], grad=False)
    same(lambda T: [T.nn.init.calculate_gain("relu", 3)], grad=False)


OLD_NAMES = [
    "uniform(x)",
    "uniform(x, -1, 2)",
    "normal(x, 1, 2)",
    "constant(x, 3)",
    "eye(x)",
    "xavier_uniform(x, gain=2)",
    "xavier_normal(x)",
    "kaiming_uniform(x, a=1)",
    "kaiming_normal(x, mode='fan_out')",
    "orthogonal(x)",
    "sparse(x, 0.5)",
    "dirac(x.view(2, 2, 3))",
]


@pytest.mark.parametrize("line", OLD_NAMES)
def test_old_names_still_work(line: str) -> None:
    def code(T: Any) -> Any:
        T.manual_seed(1)
        x = T.zeros(4, 3)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            eval(f"T.nn.init.{line}", {"T": T, "x": x})
        return [x, [[w.category.__name__, str(w.message)] for w in seen]]

    same(code, grad=False)


FILLS = [
    "uniform_(x, 2, 2)",
    "normal_(x, std=0)",
    "constant_(x, True)",
    "trunc_normal_(x, 0, 1, -1, 1)",
    "trunc_normal_(x, 3, 0.5, -1, 1)",
    "trunc_normal_(x, a=0.5, b=0.6)",
    "orthogonal_(x, 0.1)",
    "kaiming_uniform_(x, 0.1, 'fan_out', 'tanh')",
    "kaiming_normal_(x, nonlinearity='selu')",
    "kaiming_uniform_(x, mode='FAN_IN')",
    "xavier_normal_(x, 0.5)",
]


@pytest.mark.parametrize("line", FILLS)
@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (2, 3, 4), (64, 32), (1, 1)])
@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.filterwarnings("ignore:mean is more than")
def test_fills(line: str, shape: tuple[int, ...], kind: str) -> None:
    def code(T: Any) -> Any:
        T.manual_seed(1)
        x = T.nn.Parameter(T.zeros(shape, dtype=getattr(T, kind)))
        return [eval(f"T.nn.init.{line}", {"T": T, "x": x}) is x, x, x.requires_grad, x.is_leaf, T.rand(1)]

    same(code, grad=False, tol=5e-6)


def test_fills_of_what_does_not_lie_in_order() -> None:
    def code(T: Any) -> Any:
        T.manual_seed(1)
        found = []
        for line in (
            "uniform_",
            "normal_",
            "xavier_uniform_",
            "kaiming_normal_",
            "orthogonal_",
            "trunc_normal_",
            "eye_",
        ):
            x = T.zeros(6, 8).t()[::2]
            getattr(T.nn.init, line)(x)
            found.append(x)
        return found

    same(code, grad=False, tol=5e-6)


# ------------------------------------------------------------------ where scripts find things

PATHS = [
    "nn.Module",
    "nn.modules.Module",
    "nn.modules.module.Module",
    "nn.modules.Linear",
    "nn.modules.linear.Linear",
    "nn.modules.conv.Conv2d",
    "nn.modules.conv._ConvNd",
    "nn.modules.batchnorm._BatchNorm",
    "nn.modules.container.Sequential",
    "nn.modules.activation.ReLU",
    "nn.modules.loss.MSELoss",
    "nn.modules.lazy.LazyModuleMixin",
    "nn.modules.utils._pair",
    "nn.modules.pooling.MaxPool2d",
    "nn.modules.dropout.Dropout",
    "nn.modules.normalization.LayerNorm",
    "nn.modules.instancenorm.InstanceNorm2d",
    "nn.modules.flatten.Flatten",
    "nn.modules.sparse.Embedding",
    "nn.parameter.Parameter",
    "nn.parameter.Buffer",
    "nn.parameter.UninitializedParameter",
    "nn.parameter.is_lazy",
    "nn.utils.clip_grad.clip_grad_norm_",
    "nn.utils.convert_parameters.parameters_to_vector",
    "nn.utils.init.skip_init",
    "nn.utils.parametrize.register_parametrization",
    "nn.utils.parametrizations.orthogonal",
    "nn.utils.prune.l1_unstructured",
    "nn.utils.stateless.functional_call",
    "nn.utils.fusion.fuse_conv_bn_eval",
    "nn.init.xavier_uniform_",
    "nn.modules.container.ModuleList",
    "nn.modules.container.ParameterList",
]


@pytest.mark.parametrize("path", PATHS)
def test_paths(path: str) -> None:
    from importlib import import_module  # noqa: PLC0415

    module, _, name = path.rpartition(".")
    for T in ENGINES:
        found = getattr(import_module(f"{T.__name__}.{module}"), name)
        assert found.__name__ in {name, "parse"}


def test_helpers_of_layers() -> None:
    def code(T: Any) -> Any:
        U = T.nn.modules.utils
        s = OrderedDict([("module.a", 1), ("b", 2), ("module.c.d", 3)])
        s._metadata = OrderedDict([("", {}), ("module", {"version": 1}), ("module.c", {"version": 2})])
        U.consume_prefix_in_state_dict_if_present(s, "module.")
        found = [list(s.items()), [[k, v] for k, v in s._metadata.items()]]
        found += [U._pair(3), U._pair([1, 2]), U._single(1), U._triple((1, 2, 3)), U._quadruple("a"), U._ntuple(5)(1)]
        return [*found, U._reverse_repeat_tuple((1, 2), 2)]

    same(code, grad=False)

"""Modules against PyTorch: text, keys, first values by seed, errors, order of hooks."""

import copy
import pickle
import warnings
from collections import OrderedDict

import numpy as np
import pytest

from support.oracle import ENGINES, run, same

PLAIN = """
    ReLU ReLU6 SELU SiLU Mish Hardsigmoid Hardswish Hardtanh Sigmoid Tanh LogSigmoid Softsign Tanhshrink ELU CELU
    GLU GELU Hardshrink Softshrink LeakyReLU Softplus PReLU Softmax LogSoftmax Softmin Softmax2d Flatten Dropout
    Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout MSELoss L1Loss SmoothL1Loss HuberLoss NLLLoss
    CrossEntropyLoss BCELoss BCEWithLogitsLoss KLDivLoss
"""
IN_PLACE = "ReLU ReLU6 SELU SiLU Mish Hardsigmoid Hardswish Hardtanh ELU CELU LeakyReLU Dropout"
LAYERS = [
    "Identity(3, a=4)",
    "Linear(3, 5)",
    "Linear(3, 5, bias=False)",
    "Linear(3, 5, dtype=T.float64)",
    "Linear(0, 5)",
    "AdaptiveLogSoftmaxWithLoss(32, 20, [4, 10])",
    "MultiheadAttention(6, 2)",
    "MultiheadAttention(6, 2, kdim=3, vdim=4, add_bias_kv=True)",
    "Transformer(8, 2, 1, 1, 16)",
    "TransformerDecoder(T.nn.TransformerDecoderLayer(8, 2, 16), 2)",
    "TransformerDecoderLayer(8, 2, 16)",
    "TransformerEncoder(T.nn.TransformerEncoderLayer(8, 2, 16), 2, T.nn.LayerNorm(8), enable_nested_tensor=False)",
    "TransformerEncoderLayer(8, 2, 16, bias=False)",
    "Bilinear(2, 3, 4)",
    "Bilinear(2, 3, 4, bias=False)",
    "Conv1d(2, 4, 3, stride=2, padding=1)",
    "Conv2d(3, 8, 3)",
    "Conv2d(4, 8, (3, 5), stride=(2, 1), padding=(1, 2), dilation=2, groups=2, bias=False)",
    "Conv2d(4, 8, 3, padding='same', padding_mode='reflect')",
    "Conv2d(4, 8, 3, padding='valid', dtype=T.float64)",
    "Conv3d(1, 2, (1, 2, 3))",
    "ConvTranspose1d(2, 4, 3, stride=2, output_padding=1)",
    "ConvTranspose2d(4, 6, 3, groups=2, bias=False)",
    "ConvTranspose3d(1, 2, 2, dilation=2)",
    *[f"{name}()" for name in PLAIN.split()],
    *[f"{name}(inplace=True)" for name in IN_PLACE.split()],
    "Threshold(0.1, 20)",
    "Threshold(0.1, 20, True)",
    "GELU('tanh')",
    "PReLU(3, init=0.5)",
    "Softmax(dim=-1)",
    "Flatten(0, 2)",
    "Unflatten(1, (2, 3))",
    "MaxPool1d(3)",
    "MaxPool2d(2)",
    "MaxPool2d((2, 3), stride=1, padding=1, dilation=2, ceil_mode=True)",
    "MaxPool3d(2, return_indices=True)",
    "AvgPool1d(3, padding=1)",
    "AvgPool2d(2, 3)",
    "AvgPool3d((1, 2, 2))",
    "AdaptiveAvgPool1d(3)",
    "AdaptiveAvgPool2d((None, 2))",
    "AdaptiveAvgPool3d(1)",
    "AdaptiveMaxPool1d(3)",
    "AdaptiveMaxPool2d((3, 2))",
    "AdaptiveMaxPool3d(1)",
    "LayerNorm(4)",
    "LayerNorm([2, 3], eps=1e-3, bias=False)",
    "LayerNorm(4, elementwise_affine=False)",
    "GroupNorm(2, 4)",
    "GroupNorm(2, 4, affine=False)",
    "RMSNorm(4)",
    "RMSNorm((2, 4), eps=1e-6, elementwise_affine=False)",
    "BatchNorm1d(4)",
    "BatchNorm2d(4, momentum=None, affine=False)",
    "BatchNorm3d(4, track_running_stats=False)",
    "BatchNorm2d(4, bias=False, dtype=T.float64)",
    "InstanceNorm1d(4)",
    "InstanceNorm2d(4, affine=True, track_running_stats=True)",
    "InstanceNorm3d(4)",
    "Embedding(5, 3)",
    "Embedding(5, 3, padding_idx=-1, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True)",
    "RNNBase('LSTM', 3, 4)",
    "RNN(3, 4)",
    "RNN(3, 4, 2, 'relu')",
    "LSTM(3, 4, bias=False)",
    "LSTM(3, 5, num_layers=2, batch_first=True, dropout=0.5, bidirectional=True, proj_size=2)",
    "GRU(3, 4, 2, bidirectional=True, dtype=T.float64)",
    "RNNCellBase(3, 4, True, 2)",
    "RNNCell(3, 4)",
    "RNNCell(3, 4, nonlinearity='relu', bias=False)",
    "LSTMCell(3, 4)",
    "GRUCell(3, 4, dtype=T.float64)",
    "CrossEntropyLoss(T.tensor([1.0, 2.0]), ignore_index=1, label_smoothing=0.1)",
    "BCEWithLogitsLoss(pos_weight=T.tensor([1.0, 2.0]))",
]  # fmt: skip


def state(module):
    return {key: (str(x.dtype), tuple(x.shape), x.detach().numpy()) for key, x in module.state_dict().items()}


def assert_same_state(ours, theirs):
    mine, other = state(ours), state(theirs)
    assert list(mine) == list(other)
    for key, (kind, shape, values) in other.items():
        assert mine[key][:2] == (kind, shape), key
        np.testing.assert_array_equal(mine[key][2], values, err_msg=key)


def made(code, engine):
    engine.manual_seed(7)
    return eval(f"T.nn.{code}", {"T": engine})


@pytest.mark.parametrize("code", LAYERS)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors", "ignore:enable_nested_tensor")
def test_layer_is_made_as_in_pytorch(code: str) -> None:
    ours, theirs = (made(code, engine) for engine in ENGINES)
    assert repr(ours) == repr(theirs)
    assert_same_state(ours, theirs)
    assert [(n, p.requires_grad) for n, p in ours.named_parameters()] == [
        (n, p.requires_grad) for n, p in theirs.named_parameters()
    ]
    assert ours.training is theirs.training


BAD = [
    "Bilinear(0, 3, 4)",
    "Conv2d(3, 8, 3, groups=2)",
    "Conv2d(4, 7, 3, groups=2)",
    "Conv2d(4, 8, 3, groups=0)",
    "Conv2d(4, 8, 3, padding='full')",
    "Conv2d(4, 8, 3, padding='same', stride=2)",
    "Conv2d(4, 8, 3, padding_mode='mirror')",
    "ConvTranspose2d(4, 8, 3, padding_mode='reflect')",
    "Hardtanh(1.0, 1.0)",
    "Dropout(1.5)",
    "Dropout(-0.1)",
    "GroupNorm(3, 4)",
    "Embedding(5, 3, padding_idx=5)",
    "Embedding(5, 3, padding_idx=-6)",
    "HuberLoss(delta='1')",
    "Unflatten(1, (2, 'a'))",
    "Linear(3)",
    "Sequential(3)",
    "Sequential({'a': T.nn.ReLU()})",
    "ModuleList(3)",
    "ModuleDict(3)",
    "ModuleDict([3])",
    "ModuleDict([('a', T.nn.ReLU(), 1)])",
    "ModuleDict({'a.b': T.nn.ReLU()})",
    "ModuleDict({'': T.nn.ReLU()})",
    "ParameterList(3)",
    "ParameterDict(3)",
    "Parameter(T.tensor([1]))",
    "Parameter([1.0])",
    "Module(3)",
    "Module(x=3)",
    "Module()(3)",
    "ModuleList()(3)",
    "ReLU().register_parameter('a.b', None)",
    "ReLU().register_parameter('', None)",
    "ReLU().register_parameter('inplace', None)",
    "ReLU().register_parameter(3, None)",
    "ReLU().register_parameter('a', T.ones(2))",
    "ReLU().register_buffer('a.b', None)",
    "ReLU().register_buffer('a', 3)",
    "ReLU().add_module('a', 3)",
    "ReLU().add_module(3, T.nn.ReLU())",
    "ReLU().train(1)",
    "ReLU().nope",
    "ReLU().to(T.int64)",
    "Linear(2, 2).get_submodule('a.b')",
    "Linear(2, 2).get_submodule('weight')",
    "Linear(2, 2).get_parameter('in_features')",
    "Linear(2, 2).get_parameter('nope')",
    "Linear(2, 2).get_buffer('weight')",
    "Linear(2, 2).set_submodule('', T.nn.ReLU())",
    "Linear(2, 2).set_submodule('a', 3)",
    "Linear(2, 2).set_submodule('a', T.nn.ReLU(), strict=True)",
    "Linear(2, 2).__setattr__('weight', T.ones(2, 2))",
    "Linear(2, 2).__delattr__('nope')",
    "Linear(2, 2).load_state_dict([])",
    "Linear(2, 2).load_state_dict({})",
    "Linear(2, 2).load_state_dict({'weight': T.ones(2, 2), 'bias': T.ones(3)})",
    "Linear(2, 2).load_state_dict({'weight': T.ones(2, 2), 'bias': 3, 'more': T.ones(1)})",
    "Sequential(T.nn.ReLU())[1]",
    "Sequential(T.nn.ReLU()).__delitem__(2)",
    "Sequential(T.nn.ReLU()) + [T.nn.ReLU()]",
    "Sequential(T.nn.ReLU()) * 0",
    "Sequential(T.nn.ReLU()) * 1.5",
    "Sequential(T.nn.ReLU()).insert(3, T.nn.ReLU())",
    "Sequential(T.nn.ReLU()).insert(0, 3)",
    "init.calculate_gain('nope')",
    "init.calculate_gain('leaky_relu', 'a')",
    "init.eye_(T.ones(2))",
    "init.dirac_(T.ones(2, 2))",
    "init.dirac_(T.ones(3, 2, 2), groups=2)",
    "init.orthogonal_(T.ones(2))",
    "init.sparse_(T.ones(2), 0.5)",
    "init.xavier_uniform_(T.ones(2))",
    "init.kaiming_normal_(T.ones(2, 2), mode='nope')",
]


@pytest.mark.parametrize("code", BAD)
def test_bad_input_raises_what_pytorch_raises(code: str) -> None:
    ours, theirs = (run(lambda T: made(code, T), engine, (), False, False) for engine in ENGINES)
    assert theirs.error is not None, f"PyTorch accepts {code}"
    assert type(ours.error) is type(theirs.error), f"PyTorch {theirs.error!r}, rushlight {ours.error!r} {ours.results}"


SAID = [
    "ReLU().nope",
    "Linear(2, 2).load_state_dict({})",
    "Linear(2, 2).load_state_dict({'weight': T.ones(2, 2), 'bias': T.ones(3), 'more': T.ones(1)})",
    "Linear(2, 2).get_submodule('a.b')",
    "Module()(3)",
    "Conv2d(4, 8, 3, padding='same', stride=2)",
]


@pytest.mark.parametrize("code", SAID)
def test_messages_that_people_search_for(code: str) -> None:
    ours, theirs = (run(lambda T: made(code, T), engine, (), False, False) for engine in ENGINES)
    assert str(ours.error) == str(theirs.error)


def test_assignment_before_init() -> None:
    said = []
    for T in ENGINES:

        class Early(T.nn.Module):
            def __init__(self, value):
                self.x = value

        for value in (T.nn.ReLU(), T.nn.Parameter(T.ones(1))):
            with pytest.raises(AttributeError) as caught:
                Early(value)
            said.append(str(caught.value))
    assert said[:2] == said[2:]


def net(T):
    class Block(T.nn.Module):
        def __init__(self, width):
            super().__init__()
            self.first = T.nn.Linear(width, width)
            self.scale = T.nn.Parameter(T.ones(width))
            self.register_buffer("count", T.zeros(1))
            self.register_buffer("secret", T.zeros(2), persistent=False)
            self.register_parameter("nothing", None)
            self.second = T.nn.Linear(width, 2)

        def forward(self, x):
            return self.second(self.first(x) * self.scale)

    class Net(T.nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = T.nn.ModuleList([Block(3), Block(3)])
            self.tied = self.blocks[0]
            self.by_name = T.nn.ModuleDict({"act": T.nn.ReLU(), "none": T.nn.Identity()})
            self.free = T.nn.ParameterList([T.ones(2), T.nn.Parameter(T.zeros(1))])
            self.empty = None
            self.last = T.nn.Sequential(OrderedDict(a=T.nn.Linear(2, 2), b=T.nn.Tanh()))

        def forward(self, x):
            return self.last(self.blocks[0](x))

    T.manual_seed(3)
    return Net()


WALKS = [
    "[n for n, _ in m.named_parameters()]",
    "[n for n, _ in m.named_parameters('p', recurse=False)]",
    "[n for n, _ in m.named_parameters(remove_duplicate=False)]",
    "[n for n, _ in m.named_buffers()]",
    "[n for n, _ in m.named_modules()]",
    "[n for n, _ in m.named_modules(prefix='q', remove_duplicate=False)]",
    "[n for n, _ in m.named_children()]",
    "len(list(m.modules())), len(list(m.children())), len(list(m.parameters())), len(list(m.buffers()))",
    "list(m.state_dict())",
    "list(m.state_dict(prefix='z.'))",
    "dict(m.state_dict()._metadata)",
    "repr(m)",
    "repr(m.blocks[:1]), repr(m.last[1:]), len(m.blocks), len(m.last), len(m.by_name)",
    "list(m._modules), list(m.blocks[0]._parameters), list(m.blocks[0]._buffers)",
    "m.blocks[0]._non_persistent_buffers_set",
    "[x.requires_grad for x in m.requires_grad_(False).parameters()]",
    "m.eval().training, m.blocks[1].first.training, m.train().blocks[1].second.training",
    "type(m.get_submodule('blocks.1.first')).__name__, m.get_submodule('') is m",
    "m.get_parameter('blocks.0.scale').shape, m.get_buffer('blocks.0.secret').shape",
    "[str(x.dtype) for x in (*m.double().parameters(), *m.buffers())]",
    "[str(x.dtype) for x in (*m.to(T.float16).parameters(), *m.buffers())]",
    "'weight' in dir(m.last.a), '0' in dir(m.last)",
    "m.load_state_dict(m.state_dict())",
    "m.load_state_dict({}, strict=False).missing_keys",
    "repr(m.load_state_dict({'a': T.ones(1)}, strict=False))",
    "[type(x).__name__ for x in (lambda seen: m.apply(seen.append) and seen)([])]",
]


@pytest.mark.parametrize("code", WALKS)
def test_walks_over_a_tree(code: str) -> None:
    ours, theirs = (eval(code, {"T": T, "m": net(T)}) for T in ENGINES)
    assert str(ours) == str(theirs)


def changes(T):
    """A module changed in every way that attributes can be."""
    m = net(T)
    steps = []

    def note():
        steps.append((list(m._parameters), list(m._buffers), list(m._modules), list(m.state_dict())))

    m.w = T.nn.Parameter(T.ones(1))
    m.v = T.nn.Parameter(T.ones(2))
    note()
    m.w = T.nn.Parameter(T.zeros(3))  # in place, in order
    note()
    m.w = None
    note()
    del m.v
    note()
    m.register_buffer("b", T.ones(2))
    m.b = T.zeros(3)
    note()
    m.b = None
    note()
    m.b = T.nn.Parameter(T.ones(1))  # from buffer to parameter
    note()
    m.b = T.nn.ReLU() if "b" not in m._parameters else None
    note()
    m.tied = None
    note()
    m.tied = T.nn.Linear(1, 1)
    note()
    m.plain = 5
    m.plain = T.nn.Linear(1, 1)
    note()
    m.c = T.nn.Buffer(T.ones(2), persistent=False)
    m.d = T.nn.Buffer(T.ones(2))
    note()
    m.d = T.ones(4)
    note()
    del m.d
    del m.plain
    note()
    m._parameters["raw"] = T.nn.Parameter(T.ones(1))
    steps.append(tuple(m.raw.shape))
    m._modules.pop("tied")
    steps.append(hasattr(m, "tied"))
    m._buffers["raw_buffer"] = T.ones(5)
    steps.append(tuple(m.raw_buffer.shape))
    del m._parameters["raw"]
    steps.append(hasattr(m, "raw"))
    note()
    m.set_submodule("blocks.1", T.nn.Tanh())
    steps.append(repr(m))
    return steps


def test_attributes_come_and_go() -> None:
    ours, theirs = (changes(T) for T in ENGINES)
    assert ours == theirs


def containers(T):
    nn = T.nn
    said = []
    s = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Sigmoid())
    said += [repr(s[0]), repr(s[-1]), repr(s[1:]), len(s)]
    s.append(nn.Identity()).insert(1, nn.Flatten())
    said.append(repr(s))
    s[0] = nn.Softplus()
    del s[1]
    said += [repr(s), repr(s.pop(-1)), repr(s), list(s.state_dict())]
    said += [repr(s + nn.Sequential(nn.ReLU())), repr(s * 2), repr(2 * s)]
    s += nn.Sequential(nn.ReLU())
    s.extend([nn.GELU()])
    del s[1:3]
    said += [repr(s), [type(m).__name__ for m in s]]
    named = nn.Sequential(OrderedDict(x=nn.ReLU(), y=nn.Tanh()))
    said += [repr(named[1:]), repr(named.x)]
    items = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1), nn.ReLU()])
    said.append(repr(items))
    items.append(nn.ReLU()).extend([nn.ReLU()])
    items.insert(0, nn.Tanh())
    items += [nn.Tanh()]
    del items[1]
    said += [repr(items), repr(items[1:3]), repr(items.pop(0)), repr(items), repr(items + nn.ModuleList([nn.ReLU()]))]
    items[-1] = nn.Identity()
    said += [repr(items), repr(nn.ModuleList()), repr(nn.Sequential()), list(items.state_dict())]
    table = nn.ModuleDict({"b": nn.ReLU(), "a": nn.Tanh()})
    table.update([("c", nn.Identity())])
    said += [repr(table), list(table), list(table.keys()), "a" in table, repr(table.pop("a")), len(table)]
    table.clear()
    said.append(repr(table))
    values = nn.ParameterList([T.ones(2, 3), T.tensor(1.0), 5, T.zeros(2, dtype=T.float64)])
    said += [repr(values), len(values), list(values.state_dict()), len(values[1:3]), type(values[0]).__name__]
    values.append(nn.Parameter(T.ones(1)))
    values[0] = T.zeros(4)
    said += [repr(values), repr(nn.ParameterList())]
    params = nn.ParameterDict({"z": T.ones(2), "a": nn.Parameter(T.ones(1)), "n": 3})
    params["q"] = T.zeros(2, 2)
    said += [
        repr(params),
        list(params),
        list(params.state_dict()),
        "z" in params,
        len(params),
        repr(nn.ParameterDict()),
    ]
    del params["z"]
    said += [repr(params), list(params.keys()), params.get("zz"), repr(params.pop("q"))]
    return said


def test_containers() -> None:
    ours, theirs = (containers(T) for T in ENGINES)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine == other


def hooked(T):
    """What hooks see, in order."""
    seen = []

    class Pair(T.nn.Module):
        def forward(self, x, *, k=1.0):
            return x * k, x * 2.0

    def note(name):
        def hook(*args):
            seen.append((name, len(args)))

        return hook

    m = Pair()
    handles = [
        m.register_forward_pre_hook(note("pre 1")),
        m.register_forward_pre_hook(note("pre 0"), prepend=True),
        m.register_forward_pre_hook(lambda mod, args, kwargs: (args, {"k": 3.0}), with_kwargs=True),
        m.register_forward_hook(note("post 1")),
        m.register_forward_hook(note("post 0"), prepend=True),
        m.register_forward_hook(note("post k"), with_kwargs=True),
        m.register_full_backward_pre_hook(lambda mod, g: seen.append(("bw pre", [x.tolist() for x in g]))),
        m.register_full_backward_hook(
            lambda mod, gi, go: seen.append(("bw", [x.tolist() for x in gi], [x.tolist() for x in go]))
        ),
        m.register_full_backward_hook(lambda mod, gi, go: (gi[0] * 10,)),
    ]
    x = T.tensor([1.0, 2.0], requires_grad=True)
    a, b = m(x)
    seen.append((a.tolist(), b.tolist(), a.grad_fn.name()))
    (a.sum() + (b * 2).sum()).backward()
    seen.append(x.grad.tolist())
    for handle in handles:
        handle.remove()
    m(x)
    seen.append(len(seen))
    m.register_forward_pre_hook(lambda mod, args: args[0] + 1)
    m.register_forward_hook(lambda mod, args, out: out[0])
    seen.append(m(x).tolist())
    return seen


def test_hooks() -> None:
    ours, theirs = (hooked(T) for T in ENGINES)
    assert ours == theirs


def hooked_strangely(T):
    seen = []
    fails = T.nn.Identity()
    fails.forward = lambda x: 1 / 0
    fails.register_forward_hook(lambda mod, args, out: seen.append(out), always_call=True)
    fails.register_forward_hook(lambda mod, args, out: seen.append("not called"))
    with pytest.raises(ZeroDivisionError):
        fails(T.ones(1))
    layer = T.nn.Linear(2, 2)
    layer.register_full_backward_hook(lambda mod, gi, go: seen.append((str(gi), go[0].tolist())))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        layer(T.ones(1, 2)).sum().backward()  # the input requires no gradient
    seen.append(len(caught))
    x = T.ones(1, 2, requires_grad=True)
    layer.register_full_backward_pre_hook(lambda mod, go: (go[0] * 3,))
    with T.no_grad():
        seen.append(layer(x).requires_grad)
    layer.weight.data = T.ones(2, 2)
    layer(x).sum().backward()
    seen.append(x.grad.tolist())
    wrong = T.nn.Identity()
    wrong.register_full_backward_hook(lambda mod, gi, go: (gi[0], gi[0]))
    with pytest.raises(RuntimeError):
        wrong(x).sum().backward()
    return seen


def test_hooks_in_strange_places() -> None:
    ours, theirs = (hooked_strangely(T) for T in ENGINES)
    assert ours == theirs


def stateful(T):
    seen = []
    m = net(T)
    m.register_state_dict_pre_hook(lambda mod, prefix, keep: seen.append(("pre", prefix, keep)))
    m.register_state_dict_post_hook(lambda mod, state, prefix, meta: seen.append(("post", len(state), prefix)))
    m.register_load_state_dict_pre_hook(lambda mod, state, prefix, *rest: seen.append(("load", mod is m, len(rest))))
    m.register_load_state_dict_post_hook(lambda mod, keys: keys.missing_keys.clear())
    m.last._register_state_dict_hook(lambda mod, state, prefix, meta: seen.append(("inner", prefix)))
    m.last._register_load_state_dict_pre_hook(lambda state, prefix, *rest: seen.append(("old", prefix)))
    saved = m.state_dict()
    saved.pop("last.a.bias")
    seen.append(str(m.load_state_dict(saved)))
    twin = net(T)
    twin.load_state_dict(m.state_dict(), assign=True)
    seen.append(twin.last.a.weight.data_ptr() == m.last.a.weight.data_ptr())
    kept = m.state_dict(keep_vars=True)
    seen += [kept["last.a.weight"] is m.last.a.weight, m.state_dict()["last.a.weight"].requires_grad]

    class Extra(T.nn.Module):
        def get_extra_state(self):
            return {"a": 1}

        def set_extra_state(self, state):
            seen.append(state)

    e = Extra()
    seen.append(dict(e.state_dict()))
    e.load_state_dict(e.state_dict())
    seen.append(str(e.load_state_dict({}, strict=False)))
    return seen


def test_state_dict_hooks_and_extras() -> None:
    ours, theirs = (stateful(T) for T in ENGINES)
    assert ours == theirs


INITS = [
    "uniform_(x, -1, 2)", "normal_(x, 1, 2)", "constant_(x, 3)", "ones_(x)", "zeros_(x)", "trunc_normal_(x)",
    "trunc_normal_(x, 0.5, 2.0, -1, 1.5)", "trunc_normal_(x, mean=0.0, std=1.0, a=1.0, b=1.5)", "xavier_uniform_(x)",
    "xavier_normal_(x, gain=2.0)", "kaiming_uniform_(x)", "kaiming_uniform_(x, a=1.0, mode='fan_out')",
    "kaiming_normal_(x, nonlinearity='relu')", "orthogonal_(x)", "orthogonal_(x, gain=2)",
]  # fmt: skip


@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (4, 2, 3), (20, 30)])
@pytest.mark.parametrize("code", INITS)
def test_initial_values(code: str, shape: tuple[int, ...]) -> None:
    def filled(T, kind):
        x = T.empty(shape, dtype=getattr(T, kind))
        g = T.Generator().manual_seed(5)
        T.manual_seed(9)
        returned = eval(f"T.nn.init.{code}", {"T": T, "x": x})
        drawn = any(word in code for word in ("uniform", "normal", "orthogonal"))
        again = T.empty(shape, dtype=getattr(T, kind))
        if drawn:
            eval(f"T.nn.init.{code[:-1]}, generator=g)", {"T": T, "x": again, "g": g})
        else:
            again = x
        return returned is x, x.numpy(), again.numpy(), T.rand(1).item()

    for kind in ("float32", "float64"):
        ours, theirs = (filled(T, kind) for T in ENGINES)
        tol = (
            5e-6 if kind == "float32" else 1e-13
        )  # normals come from sines and logarithms, right to the last bit or two
        exact = not any(word in code for word in ("normal", "orthogonal"))
        assert ours[0] is theirs[0] is True
        assert ours[3] == theirs[3]
        for mine, other in zip(ours[1:3], theirs[1:3], strict=True):
            np.testing.assert_allclose(mine, other, rtol=0, atol=0 if exact else tol * np.abs(other).max())


def test_initial_values_of_special_shapes() -> None:
    def filled(T):
        T.manual_seed(2)
        x = T.empty(6, 5)
        found = [T.nn.init.sparse_(x, 0.4).mul(1e6).round().tolist(), T.nn.init.eye_(T.empty(2, 3)).tolist()]
        for shape in ((4, 3, 3), (4, 2, 3, 4), (2, 2, 2, 3, 3)):
            found += [T.nn.init.dirac_(T.empty(shape)).tolist(), T.nn.init.dirac_(T.empty(shape), groups=2).tolist()]
        return found

    ours, theirs = (filled(T) for T in ENGINES)
    assert ours == theirs


def test_parameter() -> None:
    def seen(T):
        data = T.tensor([[1.0, 2.0]])
        p = T.nn.Parameter(data)
        with T.no_grad():
            data.add_(1.0)

        class Mine(T.nn.Parameter):
            pass

        frozen = T.nn.Parameter(T.tensor([1, 2]), requires_grad=False)
        twin = copy.deepcopy([p, p])
        back = pickle.loads(pickle.dumps(p))
        buffer = T.nn.Buffer(data)
        return [
            repr(p), repr(Mine(data)), repr(frozen), p.is_leaf, type(p + 1).__name__, type(p.detach()).__name__,
            type(twin[0]).__name__, twin[0] is twin[1], repr(twin[0]), type(back).__name__, repr(back),
            isinstance(data, T.nn.Parameter), isinstance(buffer, T.nn.Buffer), isinstance(data, T.nn.Buffer),
            type(buffer).__name__, tuple(T.nn.Parameter().shape), p._version, buffer.persistent,
        ]  # fmt: skip

    ours, theirs = (seen(T) for T in ENGINES)
    assert ours == theirs


def test_copies_of_modules() -> None:
    def seen(T):
        m = net(T)
        m.last.a.register_forward_hook(print)
        twin = copy.deepcopy(m)
        found = [
            repr(twin) == repr(m), twin.tied is twin.blocks[0], len(twin.last.a._forward_hooks),
            twin.last.a.weight is m.last.a.weight, twin.last.a.weight.tolist() == m.last.a.weight.tolist(),
            list(twin.state_dict()), [n for n, _ in twin.named_buffers()],
        ]  # fmt: skip
        twin.last.a.weight = T.nn.Parameter(T.zeros(2, 2))
        found.append(twin.last.a(T.ones(2)).tolist() == m.last.a(T.ones(2)).tolist())
        layer = T.nn.Sequential(T.nn.Linear(2, 2), T.nn.BatchNorm1d(2))
        back = pickle.loads(pickle.dumps(layer))
        found += [repr(back), back[0].weight.tolist() == layer[0].weight.tolist(), list(back.state_dict())]
        return found

    ours, theirs = (seen(T) for T in ENGINES)
    assert ours == theirs


def test_zero_grad_and_conversion() -> None:
    def seen(T):
        m = T.nn.Linear(2, 1)
        before = m.weight
        m(T.ones(1, 2)).sum().backward()
        m.zero_grad(set_to_none=False)
        found = [m.weight.grad.tolist(), m.bias.grad.tolist()]
        m(T.ones(1, 2)).sum().backward()
        m.double()
        found += [m.weight is before, str(m.weight.dtype), str(m.weight.grad.dtype), m.weight.grad.tolist()]
        m(T.ones(1, 2, dtype=T.float64)).sum().backward()
        found += [str(m.weight.grad.dtype), m.weight.grad.tolist()]
        m.zero_grad()
        found.append(m.weight.grad)
        return found

    ours, theirs = (seen(T) for T in ENGINES)
    assert ours == theirs


def test_a_model_computes_what_pytorch_computes() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 1, 8, 8))

    def code(T, images):
        T.manual_seed(1)
        nn = T.nn
        m = nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(48, 5)
        ).double()
        out = m(images)
        loss = nn.CrossEntropyLoss()(out, T.tensor([0, 1, 4, 2])) + nn.MSELoss()(out, T.zeros(4, 5, dtype=T.float64))
        loss.backward()
        return [out, loss, *[p.grad for p in m.parameters()]]

    same(code, x, grad=False)

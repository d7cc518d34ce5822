"""Recurrent layers and cells against PyTorch: values, last states, gradients of both orders, packing, errors."""

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

from support.oracle import ENGINES, close, describe, run, same, same_with_leaves, tensor
from support.values import normals

normal = normals(np.random.default_rng(0))

SIZE = {"RNN": 1, "LSTM": 4, "GRU": 3}
IGNORE = pytest.mark.filterwarnings(
    "ignore:LSTM with projections", "ignore:dropout option adds", "ignore:Initializing zero-element"
)


def flat(result: Any) -> list[Any]:
    """Return output and last states as a list."""
    output, states = result
    return [output, *(states if isinstance(states, tuple) else (states,))]


# ------------------------------------------------------------------ layers

OPTIONS = [
    "",
    "bias=False",
    "num_layers=2",
    "num_layers=3, dropout=0.4",
    "num_layers=2, dropout=1.0",
    "batch_first=True",
    "bidirectional=True",
    "num_layers=2, bidirectional=True, batch_first=True, dropout=0.5",
]
LAYERS = [(name, options) for name in SIZE for options in OPTIONS]
LAYERS += [("LSTM", "proj_size=2"), ("LSTM", "num_layers=2, bidirectional=True, proj_size=3, bias=False, dropout=0.5")]
LAYERS += [("RNN", "nonlinearity='relu'"), ("RNN", "num_layers=2, nonlinearity='relu', bidirectional=True")]
ALL = pytest.mark.parametrize(("name", "options"), LAYERS)


def layer(engine: Any, name: str, options: str, kind: str = "float64") -> Any:
    return eval(f"T.nn.{name}(3, 4, {options}{options and ', '}dtype=T.{kind})", {"T": engine})


def states(name: str, options: str, batch: tuple[int, ...] = (2,)) -> list[np.ndarray]:
    """Return first states for the layer."""
    made = layer(ENGINES[0], name, options)
    count = made.num_layers * (2 if made.bidirectional else 1)
    shapes = [(count, *batch, made.proj_size or 4), (count, *batch, 4)]
    return [normal(*shape) for shape in shapes[: 2 if name == "LSTM" else 1]]


def called(module: Any, x: Any, given: tuple[Any, ...]) -> list[Any]:
    return flat(module(x, given if len(given) > 1 else given[0]) if given else module(x))


@IGNORE
@ALL
@pytest.mark.parametrize("with_states", [True, False])
def test_layer(name: str, options: str, with_states: bool) -> None:
    def code(T: Any, x: Any, *given: Any) -> Any:
        module = layer(T, name, options)
        return called(module, x, given), module.parameters()

    same_with_leaves(code, normal(5, 2, 3) if "batch_first" not in options else normal(2, 5, 3),
            *(states(name, options) if with_states else []))  # fmt: skip


@IGNORE
@ALL
def test_layer_unbatched_in_evaluation(name: str, options: str) -> None:
    def code(T: Any, x: Any, *given: Any) -> Any:
        module = layer(T, name, options).eval()
        return called(module, x, given), module.parameters()

    same_with_leaves(code, normal(5, 3), *states(name, options, ()))


@IGNORE
@ALL
@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_layer_in_other_dtypes(name: str, options: str, kind: str) -> None:
    """First gradients only: PyTorch has no second ones for float32."""
    seen = []
    for engine in ENGINES:
        engine.manual_seed(1)
        module = layer(engine, name, options, kind)
        x = tensor(engine, np.linspace(-1, 1, 30, dtype=kind).reshape(5, 2, 3), True)
        outs = flat(module(x))
        total = sum((out * out * (n + 1)).sum() for n, out in enumerate(outs))
        total.backward()
        seen.append([describe(t) for t in (*outs, x.grad, *[p.grad for p in module.parameters()])])
    close(seen[0], seen[1], 2e-5)


@ALL
@IGNORE
@pytest.mark.parametrize("lengths", [[4, 2, 1], [1, 4, 2], [3, 3, 3], [2, 4, 4]])
def test_packed(name: str, options: str, lengths: list[int]) -> None:
    def code(T: Any, x: Any, *given: Any) -> Any:
        module, words = layer(T, name, options), T.nn.utils.rnn
        packed = words.pack_padded_sequence(x, lengths, enforce_sorted=False)
        output, *last = called(module, packed, given)
        assert type(output) is words.PackedSequence
        padded, found = words.pad_packed_sequence(output, batch_first=module.batch_first)
        assert found.tolist() == lengths
        return [output.data, padded, *last], module.parameters()

    same_with_leaves(code, normal(4, 3, 3), *states(name, options, (3,)))
    same_with_leaves(code, normal(4, 3, 3))


@IGNORE
@ALL
def test_other_memory_layouts(name: str, options: str) -> None:
    def code(T: Any, x: Any, *given: Any) -> Any:
        module = layer(T, name, options)
        with T.no_grad():
            for parameter in module.parameters():
                parameter.data = parameter.data.t().contiguous().t() if parameter.dim() == 2 else parameter.data
        given = tuple(g.transpose(0, 2).contiguous().transpose(0, 2) for g in given)
        return called(module, x.transpose(0, 2)[..., ::2], given), module.parameters()

    same_with_leaves(code, normal(6, 2, 2), *states(name, options))


@pytest.mark.parametrize("name", SIZE)
@pytest.mark.parametrize("batch_first", [False, True])
def test_no_sequences(name: str, batch_first: bool) -> None:
    def code(T: Any, x: Any) -> Any:
        module = layer(T, name, f"2, batch_first={batch_first}")
        return flat(module(x)), module.parameters()

    same_with_leaves(code, normal(0, 2, 3) if batch_first else normal(2, 0, 3))


@pytest.mark.parametrize("name", SIZE)
@pytest.mark.parametrize("batch", [1, 3, 40])
def test_one_or_many_sequences(name: str, batch: int) -> None:
    """Small and large batches take different ways inside."""

    def code(T: Any, x: Any) -> Any:
        module = layer(T, name, "")
        return flat(module(x)), module.parameters()

    same_with_leaves(code, normal(6, batch, 3))


@pytest.mark.parametrize("name", SIZE)
def test_only_the_last_state_is_used(name: str) -> None:
    def code(T: Any, x: Any) -> Any:
        module = layer(T, name, "2")
        return flat(module(x))[1:2], module.parameters()

    same_with_leaves(code, normal(4, 2, 3))


@pytest.mark.parametrize("name", SIZE)
def test_frozen_weights(name: str) -> None:
    def code(T: Any, x: Any) -> Any:
        module = layer(T, name, "2").requires_grad_(False)
        return flat(module(x)), []

    same_with_leaves(code, normal(4, 2, 3))


@pytest.mark.parametrize("name", SIZE)
def test_results_may_be_written(name: str) -> None:
    """The way back holds copies of its own."""

    def code(T: Any, x: Any) -> Any:
        module = layer(T, name, "2")
        output, states = module(x)
        for one in flat((output, states)):
            one.mul_(3.0)
        return flat((output, states)), module.parameters()

    same_with_leaves(code, normal(4, 2, 3))


@pytest.mark.parametrize("name", SIZE)
def test_weights_written_before_the_way_back(name: str) -> None:
    def code(T: Any, x: Any) -> Any:
        module = layer(T, name, "")
        loss = module(x)[0].sum()
        with T.no_grad():
            module.weight_hh_l0.mul_(2.0)
        loss.backward()

    same(code, normal(4, 2, 3), grad=False)


@pytest.mark.parametrize("name", SIZE)
def test_state_moves_between_engines(name: str) -> None:
    ours, theirs = (layer(engine, name, "2, bidirectional=True") for engine in ENGINES)
    ours.load_state_dict({k: ENGINES[0].tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    x = normal(4, 2, 3)
    close(describe(ours(ENGINES[0].tensor(x))[0]), describe(theirs(ENGINES[1].tensor(x))[0]), 1e-10)
    theirs.load_state_dict({k: ENGINES[1].tensor(v.numpy() + 0.1) for k, v in ours.state_dict().items()})
    assert list(ours.state_dict()) == list(theirs.state_dict())


FACTS = [
    "_flat_weights_names",
    "_all_weights",
    "__constants__",
    "mode",
    "dropout",
    "proj_size",
    "flatten_parameters()",
    "extra_repr()",
    "get_expected_hidden_size(T.ones(5, 2, 3), None)",
    "get_expected_hidden_size(T.ones(5, 3), T.tensor([3, 2]))",
    "permute_hidden(T.arange(6).view(1, 3, 2), T.tensor([2, 0, 1])).tolist()",
    "permute_hidden(3, None)",
]


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("name", SIZE)
def test_attributes(name: str, fact: str) -> None:
    if name == "LSTM" and fact.startswith("permute_hidden(T"):
        fact = "permute_hidden((T.ones(1, 3, 2), T.arange(6).view(1, 3, 2)), T.tensor([2, 0, 1]))[1].tolist()"
    found = [eval(f"layer(T, {name!r}, '2').{fact}", {"T": engine, "layer": layer}) for engine in ENGINES]
    assert found[0] == found[1]


@pytest.mark.parametrize("name", SIZE)
def test_all_weights(name: str) -> None:
    for engine in ENGINES:
        module = layer(engine, name, "2, bidirectional=True")
        assert [w is p for ws, ps in zip(module.all_weights, _grouped(module), strict=True)
                for w, p in zip(ws, ps, strict=True)] == [True] * 16  # fmt: skip
        assert all(w is p for w, p in zip(module._flat_weights, module.parameters(), strict=True))


def _grouped(module: Any) -> list[list[Any]]:
    found = list(module.parameters())
    return [found[n : n + 4] for n in range(0, 16, 4)]


@pytest.mark.parametrize("name", SIZE)
def test_copies(name: str) -> None:
    module = layer(ENGINES[0], name, "2")
    x = ENGINES[0].tensor(normal(4, 2, 3))
    for made in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        close(describe(made(x)[0]), describe(module(x)[0]), 1e-12)
        with ENGINES[0].no_grad():
            made.weight_ih_l0.mul_(2.0)
        assert made._flat_weights[0] is made.weight_ih_l0
        assert not np.allclose(made(x)[0].detach().numpy(), module(x)[0].detach().numpy())
    single = module.float()
    assert single(x.float())[0].dtype is ENGINES[0].float32


# ------------------------------------------------------------------ errors and warnings

BAD = """
RNN(3, 4, proj_size=2)
GRU(3, 4, proj_size=2)
RNN(3, 4, nonlinearity='x')
LSTM(3, 4, 0)
LSTM(0, 4)
LSTM(3, 0)
LSTM(3, 4, proj_size=4)
LSTM(3, 4, proj_size=-1)
LSTM(3, 4, dropout=1.5)
LSTM(3, 4, dropout=True)
LSTM(3, 4, dropout='a')
LSTM(3, 4, bias=1)
LSTM(3, 4, batch_first=1)
LSTM(3., 4)
LSTM(3, 4.)
RNNBase('X', 3, 4)
RNNBase('LSTM', 3, 4)(T.ones(2, 2, 3))
LSTM(3, 4)(T.ones(0, 2, 3))
GRU(3, 4)(T.ones(0, 2, 3))
RNN(3, 4)(T.ones(0, 3))
LSTM(3, 4)(T.ones(3))
GRU(3, 4)(T.ones(2, 3, 3, 3))
LSTM(3, 4)(T.ones(2, 2, 5))
LSTM(3, 4)(T.ones(2, 2, 3).double())
LSTM(3, 4)(T.ones(2, 2, 3).long())
LSTM(3, 4)(T.ones(2, 2, 3), (T.ones(1, 3, 4), T.ones(1, 2, 4)))
LSTM(3, 4)(T.ones(2, 2, 3), (T.ones(1, 2, 4), T.ones(1, 3, 4)))
LSTM(3, 4)(T.ones(2, 2, 3), (T.ones(2, 4), T.ones(2, 4)))
LSTM(3, 4)(T.ones(2, 3), (T.ones(1, 2, 4), T.ones(1, 2, 4)))
GRU(3, 4)(T.ones(2, 2, 3), T.ones(1, 2, 4).double())
GRU(3, 4)(T.ones(2, 2, 3), T.ones(2, 4))
GRU(3, 4)(T.ones(2, 3), T.ones(1, 2, 4))
GRU(3, 4)(T.ones(2, 2, 3), T.ones(1, 3, 4))
RNN(3, 4, batch_first=True)(T.ones(2, 5, 3), T.ones(1, 5, 4))
LSTMCell(3, 4)(T.ones(2, 2, 3))
LSTMCell(3, 4)(T.ones(2, 5))
LSTMCell(3, 4)(T.ones(2, 3).double())
LSTMCell(3, 4)(T.ones(2, 3), (T.ones(3, 4), T.ones(3, 4)))
LSTMCell(3, 4)(T.ones(2, 3), (T.ones(2, 4), T.ones(3, 4)))
LSTMCell(3, 4)(T.ones(2, 3), (T.ones(2, 5), T.ones(2, 5)))
LSTMCell(3, 4)(T.ones(2, 3), (T.ones(2, 4), T.ones(2, 5)))
LSTMCell(3, 4)(T.ones(3), (T.ones(1, 4), T.ones(1, 4)))
GRUCell(3, 4)(T.ones(2, 3), T.ones(3, 4))
GRUCell(3, 4)(T.ones(3), T.ones(1, 4))
GRUCell(3, 4)(T.ones(1, 2, 3))
GRUCell(3, 4)(T.ones(2, 3), T.ones(1, 2, 4))
GRUCell(3, 4)(T.ones(2, 3), T.ones(2, 4).double())
RNNCell(3, 4, nonlinearity='x')(T.ones(2, 3))
utils.rnn.pack_padded_sequence(T.ones(3, 2, 1), [3])
utils.rnn.pack_padded_sequence(T.ones(3, 0, 2), [])
utils.rnn.pad_packed_sequence(utils.rnn.pack_padded_sequence(T.ones(3, 2), [2, 1]), total_length=1)
utils.rnn.pad_sequence([])
utils.rnn.pad_sequence(3)
utils.rnn.pad_sequence([T.ones(2), T.ones(3)], padding_side='up')
utils.rnn.PackedSequence(T.ones(3))
utils.rnn.PackedSequence(T.ones(3), T.tensor([2, 1])).to(dtype=T.float64, copy=True)
"""
LOOSE = """
GRU(3, 4, nope=1)
RNN(3, 4, 1, 'relu', nonlinearity='tanh')
RNN()
LSTM(3)
LSTM(3, 4)(3)
GRU(3, 4)(T.ones(2, 2, 3), (T.ones(1, 2, 4),))
LSTM(3, 4)(T.ones(2, 2, 3), T.ones(1, 2, 4))
LSTMCell(3, 4)([1, 2])
LSTMCell(3, 4)(T.ones(2, 3), T.ones(2, 4))
LSTMCell(3, 4)(T.ones(2, 3), (T.ones(2, 4),) * 3)
utils.rnn.pack_padded_sequence(T.ones(3, 2, 1), [2, 3])
utils.rnn.pack_padded_sequence(T.ones(3, 2, 1), [3, 0])
utils.rnn.pack_padded_sequence(T.ones(3, 2, 1), [3, -1])
utils.rnn.pack_padded_sequence(T.ones(3), [3])
utils.rnn.pack_padded_sequence(T.ones(3, 2), T.tensor([[3, 2]]))
utils.rnn.pack_padded_sequence([[1.0]], [1])
utils.rnn.pack_sequence([T.ones(2), T.ones(3)])
utils.rnn.pack_sequence([])
utils.rnn.pad_packed_sequence(3)
utils.rnn.pad_packed_sequence(utils.rnn.PackedSequence(T.ones(3), T.tensor([1, 2])))
utils.rnn.pad_packed_sequence(utils.rnn.PackedSequence(T.ones(2), T.tensor([2, 1])))
utils.rnn.pad_packed_sequence(utils.rnn.PackedSequence(T.ones(3), T.tensor([], dtype=T.int64)))
utils.rnn.pad_sequence([T.ones(2, 1), T.ones(3, 2)])
utils.rnn.pad_sequence([T.ones(()), T.ones(())])
utils.rnn.pad_sequence([T.ones(2), [1.0]])
utils.rnn.unpad_sequence(T.ones(2, 3), T.tensor([2, 3, 1]), True)
utils.rnn.unpad_sequence(T.ones(2, 3), [2, 3], True)
utils.rnn.invert_permutation(T.tensor([2, 0, 5]))
utils.rnn.invert_permutation(T.tensor([2.0, 0, 1]))
utils.rnn.PackedSequence(T.ones(3), [2, 1])
utils.rnn.PackedSequence(T.ones(3), T.tensor([2, 1])).cuda()
GRU(1, 2)(utils.rnn.PackedSequence(T.ones(3, 1), T.tensor([1, 2])))
GRU(1, 2)(utils.rnn.PackedSequence(T.ones(3, 1), T.tensor([2, 1], dtype=T.int32)))
GRU(1, 2)(utils.rnn.PackedSequence(T.ones(0, 1), T.tensor([], dtype=T.int64)))
GRU(1, 2)(utils.rnn.PackedSequence(T.ones(2), T.tensor([2])))
"""


def errors(code: str) -> list[Any]:
    return [run(lambda T: eval(f"T.nn.{code}", {"T": T, "utils": T.nn.utils}), e, (), False, False) for e in ENGINES]


@IGNORE
@pytest.mark.parametrize("code", BAD.strip().splitlines())
def test_error_says_what_pytorch_says(code: str) -> None:
    ours, theirs = errors(code)
    assert theirs.error is not None, f"PyTorch accepts {code}"
    assert type(ours.error) is type(theirs.error), f"PyTorch {theirs.error!r}, rushlight {ours.error!r} {ours.results}"
    assert str(ours.error) == str(theirs.error)


@IGNORE
@pytest.mark.parametrize("code", LOOSE.strip().splitlines())
def test_error_is_of_the_type_of_pytorch(code: str) -> None:
    ours, theirs = errors(code)
    assert theirs.error is not None, f"PyTorch accepts {code}"
    assert type(ours.error) is type(theirs.error), f"PyTorch {theirs.error!r}, rushlight {ours.error!r} {ours.results}"
    assert str(ours.error)


@pytest.mark.parametrize("code", ["LSTM(3, 4, dropout=0.5)", "GRU(3, 4, 1, dropout=1)", "RNN(3, 4, 2, dropout=0.5)"])
def test_dropout_in_vain_warns(code: str) -> None:
    said = []
    for engine in ENGINES:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            eval(f"T.nn.{code}", {"T": engine})
        said.append([(w.category, str(w.message)) for w in seen])
    assert said[0] == said[1]

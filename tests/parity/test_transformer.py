"""The transformer modules and the adaptive softmax, against PyTorch: values, gradients, masks, texts and draws."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import rushlight
from support.messages import in_words
from support.oracle import ENGINES, close, describe, same

# PyTorch says that it cannot use nested tensors here, which rushlight has not; and that masks of two dtypes are old.
pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor|.*mismatched:UserWarning")

rng = np.random.default_rng(3)
SRC, TGT = rng.normal(size=(2, 5, 8)), rng.normal(size=(2, 4, 8))
PADDED = np.array([[False, False, False, True, True], [False, False, False, False, True]])
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "norm first": {"norm_first": True, "activation": "gelu"},
    "no bias": {"bias": False, "dropout": 0.0},
    "batch first": {"batch_first": True, "layer_norm_eps": 1e-3},
    "callable": {"activation": "SiLU", "dropout": 0.5, "batch_first": True, "norm_first": True},
}


def options_of(T: Any, kind: str, module: bool = False) -> dict[str, Any]:
    options = {"dim_feedforward": 16, **KINDS[kind], "dtype": T.float64}
    if options.get("activation") == "SiLU":
        options["activation"] = T.nn.SiLU() if module else T.nn.functional.silu
    return options


def laid(T: Any, x: np.ndarray, options: dict[str, Any]) -> Any:
    """The data as the module wants it, as a leaf."""
    return T.tensor(x if options.get("batch_first") else x.swapaxes(0, 1).copy(), requires_grad=True)


def both(code: Any, *args: Any) -> None:
    ours, theirs = (describe(code(T, *args)) for T in ENGINES)
    close(ours, theirs, 1e-5)


def with_gradients(T: Any, module: Any, out: Any, *leaves: Any) -> list[Any]:
    drawn = T.rand(1)
    used = [*leaves, *module.parameters()]
    return [out, drawn, *T.autograd.grad((out * out.sin()).sum(), used)]


MASKS: dict[str, dict[str, Any]] = {
    "none": {},
    "causal": {"mask": np.triu(np.full((5, 5), -np.inf), 1)},
    "causal, said so": {"mask": np.triu(np.full((5, 5), -np.inf), 1), "is_causal": True},
    "bool": {"mask": np.triu(np.ones((5, 5), bool), 2)},
    "padding": {"src_key_padding_mask": PADDED},
    "both": {"mask": np.triu(np.full((5, 5), -np.inf), 1), "src_key_padding_mask": PADDED, "is_causal": True},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("which", MASKS)
@pytest.mark.parametrize("training", [True, False])
def test_encoder(kind: str, which: str, training: bool) -> None:
    def code(T: Any) -> Any:
        options = options_of(T, kind, module=True)
        T.manual_seed(1)
        layer = T.nn.TransformerEncoderLayer(8, 2, **options)
        norm = T.nn.LayerNorm(8, dtype=T.float64) if kind == "plain" else None
        encoder = T.nn.TransformerEncoder(layer, 2, norm).train(training)
        words = {k: T.tensor(v) if isinstance(v, np.ndarray) else v for k, v in MASKS[which].items()}
        x = laid(T, SRC, options)
        return with_gradients(T, encoder, encoder(x, **words), x)

    both(code)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("training", [True, False])
def test_decoder(kind: str, training: bool) -> None:
    def code(T: Any, masked: bool) -> Any:
        options = options_of(T, kind)
        T.manual_seed(2)
        decoder = T.nn.TransformerDecoder(T.nn.TransformerDecoderLayer(8, 4, **options), 2).train(training)
        x, memory = laid(T, TGT, options), laid(T, SRC, options)
        words: dict[str, Any] = {}
        if masked:
            words["tgt_mask"] = T.nn.Transformer.generate_square_subsequent_mask(4, dtype=T.float64)
            words["memory_key_padding_mask"] = T.tensor(PADDED)
            words["memory_mask"] = T.tensor(np.eye(4, 5, 4, bool))
            words["tgt_key_padding_mask"] = T.tensor(PADDED[:, 1:])
        return with_gradients(T, decoder, decoder(x, memory, **words), x, memory)

    both(code, False)
    both(code, True)


@pytest.mark.parametrize("kind", KINDS)
def test_transformer(kind: str) -> None:
    def code(T: Any) -> Any:
        options = options_of(T, kind)
        T.manual_seed(3)
        model = T.nn.Transformer(8, 2, 2, 1, **options)
        first = [p.detach().clone() for p in model.parameters()]
        x, y = laid(T, SRC, options), laid(T, TGT, options)
        causal = model.generate_square_subsequent_mask(4, dtype=T.float64)
        words = {"tgt_mask": causal, "src_key_padding_mask": T.tensor(PADDED)}
        out = model(x, y, **words, memory_key_padding_mask=T.tensor(PADDED), tgt_is_causal=True)
        one = model.eval()(x[0, :, :] if options.get("batch_first") else x[:, 0], y[0] * 1.0 if options.get(
            "batch_first") else y[:, 0])  # fmt: skip
        return [*first, one, *with_gradients(T, model, out, x, y)]

    both(code)


def test_copies_keep_a_module_as_activation() -> None:
    """In PyTorch the copies in a decoder lose it without a word, and use relu."""
    rushlight.manual_seed(0)
    layer = rushlight.nn.TransformerDecoderLayer(8, 2, 16, dropout=0.0, activation=rushlight.nn.SiLU())
    x = rushlight.randn(3, 1, 8)
    assert rushlight.equal(rushlight.nn.TransformerDecoder(layer, 1)(x, x), layer(x, x))


def test_double_backward() -> None:
    for kind in ("plain", "norm first"):

        def code(T: Any, x: Any, kind: str = kind) -> Any:
            T.manual_seed(4)
            options = options_of(T, kind) | {"dropout": 0.0, "activation": T.nn.functional.gelu}
            layer = T.nn.TransformerEncoderLayer(8, 2, **options)
            # with a mask that requires grad PyTorch takes the attention that has a second derivative
            mask = T.zeros(5, 5, dtype=T.float64, requires_grad=True)
            return layer(x, mask)

        same(code, SRC)


def texts(T: Any) -> list[Any]:
    said: list[Any] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in KINDS:
            model = T.nn.Transformer(8, 2, 1, 2, **options_of(T, kind, module=True))
            encoder, decoder = model.encoder, model.decoder
            said += [repr(model), list(model.state_dict()), [tuple(p.shape) for p in model.parameters()]]
            said += [encoder.num_layers, decoder.num_layers, model.d_model, model.nhead, model.batch_first]
            said.append(encoder.layers[0].norm_first)
            twin = pickle.loads(pickle.dumps(copy.deepcopy(model)))
            said.append(str(twin.load_state_dict(model.state_dict())))
            layer = T.nn.TransformerEncoderLayer(8, 2, 16)
            stack = T.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False, mask_check=False)
            said.append(len({id(p) for p in stack.parameters()} | {id(p) for p in layer.parameters()}))
            said.append([p.tolist() for p in stack.layers[0].parameters()] == [p.tolist() for p in layer.parameters()])
    return said


def test_names_and_texts() -> None:
    ours, theirs = (texts(T) for T in ENGINES)
    assert ours == theirs


def test_first_values_in_single() -> None:
    def code(T: Any) -> Any:
        T.manual_seed(5)
        model = T.nn.Transformer(8, 2, 1, 1, 16)
        return [*model.parameters(), T.rand(1)]

    both(code)


def test_state_travels_both_ways() -> None:
    ours, theirs = ENGINES

    def made(T: Any, seed: int) -> Any:
        T.manual_seed(seed)
        return T.nn.Transformer(8, 2, 1, 1, 16, batch_first=True).eval()

    a, b = made(ours, 1), made(theirs, 2)
    b.load_state_dict({k: theirs.tensor(v.numpy()) for k, v in a.state_dict().items()})
    src, tgt = SRC.astype("f4"), TGT.astype("f4")
    close(describe(a(ours.tensor(src), ours.tensor(tgt))), describe(b(theirs.tensor(src), theirs.tensor(tgt))), 1e-5)
    c = made(ours, 3)
    c.load_state_dict({k: ours.tensor(v.numpy()) for k, v in b.state_dict().items()})
    assert all(bool((p == q).all()) for p, q in zip(a.parameters(), c.parameters(), strict=True))


def test_own_stacks() -> None:
    def code(T: Any) -> Any:
        class Half(T.nn.Module):  # type: ignore[misc, name-defined]
            def forward(self, x: Any, *rest: Any, **words: Any) -> Any:
                return x * 0.5

        model = T.nn.Transformer(8, 2, custom_encoder=Half(), custom_decoder=Half())
        return model(T.tensor(SRC), T.tensor(SRC)), list(model.state_dict())

    both(code)


def test_subsequent_mask() -> None:
    same(lambda T: T.nn.Transformer.generate_square_subsequent_mask(4))
    same(lambda T: T.nn.Transformer.generate_square_subsequent_mask(2, dtype=T.float64, device="cpu"))
    same(lambda T: T.nn.Transformer.generate_square_subsequent_mask(0))


def test_refused() -> None:
    in_words(lambda T: T.nn.TransformerEncoderLayer(8, 2, activation="tanh"))
    same(lambda T: T.nn.TransformerDecoderLayer(8, 3))

    def model(T: Any, *shapes: Any, **words: Any) -> Any:
        net = T.nn.Transformer(8, 2, 1, 1, 16)
        return net(*[T.zeros(*s) for s in shapes], **{k: T.zeros(*v) for k, v in words.items()})

    for shapes, words in [
        (((3, 2, 8), (3, 1, 8)), {}),
        (((3, 2, 8), (3, 8)), {}),
        (((3, 2, 7), (3, 2, 7)), {}),
        (((3, 2, 8), (3, 2, 7)), {}),
        (((3, 2, 8), (4, 2, 8)), {"src_mask": (3, 4)}),
        (((3, 2, 8), (4, 2, 8)), {"tgt_mask": (3, 3)}),
        (((3, 2, 8), (4, 2, 8)), {"memory_key_padding_mask": (2, 4)}),
    ]:
        same(lambda T, s=shapes, w=words: model(T, *s, **w))

    def layer(T: Any, **words: Any) -> Any:
        return T.nn.TransformerEncoderLayer(8, 2, 16)(T.zeros(3, 2, 8), **words)

    same(lambda T: layer(T, is_causal=True))
    same(lambda T: layer(T, src_mask=T.zeros(3, 3, dtype=T.int64)))
    same(lambda T: layer(T, src_key_padding_mask=T.zeros(2, 3, dtype=T.int64)))


def test_masks_of_two_dtypes_warn() -> None:
    seen = []
    for T in ENGINES:
        layer = T.nn.TransformerEncoderLayer(8, 2, 16)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            layer(T.zeros(3, 2, 8), T.zeros(3, 3), T.zeros(2, 3, dtype=T.bool))
        seen.append([str(w.message) for w in caught])
    assert seen[0] == seen[1]
    assert len(seen[0]) == 1


# ------------------------------------------------------------------ adaptive softmax


def adaptive(T: Any, x: Any, target: Any, **options: Any) -> Any:
    T.manual_seed(6)
    layer = T.nn.AdaptiveLogSoftmaxWithLoss(16, 30, [5, 12], dtype=T.float64, **options)
    made = layer(x, target)
    found = [*layer.parameters(), made.output, made.loss]
    if x.ndim == 2:
        found += [layer.log_prob(x), layer.predict(x)]
    return found


@pytest.mark.parametrize("options", [{}, {"head_bias": True}, {"div_value": 2.0}])
def test_adaptive_softmax(options: dict[str, Any]) -> None:
    x = rng.normal(size=(7, 16))
    for target in ([0, 5, 29, 12, 4, 11, 5], [1, 2, 3, 4, 0, 1, 2], [29, 28, 20, 13, 14, 15, 16]):
        same(lambda T, x, t: adaptive(T, x, t, **options), x, np.array(target))
    same(lambda T, x, t: adaptive(T, x, t, **options), x[0], np.array(13))
    same(lambda T, x, t: adaptive(T, x, t, **options), x[0], np.array(2))
    same(lambda T, x, t: adaptive(T, x, t.int(), **options), x, np.arange(7), grad=False)


def test_adaptive_softmax_of_nothing() -> None:
    same(adaptive, np.zeros((0, 16)), np.zeros(0, np.int64), grad=False)


def test_adaptive_softmax_texts() -> None:
    def seen(T: Any) -> Any:
        layer = T.nn.AdaptiveLogSoftmaxWithLoss(16, 30, (5, 12), 2.0, True)
        T.manual_seed(7)
        layer.reset_parameters()
        facts = ("in_features", "n_classes", "cutoffs", "shortlist_size", "n_clusters", "head_size", "div_value")
        return [repr(layer), list(layer.state_dict()), [getattr(layer, f) for f in facts], T.rand(1).item()]

    ours, theirs = (seen(T) for T in ENGINES)
    assert ours == theirs


def test_adaptive_softmax_refused() -> None:
    for cutoffs in ([], [0, 5], [5, 5], [5, 30], [5.5, 6], [6, 5], [-1]):
        same(lambda T, c=cutoffs: T.nn.AdaptiveLogSoftmaxWithLoss(16, 30, c))
    x = rng.normal(size=(4, 16))
    for target in ([0, 5, 30, 1], [0, -1, 2, 3], [1, 2], [[1, 2, 3, 4]]):
        same(adaptive, x, np.array(target), grad=False)
    same(adaptive, x[0], np.array([1, 2, 3, 4]), grad=False)
    same(adaptive, x[:, :3], np.array([1, 2, 3, 4]), grad=False)
    same(adaptive, x, np.ones(4), grad=False)

"""Attention in all its forms, against PyTorch: masks, causality, shared heads, dropout, and MultiheadAttention."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest

import rushlight
from support.messages import in_words, real
from support.oracle import ENGINES, close, describe, same

SDPA = "scaled_dot_product_attention"


def masks(lead: tuple[int, ...], queries: int, keys: int, dtype: str) -> dict[str, Any]:
    """Masks of every kind by name; some hide all keys from a query."""
    allowed = np.random.default_rng(2).random((*lead, queries, keys)) > 0.4
    allowed[..., 1, :] = False
    small = allowed[(0,) * len(lead)]
    added = np.where(allowed, real(*allowed.shape), -np.inf).astype(dtype)
    return {
        "none": None,
        "bool": small,
        "bool by head": allowed,
        "float": real(queries, keys, dtype=dtype),
        "float, -inf": added,
        "one row": allowed[..., :1, :],
    }


def once(T: Any, out: Any, *leaves: Any) -> Any:
    """The result and first gradients: PyTorch's fused attention has no second ones."""
    return out.detach(), T.autograd.grad((out * out).sum(), [x for x in leaves if x is not None])


@pytest.mark.parametrize("lead", [(2, 3), (2,), (2, 1)])
@pytest.mark.parametrize("which", ["none", "bool", "bool by head", "float", "float, -inf", "one row"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_masks(lead: tuple[int, ...], which: str, dtype: str) -> None:
    mask = masks(lead, 4, 5, dtype)[which]

    def attend(T: Any, q: Any, k: Any, v: Any) -> Any:
        m = None if mask is None else T.tensor(mask)
        return once(T, getattr(T.nn.functional, SDPA)(q, k, v, m), q, k, v)

    arrays = [real(*lead, n, d, dtype=dtype) for n, d in ((4, 3), (5, 3), (5, 2))]
    same(lambda T, *x: attend(T, *(t.requires_grad_() for t in x)), *arrays, grad=False)


@pytest.mark.parametrize("size", [1.0, 30.0, 1e4])
def test_large_scores(size: float) -> None:
    """Where exp would overflow the scores are shifted; where they are small, they are not."""
    q, k, v = (real(2, 2, n, 3, dtype="float32") for n in (4, 5, 5))

    def attend(T: Any, q: Any, k: Any, v: Any) -> Any:
        return once(T, getattr(T.nn.functional, SDPA)(q, k, v), q, k, v)

    same(lambda T, *x: attend(T, *(t.requires_grad_() for t in x)), q * np.float32(size), k, v, grad=False, tol=1e-4)


@pytest.mark.parametrize(("queries", "keys"), [(4, 4), (5, 3), (3, 5), (1, 4), (0, 3), (3, 0)])
def test_causal(queries: int, keys: int) -> None:
    q, k, v = (real(2, 3, n, 4) for n in (queries, keys, keys))

    def attend(T: Any, q: Any, k: Any, v: Any) -> Any:
        return once(T, getattr(T.nn.functional, SDPA)(q, k, v, is_causal=True, scale=0.7), q, k, v)

    same(lambda T, *x: attend(T, *(t.requires_grad_() for t in x)), q, k, v, grad=False)


@pytest.mark.parametrize(("place", "odds"), [(0, (np.inf, -np.inf)), (1, (np.nan, np.inf, -np.inf)), (2, (np.nan,))])
def test_nan_and_infinity(place: int, odds: tuple[float, ...]) -> None:
    for odd in odds:
        arrays = [real(1, 2, n, 3) for n in (4, 5, 5)]
        arrays[place][0, 0, 1, 0] = odd
        same(lambda T, *x: getattr(T.nn.functional, SDPA)(*x), *arrays, grad=False)


def test_nan_in_a_query_is_seen() -> None:
    """PyTorch gives NaN or zeros for it, as its loops have it; here it is always NaN, in that row alone."""
    q, k, v = (rushlight.ones(2, 3, 4) for _ in range(3))
    q[0, 1, 2] = float("nan")
    out = rushlight.nn.functional.scaled_dot_product_attention(q, k, v)
    assert out.isnan()[..., 0].tolist() == [[False, True, False], [False] * 3]


def test_layouts_and_broadcasting() -> None:
    def heads(T: Any, x: Any) -> Any:  # as a GPT takes them from one product
        q, k, v = x.reshape(2, 4, 3, 2, 5).permute(2, 0, 3, 1, 4)
        out = getattr(T.nn.functional, SDPA)(q, k, v, is_causal=True)
        return once(T, out.transpose(1, 2).reshape(2, 4, 10), x)

    same(lambda T, x: heads(T, x.requires_grad_()), real(2, 4, 30), grad=False)
    same(lambda T, q, k, v: getattr(T.nn.functional, SDPA)(q, k, v), real(2, 3, 4, 5), real(1, 3, 6, 5), real(3, 6, 2))


def test_second_derivatives() -> None:
    """Masks that hide everything from a query too: its gradients are zero, and so are theirs."""
    q, k, v = real(4, 2), real(3, 2), real(3, 3)
    mask = real(4, 3)
    mask[1] = -np.inf
    mask[2, 0] = -np.inf

    def attend(T: Any, q: Any, k: Any, v: Any, m: Any) -> Any:
        m = m.requires_grad_()  # with a mask that requires grad PyTorch takes the path of many steps
        return getattr(T.nn.functional, SDPA)(q, k, v, m)

    same(attend, q, k, v, mask)


def test_shared_heads() -> None:
    for heads in (1, 2, 4):
        arrays = real(2, 4, 3, 5), real(2, heads, 3, 5), real(2, heads, 3, 5)

        def attend(T: Any, q: Any, k: Any, v: Any) -> Any:
            return once(T, getattr(T.nn.functional, SDPA)(q, k, v, enable_gqa=True), q, k, v)

        same(lambda T, *x, f=attend: f(T, *(t.requires_grad_() for t in x)), *arrays, grad=False)


def test_refused() -> None:
    x = real(2, 3, 4, 5)
    same(lambda T, q: getattr(T.nn.functional, SDPA)(q, q, q, T.zeros(4, 3, dtype=T.float64)), x)
    same(lambda T, q: getattr(T.nn.functional, SDPA)(q, q, q, T.zeros(4, 4)), x, grad=False)
    same(lambda T, q: getattr(T.nn.functional, SDPA)(q, q, q, T.zeros(4, 4, dtype=T.float16)), x, grad=False)
    same(lambda T, q: getattr(T.nn.functional, SDPA)(q, q, q, dropout_p=1.5), x)
    same(lambda T, q: getattr(T.nn.functional, SDPA)(q, q[:, :2], q[:, :2], enable_gqa=True), x)
    same(lambda T, q, m: getattr(T.nn.functional, SDPA)(q, q, q, m, is_causal=True), x, real(4, 4))
    same(lambda T, q, m: getattr(T.nn.functional, SDPA)(q, q, q, m, is_causal=True), x, real(4, 4), grad=False)
    same(lambda T, q, m: getattr(T.nn.functional, SDPA)(q, q, q, m > -1, is_causal=True), x, real(4, 4), grad=False)


@pytest.mark.parametrize("p", [0.3, 1.0])
def test_dropout(p: float) -> None:
    def attend(T: Any, q: Any, k: Any, v: Any) -> Any:
        T.manual_seed(3)
        return getattr(T.nn.functional, SDPA)(q, k, v, dropout_p=p), T.rand(1)

    same(attend, real(2, 4, 3), real(2, 5, 3), real(2, 5, 3))


# ------------------------------------------------------------------ MultiheadAttention

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no bias": {"bias": False},
    "batch first": {"batch_first": True},
    "other widths": {"kdim": 3, "vdim": 5},
    "further keys": {"add_bias_kv": True, "add_zero_attn": True},
    "zero key": {"add_zero_attn": True, "dropout": 0.4},
    "all": {"kdim": 3, "vdim": 5, "add_bias_kv": True, "add_zero_attn": True, "batch_first": True, "dropout": 0.3},
}


def layer(T: Any, **options: Any) -> Any:
    T.manual_seed(4)
    made = T.nn.MultiheadAttention(6, 2, **options, dtype=T.float64)
    with T.no_grad():
        for p in made.parameters():
            p.add_(0.1)  # so that no bias is zero
    return made


def used(T: Any, options: dict[str, Any], own: bool, words: dict[str, Any], training: bool = True) -> Any:
    """What a layer gives, its gradients, and what is drawn next."""
    attend = layer(T, **options).train(training)
    shapes = [(3, 2, 6), (4, 2, options.get("kdim", 6)), (4, 2, options.get("vdim", 6))]
    rng = np.random.default_rng(5)
    inputs = [T.tensor(rng.normal(size=s), requires_grad=True) for s in shapes]
    if options.get("batch_first"):
        inputs = [x.transpose(0, 1).detach().contiguous().requires_grad_() for x in inputs]
    query, key, value = inputs if not own else inputs[:1] * 3
    words = {k: T.tensor(v) if isinstance(v, np.ndarray) else v for k, v in words.items()}
    T.manual_seed(6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out, weights = attend(query, key, value, **words)
    drawn = T.rand(1)
    leaves = [*(inputs[:1] if own else inputs), *attend.parameters()]
    total = (out * out).sum() if weights is None else (out * out).sum() + (weights * weights).sum()
    return [out, weights, drawn, *T.autograd.grad(total, leaves)]


def both(code: Any, *args: Any) -> None:
    ours, theirs = (describe(code(T, *args)) for T in ENGINES)
    close(ours, theirs, 1e-5)


HIDDEN = np.array([[False, True, False, False], [False, False, False, True]])
WORDS: dict[str, dict[str, Any]] = {
    "none": {},
    "padding": {"key_padding_mask": HIDDEN},
    "float padding": {"key_padding_mask": np.where(HIDDEN, -1.5, 0.25)},
    "mask": {"attn_mask": np.triu(np.ones((3, 4), bool), 2)},
    "float mask": {"attn_mask": np.random.default_rng(0).normal(size=(3, 4))},
    "mask by head": {"attn_mask": np.random.default_rng(1).random((4, 3, 4)) > 0.7},
    "both": {"attn_mask": np.triu(np.full((3, 4), -np.inf), 2), "key_padding_mask": HIDDEN},
    "by head": {"average_attn_weights": False},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("need_weights", [True, False])
def test_layer(kind: str, words: str, need_weights: bool) -> None:
    both(used, KINDS[kind], False, WORDS[words] | {"need_weights": need_weights})


@pytest.mark.parametrize("training", [True, False])
def test_layer_to_itself(training: bool) -> None:
    mask = np.triu(np.full((3, 3), -np.inf), 1)
    for options in (KINDS["plain"], KINDS["batch first"], KINDS["zero key"]):
        both(used, options, True, {}, training)
        both(used, options, True, {"attn_mask": mask, "need_weights": False}, training)
        if not options.get("add_zero_attn"):
            both(used, options, True, {"attn_mask": mask, "is_causal": True, "need_weights": False}, training)


def unbatched(T: Any, words: dict[str, Any]) -> Any:
    attend = layer(T)
    x, y = T.tensor(real_x), T.tensor(real_y)
    words = {k: T.tensor(v) if isinstance(v, np.ndarray) else v for k, v in words.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [*attend(x, y, y, **words), *attend(y, y, y)]


real_x, real_y = real(3, 6), real(4, 6)


def test_without_a_batch() -> None:
    for words in (
        {},
        {"key_padding_mask": HIDDEN[0]},
        {"attn_mask": WORDS["mask"]["attn_mask"]},
        {"attn_mask": np.random.default_rng(1).random((2, 3, 4)) > 0.7, "average_attn_weights": False},
        {"need_weights": False},
    ):
        both(unbatched, words)


def test_rows_that_may_look_at_nothing() -> None:
    """They are zero before the last projection, as in PyTorch without weights; with weights it has NaN."""
    hidden = np.zeros((3, 4), bool)
    hidden[1] = True

    def code(T: Any, need: bool) -> Any:
        x, y = T.tensor(real(3, 1, 6) * 0 + 0.3), T.tensor(real(4, 1, 6) * 0 + 0.2)
        return list(layer(T)(x, y, y, attn_mask=T.tensor(hidden), need_weights=need))

    both(code, False)
    ours, theirs = ([part.detach().numpy() for part in code(T, True)] for T in ENGINES)
    np.testing.assert_allclose(ours[0], code(ENGINES[0], False)[0].detach().numpy(), rtol=1e-6)
    np.testing.assert_array_equal(ours[1][:, 1], 0)
    np.testing.assert_allclose(ours[0][[0, 2]], theirs[0][[0, 2]], rtol=1e-6)
    np.testing.assert_allclose(ours[1][:, [0, 2]], theirs[1][:, [0, 2]], rtol=1e-6)


def test_second_derivatives_of_the_layer() -> None:
    def code(T: Any, x: Any) -> Any:
        out, weights = layer(T)(x, x, x)
        return out, weights

    same(code, real(3, 2, 6))


FACTS = ("embed_dim", "kdim", "vdim", "num_heads", "dropout", "batch_first", "head_dim", "add_zero_attn")


def seen(T: Any) -> Any:
    said = []
    for options in KINDS.values():
        attend = layer(T, **options)
        said += [repr(attend), list(attend.state_dict()), [tuple(p.shape) for p in attend.parameters()]]
        said += [{name: getattr(attend, name) for name in FACTS}]
        twin = copy.deepcopy(attend)
        said.append(str(twin.load_state_dict(attend.state_dict())))
    return said


def test_names_and_texts() -> None:
    ours, theirs = (seen(T) for T in ENGINES)
    assert ours == theirs


@pytest.mark.parametrize("kind", KINDS)
def test_first_values(kind: str) -> None:
    def code(T: Any) -> Any:
        T.manual_seed(11)
        made = T.nn.MultiheadAttention(6, 3, **KINDS[kind])
        return [*made.parameters(), T.rand(1)]

    both(code)


def test_state_travels_both_ways() -> None:
    ours, theirs = ENGINES
    a, b = layer(ours, **KINDS["all"]), layer(theirs, **KINDS["all"])
    with ours.no_grad():
        for p in a.parameters():
            p.mul_(2)
    b.load_state_dict({k: theirs.tensor(v.numpy()) for k, v in a.state_dict().items()})
    again = layer(ours, **KINDS["all"])
    again.load_state_dict({k: ours.tensor(v.numpy()) for k, v in b.state_dict().items()})
    assert all(bool((p == q).all()) for p, q in zip(a.parameters(), again.parameters(), strict=True))
    close(describe(list(again.eval()(*inputs(ours)))), describe(list(b.eval()(*inputs(theirs)))), 1e-5)


def inputs(T: Any) -> Any:
    return [T.ones(2, n, d, dtype=T.float64) * 0.5 for n, d in ((3, 6), (4, 3), (4, 5))]


def test_merged_masks() -> None:
    def code(T: Any) -> Any:
        attend, x = layer(T), T.zeros(2, 4, 6)
        mask, padding = T.tensor(real(4, 4) * 0 + 1), T.tensor(np.where(HIDDEN, -1.0, 0.0))
        by_head = T.ones(4, 4, 4, dtype=T.float64)
        return [
            *attend.merge_masks(None, None, x), *attend.merge_masks(None, padding, x),
            *attend.merge_masks(mask, None, x), *attend.merge_masks(mask, padding, x),
            *attend.merge_masks(by_head, padding, x),
        ]  # fmt: skip

    both(code)


def test_layer_refuses() -> None:
    def attend(T: Any, shapes: Any, **words: Any) -> Any:
        given = [T.zeros(*s, dtype=T.float64) for s in shapes]
        words = {k: T.zeros(*v) if isinstance(v, tuple) else v for k, v in words.items()}
        return layer(T)(*given, **words)

    good = [(3, 2, 6), (4, 2, 6), (4, 2, 6)]
    for shapes, words in [
        ([(3, 2, 6, 1)] * 3, {}),
        ([(3, 2, 6), (4, 6), (4, 6)], {}),
        ([(3, 6), (4, 2, 6), (4, 2, 6)], {}),
        ([(3, 2, 5), (4, 2, 5), (4, 2, 5)], {}),
        ([(3, 2, 6), (4, 2, 6), (5, 2, 6)], {}),
        (good, {"attn_mask": (3, 3)}),
        (good, {"attn_mask": (2, 3, 4)}),
        (good, {"attn_mask": (3,)}),
        (good, {"key_padding_mask": (2, 3)}),
        (good, {"key_padding_mask": (2,)}),
        (good, {"is_causal": True}),
        ([(3, 6), (4, 6), (4, 6)], {"attn_mask": (3, 3, 4)}),
    ]:
        same(lambda T, s=shapes, w=words: attend(T, s, **w))
    same(lambda T: layer(T)(*[T.zeros(3, 2, 6)] * 3, attn_mask=T.zeros(3, 3, dtype=T.int64)))
    same(lambda T: T.nn.MultiheadAttention(6, 4))
    in_words(lambda T: T.nn.MultiheadAttention(0, 4))
    in_words(lambda T: T.nn.MultiheadAttention(4, 0))


def test_given_keys() -> None:
    def attend(T: Any, k: Any, v: Any) -> Any:
        m, x = layer(T), T.tensor(real_x[:, None])
        return T.nn.functional.multi_head_attention_forward(
            x, x, x, 6, 2, m.in_proj_weight, m.in_proj_bias, None, None, False, 0.0, m.out_proj.weight,
            m.out_proj.bias, static_k=k, static_v=v,
        )  # fmt: skip

    same(attend, real(2, 5, 3), real(2, 5, 3))
    same(attend, real(3, 5, 3), real(2, 5, 3))
    same(attend, real(2, 5, 2), real(2, 5, 3))


def test_gumbel_softmax() -> None:
    def draw(T: Any, x: Any, **words: Any) -> Any:
        T.manual_seed(8)
        return T.nn.functional.gumbel_softmax(x, **words), T.rand(1)

    for words in ({}, {"tau": 0.5}, {"hard": True}, {"dim": 0}, {"hard": True, "dim": 0, "tau": 2.0}):
        for shape in [(3, 4), (5,), (2, 3, 4), ()]:
            if shape or words.get("dim") is None:
                same(lambda T, x, w=words: draw(T, x, **w), real(*shape))
                same(lambda T, x, w=words: draw(T, x, **w), real(*shape, dtype="float32"))
    same(lambda T, x: draw(T, x.T), real(3, 4))
    same(lambda T, x: T.nn.functional.gumbel_softmax(x), np.arange(3))
    same(lambda T, x: T.nn.functional.gumbel_softmax(x, dim=3), real(2, 2))

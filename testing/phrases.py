"""The lines that random programs are made of. A phrase is a function of the builder that returns a line of code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Phrase = Callable[[Any], str]

UNARY = (
    "{a}.tanh()",
    "{a}.sin()",
    "{a}.cos()",
    "{a}.sigmoid()",
    "{a} * 0.5",
    "-{a}",
    "{a}.square()",
    "{a} ** 3",
    "({a}.square() + 1).sqrt()",
    "{a}.square().log1p()",
    "1 / ({a}.square() + 1)",
    "{a}.atan()",
    "{a} + 1",
    "2 - {a}",
    "{a}.sin().exp()",
    "{a}.erf()",
    "{a}.sinh() * 0.1",
    "F.gelu({a})",
    "F.silu({a})",
    "F.softplus({a})",
    "{a} * {a}",
    "{a}.clone()",
    "{a}.contiguous()",
    "{a} + {a}",
    "F.logsigmoid({a})",
    "{a}.flip(0)",
    "{a}.roll(1)",
    "F.mish({a})",
    "F.pad({a}, (1, 0))",
    "{a}.tril()",
    "{a}.repeat(2, 1)",
    "{a}.flatten()",
    "F.layer_norm({a}, {a}.shape)",
)
COMPUTING = ("{a}.tanh()", "{a} * 0.5", "{a}.square()", "{a} + 1", "{a}.sin()", "{a}.clone()", "{a}.sum()", "{a}.exp()")
KINKED = (
    "{a}.abs()",
    "{a}.relu()",
    "{a}.clamp(-0.5, 0.5)",
    "F.leaky_relu({a})",
    "F.elu({a})",
    "F.hardtanh({a})",
    "{a}.sort()[0]",
    "{a}.sort(descending=True)[0]",
    "{a}.float()",
    "{a}.double()",
    "{a}.round()",
    "{a}.frac()",
    "{a}.sign()",
    "{a}.masked_fill({a} > 0, 0.3)",
    "{a}[{a} > 0]",
    "{a}.nan_to_num()",
    "{a}.cumprod(0)",
    "{a}.detach()",
    "{a}.topk(1)[0]",
    "{a}.sqrt()",
    "{a}.log()",
    "{a}.reciprocal()",
    "{a}.detach().requires_grad_()",
    "{a}.median()",
    "F.dropout({a}, 0.0)",
    "F.relu6({a})",
    "F.softshrink({a})",
    "{a}.norm()",
    "{a}.amax()",
    "{a}.prod()",
    "{a}.grad",
)
BINARY = (
    "{a} + {b}",
    "{a} - {b}",
    "{a} * {b}",
    "{a} / ({b}.square() + 1)",
    "{a} @ {b}",
    "{a} @ {b}.mT",
    "{a}.lerp({b}, 0.3)",
    "T.addcmul({a}, {b}, {a})",
    "T.cat([{a}, {b}])",
    "T.stack([{a}, {b}])",
    "T.logaddexp({a}, {b})",
    "T.outer({a}, {b})",
    "T.hypot({a} + 3, {b})",
    "{a}.sub({b}, alpha=0.5)",
    "F.mse_loss({a}, {b})",
    "F.linear({a}, {b})",
    "{a} * {b}.sum()",
    "T.einsum('i,i->i', {a}, {b})",
    "T.tensordot({a}, {b}, 1)",
    "F.bilinear({a}, {a}, {b})",
    "{a}.expand_as({b})",
)
KINKED_BINARY = (
    "T.maximum({a}, {b})",
    "T.minimum({a}, {b})",
    "T.where({a} > {b}, {a}, {b})",
    "T.where({a} > 0, {b}, {a})",
    "T.atan2({a}, {b})",
    "F.l1_loss({a}, {b})",
    "F.smooth_l1_loss({a}, {b})",
    "F.huber_loss({a}, {b})",
    "{a} ** {b}",
    "{a} / {b}",
    "T.fmod({a}, {b})",
    "F.prelu({a}, {b})",
    "T.dist({a}, {b})",
    "{a}.clamp({b})",
    "{a}.type_as({b})",
    "T.fmax({a}, {b})",
)
REDUCTIONS = ("sum", "mean", "logsumexp", "var", "std")
KINKED_REDUCTIONS = ("amax", "amin", "norm", "prod")
ALONG = ("softmax", "log_softmax", "cumsum")
VIEWS = (
    "{a}[0]",
    "{a}[-1]",
    "{a}[1:]",
    "{a}[::2]",
    "{a}[..., 0]",
    "{a}[:, 1:]",
    "{a}[None]",
    "{a}[..., None]",
    "{a}.t()",
    "{a}.mT",
    "{a}.transpose(0, -1)",
    "{a}.unsqueeze(0)",
    "{a}.unsqueeze(-1)",
    "{a}.squeeze()",
    "{a}.squeeze(0)",
    "{a}.reshape(-1)",
    "{a}.view(-1)",
    "{a}.expand(2, *{a}.shape)",
    "{a}.diagonal()",
    "{a}.narrow(0, 0, 1)",
    "{a}.select(-1, 0)",
    "{a}.unflatten(0, (1, -1))",
    "{a}.movedim(0, -1)",
    "{a}.view_as({a})",
    "{a}.swapdims(0, 1)",
    "{a}[:, None]",
    "{a}[0:1, ..., 0:2]",
    "{a}.flatten(0)",
    "{a}.broadcast_to({a}.shape)",
)
SEVERAL = ("{a}.unbind()[0]", "{a}.split(1)[0]", "{a}.chunk(2)[-1]", "{a}.unbind(-1)[-1]", "{a}.tensor_split(2)[0]")
GATHERS = (
    "{a}[T.tensor([0, 0, -1])]",
    "{a}.index_select(0, T.tensor([1, 0, 1]))",
    "{a}.take_along_dim(T.argsort({a}, -1), -1)",
    "{a}.gather(0, T.zeros({a}.shape, dtype=T.int64))",
    "{a}[..., T.tensor([0, 0])]",
    "{a}.index_add(0, T.tensor([0]), {a}[:1])",
    "{a}.masked_select(T.ones({a}.shape, dtype=T.bool))",
    "{a}.scatter(0, T.zeros({a}.shape, dtype=T.int64), 0.5)",
)
WRITES = (
    "{a}.mul_(0.5)",
    "{a}.add_(1)",
    "{a}.add_({b})",
    "{a}.mul_({b})",
    "{a}.sub_({b})",
    "{a}.copy_({b})",
    "{a}.tanh_()",
    "{a}.sin_()",
    "{a}[0] = {b}",
    "{a}[0] = 0.5",
    "{a}[..., 0] = {b}",
    "{a}[1:] = {b}",
    "{a}[0] += {b}",
    "{a}[:, 0] *= 2",
    "{a} += {b}",
    "{a} *= 2",
    "{a}.neg_()",
    "{a}.square_()",
    "{a}.sigmoid_()",
    "{a}.exp_().mul_(0.1)",
    "{a}.lerp_({b}, 0.3)",
    "{a}.t().mul_(0.5)",
    "{a}.addcmul_({b}, {b})",
    "{a}[None].add_({b})",
    "{a}.view(-1)[0:1].mul_(2)",
    "{a}.index_add_(0, T.tensor([0]), {b}[:1])",
    "{a}.div_({b}.square() + 1)",
    "{a}.select(0, 0).copy_({b})",
    "{a}.diagonal().mul_(3)",
)
KINKED_WRITES = (
    "{a}.zero_()",
    "{a}.fill_(0.25)",
    "{a}.relu_()",
    "{a}.clamp_(-1, 1)",
    "{a}.masked_fill_({b} > 0, 0.5)",
    "{a}.detach().mul_(2)",
    "{a}[{a} > 0] = 0.5",
    "{a}[{a} > 0] *= 2",
    "{a}.requires_grad_()",
    "{a} = {a}.detach()",
    "{a}.abs_()",
    "{a}.index_fill_(0, T.tensor([0]), 0.2)",
    "{a}.fill_diagonal_(0.1)",
    "{a}.index_put_((T.tensor([0]),), {b})",
    "{a}.index_copy_(0, T.tensor([0]), {b})",
    "{a}.scatter_(0, T.zeros({a}.shape, dtype=T.int64), {b})",
    "{a}.pow_(2)",
    "{a}.fill_({b})",
    "{a}.sqrt_()",
    "{a}.unbind()[0].mul_(2)",
    "{a}.expand(2, *{a}.shape).mul_(2)",
)
QUIET = ("with T.no_grad(): {w}", "with T.no_grad(): {n} = {u}", "with T.enable_grad(): {n} = {u}")
HOOKS = (
    "{a}.register_hook(note)",
    "{a}.register_hook(lambda g: g * 2)",
    "{a}.register_hook(lambda g: g.cos())",
    "{a}.retain_grad()",
    "{a}.register_hook(lambda g: None)",
    "{a}.register_hook(lambda g: g.clone().zero_())",
)
WALKS = (
    "{a}.sum().backward(retain_graph=True)",
    "({a} * {a}).sum().backward(retain_graph=True)",
    "{a}.sum().backward()",
    "{a}.backward({b})",
    "{a}.sum().backward(create_graph=True)",
    "{n} = T.autograd.grad(({a} * {a}).sum(), {b}, create_graph=True, allow_unused=True)[0]",
    "{n} = T.autograd.grad({a}.sum(), {b}, retain_graph=True, allow_unused=True)[0]",
    "{n} = T.autograd.grad({a}.sum(), {b})[0]",
    "{n} = T.autograd.grad({a}, {b}, T.ones_like({a}), create_graph=True, materialize_grads=True)[0]",
    "x0.grad = None",
    "{n} = x0.grad",
    "T.autograd.backward([{a}.sum(), ({b} * {b}).sum()], retain_graph=True)",
    "{a}.sum().backward(inputs=[{b}], retain_graph=True)",
    "{a}.backward(T.ones_like({a}), retain_graph=True)",
    "{n} = x0.grad * {a}",
    "x0.grad.mul_(2)",
    "x0.grad.zero_()",
)


def _made(templates: tuple[str, ...]) -> Phrase:
    """Return the phrase that gives a new name to one of ``templates``."""
    return lambda draw: f"{draw.new()} = {_filled(draw, templates)}"


def _plain(templates: tuple[str, ...]) -> Phrase:
    return lambda draw: _filled(draw, templates)


def _filled(draw: Any, templates: tuple[str, ...]) -> str:
    text = templates[draw.choose(len(templates))]
    if "{w}" in text:
        text = text.replace("{w}", WRITES[draw.choose(len(WRITES))])
    if "{u}" in text:
        text = text.replace("{u}", COMPUTING[draw.choose(len(COMPUTING))])
    name = draw.new() if "{n}" in text else ""
    filled: str = text.replace("{n}", name).replace("{a}", draw.pick()).replace("{b}", draw.pick())
    return filled


def _reduced(names: tuple[str, ...]) -> Phrase:
    def phrase(draw: Any) -> str:
        name, x, dim = names[draw.choose(len(names))], draw.pick(), (0, -1, 1)[draw.choose(3)]
        keep = ", keepdim=True" if draw.choose(2) else ""
        whole = draw.choose(3) == 0 and name != "logsumexp" and not keep
        return f"{draw.new()} = {x}.{name}({'' if whole else f'dim={dim}{keep}'})"

    return phrase


def _along(draw: Any) -> str:
    return f"{draw.new()} = {draw.pick()}.{ALONG[draw.choose(len(ALONG))]}({(0, -1)[draw.choose(2)]})"


SMOOTH = [
    _made(UNARY),
    _made(BINARY),
    _made(VIEWS),
    _plain(WRITES),
    _reduced(REDUCTIONS),
    _along,
    _made(UNARY),
    _made(VIEWS),
]
ROUGH = [
    _made(KINKED),
    _made(KINKED_BINARY),
    _reduced(KINKED_REDUCTIONS),
    _made(SEVERAL),
    _made(GATHERS),
    _plain(KINKED_WRITES),
    _plain(QUIET),
    _plain(HOOKS),
    _plain(WALKS),
    _plain(WRITES),
    _plain(WALKS),
]
PHRASES: list[tuple[Phrase, str]] = [(each, "smooth") for each in SMOOTH] + [(each, "rough") for each in ROUGH]
"""Every phrase, and whether it is differentiable wherever it can be computed."""


def endings(last: list[str], leaves: str) -> list[str]:
    """Return the lines that differentiate the tensors ``last`` twice."""
    total = " + ".join(f"({name} * {name}).sum()" for name in last)
    if not total:
        return []
    return [
        f"loss = {total}",
        f"first = T.autograd.grad(loss, [{leaves}], create_graph=True, allow_unused=True)",
        "loss2 = sum((g.tanh() * g).sum() for g in first if g is not None and g.requires_grad) + loss * 0",
        f"second = T.autograd.grad(loss2, [{leaves}], allow_unused=True)",
    ]

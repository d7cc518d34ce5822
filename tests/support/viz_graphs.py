"""The graphs that every form of a picture must be able to show."""

from collections.abc import Callable
from typing import Any

import rushlight as torch
from rushlight import nn, viz

F = nn.functional


def leaf(*values: float) -> torch.Tensor:
    """Return a leaf of float32, as most pictures show it."""
    return torch.tensor(values, requires_grad=True)


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.qkv, self.proj, self.heads = nn.Linear(width, 3 * width), nn.Linear(width, width), heads

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (z.view(b, t, self.heads, c // self.heads).transpose(1, 2) for z in self.qkv(x).split(c, dim=2))
        scores = (q @ k.transpose(-2, -1)) / (c // self.heads) ** 0.5
        scores = scores.masked_fill(torch.tril(torch.ones(t, t)) == 0, float("-inf"))
        return self.proj((F.softmax(scores, dim=-1) @ v).transpose(1, 2).contiguous().view(b, t, c))


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln1, self.attn, self.ln2 = nn.LayerNorm(width), Attention(width, heads), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, layers: int, width: int = 16, words: int = 11, length: int = 6) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(words, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, 2) for _ in range(layers))
        self.ln, self.head = nn.LayerNorm(width), nn.Linear(width, words, bias=False)
        self.head.weight = self.wte.weight

    def forward(self, words):
        x = self.wte(words) + self.wpe(torch.arange(words.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.ln(x))


def gpt(layers: int = 3) -> viz.Graph:
    torch.manual_seed(0)
    model, words = GPT(layers), torch.randint(0, 11, (2, 7))
    with viz.record():
        loss = F.cross_entropy(model(words[:, :-1]).reshape(-1, 11), words[:, 1:].reshape(-1))
    return viz.trace(loss, model, names={"loss": loss}, backward=True)


def convnet() -> viz.Graph:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 10)
    )  # fmt: skip
    x, y = torch.rand(5, 1, 8, 8), torch.randint(0, 10, (5,))
    with viz.record():
        loss = nn.CrossEntropyLoss()(model(x), y)
    return viz.trace(loss, model, names={"x": x, "loss": loss}, backward=True)


def unrolled(turns: int) -> tuple[Any, dict[str, Any]]:
    """The loss of a recurrent network, step after step with the same weights, and these by name."""
    torch.manual_seed(0)
    named = {
        "w_hh": torch.randn(4, 4) * 0.3, "w_xh": torch.randn(3, 4), "b": torch.zeros(4), "w_out": torch.randn(4, 1),
    }  # fmt: skip
    for weight in named.values():
        weight.requires_grad_()
    x, h = torch.randn(turns, 2, 3), torch.zeros(2, 4)
    for turn in range(turns):
        h = torch.tanh(x[turn] @ named["w_xh"] + h @ named["w_hh"] + named["b"])
    return (h @ named["w_out"]).pow(2).mean(), named


def rnn(turns: int = 400) -> viz.Graph:
    loss, named = unrolled(turns)
    return viz.trace(loss, named, backward=True)


def chain(steps: int = 2000) -> viz.Graph:
    x = torch.tensor([0.5], requires_grad=True)
    y = x
    for _ in range(steps):
        y = y.sin()
    return viz.trace(y, {"x": x, "y": y})


def double() -> viz.Graph:
    w = torch.tensor([1.5, -2.0], requires_grad=True)
    with viz.record():
        out = (torch.tanh(w) ** 2).sum()
        (gradient,) = torch.autograd.grad(out, w, create_graph=True)
        penalty = (gradient**2).sum()
    return viz.trace({"out": out, "penalty": penalty}, {"w": w}, backward=True)


PICTURES: dict[str, Callable[[], viz.Graph]] = {
    "convnet": convnet, "gpt": gpt, "rnn": rnn, "chain": chain, "double": double,
}  # fmt: skip

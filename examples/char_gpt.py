"""A GPT that reads characters, trained on three chapters of Genesis until it writes words by itself.

    python examples/char_gpt.py                          # about a minute
    RUSHLIGHT_ENGINE=torch python examples/char_gpt.py   # the same file on PyTorch

The model is GPT-2's in small (Radford et al., Language Models are Unsupervised Multitask Learners, 2019). Shapes are
noted as B (batch), T (time: places in the text), C (channels), H (heads), V (vocabulary: all characters of the text).
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import ENGINE, torch

nn, F = torch.nn, torch.nn.functional

TEXT = Path(__file__).resolve().parent / "data" / "genesis.txt"

# Two things that make it nicer, and are not needed.
tqdm: Any = importlib.import_module("tqdm").tqdm if importlib.util.find_spec("tqdm") else None
figure: Any = importlib.import_module("matplotlib.figure") if importlib.util.find_spec("matplotlib") else None


@dataclass(frozen=True)
class Config:
    """How large the model is, and how long it learns."""

    layers: int = 4
    heads: int = 4
    channels: int = 128
    block: int = 64  # the longest stretch of text it can look at
    dropout: float = 0.1
    batch: int = 12
    steps: int = 800
    lr: float = 2e-3


SMALL = Config(layers=2, heads=2, channels=32, block=32, dropout=0.1, batch=8, steps=40)
"""For tests: a second or two."""


class Attention(nn.Module):
    """Each place takes from those before it what fits its query."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        self.qkv = nn.Linear(config.channels, 3 * config.channels)
        self.out = nn.Linear(config.channels, config.channels)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        B, T, C = x.shape
        q, k, v = self.qkv(x).split(C, dim=2)  # (B, T, C) each
        q, k, v = (z.view(B, T, self.heads, C // self.heads).transpose(1, 2) for z in (q, k, v))  # (B, H, T, C/H)
        p = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)  # (B, H, T, C/H)
        y = y.transpose(1, 2).contiguous().view(B, T, C)  # the heads side by side again
        return self.drop(self.out(y))


class Block(nn.Module):
    """Attention, to gather, and a perceptron, to digest; both are added to what goes past them."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        C = config.channels
        self.norm1, self.attention = nn.LayerNorm(C), Attention(config)
        self.norm2 = nn.LayerNorm(C)
        self.mlp = nn.Sequential(nn.Linear(C, 4 * C), nn.GELU(), nn.Linear(4 * C, C), nn.Dropout(config.dropout))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.norm1(x))  # (B, T, C)
        return x + self.mlp(self.norm2(x))  # (B, T, C)


class GPT(nn.Module):
    """Scores for the next character at every place."""

    def __init__(self, config: Config, vocabulary: int) -> None:
        super().__init__()
        self.config = config
        self.characters = nn.Embedding(vocabulary, config.channels)
        self.places = nn.Embedding(config.block, config.channels)
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.layers)])
        self.norm = nn.LayerNorm(config.channels)
        self.head = nn.Linear(config.channels, vocabulary, bias=False)
        self.apply(self._start)
        for name, p in self.named_parameters():
            if name.endswith(("out.weight", "mlp.2.weight")):  # so that sums over layers do not grow
                nn.init.normal_(p, 0.0, 0.02 / math.sqrt(2 * config.layers))

    @staticmethod
    def _start(module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, 0.0, 0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, text: torch.Tensor, following: torch.Tensor | None = None) -> tuple[Any, Any]:
        """Return the scores (B, T, V) for ``text`` (B, T), and the loss if the ``following`` (B, T) are known."""
        T = text.shape[1]
        x = self.drop(self.characters(text) + self.places(torch.arange(T)))  # (B, T, C) + (T, C)
        for block in self.blocks:
            x = block(x)
        scores = self.head(self.norm(x))  # (B, T, V)
        if following is None:
            return scores, None
        return scores, F.cross_entropy(scores.view(-1, scores.shape[-1]), following.view(-1))

    @torch.no_grad()
    def write(self, text: torch.Tensor, count: int, temperature: float = 0.8) -> torch.Tensor:
        """Return ``text`` (1, T) with ``count`` characters more, each drawn by its probability."""
        self.eval()
        for _ in range(count):
            scores, _ = self(text[:, -self.config.block :])
            share = F.softmax(scores[:, -1] / temperature, dim=-1)  # (1, V)
            text = torch.cat([text, torch.multinomial(share, 1)], dim=1)
        self.train()
        return text


def optimizer_of(model: GPT, lr: float) -> torch.optim.Optimizer:
    """Return AdamW that lets matrices decay, and no biases or norms."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.95))


def learning_rate(step: int, config: Config) -> float:
    """Return a rate that warms up, then falls along a cosine to a tenth."""
    warm = max(config.steps // 20, 1)
    if step < warm:
        return config.lr * (step + 1) / warm
    done = (step - warm) / max(config.steps - warm, 1)
    return config.lr * (0.1 + 0.45 * (1 + math.cos(math.pi * done)))


def batch_of(data: torch.Tensor, config: Config) -> tuple[torch.Tensor, torch.Tensor]:
    """Return stretches of the text (B, T), and the same one character on."""
    starts = torch.randint(len(data) - config.block, (config.batch,)).tolist()
    text = torch.stack([data[i : i + config.block] for i in starts])
    following = torch.stack([data[i + 1 : i + 1 + config.block] for i in starts])
    return text, following


def train(model: GPT, data: torch.Tensor, config: Config) -> Iterator[float]:
    """Yield the loss of each step."""
    optimizer = optimizer_of(model, config.lr)
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, config)
        _, loss = model(*batch_of(data, config))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield float(loss.item())


def words_of(text: str) -> list[str]:
    """Return the words of ``text``, in small letters."""
    return re.findall(r"[a-z']+", text.lower())


def draw(losses: list[float], path: Path) -> None:
    """Write the picture of the loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = figure.Figure(figsize=(7, 4), layout="constrained")
    axes = picture.add_subplot()
    axes.plot(losses, linewidth=0.8)
    axes.set(xlabel="step", ylabel="cross-entropy loss", title=f"Reading Genesis letter by letter ({ENGINE})")
    axes.grid(alpha=0.3)
    picture.savefig(path, dpi=150)


def main() -> None:
    """Train, write, and say how many of the words written are words."""
    parser = argparse.ArgumentParser(description="Train a small GPT on characters and let it write.")
    parser.add_argument("--small", action="store_true", help="a tiny model and a few steps, to see that it runs")
    parser.add_argument("--seed", type=int, default=1, help="random seed (default 1)")
    parser.add_argument(
        "--out", type=Path, default=Path("demo-output"), help="folder for the loss curve (default demo-output)"
    )
    options = parser.parse_args()
    config = SMALL if options.small else Config()
    torch.manual_seed(options.seed)

    source = TEXT.read_text(encoding="ascii")
    letters = sorted(set(source))
    data = torch.tensor([letters.index(c) for c in source])
    model = GPT(config, len(letters))
    count = sum(p.numel() for p in model.parameters())
    print(f"{ENGINE}: {len(source):,} characters, {len(letters)} different ones; {count:,} parameters")

    start = time.perf_counter()
    steps = train(model, data, config)
    losses = []
    bar = tqdm(steps, total=config.steps, desc="training", leave=False, disable=None) if tqdm else steps
    say = tqdm.write if tqdm else print  # above the bar, if there is one
    for step, loss in enumerate(bar):
        losses.append(loss)
        if step % max(config.steps // 10, 1) == 0:
            say(f"step {step:4d}  loss {loss:.6g}")
    print(f"final loss {losses[-1]:.6g}, {time.perf_counter() - start:.1f} s")

    prompt = torch.tensor([[letters.index("\n")]])
    written = "".join(letters[i] for i in model.write(prompt, 200 if options.small else 600)[0].tolist())
    print(f"--------\n{written.strip()}\n--------")
    words, known = words_of(written)[:-1], set(words_of(source))  # the last may be cut short
    share = sum(word in known for word in words) / max(len(words), 1)
    print(f"{len(words)} words, {100 * share:.0f} % of them from the text's vocabulary")

    if figure is None:
        print("No loss curve: matplotlib is not installed. Get it with: pip install matplotlib")
    else:
        draw(losses, options.out / "char-gpt-loss.png")
        print(f"Wrote {options.out / 'char-gpt-loss.png'}")


if __name__ == "__main__":
    main()

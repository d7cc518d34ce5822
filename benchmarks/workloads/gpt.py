"""A small GPT: 4 layers, 4 heads, 128 wide, 64 positions, batch 12, 65 characters, AdamW, one step.

The model is GPT-2's: norms before attention and before the perceptron, GELU by tanh, positions learned.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .workload import Array, Case, Results, Workload

LAYERS, HEADS, WIDTH, BLOCK, BATCH, VOCAB = 4, 4, 128, 64, 12, 65
LR, BETA1, BETA2, EPS, DECAY = 1e-3, 0.9, 0.95, 1e-8, 0.1
NORM_EPS = 1e-5
ROOT = (2 / np.pi) ** 0.5

Back = Callable[[Array], Array]


def data() -> tuple[Any, Any, dict[str, Array]]:
    """Return indices (12, 64), the indices that follow them (12, 64), and all parameters by PyTorch's names."""
    rng = np.random.default_rng(8)
    text = rng.integers(0, VOCAB, (BATCH, BLOCK + 1))

    def normal(*shape: int) -> Array:
        return (rng.standard_normal(shape) * 0.05).astype(np.float32)

    p = {"tokens.weight": normal(VOCAB, WIDTH), "positions.weight": normal(BLOCK, WIDTH)}
    norms = [*(f"blocks.{i}.norm{j}" for i in range(LAYERS) for j in (1, 2)), "norm"]
    for name in norms:
        p |= {f"{name}.weight": 1 + normal(WIDTH), f"{name}.bias": normal(WIDTH)}
    for i in range(LAYERS):
        for name, m, n in (("qkv", 1, 3), ("out", 1, 1), ("wide", 1, 4), ("narrow", 4, 1)):
            p[f"blocks.{i}.{name}.weight"] = normal(n * WIDTH, m * WIDTH)
            p[f"blocks.{i}.{name}.bias"] = normal(n * WIDTH)
    p["head.weight"] = normal(VOCAB, WIDTH)
    return text[:, :-1], text[:, 1:], p


def changes(loss: Any, parameters: dict[str, Array]) -> Results:
    """Return the loss and how far some parameters moved: all of them together would hide a bad one."""
    start = data()[2]
    shown = [name for name in start if "blocks" not in name or name.startswith(("blocks.0.", "blocks.3."))]
    # The bias of the keys has no influence on the loss: its gradient is rounding, and Adam makes steps of that.
    keys = slice(WIDTH, 2 * WIDTH)
    moved = {name: parameters[name] - start[name] for name in shown}
    for name, change in moved.items():
        if name.endswith("qkv.bias"):
            change[keys] = 0
    return {"loss": np.asarray(loss)} | {f"change of {name}": change for name, change in moved.items()}


# ------------------------------------------------------------------ by hand: each step returns its way back


def linear(x: Array, name: str, p: dict[str, Array], grads: dict[str, Array]) -> tuple[Array, Back]:
    """Return ``x @ w.T + b``."""
    w, b = p[f"{name}.weight"], p.get(f"{name}.bias")
    y = x @ w.T
    if b is not None:
        y += b

    def back(g: Array) -> Array:
        grads[f"{name}.weight"] = g.T @ x
        if b is not None:
            grads[f"{name}.bias"] = g.sum(axis=0)
        return g @ w

    return y, back


def norm(x: Array, name: str, p: dict[str, Array], grads: dict[str, Array]) -> tuple[Array, Back]:
    """Return the rows of ``x`` at mean 0 and variance 1, times a weight plus a bias."""
    w, b = p[f"{name}.weight"], p[f"{name}.bias"]
    centred = x - x.mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.float32(NORM_EPS))
    unit = centred * rstd

    def back(g: Array) -> Array:
        grads[f"{name}.weight"] = (g * unit).sum(axis=0)
        grads[f"{name}.bias"] = g.sum(axis=0)
        g = g * w
        tilt = (g * unit).mean(axis=-1, keepdims=True)
        return (g - g.mean(axis=-1, keepdims=True) - unit * tilt) * rstd

    return unit * w + b, back


def gelu(x: Array) -> tuple[Array, Back]:
    """Return GELU, by tanh."""
    c, root = np.float32(0.044715), np.float32(ROOT)
    square = x * x
    t = np.tanh(root * x * (1 + c * square))

    def back(g: Array) -> Array:
        slope = root * (1 + 3 * c * square)
        return g * np.float32(0.5) * (1 + t + x * (1 - t * t) * slope)

    return np.float32(0.5) * x * (1 + t), back


HIDDEN = np.triu(np.full((BLOCK, BLOCK), -np.inf, np.float32), 1)


def attention(qkv: Array) -> tuple[Array, Back]:
    """Return causal attention, (768, 128), from queries, keys and values (768, 384)."""
    q, k, v = qkv.reshape(BATCH, BLOCK, 3, HEADS, -1).transpose(2, 0, 3, 1, 4)
    scale = np.float32(q.shape[-1] ** -0.5)
    scores = q @ k.swapaxes(-1, -2) * scale + HIDDEN
    scores -= scores.max(axis=-1, keepdims=True)
    share = np.exp(scores)
    share /= share.sum(axis=-1, keepdims=True)
    y = (share @ v).transpose(0, 2, 1, 3).reshape(-1, WIDTH)

    def back(g: Array) -> Array:
        g = g.reshape(BATCH, BLOCK, HEADS, -1).transpose(0, 2, 1, 3)
        dqkv = np.empty((BATCH, BLOCK, 3, HEADS, g.shape[-1]), np.float32)
        dq, dk, dv = dqkv.transpose(2, 0, 3, 1, 4)
        dv[...] = share.swapaxes(-1, -2) @ g
        ds = g @ v.swapaxes(-1, -2)
        ds -= (ds * share).sum(axis=-1, keepdims=True)
        ds *= share
        ds *= scale
        dq[...] = ds @ k
        dk[...] = ds.swapaxes(-1, -2) @ q
        return dqkv.reshape(-1, 3 * WIDTH)

    return y, back


def block(x: Array, name: str, p: dict[str, Array], grads: dict[str, Array]) -> tuple[Array, Back]:
    """Return ``x`` after one layer of the transformer."""
    h, norm1 = norm(x, f"{name}.norm1", p, grads)
    h, qkv = linear(h, f"{name}.qkv", p, grads)
    h, attend = attention(h)
    h, out = linear(h, f"{name}.out", p, grads)
    x = x + h
    h, norm2 = norm(x, f"{name}.norm2", p, grads)
    h, wide = linear(h, f"{name}.wide", p, grads)
    h, bend = gelu(h)
    h, narrow = linear(h, f"{name}.narrow", p, grads)

    def back(g: Array) -> Array:
        g = g + norm2(wide(bend(narrow(g))))
        return g + norm1(qkv(attend(out(g))))

    return x + h, back


def loss_and_gradients(text: Any, following: Any, p: dict[str, Array]) -> tuple[Any, dict[str, Array]]:
    """Return the mean cross-entropy and the gradient of every parameter."""
    grads: dict[str, Array] = {}
    x = (p["tokens.weight"][text] + p["positions.weight"]).reshape(-1, WIDTH)
    ways = []
    for i in range(LAYERS):
        x, back = block(x, f"blocks.{i}", p, grads)
        ways.append(back)
    x, last = norm(x, "norm", p, grads)
    scores, head = linear(x, "head", p, grads)
    scores -= scores.max(axis=1, keepdims=True)
    share = np.exp(scores)
    sums = share.sum(axis=1, keepdims=True)
    rows, index = np.arange(len(scores)), following.reshape(-1)
    loss = (np.log(sums[:, 0]) - scores[rows, index]).mean()
    share /= sums
    share[rows, index] -= 1
    share /= np.float32(len(rows))
    g = last(head(share))
    for back in reversed(ways):
        g = back(g)
    g = g.reshape(BATCH, BLOCK, WIDTH)
    grads["positions.weight"] = g.sum(axis=0)
    grads["tokens.weight"] = tokens = np.zeros_like(p["tokens.weight"])
    np.add.at(tokens, text, g)
    return loss, grads


def by_hand() -> Case:
    """Return the case of NumPy: the gradients above and AdamW as its paper states it."""
    text, following, p = data()
    ms = {name: np.zeros_like(value) for name, value in p.items()}
    vs = {name: np.zeros_like(value) for name, value in p.items()}
    steps = 0

    def step() -> Any:
        nonlocal steps
        loss, grads = loss_and_gradients(text, following, p)
        steps += 1
        for name, g in grads.items():
            m, v = ms[name], vs[name]
            p[name] *= 1 - LR * DECAY
            m *= BETA1
            m += (1 - BETA1) * g
            v *= BETA2
            v += (1 - BETA2) * g * g
            m_hat = m / (1 - BETA1**steps)
            v_hat = v / (1 - BETA2**steps)
            p[name] -= LR * m_hat / (np.sqrt(v_hat) + EPS)
        return loss

    return Case(step, lambda loss: changes(loss, p))


# ------------------------------------------------------------------ in PyTorch's API


def model_of(torch: ModuleType) -> Any:
    """Return the model, as one would write it in PyTorch."""
    nn, F = torch.nn, torch.nn.functional

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

        def forward(self, x: Any) -> Any:
            b, t, c = x.shape
            q, k, v = self.qkv(self.norm1(x)).split(WIDTH, dim=2)
            q, k, v = (each.view(b, t, HEADS, c // HEADS).transpose(1, 2) for each in (q, k, v))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).contiguous().view(b, t, c))
            return x + self.narrow(F.gelu(self.wide(self.norm2(x)), approximate="tanh"))

    class GPT(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.positions = nn.Embedding(VOCAB, WIDTH), nn.Embedding(BLOCK, WIDTH)
            self.blocks = nn.ModuleList([Block() for _ in range(LAYERS)])
            self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCAB, bias=False)

        def forward(self, text: Any) -> Any:
            x = self.tokens(text) + self.positions(torch.arange(text.shape[1]))
            for layer in self.blocks:
                x = layer(x)
            return self.head(self.norm(x))

    return GPT()


def in_torch(torch: ModuleType) -> Case:
    """Return the case of an engine with PyTorch's API."""
    start, start_following, values = data()
    text, following = torch.tensor(start), torch.tensor(start_following)
    model = model_of(torch)
    model.load_state_dict({name: torch.tensor(value) for name, value in values.items()})
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, betas=(BETA1, BETA2), eps=EPS, weight_decay=DECAY)

    def step() -> Any:
        optimizer.zero_grad()
        scores = model(text)
        loss = torch.nn.functional.cross_entropy(scores.view(-1, VOCAB), following.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss

    def read(loss: Any) -> Results:
        return changes(loss.detach().numpy(), {name: x.detach().numpy() for name, x in model.named_parameters()})

    return Case(step, read)


WORKLOAD = Workload(
    "gpt",
    "GPT, 4 layers, 128 wide, 12 x 64 tokens, AdamW, one step",
    by_hand,
    in_torch,
    over_torch=0.80,
    over_numpy=1.20,
    tolerance=1e-3,
)

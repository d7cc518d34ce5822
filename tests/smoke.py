"""A short walk through an installed rushlight, with nothing but its required dependencies.

    python -I tests/smoke.py

It imports every module that ships, differentiates a small program whose numbers are known, and
trains a model for a few steps. It prints one line, or stops with the first thing that is wrong.
"""

import importlib
import math
import pkgutil
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F

# Modules may need these extras; anything else that is missing is an error.
EXTRAS = {"hypothesis", "matplotlib", "pytest"}


def expect(actual: object, wanted: object, what: str) -> None:
    """Stop unless the two are the same up to rounding, shapes included."""
    a, b = np.asarray(actual, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    if a.shape != b.shape or not np.allclose(a, b, rtol=1e-5, atol=1e-6):
        raise SystemExit(f"smoke: {what}: expected {wanted}, got {actual}")


def installed() -> None:
    """Stop unless this is a complete installed copy, not the source tree."""
    here = Path(torch.__file__).resolve().parent
    if here == Path(__file__).resolve().parent.parent:
        raise SystemExit(f"smoke: rushlight is imported from the source tree, {here}")
    if torch.__version__ != version("rushlight"):
        raise SystemExit(f"smoke: version {torch.__version__} is not {version('rushlight')}")
    if not (here / "py.typed").is_file():
        raise SystemExit("smoke: py.typed is missing")
    for module in pkgutil.walk_packages(torch.__path__, "rushlight."):
        if not module.name.endswith(".__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                if error.name not in EXTRAS:
                    raise


def tensors() -> None:
    """Check values and gradients of a small program by hand."""
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    w = torch.tensor([0.5, -1.0], requires_grad=True)
    b = torch.tensor(0.25, requires_grad=True)
    y = x @ w + b
    expect(y.detach().numpy(), [-1.25, -2.25], "x @ w + b")
    loss = (y**2).mean()
    expect(loss.item(), (1.25**2 + 2.25**2) / 2, "mean of squares")
    loss.backward()
    expect(x.grad.numpy(), [[-0.625, 1.25], [-1.125, 2.25]], "gradient by x")
    expect(w.grad.numpy(), [-8.0, -11.5], "gradient by w")
    expect(b.grad.numpy(), -3.5, "gradient by b, broadcast")

    z = torch.tensor([0.0, 1.0], requires_grad=True)
    (first,) = torch.autograd.grad(torch.tanh(z).sum(), z, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), z)
    t = math.tanh(1.0)
    expect(first.detach().numpy(), [1.0, 1 - t * t], "derivative of tanh")
    expect(second.numpy(), [0.0, -2 * t * (1 - t * t)], "second derivative of tanh")

    with torch.no_grad():
        if (x * 2).requires_grad:
            raise SystemExit("smoke: no_grad recorded a step")
    if torch.arange(3).dtype != torch.int64 or torch.ones(2).dtype != torch.float32:
        raise SystemExit("smoke: default dtypes are not PyTorch's")


def training() -> None:
    """Check one optimizer step by hand, then that a small classifier learns."""
    p = nn.Parameter(torch.tensor([1.0, -2.0]))
    sgd = torch.optim.SGD([p], lr=0.1)
    (p * p).sum().backward()
    sgd.step()
    expect(p.detach().numpy(), [0.8, -1.6], "a step of SGD")
    sgd.zero_grad()
    if p.grad is not None:
        raise SystemExit("smoke: zero_grad left a gradient")

    torch.manual_seed(0)
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    target = torch.tensor([0, 1, 1, 0])
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
    adam = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(200):
        adam.zero_grad()
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        adam.step()
    if not loss.item() < 0.05:
        raise SystemExit(f"smoke: exclusive or was not learned, loss {loss.item()}")
    expect(model(x).argmax(dim=1).numpy(), [0, 1, 1, 0], "exclusive or")

    twin = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
    twin.load_state_dict(model.state_dict())
    expect(twin(x).detach().numpy(), model(x).detach().numpy(), "a loaded state_dict")


def around() -> None:
    """Recurrent layers and attention, data, files, pictures, and on newer Pythons the buffer protocol."""
    data = torch.utils.data.TensorDataset(torch.arange(12.0).reshape(6, 2), torch.arange(6))
    batches = list(torch.utils.data.DataLoader(data, batch_size=4))
    expect(batches[1][1].numpy(), [4, 5], "the second batch")

    model = nn.Sequential(nn.Linear(2, 4), nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True))
    state, _ = nn.LSTM(4, 3, batch_first=True)(model(batches[0][0][None]))
    with TemporaryDirectory() as folder:
        for suffix in ("pt", "safetensors", "npz"):
            path = Path(folder) / f"model.{suffix}"
            torch.save(model.state_dict(), path)
            model.load_state_dict(torch.load(path))
        page = Path(folder) / "graph.html"
        torch.viz.trace(state.sum(), model).save(page)
        if "<svg" not in page.read_text(encoding="utf-8"):
            raise SystemExit("smoke: the page of a graph has no picture")

    if sys.version_info >= (3, 12):
        memory = torch.zeros(2)
        memoryview(memory)[1] = 3.0
        expect(memory.numpy(), [0.0, 3.0], "memory written through the buffer protocol")


def main() -> None:
    """Run the parts in order."""
    parts: tuple[Callable[[], None], ...] = (installed, tensors, training, around)
    for part in parts:
        part()
    python = sys.version.split()[0]
    print(f"smoke: rushlight {torch.__version__}, NumPy {np.__version__}, Python {python}: ok")


if __name__ == "__main__":
    main()

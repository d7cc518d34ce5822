"""Rung 7: a module of your own.

New against rung 6: instead of chaining layers with ``Sequential``, we subclass ``Module``.
``__init__`` makes the layers, and assigning them to ``self`` is enough for ``parameters()`` to
find them; ``forward`` says how data runs through. It can be any Python, which is what the last
rung is about. The optimizer is plain gradient descent with momentum: each step keeps part of the
last one's speed.
"""

from __future__ import annotations

from rung import run, torch

N, D_IN, H, D_OUT = 64, 1000, 100, 10
LEARNING_RATE = 1e-5


class TwoLayerNet(torch.nn.Module):
    """Two linear layers with a relu between them."""

    def __init__(self, d_in: int, hidden: int, d_out: int) -> None:
        super().__init__()
        self.linear1 = torch.nn.Linear(d_in, hidden)
        self.linear2 = torch.nn.Linear(hidden, d_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the (N, d_out) prediction for ``x`` (N, d_in)."""
        h_relu = self.linear1(x).clamp(min=0)
        y_pred: torch.Tensor = self.linear2(h_relu)
        return y_pred


def main(steps: int = 500) -> float:
    """Train for ``steps`` steps and return the last loss."""
    torch.manual_seed(0)
    x = torch.randn(N, D_IN)
    y = torch.randn(N, D_OUT)

    model = TwoLayerNet(D_IN, H, D_OUT)
    loss_fn = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=0.9)

    for step in range(steps):
        loss = loss_fn(model(x), y)
        if step % 100 == 0:
            print(f"step {step:4d}  loss {loss.item():.6g}")

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    print(f"final loss {loss.item():.6g}")
    return float(loss.item())


if __name__ == "__main__":
    run(main)

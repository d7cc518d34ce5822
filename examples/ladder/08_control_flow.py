"""Rung 8: the graph is whatever Python did.

New against rung 7: ``forward`` throws dice. On each call it sends the data through the same
middle layer zero to three times. An ordinary loop is enough, for the graph is written anew on
every call and records just the path that was taken. The middle layer's weights are shared: used
several times in one graph, they get the sum of the gradients of all uses.
"""

from __future__ import annotations

import random

from rung import run, torch

N, D_IN, H, D_OUT = 64, 1000, 100, 10
LEARNING_RATE = 5e-5


class DynamicNet(torch.nn.Module):
    """A network whose depth is drawn by lot on every call."""

    def __init__(self, d_in: int, hidden: int, d_out: int) -> None:
        super().__init__()
        self.input_linear = torch.nn.Linear(d_in, hidden)
        self.middle_linear = torch.nn.Linear(hidden, hidden)
        self.output_linear = torch.nn.Linear(hidden, d_out)
        self.dice = random.Random(0)  # its own generator, so every run draws the same depths

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the (N, d_out) prediction for ``x`` (N, d_in)."""
        h_relu = self.input_linear(x).clamp(min=0)
        for _ in range(self.dice.randint(0, 3)):
            h_relu = self.middle_linear(h_relu).clamp(min=0)
        y_pred: torch.Tensor = self.output_linear(h_relu)
        return y_pred


def main(steps: int = 500) -> float:
    """Train for ``steps`` steps and return the last loss."""
    torch.manual_seed(0)
    x = torch.randn(N, D_IN)
    y = torch.randn(N, D_OUT)

    model = DynamicNet(D_IN, H, D_OUT)
    loss_fn = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=0.9)

    for step in range(steps):
        loss = loss_fn(model(x), y)  # some calls are deeper than others, so the loss jumps about
        if step % 100 == 0:
            print(f"step {step:4d}  loss {loss.item():.6g}")

        # A step in which the dice say 0 leaves the middle layer without a gradient (None), and the
        # optimizer passes over such parameters.
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    print(f"final loss {loss.item():.6g}")
    return float(loss.item())


if __name__ == "__main__":
    run(main)

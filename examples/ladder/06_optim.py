"""Rung 6: let an optimizer take the step.

New against rung 5: ``optim``. Adam keeps, for every weight, a running mean of its gradient and of
the gradient's square, and divides one by the root of the other. Weights with small and with large
gradients then move at a similar pace, which plain descent cannot do. The loop over parameters is
gone.
"""

from __future__ import annotations

from rung import run, torch

N, D_IN, H, D_OUT = 64, 1000, 100, 10
LEARNING_RATE = 1e-4


def main(steps: int = 500) -> float:
    """Train for ``steps`` steps and return the last loss."""
    torch.manual_seed(0)
    x = torch.randn(N, D_IN)
    y = torch.randn(N, D_OUT)

    model = torch.nn.Sequential(
        torch.nn.Linear(D_IN, H),
        torch.nn.ReLU(),
        torch.nn.Linear(H, D_OUT),
    )
    loss_fn = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)

    for step in range(steps):
        loss = loss_fn(model(x), y)
        if step % 100 == 0:
            print(f"step {step:4d}  loss {loss.item():.6g}")

        # The three lines of every training loop: forget the old gradients, find the new, step.
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    print(f"final loss {loss.item():.6g}")
    return float(loss.item())


if __name__ == "__main__":
    run(main)

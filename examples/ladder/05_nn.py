"""Rung 5: layers instead of loose weights.

New against rung 4: ``nn``. A layer owns its weights and picks sensible starting values (and adds
biases), ``Sequential`` chains layers, and the model knows all its parameters, so one loop updates
any number of them. Because the start is better scaled, the first loss is far smaller and the
steps can be larger.
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
    loss_fn = torch.nn.MSELoss(reduction="sum")  # the sum, as before; its default is the mean

    for step in range(steps):
        y_pred = model(x)  # a module is called like a function
        loss = loss_fn(y_pred, y)
        if step % 100 == 0:
            print(f"step {step:4d}  loss {loss.item():.6g}")

        model.zero_grad()  # empties every parameter's .grad
        loss.backward()
        with torch.no_grad():
            for param in model.parameters():
                assert param.grad is not None
                param.data -= LEARNING_RATE * param.grad  # .data: the same numbers, no history

    print(f"final loss {loss.item():.6g}")
    return float(loss.item())


if __name__ == "__main__":
    run(main)

"""Rung 3: the derivatives come by themselves.

New against rung 2: the weights say ``requires_grad=True``. From then on, each operation that
touches them leaves a note of what it did, and together the notes form the graph of the
computation. ``backward()`` walks that graph from the loss to the weights and leaves each one's
gradient in ``.grad``. All our ``grad_...`` lines are gone.
"""

from __future__ import annotations

from rung import run, torch

N, D_IN, H, D_OUT = 64, 1000, 100, 10
LEARNING_RATE = 1e-6


def main(steps: int = 500) -> float:
    """Train for ``steps`` steps and return the last loss."""
    torch.manual_seed(0)
    x = torch.randn(N, D_IN)
    y = torch.randn(N, D_OUT)
    w1 = torch.randn(D_IN, H, requires_grad=True)
    w2 = torch.randn(H, D_OUT, requires_grad=True)

    for step in range(steps):
        # No name for what lies between: the graph itself keeps what backward() will need.
        y_pred = x.mm(w1).clamp(min=0).mm(w2)
        loss = (y_pred - y).pow(2).sum()
        if step % 100 == 0:
            print(f"step {step:4d}  loss {loss.item():.6g}")

        loss.backward()

        # The update changes the weights but is no part of the function we differentiate, so
        # nothing in this block is recorded.
        with torch.no_grad():
            assert w1.grad is not None  # backward() filled it
            assert w2.grad is not None
            w1 -= LEARNING_RATE * w1.grad
            w2 -= LEARNING_RATE * w2.grad
            # backward() adds to .grad, so the next step must find it empty.
            w1.grad.zero_()
            w2.grad.zero_()

    print(f"final loss {loss.item():.6g}")
    return float(loss.item())


if __name__ == "__main__":
    run(main)

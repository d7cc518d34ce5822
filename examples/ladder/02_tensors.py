"""Rung 2: the same network with tensors in place of arrays.

New against rung 1: only the vocabulary. ``mm`` multiplies matrices, ``t()`` transposes,
``clamp(min=0)`` is relu, ``pow(2)`` squares, and ``item()`` takes the number out of a tensor that
holds just one. The derivatives are still ours. A tensor here is an array that could do more; the
next rung lets it.
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
    w1 = torch.randn(D_IN, H)
    w2 = torch.randn(H, D_OUT)

    for step in range(steps):
        h = x.mm(w1)
        h_relu = h.clamp(min=0)
        y_pred = h_relu.mm(w2)
        loss = (y_pred - y).pow(2).sum().item()
        if step % 100 == 0:
            print(f"step {step:4d}  loss {loss:.6g}")

        grad_y_pred = 2.0 * (y_pred - y)
        grad_w2 = h_relu.t().mm(grad_y_pred)
        grad_h = grad_y_pred.mm(w2.t())
        grad_h[h < 0] = 0  # a mask as index: write only where the condition holds
        grad_w1 = x.t().mm(grad_h)

        w1 -= LEARNING_RATE * grad_w1
        w2 -= LEARNING_RATE * grad_w2

    print(f"final loss {loss:.6g}")
    return loss


if __name__ == "__main__":
    run(main)

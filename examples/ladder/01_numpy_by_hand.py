"""Rung 1: a two-layer network in NumPy alone, every derivative worked out by hand.

The whole ladder trains the same network, y_pred = relu(x @ w1) @ w2, on one batch of random
numbers, and pulls down the sum of squared errors. Nothing can be learned from noise, but 101,000
weights can memorise 64 examples, so the loss must go to zero. That makes it a good thing to test
tools on.
"""

from __future__ import annotations

import numpy as np
from rung import run

N, D_IN, H, D_OUT = 64, 1000, 100, 10  # batch, inputs, hidden units, outputs
LEARNING_RATE = 1e-6


def main(steps: int = 500) -> float:
    """Train for ``steps`` steps and return the last loss."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((N, D_IN))
    y = rng.standard_normal((N, D_OUT))
    w1 = rng.standard_normal((D_IN, H))
    w2 = rng.standard_normal((H, D_OUT))

    for step in range(steps):
        # Forward: inputs to loss.
        h = x @ w1  # (N, H)
        h_relu = np.maximum(h, 0)  # (N, H)
        y_pred = h_relu @ w2  # (N, D_OUT)
        loss = float(np.square(y_pred - y).sum())
        if step % 100 == 0:
            print(f"step {step:4d}  loss {loss:.6g}")

        # Backward: the chain rule, line for line in reverse order. Each gradient is the one that
        # arrives from above times the local derivative, and has the shape of what it belongs to.
        grad_y_pred = 2 * (y_pred - y)  # (N, D_OUT)
        grad_w2 = h_relu.T @ grad_y_pred  # (H, D_OUT)
        grad_h_relu = grad_y_pred @ w2.T  # (N, H)
        grad_h = np.where(h < 0, 0, grad_h_relu)  # relu stops it where h < 0
        grad_w1 = x.T @ grad_h  # (D_IN, H)

        # One step of gradient descent: a little way downhill.
        w1 -= LEARNING_RATE * grad_w1
        w2 -= LEARNING_RATE * grad_w2

    print(f"final loss {loss:.6g}")
    return loss


if __name__ == "__main__":
    run(main)

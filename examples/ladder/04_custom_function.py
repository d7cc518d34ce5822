"""Rung 4: teach autograd an operation of your own.

New against rung 3: relu is no longer ``clamp`` but our own ``Function``, a forward and a backward
written together. ``ctx`` carries what the one must remember for the other. The graph takes it
like any built-in operation, and the losses match rung 3 exactly.
"""

from __future__ import annotations

from typing import Any

from rung import run, torch

N, D_IN, H, D_OUT = 64, 1000, 100, 10
LEARNING_RATE = 1e-6


class MyReLU(torch.autograd.Function):
    """max(x, 0), with its derivative."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        """Return ``x`` with the negative elements set to 0."""
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:
        """Return the gradient for ``x``, given the one that arrives for the result."""
        (x,) = ctx.saved_tensors
        grad_x = grad_output.clone()  # the arriving gradient may have other readers: change a copy
        grad_x[x < 0] = 0
        return grad_x


def main(steps: int = 500) -> float:
    """Train for ``steps`` steps and return the last loss."""
    torch.manual_seed(0)
    x = torch.randn(N, D_IN)
    y = torch.randn(N, D_OUT)
    w1 = torch.randn(D_IN, H, requires_grad=True)
    w2 = torch.randn(H, D_OUT, requires_grad=True)

    for step in range(steps):
        y_pred = MyReLU.apply(x.mm(w1)).mm(w2)  # apply, not forward: it also writes the graph
        loss = (y_pred - y).pow(2).sum()
        if step % 100 == 0:
            print(f"step {step:4d}  loss {loss.item():.6g}")

        loss.backward()
        with torch.no_grad():
            assert w1.grad is not None
            assert w2.grad is not None
            w1 -= LEARNING_RATE * w1.grad
            w2 -= LEARNING_RATE * w2.grad
            w1.grad.zero_()
            w2.grad.zero_()

    print(f"final loss {loss.item():.6g}")
    return float(loss.item())


if __name__ == "__main__":
    run(main)

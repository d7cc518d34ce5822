"""A function with a gradient of one's own."""

from typing import Any

import rushlight as torch
from rushlight.autograd import Function, gradcheck


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:
        x: torch.Tensor = ctx.saved_tensors[0]
        return 3 * x * x * grad_output


def slopes() -> torch.Tensor:
    x = torch.linspace(-1.0, 1.0, 5, dtype=torch.float64, requires_grad=True)
    y: torch.Tensor = Cube.apply(x)
    y.sum().backward()
    assert x.grad is not None
    (again,) = torch.autograd.grad(Cube.apply(x).sum(), x)
    assert gradcheck(Cube.apply, (x,))
    return x.grad + again


if __name__ == "__main__":
    assert slopes().shape == (5,)

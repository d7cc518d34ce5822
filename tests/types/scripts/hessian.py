"""Derivatives of derivatives."""

import rushlight as torch
from rushlight.func import grad, hessian, vmap


def energy(x: torch.Tensor) -> torch.Tensor:
    return (x**3).sum() + x.prod()


def newton(x: torch.Tensor, steps: int) -> torch.Tensor:
    for _ in range(steps):
        slope: torch.Tensor = grad(energy)(x)
        curvature: torch.Tensor = hessian(energy)(x)
        x = x - torch.linalg.solve(curvature, slope)
    return x


def by_hand(x: torch.Tensor) -> torch.Tensor:
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(energy(x), x, create_graph=True)
    rows = [torch.autograd.grad(one, x, retain_graph=True)[0] for one in slope]
    return torch.stack(rows)


if __name__ == "__main__":
    start = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    assert torch.allclose(by_hand(start), torch.autograd.functional.hessian(energy, start))
    assert newton(start, 2).shape == vmap(torch.sin)(start).shape

"""What checkers should make of ordinary expressions. It is never run as a test of values."""

from typing import Any, assert_type

import rushlight as torch
from rushlight import Size, Tensor, nn, return_types
from rushlight.nn import functional as F

x, y = torch.rand(3, 4), torch.rand(3, 4)
layer = nn.Linear(4, 2)

# attributes
assert_type(x.shape, Size)
assert_type(x.dtype, torch.dtype)
assert_type(x.device, torch.device)
assert_type(x.grad, Tensor | None)
assert_type(x.requires_grad, bool)
assert_type(x.T, Tensor)
assert_type(x.data, Tensor)
assert_type(x.ndim, int)
assert_type(x.is_leaf, bool)

# operators
assert_type(x + 1, Tensor)
assert_type(1 - x, Tensor)
assert_type(x @ y.T, Tensor)
assert_type(-x, Tensor)
assert_type(x == 0, Tensor)
assert_type(x != y, Tensor)
assert_type(x > 0, Tensor)
assert_type(~(x > 0), Tensor)
assert_type(x**2, Tensor)
assert_type(2**x, Tensor)
assert_type(x // 2, Tensor)
assert_type(abs(x), Tensor)

# Python's own functions
assert_type(len(x), int)
assert_type(float(x[0, 0]), float)
assert_type(bool(x.all()), bool)
assert_type(x[0], Tensor)
assert_type(x[..., None, 1:], Tensor)
assert_type([row for row in x], list[Tensor])
assert_type(x.item(), Any)
assert_type(x.tolist(), Any)

# methods
assert_type(x.view(-1), Tensor)
assert_type(x.size(), Size)
assert_type(x.size(0), int)
assert_type(x.exp_().add_(1), Tensor)
assert_type(x.to(torch.float64), Tensor)
assert_type(x.float(), Tensor)
assert_type(x.detach().clone(), Tensor)
assert_type(x.numel(), int)
assert_type(x.split(2), tuple[Tensor, ...])
assert_type(x.topk(2), return_types.topk)
assert_type(x.topk(2)[1], Tensor)
assert_type(x.max(), Tensor)
assert_type(x.max(dim=0), return_types.max)
assert_type(x.max(0).indices, Tensor)
assert_type(x.softmax(-1), Tensor)
assert_type(x.requires_grad_(), Tensor)
assert_type(x.backward(), None)

# functions
assert_type(torch.zeros(2, 3), Tensor)
assert_type(torch.exp(x), Tensor)
assert_type(torch.where(x > 0, x, y), Tensor)
assert_type(torch.where(x > 0), tuple[Tensor, ...])
assert_type(torch.var_mean(x), tuple[Tensor, Tensor])
assert_type(torch.sort(x).values, Tensor)
assert_type(torch.linalg.svd(x), return_types.linalg_svd)
assert_type(torch.allclose(x, y), bool)
assert_type(torch.autograd.grad(x.sum(), [x]), tuple[Tensor, ...])
assert_type(F.cross_entropy(x, y), Tensor)
assert_type(layer(x), Any)
assert_type(layer.weight, nn.Parameter)

"""Optimizers: what PyTorch cannot be asked about. The rest is in parity/test_optim_parity.py."""

import tracemalloc

import numpy as np
import pytest

import rushlight as torch
from rushlight.optim.blockwise import BLOCK


def leaf(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array).requires_grad_()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_blocks_are_seamless(name: str, size: int) -> None:
    # One parameter in blocks, and the same elements as parameters of 1000.
    rng = np.random.default_rng(size)
    start, grads = rng.standard_normal(size), rng.standard_normal((3, size))
    options = {"momentum": 0.9, "weight_decay": 0.1} if name == "SGD" else {"amsgrad": True, "weight_decay": 0.1}
    whole = leaf(start)
    parts = [leaf(start[i : i + 1000]) for i in range(0, size, 1000)]
    optimizers = [getattr(torch.optim, name)(params, lr=0.1, **options) for params in ([whole], parts)]
    for g in grads:
        whole.grad = torch.tensor(g)
        for number, part in enumerate(parts):
            part.grad = torch.tensor(g[number * 1000 : number * 1000 + 1000])
        for optimizer in optimizers:
            optimizer.step()
    np.testing.assert_array_equal(whole.detach().numpy(), np.concatenate([p.detach().numpy() for p in parts]))


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_step_makes_no_large_temporary(name: str) -> None:
    p = leaf(np.ones(20 * BLOCK, np.float32))
    p.grad = torch.tensor(np.ones(20 * BLOCK, np.float32))
    optimizer = getattr(torch.optim, name)([p], lr=0.1, weight_decay=0.1)
    optimizer.step()
    tracemalloc.start()
    optimizer.step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < BLOCK * 4


def test_a_step_writes_in_place_and_leaves_the_gradient() -> None:
    array = np.ones(3)
    p = torch.from_numpy(array).requires_grad_()
    p.grad = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    torch.optim.Adam([p], lr=0.1, weight_decay=0.5, maximize=True).step()
    assert (array != 1).all()
    assert p.grad.tolist() == [1.0, 2.0, 3.0]


def test_one_memory_cell_behind_several_elements_is_refused() -> None:
    p = torch.tensor([1.0]).expand(3).requires_grad_()
    p.grad = torch.tensor([1.0, 2.0, 3.0])
    with pytest.raises(RuntimeError, match="single memory location"):
        torch.optim.SGD([p], lr=0.1).step()


def test_unsupported_modes_are_refused() -> None:
    p = leaf(np.ones(1))
    with pytest.raises(RuntimeError, match="differentiable"):
        torch.optim.SGD([p], differentiable=True)
    p.grad = torch.tensor(np.ones(1))
    with pytest.raises(AssertionError, match="capturable"):
        torch.optim.Adam([p], capturable=True).step()


def test_scratch_stays_out_of_copies() -> None:
    p = leaf(np.ones(3))
    p.grad = torch.tensor(np.ones(3))
    optimizer = torch.optim.Adam([p])
    optimizer.step()
    assert set(optimizer.__getstate__()) == {"defaults", "state", "param_groups"}

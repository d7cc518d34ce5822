"""Optimizers: convergence, errors, and what PyTorch cannot be asked about. The rest is in parity/."""

import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import rushlight as torch
from rushlight.optim.blockwise import BLOCK


def leaf(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array).requires_grad_()


OPTIONS = {
    "SGD": {"momentum": 0.9, "weight_decay": 0.1},
    "Adam": {"amsgrad": True, "weight_decay": 0.1},
    "AdamW": {"amsgrad": True, "weight_decay": 0.1},
    "NAdam": {"weight_decay": 0.1},
    "RAdam": {"weight_decay": 0.1},
    "Adamax": {"weight_decay": 0.1},
    "Adagrad": {"weight_decay": 0.1},
    "Adadelta": {"weight_decay": 0.1},
    "RMSprop": {"weight_decay": 0.1, "centered": True, "momentum": 0.9},
    "Rprop": {"maximize": True},
    "ASGD": {"weight_decay": 0.1, "t0": 1},
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_blocks_are_seamless(name: str, size: int) -> None:
    # One parameter in blocks, and the same elements as parameters of 1000.
    rng = np.random.default_rng(size)
    start, grads = rng.standard_normal(size), rng.standard_normal((3, size))
    whole = leaf(start)
    parts = [leaf(start[i : i + 1000]) for i in range(0, size, 1000)]
    optimizers = [getattr(torch.optim, name)(params, lr=0.1, **OPTIONS[name]) for params in ([whole], parts)]
    for g in grads:
        whole.grad = torch.tensor(g)
        for number, part in enumerate(parts):
            part.grad = torch.tensor(g[number * 1000 : number * 1000 + 1000])
        for optimizer in optimizers:
            optimizer.step()
    np.testing.assert_array_equal(whole.detach().numpy(), np.concatenate([p.detach().numpy() for p in parts]))


@pytest.mark.parametrize("name", OPTIONS)
def test_a_step_makes_no_large_temporary(name: str) -> None:
    p = leaf(np.ones(20 * BLOCK, np.float32))
    p.grad = torch.tensor(np.ones(20 * BLOCK, np.float32))
    optimizer = getattr(torch.optim, name)([p], lr=0.1, **OPTIONS[name])
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


STEPS_OF_LARGE_PARAMETERS = """
import hashlib, sys
import numpy as np, rushlight as torch
for name in sys.argv[1:]:
    rng = np.random.default_rng(0)
    params = [torch.tensor(rng.standard_normal(shape), requires_grad=True) for shape in ((200, 90), (2, 20000))]
    optimizer = getattr(torch.optim, name)(params, lr=0.1)
    for _ in range(3):
        for p in params:
            p.grad = torch.tensor(rng.standard_normal(tuple(p.shape)))
        optimizer.step()
    print(name, [hashlib.sha256(p.detach().numpy().tobytes()).hexdigest() for p in params])
"""


def test_steps_are_the_same_for_any_number_of_threads() -> None:
    """BLAS splits a long sum among its threads, and rounds it another way than one thread does."""
    command = [sys.executable, "-c", STEPS_OF_LARGE_PARAMETERS, *OPTIONS, "Adafactor"]
    one, two = (
        subprocess.run(
            command,
            env=os.environ | dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), number),
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        for number in "12"
    )
    assert one.count("\n") == len(OPTIONS) + 1
    assert one == two


RATES = {
    "SGD": 0.1,
    "Adagrad": 0.5,
    "Adadelta": 20.0,
    "RAdam": 0.2,
    "Adamax": 0.2,
    "ASGD": 0.1,
    "Adafactor": 0.3,
    "LBFGS": 1.0,
    "Muon": 0.1,
}


@pytest.mark.parametrize("name", [*OPTIONS, "Adafactor", "Muon", "LBFGS"])
def test_the_least_of_a_bowl_is_found(name: str) -> None:
    p = leaf(np.array([[3.0, -2.0], [0.5, 4.0]]))
    centre = torch.tensor([[1.0, 1.0], [-1.0, 2.0]], dtype=torch.float64)
    lr = RATES.get(name, 0.05)
    plain = {"weight_decay": 0} if name in {"AdamW", "Muon"} else {}
    optimizer = getattr(torch.optim, name)([p], lr=lr, **plain)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=300)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = ((p - centre) ** 2 * torch.tensor([1.0, 3.0])).sum()
        loss.backward()
        return loss

    for _ in range(300):
        optimizer.step(closure)
        schedule.step()
    np.testing.assert_allclose(p.detach().numpy(), centre.numpy(), atol=0.02)


@pytest.mark.parametrize("name", [*OPTIONS, "Adafactor", "Muon"])
def test_maximize_and_missing_gradients(name: str) -> None:
    p, idle = leaf(np.ones((2, 2))), leaf(np.ones((2, 2)))
    options = {} if name == "Muon" else {"maximize": True, "weight_decay": 0}
    if name == "Rprop":
        options = {"maximize": True}
    optimizer = getattr(torch.optim, name)([p, idle], lr=0.01, **options)
    p.grad = torch.ones(2, 2, dtype=torch.float64)
    version = idle._version
    optimizer.step()
    assert (p > 1).all() if options else (p < 1).all()
    assert (idle == 1).all()
    assert idle._version == version
    assert name == "Adagrad" or idle not in optimizer.state


def test_a_count_that_is_no_tensor_is_refused() -> None:
    p = leaf(np.ones(2))
    p.grad = torch.ones(2, dtype=torch.float64)
    optimizer = torch.optim.Adam([p])
    optimizer.step()
    optimizer.state[p]["step"] = 3
    with pytest.raises(TypeError, match="step must be a tensor, not int: 3"):
        optimizer.step()


def test_a_step_that_closure_refuses_changes_nothing() -> None:
    p = leaf(np.ones(2))
    p.grad = torch.ones(2, dtype=torch.float64)
    optimizer = torch.optim.Adam([p])

    def closure() -> None:
        raise KeyError("no data")

    with pytest.raises(KeyError):
        optimizer.step(closure)
    assert p.tolist() == [1, 1]
    assert not optimizer.state


def test_the_modules_of_pytorch_are_there() -> None:
    for name in ("adam.Adam", "adamw.AdamW", "sgd.SGD", "nadam.NAdam", "lbfgs.LBFGS", "lr_scheduler._LRScheduler",
                 "optimizer.Optimizer", "optimizer.required", "swa_utils.SWALR", "rmsprop.RMSprop"):  # fmt: skip
        module, attribute = name.split(".")
        assert hasattr(getattr(torch.optim, module), attribute)
    with pytest.raises(AttributeError):
        torch.optim.SparseAdam  # noqa: B018


def test_mixed_precision_is_off_or_refused() -> None:
    x = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=0.5)
    scaler = torch.amp.GradScaler("cpu", enabled=False)

    @torch.autocast("cpu", enabled=False)
    def loss() -> torch.Tensor:
        with torch.amp.autocast(device_type="cpu", enabled=False), torch.cuda.amp.autocast(enabled=False):
            return x.sum()

    scaler.scale(loss()).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert x.tolist() == [0.5, 0.5]
    assert (scaler.state_dict(), scaler.get_scale(), scaler.is_enabled()) == ({}, 1.0, False)
    assert not torch.is_autocast_enabled()
    for make in (torch.amp.autocast, torch.amp.GradScaler):
        with pytest.raises(RuntimeError, match="bfloat16"):
            make("cpu")
        with pytest.warns(UserWarning, match="CUDA is not available"):
            make("cuda")
    with pytest.warns(UserWarning, match="CUDA is not available"):
        torch.cuda.amp.GradScaler()


@pytest.mark.parametrize("name", [*OPTIONS, "Adafactor", "Muon"])
def test_a_loaded_state_brings_no_option_that_the_optimizer_has_not(name: str) -> None:
    optimizer = getattr(torch.optim, name)([leaf(np.ones((2, 2)))])
    text, options = repr(optimizer), set(optimizer.param_groups[0])
    saved = optimizer.state_dict()
    for _ in range(2):
        optimizer.load_state_dict(saved)
        assert repr(optimizer) == text
    for option in ("maximize", "foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay"):
        saved["param_groups"][0].pop(option, None)
    optimizer.load_state_dict(saved)
    assert set(optimizer.param_groups[0]) <= options


def test_scratch_is_one_block_for_all_shapes() -> None:
    params = [leaf(np.ones(shape)) for shape in [(3,), (2, 5), (BLOCK,), (2 * BLOCK + 1,)]]
    strided = leaf(np.ones((BLOCK, 2))).detach().t().requires_grad_()  # large: nothing of its shape is kept
    for p in (*params, strided):
        p.grad = torch.ones(*p.shape, dtype=torch.float64)
    optimizer = torch.optim.Adam([*params, strided])
    optimizer.step()
    arrays = [array for made in optimizer._scratch.values() for array in made]
    blocks = {id(block): block for block in (a if a.base is None else a.base for a in arrays)}
    assert [block.size for block in blocks.values()] == [BLOCK, BLOCK]

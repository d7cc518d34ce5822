"""What a tensor is and does beside its ops, without an oracle: memory, graph, copies, refusals."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import rushlight as torch
from rushlight.tensors.functions import dropout


def test_shape_is_a_size() -> None:
    x = torch.ones(2, 3)
    assert x.shape == x.size() == (2, 3)
    assert isinstance(x.shape, torch.Size)
    assert isinstance(x.shape[1:], torch.Size)
    assert repr(x.shape) == "torch.Size([2, 3])"
    a, b = x.shape
    assert (a, b) == (2, 3)
    assert isinstance((4,) + x.shape * 2, torch.Size)


def test_strides_count_elements() -> None:
    x = torch.zeros(4, 6, dtype=torch.float64)[1:, ::2]
    assert x.stride() == (6, 2)
    assert x.storage_offset() == 6
    assert not x.is_contiguous()
    assert x.data_ptr() == x.numpy().ctypes.data


@pytest.mark.parametrize("device", ["cuda", "cuda:1", torch.device("cuda")])
def test_no_gpu(device: Any) -> None:
    for call in (
        lambda: torch.ones(2, device=device),
        lambda: torch.tensor([1.0], device=device),
        lambda: torch.ones(2).to(device),
        lambda: torch.rand(2, device=device),
        lambda: torch.arange(2, device=device),
        lambda: torch.Generator(device),
        lambda: torch.set_default_device(device),
    ):
        with pytest.raises(AssertionError, match="CUDA"):
            call()


def test_other_refusals() -> None:
    with pytest.raises(RuntimeError, match="mps"):
        torch.ones(2, device="mps")
    with pytest.raises(RuntimeError, match="strided"):
        torch.ones(2, layout=torch.layout("sparse_coo"))
    with pytest.raises(TypeError, match="memory_format"):
        torch.ones(1, 2, 3, 4).to(memory_format="channels")
    with pytest.raises(RuntimeError, match="view"):
        torch.ones(4)[1:].resize_(9)
    with torch.device("cpu"):
        assert torch.ones(1).device.type == "cpu"


def test_conversion_keeps_the_gradient_between_floats() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.double() * 3
    assert y.grad_fn is not None
    y.sum().backward()
    assert x.grad.dtype is torch.float32
    assert x.grad.tolist() == [3.0, 3.0]
    assert not x.long().requires_grad
    assert x.float() is x
    assert x.detach().bool().tolist() == [True, True]


def test_retain_grad_and_the_warning_without_it() -> None:
    x = torch.tensor([1.0], requires_grad=True)
    y = x * 2
    with pytest.warns(UserWarning, match="retain_grad"):
        assert y.grad is None
    y.retain_grad()
    (y * 3).sum().backward()
    assert y.grad.tolist() == [3.0]
    assert y.retains_grad


def test_deep_copy_of_a_result_is_refused() -> None:
    x = torch.tensor([1.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="MulBackward0"):
        copy.deepcopy(x * 2)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol: int) -> None:
    x = torch.tensor([[1.0, 2.0]], requires_grad=True)
    x.note = {"a": 1}  # type: ignore[attr-defined]
    made = pickle.loads(pickle.dumps(x, protocol))
    assert made.tolist() == x.tolist()
    assert made.requires_grad
    assert made.is_leaf
    assert made.note == {"a": 1}
    assert pickle.loads(pickle.dumps(torch.float16, protocol)) is torch.float16
    assert pickle.loads(pickle.dumps(torch.contiguous_format, protocol)) is torch.contiguous_format
    zero_d = pickle.loads(pickle.dumps(torch.tensor(2, dtype=torch.int8), protocol))
    assert (zero_d.item(), zero_d.dtype, zero_d.shape) == (2, torch.int8, ())


def test_a_leaf_is_freed_at_once() -> None:
    gc.collect()
    gc.disable()
    try:
        x = torch.ones(3, requires_grad=True)
        y = x * 2
        y.sum().backward()
        gone = weakref.ref(x)
        del x, y
        assert gone() is None
    finally:
        gc.enable()


def test_scalars_share_memory_once_asked_to() -> None:
    x = torch.tensor(1.5)
    array = x.numpy()
    x.add_(1)
    assert array == 2.5
    array[()] = 7
    assert x.item() == 7


def test_a_subclass_is_not_broken() -> None:
    class Named(torch.Tensor):
        def __init__(self, *_: Any) -> None:
            self.name = "x"

        def twice(self) -> Any:
            return self * 2

    x = Named([1.0, 2.0])
    assert x.name == "x"
    assert x.twice().tolist() == [2.0, 4.0]
    assert isinstance(x, torch.Tensor)
    assert repr(x) == "Named([1., 2.])"
    twin = pickle_free_copy(x)
    assert type(twin) is Named
    assert twin.name == "x"


def pickle_free_copy(x: Any) -> Any:
    return copy.deepcopy(x)


def test_seeded_draws_repeat() -> None:
    torch.manual_seed(5)
    first = [torch.rand(3).tolist(), torch.randn(3).tolist(), torch.randperm(9).tolist()]
    torch.manual_seed(5)
    assert first == [torch.rand(3).tolist(), torch.randn(3).tolist(), torch.randperm(9).tolist()]
    with torch.random.fork_rng():
        torch.rand(100)
    state = torch.get_rng_state()
    after = torch.rand(3).tolist()
    torch.set_rng_state(state)
    assert torch.rand(3).tolist() == after


def test_dropout_scales_what_it_keeps() -> None:
    torch.manual_seed(0)
    x = torch.ones(1000, requires_grad=True)
    y = dropout.dropout(x, 0.25)
    kept = y.detach().numpy() != 0
    assert 650 < kept.sum() < 850
    np.testing.assert_allclose(y.detach().numpy()[kept], 1 / 0.75, rtol=1e-6)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())
    assert dropout.dropout(x, 0.25, training=False) is x
    assert dropout.dropout(x, 0.0) is x


def test_channel_dropout_takes_whole_channels() -> None:
    torch.manual_seed(0)
    y = dropout.dropout2d(torch.ones(8, 16, 3, 3), 0.5).numpy()
    assert ((y == 0).all((2, 3)) | (y == 2).all((2, 3))).all()
    assert 0 < (y == 0).mean() < 1

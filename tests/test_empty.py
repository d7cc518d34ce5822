"""What is empty: batches without samples leave no trace, and have gradients, zeros, like any other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight as torch
from rushlight import nn, testing
from rushlight.testing.networks import LAYERS


def emptied(inputs: list[Any]) -> list[Any]:
    """Return the inputs without their samples, which are counted by the first dim."""
    return [x[:0].detach() if isinstance(x, torch.Tensor) and x.ndim else x for x in inputs]


def state_of(layer: Any) -> dict[str, Any]:
    """Return a copy of what a layer keeps, but for how many batches it saw."""
    return {key: v.numpy().copy() for key, v in layer.state_dict().items() if "num_batches" not in key}


@pytest.mark.filterwarnings("ignore")  # without a batch dim the first is another one, and a layer may say so
@pytest.mark.parametrize("name", sorted(name for name in LAYERS if not name.startswith("Lazy")))
@given(data=st.data())
@settings(max_examples=3)
def test_an_empty_batch_leaves_the_state_as_it_was(name: str, data: Any) -> None:
    layer, *inputs = data.draw(testing.modules(name))
    layer.train()
    before = state_of(layer)
    try:
        layer(*emptied(inputs))
    except (RuntimeError, ValueError, IndexError):  # not every layer takes one
        assert "BatchNorm" not in name
    after = state_of(layer)
    for key, value in before.items():
        np.testing.assert_array_equal(after[key], value)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("momentum", [0.1, None, 1.0])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.BatchNorm1d, (0, 2)), (nn.BatchNorm1d, (0, 2, 3)), (nn.BatchNorm1d, (2, 2, 0)),
        (nn.BatchNorm2d, (0, 2, 3, 3)), (nn.BatchNorm2d, (3, 2, 0, 3)), (nn.BatchNorm3d, (0, 2, 1, 2, 3)),
        (nn.InstanceNorm1d, (0, 2, 3)), (nn.InstanceNorm1d, (2, 2, 0)), (nn.InstanceNorm2d, (0, 2, 3, 3)),
    ],
)  # fmt: skip
def test_running_statistics_of_nothing_stay(layer: Any, shape: tuple[int, ...], momentum: float | None) -> None:
    if momentum is None and layer in (nn.InstanceNorm1d, nn.InstanceNorm2d):
        momentum = 0.5
    made = layer(2, momentum=momentum, affine=True, track_running_stats=True)
    x = torch.zeros(*shape, requires_grad=True)
    made(x).sum().backward()
    assert made.running_mean.tolist() == [0.0, 0.0]
    assert made.running_var.tolist() == [1.0, 1.0]
    assert made.weight.grad.tolist() == [0.0, 0.0]
    assert made.bias.grad.tolist() == [0.0, 0.0]
    assert x.grad.shape == shape


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv1d(2, 3, 2), (0, 2, 4)), (nn.Conv2d(2, 3, 2), (0, 2, 4, 4)), (nn.ConvTranspose1d(2, 3, 2), (0, 2, 4)),
        (nn.Linear(2, 3), (0, 2)), (nn.BatchNorm1d(2), (0, 2)), (nn.LayerNorm(2), (0, 2)),
        (nn.GroupNorm(1, 2), (0, 2, 3)), (nn.MaxPool1d(2), (0, 2, 4)), (nn.AvgPool1d(2), (0, 2, 4)),
        (nn.AdaptiveAvgPool1d(2), (0, 2, 4)), (nn.Unfold(1), (0, 2, 2, 2)), (nn.ReflectionPad1d(1), (0, 2, 4)),
        (nn.Upsample(scale_factor=2), (0, 2, 4)),
    ],
)  # fmt: skip
def test_gradcheck_takes_an_empty_batch(layer: Any, shape: tuple[int, ...], twice: bool) -> None:
    layer = layer.double()
    check = torch.autograd.gradgradcheck if twice else torch.autograd.gradcheck
    x = torch.zeros(*shape, dtype=torch.float64, requires_grad=True)
    assert check(lambda x, *_: layer(x), (x, *layer.parameters()))


def test_batch_norm_refuses_a_negative_eps() -> None:
    x, mean, var = torch.zeros(3, 2), torch.zeros(2), torch.ones(2)
    with pytest.raises(ValueError, match=r"eps must be non-negative, but got -1\.0"):
        nn.functional.batch_norm(x, mean, var, eps=-1.0)
    with pytest.raises(ValueError, match=r"eps must be positive during training, but got 0\.0"):
        nn.functional.batch_norm(x, mean, var, training=True, eps=0.0)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.bool, torch.float32])
def test_an_empty_index_of_gather_and_scatter_may_be_of_any_dtype(dtype: Any) -> None:
    x, index = torch.arange(4.0), torch.zeros(0, dtype=dtype)
    assert torch.gather(x, 0, index).shape == (0,)
    assert x.scatter(0, index, torch.zeros(0)).tolist() == x.tolist()
    assert x.scatter_add(0, index, torch.zeros(0)).tolist() == x.tolist()

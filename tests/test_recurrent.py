"""Recurrent layers: what PyTorch does not do, or what needs no PyTorch to be checked."""

from typing import Any

import numpy as np
import pytest

import rushlight as torch
from rushlight import nn
from rushlight.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpad_sequence,
)

LAYERS = [nn.RNN, nn.LSTM, nn.GRU]
CELLS = [nn.RNNCell, nn.LSTMCell, nn.GRUCell]


def draws(*shape: int) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(sum(shape)).standard_normal(shape))


def hidden(states: Any) -> torch.Tensor:
    found: torch.Tensor = states[0] if isinstance(states, tuple) else states
    return found


@pytest.mark.parametrize("layer", LAYERS)
def test_packed_sequences_are_run_one_by_one(layer: Any) -> None:
    module = layer(3, 4, 2, bidirectional=True, dtype=torch.float64)
    sequences = [draws(n, 3) for n in (2, 5, 1, 4)]
    output, states = module(pack_sequence(sequences, enforce_sorted=False))
    padded, lengths = pad_packed_sequence(output)
    assert lengths.tolist() == [2, 5, 1, 4]
    for n, sequence in enumerate(sequences):
        alone, last = module(sequence)
        np.testing.assert_allclose(padded[: len(sequence), n].detach(), alone.detach(), atol=1e-12)
        np.testing.assert_allclose(hidden(states)[:, n].detach(), hidden(last).detach(), atol=1e-12)
        assert (padded[len(sequence) :, n] == 0).all()


@pytest.mark.parametrize(("layer", "cell"), list(zip(LAYERS, CELLS, strict=True)))
def test_a_layer_is_its_cell_unrolled(layer: Any, cell: Any) -> None:
    module, one = layer(3, 4, dtype=torch.float64), cell(3, 4, dtype=torch.float64)
    one.load_state_dict({name.removesuffix("_l0"): value for name, value in module.state_dict().items()})
    x, state = draws(5, 2, 3), None
    output, _ = module(x)
    for step, expected in zip(x, output, strict=True):
        state = one(step, state)
        np.testing.assert_allclose(hidden(state).detach(), expected.detach(), atol=1e-12)


@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_of_layer_and_unrolled_cells_are_equal(layer: Any) -> None:
    module = layer(3, 4, dtype=torch.float64)
    cell = CELLS[LAYERS.index(layer)](3, 4, dtype=torch.float64)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in module.state_dict().items()})
    x, state = draws(5, 2, 3), None
    module(x)[0].square().sum().backward()
    total = torch.zeros((), dtype=torch.float64)
    for step in x:
        state = cell(step, state)
        total = total + hidden(state).square().sum()
    total.backward()
    for ours, other in zip(module.parameters(), cell.parameters(), strict=True):
        np.testing.assert_allclose(ours.grad, other.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_saturated_gates_give_no_nan(cell: Any) -> None:
    module = cell(1, 2)
    x = torch.tensor([[1e6], [-1e6], [0.0]], requires_grad=True)
    out = hidden(module(x))
    out.sum().backward()
    assert torch.isfinite(out).all()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("cell", CELLS)
def test_nan_is_passed_on(cell: Any) -> None:
    x = torch.tensor([[1.0], [float("nan")]])
    found = hidden(cell(1, 2)(x))
    assert torch.isnan(found).tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize("cell", CELLS)
def test_graph_can_be_walked_twice_and_watched(cell: Any) -> None:
    module, seen = cell(2, 3), []
    with torch.autograd.detect_anomaly():
        state = module(torch.ones(1, 2), module(torch.ones(1, 2)))
        out = hidden(state)
        out.register_hook(lambda g: seen.append(g.shape))
        out.sum().backward(retain_graph=True)
        first = module.weight_hh.grad.clone()
        out.sum().backward()
    np.testing.assert_allclose(module.weight_hh.grad, 2 * first, rtol=1e-6)
    assert seen == [(1, 3), (1, 3)]
    with pytest.raises(RuntimeError, match="second time"):
        out.sum().backward()


@pytest.mark.parametrize("name", ["weight_hh", "weight_ih", "bias_hh"])
def test_weights_must_stay_until_the_way_back(name: str) -> None:
    module = nn.LSTMCell(2, 3)
    out, _ = module(torch.ones(1, 2))
    with torch.no_grad():
        getattr(module, name).add_(1.0)
    with pytest.raises(RuntimeError, match=f"saved as '{name}'"):
        out.sum().backward()


def test_modes() -> None:
    module = nn.LSTM(2, 3)
    with torch.no_grad():
        out, _ = module(torch.ones(2, 1, 2))
        assert not out.requires_grad
    with torch.inference_mode():
        out, (h, c) = module(torch.ones(2, 1, 2))
        cell = nn.LSTMCell(2, 3)(torch.ones(1, 2))[1]
    assert all(one.is_inference() for one in (out, h, c, cell))


def test_results_are_tensors_of_their_own() -> None:
    h, c = nn.LSTMCell(2, 3)(torch.ones(4, 2))
    for one in (h, c):
        assert one.is_contiguous()
        assert one.storage_offset() == 0
        assert one._base is None
    output, (last, _) = nn.LSTM(2, 3)(torch.ones(4, 2, 2))
    with torch.no_grad():
        output.zero_()
    assert (last != 0).all()


def test_packed_rows_must_add_up() -> None:
    for rows in (2, 4):
        packed = PackedSequence(torch.ones(rows, 1), torch.tensor([2, 1]))
        for use in (nn.LSTM(1, 2), nn.GRU(1, 2), pad_packed_sequence):
            with pytest.raises(RuntimeError, match="batch_sizes"):
                use(packed)


def test_states_must_fit_packed_sequences() -> None:
    packed = pack_sequence([torch.ones(2, 3)])
    with pytest.raises(RuntimeError, match="Expected hidden"):
        nn.LSTM(3, 4)(packed, (torch.ones(1, 2, 4), torch.ones(1, 2, 4)))
    with pytest.raises(RuntimeError, match="input_size"):
        nn.LSTM(5, 4)(packed)


def test_lengths_must_fit() -> None:
    with pytest.raises(RuntimeError, match="a length of 4"):
        pack_padded_sequence(torch.ones(3, 2), [4, 2])


def test_unpadding_leaves_its_input() -> None:
    padded = pad_sequence([torch.ones(2), torch.ones(3)])
    unpad_sequence(padded, torch.tensor([2, 3]))
    assert padded.shape == (3, 2)


def test_weights_of_a_wrong_shape_are_named() -> None:
    module = nn.GRU(3, 4)
    module.weight_hh_l0 = nn.Parameter(torch.ones(12, 5))
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes"):
        module(torch.ones(2, 1, 3))
    module.weight_hh_l0 = nn.Parameter(torch.ones(8, 4))
    with pytest.raises(RuntimeError, match="does not fit"):
        module(torch.ones(2, 1, 3))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("lengths", [None, [4, 2, 1]])
def test_recorded_and_quick_way_back_agree(layer: Any, lengths: list[int] | None) -> None:
    """The two are written apart."""
    options = {"proj_size": 2} if layer is nn.LSTM else {}
    module = layer(3, 4, 2, bidirectional=True, dtype=torch.float64, **options)
    x = draws(4, 3, 3).requires_grad_()
    given = x if lengths is None else pack_padded_sequence(x, lengths)
    output, states = module(given)
    total = (output if lengths is None else output.data).sin().sum()
    for one in states if isinstance(states, tuple) else (states,):
        total = total + one.cos().sum()
    leaves = [x, *module.parameters()]
    quick = torch.autograd.grad(total, leaves, retain_graph=True)
    recorded = torch.autograd.grad(total, leaves, create_graph=True)
    for one, other in zip(quick, recorded, strict=True):
        np.testing.assert_allclose(one, other.detach(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("cell", [*CELLS, lambda *sizes, **kind: nn.RNNCell(*sizes, nonlinearity="relu", **kind)])
@pytest.mark.parametrize("which", [0, -1])
def test_recorded_and_quick_way_back_of_a_cell_agree(cell: Any, which: int) -> None:
    module, x = cell(3, 4, dtype=torch.float64), draws(5, 3).requires_grad_()
    found = module(x)
    total = (found[which] if isinstance(found, tuple) else found).sin().sum()
    leaves = [x, *module.parameters()]
    quick = torch.autograd.grad(total, leaves, retain_graph=True)
    recorded = torch.autograd.grad(total, leaves, create_graph=True)
    for one, other in zip(quick, recorded, strict=True):
        np.testing.assert_allclose(one, other.detach(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("layer", LAYERS)
def test_the_second_direction_reads_backward(layer: Any) -> None:
    both, one = layer(3, 4, bidirectional=True, dtype=torch.float64), layer(3, 4, dtype=torch.float64)
    weights = {k.removesuffix("_reverse"): v for k, v in both.state_dict().items() if k.endswith("_reverse")}
    one.load_state_dict(weights)
    x = draws(5, 2, 3)
    output, states = both(x)
    flipped, last = one(x.flip(0))
    np.testing.assert_allclose(output[..., 4:].detach(), flipped.flip(0).detach(), atol=1e-12)
    np.testing.assert_allclose(hidden(states)[1].detach(), hidden(last)[0].detach(), atol=1e-12)

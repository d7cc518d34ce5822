"""Every layer of nn on rushlight.testing: drawn arguments and inputs, first and second order, all that should agree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight as torch
from rushlight import nn, testing
from rushlight.testing import Verdict, check_agreement, check_gradient
from rushlight.testing.networks import LAYERS

NO_FORWARD = {"Module", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict", "RNNBase", "RNNCellBase"}
ELSEWHERE = {"Sequential": "networks of modules() without a name", "DataParallel": "it calls what it holds"}

CLASSES = {name for name, x in vars(nn).items() if isinstance(x, type) and issubclass(x, nn.Module)}


def test_every_layer_can_be_drawn() -> None:
    """A new layer needs a recipe in testing/layers.py, windows.py or losses.py."""
    assert LAYERS.keys() == CLASSES - NO_FORWARD - ELSEWHERE.keys()


def test_what_has_no_recipe_has_no_forward_of_its_own() -> None:
    for name in NO_FORWARD:
        assert getattr(nn, name).forward is nn.Module.forward, name


@pytest.mark.filterwarnings("ignore:`NLLLoss2d` is deprecated:FutureWarning")
@pytest.mark.parametrize("name", sorted(LAYERS))
@given(data=st.data())
@settings(max_examples=6)
def test_gradients(name: str, data: Any) -> None:
    layer, *inputs = data.draw(testing.modules(name))
    assert type(layer).__name__ == name.removeprefix("Lazy")
    report = check_gradient(layer, *inputs, raise_exception=False)
    assert report.ok, str(report)
    assert report.findings
    check_agreement(layer, *inputs, order=1)


@given(st.data())
@settings(max_examples=20)
def test_gradients_of_networks(data: Any) -> None:
    network, x = data.draw(testing.modules())
    assert check_gradient(network, x).verdict is Verdict.RIGHT
    check_agreement(network, x, order=1)


def test_layers_by_name() -> None:
    names: set[str] = set()

    @settings(max_examples=20)
    @given(testing.modules(st.sampled_from(["Linear", "GRUCell"])))
    def look(drawn: Any) -> None:
        names.add(type(drawn[0]).__name__)
        assert all(p.dtype is torch.float64 for p in drawn[0].parameters())

    look()
    assert names == {"Linear", "GRUCell"}

    @given(testing.modules("Nothing"))
    def wrong(drawn: Any) -> None:
        raise AssertionError(drawn)

    with pytest.raises(ValueError, match="'Nothing' is no layer"):
        wrong()


FAULTS = {"Conv2d": "convolution", "LSTM": "lstm_steps", "BatchNorm1d": "batch_norm", "Embedding": "embedding"}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_a_rule_of_a_layer_is_found(name: str) -> None:
    verdicts: set[Verdict] = set()

    @settings(max_examples=4)
    @given(testing.modules(name))
    def look(drawn: Any) -> None:
        verdicts.add(check_gradient(*drawn, order=1, directions=1, raise_exception=False).verdict)

    (fault,) = list(testing.planted_faults([FAULTS[name]], ["of the wrong sign"]))[:1]
    look()
    assert Verdict.WRONG not in verdicts
    with fault.planted():
        look()
    assert Verdict.WRONG in verdicts

"""Layers: what PyTorch cannot be asked about. The rest is in parity/test_nn.py."""

import re
from pathlib import Path

import pytest

import rushlight as torch
from rushlight import nn


def test_every_layer_has_a_first_line() -> None:
    for name, layer in vars(nn).items():
        if isinstance(layer, type) and issubclass(layer, nn.Module):
            assert (layer.__doc__ or "").strip(), name


def test_every_public_layer_is_compared_with_pytorch() -> None:
    pytest.importorskip("torch")
    from parity.test_more_layers import LAYERS  # noqa: PLC0415 - needs PyTorch

    text = "".join(path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "parity").glob("*.py"))
    text += " ".join(code for code, _ in LAYERS)  # some of their names are put together
    named = {word for dims in "123" for word in re.findall(r"\w+", text.replace("{dims}", dims))}
    layers = {n for n, x in vars(nn).items() if isinstance(x, type) and issubclass(x, nn.Module)}
    assert layers - named == set()
    assert "Linear" in layers & named


@pytest.mark.parametrize("device", ["cuda", "meta"])
def test_the_only_device_is_the_cpu(device: str) -> None:
    with pytest.raises((RuntimeError, NotImplementedError, AssertionError)):
        nn.Linear(2, 2, device=device)
    assert nn.Linear(2, 2, device="cpu").weight.dtype is torch.float32


def test_sparse_embeddings_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="sparse"):
        nn.Embedding(3, 2, sparse=True)


def test_padding_row_starts_as_zeros() -> None:
    weight = nn.Embedding(4, 3, padding_idx=-2).weight
    assert (weight.detach().numpy() == 0).all(axis=1).tolist() == [False, False, True, False]

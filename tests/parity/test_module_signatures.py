"""Signatures, files and names of ``torch.nn`` beside PyTorch's."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from inspect import signature
from typing import Any

import pytest
import torch

from rushlight import nn

LAYERS = sorted(
    name
    for name, x in vars(torch.nn).items()
    if isinstance(x, type) and issubclass(x, torch.nn.Module) and hasattr(nn, name)
)
IN_FULL = {"RNN": "nonlinearity", "LSTM": None, "GRU": None}
"""PyTorch has ``*args, **kwargs`` here, which it hands on to RNNBase."""

ABSENT = {
    "modules": {
        "container": {"Container"},  # deprecated
        "linear_cross_entropy": None,  # private to PyTorch's implementation
    },
    "utils": {
        "memory_format": None,  # there is one memory format
    },
}


def arguments(function: Any) -> list[tuple[str, str, str]]:
    """Return name, kind and default of every argument; functions and dtypes as defaults by name."""
    return [
        (p.name, p.kind.name, getattr(p.default, "__name__", repr(p.default)))
        for p in signature(function).parameters.values()
    ]


@pytest.mark.parametrize("name", sorted(set(LAYERS) - IN_FULL.keys()))
def test_the_constructor_takes_what_pytorchs_takes(name: str) -> None:
    ours, theirs = getattr(nn, name), getattr(torch.nn, name)
    assert arguments(ours.__init__) == arguments(theirs.__init__)
    assert arguments(ours.forward) == arguments(theirs.forward)


@pytest.mark.parametrize("name", sorted(IN_FULL))
def test_recurrent_layers_write_out_what_they_hand_on(name: str) -> None:
    ours = [argument for argument in arguments(getattr(nn, name).__init__) if argument[0] != IN_FULL[name]]
    theirs = [argument for argument in arguments(torch.nn.RNNBase.__init__) if argument[0] != "mode"]
    assert ours == theirs


@pytest.mark.parametrize("package", sorted(ABSENT))
def test_every_public_file_and_name_is_here(package: str) -> None:
    theirs = import_module(f"torch.nn.{package}")
    absent: dict[str, set[str] | None] = {}
    for file in pkgutil.iter_modules(theirs.__path__):
        if file.name.startswith("_"):
            continue
        module = import_module(f"torch.nn.{package}.{file.name}")
        names = getattr(module, "__all__", None) or [
            name
            for name, x in vars(module).items()
            if name[0] != "_" and getattr(x, "__module__", "") == module.__name__
        ]
        try:
            ours = import_module(f"rushlight.nn.{package}.{file.name}")
        except ModuleNotFoundError:
            absent[file.name] = None
            continue
        missing = {name for name in names if not hasattr(ours, name)}
        if missing:
            absent[file.name] = missing
    assert absent == ABSENT[package]


@pytest.mark.parametrize("name", ["parameter", "init"])
def test_parameter_and_init_have_every_public_name(name: str) -> None:
    ours, theirs = import_module(f"rushlight.nn.{name}"), import_module(f"torch.nn.{name}")
    public = [
        key for key, x in vars(theirs).items() if key[0] != "_" and getattr(x, "__module__", "") == theirs.__name__
    ]
    assert public
    assert [key for key in public if not hasattr(ours, key)] == []

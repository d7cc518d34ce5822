"""Every function of ``tensors/`` is public where its declaration says, and nowhere else."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from importlib import import_module
from inspect import getattr_static
from pathlib import Path
from pkgutil import walk_packages
from types import FunctionType, ModuleType
from typing import Any

import pytest

import rushlight as torch
from rushlight import tensors
from rushlight.autograd.primitive import primitive
from rushlight.nn import functional

INSIDE = "rushlight.tensors."
MODULES = [import_module(each.name) for each in walk_packages(tensors.__path__, INSIDE)]
PLACES = {
    "torch": torch,
    "Tensor": torch.Tensor,
    "functional": functional,
    "linalg": torch.linalg,
    "special": torch.special,
}
HOW = {
    "torch": 'list "{name}" under "{module}" in _MEMBERS of __init__.py',
    "torch_": 'list "{name}" under "tensors.inplace_functions" in _MEMBERS of __init__.py',
    "Tensor": "write `{name} = ...` in tensors/tensor/methods.py, for {module}.{function}",
    "Tensor_": "write `{name} = ...`, an in-place variant of {module}.{function}, in tensors/tensor/methods.py",
    "functional": "import `{name}` from {module} in nn/functional.py and list it in __all__",
    "functional_": "import `{name}` in nn/functional.py and list it in __all__",
    "linalg": "import `{name}` from {module} in linalg.py and list it in __all__",
    "special": "import `{name}` from {module} in special.py and list it in __all__",
}


def names_of_doors(function: Any) -> list[str]:
    """Return the public names that the declaration of ``function`` claims, such as ``"Tensor.exp_"``."""
    own = function.__name__.lstrip("_")
    found = []
    for door in getattr(function, "doors", "").split():
        place, _, name = door.partition(".")
        found.append(door if name else f"{place.rstrip('_')}.{own}{'_' if place.endswith('_') else ''}")
    return found


def declarations() -> Iterator[Any]:
    """Yield the functions that say where they are public."""
    for module in MODULES:
        for function in {id(value): value for value in vars(module).values()}.values():
            if isinstance(function, FunctionType) and hasattr(function, "doors"):
                yield function


def claims() -> dict[str, Any]:
    """Return the declaration of each public name."""
    found: dict[str, Any] = {}
    for function in declarations():
        for name in names_of_doors(function):
            assert found.setdefault(name, function) is function, f"{name} is claimed twice: {function}, {found[name]}"
    return found


def origin(found: Any) -> Any:
    """Return the function of ``tensors/`` that a public object stands for, or None, as for a method of a class body."""
    found = found.fget if isinstance(found, property) else found
    doc = getattr(found, "__doc__", None) or ""
    if doc.startswith("See :func:`rushlight.tensors."):  # of lazy.function
        module, _, name = doc.removeprefix("See :func:`").split("`")[0].rpartition(".")
        found = getattr(import_module(module), name)
    while hasattr(found, "__wrapped__") and not hasattr(found, "primitive"):
        found = found.__wrapped__
    if not isinstance(found, FunctionType) or not found.__module__.startswith(INSIDE):
        return None
    return found if getattr(import_module(found.__module__), found.__name__, None) is found else None


def public(place: str) -> dict[str, Any]:
    """Return what is public in a place."""
    home = PLACES[place]
    names = [name for name in dir(home) if not name.startswith("_")] if place == "Tensor" else home.__all__
    return {f"{place}.{name}": getattr_static(home, name, None) or getattr(home, name) for name in names}


CLAIMS = claims()
PUBLIC = {name: found for place in PLACES for name, found in public(place).items()}


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_an_op_has_the_doors_that_its_declaration_names(name: str) -> None:
    function, (place, _, own) = CLAIMS[name], name.partition(".")
    inplace = own.endswith("_")
    how = HOW[place + "_" if inplace and place + "_" in HOW else place]
    how = how.format(name=own, module=function.__module__.removeprefix("rushlight."), function=function.__name__)
    assert name in PUBLIC, f"{name} is missing: {how}"
    if not inplace or function.__name__.endswith("_"):
        assert origin(PUBLIC[name]) is function, f"{name} is not {function.__module__}.{function.__name__}: {how}"


def of_ops() -> dict[str, Any]:
    """Return the public names that ops stand behind, each with its op; ``exp_`` has that of ``Tensor.exp``."""
    found = {}
    for name, value in PUBLIC.items():
        own = name.partition(".")[2]
        plain = PUBLIC.get(f"Tensor.{own[:-1]}") if own.endswith("_") else None
        op = origin(value) or origin(plain)
        if op is not None:
            found[name] = op
    return found


@pytest.mark.parametrize(("name", "function"), list(of_ops().items()))
def test_a_public_op_is_claimed_by_its_declaration(name: str, function: Any) -> None:
    place, _, own = name.partition(".")
    assert name in CLAIMS, (
        f'{name} is public, but no declaration says so: add "{place}" (with "_" for an in-place variant), or '
        f'"{place}.{own}" where the name differs, to the doors of {function.__name__} in {function.__module__}'
    )


def mentioned(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield what the file of ``tree`` names, each with the last part of the module it comes from, "" for its own."""
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            home = (node.module or "").rpartition(".")[2]
            yield from ((home, each.name) for each in node.names)
            modules |= {each.asname or each.name: each.name for each in node.names}
        elif isinstance(node, ast.Name):
            yield "", node.id
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr


def forgotten(module: ModuleType, used: set[tuple[str, str]]) -> list[str]:
    """Return the functions of ``module`` that are public nowhere, and that neither it nor a file of ``used`` names."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    home = module.__name__.rpartition(".")[2]
    used = used | {(home, name) for origin, name in mentioned(tree) if not origin}
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    return [name for name in names if not hasattr(getattr(module, name), "doors") and (home, name) not in used]


ROOT = Path(__file__).resolve().parent.parent
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
FILES = [file for name in PACKAGES for file in ROOT.joinpath(*name.split(".")[1:]).glob("*.py")]
USED = {each for file in FILES for each in mentioned(ast.parse(file.read_text(encoding="utf-8")))}
OPEN = {torch.random.__name__}
"""Modules that are public themselves, with all that is in them."""


@pytest.mark.parametrize("module", [each for each in MODULES if each.__name__ not in OPEN], ids=lambda m: m.__name__)
def test_a_function_is_public_or_used(module: ModuleType) -> None:
    found = forgotten(module, USED)
    assert not found, (
        f'nobody can call {", ".join(found)} of {module.__name__}: say where it is public, as in @doors("torch"), '
        "or take it out"
    )


def test_names_of_doors() -> None:
    def _sinc() -> None: ...

    _sinc.doors = "torch Tensor_ special.psi"  # type: ignore[attr-defined]
    assert names_of_doors(_sinc) == ["torch.sinc", "Tensor.sinc_", "special.psi"]
    assert names_of_doors(len) == []


@pytest.mark.parametrize("words", [{"numbers": ("beta",)}, {"integers": ("beta", "dim")}])
def test_a_number_that_is_no_parameter_is_refused(words: Any) -> None:
    def kernel(input: Any, alpha: float, dim: int) -> Any: ...

    with pytest.raises(ValueError, match=r"^kernel\(\) has no parameter beta$"):
        primitive(input=None, **words)(kernel)

"""Every op is public where its declaration says, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from inspect import getattr_static
from pkgutil import walk_packages
from types import FunctionType
from typing import Any

import pytest

import rushlight as torch
from rushlight import tensors
from rushlight.autograd.primitive import primitive
from rushlight.nn import functional
from rushlight.tensors.doors import names_of_doors

OPS = ("rushlight.tensors.ops.", "rushlight.tensors.functions.")
MODULES = [
    import_module(each.name)
    for each in walk_packages(tensors.__path__, "rushlight.tensors.")
    if each.name.startswith(OPS)
]
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
    "Tensor_": "write `{name} = inplace_variant(...)` in tensors/tensor/methods.py",
    "functional": "import `{name}` from {module} in nn/functional.py and list it in __all__",
    "functional_": "import `{name}` in nn/functional.py and list it in __all__",
    "linalg": "import `{name}` from {module} in linalg.py and list it in __all__",
    "special": "import `{name}` from {module} in special.py and list it in __all__",
}


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
    """Return the function of the ops that a public object stands for, or None."""
    found = found.fget if isinstance(found, property) else found
    doc = getattr(found, "__doc__", None) or ""
    if doc.startswith("See :func:`rushlight.tensors."):  # of lazy.function
        module, _, name = doc.removeprefix("See :func:`").split("`")[0].rpartition(".")
        found = getattr(import_module(module), name)
    while hasattr(found, "__wrapped__") and not hasattr(found, "primitive"):
        found = found.__wrapped__
    return found if isinstance(found, FunctionType) and found.__module__.startswith(OPS) else None


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
    if not inplace:
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

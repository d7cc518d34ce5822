"""The code that is generated for an op, as a reader of ``listing`` sees it. ``make listings`` writes it anew."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

from rushlight import tensors
from rushlight.autograd.codegen.forward import listing
from rushlight.autograd.primitive import PRIMITIVES

for _module in walk_packages(tensors.__path__, "rushlight.tensors."):  # some load on demand
    import_module(_module.name)

FOLDER = Path(__file__).parent / "listings"
SHOWN = ["exp", "mul", "sum"]
"""One input, two that broadcast, and one with options and a constant that the kernel hands to the rule."""


@pytest.mark.parametrize("name", SHOWN)
def test_the_generated_code_is_as_written_down(name: str) -> None:
    found = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert listing(PRIMITIVES[name]) + "\n" == found, "if the change is meant: make listings, and read the difference"


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_the_generated_code_compiles(name: str) -> None:
    compile(listing(PRIMITIVES[name]), name, "exec")


if __name__ == "__main__":
    for name in SHOWN:
        (FOLDER / f"{name}.txt").write_text(listing(PRIMITIVES[name]) + "\n", encoding="utf-8")

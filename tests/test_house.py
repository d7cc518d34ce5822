"""The house: imports go down, late only by ``lazy.py``, in files and functions of a size to be read."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from support import house
from support.house import House

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
RULES = {
    "order": {"": ["lazy", "arrays", "autograd", "tensors", "nn optim", "__init__"], "tensors/ops": ["shape", "index"]},
    "module_and_function": ["autograd.gradcheck"],
    "owed": [],
}


def test_the_package_is_built_so() -> None:
    folders = [Path(*name.split(".")[1:]) for name in PROJECT["setuptools"]["packages"]]
    files = {file.relative_to(ROOT).as_posix(): file for folder in folders for file in (ROOT / folder).glob("*.py")}
    built = House({name: file.read_text(encoding="utf-8") for name, file in files.items()}, PROJECT["house"])
    assert len(built.imports) > 500
    wrong, mended = house.findings(built)
    assert not wrong, "\n" + "\n".join(wrong)
    assert not mended, f"no longer owed; take it off the list in pyproject.toml, [tool.house]: {mended}"


BODY = "\n".join(["def f():", '    """Do much.', *["    Slowly."] * 60, '    """'])


@pytest.mark.parametrize(
    ("check", "files", "messages"),
    [
        pytest.param(
            house.circles,
            {"nn/a.py": "from . import b", "nn/b.py": "\nfrom .c import f", "nn/c.py": "from .a import g"},
            ["import circle: nn/a.py:1 imports nn/b.py; nn/b.py:2 imports nn/c.py; nn/c.py:1 imports nn/a.py. Move"],
            id="circle",
        ),
        pytest.param(
            house.circles,
            {"nn/__init__.py": "from .a import f", "nn/a.py": "from . import g"},
            ["import circle: nn/__init__.py:1 imports nn/a.py; nn/a.py:1 imports nn/__init__.py. Move"],
            id="circle through the package",
        ),
        pytest.param(
            house.storeys,
            {"arrays/a.py": "\nfrom ..autograd import node", "autograd/node.py": "", "__init__.py": ""},
            ["arrays/a.py:2 imports autograd/node.py: autograd stands above arrays. Move what is needed down"],
            id="arrays import autograd",
        ),
        pytest.param(
            house.storeys,
            {"autograd/node.py": "from ..tensors.ops.shape.join import cat", "tensors/ops/shape/join.py": ""},
            ["autograd/node.py:1 imports tensors/ops/shape/join.py: tensors stands above autograd."],
            id="autograd imports tensors",
        ),
        pytest.param(
            house.storeys,
            {"nn/a.py": "from .. import newaxis", "__init__.py": "newaxis = None"},
            ["nn/a.py:1 imports __init__.py: __init__ stands above nn."],
            id="root",
        ),
        pytest.param(
            house.storeys,
            {"arrays/a.py": "import numpy, rushlight.nn.b\nfrom rushlight.nn import b", "nn/b.py": ""},
            ["arrays/a.py:1 imports nn/b.py: nn", "arrays/a.py:2 imports nn/b.py: nn"],
            id="whole names",
        ),
        pytest.param(
            house.storeys,
            {"tensors/ops/shape/a.py": "from ..index.b import f", "tensors/ops/index/b.py": "from ..shape import a"},
            ["tensors/ops/shape/a.py:1 imports tensors/ops/index/b.py: index stands above shape."],
            id="topics",
        ),
        pytest.param(
            house.storeys,
            {"optim/a.py": "from ..nn import b\nfrom ..arrays.c import d", "nn/b.py": "", "arrays/c.py": ""},
            [],
            id="down, and on one storey",
        ),
        pytest.param(
            house.storeys,
            {"cellar/a.py": ""},
            ["cellar/a.py:1: cellar has no storey. Say in pyproject"],
            id="no storey",
        ),
        pytest.param(
            house.late_imports,
            {
                "nn/a.py": "def f():\n    if f:\n        from . import b\n",
                "lazy.py": "def f():\n    import importlib\n",
            },
            ["nn/a.py:3: an import inside f. Move it to the top, or use lazy.py"],
            id="import in a function",
        ),
        pytest.param(
            house.late_imports,
            {
                "nn/a.py": "import importlib",
                "nn/b.py": "from importlib import reload",
                "nn/c.py": "f = __import__('d')",
            },
            ["nn/a.py:1: importlib.", "nn/b.py:1: importlib.", "nn/c.py:1: __import__."],
            id="importlib",
        ),
        pytest.param(house.late_imports, {"viz/a.py": "from importlib.resources import files"}, [], id="resources"),
        pytest.param(
            house.sizes, {"nn/a.py": "\n" * 601}, ["nn/a.py:601: 601 lines. Split it by topic"], id="long file"
        ),
        pytest.param(house.sizes, {"nn/a.py": "\n" * 600}, [], id="file"),
        pytest.param(
            house.sizes,
            {"nn/a.py": "\n" + BODY + "\n    g()" * 50},
            ["nn/a.py:2: f has 51 lines beside its docstring. Take parts out until it has 50"],
            id="long function",
        ),
        pytest.param(house.sizes, {"nn/a.py": BODY + "\n    g()" * 49}, [], id="function"),
        pytest.param(
            house.names, {"nn/index/index.py": ""}, ["nn/index/index.py:1: a module called like"], id="folder"
        ),
        pytest.param(
            house.names,
            {"nn/__init__.py": "\nfrom .fold import fold", "nn/fold.py": "", "nn/_adam.py": ""},
            ["nn/__init__.py:2: fold hides the module fold.py beside it"],
            id="module and function",
        ),
        pytest.param(
            house.names,
            {"nn/__init__.py": "NAMES = {'nn.a': 'f\\nfold=g'}\nlazy.attach(__name__, NAMES)", "nn/fold.py": ""},
            ["nn/__init__.py:1: fold hides"],
            id="module and lazy function",
        ),
        pytest.param(
            house.names,
            {
                "autograd/__init__.py": "from .gradcheck import gradcheck\nfrom . import graph",
                "autograd/gradcheck.py": "",
                "autograd/graph.py": "",
            },
            [],
            id="PyTorch's own",
        ),
    ],
)
def test_each_fault_is_found(check: Any, files: dict[str, str], messages: list[str]) -> None:
    found = list(check(House(files, RULES)))
    assert len(found) == len(messages), found
    assert all(text.startswith(wanted) for text, wanted in zip(found, messages, strict=True)), found


def test_what_is_owed_is_excused_while_it_is_so() -> None:
    files = {"nn/a/a.py": "", "nn/b/b.py": ""}
    wrong, mended = house.findings(House(files, RULES | {"owed": ["nn/a/a.py: a module", "nn/c/c.py: a module"]}))
    assert [text.partition(":")[0] for text in wrong] == ["nn/b/b.py"]
    assert mended == ["nn/c/c.py: a module"]

"""What ``inspect.signature``, ``help`` and the stubs say is what the functions take."""

import inspect
import pickle
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

import rushlight as torch

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted((ROOT / "tests" / "types" / "scripts").glob("*.py"))
FREE = {"to", "arange", "randint", "range", "einsum"}
"""Functions that take their arguments in so many ways that no one signature says them."""
RUFF = which("ruff", path=str(Path(sys.executable).parent))


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (torch.exp, "(input: Tensor, *, out: Tensor | None = None) -> Tensor"),
        (torch.Tensor.exp_, "(input: Tensor) -> Tensor"),
        (torch.Tensor.lgamma_, "(input: Tensor) -> Tensor"),
        (torch.square_, "(input: 'Any') -> Tensor"),
        (torch.cumsum, "(input: Tensor, dim: int, *, dtype: dtype | None = None, out: Tensor | None = None) -> Tensor"),
        (torch.transpose, "(input: Tensor, dim0: int, dim1: int) -> Tensor"),
        (torch.Tensor.__add__, "(input: Tensor, other: Tensor | Number) -> Tensor"),
    ],
)
def test_signature(function, text):
    assert str(inspect.signature(function)) == text


def test_result_of_several():
    assert inspect.signature(torch.topk).return_annotation == "return_types.topk"


def test_help_speaks_of_tensors():
    shown = subprocess.run(
        [sys.executable, "-c", "import rushlight; help(rushlight.exp)"], capture_output=True, text=True, check=True
    ).stdout
    assert "exp(input: Tensor, *, out: Tensor | None = None) -> Tensor" in shown


@pytest.mark.parametrize("owner", [torch, torch.Tensor, torch.linalg, torch.special, torch.nn.functional])
def test_parameters_have_names(owner):
    functions = {n: getattr(owner, n) for n in dir(owner) if not n.startswith("_")}
    said = {n: str(inspect.signature(f)) for n, f in functions.items() if inspect.isfunction(f)}
    assert {n for n, text in said.items() if "*args" in text or "**kwargs" in text} <= FREE


def test_method_loaded_when_asked_for():
    assert inspect.isfunction(torch.Tensor.det)
    assert inspect.isfunction(vars(torch.Tensor)["det"])
    assert torch.eye(2).det() == 1


def test_tensor_is_of_the_root():
    assert repr(torch.Tensor) == "<class 'rushlight.Tensor'>"
    assert type(pickle.loads(pickle.dumps(torch.ones(2)))) is torch.Tensor
    assert b"rushlight" in pickle.dumps(torch.Tensor)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_runs(path):
    exec(compile(path.read_text(), str(path), "exec"), {"__name__": "__main__"})


@pytest.mark.skipif(RUFF is None, reason="ruff lays the stubs out")
def test_stubs_are_up_to_date():
    made = subprocess.run(
        [sys.executable, "-P", str(ROOT / "tools" / "stubs.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert (made.returncode, made.stdout) == (0, "")

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
STARRED = {"given", "matrices", "operands", "primals", "shape", "shapes", "size", "tensors"}
"""Parameters of which PyTorch's documentation says that they may come one by one."""
FREE = {"load", "skip_init"}
"""Functions that pass any argument on in PyTorch's documentation too."""
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
        (
            torch.Tensor.to,
            (
                "(self, device: device | str | int | dtype | Tensor | None = None, dtype: dtype | None = None, "
                "non_blocking: bool = False, copy: bool = False, *, memory_format: memory_format | None = None)"
                " -> Tensor"
            ),
        ),
        (
            torch.Tensor.random_,
            "(self, from_: int = 0, to: int | None = None, *, generator: Generator | None = None) -> Tensor",
        ),
        (torch.einsum, "(equation: str, *operands: Tensor) -> Tensor"),
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


OWNERS = (
    *(torch, torch.Tensor, torch.linalg, torch.special, torch.nn.functional, torch.nn.init, torch.nn.utils),
    *(torch.autograd, torch.func, torch.random),
)


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__)
def test_parameters_have_names(owner):
    for name in dir(owner):
        found = getattr(owner, name)
        if name.startswith("_") or not inspect.isfunction(found) or not found.__module__.startswith("rushlight."):
            continue
        signature = inspect.signature(found)
        for each in signature.parameters.values():
            open_ended = each.kind is each.VAR_KEYWORD or (
                each.kind is each.VAR_POSITIONAL and each.name not in STARRED
            )
            assert not open_ended or name in FREE, (
                f"{owner.__name__}.{name}{signature}: what is {each.name}? Name the parameters, or declare them by "
                "called_as or spell_out_options"
            )


X = torch.ones(4, 2, 2)
CALLS = [
    *[(torch.arange, args, {}) for args in ((3,), (1, 3), (1, 3, 2))],
    (torch.arange, (), {"end": 3}),
    (torch.arange, (1,), {"end": 3, "step": 2}),
    *[(torch.randint, args, {}) for args in ((3, (2,)), (1, 3, (2,)))],
    (torch.randint, (), {"high": 3, "size": (2,)}),
    *[(torch.randint_like, args, {}) for args in ((X, 3), (X, 1, 3))],
    *[(torch.Tensor.to, (X, *args), {}) for args in ((torch.float64,), ("cpu",), ("cpu", torch.int64), (X,))],
    (torch.Tensor.to, (X,), {"dtype": torch.float64, "copy": True}),
    *[(torch.Tensor.random_, (torch.ones(2), *args), {}) for args in ((), (3,), (1, 3))],
    (torch.Tensor.uniform_, (torch.ones(2), 1.0, 2.0), {}),
    *[(make, (2, 3), {}) for make in (torch.zeros, torch.ones, torch.empty, torch.rand, torch.randn)],
    *[(make, (X, 2, 3), {}) for make in (torch.Tensor.new_zeros, torch.Tensor.new_ones, torch.Tensor.new_empty)],
    *[(torch.tensor_split, (X,), {way: 2}) for way in ("indices_or_sections", "sections")],
    *[(split, (X,), {"indices": (1,)}) for split in (torch.tensor_split, torch.hsplit, torch.vsplit, torch.dsplit)],
    (torch.linspace, (0, 1, 3), {}),
    (torch.full, ((2,), 1.0), {}),
    (torch.normal, (0.0, 1.0, (2,)), {}),
    (torch.zeros_like, (X,), {}),
    (torch.hann_window, (3,), {}),
]


@pytest.mark.parametrize(("function", "args", "words"), CALLS)
def test_a_call_fits_the_signature(function, args, words):
    bound = inspect.signature(function).bind(*args, **words)
    bound.apply_defaults()
    rest = {p.name for p in bound.signature.parameters.values() if p.kind is p.KEYWORD_ONLY} - words.keys()
    function(*args, **words, **{name: bound.arguments[name] for name in rest})


def test_a_declared_signature_is_like_any_other():
    declared = inspect.signature(torch.Tensor.to)
    assert list(inspect.signature(torch.ones(2).to).parameters) == list(declared.parameters)[1:]
    assert pickle.loads(pickle.dumps(declared)) == declared
    assert inspect.unwrap(torch.zeros) is torch.zeros  # or doctest and getsource would not find it


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

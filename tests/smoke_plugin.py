"""A user's tests with the pytest plugin of an installed rushlight[testing]: right ones pass, wrong ones say why.

Run with the Python of an environment that has the wheel: ``python tests/smoke_plugin.py``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import rushlight

TESTS = """
import rushlight as torch
from rushlight.testing import gradient_test, tensors


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0] ** 2  # 3 is missing


def test_right(check_gradient):
    check_gradient(torch.tanh, torch.tensor([0.5, -1.0], dtype=torch.float64))


def test_kink(check_gradient):
    check_gradient(torch.relu, torch.zeros(2, dtype=torch.float64))


def test_wrong(check_gradient):
    check_gradient(Cube.apply, torch.tensor([0.5, -1.0], dtype=torch.float64))


@gradient_test(tensors())
def test_wrong_somewhere(x):
    return Cube.apply(x)


@gradient_test(tensors())
def test_right_everywhere(x):
    return x.sin() * x


def test_model(gradient_file):
    torch.manual_seed(0)
    gradient_file(torch.nn.Linear(2, 2), torch.ones(3, 2))
"""
SAID = (
    r"gradient of Cube\.apply is wrong: order 1, output\[\d\] with respect to x\[\d\]",
    r"factor            0\.333333",
    r"Taylor remainder  falls as h\^1\.\d\d",
    r"made by           CubeBackward at \S*test_user\.py:\d+: check_gradient\(Cube\.apply, .*\), whose own rule",
    r"x = torch\.tensor\(\[0\.5, -1\.0\], dtype=torch\.float64\)",
    r"torch\.testing\.check_gradient\(Cube\.apply, x, seed=0\)",
    r"gradient of test_wrong_somewhere is wrong: order 1, with respect to x",
    r"x = torch\.tensor\(1\.0, dtype=torch\.float64, requires_grad=True\)",
    r"torch\.testing\.check_gradient\(test_wrong_somewhere\.function, x, seed=0\)",
    r"gradients checked: 1 right, 1 wrong, 1 not differentiable here",
    r"2 failed, 4 passed",
)


def main() -> None:
    """Run the tests twice: the second time the contract's file is there."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "test_user.py").write_text(TESTS, encoding="utf-8")
        for _ in range(2):
            command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:cov"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            missing = [words for words in SAID if not re.search(words, done.stdout)]
            if missing:
                raise SystemExit(f"{done.stdout}{done.stderr}\nsmoke: not said: {missing}")
        if not (Path(folder) / "test_model.gradients.json").exists():
            raise SystemExit("smoke: no file of the contract")
    print(f"smoke: the pytest plugin of {Path(rushlight.__file__).parent}: ok")


if __name__ == "__main__":
    main()

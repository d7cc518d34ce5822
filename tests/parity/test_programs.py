"""Random programs under both engines: those that once differed, and a few new ones. ``make fuzz`` runs more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fuzz_programs import differs, outcome, shrink
from rushlight.testing.program import Program

FUZZ = Path(__file__).parents[2] / "tools" / "fuzz_programs.py"

FOUND = {
    "operand of a loss, broadcast, then written": """
t1 = x0.amin(dim=-1, keepdim=True).square()
t2 = F.l1_loss(t1, x1)
t1[0] += x1[:1]
first = T.autograd.grad((t2 * t2).sum(), [x0, x1])
""",
    "sort of one number shares its memory": """
t1 = x2 * x2.sum()
t2 = t1.sort(descending=True)[0]
t2.square_()
""",
    "flattened result of an index": """
t1 = x0[..., T.tensor([0, 0])]
t2 = t1.flatten(0)
t2.neg_()
""",
    "hook of a tensor that lost its gradient to a write": """
t1 = x0.exp()
t1.sum().backward(inputs=[t1], retain_graph=True)
t1.exp_().mul_(0.1)
""",
    "prehook of a step with several results, recorded": """
t1 = x0.clone().chunk(2)[-1]
t1.grad_fn.register_prehook(lambda gs: (gs[0] * 3,))
t2 = T.autograd.grad((t1 * t1).sum(), x0, create_graph=True)[0]
t3 = T.autograd.grad((t2 * t2).sum(), x0)[0]
""",
    "materialized zeros require grad": """
t1 = T.autograd.grad(x0, x1, T.ones_like(x0), create_graph=True, materialize_grads=True)[0]
t2 = T.autograd.grad(x0, x1, T.ones_like(x0), materialize_grads=True)[0]
""",
    "dtype of a loss of two ranks": """
t1 = F.mse_loss(x2, x0.float())
t2 = F.smooth_l1_loss(x0.float(), x2)
""",
    "linear without dims": """
t1 = F.linear(x2, x2)
t2 = F.linear(x2, x1)
t3 = x2.mT
""",
    "empty memory may be written": """
t1 = x0[0:0].atan()
t1.relu_()
t1.expand(2, *t1.shape).mul_(2)
""",
    "second derivative of an angle at the origin": """
t1 = x0 - x0.detach()
t2 = T.autograd.grad(T.atan2(t1, t1), [x0], T.ones_like(x0) * x2, create_graph=True)[0]
t3 = T.autograd.grad(t2.sum(), x2, allow_unused=True)[0]
""",
    "three gradients of one number, the first an array": """
t1 = x2.lerp(x2, 0.3)
T.autograd.backward([x2.sum(), (t1 * t1).sum()], retain_graph=True)
""",
    "a part of a gradient that lies in memory in another order": """
t1 = x0 * 2
t1.view(-1)[1:].mul_(2)
t2 = (x1[:2, None].expand(2, 3).t().sin().t() * t1).sum()
t3 = T.autograd.grad((t1.t() @ x0.detach()).sum() + (t1.t().contiguous().exp()).sum() + t2, [x0], create_graph=True)
t4 = T.autograd.grad(t1, [x0], x0.detach().t().clone().t(), create_graph=True)
t5 = T.autograd.grad(t1, [x0], x0.detach().t().contiguous().t(), retain_graph=True)
t6 = x0.t().clone() * 2
t7 = t6.t().view(-1)
t7.mul_(3)
t8 = T.autograd.grad(t6, [x0], T.arange(6, dtype=T.float64).reshape(3, 2), create_graph=True)
t9 = T.autograd.grad(t6, [x0], T.arange(6, dtype=T.float64).reshape(3, 2), retain_graph=True)
""",
    "inputs of a walk that did not start": """
t1 = x0 * 2
x1.detach().sum().backward(inputs=[t1])
(t1 * t1).sum().backward()
""",
    "cumprod of one factor": """
t1 = T.autograd.grad(x1[None].cumprod(0).sum(), x1, create_graph=True)[0]
t2 = T.autograd.grad(x2.cumprod(0), x2, create_graph=True)[0]
t3 = T.autograd.grad(x1.cumprod(0).sum(), x1, create_graph=True)[0]
""",
    "hooks of a root that leads nowhere": """
t1 = x0.sum()
t1.retain_grad()
t1.register_hook(note)
t2 = T.autograd.grad(t1, x1, allow_unused=True, retain_graph=True)[0]
t3 = T.autograd.grad([t1, x1.sum()], x1, retain_graph=True, allow_unused=True)[0]
""",
    "a leaf that is a view": """
t1 = x0.detach()[0]
t1.requires_grad_()
t1.mul_(2)
""",
}
ALLOWED = {"only rushlight refuses a saved value that was written", "gradients after an error inside a walk"}
LEAVES = (("x0", "float64", (2, 3), 1), ("x1", "float64", (3,), 2), ("x2", "float64", (), 3))


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.filterwarnings("ignore")
def test_what_once_differed(name: str) -> None:
    program = Program(LEAVES, tuple(FOUND[name].strip().splitlines()))
    for shift in range(3):
        text, notes = outcome(program, shift)
        assert text == ""
        assert {reason for reason, _ in notes} <= ALLOWED


def test_a_short_run_finds_nothing() -> None:
    """In another process, as some programs crash PyTorch."""
    command = [sys.executable, "-P", str(FUZZ), "--programs", "200", "--seed", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 programs" in done.stdout


@pytest.mark.filterwarnings("ignore")
def test_a_difference_is_found_and_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "t3 = x0.sinh() if T.__name__ == 'torch' else x0.sin()"
    lines = ("t1 = x0 * 2", "t2 = t1.exp()", wrong, "t4 = t3 + t1", "t5 = t2.sum()")
    program = Program(LEAVES, lines)
    assert differs(program).startswith("t3: rushlight")
    short = shrink(program)
    assert short.lines == (wrong,)
    scope: dict[str, object] = {}
    exec(short.code(), scope)
    assert "t3" in scope

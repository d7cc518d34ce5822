"""Plant faults in a copy of the package, one at a time, and see that the tests catch each.

    python tests/faults.py [words of a fault's name]

A fault is a text of one source file and what replaces it. The tests that should catch it run on the copy; they must
fail there, and pass on a copy without fault. Exit status 1 if a fault survives or no longer fits the source.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = shutil.ignore_patterns(".*", "tests", "benchmarks", "examples", "docs", "__pycache__", "build", "*.egg-info")


@dataclass(frozen=True)
class Fault:
    """One thing gone wrong: ``old`` becomes ``new`` in ``file``; ``tests`` (with ``only`` by name) must notice."""

    name: str
    file: str
    old: str
    new: str
    tests: str
    only: str = ""


ENGINE, FUNCTION, HOOKS, MODES, SAVED, WRITES, DERIVATIVES, RULES = (
    f"tests/test_{name}.py"
    for name in (
        "engine",
        "function",
        "hooks",
        "modes",
        "saved",
        "views_and_writes",
        "functional_derivatives",
        "gradients",
    )
)

FAULTS = [
    # rules
    Fault(
        "flipped sign in a rule",
        "tensors/ops/elementwise/unary.py",
        "input=lambda g, out: g - g * out * out",
        "input=lambda g, out: g + g * out * out",
        RULES,
        "tanh",
    ),
    Fault(
        "wrong factor in a rule",
        "tensors/ops/elementwise/unary.py",
        "input=lambda g, out: g * (out * LN2)",
        "input=lambda g, out: g * out",
        RULES,
        "exp2",
    ),
    # the walk
    Fault(
        "dropped broadcast sum",
        "autograd/broadcast.py",
        "        part = sum_to(part, shape)\n",
        "        part = part\n",
        ENGINE,
        "broadcast",
    ),
    Fault(
        "dropped cast of a gradient",
        "autograd/broadcast.py",
        "return part if array.dtype is kind else convert(part, kind)",
        "return part",
        ENGINE,
        "broadcast",
    ),
    Fault(
        "missing accumulation inside the graph",
        "autograd/engine.py",
        "                    grads[edge] = before + part\n                    owned.add(edge)\n",
        "                    grads[edge] = part\n",
        ENGINE,
        "many or diamonds",
    ),
    Fault(
        "missing accumulation beside hooks",
        "autograd/engine.py",
        "grads[edge] + settled if edge in grads else settled",
        "settled",
        HOOKS,
        "whole",
    ),
    Fault(
        "missing accumulation in a leaf",
        "autograd/engine.py",
        "np.add(grad.array, got, grad.array)",
        "np.copyto(grad.array, got)",
        ENGINE,
        "accumulates",
    ),
    Fault(
        "accumulation into a shared array",
        "autograd/engine.py",
        "            elif edge in owned:\n",
        "            elif type(before) is np.ndarray:\n",
        ENGINE,
        "later_sum or share or seed",
    ),
    Fault(
        "gradient taken over without a copy",
        "autograd/engine.py",
        'return array if alone else np.array(array, order="C")',
        "return array",
        ENGINE,
        "share or seed or handed",
    ),
    Fault(
        "recorded gradient not copied",
        "autograd/engine.py",
        "convert(box.pop(), node.dtype) if before is None",
        "box.pop() if before is None",
        ENGINE,
        "share",
    ),
    Fault(
        "wrong order of the walk",
        "autograd/engine.py",
        "order.sort(key=_newest, reverse=True)",
        "order.reverse()",
        ENGINE,
        "unequal or diamonds or inside",
    ),
    Fault(
        "saved values never freed",
        "autograd/engine.py",
        "        if op.frees and not keep:\n",
        "        if False:\n",
        ENGINE,
        "freed or second_walk",
    ),
    Fault(
        "seed keeps its dtype",
        "autograd/entry.py",
        "return seed if gradient.array.dtype is kind else convert(seed, kind)",
        "return seed",
        ENGINE,
        "another_dtype",
    ),
    Fault(
        "retained gradient is shared", "autograd/hooks.py", "copy = convert(g, node.dtype)", "copy = g", HOOKS, "retain"
    ),
    Fault(
        "leaf hooks run at the end",
        "autograd/engine.py",
        "    order = _hooked_leaves_early(order)\n",
        "",
        HOOKS,
        "as_soon",
    ),
    Fault(
        "second derivatives lose the result's edge",
        "autograd/engine.py",
        "owner = node if edge == -1 else",
        "owner = None if edge == -1 else",
        ENGINE,
        "derivatives",
    ),
    # versions, views and writes
    Fault(
        "missing version check",
        "autograd/codegen/backward.py",
        "stale(op, {name!r}, saved, node)",
        "pass",
        WRITES,
        "saved_value or stale",
    ),
    Fault(
        "write not counted",
        "autograd/inplace.py",
        "        x.array = x.array.dtype.type(array)  # a scalar nobody else looks at\n    wrote(x, name)",
        "        x.array = x.array.dtype.type(array)  # a scalar nobody else looks at",
        WRITES,
        "stale or Programs",
    ),
    Fault(
        "view replayed from the wrong step",
        "autograd/view.py",
        "    for function, rest in steps:",
        "    for function, rest in steps[-1:]:",
        WRITES,
        "views_of_views",
    ),
    Fault(
        "view not replayed after a write",
        "autograd/view.py",
        "        view.base_node = base.node",
        "        view.base_node = base.node\n        x.node = None",
        WRITES,
        "views_of_views",
    ),
    Fault(
        "write leaves the old gradient in place",
        "autograd/inplace.py",
        "@primitive(base=_without_part, ",
        "@primitive(base=lambda g, steps: g, ",
        WRITES,
        "Programs or zero_dims or overwritten",
    ),
    Fault(
        "operand's history overlooked",
        "autograd/inplace.py",
        "                if one.view_of is not None:\n                    settle(one)\n",
        "",
        WRITES,
        "operand",
    ),
    Fault(
        "leaf may be written",
        "autograd/inplace.py",
        "if any(one.node is not None and one.node.backward is None for one in (base, x)):",
        "if False:",
        WRITES,
        "leaf_errors",
    ),
    Fault(
        "frozen view may be written",
        "autograd/inplace.py",
        "    if view is not None and view.frozen:",
        "    if False:",
        WRITES,
        "no_grad",
    ),
    Fault(
        "input overwritten before it is saved",
        "autograd/inplace.py",
        "    source = x if spares_input(twin) else",
        "    source = x if True else",
        WRITES,
        "itself or second_order",
    ),
    Fault(
        "expanded memory may be written",
        "autograd/out_argument.py",
        "        0 in array.strides\n",
        "        False\n",
        WRITES,
        "several_elements",
    ),
    # Functions, modes, hooks on saved values
    Fault(
        "gradients not materialized",
        "autograd/function.py",
        "if fact is None or not self.ctx._materialize:",
        "if True:",
        FUNCTION,
        "materialize or only_one",
    ),
    Fault(
        "Function forgets to check versions",
        "autograd/function.py",
        "        if version != said:",
        "        if False:",
        FUNCTION,
        "noticed",
    ),
    Fault(
        "dirty input keeps its history",
        "autograd/function.py",
        "                rebase(out, wrap(out.result, out.array, result))",
        "                out.node = out.node",
        FUNCTION,
        "dirty",
    ),
    Fault(
        "once_differentiable forgets its fence",
        "autograd/function.py",
        "_fence(out, args) if isinstance(out, Variable) else out",
        "out",
        FUNCTION,
        "once",
    ),
    Fault("no_grad records", "autograd/grad_mode.py", "    on = False\n", "    on = True\n", MODES, "context"),
    Fault(
        "generator keeps the mode between steps",
        "autograd/grad_mode.py",
        "            else:\n                with again():\n                    item = generator.send(sent)",
        "            else:\n                again().__enter__()\n                item = generator.send(sent)",
        MODES,
        "generator",
    ),
    Fault(
        "packed value not unpacked again",
        "autograd/saved_tensors.py",
        "found = self.unpack(self.value)",
        "found = self.value",
        SAVED,
        "what_unpack",
    ),
    Fault(
        "checkpoint forgets the random state",
        "utils/checkpoint.py",
        "                set_rng_state(self.rng)",
        "                pass",
        SAVED,
        "draws",
    ),
    Fault(
        "Jacobian transposed",
        "autograd/functional.py",
        "weight.array.flat[place] = 1",
        "weight.array.flat[-1 - place] = 1",
        DERIVATIVES,
        "matrix",
    ),
    Fault(
        "gradcheck never complains",
        "autograd/gradcheck.py",
        "            if not np.allclose(theirs, ours, rtol, atol, equal_nan=True):",
        "            if False:",
        DERIVATIVES,
        "wrong",
    ),
]


def run(copy: Path, fault: Fault) -> tuple[bool, str]:
    """Return whether the fault's tests pass on the package in ``copy``, and the last line they print."""
    command = [sys.executable, "-P", "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", fault.tests]
    command.append("--hypothesis-profile=faults")
    command += ["-k", fault.only] if fault.only else []
    env = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
    lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or [""]
    if done.returncode not in {0, 1}:
        raise SystemExit(f"{fault.name}: pytest could not run the tests: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 0, lines[-1]


def plant(copy: Path, fault: Fault) -> str:
    """Write the fault into ``copy``; return what was there before, or stop if it does not fit."""
    path = copy / "rushlight" / fault.file
    text = path.read_text()
    if text.count(fault.old) != 1:
        raise SystemExit(f"{fault.name}: {fault.file} holds its text {text.count(fault.old)} times, not once")
    path.write_text(text.replace(fault.old, fault.new))
    return text


def main() -> int:
    """Try every fault whose name holds the words given; return how to exit."""
    words = " ".join(sys.argv[1:])
    chosen = [fault for fault in FAULTS if words in fault.name]
    survivors = 0
    with TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(ROOT, copy / "rushlight", ignore=SKIPPED)
        for tests, only in dict.fromkeys((fault.tests, fault.only) for fault in chosen):
            passed, line = run(copy, Fault("no fault", "", "", "", tests, only))
            if not passed:
                raise SystemExit(f"{tests} -k {only!r} fails without any fault: {line}")
        width = max((len(fault.name) for fault in chosen), default=0)
        for fault in chosen:
            before, start = plant(copy, fault), time.perf_counter()
            passed, line = run(copy, fault)
            (copy / "rushlight" / fault.file).write_text(before)
            survivors += passed
            verdict = "SURVIVED" if passed else "caught"
            print(f"{fault.name:{width}}  {verdict:8}  {time.perf_counter() - start:5.1f} s  {fault.tests}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} faults caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Plant faults in a copy of the package, one at a time, and see that the tests catch each.

    python tools/faults.py [words of a fault's name]

A fault is a pattern of syntax, the function it must be found in, and what replaces it: neither the layout of the code
nor the names of its variables matter. The tests that should catch it run on the copy; they must fail there, and pass on
a copy without fault. Exit status 1 if a fault survives or no longer fits the source.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent))

from syntax_patterns import definition, rewrite

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = shutil.ignore_patterns(
    ".*", "tests", "tools", "benchmarks", "examples", "docs", "__pycache__", "build", "*.egg-info"
)


class DoesNotFitError(Exception):
    """The source is no longer as a fault says."""


@dataclass(frozen=True)
class Fault:
    """One thing gone wrong: ``old`` becomes ``new`` at ``place``; ``tests`` (with ``only`` by name) must notice.

    ``place`` is a file or a folder, or a function or class in one: ``autograd/engine.py:run``. In a folder one file
    must have it; whether a name begins with an underscore does not matter. ``old`` and ``new`` are written as
    ``syntax_patterns`` says.
    """

    name: str
    place: str
    old: str
    new: str
    tests: str
    only: str = ""

    def planted(self, root: Path) -> tuple[Path, str]:
        """Return a file under ``root`` and its text with the fault; DoesNotFitError unless one file has a place."""
        where, _, owner = self.place.partition(":")
        files = [root / where] if where.endswith(".py") else sorted((root / where).rglob("*.py"))
        trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files if file.exists()}
        parts = {file: definition(tree, owner) if owner else tree for file, tree in trees.items()}
        found = [file for file, part in parts.items() if part is not None and rewrite(part, self.old, self.new)]
        if len(found) == 1:
            return found[0], ast.unparse(ast.fix_missing_locations(trees[found[0]]))
        if not trees:
            why = f"there is no {where} any more"
        elif not any(parts.values()):
            why = f"{where} has no function or class {owner!r} any more"
        elif not found:
            why = f"nothing in {self.place} looks like `{self.old}` any more"
        else:
            why = f"`{self.old}` is in several files: {', '.join(file.name for file in found)}"
        raise DoesNotFitError(
            f"fault {self.name!r}: {why}. Say in tools/faults.py where the code it breaks is, and how it looks"
        )


TESTS = ("engine", "function", "hooks", "modes", "saved", "views_and_writes", "functional_derivatives", "gradients")
ENGINE, FUNCTION, HOOKS, MODES, SAVED, WRITES, DERIVATIVES, RULES = (f"tests/test_{name}.py" for name in TESTS)

FAULTS = [
    # rules
    Fault(
        "flipped sign in a rule",
        "tensors/ops/elementwise/unary.py:tanh",
        "A - A * B * B",
        "A + A * B * B",
        RULES,
        "tanh",
    ),
    Fault("wrong factor in a rule", "tensors/ops/elementwise/unary.py:exp2", "A * LN2", "A", RULES, "exp2"),
    # the walk
    Fault("dropped broadcast sum", "autograd/broadcast.py:unbroadcast", "sum_to(A, B)", "A", ENGINE, "broadcast"),
    Fault("dropped cast of a gradient", "autograd/broadcast.py:unbroadcast", "convert(A, B)", "A", ENGINE, "broadcast"),
    Fault(
        "missing accumulation inside the graph",
        "autograd/engine.py:walk_arrays",
        "A[B] = C + D",
        "A[B] = D",
        ENGINE,
        "many or diamonds",
    ),
    Fault(
        "missing accumulation beside hooks",
        "autograd/watched_walk.py",
        "grads[A] + B if A in grads else B",
        "B",
        HOOKS,
        "whole",
    ),
    Fault(
        "missing accumulation in a leaf",
        "autograd/accumulate.py",
        "np.add(A, B, A)",
        "np.copyto(A, B)",
        ENGINE,
        "accumulates",
    ),
    Fault(
        "accumulation into a shared array",
        "autograd/engine.py:walk_arrays",
        "A in B",
        "True",
        ENGINE,
        "later_sum or share or seed",
    ),
    Fault(
        "gradient taken over without a copy",
        "autograd/accumulate.py",
        'A if B else np.array(A, order="C")',
        "A",
        ENGINE,
        "share or seed or handed",
    ),
    Fault("recorded gradient not copied", "autograd/accumulate.py", "convert(A, B)", "A", ENGINE, "share"),
    Fault(
        "wrong order of the walk",
        "autograd/engine.py:reachable",
        "A.sort(key=B, reverse=True)",
        "A.reverse()",
        ENGINE,
        "unequal or diamonds or inside",
    ),
    Fault(
        "saved values never freed",
        "autograd/engine.py:walk_arrays",
        "A.frees and not B",
        "False",
        ENGINE,
        "freed or second_walk",
    ),
    Fault(
        "seed keeps its dtype",
        "autograd",
        "A if gradient.array.dtype is B else convert(A, B)",
        "A",
        ENGINE,
        "another_dtype",
    ),
    Fault("retained gradient is shared", "autograd/hooks.py", "np.array(A, B)", "np.asarray(A, B)", HOOKS, "retain"),
    Fault("leaf hooks run at the end", "autograd", "_hooked_leaves_early(A)", "A", HOOKS, "as_soon"),
    Fault(
        "second derivatives lose the result's edge",
        "autograd:saved_as_tensors",
        "result_node(A, ~B, C)",
        "None",
        ENGINE,
        "derivatives",
    ),
    # versions, views and writes
    Fault(
        "missing version check",
        "autograd:raise_modified_inplace",
        "raise A",
        "pass",
        WRITES,
        "saved_value or modified_inplace",
    ),
    Fault(
        "write not counted",
        "autograd/inplace.py:write_array",
        "bump_version(A, B)",
        "None",
        WRITES,
        "modified_inplace or Programs",
    ),
    Fault(
        "view replayed from the wrong step",
        "autograd/view.py:replay",
        "for A in B: ...",
        "for A in B[-1:]: ...",
        WRITES,
        "views_of_views",
    ),
    Fault(
        "view not replayed after a write",
        "autograd/view.py:refresh_view",
        "A = replay(B, C).node",
        "A = None",
        WRITES,
        "views_of_views",
    ),
    Fault(
        "write leaves the old gradient in place",
        "autograd",
        "copy_slices(A, B, C)",
        "A",
        WRITES,
        "Programs or zero_dims or overwritten",
    ),
    Fault(
        "operand's history overlooked",
        "autograd/inplace.py:any_requires_grad",
        "refresh_view(A)",
        "None",
        WRITES,
        "operand",
    ),
    Fault("leaf may be written", "autograd/inplace.py:check_inplace", "any(A)", "False", WRITES, "leaf_errors"),
    Fault(
        "frozen view may be written",
        "autograd/inplace.py:check_inplace",
        "A and B.frozen and C",
        "False",
        WRITES,
        "no_grad",
    ),
    Fault(
        "input overwritten before it is saved",
        "autograd/inplace.py",
        "A if saves_no_input(B) else C",
        "A",
        WRITES,
        "itself or second_order",
    ),
    Fault(
        "expanded memory may be written",
        "autograd/out_argument.py:assert_no_internal_overlap",
        "0 in A",
        "False",
        WRITES,
        "several_elements",
    ),
    # Functions, modes, hooks on saved values
    Fault(
        "gradients not materialized",
        "autograd/function.py",
        "A is None or not wanted",
        "True",
        FUNCTION,
        "materialize or only_one",
    ),
    Fault("Function forgets to check versions", "autograd/function.py:unpack", "A != B", "False", FUNCTION, "noticed"),
    Fault("dirty input keeps its history", "autograd/function.py", "rebase_history(A, B)", "None", FUNCTION, "dirty"),
    Fault(
        "once_differentiable forgets its fence",
        "autograd/function.py",
        "_fence(A, B) if C else A",
        "A",
        FUNCTION,
        "once",
    ),
    Fault("no_grad records", "autograd/grad_mode.py:no_grad", "on = False", "on = True", MODES, "context"),
    Fault(
        "generator keeps the mode between steps",
        "autograd/grad_mode.py",
        "with A: B = C.send(D)",
        "B = (A.__enter__(), C.send(D))[1]",
        MODES,
        "generator",
    ),
    Fault(
        "packed value not unpacked again", "autograd/saved_tensors.py:open", "A.unpack(B)", "B", SAVED, "what_unpack"
    ),
    Fault("checkpoint forgets the random state", "utils/checkpoint.py", "set_rng_state(A.rng)", "None", SAVED, "draws"),
    Fault(
        "Jacobian transposed", "autograd/functional.py", "A.flat[B] = 1", "A.flat[-1 - B] = 1", DERIVATIVES, "matrix"
    ),
    Fault(
        "gradcheck never complains",
        "autograd/gradcheck.py",
        "np.allclose(A, B, C, D, equal_nan=True)",
        "True",
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


def plant(copy: Path, fault: Fault) -> tuple[Path, str]:
    """Write the fault into ``copy``; return the file, and what was there before."""
    file, text = fault.planted(copy / "rushlight")
    before = file.read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    return file, before


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
            try:
                (file, before), start = plant(copy, fault), time.perf_counter()
            except DoesNotFitError as error:
                survivors += 1
                print(error, flush=True)
                continue
            passed, line = run(copy, fault)
            file.write_text(before, encoding="utf-8")
            survivors += passed
            verdict = "SURVIVED" if passed else "caught"
            print(f"{fault.name:{width}}  {verdict:8}  {time.perf_counter() - start:5.1f} s  {fault.tests}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} faults caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Break every gradient rule in every small way, and see which of it the tests of the ops notice.

    python tests/mutants.py [names of ops]

A mutant is one rule, or a helper that only rules use, with one thing changed: a sign flipped, a term dropped, operands
or arguments swapped, a number off by one, a version check or the undoing of a broadcast left out. Each must be caught
by the examples that ``tests/cases/`` draws for the op. Survivors are printed with their text; those in ``EQUIVALENT``
compute the same. Exit status 1 if fewer than 99 % are caught.
"""

from __future__ import annotations

import ast
import copy
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import FunctionType
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

sys.path.insert(0, str(Path(__file__).resolve().parent))

import rushlight
from cases import CASES
from gradients import check_op, right_or_refused
from rushlight.autograd import compile as generated
from rushlight.autograd import engine
from rushlight.autograd.primitive import PRIMITIVES, Primitive

for _module in walk_packages(rushlight.autograd.__path__, "rushlight.autograd."):
    import_module(_module.name)

EXAMPLES = 25
EQUIVALENT: dict[tuple[str, str], str] = {}
"""Survivors that cannot be caught, as ``(function, change)``, and why."""


@dataclass
class Mutant:
    """One change: where, what, and the code that replaces the function's."""

    owner: str
    change: str
    function: FunctionType
    tree: ast.AST


# ------------------------------------------------------------------ which functions are rules


def helpers(function: Any, seen: set[Any]) -> None:
    """Add to ``seen`` the private functions of ``autograd/ops`` that ``function`` calls, and theirs."""
    for name in _names(function.__code__):
        found = function.__globals__.get(name)
        if not isinstance(found, FunctionType) or hasattr(found, "primitive") or not name.startswith("_"):
            continue
        if found.__module__.startswith("rushlight.autograd.ops") and found not in seen:
            seen.add(found)
            helpers(found, seen)


def _names(code: Any) -> set[str]:
    inner = [each for each in code.co_consts if hasattr(each, "co_names")]
    return set(code.co_names).union(*(_names(each) for each in inner))


def rules_of(op: Primitive) -> set[Any]:
    """Return the rules of ``op`` and the helpers that only rules use."""
    rules = {rule for rule in op.rules.values() if rule is not None}
    found: set[Any] = set(rules)
    for rule in rules:
        helpers(rule, found)
    return {f for f in found if not hasattr(f, "primitive")}


def forward_helpers() -> set[Any]:
    """Return the helpers that kernels use: a change there changes value and gradient alike."""
    found: set[Any] = set()
    for op in PRIMITIVES.values():
        helpers(op.kernel, found)
    return found


# ------------------------------------------------------------------ changes


def tree_of(function: FunctionType, trees: dict[str, ast.Module]) -> Any:
    """Return the syntax tree of a function or lambda."""
    file = function.__code__.co_filename
    if file not in trees:
        trees[file] = ast.parse(Path(file).read_text(encoding="utf-8"))
    code = function.__code__
    named = [n for n in ast.walk(trees[file]) if isinstance(n, ast.FunctionDef) and n.name == function.__name__]
    if named:
        return named[0]
    names = list(code.co_varnames[: code.co_argcount])
    near = [
        node
        for node in ast.walk(trees[file])
        if isinstance(node, ast.Lambda) and node.lineno == code.co_firstlineno
        if [each.arg for each in node.args.args] == names
    ]
    same = [node for node in near if _compiled(node, function).co_code == code.co_code]
    exact = [node for node in same if _compiled(node, function).co_consts == code.co_consts]
    found = exact or same or near
    if not found:
        raise LookupError(f"no source for {function} in {file}:{code.co_firstlineno}")
    return found[0]


def _compiled(node: Any, function: FunctionType) -> Any:
    """Return the code object of a tree."""
    file = function.__code__.co_filename
    if isinstance(node, ast.Lambda):
        code = compile(ast.Expression(node), file, "eval")
        return next(each for each in code.co_consts if hasattr(each, "co_code"))
    bare = copy.copy(node)
    bare.decorator_list = []
    code = compile(ast.Module([bare], []), file, "exec")
    return next(each for each in code.co_consts if hasattr(each, "co_code") and each.co_name == node.name)


def changes(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield every way to change one expression."""
    if isinstance(node, ast.BinOp):
        left, right, sign = node.left, node.right, type(node.op)
        other = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}.get(sign)
        if other is not None:
            yield "another operator", ast.BinOp(left, other(), right)
        if sign in {ast.Add, ast.Sub, ast.Mult}:
            yield "right operand dropped", left
            yield "left operand dropped", right
        if sign in {ast.Sub, ast.Div, ast.Pow, ast.MatMult}:
            yield "operands swapped", ast.BinOp(right, node.op, left)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign dropped", node.operand
    elif isinstance(node, ast.Call) and len(node.args) > 1 and not _symmetric(node):
        yield "arguments swapped", ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], node.keywords)
    elif isinstance(node, ast.Constant) and type(node.value) in {int, float}:
        yield "number off by one", ast.Constant(node.value + 1)


def _symmetric(node: ast.Call) -> bool:
    """Return whether the order of the first two arguments means nothing, or cannot be told."""
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    return name in {"max", "min", "zip", "maximum", "minimum"} or any(isinstance(a, ast.Starred) for a in node.args)


class _Replace(ast.NodeTransformer):
    """Replaces one node."""

    def __init__(self, old: Any, new: Any) -> None:
        self.old, self.new = old, new

    def visit(self, node: Any) -> Any:
        return self.new if node is self.old else self.generic_visit(node)


def mutants_of(function: FunctionType, trees: dict[str, ast.Module]) -> Iterator[Mutant]:
    """Yield the function with one thing changed, in every way."""
    tree = tree_of(function, trees)
    owner = f"{Path(function.__code__.co_filename).stem}.{function.__name__}:{tree.lineno}"
    body = [tree.body] if isinstance(tree, ast.Lambda) else tree.body
    places = [node for part in body for node in ast.walk(part)]
    for number, node in enumerate(places):
        for what, _ in changes(node):
            fresh = copy.deepcopy(tree)
            inner = [fresh.body] if isinstance(fresh, ast.Lambda) else fresh.body
            twin = [each for part in inner for each in ast.walk(part)][number]
            new = next(made for name, made in changes(twin) if name == what)
            changed = ast.fix_missing_locations(_Replace(twin, new).visit(fresh))
            yield Mutant(owner, f"{what}: {ast.unparse(node)}", function, changed)
    results = [node for node in places if isinstance(node, ast.Return) and not isinstance(node.value, ast.Tuple)]
    if isinstance(tree, ast.Lambda) or results:
        fresh = copy.deepcopy(tree)
        for node in ast.walk(fresh):
            if isinstance(node, ast.Return) and node.value is not None:
                node.value = ast.UnaryOp(ast.USub(), node.value)
        if isinstance(fresh, ast.Lambda):
            fresh.body = ast.UnaryOp(ast.USub(), fresh.body)
        yield Mutant(owner, "sign of the result flipped", function, ast.fix_missing_locations(fresh))


# ------------------------------------------------------------------ running


def rewrite(ops: list[Primitive]) -> None:
    """Let the pulls be written anew."""
    for op in ops:
        for each in op.ops.values():
            each.pull = op._first_pull


def examples(op: Primitive) -> list[Any]:
    """Return what the case of ``op`` draws in every run."""
    drawn: list[Any] = []

    @given(CASES[op.name])
    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def collect(args: Any) -> None:
        drawn.append(args)

    collect()
    return drawn


def caught(check: Callable[[Primitive, Any], Any], ops: list[Primitive], drawn: dict[str, list[Any]]) -> bool:
    """Return whether an example fails."""
    for op in ops:
        for args in drawn[op.name]:
            try:
                check(op, args)
            except Exception:
                return True
    return False


def second(op: Primitive, args: Any) -> None:
    """Check first and second derivative."""
    check_op(op, args, order=2)


def engine_faults(op: Primitive, drawn: dict[str, list[Any]]) -> Iterator[tuple[str, bool]]:
    """Yield the faults that are not in a rule's text, and whether each was caught."""
    if op.frees:
        lines = generated._pull

        def blind(primitive: Any) -> list[str]:
            return [line for line in lines(primitive) if "stale(" not in line]

        generated._pull = blind
        rewrite([op])
        try:
            yield "version check skipped", caught(right_or_refused, [op], drawn)
        finally:
            generated._pull = lines
            rewrite([op])
    if op.elementwise and len(op.inputs) > 1:
        settle = engine.settle_gradient
        engine.settle_gradient = lambda part, edge, node: part if node.op.name == op.name else settle(part, edge, node)
        try:
            yield "broadcast not undone", caught(second, [op], drawn)
        finally:
            engine.settle_gradient = settle


def main() -> int:
    """Try every mutant; return how to exit."""
    warnings.simplefilter("ignore")
    chosen = sys.argv[1:] or sorted(CASES)
    ops = [PRIMITIVES[name] for name in chosen]
    forward, trees = forward_helpers(), {}
    users: dict[Any, list[Primitive]] = {}
    for op in ops:
        for function in rules_of(op) - forward:
            users.setdefault(function, []).append(op)
    drawn = {op.name: examples(op) for op in ops}
    start, total, alive, excused = time.monotonic(), 0, [], 0

    def note(owner: str, change: str, dead: bool) -> None:
        nonlocal total, excused
        total += 1
        if not dead and (owner.split(":", maxsplit=1)[0], change) in EQUIVALENT:
            excused += 1
        elif not dead:
            alive.append((owner, change))
            print(f"SURVIVED {owner}  {change}", flush=True)

    for function, its in users.items():
        before = function.__code__
        for mutant in mutants_of(function, trees):
            function.__code__ = _compiled(mutant.tree, function)
            rewrite(its)
            try:
                dead = caught(second, its, drawn)
            finally:
                function.__code__ = before
                rewrite(its)
            note(mutant.owner, mutant.change, dead)
    for op in ops:
        for change, dead in engine_faults(op, drawn):
            note(op.name, change, dead)
    score = (total - len(alive) - excused) / max(total - excused, 1)
    print(
        f"{total} mutants of {len(ops)} ops: {total - len(alive) - excused} caught, {excused} equivalent, "
        f"{len(alive)} survived; score {score:.2%}, {time.monotonic() - start:.0f} s"
    )
    return 0 if score >= 0.99 else 1


if __name__ == "__main__":
    raise SystemExit(main())

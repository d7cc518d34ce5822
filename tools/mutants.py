"""Break every gradient rule in every small way, and see which of it the tests of the ops notice.

    python tools/mutants.py [names of ops]

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
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from pkgutil import walk_packages
from types import FunctionType
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

sys.path.extend(str(Path(__file__).resolve().parents[1] / folder) for folder in ("tests", "tools"))

from cases import CASES
from equivalent_mutants import EQUIVALENT
from rushlight import tensors
from rushlight.autograd import engine, watched_walk
from rushlight.autograd.codegen import forward as generated
from rushlight.autograd.primitive import PRIMITIVES, Primitive
from support.corners import check_corner, of_op
from support.op_gradients import check_alone, check_op, right_or_refused

for _module in walk_packages(tensors.__path__, "rushlight.tensors."):
    import_module(_module.name)

EXAMPLES = 25


@dataclass
class Mutant:
    """One change: where, what, and the code that replaces the function's."""

    owner: str
    change: str
    function: FunctionType
    tree: ast.AST


# ------------------------------------------------------------------ which functions are rules


def helpers(function: Any, seen: set[Any]) -> None:
    """Add to ``seen`` the private functions of ``tensors/ops`` that ``function`` calls, and theirs."""
    for name in _names(function.__code__):
        found = function.__globals__.get(name)
        if not isinstance(found, FunctionType) or hasattr(found, "primitive") or not name.startswith("_"):
            continue
        if found.__module__.startswith("rushlight.tensors.ops") and found not in seen:
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
    exact = [
        node
        for node in same
        if (made := _compiled(node, function)).co_consts == code.co_consts and made.co_names == code.co_names
    ]
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
        if sign in {ast.Sub, ast.Div, ast.Pow, ast.MatMult} and ast.dump(left) != ast.dump(right):
            yield "operands swapped", ast.BinOp(right, node.op, left)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign dropped", node.operand
    elif isinstance(node, ast.Call) and len(node.args) > 1 and not _symmetric(node):
        yield "arguments swapped", ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], node.keywords)
    elif isinstance(node, ast.Constant) and type(node.value) in {int, float}:
        yield "number off by one", ast.Constant(node.value + 1)


def _symmetric(node: ast.Call) -> bool:
    """Return whether the order of the first two arguments means nothing, or cannot be told."""
    first, second = node.args[:2]
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    same = ast.dump(first) == ast.dump(second) or any(isinstance(each, ast.Starred) for each in node.args)
    return same or name in {"max", "min", "zip", "maximum", "minimum"}


class _Replace(ast.NodeTransformer):
    """Replaces one node."""

    def __init__(self, old: Any, new: Any) -> None:
        self.old, self.new = old, new

    def visit(self, node: Any) -> Any:
        return self.new if node is self.old else self.generic_visit(node)


def mutants_of(function: FunctionType, name: str, trees: dict[str, ast.Module]) -> Iterator[Mutant]:
    """Yield the function, which is called ``name``, with one thing changed, in every way."""
    tree = tree_of(function, trees)
    owner = f"{Path(function.__code__.co_filename).stem}.{name}:{tree.lineno}"
    body = [tree.body] if isinstance(tree, ast.Lambda) else tree.body
    places = [node for part in body for node in ast.walk(part)]
    around = {inner: node for node in places for inner in ast.iter_child_nodes(node)}
    seen: Counter[str] = Counter()
    for number, node in enumerate(places):
        for what, _ in changes(node):
            fresh = copy.deepcopy(tree)
            inner = [fresh.body] if isinstance(fresh, ast.Lambda) else fresh.body
            twin = [each for part in inner for each in ast.walk(part)][number]
            new = next(made for name, made in changes(twin) if name == what)
            changed = ast.fix_missing_locations(_Replace(twin, new).visit(fresh))
            change = f"{what}: {_shown(node, around)}"
            seen[change] += 1
            again = f" (number {seen[change]})" if seen[change] > 1 else ""
            yield Mutant(owner, change + again, function, changed)
    results = [node for node in places if isinstance(node, ast.Return) and not isinstance(node.value, ast.Tuple)]
    if isinstance(tree, ast.Lambda) or results:
        fresh = copy.deepcopy(tree)
        for node in ast.walk(fresh):
            if isinstance(node, ast.Return) and node.value is not None:
                node.value = ast.UnaryOp(ast.USub(), node.value)
        if isinstance(fresh, ast.Lambda):
            fresh.body = ast.UnaryOp(ast.USub(), fresh.body)
        yield Mutant(owner, "sign of the result flipped", function, ast.fix_missing_locations(fresh))


def _shown(node: Any, around: dict[Any, Any]) -> str:
    """Return the text of an expression; a short one with the expression it stands in."""
    text, outer = ast.unparse(node), around.get(node)
    while len(ast.unparse(outer)) < 15 and isinstance(around.get(outer), ast.expr) if outer else False:
        outer = around[outer]
    return f"{text} in {ast.unparse(outer)}" if len(text) <= 20 and isinstance(outer, ast.expr) else text


# ------------------------------------------------------------------ running


def rewrite(ops: list[Primitive]) -> None:
    """Let the vjps be written anew."""
    for op in ops:
        for each in op.backwards.values():
            each.vjp = op._first_vjp


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


def first(op: Primitive, args: Any) -> None:
    """Check the first derivative."""
    check_op(op, args, order=1)


def second(op: Primitive, args: Any) -> None:
    """Check first and second derivative."""
    check_op(op, args, order=2)


def caught_at_all(ops: list[Primitive], drawn: dict[str, list[Any]]) -> bool:
    """Return whether anything fails that the tests check; what is cheap comes first."""
    corners = {op.name: list(of_op(op.name)) for op in ops}
    return (
        caught(first, ops, drawn)
        or caught(lambda op, corner: check_corner(corner), ops, corners)
        or caught(check_alone, ops, drawn)
        or caught(second, ops, drawn)
    )


def engine_faults(op: Primitive, drawn: dict[str, list[Any]]) -> Iterator[tuple[str, bool]]:
    """Yield the faults that are not in a rule's text, and whether each was caught."""
    if op.frees:
        lines = generated.vjp_lines

        def blind(primitive: Any) -> list[str]:
            return [line for line in lines(primitive) if "raise_modified_inplace(" not in line]

        generated.vjp_lines = blind
        rewrite([op])
        try:
            yield "version check skipped", caught(right_or_refused, [op], drawn)
        finally:
            generated.vjp_lines = lines
            rewrite([op])
    if op.elementwise and len(op.inputs) > 1:
        unbroadcast = engine.unbroadcast

        def left_out(part: Any, edge: Any, node: Any) -> Any:
            return part if node.backward.name == op.name else unbroadcast(part, edge, node)

        engine.unbroadcast = watched_walk.unbroadcast = left_out
        try:
            yield "broadcast not undone", caught_at_all([op], drawn)
        finally:
            engine.unbroadcast = watched_walk.unbroadcast = unbroadcast


def named(function: FunctionType, its: list[Primitive]) -> str:
    """Return what a function is called; a lambda after the input whose rule it is."""
    if function.__name__ != "<lambda>":
        return function.__name__
    return next(f"{op.name}({name})" for op in its for name, rule in op.rules.items() if rule is function)


class Run:
    """What is tried: functions, each with the ops that use it, and the ops themselves."""

    def __init__(self, names: list[str]) -> None:
        self.ops = [PRIMITIVES[name] for name in names]
        self.trees: dict[str, ast.Module] = {}
        users: dict[Any, list[Primitive]] = {}
        forward = forward_helpers()
        for op in self.ops:
            for function in sorted(rules_of(op) - forward, key=_place):
                users.setdefault(function, []).append(op)
        self.users = list(users.items())

    @cached_property
    def drawn(self) -> dict[str, list[Any]]:
        """What the cases draw, by op."""
        return {op.name: examples(op) for op in self.ops}

    def mutants(self) -> Iterator[Mutant]:
        """Yield every mutant of a rule, untried."""
        for function, its in self.users:
            yield from mutants_of(function, named(function, its), self.trees)

    def __len__(self) -> int:
        return len(self.users) + len(self.ops)

    def outcomes(self, number: int) -> list[tuple[str, str, bool]]:
        """Try every mutant of one function, or the engine's faults of one op: where, what, and whether caught."""
        if number >= len(self.users):
            op = self.ops[number - len(self.users)]
            return [(op.name, change, dead) for change, dead in self._faults(op)]
        function, its = self.users[number]
        found, before = [], function.__code__
        for mutant in mutants_of(function, named(function, its), self.trees):
            function.__code__ = _compiled(mutant.tree, function)
            rewrite(its)
            try:
                dead = caught_at_all(its, self.drawn)
            finally:
                function.__code__ = before
                rewrite(its)
            found.append((mutant.owner, mutant.change, dead))
        return found

    def _faults(self, op: Primitive) -> Iterator[tuple[str, bool]]:
        if caught_at_all([op], self.drawn) or (op.frees and caught(right_or_refused, [op], self.drawn)):
            raise AssertionError(f"{op.name} fails as it is, so that no fault in it could be told")
        yield from engine_faults(op, self.drawn)


def _place(function: Any) -> tuple[str, int, str]:
    code = function.__code__
    return code.co_filename, code.co_firstlineno, str(code.co_varnames)


RUN: Run


def outcomes(number: int) -> list[tuple[str, str, bool]]:
    """Do a part of the run, in a process of its own."""
    return RUN.outcomes(number)


def main() -> int:
    """Try every mutant; return how to exit."""
    global RUN  # noqa: PLW0603 - forked processes find it there
    warnings.simplefilter("ignore")
    start, total, alive, excused = time.monotonic(), 0, 0, 0
    RUN = Run(sys.argv[1:] or sorted(CASES))
    assert RUN.drawn.keys() == {op.name for op in RUN.ops}  # drawn once, before the processes part
    with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
        for part in pool.map(outcomes, range(len(RUN))):
            for owner, change, dead in part:
                total += 1
                key = owner.split(":", maxsplit=1)[0], change
                if not dead and key in EQUIVALENT:
                    excused += 1
                    print(f"EQUIVALENT {owner}  {change}: {EQUIVALENT[key]}", flush=True)
                elif not dead:
                    alive += 1
                    print(f"SURVIVED {owner}  {change}", flush=True)
    found = total - alive - excused
    score = found / max(total - excused, 1)
    print(
        f"{total} mutants of {len(RUN.ops)} ops: {found} caught, {excused} equivalent, "
        f"{alive} survived; score {score:.2%}, {time.monotonic() - start:.0f} s"
    )
    return 0 if score >= 0.99 else 1


if __name__ == "__main__":
    raise SystemExit(main())

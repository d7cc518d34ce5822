"""Find and change code by its syntax: a pattern is Python, in which single capital letters stand for anything.

``A - A * B`` finds ``g - g * (out * out)``, however it is laid out, and whatever the variables are called. A body of
``...`` stands for any statements.
"""

from __future__ import annotations

import ast
import copy
from typing import Any

Bindings = dict[str, Any]


def rewrite(tree: ast.AST, old: str, new: str) -> int:
    """Replace in ``tree`` everything that ``old`` matches by ``new``; return how often."""
    change = _Rewrite(_parsed(old), _parsed(new))
    change.visit(tree)
    return change.count


def definition(tree: ast.AST, name: str) -> ast.AST | None:
    """Return the first function or class of this name, be it private or not, decorators included."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return next((node for node in ast.walk(tree) if isinstance(node, kinds) and node.name.lstrip("_") == name), None)


def _parsed(text: str) -> Any:
    """Return the expression, or the one statement, that ``text`` is."""
    (found,) = ast.parse(text).body
    return found.value if isinstance(found, ast.Expr) else found


def _anything(node: Any) -> str:
    """Return the letter by which a part of a pattern stands for anything, or ''."""
    return node.id if isinstance(node, ast.Name) and len(node.id) == 1 and node.id.isupper() else ""


def _any_body(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 1 and ast.unparse(value[0]) == "..."


def _matches(pattern: Any, node: Any, found: Bindings) -> bool:
    """Return whether ``node`` is an instance of ``pattern``, and note in ``found`` what its letters stand for."""
    if letter := _anything(pattern):
        if letter in found:
            return ast.unparse(found[letter]) == ast.unparse(node)
        found[letter] = node
        return isinstance(node, ast.expr)
    if isinstance(pattern, list):
        if not isinstance(node, list) or len(pattern) != len(node):
            return False
        return all(_matches(one, other, found) for one, other in zip(pattern, node, strict=True))
    if isinstance(pattern, ast.AST):
        return type(pattern) is type(node) and all(_field_matches(pattern, node, name, found) for name in node._fields)
    return bool(pattern == node)


def _field_matches(pattern: Any, node: Any, name: str, found: Bindings) -> bool:
    wanted, value = getattr(pattern, name, None), getattr(node, name, None)
    if name == "body" and _any_body(wanted):
        found["..."] = value
        return True
    return name in {"ctx", "type_comment"} or _matches(wanted, value, found)


class _Rewrite(ast.NodeTransformer):
    """Replaces what a pattern matches, counting; not again within what it replaced."""

    def __init__(self, old: Any, new: Any) -> None:
        self.old, self.new, self.count = old, new, 0

    def visit(self, node: ast.AST) -> Any:
        found: Bindings = {}
        if not _matches(self.old, node, found):
            return self.generic_visit(node)
        self.count += 1
        return _Fill(found).visit(copy.deepcopy(self.new))


class _Fill(ast.NodeTransformer):
    """Puts what was found in the place of the letters."""

    def __init__(self, found: Bindings) -> None:
        self.found = found

    def visit(self, node: ast.AST) -> Any:
        if _any_body(getattr(node, "body", None)):
            node.body = self.found["..."]  # type: ignore[attr-defined]
        letter = _anything(node)
        return self.found[letter] if letter else self.generic_visit(node)

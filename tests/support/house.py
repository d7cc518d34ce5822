"""How the package is built: which module may import which, and how long files and functions may be.

The order of the storeys is data: ``[tool.house]`` in ``pyproject.toml``. A check takes a house and yields messages,
each with the file, the line, and what to do.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

LONGEST_FILE, LONGEST_FUNCTION = 600, 50
PACKAGE, LAZY = "rushlight", "lazy.py"
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """A line of the file ``source`` that imports the file ``target`` of the package."""

    source: str
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


class House:
    """The files of a package, their text by path, and what ``[tool.house]`` says."""

    def __init__(self, files: Mapping[str, str], rules: Mapping[str, Any]) -> None:
        self.files, self.rules = files, rules
        self.trees = {path: ast.parse(text, path) for path, text in files.items()}
        self._modules = {_module(path): path for path in files}

    @cached_property
    def imports(self) -> list[Import]:
        """Every import of a file of the package: ``from . import x`` is one of x if that is a module."""
        found = []
        for path, tree in self.trees.items():
            for node in _run_nodes(tree):
                targets = [self._file(name) for name in _imported(node, path.split("/")[:-1])]
                found += [Import(path, node.lineno, target) for target in dict.fromkeys(targets) if target]
        return found

    def _file(self, name: tuple[str, ...]) -> str | None:
        """Return the file of the module ``name``, or of the one that has something of this name."""
        return self._modules.get(name) or self._modules.get(name[:-1])


def _run_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of ``tree`` without what stands under ``if TYPE_CHECKING``, which only checkers read."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            yield from _run_nodes(node)


def _imported(node: Any, folder: list[str]) -> list[tuple[str, ...]]:
    """Return what an import in a file of ``folder`` names, as parts of a dotted name below the package."""
    if isinstance(node, ast.ImportFrom):
        inside = folder[: len(folder) - node.level + 1] if node.level else None
        module = node.module.split(".") if node.module else []
        names = [[*module, each.name] for each in node.names]
    elif isinstance(node, ast.Import):
        inside, names = None, [each.name.split(".") for each in node.names]
    else:
        return []
    if inside is None:
        return [tuple(name[1:]) for name in names if name[0] == PACKAGE]
    return [(*inside, *name) for name in names]


def _module(path: str) -> tuple[str, ...]:
    parts = tuple(path.removesuffix(".py").split("/"))
    return parts[:-1] if parts[-1] == "__init__" else parts


def circles(house: House) -> Iterator[str]:
    """Yield one circle for each group of files that import one another."""
    edges: dict[str, list[Import]] = {}
    for each in house.imports:
        if each.target != each.source:
            edges.setdefault(each.source, []).append(each)
    told: set[str] = set()
    for start in house.files:
        way = _way_back(start, edges)
        if way and not told & {each.source for each in way}:
            told |= {each.source for each in way}
            yield f"import circle: {'; '.join(map(str, way))}. Move what they share into a module that imports neither"


def _way_back(start: str, edges: dict[str, list[Import]]) -> list[Import]:
    """Return the shortest way along imports from ``start`` to itself, or an empty list."""
    queue: list[list[Import]] = [[]]
    seen: set[str] = set()
    for way in queue:  # grows as it goes
        for each in edges.get(way[-1].target if way else start, ()):
            if each.target == start:
                return [*way, each]
            if each.target not in seen:
                seen.add(each.target)
                queue.append([*way, each])
    return []


def storeys(house: House) -> Iterator[str]:
    """Yield the imports that go up: against the order of the storeys, or of the topics inside a folder."""
    for folder, order in house.rules["order"].items():
        floor = {name: number for number, names in enumerate(order) for name in names.split()}
        inside = tuple(folder.split("/")) if folder else ()
        for path in house.files:
            room = _room(path, inside)
            if room is not None and room not in floor:
                yield (
                    f"{path}:1: {room} has no storey. "
                    f"Say in pyproject.toml, [tool.house.order] {folder!r}, what it stands on"
                )
        for each in house.imports:
            source, target = _room(each.source, inside), _room(each.target, inside)
            if source in floor and target in floor and floor[source] < floor[target]:
                yield (
                    f"{each}: {target} stands above {source}. Move what is needed down, or hand it in from above "
                    "(the order is [tool.house.order] in pyproject.toml)"
                )


def _room(path: str, inside: tuple[str, ...]) -> str | None:
    """Return the folder or module right below ``inside`` that ``path`` is in; ``__init__`` is the folder's own."""
    parts = (*path.removesuffix(".py").split("/"),)
    return parts[len(inside)] if parts[: len(inside)] == inside and len(parts) > len(inside) else None


def late_imports(house: House) -> Iterator[str]:
    """Yield imports inside functions, and other ways to import late."""
    for path, tree in house.trees.items():
        if path == LAZY:
            continue
        for function in (node for node in ast.walk(tree) if isinstance(node, Function)):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield f"{path}:{node.lineno}: an import inside {function.name}. Move it to the top, or use {LAZY}"
        for node in ast.walk(tree):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if "importlib" in names or (isinstance(node, ast.ImportFrom) and node.module == "importlib"):
                yield f"{path}:{node.lineno}: importlib. What loads late does so by {LAZY}"
            elif isinstance(node, ast.Name) and node.id == "__import__":
                yield f"{path}:{node.lineno}: __import__. What loads late does so by {LAZY}"


def sizes(house: House) -> Iterator[str]:
    """Yield files and functions that are too long."""
    for path, text in house.files.items():
        count = text.count("\n")
        if count > LONGEST_FILE:
            yield f"{path}:{LONGEST_FILE + 1}: {count} lines. Split it by topic at {LONGEST_FILE}"
        for node in ast.walk(house.trees[path]):
            if isinstance(node, Function) and (length := _length(node)) > LONGEST_FUNCTION:
                yield (
                    f"{path}:{node.lineno}: {node.name} has {length} lines beside its docstring. "
                    f"Take parts out until it has {LONGEST_FUNCTION}"
                )


def _length(function: Function) -> int:
    text = ast.get_docstring(function, clean=False)
    return (function.end_lineno or 0) - function.lineno + 1 - (text.count("\n") + 1 if text else 0)


def names(house: House) -> Iterator[str]:
    """Yield modules that are called like their folder, or like something that their package exports."""
    for path, tree in house.trees.items():
        *folder, file = path.removesuffix(".py").split("/")
        if folder and file == folder[-1]:
            yield f"{path}:1: a module called like its folder. Name it after what is in it"
        if file != "__init__":
            continue
        modules = {m[-1] for m in house._modules if m[:-1] == tuple(folder) and m and not m[-1].startswith("_")}
        for name, line in _exports(tree):
            if name in modules and ".".join([*folder, name]) not in house.rules["module_and_function"]:
                yield (
                    f"{path}:{line}: {name} hides the module {name}.py beside it, or is hidden by it. "
                    "Rename the module, or start its name with an underscore"
                )


def _exports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the names that an ``__init__.py`` gives, modules left out, each with its line."""
    for node in tree.body:
        if isinstance(node, Function):
            yield node.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((each.asname or each.name, node.lineno) for each in node.names)
    for value in _late_names(tree):
        yield from ((each.partition("=")[0], value.lineno) for each in value.value.split())


def _late_names(tree: ast.Module) -> Iterator[Any]:
    """Yield the texts with the names that ``lazy.attach`` is told: a dict, or a name of one."""
    dicts = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)
             if isinstance(node.targets[0], ast.Name)}  # fmt: skip
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "attach" and len(call.args) > 1:
            members = dicts.get(call.args[1].id) if isinstance(call.args[1], ast.Name) else call.args[1]
            values = members.values if isinstance(members, ast.Dict) else []
            yield from (each for each in values if isinstance(each, ast.Constant) and isinstance(each.value, str))


CHECKS = (circles, storeys, late_imports, sizes, names)


def findings(house: House) -> tuple[list[str], list[str]]:
    """Return the messages of all checks, without what ``owed`` excuses; and what it excuses for nothing."""
    messages = [message for check in CHECKS for message in check(house)]
    owed = {line: [m for m in messages if re.sub(r":\d+", "", m).startswith(line)] for line in house.rules["owed"]}
    excused = {message for found in owed.values() for message in found}
    return [m for m in messages if m not in excused], [line for line, found in owed.items() if not found]

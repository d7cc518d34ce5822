"""Nested arguments and results: tuples, lists and dicts, whose leaves are all else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def flat(tree: Any) -> list[Any]:
    """Return the leaves of nested tuples, lists and dicts."""
    if isinstance(tree, tuple | list):
        return [leaf for item in tree for leaf in flat(item)]
    if isinstance(tree, dict):
        return [leaf for item in tree.values() for leaf in flat(item)]
    return [tree]


def filled(tree: Any, leaves: list[Any]) -> Any:
    """Return ``tree`` with its leaves taken, in order, from the front of ``leaves``."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[filled(item, leaves) for item in tree])
    if isinstance(tree, tuple | list):
        return type(tree)([filled(item, leaves) for item in tree])
    if isinstance(tree, dict):
        return type(tree)((name, filled(item, leaves)) for name, item in tree.items())
    return leaves.pop(0)


def mapped(fn: Callable[[Any], Any], tree: Any) -> Any:
    """Return ``tree`` with ``fn`` of each leaf in its place."""
    return filled(tree, [fn(leaf) for leaf in flat(tree)])


class _Leaf:
    def __repr__(self) -> str:
        return "*"


def structure(tree: Any) -> str:
    """Return how ``tree`` is built, with a star for each leaf, as text: ``(*, {'a': [*]})``."""
    return repr(mapped(lambda _: _Leaf(), tree))


def broadcast_prefix(prefix: Any, tree: Any) -> list[Any]:
    """Return for each leaf of ``tree`` that of ``prefix`` which stands for it: a leaf of that stands for all below.

    Raises ValueError where the two are built differently.
    """
    if not isinstance(prefix, tuple | list | dict):
        return [prefix] * len(flat(tree))
    if isinstance(prefix, dict):
        if not isinstance(tree, dict) or prefix.keys() != tree.keys():
            raise ValueError("dicts with other keys")
        return [one for name in tree for one in broadcast_prefix(prefix[name], tree[name])]
    if (
        not isinstance(tree, tuple | list)
        or len(prefix) != len(tree)
        or isinstance(tree, tuple) != isinstance(prefix, tuple)
    ):
        raise ValueError("sequences of other kinds or lengths")
    return [one for part, below in zip(prefix, tree, strict=True) for one in broadcast_prefix(part, below)]

"""``Variable``: a tensor without its methods, all that the engine knows of one."""

from __future__ import annotations

from typing import Any, ClassVar
from weakref import ref

import numpy as np

from .node import Node
from .version import FIXED, Version, count_write, new_version


class Variable:
    """All that the engine knows of a tensor.

    array         an ndarray, or for a value without dims a NumPy scalar until its memory is shared
    array_shape   its shape, and
    array_dtype   its dtype, noted here: to read them off the array takes twice as long (benchmarks/claims.py)
    node          the node that made it, a leaf, or ``None`` if it requires no grad
    version       counts the writes into its memory; ``None`` until someone needs it
    view_of       how it looks into its base (a ``View``), or ``None``
    old_leaf      the leaf that it was before it was told to require no grad; unset unless there was one
    viewed        True once another tensor looked into it; unset before
    """

    __slots__ = (
        "__dict__", "__weakref__", "array", "array_dtype", "array_shape", "node", "old_leaf", "version", "view_of",
        "viewed",
    )  # fmt: skip
    array: Any
    array_shape: tuple[int, ...]
    array_dtype: np.dtype[Any]
    node: Node | None
    old_leaf: Node | None
    version: Version | None
    view_of: Any
    viewed: bool
    result: ClassVar[Any]  # the class of every result, set once by the class that has the methods


def wrap(cls: Any, array: Any, node: Node | None = None, version: Version | None = None) -> Any:
    """Return a new ``cls`` around ``array``, which is not copied."""
    made = object.__new__(cls)
    made.array, made.array_shape, made.array_dtype = array, array.shape, array.dtype
    made.node, made.version, made.view_of = node, version, None
    return made


def set_array(x: Variable, array: Any) -> None:
    """Let ``x`` stand on ``array``, which may be of another shape or dtype than what it held."""
    x.array, x.array_shape, x.array_dtype = array, array.shape, array.dtype


def as_ndarray(x: Variable) -> Any:
    """Return the ndarray of ``x``, such that whoever holds it shares the memory of ``x``."""
    if type(x.array) is not np.ndarray:
        x.array = np.asarray(x.array)
    return x.array


def ensure_version(x: Variable) -> Version:
    """Return the version of ``x``, made now if nobody needed it before."""
    version = x.version
    if version is None:
        version = x.version = new_version()
    return version


def bump_version(x: Variable, writer: str) -> None:
    """Note a write into the memory of ``x``, by the operation called ``writer``."""
    version = x.version
    count_write(ensure_version(x) if version is None else version, writer)


CONSTANT: Any = Variable()
CONSTANT.array = CONSTANT.array_shape = CONSTANT.array_dtype = CONSTANT.node = CONSTANT.view_of = None
CONSTANT.version = FIXED
"""Stands for an input that is no tensor, where the version or the dtype of one is asked for."""


def new_leaf(tensor: Variable) -> Node:
    """Return a leaf for ``tensor``."""
    leaf = Node.record(None, (), (), tensor.array.shape, tensor.array.dtype)
    leaf.grad, leaf.tensor = None, ref(tensor)
    return leaf

"""Write the stubs that editors and type checkers read, from what the package declares.

    python tools/stubs.py            # write them
    python tools/stubs.py --check    # say which of them are out of date

Names, order and defaults of parameters come from ``inspect.signature``, types from the annotations. An argument
annotated ``Any`` is what its name says in ``BY_NAME``; whatever a declaration cannot say stands in ``overloads.pyi``.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from math import isfinite
from pathlib import Path
from types import ModuleType
from typing import Any

import rushlight
from rushlight.arrays import return_types
from rushlight.autograd.codegen import signature as declared
from rushlight.nn import functional
from rushlight.tensors.tensor.methods import Tensor

ROOT = Path(rushlight.__file__).parent
HEAD = '"""Written by tools/stubs.py."""\n'
DEVICE = "device | str | int | None"
OPTIONS, NEW_OPTIONS = (text.replace(DEVICE, "Device") for text in (declared.OPTIONS, declared.NEW_OPTIONS))
HIDDEN = ("bool", "device", "dtype", "float", "int", "layout", "memory_format")
"""Types whose names mean something else at the root or inside Tensor; the stubs put an underscore before them."""

_INTS, _OPERAND = "int | Sequence[int]", "Tensor | Number"
BY_TYPE = {
    "Any": "adaptive compute_mode data ext_tensor buffer obj ndarray options t",
    "Device": "device",
    "Generator": "generator",
    "Number": "alpha dx fill_value s start end value_number",
    "Sequence[Tensor]": "tensors",
    "Sequence[int]": "physical_layout shape size sizes split_sizes stride_of dims_of normalized_shape",
    "Tensor": """
        A B L a anchor attn_mask aweights b batch1 batch2 bias boundaries fweights grid hx b_hh b_ih
        index indices input input1 input2 input_lengths key key_padding_mask
        linear_bias linear_weight log_probs logits mask mat mat1 mat2 negative offsets
        out_proj_weight per_sample_weights pos_weight positive query self sorted_sequence
        sorter source src static_k static_v target targets target_lengths tensor tensor1 tensor2 the_template theta
        values var vec vec1 vec2 w_hh w_ih weight weights x x1 x2 y q_proj_weight k_proj_weight v_proj_weight
        LU LU_data LU_pivots M pivots tau
        append prepend condition gradient _random_samples matrices
    """,
    "Tensor | Number": "elements exponent max min other test_elements value base",
    "Tensor | Sequence[Tensor]": "inputs",
    "Tensor | None": "bias_k bias_v in_proj_bias in_proj_weight out_proj_bias running_mean running_var",
    "bool": "size_average reduce",
    "dtype": "dtype",
    "float": "mean std sigma median lambd output_ratio",
    "Number | Tensor | Sequence[Number | Tensor]": "spacing",
    "float | Sequence[float]": "scale_factor",
    "float | Tensor": "atol rcond rtol tol",
    "int": "dim correction",
    "int | Sequence[int]": "dilation dims kernel_size output_padding output_size padding stride indices_or_sections",
    "memory_format": "memory_format",
    "str": "driver",
    "Callable[[Tensor, Tensor], Tensor]": "distance_function",
}
BY_NAME = {name: kind for kind, names in BY_TYPE.items() for name in names.split()}
"""What an argument annotated ``Any`` is, by its name."""
BY_PLACE = {
    ("tensors.ops.window.conv", "padding"): "str | int | Sequence[int]",
    ("tensors.ops.loss.distance", "dim"): _INTS,
    ("tensors.ops.index.view_scatter", "stride"): "Sequence[int]",
    ("tensors.ops.matrix.norms", "dim"): f"{_INTS} | None",
    ("tensors.functions.multihead_attention", "value"): "Tensor",
    ("tensors.functions.attention", "value"): "Tensor",
    ("tensors.ops.index.take", "value"): "Number",
    ("tensors.ops.index.take", "input"): _OPERAND,
    ("tensors.ops.shape.pad", "value"): "Number",
    ("tensors.creation.factories", "stride"): "Sequence[int]",
    ("tensors.creation.factories", "dtype"): "dtype | None",
    ("tensors.ops.shape.join", "dims"): "Sequence[int]",
    ("tensors.ops.window.average_pool", "output_size"): "int | Sequence[int | None] | None",
    ("tensors.ops.loss.likelihood", "var"): "Tensor | float",
    ("tensors.ops.loss.ctc", "input_lengths"): "Tensor | Sequence[int]",
    ("tensors.ops.loss.ctc", "target_lengths"): "Tensor | Sequence[int]",
}
"""And where the name alone does not tell: by module and name."""
DROPPED = ("axis", "keepdims")
"""NumPy's words, which the functions take but PyTorch's stubs do not know."""
KEPT = ("tensors.random.generator", "tensors.vmap")
"""Modules below ``tensors`` whose own annotations say everything; so do all outside of it."""

DECLARED = """\
from builtins import bool as _bool, float as _float, int as _int
from collections.abc import Callable, Iterator, Sequence
from types import EllipsisType
from typing import Any, Literal, Self, TypeAlias, TypeVar, overload

import numpy as np
"""
ALIASES = """\
_Kind = TypeVar("_Kind")
Number: TypeAlias = _bool | _int | _float
Device: TypeAlias = _device | str | _int | None
Index: TypeAlias = _int | slice | EllipsisType | Tensor | np.ndarray[Any, Any] | list[Any] | tuple[Any, ...] | None
Outs: TypeAlias = Tensor | tuple[Tensor, ...] | list[Tensor] | None
"""


def place(function: Any) -> str:
    """Return the module of ``function`` below the root of the package."""
    return str(function.__module__).removeprefix("rushlight").removeprefix(".")


# ---------------------------------------------------------------------- one function


def shown(text: str) -> str:
    """Return an annotation as it is spelled in the stubs."""
    text = text.replace("np.ndarray[Any, np.dtype[Any]]", "np.ndarray[Any, Any]").replace("DType", "dtype")
    text = text.replace("Array", "Tensor").replace("Flag", "bool").replace("Pair", "tuple[Tensor, Tensor | None]")
    text = re.sub(r"\bDims\b", f"{_INTS} | None", text)
    text = re.sub(r"\bInts\b", _INTS, text)
    text = text.replace(DEVICE, "Device")
    text = re.sub(r"\b(MemoryFormat|Layout)\b", lambda m: {"Layout": "layout"}.get(m[0], "memory_format"), text)
    return re.sub(rf"(?<![\w.])({'|'.join(HIDDEN)})\b(?!:)", r"_\1", text)


def argument(function: Any, parameter: inspect.Parameter, several: bool) -> str:
    """Return the type of a parameter."""
    said, name = str(parameter.annotation), parameter.name
    if name == "self":
        return "Tensor"
    if name == "out" and parameter.kind is not parameter.VAR_KEYWORD:
        return "Outs" if several else "Tensor | None"
    if said != "Any":
        return shown(said)
    optional = " | None" if parameter.default is None else ""
    found = BY_PLACE.get((place(function), name)) or BY_NAME.get(name)
    if found is None:
        unknown.add(f"{place(function)}.{function.__name__}: {name}")
        found = "Any"
    return shown(found if found in ("Any", "Device") or found.endswith("None") else found + optional)


unknown: set[str] = set()


def default(value: Any) -> str:
    """Return the source of a default."""
    if value is None or isinstance(value, bool | int | str):
        return repr(value).replace("'", '"')
    plain = isinstance(value, float) and isfinite(value)
    return repr(value) if plain or isinstance(value, tuple) else "..."


def result(function: Any, said: Any, name: str, prefix: str = "") -> str:
    """Return the type of what a function returns."""
    if inspect.isclass(getattr(return_types, prefix + name, None)):
        return f"return_types.{prefix}{name}"
    text = str(said)
    if place(function) == "tensors.tensor.python_protocols" or "ndarray" in text or "dict" in text:
        return shown(text)
    return shown(re.sub(r"\b(Any|Self)\b", "Tensor", text))


def definition(name: str, function: Any, method: bool = False, prefix: str = "") -> str:
    """Return ``function`` as one line of a stub; a method's first parameter is ``self``."""
    given = inspect.signature(function)
    returns = result(function, given.return_annotation, name, prefix)
    several = "return_types" in returns
    parts: list[str] = []
    starred = False
    for number, parameter in enumerate(given.parameters.values()):
        if parameter.name in DROPPED or (method and parameter.name == "out"):  # only PyTorch's functions take out
            continue
        if method and number == 0:
            parts.append("self")
            continue
        kind = argument(function, parameter, several)
        text = f"{'input' if parameter.name == 'self' else parameter.name}: {kind}"
        if parameter.default is not parameter.empty:
            text += f" = {default(parameter.default)}"
        if parameter.kind is parameter.VAR_POSITIONAL:
            text, starred = "*" + text, True
        if parameter.kind is parameter.VAR_KEYWORD:
            text = "**" + text
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            text, starred = "*, " + text, True
        parts.append(text)
    inplace = (method and name.endswith("_") and not name.endswith("__")) or name in INPLACE
    return f"def {name}({', '.join(parts)}) -> {'Self' if inplace else returns}: ..."


INPLACE = (
    *("__iadd__", "__isub__", "__imul__", "__itruediv__", "__ifloordiv__", "__imod__", "__ipow__"),
    *("__iand__", "__ior__", "__ixor__", "__ilshift__", "__irshift__"),
)


# ---------------------------------------------------------------------- what is written by hand


def written() -> dict[str, dict[str, list[str]]]:
    """Return the lines of ``overloads.pyi``: of the file and of each class in it, by name."""
    text = (Path(__file__).parent / "overloads.pyi").read_text(encoding="utf-8")
    found: dict[str, dict[str, list[str]]] = {"": {}}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            inner = found.setdefault(node.name, {})
            for each in node.body:
                collect(each, inner, text)
        else:
            collect(node, found[""], text)
    return found


def collect(node: ast.stmt, into: dict[str, list[str]], text: str) -> None:
    """Put one definition, or the type of an attribute, into the lines of its name."""
    if isinstance(node, ast.AnnAssign):
        into[ast.unparse(node.target)] = [shown_line(f"{ast.unparse(node.target)}: {ast.unparse(node.annotation)}")]
    if isinstance(node, ast.FunctionDef):
        line = ast.unparse(node).replace(":\n    ...", ": ...").replace("'", '"').replace("\n", " ")
        line = line.replace("**options: NewOptions", f"*, {NEW_OPTIONS}").replace("**options: Options", f"*, {OPTIONS}")
        if line.count("*, ") > 1 or re.search(r"\*\w+: .*\*, ", line):
            first, _, rest = line.rpartition("*, ")
            line = first + rest
        ignored = re.search(r"# type: ignore\[[\w-]+\]", text.splitlines()[(node.end_lineno or 1) - 1])
        line = shown_line(line)
        if ignored and len(line) > 110:  # will be split, and the comment must stay on its first line
            line = line.replace("(", f"(  {ignored[0]}\n", 1)
        elif ignored:
            line += f"  {ignored[0]}"
        into.setdefault(node.name, []).append(line)


def shown_line(line: str) -> str:
    """Return a line with the hidden types renamed, its own name and its parameters' left as they are."""
    return re.sub(rf"(?<=[\[(|>:] )({'|'.join(HIDDEN)})\b|(?<=\[)({'|'.join(HIDDEN)})\b", lambda m: f"_{m[0]}", line)


WRITTEN = written()


def lines_of(name: str, function: Any, topic: str = "", prefix: str = "") -> list[str]:
    """Return the definitions of a public function, by hand if there are such."""
    return overloaded(WRITTEN.get(topic, {}).get(name) or [definition(name, function, prefix=prefix)])


def overloaded(lines: list[str]) -> list[str]:
    """Return the lines, each after ``@overload`` if there are several."""
    if len(lines) == 1:
        return lines
    found = []
    for number, line in enumerate(lines):
        ignored = "  # type: ignore[override]" if number == 0 and line.endswith("[override]") else ""
        found += [f"@overload{ignored}", line.removesuffix(ignored)]
    return found


# ---------------------------------------------------------------------- the class Tensor


def methods() -> Iterator[str]:
    """Yield the lines of the body of the class Tensor."""
    by_hand = WRITTEN["Tensor"]
    for name in sorted({*by_hand, *dir(Tensor)}):
        attribute = inspect.getattr_static(Tensor, name, None)
        own = name in vars(Tensor)
        if name in by_hand:
            lines = overloaded(by_hand[name])
            yield from accessors(name, lines[0], attribute) if isinstance(attribute, property) else lines
        elif name.startswith("_") and not (own and name.endswith("__") and callable(attribute)):
            continue
        elif isinstance(attribute, property) and own:
            yield f"@property\ndef {name}(self) -> Tensor: ..."
        elif inspect.isroutine(function := getattr(Tensor, name)) and (
            own or "Any" in str(inspect.signature(function))
        ):
            yield from overloaded(method(name, function))


def accessors(name: str, line: str, attribute: property) -> Iterator[str]:
    """Yield the definitions of a property whose type is written by hand."""
    kind = line.partition(": ")[2]
    yield f"@property\ndef {name}(self) -> {kind}: ..."
    if attribute.fset is not None:
        yield f"@{name}.setter\ndef {name}(self, value: {kind}) -> None: ..."


def method(name: str, function: Any) -> list[str]:
    """Return the definitions of a method: those of the function of its name, if it is overloaded."""
    plain = name.removesuffix("_") if not name.endswith("__") else name
    by_hand = [line for line in WRITTEN[""].get(plain, ()) if re.match(r"def \w+\((input|tensor|condition): ", line)]
    if not by_hand:
        return [definition(name, function, method=True)]
    lines = [re.sub(r"^def \w+\(\w+: [^,)]+", f"def {name}(self", line) for line in by_hand]
    lines = [re.sub(r"(, \*)?, out: [^,)]+(?=\))", "", line) for line in lines]
    if plain != name:
        lines = [line.partition(" -> ")[0] + " -> Self: ..." for line in lines]
    return lines


def tensor_stub() -> str:
    """Return the stub of the class Tensor."""
    body = "\n".join(f"    {line}" for text in methods() for line in text.split("\n"))
    imports = """\
from ...arrays import return_types
from ...arrays.device import device as _device, layout as _layout, memory_format as _memory_format
from ...arrays.dtypes import dtype as _dtype
from ...arrays.size import Size
from ...autograd.hooks import RemovableHandle
from ..random.generator import Generator
from .conversions import Conversions
from .numpy_protocols import NumpyProtocols
from .python_protocols import PythonProtocols
"""
    doc = f'    """{(Tensor.__doc__ or "").splitlines()[0]}"""'
    bases = "PythonProtocols, Conversions, NumpyProtocols"
    return f"{HEAD}{DECLARED}\n{imports}\n{ALIASES}\nclass Tensor({bases}):\n{doc}\n{body}\n"


# ---------------------------------------------------------------------- modules

_TYPES = """\
from {dots}arrays import return_types{as_return_types}
from {dots}arrays.device import device as _device, layout as _layout, memory_format as _memory_format
from {dots}arrays.dtypes import dtype as _dtype
from {dots}arrays.size import Size{as_size}
from {dots}tensors.random.generator import Generator{as_generator}
from {dots}tensors.tensor.methods import Device, Number, Outs, Tensor{as_tensor}
"""


def types(dots: str, public: bool = False) -> str:
    """Return the imports of the types; ``public`` ones are names of the stub's module too."""
    names = {"return_types", "Size", "Generator", "Tensor"}
    return _TYPES.format(dots=dots, **{f"as_{n.lower()}": f" as {n}" if public else "" for n in names})


def module_stub(module: ModuleType, topic: str, dots: str, prefix: str = "") -> str:
    """Return the stub of a module that gathers functions from elsewhere."""
    imports: list[str] = []
    lines: list[str] = []
    for name in sorted({*module.__all__, *WRITTEN.get(topic, ())}):
        found = getattr(module, name)
        if inspect.ismodule(found):
            imports.append(f"from . import {name} as {name}")
        elif inspect.isclass(found) or (topic == "autograd" and name not in WRITTEN[topic]):
            imports.append(f"from {dots}{place(found)} import {found.__name__} as {name}")
        else:
            lines += lines_of(name, found, topic, prefix)
    return "\n".join([HEAD + DECLARED + "\n" + types(dots), *imports, "", *lines, ""])


def root_stub() -> str:
    """Return the stub of the root."""
    imports, names, functions = [], [], []
    for name in sorted({*rushlight.__all__, "__version__"} - {"Tensor", "Size", "Generator", "return_types"}):
        found = getattr(rushlight, name)
        if isinstance(found, ModuleType):
            parent, _, last = place(SimpleName(found)).rpartition(".")
            imports.append(f"from .{parent} import {last} as {name}")
        elif inspect.isclass(found) and place(found) != "torch":
            imports.append(f"from .{place(found)} import {found.__name__} as {name}")
        elif inspect.isclass(found):
            names.append(f"class {name}(Tensor): ...")
        elif not callable(found) or isinstance(found, rushlight.dtype):
            kind = type(found).__name__
            names.append(f"{name}: {'None' if found is None else shown(kind)}")
        elif not place(found).startswith("tensors.") or place(found) in KEPT:
            imports.append(f"from .{place(found)} import {found.__name__} as {name}")
        else:
            functions += lines_of(name, found)
    head = HEAD + DECLARED + "\n" + types(".", public=True)
    return "\n".join([head, *sorted(imports), "", *names, *functions, ""])


class SimpleName:
    """A module's name in the place where functions have that of their module."""

    def __init__(self, module: ModuleType) -> None:
        self.__module__ = module.__name__


def return_types_stub() -> str:
    """Return the stub of the named tuples."""
    lines = [
        HEAD,
        "from typing import Any, ClassVar, Self",
        "from collections.abc import Sequence",
        "from ..tensors.tensor.methods import Tensor",
        "class Structure:",
        "    fields: ClassVar[tuple[str, ...]]",
        "    n_fields: ClassVar[int]",
        "    n_sequence_fields: ClassVar[int]",
        "    n_unnamed_fields: ClassVar[int]",
        "    def __new__(cls, items: Sequence[Any]) -> Self: ...",
        "    @classmethod",
        "    def of(cls, *items: Any) -> Self: ...",
        "def structure(name: str, *fields: str) -> type[Structure]: ...",
    ]
    for name, found in vars(return_types).items():
        if inspect.isclass(found) and issubclass(found, return_types.Structure) and found.__name__ != "Structure":
            lines.append(f"class {name}(Structure, tuple[{', '.join(['Tensor'] * found.n_fields)}]):")
            lines += [f"    @property\n    def {field}(self) -> Tensor: ..." for field in found.fields]
    return "\n".join([*lines, ""])


STUBS: dict[str, Callable[[], str]] = {
    "__init__.pyi": root_stub,
    "arrays/return_types.pyi": return_types_stub,
    "autograd/__init__.pyi": lambda: module_stub(rushlight.autograd, "autograd", ".."),
    "linalg.pyi": lambda: module_stub(rushlight.linalg, "linalg", ".", "linalg_"),
    "nn/functional.pyi": lambda: module_stub(functional, "functional", ".."),
    "special.pyi": lambda: module_stub(rushlight.special, "special", "."),
    "tensors/tensor/methods.pyi": tensor_stub,
}


def formatted(text: str, path: Path) -> str:
    """Return ``text`` as ruff formats it, its unused imports dropped."""
    for command in (
        ["check", "--fix", "--exit-zero", "--select", "F401,I", "--config", "lint.isort.combine-as-imports=true"],
        ["format"],
    ):
        ruff = [str(Path(sys.executable).parent / "ruff"), *command, "--quiet", "--isolated", "--line-length", "120"]
        ruff += ["--stdin-filename", str(path), "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout
    return text


def main() -> int:
    """Write the stubs, or with ``--check`` compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 if a stub is out of date")
    check = parser.parse_args().check
    stale = []
    for name, made in STUBS.items():
        path = ROOT / name
        text = formatted(made(), path)
        if check:
            stale += [name] if not path.exists() or path.read_text(encoding="utf-8") != text else []
        else:
            path.write_text(text, encoding="utf-8")
    for each in sorted(unknown):
        print("no type for", each)
    for name in stale:
        print(f"{name} is out of date: run python tools/stubs.py")
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())

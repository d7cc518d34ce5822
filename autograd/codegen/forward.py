"""A primitive's forward and vjp as source text, written and compiled when it is first called.

One flat function per op costs a small part of the general one in ``reference.py`` (``benchmarks/claims.py``). The
text goes to ``linecache``, so that tracebacks and debuggers show it, and ``listing(op)`` prints it.
"""

from __future__ import annotations

import linecache
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays.dims import as_int, mismatch
from ...arrays.dtypes import check_float, float32, float64, floating
from ..arguments import ACCEPTED_TYPES, as_number, coerce_argument, numbers_first, promoter
from ..errors import FreedError, raise_modified_inplace
from ..multi_output import results_of
from ..node import Backward, Node, clock
from ..out_argument import write_out
from ..recording import INFERENCE_CONTEXTS, inference_version, recording
from ..threads import WRITING, counter
from ..variable import CONSTANT, Variable, as_ndarray, wrap
from ..version import Version
from ..view import attach, refresh_view
from .backward import vjp_lines
from .inline import call, direct, names_of
from .signature import AsCalled

if TYPE_CHECKING:
    from ..primitive import Primitive

ALIASES = {"dim": "axis", "keepdim": "keepdims"}  # NumPy's words, which PyTorch takes as well


class _Unset:
    def __repr__(self) -> str:
        return "<unset>"


UNSET: Any = _Unset()


def _build_and_call(*args: Any, **kwargs: Any) -> Any:
    return build(this)(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821 - names of the op's own scope


def placeholder(op: Primitive) -> Any:
    """Return the op's function, which writes its own body when first called."""
    scope: dict[str, Any] = {"__name__": op.kernel.__module__, "this": op, "build": build_function}
    function: Any = FunctionType(_build_and_call.__code__, scope, op.kernel.__name__)
    function.__qualname__ = op.kernel.__qualname__
    function.__doc__ = op.kernel.__doc__
    function.__wrapped__ = AsCalled(op)
    function.primitive = op
    return function


def build_function(op: Primitive) -> Any:
    """Write the body of the op's function; the function object stays the same."""
    function = op.function
    with WRITING:
        if function.__code__ is _build_and_call.__code__:  # no other thread was faster
            made = _compiled(op, "forward", _forward(op), function.__globals__)
            function.__kwdefaults__ = made.__kwdefaults__
            function.__defaults__ = made.__defaults__
            function.__code__ = made.__code__  # last: until here a call ends up at the lock
    return function


def build_vjp(primitive: Primitive, backward: Backward) -> Any:
    """Return the vjp of ``backward``, written now."""
    scope = {"__name__": primitive.kernel.__module__, "backward": backward}
    return _compiled(primitive, "vjp", vjp_lines(primitive), scope)


_numbers = counter()


def _compiled(op: Primitive, what: str, lines: list[str], scope: dict[str, Any]) -> Any:
    text = "\n".join(lines) + "\n"
    filename = f"<rushlight {what} {op.name} {next(_numbers)}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    _fill(op, scope)
    made: dict[str, Any] = {}
    exec(compile(text, filename, "exec"), scope, made)
    return made[what]


_NAMES: dict[str, Any] = {
    each.__name__: each
    for each in (
        Variable,
        Node,
        FreedError,
        refresh_view,
        attach,
        as_ndarray,
        write_out,
        mismatch,
        floating,
        coerce_argument,
        numbers_first,
        raise_modified_inplace,
        results_of,
        wrap,
    )
}
_NAMES |= {"Version": Version, "ndarray": np.ndarray, "new": object.__new__, "clock": clock, "CONSTANT": CONSTANT}
_NAMES |= {"check_float": check_float, "as_number": as_number, "as_int": as_int}
_NAMES |= {
    "SINGLE": float32.numpy,
    "DOUBLE": float64.numpy,
    "ACCEPTED_TYPES": ACCEPTED_TYPES,
    "UNSET": UNSET,
    "recording": recording.get,
    "inference_version": inference_version.get,
    "INFERENCE_CONTEXTS": INFERENCE_CONTEXTS,
}
"""The names that every generated source may use."""
_LOCALS = {"array", "edges", "node", "one", "result", "saved", "traced"}


def _fill(op: Primitive, scope: dict[str, Any]) -> None:
    """Give the generated source the names it uses, its defaults among them."""
    scope |= _NAMES
    scope |= {"this": op, "kernel": direct(op.kernel), "promote": promoter(op.promote, len(op.rules), op.refuse_bool)}
    scope |= {
        "backward_of": op.backward,
        "grad_fn_name": op.grad_fn_name,
        "returns": op.returns,
        "rule": op.joint,
        "Result": Variable.result,
    }
    scope |= {f"rule_{name}": direct(rule) for name, rule in op.rules.items() if rule is not None}
    if isinstance(op.grad_fn_name, str):
        scope |= {
            "same_shape": op.backward(op.grad_fn_name, not op.elementwise),
            "broadcasts": op.backward(op.grad_fn_name, True),
        }
    scope |= {f"default_{name}": value for name, value in _defaults(op).items()}
    clash = (scope.keys() | _LOCALS) & {*op.params, *op.outputs, *op.aux}
    if op.outputs and op.view:
        raise TypeError(f"{op.name}: several results cannot be declared as views")
    if clash:
        raise NameError(f"{op.name}: {sorted(clash)} are names that the generated source needs for itself")


def listing(op: Primitive) -> str:
    """Return the source that is generated for ``op``.

    >>> from rushlight.autograd.codegen.forward import listing
    >>> from rushlight.autograd.primitive import PRIMITIVES
    >>> "kernel(input_array)" in listing(PRIMITIVES["exp"])
    True
    """
    vjp = vjp_lines(op) if op.inputs else []
    return "\n".join([*_forward(op), "", *vjp])


def _defaults(op: Primitive) -> dict[str, Any]:
    code = op.kernel.__code__
    positional = code.co_varnames[: code.co_argcount]
    given = op.kernel.__defaults__ or ()
    return dict(zip(positional[len(positional) - len(given) :], given, strict=True)) | (op.kernel.__kwdefaults__ or {})


def _signature(op: Primitive) -> tuple[str, list[str]]:
    """Return the parameter list, and the lines that resolve NumPy's words for PyTorch's.

    Parameters that are for keywords only are not marked so: a missing one would cost a look-up in a dict.
    """
    code, defaults = op.kernel.__code__, _defaults(op)
    lines: list[str] = []
    parts: list[str] = []
    extra: list[str] = []
    for number, name in enumerate(op.params):
        alias = ALIASES.get(name)
        rest_optional = all(later in defaults for later in op.params[number + 1 : code.co_argcount])
        if alias and rest_optional:
            extra.append(f"{alias}=UNSET")
            lines.append(f"    if {alias} is not UNSET: {name} = {alias}")
            if name not in defaults:
                missing = f'{op.name}() missing 1 required positional arguments: "{name}"'
                lines.append(f"    if {name} is UNSET: raise TypeError({missing!r})")
        default = f"default_{name}" if name in defaults else "UNSET" if alias and rest_optional else ""
        parts.append(f"{name}={default}" if default else name)
    if not op.view and not op.operator:
        extra.append("out=None")
    return ", ".join(parts + extra), lines


_UNRECORDED = "result.node = None; result.version = inference_version() if INFERENCE_CONTEXTS.count else None"


def _forward(op: Primitive) -> list[str]:
    signature, lines = _signature(op)
    tensors = [name for name in op.params if name in op.rules]
    result = call(op.kernel, "kernel", _arguments(op, tensors))
    kept = ", ".join([*(op.outputs or ("array",)), *op.aux])
    lines = [f"def forward({signature}):", *lines, *_numbers_taken(op)]
    lines += [*_inputs(op, tensors, result, kept), *_promotion(op, tensors)]
    if not op.many:  # a try costs less than a look at the shapes: benchmarks/claims.py
        arrays = ", ".join(f"{name}_array" for name in tensors)
        result = f"{result}\n    except ValueError as error_: mismatch(error_, {arrays}); raise"
        kept = f"try: {kept}"
    lines += [f"    {kept} = {result}", *(_several_results(op) if op.outputs else _one_result(op, tensors))]
    if op.returns:
        parts = ["*result" if op.outputs else "result"]
        parts += [f"wrap(Result, {name}, None, inference_version())" for name in op.aux]
        lines += [f"    result = returns({', '.join(parts)})"]
    if not op.view and not op.operator:
        # Where elements are computed one by one, PyTorch would read what it has already written.
        reads = f", ({', '.join(tensors)},)" if op.promote else ""
        lines += [f"    if out is not None: return write_out(this.name, result, out{reads})"]
    return [*lines, "    return result"]


def _one_result(op: Primitive, tensors: list[str]) -> list[str]:
    """Return the lines that make ``result`` of ``array``, and record it."""
    lines = [*_measured(op, tensors), "    result = new(Result)"]
    lines += ["    result.array = array; result.array_shape = shape_; result.array_dtype = kind_"]
    lines += ["    result.view_of = None"]
    lines += _recorded(op) if op.inputs else [f"    {_UNRECORDED}"]
    if op.view:
        rest = ", ".join(_kept(name) for name in op.params if name not in tensors)
        lines += [f"    attach(result, {tensors[0]}, this.function, ({rest}{',' if rest else ''}))"]
    return lines


def _several_results(op: Primitive) -> list[str]:
    """Return the lines that make ``result``, a tuple, of the arrays, and record it as one step."""
    made = f"({', '.join(op.outputs)},)"
    versions = ", ".join(f"{name}_version" if name in op.saves else "None" for name in op.outputs)
    plain = ", ".join(f"wrap(Result, {name}, None, version_)" for name in op.outputs)
    saved = ", ".join(_slots(op))
    return [
        f"    if ({_asked(op)}) and (mode_ := recording()):",
        *(f"        {line}" for name in op.saves for line in _save(op, name)),
        "        node = Node()",
        f"        {_edges(op)}; node.hooks = None",
        "        node.shape = node.dtype = None",
        f"        node.backward = {_backward_of_node(op)}",
        f"        node.saved = ({saved}{',' if saved else ''}); node.seq = next(clock)",
        f"        result = results_of(node, {made}, ({versions},))",
        f"        if mode_ is not True and mode_.node_made(node, {made}):",
        "            for each_ in result: each_.node = None",
        "    else:",
        "        version_ = inference_version() if INFERENCE_CONTEXTS.count else None",
        f"        result = {plain},",
    ]


def _numbers_taken(op: Primitive) -> list[str]:
    """Return the lines that make Python numbers of ``numbers`` and ``integers``: of tensors without dims, say.

    A float or a bool is no integer, and a tensor that requires grad no number: its gradient would be lost. A number
    whose default is None may be None.
    """
    lines, defaults = [], _defaults(op)
    for name in op.params:
        if name in op.numbers:
            given = f" and {name} is not None" if defaults.get(name, UNSET) is None else ""
            taken = f"{name} = as_number({op.name!r}, {name!r}, {name})"
            lines.append(f"    if type({name}) is not float and type({name}) is not int{given}:")
            if op.numbers == ("beta", "alpha") and name == "beta":  # of all ops, these had their numbers first once
                others = " and ".join(f"isinstance({x}, Variable)" for x in op.rules)
                call_again = f"numbers_first(this.function, this.name, this.numbers, ({', '.join(op.params)},), out)"
                lines.append(f"        if isinstance({name}, Variable) and not ({others}): return {call_again}")
            lines.append(f"        {taken}")
        elif name in op.integers:
            lines.append(f"    if type({name}) is not int: {name} = as_int({name}, {name!r})")
    return lines


def _arguments(op: Primitive, tensors: list[str]) -> list[str]:
    named = op.params[op.kernel.__code__.co_argcount :]
    parts = [f"{name}_array" if name in tensors else name for name in op.params]
    return [f"{name}={part}" if name in named else part for name, part in zip(op.params, parts, strict=True)]


def _inputs(op: Primitive, tensors: list[str], result: str, kept: str) -> list[str]:
    """Return the lines that take the tensors; one or two plain ones take a shorter way."""
    lines = ["    traced = False"]
    for name in tensors:
        lines += _many_input(name) if name == op.many else _input(op, name)
    if op.aux:
        public = f"returns({kept})" if op.returns else ", ".join(op.outputs) or "array"
        lines += ["    if not traced:", f"        {kept} = {result}", f"        return {public}"]
    else:
        lines += [f"    if not traced: return {f'returns(*{result})' if op.outputs and op.returns else result}"]
    if len(tensors) > 2 or op.many:
        return lines
    plain = " and ".join(f"type({name}) is Result" for name in tensors)
    quick = [f"    {line}" for name in tensors for line in _tensor(op, name)]
    return [f"    if {plain}:", *quick, "    else:", *(f"    {line}" for line in lines)]


def _tensor(op: Primitive, name: str) -> list[str]:
    """Return the lines that take ``name``, which is a tensor."""
    array = f"{name}.array if type({name}.array) is ndarray else as_ndarray({name})" if op.view else f"{name}.array"
    return [
        f"    if {name}.view_of is not None: refresh_view({name})",
        f"    {name}_array = {array}; {name}_node = {name}.node",
    ]


def _input(op: Primitive, name: str) -> list[str]:
    number = op.params.index(name) + 1
    optional = _defaults(op).get(name, UNSET) is None
    numbers = bool(op.promote) and len(op.rules) > 1
    at_once = "in ACCEPTED_TYPES" if numbers else "is ndarray"
    taken = f"coerce_argument({name}, {op.name!r}, {name!r}, {number}, {numbers}, {optional}, {op.operator})"
    decline = [f"        if {name}_array is NotImplemented: return NotImplemented"] if op.operator else []
    return [
        f"    if isinstance({name}, Variable):",
        "        traced = True",
        *(f"    {line}" for line in _tensor(op, name)),
        "    else:",
        f"        {name}_array = {name} if type({name}) {at_once} else {taken}",
        *decline,
        f"        {name}_node = None; {name} = CONSTANT",
    ]


def _many_input(name: str) -> list[str]:
    return [
        f"    {name}_array, {name}_node = [], []",
        f"    for one in {name}:",
        "        if isinstance(one, Variable):",
        "            traced = True",
        "            if one.view_of is not None: refresh_view(one)",
        f"            {name}_array.append(one.array); {name}_node.append(one.node)",
        "        else:",
        f"            {name}_array.append(coerce_argument(one, this.name, {name!r}, 1, False, False, False))",
        f"            {name}_node.append(None)",
    ]


def _quick(op: Primitive) -> int:
    """Return of how many tensors the result's shape and dtype can be told without a look at the array, or 0."""
    tensors = len(op.rules)
    return tensors if op.elementwise and op.inputs and tensors <= 2 else 0


def _promotion(op: Primitive, tensors: list[str]) -> list[str]:
    """Return the lines that bring the operands to one dtype; ``kind_`` is that of the result, or None if not known."""
    lines: list[str] = []
    arrays = [f"{name}_array" for name in tensors]
    pairs = ", ".join(f"{name}, {name}_array" for name in tensors)
    promote = f"{', '.join(arrays)} = promote({pairs})"
    first, floated = arrays[0], "; ".join(f"{a} = floating({a})" for a in arrays)
    floats = [f"if {first}.dtype.kind != 'f': {floated}"] if op.promote == "float" else []
    if not _quick(op):
        if op.promote and len(tensors) > 1:
            constant = " or ".join(f"{name} is CONSTANT" for name in tensors)
            differ = " or ".join(f"{arrays[0]}.dtype is not {other}.dtype" for other in arrays[1:])
            lines += [f"    if {constant} or {differ}: {promote}"]
        return [*lines, *(f"    {line}" for line in floats)]
    lines += [f"    kind_ = {tensors[0]}.array_dtype"]
    if len(tensors) == 1:
        lines += ["    if kind_ is not SINGLE and kind_ is not DOUBLE:"]
    else:  # the dtype of CONSTANT is None
        differ = f"kind_ is not {tensors[1]}.array_dtype"
        lines += [f"    if {differ} or kind_ is not SINGLE and kind_ is not DOUBLE:", f"        if {differ}: {promote}"]
    return [*lines, *(f"        {line}" for line in floats), "        kind_ = None"]


def _measured(op: Primitive, tensors: list[str]) -> list[str]:
    """Return the lines that set ``shape_`` and ``kind_`` of the result, and ``same_shape_``: all inputs have both."""
    read = "shape_ = array.shape; kind_ = array.dtype"
    if not _quick(op):
        return [f"    {read}"]
    lines = [f"    shape_ = {tensors[0]}.array_shape"]
    if len(tensors) == 1:
        return [*lines, f"    if kind_ is None: {read}"]
    known = f"kind_ is not None and shape_ == {tensors[1]}.array_shape"
    return [*lines, f"    same_shape_ = {known}", f"    if not same_shape_: {read}"]


def _asked(op: Primitive) -> str:
    """Return the condition that a gradient is required."""
    if op.many:
        return f"any([n is not None for n in {op.many}_node])"
    return " or ".join(f"{name}_node is not None" for name in op.inputs)


def _recorded(op: Primitive) -> list[str]:
    lines = [f"    if ({_asked(op)}) and (mode_ := recording()):"]
    if "dtype" in op.params:
        lines += ["        if dtype is not None: check_float(kind_)"]
    lines += [f"        {line}" for name in op.saves for line in _save(op, name)]
    saved = ", ".join(_slots(op))
    lines += [
        "        result.node = node = Node()",
        f"        {_edges(op)}; node.hooks = None",
        "        node.shape = shape_; node.dtype = kind_",
        f"        node.backward = {_backward_of_node(op)}",
        f"        node.saved = ({saved}{',' if saved else ''}); node.seq = next(clock)",
        *([] if "out" in op.saves else ["        result.version = None"]),
        "        if mode_ is not True and mode_.node_made(node, array): result.node = None",
        f"    else: {_UNRECORDED}",
    ]
    return lines


def _edges(op: Primitive) -> str:
    """Return the statements that tie the node to those of its inputs."""
    if op.many:
        return f"node.edge = {op.many}_node[0]; node.other_edges = tuple({op.many}_node[1:]) or None"
    first, *rest = [f"{name}_node" for name in op.inputs]
    if not rest:
        return f"node.edge = {first}; node.other_edges = None"
    asked = " or ".join(f"{name} is not None" for name in rest)
    return f"node.edge = {first}; node.other_edges = ({', '.join(rest)},) if {asked} else None"


def _backward_of_node(op: Primitive) -> str:
    """Return what becomes ``node.backward``: ``broadcasts`` where broadcasting or promotion must be undone later."""
    fits = [f"({x}_node is None or {x}_node.shape == shape_ and {x}_node.dtype is kind_)" for x in op.inputs]
    same: str | bool = op.elementwise and (_quick(op) == 1 or " and ".join(fits))
    if _quick(op) == 2:
        same = f"same_shape_ or {same}"
    if not isinstance(op.grad_fn_name, str):
        unbroadcasts = "True" if not op.elementwise else "False" if same is True else f"not ({same})"
        return f"backward_of(grad_fn_name({', '.join(names_of(op.grad_fn_name))}), {unbroadcasts})"
    return f"same_shape if {same} else broadcasts" if isinstance(same, str) else "same_shape"


def _save(op: Primitive, name: str) -> list[str]:
    """Return the lines that note the version of a value to be saved, or that drop a value nobody needs."""
    if name in op.outputs:
        return [f"{name}_version = Version()"]
    if name == "out":
        return ["out_version = result.version = Version()"]
    if not op.is_array(name):
        return []
    note = (
        f"if ({name}_version := {name}.version) is None:",
        f"    {name}_version = {name}.version = Version(); {name}_saved_version = b''",
        f"else: {name}_saved_version = bytes({name}_version) if {name}_version else b''",
    )
    if len(op.inputs) == 1:
        return list(note)
    asked = " or ".join(f"{x}_node is not None" for x in op.inputs if name in op.needs[x])
    shape = [f"{name}_dims = {name}_array.shape"] if f"{name}_shape" in op.saves else []
    return [
        *shape,
        f"if {asked}:",
        *(f"    {line}" for line in note),
        f"else: {name}_array = {name}_version = {name}_saved_version = None",
    ]


def _slots(op: Primitive) -> list[str]:
    """Return the expressions of ``node.saved``: for an array also its version and what that says now."""
    slots: list[str] = []
    for name in op.saves:
        if name == "out":
            slots += ["array", "out_version", "b''"]
        elif name in op.outputs:
            slots += [name, f"{name}_version", "b''"]
        elif op.is_array(name):
            slots += [f"{name}_array", f"{name}_version", f"{name}_saved_version"]
        elif name.endswith("_shape") and name[:-6] in op.rules:
            x = name[:-6]
            dropped = len(op.inputs) > 1 and x in op.saves  # by now the array may be gone
            plain = f"{x}_dims" if dropped else f"{x}_array.shape"
            if _defaults(op).get(x, UNSET) is None and not dropped:
                plain = f"{x}_array is not None and {plain}"
            slots.append(f"[a.shape for a in {x}_array]" if x == op.many else plain)
        else:
            slots.append(name if name in op.aux else _kept(name))
    return slots


def _kept(name: str) -> str:
    """Return the expression that keeps an argument as it is now: a list could be changed before the walk."""
    return f"tuple({name}) if type({name}) is list else {name}"

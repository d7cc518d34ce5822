"""What a module holds: parameters, buffers and submodules, kept in order, and the walks over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from weakref import ref

from ...autograd.hooks import HookDict, RemovableHandle
from ...autograd.variable import Variable
from ...tensors.tensor.methods import Tensor
from ..parameter import Buffer, Parameter

KINDS = ("_parameters", "_buffers", "_modules")
REGISTRATION = {kind: HookDict() for kind in KINDS}
"""Hooks that see whatever is registered, in any module."""


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Have ``hook(module, name, parameter)`` run whenever a module gets one; what it returns, unless None, is kept."""
    return REGISTRATION["_parameters"].add(hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Have ``hook(module, name, buffer)`` run whenever a module gets one; what it returns, unless None, is kept."""
    return REGISTRATION["_buffers"].add(hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Have ``hook(module, name, submodule)`` run whenever a module gets one; what it returns, unless None, is kept."""
    return REGISTRATION["_modules"].add(hook)


class Members(dict[str, Any]):
    """One of a module's ``_parameters``, ``_buffers`` and ``_modules``: what was registered, by name.

    Each change is also made to the attribute of that name, so that ``self.weight`` is a plain attribute: to read it
    costs 20 ns, where a look-up through ``__getattr__`` costs 400. The module is known by a weak reference: a
    module is then part of no cycle and its memory is free at once.
    """

    __slots__ = ("owner",)

    def __init__(self, owner: ModuleBase, items: dict[str, Any] | None = None) -> None:
        self.owner = ref(owner)
        if items:
            self.update(items)

    def _attributes(self) -> dict[str, Any]:
        owner = self.owner()
        return {} if owner is None else owner.__dict__

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self._attributes()[name] = value

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._attributes().pop(name, None)

    def pop(self, name: str, *default: Any) -> Any:
        """Remove ``name`` and return what it held."""
        if name not in self and default:
            return default[0]
        value = self[name]
        del self[name]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove and return the item registered last."""
        name = next(reversed(self), None)
        if name is None:
            raise KeyError("popitem(): dictionary is empty")
        return name, self.pop(name)

    def clear(self) -> None:
        """Remove every item."""
        for name in list(self):
            del self[name]

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return what ``name`` holds, after setting it to ``default`` if it was not there."""
        if name not in self:
            self[name] = default
        return self[name]

    def update(self, *others: Any, **items: Any) -> None:
        """Set every item of the given mappings."""
        for name, value in dict(*others, **items).items():
            self[name] = value

    def __ior__(self, other: Any) -> Members:  # type: ignore[override, misc]
        self.update(other)
        return self

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return dict, (), None, None, iter(self.items())


class ModuleBase:
    """The part of :class:`Module` that knows what belongs to it."""

    training: bool
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]

    def _get_name(self) -> str:
        return type(self).__name__

    # ------------------------------------------------------------------ attributes

    def __setattr__(self, name: str, value: Any) -> None:
        if name in KINDS:
            for before in self.__dict__.get(name, ()):
                self.__dict__.pop(before, None)
            value = Members(self, value)
        held = _holder(self, name, value)
        if held is None:
            object.__setattr__(self, name, value)
            return
        kind, word = held
        if kind not in self.__dict__:
            raise AttributeError(f"cannot assign {word} before Module.__init__() call")
        if kind == "_buffers":
            kept = name not in self._non_persistent_buffers_set
            self.register_buffer(name, value, getattr(value, "persistent", kept) if isinstance(value, Buffer) else kept)
            return
        if name not in self.__dict__[kind]:
            self._forget(name)
        if kind == "_parameters":
            self.register_parameter(name, value)
        else:
            self._hold(kind, name, value)

    def _hold(self, kind: str, name: str, value: Any) -> None:
        """Keep ``value`` in ``kind``, and as an attribute even if a subclass put a plain dict there."""
        seen = value is not None or kind != "_parameters"
        for hook in tuple(REGISTRATION[kind].values()) if seen else ():
            got = hook(self, name, value)
            value = value if got is None else got
        self.__dict__[kind][name] = value
        self.__dict__[name] = value

    def _forget(self, name: str) -> None:
        """Let go of whatever the attribute ``name`` is now."""
        for kind in KINDS:
            self.__dict__[kind].pop(name, None)
        self._non_persistent_buffers_set.discard(name)
        self.__dict__.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        # Python asks here only for what is not there; subclasses call it as super().__getattr__(name).
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)

    def __delattr__(self, name: str) -> None:
        if any(name in self.__dict__.get(kind, ()) for kind in KINDS):
            self._forget(name)
        else:
            object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted(name for name in object.__dir__(self) if not name[0].isdigit())

    # ------------------------------------------------------------------ registration

    def _check_name(self, kind: str, word: str, name: Any) -> None:
        if kind not in self.__dict__:
            raise AttributeError(f"cannot assign {word} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{word} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{word} name can\'t contain ".", got: {name}')
        if not name:
            raise KeyError(f'{word} name can\'t be empty string ""')
        if name not in self.__dict__[kind] and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add ``param`` (None: a parameter that is left out) under ``name``.

        KeyError for a name that is taken, empty, or has a dot; TypeError unless ``param`` is a Parameter;
        ValueError if it was computed.
        """
        self._check_name("_parameters", "parameter", name)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{typename(param)}' object to parameter '{name}' "
                    "(torch.nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                    f"explicitly. To express '{name}' as a function of another Tensor, compute the value in the "
                    "forward() method."
                )
        self._hold("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add ``tensor`` as state that is not trained; ``persistent=False`` leaves it out of ``state_dict``."""
        self._check_name("_buffers", "buffer", name)
        if tensor is not None and not isinstance(tensor, Variable):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._hold("_buffers", name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Any) -> None:
        """Add ``module`` (or None) as a child under ``name``."""
        if module is not None and not isinstance(module, ModuleBase):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("_modules", "module", name)
        self._hold("_modules", name, module)

    def register_module(self, name: str, module: Any) -> None:
        """Add ``module`` as a child under ``name``, as :meth:`add_module` does."""
        self.add_module(name, module)

    # ------------------------------------------------------------------ walks

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """Yield the path and the module, for this module and all below it, each once unless told otherwise."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from child.named_modules(memo, path, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Any]:
        """Yield this module and all below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """Yield the name and the module of each direct child, each module once."""
        seen: set[Any] = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Any]:
        """Yield each direct child once."""
        for _, child in self.named_children():
            yield child

    def _named_members(
        self,
        get_members_fn: Callable[[Any], Iterable[tuple[str, Any]]],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        """Yield path and value of what ``get_members_fn`` lists for each module; the one walk behind all lists."""
        memo: set[int] = set()
        found = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in found:
            for name, value in get_members_fn(module):
                if value is None or id(value) in memo:
                    continue
                if remove_duplicate:
                    memo.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield the path and the parameter, in order of registration; a shared one once unless told otherwise."""
        return self._named_members(lambda module: module._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield each parameter of this module and, with ``recurse``, of those below."""
        for _, value in self.named_parameters(recurse=recurse):
            yield value

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield the path and the buffer, in order of registration; a shared one once unless told otherwise."""
        return self._named_members(lambda module: module._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield each buffer of this module and, with ``recurse``, of those below."""
        for _, value in self.named_buffers(recurse=recurse):
            yield value

    # ------------------------------------------------------------------ look-up by path

    def get_submodule(self, target: str) -> Any:
        """Return the module at the dotted path ``target``; AttributeError names the part that is missing."""
        module: Any = self
        for part in target.split(".") if target else ():
            if not hasattr(module, part):
                raise AttributeError(f"{module._get_name()} has no attribute `{part}`")
            module = getattr(module, part)
            if not isinstance(module, ModuleBase):
                raise AttributeError(f"`{part}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Any, strict: bool = False) -> None:
        """Put ``module`` at the dotted path ``target``; with ``strict`` only where a module is already."""
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, ModuleBase):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if not isinstance(getattr(parent, name, module), ModuleBase):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter at the dotted path ``target``."""
        found = self._at(target)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{target.rpartition('.')[2]}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer at the dotted path ``target``."""
        found: Tensor = self._at(target)
        path, _, name = target.rpartition(".")
        if name not in self.get_submodule(path)._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return found

    def _at(self, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        return getattr(module, name)


def _holder(module: ModuleBase, name: str, value: Any) -> tuple[str, str] | None:
    """Return where ``value`` belongs if assigned as ``name``, and the word for it; None for a plain attribute."""
    attributes = module.__dict__
    if isinstance(value, Parameter):
        return "_parameters", "parameters"
    if name in attributes.get("_parameters", ()):
        if value is not None:
            raise TypeError(
                f"cannot assign '{typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
            )
        return "_parameters", "parameters"
    if isinstance(value, ModuleBase):
        return "_modules", "module"
    if name in attributes.get("_modules", ()):
        if value is not None:
            raise TypeError(
                f"cannot assign '{typename(value)}' as child module '{name}' (torch.nn.Module or None expected)"
            )
        return "_modules", "module"
    if name in attributes.get("_buffers", ()):
        if value is not None and not isinstance(value, Variable):
            raise TypeError(
                f"cannot assign '{typename(value)}' as buffer '{name}' (torch.nn.Buffer, torch.Tensor or None expected)"
            )
        return "_buffers", "buffer"
    return ("_buffers", "buffer") if isinstance(value, Buffer) else None


def typename(value: Any) -> str:
    """Return the type of ``value`` as PyTorch's messages write it: ``int``, ``torch.FloatTensor``, ``pkg.Class``."""
    if isinstance(value, Tensor):
        return f"torch.{value.dtype.legacy}Tensor"
    kind = value if isinstance(value, type) else type(value)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"

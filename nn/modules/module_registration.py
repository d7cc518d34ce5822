"""Registration: the parameters, buffers and submodules of a module, in order, and the walks over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from inspect import signature
from typing import TYPE_CHECKING, Any

from ...autograd.hooks import HookDict, RemovableHandle
from ...autograd.variable import Variable
from ...tensors.tensor.methods import Tensor
from ..parameter import Buffer, Parameter
from .module_attributes import REGISTRIES, Attributes, attributes

if TYPE_CHECKING:
    from .module import Module  # what children are called in annotations; it is put together from this class

WORDS = {"_parameters": "parameter", "_buffers": "buffer", "_modules": "module"}
"""The word for an item of each, in messages."""
REGISTRATION_HOOKS = {registry: HookDict() for registry in REGISTRIES}
"""Hooks of all modules, called with whatever is registered."""


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Have ``hook(module, name, parameter)`` run whenever a module gets one; what it returns, unless None, is kept."""
    return REGISTRATION_HOOKS["_parameters"].add(hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Have ``hook(module, name, buffer)`` run whenever a module gets one; what it returns, unless None, is kept."""
    return REGISTRATION_HOOKS["_buffers"].add(hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Have ``hook(module, name, submodule)`` run whenever a module gets one; what it returns, unless None, is kept."""
    return REGISTRATION_HOOKS["_modules"].add(hook)


class ModuleRegistration(Attributes):
    """The part of :class:`Module` that registers parameters, buffers and submodules, lists them and finds them.

    training: whether the module is in training mode.
    _non_persistent_buffers_set: the names of the buffers that ``state_dict`` leaves out.
    """

    training: bool
    _non_persistent_buffers_set: set[str]

    def _get_name(self) -> str:
        return type(self).__name__

    # ------------------------------------------------------------------ attributes

    def __setattr__(self, name: str, value: Any) -> None:
        registry = _registry_for(self, name, value)
        if registry is None:
            object.__setattr__(self, name, value)
            return
        own = attributes(self)
        if registry not in own:
            word = "parameters" if registry == "_parameters" else WORDS[registry]
            raise AttributeError(f"cannot assign {word} before Module.__init__() call")
        if registry == "_buffers":
            self._set_buffer(name, value)
            return
        if name not in own[registry]:
            self._unregister(name)
        if registry == "_parameters":
            self.register_parameter(name, value)
        else:
            self._register(registry, name, value)

    def _set_buffer(self, name: str, value: Any) -> None:
        """Register ``value`` by whatever ``register_buffer`` there is; RuntimeError if it knows no ``persistent``."""
        persistent = name not in self._non_persistent_buffers_set
        if isinstance(value, Buffer):
            persistent = getattr(value, "persistent", persistent)
        if (
            type(self).register_buffer is ModuleRegistration.register_buffer
            or "persistent" in signature(self.register_buffer).parameters
        ):
            self.register_buffer(name, value, persistent)
        elif persistent:
            self.register_buffer(name, value)
        else:
            raise RuntimeError(
                "Registering a non-persistent buffer on a Module subclass that implements register_buffer() without "
                "the persistent argument is not allowed."
            )

    def _register(self, registry: str, name: str, value: Any) -> None:
        """Run the registration hooks and store ``value``."""
        hooked = value is not None or registry != "_parameters"
        for hook in tuple(REGISTRATION_HOOKS[registry].values()) if hooked else ():
            replacement = hook(self, name, value)
            value = value if replacement is None else replacement
        attributes(self)[registry][name] = value

    def _unregister(self, name: str) -> None:
        """Remove the attribute ``name``, wherever it is registered."""
        own = attributes(self)
        for registry in REGISTRIES:
            own[registry].pop(name, None)
        self._non_persistent_buffers_set.discard(name)
        own.pop(name, None)

    def __delattr__(self, name: str) -> None:
        own = attributes(self)
        if any(name in own.get(registry, ()) for registry in REGISTRIES):
            self._unregister(name)
        else:
            object.__delattr__(self, name)

    # ------------------------------------------------------------------ registration

    def _check_name(self, registry: str, name: Any) -> None:
        """Raise AttributeError, TypeError or KeyError unless ``name`` may be registered in ``registry``."""
        word = WORDS[registry]
        if registry not in attributes(self):
            raise AttributeError(f"cannot assign {word} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{word} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{word} name can\'t contain ".", got: {name}')
        if not name:
            raise KeyError(f'{word} name can\'t be empty string ""')
        if name not in attributes(self)[registry] and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add ``param`` (None: a parameter that is left out) under ``name``.

        KeyError for a name that is taken, empty, or has a dot; TypeError unless ``param`` is a Parameter;
        ValueError if it was computed.
        """
        self._check_name("_parameters", name)
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
        self._register("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add ``tensor`` as state that is not trained; ``persistent=False`` leaves it out of ``state_dict``."""
        self._check_name("_buffers", name)
        if tensor is not None and not isinstance(tensor, Variable):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._register("_buffers", name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add ``module`` (or None) as a child under ``name``."""
        if module is not None and not isinstance(module, ModuleRegistration):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("_modules", name)
        self._register("_modules", name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Add ``module`` as a child under ``name``, as :meth:`add_module` does."""
        self.add_module(name, module)

    # ------------------------------------------------------------------ walks

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield the path and the module, for this module and all below it, each once unless told otherwise."""
        module: Any = self
        memo = set() if memo is None else memo
        if module in memo:
            return
        if remove_duplicate:
            memo.add(module)
        yield prefix, module
        for name, child in self._modules.items():
            if child is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from child.named_modules(memo, path, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """Yield this module and all below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the name and the module of each direct child, each module once."""
        seen: set[Any] = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
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
        """Yield path and value of each item that ``get_members_fn`` lists for each module."""
        memo: set[int] = set()
        modules: Any = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        )
        for path, module in modules:
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

    def get_submodule(self, target: str) -> Module:
        """Return the module at the dotted path ``target``; AttributeError names the part that is missing."""
        module: Any = self
        for part in target.split(".") if target else ():
            if not hasattr(module, part):
                raise AttributeError(f"{module._get_name()} has no attribute `{part}`")
            module = getattr(module, part)
            if not isinstance(module, ModuleRegistration):
                raise AttributeError(f"`{part}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put ``module`` at the dotted path ``target``; with ``strict`` only where a module is already."""
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, ModuleRegistration):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if not isinstance(getattr(parent, name, module), ModuleRegistration):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter at the dotted path ``target``."""
        parameter = self._attribute_at(target)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{target.rpartition('.')[2]}` is not an nn.Parameter")
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer at the dotted path ``target``."""
        buffer: Tensor = self._attribute_at(target)
        path, _, name = target.rpartition(".")
        if name not in self.get_submodule(path)._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return buffer

    def _attribute_at(self, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        return getattr(module, name)


def _registry_for(module: ModuleRegistration, name: str, value: Any) -> str | None:
    """Return the registry that ``value`` belongs to if assigned as ``name``; None for a plain attribute."""
    own = attributes(module)
    if isinstance(value, Parameter):
        return "_parameters"
    if name in own.get("_parameters", ()):
        if value is not None:
            raise TypeError(
                f"cannot assign '{typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
            )
        return "_parameters"
    if isinstance(value, ModuleRegistration):
        return "_modules"
    if name in own.get("_modules", ()):
        if value is not None:
            raise TypeError(
                f"cannot assign '{typename(value)}' as child module '{name}' (torch.nn.Module or None expected)"
            )
        return "_modules"
    if name in own.get("_buffers", ()):
        if value is not None and not isinstance(value, Variable):
            raise TypeError(
                f"cannot assign '{typename(value)}' as buffer '{name}' (torch.nn.Buffer, torch.Tensor or None expected)"
            )
        return "_buffers"
    return "_buffers" if isinstance(value, Buffer) else None


def typename(value: Any) -> str:
    """Return the type of ``value`` as PyTorch's messages write it: ``int``, ``torch.FloatTensor``, ``pkg.Class``."""
    if isinstance(value, Tensor):
        return f"torch.{value.dtype.legacy}Tensor"
    cls = value if isinstance(value, type) else type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"

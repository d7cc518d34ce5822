"""``state_dict`` and ``load_state_dict``: a module's tensors by path, in PyTorch's layout."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...autograd.grad_mode import no_grad
from ...autograd.hooks import HookDict, RemovableHandle, add_hook
from ...autograd.variable import Variable
from ...tensors.functions.swap import swap_tensors
from ..future import get_swap_module_params_on_conversion
from ..parameter import Parameter, is_lazy

Hook = Callable[..., Any]
EXTRA = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """The keys that ``load_state_dict`` did not find, and those that belong to nothing."""

    __slots__ = ()

    def __repr__(self) -> str:
        return super().__repr__() if self.missing_keys or self.unexpected_keys else "<All keys matched successfully>"

    __str__ = __repr__


def _parameter_like(x: Any, value: Any) -> Any:
    """Return ``value`` as a parameter if ``x`` is one, which requires grad if ``x`` does."""
    if not isinstance(x, Parameter):
        return value
    return value.requires_grad_(x.requires_grad) if isinstance(value, Parameter) else Parameter(value, x.requires_grad)


def _is_same(x: Any, y: Any) -> bool:
    """Return whether two tensors of one shape hold the same: one memory, or equal values of one dtype."""
    one, other = x.array, y.array
    return one.dtype == other.dtype and bool(np.array_equal(one, other, equal_nan=True))


class ModuleState:
    """The part of :class:`Module` that saves its state and loads it.

    _version: the version of the layout, stored with the state.
    _state_dict_hooks, _state_dict_pre_hooks: the hooks after and before a state is saved, by their handles' ids.
    _load_state_dict_pre_hooks, _load_state_dict_post_hooks: the hooks before and after a state is loaded.
    """

    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]
    _version = 1
    _state_dict_hooks: HookDict
    _state_dict_pre_hooks: HookDict
    _load_state_dict_pre_hooks: HookDict
    _load_state_dict_post_hooks: HookDict

    # ------------------------------------------------------------------ out

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """Return an OrderedDict of all parameters and persistent buffers by path.

        The tensors are detached and share the module's memory; with ``keep_vars`` they are the module's own.
        The value of ``get_extra_state`` is stored beside them.

        https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.state_dict
        """
        positional = dict(zip(("destination", "prefix", "keep_vars"), args, strict=False))
        destination = positional.get("destination", destination)
        prefix, keep_vars = positional.get("prefix", prefix), positional.get("keep_vars", keep_vars)
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in tuple(self._state_dict_pre_hooks.values()):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook, public in tuple(self._state_dict_hooks.values()):
            replacement = hook(self, destination, prefix, metadata)
            if replacement is not None and public:
                raise RuntimeError("state_dict post-hook must return None")
            destination = destination if replacement is None else replacement
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Store what belongs to this module itself, without its children; subclasses may override."""
        for name, value in (*self._parameters.items(), *self._persistent().items()):
            if value is not None:
                destination[prefix + name] = value if keep_vars or is_lazy(value) else value.detach()
        if type(self).get_extra_state is not ModuleState.get_extra_state:
            destination[prefix + EXTRA] = self.get_extra_state()

    def _persistent(self) -> dict[str, Any]:
        left_out = self._non_persistent_buffers_set
        return {name: value for name, value in self._buffers.items() if name not in left_out}

    def get_extra_state(self) -> Any:
        """Return what else to store with the module; a subclass overrides it together with ``set_extra_state``."""
        raise RuntimeError(f"{type(self).__name__} has no extra state: get_extra_state() is not overridden")

    def set_extra_state(self, state: Any) -> None:
        """Take back what ``get_extra_state`` returned."""
        raise RuntimeError(f"{type(self).__name__} has no extra state: set_extra_state() is not overridden")

    # ------------------------------------------------------------------ in

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> _IncompatibleKeys:
        """Copy the tensors of ``state_dict`` into this module; return the keys that were missing or unexpected.

        With ``assign`` the module takes the given tensors themselves; one that it has under several names stays one,
        unless their values are not equal. RuntimeError for a shape that does not fit,
        and with ``strict`` for keys that are missing or unexpected; TypeError unless ``state_dict`` is a mapping.

        https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.load_state_dict
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        copied: Any = OrderedDict(state_dict)  # hooks may change it
        metadata = getattr(state_dict, "_metadata", None)
        if metadata is not None:
            copied._metadata = metadata
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        assigned: dict[int, tuple[Any, Any, Any]] = {}

        def load(module: Any, values: Any, prefix: str) -> None:
            local = {} if metadata is None else {**metadata.get(prefix[:-1], {})}
            if assign:
                local["assign_to_params_buffers"] = assign
                local["assigned"] = assigned
            module._load_from_state_dict(values, prefix, local, True, missing, unexpected, errors)
            for name, child in module._modules.items():
                if child is not None:
                    path = f"{prefix}{name}."
                    load(child, {key: value for key, value in values.items() if key.startswith(path)}, path)
            for hook in tuple(module._load_state_dict_post_hooks.values()):
                if hook(module, _IncompatibleKeys(missing, unexpected)) is not None:
                    raise AssertionError(
                        "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new "
                        "values, if incompatible_keys need to be modified, it should be done inplace."
                    )

        load(self, copied, "")
        if strict:
            for what, keys in (("Unexpected", unexpected), ("Missing", missing)):
                if keys:
                    listed = ", ".join(f'"{key}"' for key in keys)
                    errors.insert(0, f"{what} key(s) in state_dict: {listed}. ")
        if errors:
            raise RuntimeError(
                "Error(s) in loading state_dict for {}:\n\t{}".format(type(self).__name__, "\n\t".join(errors))
            )
        return _IncompatibleKeys(missing, unexpected)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load what belongs to this module itself, without its children; subclasses may override."""
        for hook, with_module in tuple(self._load_state_dict_pre_hooks.values()):
            first = (self,) if with_module else ()
            hook(*first, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        own = {name: x for name, x in (*self._parameters.items(), *self._persistent().items()) if x is not None}
        assign = local_metadata.get("assigned", {}) if local_metadata.get("assign_to_params_buffers") else None
        for name, x in own.items():
            if prefix + name in state_dict:
                error = self._load_tensor(name, x, prefix + name, state_dict[prefix + name], assign)
                if error:
                    error_msgs.append(error)
            elif strict:
                missing_keys.append(prefix + name)
        extra = prefix + EXTRA
        if type(self).set_extra_state is not ModuleState.set_extra_state:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            unexpected_keys += [key for key in state_dict if key != extra and self._is_foreign(key, prefix, own)]

    def _is_foreign(self, key: str, prefix: str, own: dict[str, Any]) -> bool:
        """Return whether ``key`` is below this module's prefix but belongs to nothing here."""
        name, dot, _ = key[len(prefix) :].partition(".")
        return key.startswith(prefix) and name not in (self._modules if dot else own)

    def _load_tensor(self, name: str, x: Any, key: str, value: Any, assign: dict[int, Any] | None) -> str:
        """Copy ``value`` into ``x``, or assign it; return an error message, empty if all is well.

        ``assign`` is None, or has all that was assigned so far: by the id of the tensor before, that tensor, what was
        given in its place, and what took it.
        """
        if not isinstance(value, Variable):
            return (
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from '
                f"checkpoint but received {type(value)}"
            )
        loaded: Any = value
        if is_lazy(x):
            return self._load_lazy(name, x, loaded, assign is not None)
        if x.shape == () and loaded.shape == (1,):  # saved before PyTorch had tensors without dims
            loaded = loaded[0]
        if loaded.shape != x.shape:
            return (
                f"size mismatch for {key}: copying a param with shape {loaded.shape} from checkpoint, "
                f"the shape in current model is {x.shape}."
            )
        try:
            with no_grad():
                swaps = get_swap_module_params_on_conversion()
                if assign is None:
                    x.copy_(loaded)
                    taken = _parameter_like(x, x.detach()) if swaps else x
                else:
                    taken = self._assigned(x, loaded, assign)
                if not swaps and assign is not None:
                    setattr(self, name, taken)
                elif taken is not x:
                    swap_tensors(x, taken)
        except Exception as error:  # all that goes wrong is reported together
            return (
                f'While copying the parameter named "{key}", whose dimensions in the model are {x.shape} and whose '
                f"dimensions in the checkpoint are {loaded.shape}, an exception occurred : {error.args}."
            )
        return ""

    def _assigned(self, x: Any, loaded: Any, before: dict[int, Any]) -> Any:
        """Return what takes the place of ``x`` for ``loaded``: what did so under another name, if the two are equal."""
        _, given, taken = before.get(id(x), (x, None, None))
        if given is None or not _is_same(given, loaded):
            taken = _parameter_like(x, loaded)
            before[id(x)] = x, loaded, taken
        return taken

    def _load_lazy(self, name: str, x: Any, value: Any, assign: bool) -> str:
        """Load into a tensor without shape, which a lazy module has shaped already if ``value`` has one."""
        if assign:
            setattr(self, name, value)
        elif not is_lazy(value):
            return f'While copying the parameter named "{name}": it has no shape yet and is not of a lazy module.'
        return ""

    # ------------------------------------------------------------------ hooks

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(module, prefix, keep_vars)`` run before the state is written down."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(module, state_dict, prefix, local_metadata)`` run on the finished state, to change it."""
        return add_hook(self._state_dict_hooks, (hook, True))

    def _register_state_dict_hook(self, hook: Hook) -> RemovableHandle:
        return add_hook(self._state_dict_hooks, (hook, False))

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(module, state_dict, prefix, ...)`` run before this module's part is loaded."""
        return add_hook(self._load_state_dict_pre_hooks, (hook, True))

    def _register_load_state_dict_pre_hook(self, hook: Hook, with_module: bool = False) -> RemovableHandle:
        return add_hook(self._load_state_dict_pre_hooks, (hook, with_module))

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(module, incompatible_keys)`` run after loading; it may change the two lists in place."""
        return add_hook(self._load_state_dict_post_hooks, hook)

"""Weight normalization by a hook before ``forward``: the older form of ``parametrizations.weight_norm``.

Salimans, Kingma 2016, https://arxiv.org/abs/1602.07868.
"""

from __future__ import annotations

from typing import Any
from warnings import warn

from ..parameter import Parameter, is_lazy


def norm_except_dim(v: Any, dim: int) -> Any:
    """Return the 2-norm of ``v`` over all dims but ``dim``, which are kept with size 1; over all if ``dim`` is -1."""
    if dim == -1:
        return v.norm(2)
    shape = [1] * v.ndim
    shape[dim] = -1
    return v.transpose(0, dim).flatten(1).norm(2, 1).reshape(shape) if v.ndim > 1 else v.abs()


def weight_of(v: Any, g: Any, dim: int) -> Any:
    """Return ``v`` scaled to have the norms ``g``."""
    return v * (g / norm_except_dim(v, dim))


class WeightNorm:
    """The hook: it computes the weight from its length ``g`` and its direction ``v`` before each forward."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module: Any) -> Any:
        """Return the weight as ``g`` and ``v`` make it."""
        return weight_of(getattr(module, self.name + "_v"), getattr(module, self.name + "_g"), self.dim)

    @staticmethod
    def apply(module: Any, name: str, dim: int | None) -> WeightNorm:
        """Return the hook, once the parameter ``name`` of ``module`` is split in two."""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm) and hook.name == name:
                raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
        hook = WeightNorm(name, dim)
        weight = getattr(module, name)
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `WeightNorm` can't have uninitialized parameters. Run a dummy forward first"
            )
        g = Parameter(norm_except_dim(weight, hook.dim).data)
        del module._parameters[name]
        module.register_parameter(name + "_g", g)
        module.register_parameter(name + "_v", Parameter(weight.data))
        setattr(module, name, hook.compute_weight(module))
        module.register_forward_pre_hook(hook)
        return hook

    def remove(self, module: Any) -> None:
        """Put the weight back as one parameter."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"]
        del module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module: Any, inputs: Any) -> None:
        """Compute the weight anew."""
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Return ``module``, its parameter ``name`` replaced by a length ``name_g`` and a direction ``name_v``.

    There is one length for each index of ``dim``, or one for all if it is None. A FutureWarning points to
    ``parametrizations.weight_norm``.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.weight_norm.html
    """
    warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Return ``module``, its weight one parameter again; ValueError if it was not split."""
    for number, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[number]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")

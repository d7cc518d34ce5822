"""Spectral normalization by a hook before ``forward``: the older form of ``parametrizations.spectral_norm``.

Miyato et al. 2018, https://arxiv.org/abs/1802.05957.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd.grad_mode import no_grad
from ...autograd.variable import wrap
from ...tensors.ops.loss.distance import normalize
from ...tensors.ops.matrix.matmul import dot, mv
from ...tensors.tensor.methods import Tensor
from ..modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..parameter import Parameter, is_lazy


def default_dim(module: Any) -> int:
    """Return the dim of the outputs in the weight of ``module``."""
    return int(isinstance(module, ConvTranspose1d | ConvTranspose2d | ConvTranspose3d))


def as_matrix(weight: Any, dim: int) -> Any:
    """Return ``weight`` with ``dim`` in front and all other dims as one."""
    if dim != 0:
        weight = weight.permute(dim, *(d for d in range(weight.ndim) if d != dim))
    return weight.reshape(weight.shape[0], -1)


def power_iterate(matrix: Any, u: Any, v: Any, eps: float, rounds: int, first: str) -> None:
    """Bring ``u`` and ``v`` in place closer to singular vectors of ``matrix``; ``first`` is updated first."""
    with no_grad():
        for _ in range(rounds):
            for name in (first, "u" if first == "v" else "v"):
                if name == "v":
                    v.copy_(normalize(mv(matrix.t(), u), dim=0, eps=eps))
                else:
                    u.copy_(normalize(mv(matrix, v), dim=0, eps=eps))


def unit(like: Any, size: int, eps: float) -> Any:
    """Return a random vector of length 1, of the dtype of ``like``."""
    vector = wrap(Tensor, np.empty(size, like.array.dtype)).normal_(0, 1)
    return normalize(vector, dim=0, eps=eps)


class SpectralNorm:
    """The hook: it divides the weight by its largest singular value, as power iteration finds it."""

    _version = 1

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        self.name, self.dim, self.eps = name, dim, eps
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.n_power_iterations = n_power_iterations

    def reshape_weight_to_matrix(self, weight: Any) -> Any:
        """Return the weight as a matrix, a row for each output."""
        return as_matrix(weight, self.dim)

    def compute_weight(self, module: Any, do_power_iteration: bool) -> Any:
        """Return the weight divided by its largest singular value."""
        weight = getattr(module, self.name + "_orig")
        u, v = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            power_iterate(matrix, u, v, self.eps, self.n_power_iterations, "v")
            u, v = u.clone(), v.clone()  # a second forward may write them before this one's backward
        return weight / dot(u, mv(matrix, v))

    def remove(self, module: Any) -> None:
        """Put the normalized weight back as a parameter."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        delattr(module, self.name)
        for ending in ("_u", "_v", "_orig"):
            delattr(module, self.name + ending)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Any, inputs: Any) -> None:
        """Compute the weight anew, after another round of iteration in training."""
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))

    @staticmethod
    def apply(module: Any, name: str, n_power_iterations: int, dim: int, eps: float) -> SpectralNorm:
        """Return the hook, once ``module`` has the original weight and the vectors."""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm) and hook.name == name:
                raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
        hook = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Run a dummy forward first"
            )
        height, width = hook.reshape_weight_to_matrix(weight.detach()).shape
        u, v = unit(weight, height, eps), unit(weight, width, eps)
        delattr(module, name)
        module.register_parameter(name + "_orig", weight)
        setattr(module, name, weight.data)  # not the parameter, which would be registered again
        module.register_buffer(name + "_u", u)
        module.register_buffer(name + "_v", v)
        module.register_forward_pre_hook(hook)
        module._register_state_dict_hook(SpectralNormStateDictHook(hook))
        module._register_load_state_dict_pre_hook(SpectralNormLoadStateDictPreHook(hook))
        return hook


class SpectralNormStateDictHook:
    """A hook after saving: it stores the version of the layout in the metadata.

    fn: the hook that computes the weight.
    """

    def __init__(self, fn: SpectralNorm) -> None:
        self.fn = fn

    def __call__(self, module: Any, state_dict: Any, prefix: str, local_metadata: Any) -> None:
        """Store the version; RuntimeError if there is one already."""
        versions = local_metadata.setdefault("spectral_norm", {})
        key = self.fn.name + ".version"
        if key in versions:
            raise RuntimeError(f"Unexpected key in metadata['spectral_norm']: {key}")
        versions[key] = self.fn._version


class SpectralNormLoadStateDictPreHook:
    """A hook before loading: it refuses the layout from before PyTorch 1.0, which had no ``v``.

    fn: the hook that computes the weight.
    """

    def __init__(self, fn: SpectralNorm) -> None:
        self.fn = fn

    def __call__(self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any) -> None:
        """Raise NotImplementedError for the old layout."""
        version = local_metadata.get("spectral_norm", {}).get(self.fn.name + ".version")
        key = prefix + self.fn.name
        old = key in state_dict and key + "_orig" in state_dict and key + "_v" not in state_dict
        if version is None and old:
            raise NotImplementedError(f"The state of {key!r} is from before PyTorch 1.0 and cannot be loaded")


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Return ``module``, its parameter ``name`` divided by its largest singular value before each forward.

    The parameter becomes ``name_orig``; ``name_u`` and ``name_v`` are buffers. ``dim`` is the dim of the
    outputs: 0, and 1 in transposed convolutions.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.spectral_norm.html
    """
    SpectralNorm.apply(module, name, n_power_iterations, default_dim(module) if dim is None else dim, eps)
    return module


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Return ``module``, its normalized weight a plain parameter again; ValueError if it was not normalized."""
    for number, hook in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[number]
            break
    else:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    for hooks, hook_class in (
        (module._state_dict_hooks, SpectralNormStateDictHook),
        (module._load_state_dict_pre_hooks, SpectralNormLoadStateDictPreHook),
    ):
        for number, (hook, _) in list(hooks.items()):
            if isinstance(hook, hook_class) and hook.fn.name == name:
                del hooks[number]
    return module

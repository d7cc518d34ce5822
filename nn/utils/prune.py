"""Pruning: parts of a module's tensor multiplied by zero, by a mask that is found by size, at random or by hand.

The parameter ``name`` becomes the parameter ``name_orig`` and the buffer ``name_mask``, and a hook before ``forward``
sets the attribute ``name`` to their product.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from ...autograd.grad_mode import no_grad
from ...autograd.variable import as_ndarray, wrap
from ...tensors.random.creation import rand, rand_like
from ...tensors.tensor.methods import Tensor
from .convert_parameters import parameters_to_vector


class BasePruningMethod(ABC):
    """A way to find a mask, and the hook that applies it. Subclass it, set ``PRUNING_TYPE``, write ``compute_mask``.

    PRUNING_TYPE: what a second pruning of the same tensor considers: "unstructured", the elements that are left;
        "structured", the channels that are left at least in part; "global", all elements.
    _tensor_name: the name of the tensor to prune.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.prune.BasePruningMethod.html
    """

    _tensor_name: str
    PRUNING_TYPE: ClassVar[str]

    def __call__(self, module: Any, inputs: Any) -> None:
        """Set the pruned tensor of ``module``; runs before each ``forward``."""
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return ``default_mask``, zero also at what is pruned; ``t`` holds the importance of each element."""

    def apply_mask(self, module: Any) -> Any:
        """Return the original tensor of ``module`` times the mask."""
        original = getattr(module, self._tensor_name + "_orig")
        return getattr(module, self._tensor_name + "_mask").to(dtype=original.dtype) * original

    @classmethod
    def apply(cls, module: Any, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any) -> Any:
        """Return the hook that prunes ``name`` of ``module`` from now on, with whatever pruned it before.

        On an error the module is as it was before.
        """
        method = cls(*args, **kwargs)
        method._tensor_name = name
        old = {number: hook for number, hook in module._forward_pre_hooks.items() if _prunes(hook, name)}
        tensor = getattr(module, name)
        scores = _check_scores(importance_scores, tensor)
        hook: BasePruningMethod = method
        with no_grad():
            if old:
                hook = PruningContainer(*_methods_of(next(iter(old.values()))), method)
                mask = hook.compute_mask(scores, default_mask=getattr(module, name + "_mask").detach().clone())
            else:
                mask = hook.compute_mask(scores, default_mask=_ones_like(tensor))
        if not old:
            del module._parameters[name]
            module.register_parameter(name + "_orig", tensor)
        module.register_buffer(name + "_mask", mask)
        for number in old:
            del module._forward_pre_hooks[number]
        setattr(module, name, hook.apply_mask(module))
        module.register_forward_pre_hook(hook)
        return hook

    def prune(self, t: Any, default_mask: Any = None, importance_scores: Any = None) -> Any:
        """Return the tensor ``t`` times the mask, without a module."""
        mask = _ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(_check_scores(importance_scores, t), default_mask=mask)

    def remove(self, module: Any) -> None:
        """Make the pruning final: the parameter has its old name again, and zeros where the mask had."""
        name = self._tensor_name
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters[name + "_orig"]
        original.data = weight.data
        del module._parameters[name + "_orig"]
        del module._buffers[name + "_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Several prunings of one tensor, each of what the ones before it left.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.prune.PruningContainer.html
    """

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[Any, ...] = ()
        if args:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Add ``method``; ValueError if it prunes another tensor, TypeError if it is none."""
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and method._tensor_name != self._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return the mask of the last method, on top of ``default_mask``."""
        method = self._pruning_methods[-1]
        pruning_type = method.PRUNING_TYPE
        left: Any
        if pruning_type == "unstructured":
            left = default_mask == 1
        elif pruning_type == "structured":
            if not hasattr(method, "dim"):
                raise AttributeError('Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim`.')
            dim = _positive_dim(t, method.dim)
            left = _index_at(t, dim, default_mask.sum(dim=[d for d in range(t.ndim) if d != dim]) != 0)
        elif pruning_type == "global":
            left = (slice(None),) * t.ndim
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {pruning_type}")
        mask = default_mask.to(dtype=t.dtype).clone()
        mask[left] = method.compute_mask(t[left], default_mask=default_mask[left]).to(dtype=mask.dtype)
        return mask


# ------------------------------------------------------------------ methods


class Identity(BasePruningMethod):
    """Prunes nothing, but makes mask and original."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return ``default_mask``."""
        return default_mask


class RandomUnstructured(BasePruningMethod):
    """Prunes elements at random: ``amount`` of them, or that fraction."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: Any) -> None:
        self.amount = _validate_pruning_amount_init(amount)

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return ``default_mask``, zero also at the elements drawn."""
        count = _compute_nparams_toprune(self.amount, t.numel())
        if not count:
            return default_mask.clone()
        return _zero_at(default_mask, rand_like(t).view(-1).topk(count).indices)


class L1Unstructured(BasePruningMethod):
    """Prunes the elements of the smallest absolute value: ``amount`` of them, or that fraction."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: Any) -> None:
        self.amount = _validate_pruning_amount_init(amount)

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return ``default_mask``, zero also at the smallest elements."""
        count = _compute_nparams_toprune(self.amount, t.numel())
        if not count:
            return default_mask.clone()
        return _zero_at(default_mask, t.detach().abs().reshape(-1).topk(count, largest=False).indices)


class RandomStructured(BasePruningMethod):
    """Prunes whole channels along ``dim`` at random: ``amount`` of them, or that fraction."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, dim: int = -1) -> None:
        self.amount, self.dim = _validate_pruning_amount_init(amount), dim

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return ``default_mask``, zero also in the channels drawn."""
        dim = _channel_dim(t, self.dim)
        size = t.shape[dim]
        count = _compute_nparams_toprune(self.amount, size)
        if not count:
            return default_mask
        drawn: Any = rand(size)
        return _ones_at(t, dim, drawn > drawn.kthvalue(count).values, default_mask)


class LnStructured(BasePruningMethod):
    """Prunes the channels along ``dim`` of the smallest ``n``-norm: ``amount`` of them, or that fraction."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        self.amount, self.n, self.dim = _validate_pruning_amount_init(amount), n, dim

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return ``default_mask``, zero also in the smallest channels."""
        dim = _channel_dim(t, self.dim)
        size = t.shape[dim]
        count = _compute_nparams_toprune(self.amount, size)
        if not count:
            return default_mask
        norms = t.detach().norm(p=self.n, dim=[d for d in range(t.ndim) if d != dim])
        return _ones_at(t, dim, norms.topk(size - count).indices, default_mask)


class CustomFromMask(BasePruningMethod):
    """Prunes where ``mask`` is zero."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return ``default_mask`` times the mask."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError(f"the mask has shape {self.mask.shape}, but the tensor {default_mask.shape}")
        return default_mask * self.mask.to(dtype=default_mask.dtype)


# ------------------------------------------------------------------ functions


def identity(module: Any, name: str) -> Any:
    """Return ``module`` with ``name`` masked by ones."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: Any) -> Any:
    """Return ``module``, of whose tensor ``name`` elements drawn at random are now zero."""
    RandomUnstructured.apply(module, name, amount=amount)
    return module


def l1_unstructured(module: Any, name: str, amount: Any, importance_scores: Any = None) -> Any:
    """Return ``module``, of whose tensor ``name`` the smallest elements are now zero.

    https://pytorch.org/docs/stable/generated/torch.nn.utils.prune.l1_unstructured.html

    >>> import rushlight as torch
    >>> layer = torch.nn.utils.prune.l1_unstructured(torch.nn.Linear(5, 4), "weight", amount=0.25)
    >>> int((layer.weight == 0).sum()), [name for name, _ in layer.named_parameters()]
    (5, ['bias', 'weight_orig'])
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: Any, dim: int) -> Any:
    """Return ``module``, of whose tensor ``name`` channels drawn at random are now zero."""
    RandomStructured.apply(module, name, amount=amount, dim=dim)
    return module


def ln_structured(module: Any, name: str, amount: Any, n: Any, dim: int, importance_scores: Any = None) -> Any:
    """Return ``module``, of whose tensor ``name`` the channels of the smallest ``n``-norm are now zero."""
    LnStructured.apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Any, name: str, mask: Any) -> Any:
    """Return ``module``, whose tensor ``name`` is now zero where ``mask`` is."""
    CustomFromMask.apply(module, name, mask=mask)
    return module


def global_unstructured(parameters: Any, pruning_method: Any, importance_scores: Any = None, **kwargs: Any) -> None:
    """Prune several tensors, given as pairs of module and name, as if they were one.

    TypeError unless ``pruning_method`` is of the type "unstructured".
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. '
            f"Found method {pruning_method} of type {method.PRUNING_TYPE}"
        )
    pairs = list(parameters)
    tensors = [getattr(module, name) for module, name in pairs]
    with no_grad():
        importance = [scores.get(pair, tensor) for pair, tensor in zip(pairs, tensors, strict=True)]
        masks = [
            getattr(module, name + "_mask", _ones_like(tensor))
            for (module, name), tensor in zip(pairs, tensors, strict=True)
        ]
        method._tensor_name = "all"
        container = PruningContainer(method)
        mask = container.compute_mask(parameters_to_vector(importance), parameters_to_vector(masks))
    start = 0
    for (module, name), tensor in zip(pairs, tensors, strict=True):
        end = start + tensor.numel()
        custom_from_mask(module, name, mask[start:end].view_as(tensor))
        start = end


def remove(module: Any, name: str) -> Any:
    """Return ``module``, its tensor ``name`` a parameter again, with its zeros; ValueError if it was not pruned."""
    for number, hook in module._forward_pre_hooks.items():
        if _prunes(hook, name):
            hook.remove(module)
            del module._forward_pre_hooks[number]
            return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Any) -> bool:
    """Return whether ``module`` or one below it has a pruned tensor."""
    return any(
        isinstance(hook, BasePruningMethod)
        for submodule in module.modules()
        for hook in submodule._forward_pre_hooks.values()
    )


# ------------------------------------------------------------------ helpers


def _prunes(hook: Any, name: str) -> bool:
    return isinstance(hook, BasePruningMethod) and hook._tensor_name == name


def _methods_of(hook: BasePruningMethod) -> tuple[Any, ...]:
    return tuple(hook) if isinstance(hook, PruningContainer) else (hook,)


def _ones_like(t: Any) -> Any:
    return wrap(Tensor, np.ones(t.array.shape, t.array.dtype))


def _check_scores(scores: Any, t: Any) -> Any:
    """Return ``scores``, or ``t`` itself if that is None; AssertionError unless the shapes are the same."""
    if scores is None:
        return t
    if scores.shape != t.shape:
        raise AssertionError(f"importance_scores should have the shape of the tensor: {scores.shape} is not {t.shape}")
    return scores


def _validate_pruning_amount_init(amount: Any) -> Any:
    """Return ``amount``: a fraction in [0, 1] or a number of elements that is not negative."""
    if not isinstance(amount, Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    number = float(amount)
    if number < 0 or (not isinstance(amount, Integral) and number > 1):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")
    return amount


def _compute_nparams_toprune(amount: Any, size: int) -> int:
    """Return how many of ``size`` to prune; ValueError if that is more than there are."""
    count: int = int(amount) if isinstance(amount, Integral) else round(amount * size)
    if count > size:
        raise ValueError(f"amount={count} should be smaller than the number of parameters to prune={size}")
    return count


def _positive_dim(t: Any, dim: int) -> int:
    """Return ``dim`` of ``t``, counted from the front; IndexError if there is no such dim."""
    if not -t.ndim <= dim < t.ndim:
        raise IndexError(f"Invalid index {dim} for tensor of size {t.shape}")
    return int(dim % t.ndim)


def _channel_dim(t: Any, dim: int) -> int:
    """Return ``dim`` of ``t``, counted from the front; ValueError if ``t`` has no channels."""
    if t.ndim <= 1:
        raise ValueError(
            "Structured pruning can only be applied to multidimensional tensors. "
            f"Found tensor of shape {t.shape} with {t.ndim} dims"
        )
    return _positive_dim(t, dim)


def _index_at(t: Any, dim: int, index: Any) -> tuple[Any, ...]:
    """Return what selects ``index`` along ``dim`` of ``t`` and everything along the others."""
    return tuple(index if d == dim else slice(None) for d in range(t.ndim))


def _zero_at(mask: Any, indices: Any) -> Any:
    """Return a copy of ``mask`` that is zero at ``indices`` of its flattened elements."""
    values = np.array(as_ndarray(mask))
    values.reshape(-1)[as_ndarray(indices)] = 0
    return wrap(Tensor, values)


def _ones_at(t: Any, dim: int, kept: Any, default_mask: Any) -> Any:
    """Return ``default_mask``, zero also where the index along ``dim`` is not among ``kept``."""
    mask = wrap(Tensor, np.zeros(t.array.shape, t.array.dtype))
    mask[_index_at(t, dim, kept)] = 1
    return mask * default_mask.to(dtype=mask.dtype)

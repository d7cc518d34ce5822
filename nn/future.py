"""Switches for how a module takes on converted or loaded tensors: ``torch.__future__``.

https://pytorch.org/docs/stable/future_mod.html
"""

from __future__ import annotations

_switches = {"overwrite": False, "swap": False}


def set_overwrite_module_params_on_conversion(value: bool) -> None:
    """Let ``Module.to`` and its kin put new parameters in the place of the old ones, which stay as they are.

    >>> import rushlight as torch
    >>> layer = torch.nn.Linear(1, 1)
    >>> weight = layer.weight
    >>> torch.__future__.set_overwrite_module_params_on_conversion(True)
    >>> layer.double().weight is weight, weight.dtype
    (False, torch.float32)
    >>> torch.__future__.set_overwrite_module_params_on_conversion(False)
    """
    _switches["overwrite"] = value


def get_overwrite_module_params_on_conversion() -> bool:
    """Return whether conversions make new parameters."""
    return _switches["overwrite"]


def set_swap_module_params_on_conversion(value: bool) -> None:
    """Let ``Module.to`` and its kin, and ``load_state_dict``, exchange parameters by ``utils.swap_tensors``.

    The parameters stay the same objects, but graphs recorded before cannot be walked any more. Goes before
    :func:`set_overwrite_module_params_on_conversion`.
    """
    _switches["swap"] = value


def get_swap_module_params_on_conversion() -> bool:
    """Return whether parameters are exchanged."""
    return _switches["swap"]

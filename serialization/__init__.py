"""Saving and loading without running code: ``torch.save`` and ``torch.load``.

====================  =========================  ===============================================================
format                chosen by                  read by
====================  =========================  ===============================================================
PyTorch's checkpoint  any other name, or a file  ``torch.load(weights_only=True)``
safetensors           ``.safetensors``           the safetensors package; a flat dict of tensors by all who read it
npz                   ``.npz``                   ``numpy.load``; a flat dict of tensors has its own keys
====================  =========================  ===============================================================

All three hold tensors, numbers, texts, bytes, None, dtypes, sizes, devices, and dicts, lists, tuples and sets of them,
as the state dicts of modules and optimizers are made of; tensors that share memory do so again after loading.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from typing import Any

from .. import lazy
from ..arrays.device import device, require_cpu
from .files import Source, is_path, write

_SUFFIXES = {".safetensors": "safetensors", ".npz": "npz"}
_MODULES = {"pt": "serialization.checkpoint", "safetensors": "serialization.safetensors", "npz": "serialization.npz"}
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # how PyTorch's files before version 1.6 begin


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = pickle,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    *,
    format: str | None = None,
) -> None:
    """Write ``obj`` into the file that ``f`` names or is, so that PyTorch opens it.

    The name chooses the format: ``.safetensors`` and ``.npz`` for these, everything else is a PyTorch checkpoint;
    ``format``, one of "pt", "safetensors" and "npz", decides if it is given. A named file is replaced only when the new
    one is complete and on the disk.

    PicklingError names what cannot be saved: whole modules, functions, objects of other classes.

    https://pytorch.org/docs/stable/generated/torch.save.html

    >>> import io
    >>> import rushlight as torch
    >>> file = io.BytesIO()
    >>> torch.save({"weight": torch.ones(2), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> torch.load(file)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    if pickle_module not in (None, pickle) or pickle_protocol != 2 or not _use_new_zipfile_serialization:
        raise ValueError("only the standard pickle format of protocol 2 in a zip archive is written")
    if format is None:
        suffix = os.path.splitext(os.fsdecode(f))[1].lower() if is_path(f) else ""  # noqa: PTH122
        format = _SUFFIXES.get(suffix, "pt")
    if format not in _MODULES:
        raise ValueError(f"format must be one of {sorted(_MODULES)}, not {format!r}")
    fill = lazy.load(_MODULES[format]).save
    write(f, lambda file: fill(obj, f, file))


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Return what ``save`` wrote, here or in PyTorch; also the tensors of foreign safetensors and npz files, a dict.

    The format is known by the file's first bytes. No code of the file is ever run: ``weights_only=False`` is refused.
    ``map_location`` must lead to the CPU, and is needed for tensors that PyTorch saved from another device. With
    ``mmap`` the tensors stand on the file, which writing to them does not change. bfloat16 tensors become float32, with
    a warning.

    UnpicklingError names what is not allowed in a checkpoint; RuntimeError or ValueError says what is wrong with a
    damaged file.

    https://pytorch.org/docs/stable/generated/torch.load.html
    """
    if weights_only is not None and not weights_only:
        raise RuntimeError(
            "weights_only=False would run code from the file, which rushlight never does. If the file holds more than "
            "tensors, numbers, texts and containers, load it with PyTorch and save its state_dict()"
        )
    if pickle_module is not None or pickle_load_args.keys() - {"encoding"}:
        raise ValueError("files are not read by a module for pickles: pickle_module and its arguments are not taken")
    locate = _locator(map_location)
    with Source(f, bool(mmap)) as source:
        start = source.bytes(0, min(source.size, 16))
        if not start:
            raise EOFError(f"{source.name} is empty, or was read to its end before")
        if start.startswith(b"PK"):
            return _load_archive(source, locate, not mmap)
        if start.startswith(_LEGACY):
            raise RuntimeError(
                f"{source.name} is in the format that PyTorch had before version 1.6: load it with PyTorch and save it "
                "again"
            )
        module = lazy.load("serialization.safetensors")
        if module.looks_like(start, source.size):
            return module.load(source)
        raise RuntimeError(
            f"{source.name} is no PyTorch checkpoint, no safetensors and no npz file: it begins with {start!r}"
        )


def _load_archive(source: Source, locate: Callable[[str], None], check: bool) -> Any:
    archive = lazy.load("serialization.archive").Reader(source)
    checkpoint = lazy.load("serialization.checkpoint")
    if checkpoint.is_checkpoint(archive):
        return checkpoint.load(archive, locate, check)
    return lazy.load("serialization.npz").load(source, archive, check)


def _locator(map_location: Any) -> Callable[[str], None]:
    """Return a function that checks that a storage from a place, such as "cpu" or "cuda:0", comes to the CPU."""
    if map_location is None or isinstance(map_location, str | device):
        require_cpu(map_location)

    def check(place: str) -> None:
        target: Any = place
        if isinstance(map_location, str | device):
            target = map_location
        elif isinstance(map_location, dict):
            target = map_location.get(place, place)
        elif callable(map_location):
            storage = object()
            target = map_location(storage, place)
            target = "cpu" if target is storage else place
        elif map_location is not None:
            raise TypeError(f"map_location must be a device, a dict or a function, not {type(map_location).__name__}")
        if str(target).partition(":")[0] != "cpu":
            raise RuntimeError(
                f"the file holds tensors from {place!r}, and rushlight has only the CPU: Attempting to deserialize "
                "object on a device that is not there; use map_location=torch.device('cpu')"
            )

    return check

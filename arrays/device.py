"""Devices, layouts and memory formats, by PyTorch's names: every tensor is on the CPU and strided."""

from __future__ import annotations

from typing import Any

_TYPES = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla", "lazy",
    "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip


class device:
    """The place of a tensor; tensors of this package live on ``device("cpu")`` and nowhere else.

    https://pytorch.org/docs/stable/tensor_attributes.html#torch.device

    >>> import rushlight as torch
    >>> torch.device("cpu"), torch.device("cuda", 1)
    (device(type='cpu'), device(type='cuda', index=1))
    """

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __init__(self, type: Any, index: int | None = None) -> None:
        if isinstance(type, device):
            self.type, self.index = type.type, type.index
            return
        if not isinstance(type, str):
            raise TypeError(f"device(): argument 'type' must be str or torch.device, not {type.__class__.__name__}")
        name, colon, number = type.partition(":")
        if name not in _TYPES:
            raise RuntimeError(
                f"Expected one of {', '.join(_TYPES)} device type at start of device string: {type}"
                if name.isalpha()
                else f"Invalid device string: {type!r}"
            )
        if colon:
            if index is not None:
                raise RuntimeError(f"type (string) must not include an index because index was passed: {type}")
            if not number.isdecimal():
                raise RuntimeError(f"Invalid device string: {type!r}")
            index = int(number)
        self.type, self.index = name, index

    def __repr__(self) -> str:
        return f"device(type={self.type!r}" + (")" if self.index is None else f", index={self.index})")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (self.type, self.index)

    def __enter__(self) -> device:
        """Return the device; new tensors are made on it inside ``with``, and it is always the CPU."""
        require_cpu(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: entering changed nothing."""


CPU = device("cpu")


class layout:
    """How elements lie in memory; only ``strided`` exists here."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class memory_format:
    """Which strides a new tensor gets: ``contiguous_format``, or ``preserve_format`` for those of its model."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


strided = layout("strided")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")


def require_cpu(given: Any) -> None:
    """Raise unless ``given`` names the CPU, or nothing: AssertionError for cuda, RuntimeError for another device."""
    if given is None or given is CPU:
        return
    if isinstance(given, int) and not isinstance(given, bool):
        raise RuntimeError(f"Cannot access accelerator device {given}: none is available, rushlight runs on the CPU")
    found = given if isinstance(given, device) else device(given)
    if found.type == "cuda":
        raise AssertionError(f"rushlight runs on the CPU: Torch not compiled with CUDA enabled (device {str(found)!r})")
    if found.type != "cpu":
        raise RuntimeError(f"rushlight runs on the CPU; it has no device {str(found)!r}")


def require_plain(layout: Any = None, device: Any = None, pin_memory: Any = False) -> None:
    """Raise unless a new tensor of this kind can be made: strided, on the CPU, in ordinary memory."""
    if device is not None:
        require_cpu(device)
    if layout is not None and layout is not strided:
        raise RuntimeError(f"only layout torch.strided is supported, not {layout!r}")
    if pin_memory:
        raise RuntimeError("pin_memory=True requires an accelerator; rushlight runs on the CPU")


def order_of(format: Any) -> str:
    """Return NumPy's letter for a memory format: "K" keeps the strides of the model, "C" makes them contiguous.

    Unlike PyTorch's, tensors in ``channels_last`` are contiguous as well: the values are the same, the strides not.
    """
    if format is None or format is preserve_format:
        return "K"
    if format in (contiguous_format, channels_last, channels_last_3d):
        return "C"
    raise NotImplementedError(f"memory_format {format!r} is not supported: torch.contiguous_format is")


def get_default_device() -> device:
    """Return the device of new tensors, ``device("cpu")``."""
    return CPU


def set_default_device(device: Any) -> None:
    """Accept the CPU (or None); raise for any other device."""
    require_cpu(device)

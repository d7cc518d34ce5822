"""Version: how often one piece of memory was written."""

from __future__ import annotations


class Version:
    """How often one piece of memory was written; a tensor and its views share the counter.

    It is made only when someone needs it: when a value is saved, looked into, or written.
    ``writer`` names the operation that wrote last.
    """

    __slots__ = ("writer", "writes")
    writes: int
    writer: str  # not set before the first write; without an __init__ a version costs half as much

    def count(self, writer: str) -> None:
        """Note one more write, by the operation called ``writer``."""
        self.writes += 1
        self.writer = writer


class _Inference(Version):
    """The version of tensors made in inference mode: to ask for its count is the error."""

    __slots__ = ()

    @property
    def writes(self) -> int:  # type: ignore[override]
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode"
            " in computation tracked by autograd. To work around this, you can make a clone to get a normal tensor"
            " and use it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
        )

    def count(self, writer: str) -> None:
        """Count nothing: nobody can have saved the value."""


def new_version() -> Version:
    """Return a version of no writes yet."""
    made = Version()
    made.writes = 0
    return made


INFERENCE = _Inference()
FIXED = new_version()
"""The version of what is no tensor: it never changes."""

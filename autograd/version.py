"""Version: how often one piece of memory was written.

A tensor and its views share one counter. It is made only when someone needs it: when a value is saved, looked into, or
written. Every saved array stands beside the counter and a copy of what it said; a walk backward compares the two.

The counter is a ``bytearray``, the one mutable built-in that the garbage collector does not follow: what keeps many of
them is made faster (``benchmarks/claims.py``). It is empty before the first write. Then its last byte says
who wrote, and the bytes before it add up to the number of writes.
"""

from __future__ import annotations

Version = bytearray
UNWRITTEN = b""
"""What a counter says before the first write."""

_WRITERS: list[str] = ["another operation"]
_CODES: dict[str, int] = {}


def new_version() -> Version:
    """Return a counter of no writes yet."""
    return bytearray()


def _code(writer: str) -> int:
    code = _CODES.get(writer)
    if code is None:
        code = 0
        if len(_WRITERS) < 256:
            code = len(_WRITERS)
            _WRITERS.append(writer)
        _CODES[writer] = code
    return code


def count_write(version: Version, writer: str) -> None:
    """Note one more write, by the operation called ``writer``."""
    if version is INFERENCE:
        return
    code = _code(writer)
    if not version:
        version += bytes((1, code))
    elif version[-2] < 255:
        version[-2] += 1
        version[-1] = code
    else:
        version[-1] = 1
        version.append(code)


def writes(version: bytes | bytearray) -> int:
    """Return the number of writes that ``version``, or a copy of one, speaks of."""
    return 255 * (len(version) - 2) + version[-2] if version else 0


def last_writer(version: Version) -> str:
    """Return the name of the operation that wrote last."""
    return _WRITERS[version[-1]] if version else ""


class _Inference(bytearray):
    """The version of tensors made in inference mode: to ask what it says, as saving does, is the error."""

    def __bool__(self) -> bool:
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode"
            " in computation tracked by autograd. To work around this, you can make a clone to get a normal tensor"
            " and use it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
        )


INFERENCE = _Inference()
FIXED = new_version()
"""The version of what is no tensor: it never changes."""

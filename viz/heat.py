"""Overlays: a colour for each box, from pale to strong, by its gradient, its time, or the bytes it holds."""

from __future__ import annotations

from collections.abc import Callable
from math import log10

from .model import GraphData, Item, amount, short


def _gradient(item: Item) -> float:
    return item.gradient.norm if item.gradient is not None and item.gradient.finite else 0.0


OVERLAYS: dict[str, Callable[[Item], float]] = {
    "gradient": _gradient,
    "time": lambda item: (item.forward or 0.0) + (item.backward or 0.0),
    "bytes": lambda item: float(item.held),
}
"""The quantities that colour boxes: gradient norms (on a scale of logarithms), time, bytes held for backward."""
_PALE, _STRONG = (0xF3, 0xF6, 0xFA), (0xE6, 0x9F, 0x00)


def shades(graph: GraphData, overlay: str) -> dict[str, str]:
    """Return the colour of each item that the overlay speaks of; ValueError for one that does not exist."""
    if not overlay:
        return {}
    if overlay not in OVERLAYS:
        raise ValueError(f"overlay must be one of {', '.join(OVERLAYS)}, not {overlay!r}")
    measure = OVERLAYS[overlay]
    known = {item.id: value for item in graph.items if (value := measure(item))}
    if not known:
        return {}
    low, high = min(known.values()), max(known.values())
    if overlay != "gradient":
        return {mine: _shade((value / high) ** 0.5) for mine, value in known.items()}
    low = max(low, high * 1e-8)
    return {mine: _shade(log10(max(value, low) / low) / (log10(high / low) or 1.0)) for mine, value in known.items()}


def legend(graph: GraphData, overlay: str) -> list[str]:
    """Return the line that says what the colours mean, if there are any."""
    known = [value for item in graph.items if overlay and (value := OVERLAYS[overlay](item))]
    if not known:
        return [f"colour: {_UNITS[overlay][0]}, which the graph does not know"] if overlay else []
    word, text = _UNITS[overlay]
    low = f"from {text(min(known))} " if overlay == "gradient" else ""
    return [f"colour: {word}, {low}to {text(max(known))} (strongest)"]


_UNITS: dict[str, tuple[str, Callable[[float], str]]] = {
    "gradient": ("norm of the gradient", short),
    "time": ("time, forward and backward", lambda seconds: f"{1e3 * seconds:.3g} ms"),
    "bytes": ("bytes held for backward", lambda bytes: amount(int(bytes))),
}


def _shade(part: float) -> str:
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(_PALE, _STRONG, strict=True))

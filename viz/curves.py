"""Training curves: the loss and the gradients' norms over the steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, isfinite
from pathlib import Path
from typing import Any

from .. import lazy
from .values import norm_of

MISSING = 'curves are drawn by matplotlib, which is not installed. Run: pip install "rushlight[demo]"'


class Curves:
    """Numbers noted while a model is trained, and their picture.

    >>> import rushlight as torch
    >>> from rushlight import viz
    >>> model = torch.nn.Linear(2, 1)
    >>> curves = viz.Curves()
    >>> for _ in range(3):
    ...     loss = model(torch.ones(1, 2)).sum()
    ...     loss.backward()
    ...     curves.step(loss, model)
    >>> sorted(curves.history)
    ['gradient of bias', 'gradient of weight', 'loss']
    >>> len(curves.history["loss"])
    3
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.steps = 0

    def step(self, loss: Any, params: Any = None, **more: float) -> None:
        """Note the loss, and the norm of the gradient of each parameter of ``params``: a module, a mapping, or pairs.

        Call it after ``backward`` and before ``zero_grad``. ``more`` are other numbers by name. A parameter without
        gradient is noted as NaN.
        """
        self._note("loss", float(loss))
        pairs: Iterable[tuple[str, Any]] = () if params is None else _pairs(params)
        for name, parameter in pairs:
            grad = parameter.grad
            self._note(f"gradient of {name}", float("nan") if grad is None else norm_of(grad.array)[0])
        for name, number in more.items():
            self._note(name, float(number))
        self.steps += 1

    def _note(self, name: str, number: float) -> None:
        missed = [float("nan")] * self.steps
        self.history.setdefault(name, missed).append(number)

    def save(self, path: Any, **options: Any) -> str:
        """Write the picture of all curves to ``path`` (.png, .svg, .pdf), see :func:`draw_curves`; return the path."""
        return draw_curves(self.history, path, **options)


def _pairs(params: Any) -> Iterable[tuple[str, Any]]:
    if hasattr(params, "named_parameters"):
        return list(params.named_parameters())
    return list(params.items() if isinstance(params, Mapping) else params)


def draw_curves(history: Mapping[str, Sequence[float]], path: Any, title: str = "", smooth: int | None = None) -> str:
    """Write a picture of ``history`` (numbers by name) to ``path`` and return the path.

    Names that begin with "gradient" share a second chart below, on a scale of logarithms. ``smooth`` steps are averaged
    in the bold line over the pale one; by default a twentieth of all. Steps that are not finite are marked at the
    bottom edge. RuntimeError if matplotlib is missing, ValueError if there is nothing to draw.
    """
    if not any(len(numbers) for numbers in history.values()):
        raise ValueError("there are no numbers to draw: call step() during training")
    try:
        figure: Any = lazy.load_extra("matplotlib.figure")
    except ImportError:
        raise RuntimeError(MISSING) from None
    norms = {name: numbers for name, numbers in history.items() if name.startswith("gradient")}
    plain = {name: numbers for name, numbers in history.items() if name not in norms}
    charts = [chart for chart in (plain, norms) if chart]
    picture = figure.Figure(figsize=(7, 3.2 * len(charts)), layout="constrained")
    axes = picture.subplots(len(charts), sharex=True, squeeze=False)[:, 0]
    for chart, numbers in zip(axes, charts, strict=True):
        _chart(chart, numbers, smooth)
        chart.set_ylabel("norm of the gradient" if numbers is norms else ", ".join(numbers) if len(numbers) < 3 else "")
    axes[0].set_title(title)
    axes[-1].set_xlabel("step")
    picture.savefig(path, dpi=150)
    return str(Path(path))


def _chart(chart: Any, curves: Mapping[str, Sequence[float]], smooth: int | None) -> None:
    positive = all(number > 0 for numbers in curves.values() for number in numbers if isfinite(number) and number)
    if positive:
        chart.set_yscale("log", nonpositive="mask")
    many = len(curves) > 10
    for number, (name, values) in enumerate(curves.items()):
        steps = range(1, len(values) + 1)
        finite = [value if isfinite(value) else float("nan") for value in values]
        colour = f"C{number % 10}"
        width = smooth or ceil(len(values) / 20)
        chart.plot(
            steps,
            finite,
            color=colour,
            alpha=0.3 if width > 1 else 1.0,
            linewidth=0.8,
            label=None if width > 1 else name,
        )
        if width > 1:
            style = ("-", "--", ":", "-.")[number // 10 % 4]
            chart.plot(steps, _averaged(finite, width), style, color=colour, linewidth=1.4, label=name)
        lost = [step for step, value in zip(steps, values, strict=True) if not isfinite(value)]
        if lost:
            chart.plot(
                lost,
                [0.02] * len(lost),
                "x",
                color=colour,
                transform=chart.get_xaxis_transform(),
                label=f"{name}: not finite",
            )
    chart.grid(alpha=0.3)
    if len(curves) > 1 or chart.get_legend_handles_labels()[1][1:]:
        chart.legend(fontsize=6 if many else 9, ncols=2 if many else 1)


def _averaged(values: Sequence[float], width: int) -> list[float]:
    """Return the mean of each value and those before it, ``width`` in all, as far as they are finite."""
    found = []
    for end in range(1, len(values) + 1):
        window = [value for value in values[max(end - width, 0) : end] if isfinite(value)]
        found.append(sum(window) / len(window) if window else float("nan"))
    return found

"""The pytest plugin: fixtures for the checks, and a line about what they found at the end of a run.

pytest loads it by its entry point, or by ``-p rushlight.testing.plugin``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from .contract import Contract, gradient_contract
from .gradient import check_gradient as run_check
from .verdict import GradientError, Report, Verdict

COUNTS = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options."""
    group = parser.getgroup("rushlight")
    group.addoption("--gradient-seed", type=int, default=0, help="seed of the directions of check_gradient")
    group.addoption("--gradient-order", type=int, default=2, help="order up to which check_gradient checks")
    group.addoption("--update-gradients", action="store_true", help="write the files of gradient contracts anew")


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the counts of verdicts."""
    config.stash[COUNTS] = Counter()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how many gradients were right, and what the others were."""
    counts = config.stash[COUNTS]
    if counts:
        said = ", ".join(f"{counts[v.value]} {v.value}" for v in Verdict if counts[v.value])
        terminalreporter.write_line(f"gradients checked: {said}")


@pytest.fixture
def check_gradient(request: pytest.FixtureRequest) -> Callable[..., Report]:
    """:func:`rushlight.testing.check_gradient`, with seed and order of the command line, counted."""
    config = request.config
    check = partial(run_check, seed=config.getoption("--gradient-seed"), order=config.getoption("--gradient-order"))

    def counted(*args: Any, **kwargs: Any) -> Report:
        __tracebackhide__ = True
        try:
            report = check(*args, **kwargs)
        except GradientError as error:
            config.stash[COUNTS][error.report.verdict.value] += 1
            raise
        config.stash[COUNTS][report.verdict.value] += 1
        return report

    return counted


@pytest.fixture
def gradient_file(request: pytest.FixtureRequest) -> Callable[..., Contract]:
    """A check of a model's gradients against a file beside the test: ``gradient_file(model, *inputs)``.

    The file is written on the first run, and with ``--update-gradients``.
    """

    def check(model: Any, *inputs: Any, loss: Any = None, factor: float = 2.0, name: str = "") -> Contract:
        stem = name or request.node.name.replace("[", "-").rstrip("]")
        path = Path(request.path).parent / f"{stem}.gradients.json"
        contract = gradient_contract(model, *inputs, loss=loss)
        return contract.compare(path, factor, request.config.getoption("--update-gradients"))

    return check

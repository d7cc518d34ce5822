"""What every test run shares: hypothesis profiles, the oracle, and one copy of the package."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import Phase, settings

# "ci" draws the same examples in every run, so that a red test is red for everybody.
# "explore" draws new ones: make test PYTEST_ARGS="-n 2 --hypothesis-profile=explore"
settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", derandomize=False, deadline=None, max_examples=1000)
# "faults" stops at the first failing example: tools/faults.py only asks whether there is one.
settings.register_profile("faults", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate])
settings.load_profile("ci")

ROOT = Path(__file__).resolve().parent.parent
HAS_TORCH = find_spec("torch") is not None
collect_ignore = [] if HAS_TORCH else ["parity"]


class RootAsFolder:
    """Lets pytest see the repository's root as a plain folder.

    The root has an __init__.py, which pytest would import under the folder's name: a second copy of
    the package, whose classes are not those that the tests import.
    """

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Dir | None:
        return pytest.Dir.from_parent(parent, path=path) if path == ROOT else None


def pytest_configure(config: pytest.Config) -> None:
    # A hook written directly in this file would not be asked about folders above it.
    config.pluginmanager.register(RootAsFolder())
    if os.environ.get("PARITY") == "1" and not HAS_TORCH:
        raise pytest.UsageError("PARITY=1, but PyTorch is not installed")


def pytest_report_header() -> str:
    return f"parity: {'compared with PyTorch' if HAS_TORCH else 'left out, no PyTorch here'}"

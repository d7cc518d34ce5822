"""The planted faults of ``make faults`` fit the code as it is."""

from __future__ import annotations

import pytest

from faults import FAULTS, ROOT, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_its_text_stands_in_the_file_once(fault: Fault) -> None:
    assert (ROOT / fault.file).read_text(encoding="utf-8").count(fault.old) == 1
    assert (ROOT / fault.tests).exists()

"""One long ordinary program: with only the import changed it prints the same."""

import os
import subprocess
import sys
from pathlib import Path


def test_the_same_program_prints_the_same() -> None:
    program = Path(__file__).with_name("tour.py")
    env = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    printed = [
        subprocess.run([sys.executable, "-P", program, engine], capture_output=True, text=True, env=env, check=True)
        for engine in ("rushlight", "torch")
    ]
    assert printed[0].stdout.count("\n") > 20
    assert printed[0].stdout == printed[1].stdout
    assert printed[0].stderr == ""

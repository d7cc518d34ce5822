"""What ships is what the package needs: every folder of it, and nothing from around it."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import rushlight

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
AROUND = {"benchmarks", "build", "demo-output", "dist", "docs", "examples", "htmlcov", "tests", "tools"}
# Bytes of files, compressed as in the wheel: of the engine, and of all with layers, optimizers, pictures, tests.
LARGEST_ENGINE, LARGEST_PACKAGE = 550_000, 950_000


def ignored(folder: str, names: list[str]) -> set[str]:
    at_root = Path(folder) == ROOT
    return {
        name
        for name in names
        if name.startswith(".") or name == "__pycache__" or name.endswith(".egg-info") or (at_root and name in AROUND)
    }


def package_files(folder: Path = ROOT) -> set[str]:
    """All files in folders of the package, relative to the root; at the root, its modules."""
    names = [path.name for path in folder.iterdir()]
    found: set[str] = set()
    for name in set(names) - ignored(str(folder), names):
        path = folder / name
        if path.is_dir():
            found |= package_files(path)
        elif folder != ROOT or path.suffix in {".py", ".pyi", ".typed"}:
            found.add(path.relative_to(ROOT).as_posix())
    return found


@pytest.fixture(scope="module")
def wheel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the tree."""
    work = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, work / "tree", ignore=ignored)
    # Tests and tools go along: they are what a careless configuration would ship.
    for folder in ("tests", "tools"):
        shutil.copytree(ROOT / folder, work / "tree" / folder, ignore=ignored)
    command = "-I -m pip wheel --quiet --no-index --no-deps --no-build-isolation -w . ./tree"
    subprocess.run([sys.executable, *command.split()], cwd=work, check=True)
    (built,) = work.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def wheel(wheel_file: Path) -> dict[str, int]:
    """Compressed sizes of the files in the wheel, by name."""
    with zipfile.ZipFile(wheel_file) as archive:
        return {info.filename: info.compress_size for info in archive.infolist()}


def test_every_package_folder_is_listed() -> None:
    folders = {Path(name).parent for name in package_files() if name.endswith(".py")}
    on_disk = {".".join(("rushlight", *folder.parts)) for folder in folders}
    assert sorted(SETUPTOOLS["packages"]) == sorted(on_disk)


def test_every_package_folder_has_an_init() -> None:
    files = package_files()
    folders = {Path(name).parent for name in files if name.endswith(".py")}  # viz/page holds no module
    assert {f.as_posix() for f in folders if (f / "__init__.py").as_posix() not in files} == set()


def test_no_name_at_the_root_hides_the_standard_library() -> None:
    # Python started in the root finds these names first: a random.py here would break NumPy.
    names = {Path(name).parts[0].removesuffix(".py") for name in package_files()}
    assert names & sys.stdlib_module_names == set()


def test_tests_import_the_one_package() -> None:
    # pytest likes to import what it finds by path, as a second package named like the folder.
    files = {str(ROOT / name) for name in package_files()}
    names = {name for name, module in sys.modules.items() if vars(module).get("__file__") in files}
    assert "rushlight" in names
    assert {name for name in names if name.split(".")[0] != "rushlight"} == set()


def test_version_is_the_same_everywhere() -> None:
    assert rushlight.__version__ == PROJECT["project"]["version"] == version("rushlight")


def test_wheel_holds_the_package_and_nothing_else(wheel: dict[str, int]) -> None:
    shipped = {name for name in wheel if ".dist-info/" not in name}
    assert shipped == {f"rushlight/{name}" for name in package_files()}


def test_wheel_is_small(wheel: dict[str, int]) -> None:
    sizes = {name: size for name, size in wheel.items() if name.startswith("rushlight/")}
    storeys = tuple(f"rushlight/{folder}/" for folder in ("arrays", "autograd", "tensors"))
    engine = sum(size for name, size in sizes.items() if name.startswith(storeys) or name.count("/") == 1)
    assert 0 < engine < LARGEST_ENGINE
    assert engine < sum(sizes.values()) < LARGEST_PACKAGE


def test_the_plugin_of_the_wheel_loads_by_itself(wheel_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target"]
    subprocess.run([*command, str(tmp_path), str(wheel_file)], check=True)
    script, env = ROOT / "tests" / "smoke_plugin.py", os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-P", str(script)], env=env, capture_output=True, text=True, check=False)
    assert done.stdout == f"smoke: the pytest plugin of {tmp_path / 'rushlight'}: ok\n", done.stdout + done.stderr


def test_what_the_plugin_needs_is_an_extra() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert {"hypothesis", "pytest"} <= set(extras["testing"])
    assert PROJECT["project"]["entry-points"]["pytest11"] == {"rushlight.testing.plugin": "rushlight.testing.plugin"}

"What `pip install nnbook` installs: every module, numpy alone required, and it works without the repository, from a wheel or from source."

import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes

import pytest
from conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    "Built as `python -m build` does: the source distribution from the project, the wheel from the unpacked source distribution."
    project, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "nnbook", project / "nnbook", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "settings.ini", "setup.py", "README.md", "LICENSE", "MANIFEST.in", "constraints.txt"):
        shutil.copy(ROOT / name, project / name)
    run([sys.executable, "-m", "build", "--sdist", "--no-isolation", "-o", out, project])
    shutil.unpack_archive(next(out.glob("nnbook-*.tar.gz")), out)
    unpacked = next(p for p in out.glob("nnbook-*") if p.is_dir())
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-w", out, unpacked])
    return zipfile.ZipFile(next(out.glob("nnbook-*.whl")))


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_holds_every_module_and_nothing_else(wheel):
    inside = {n for n in wheel.namelist() if not n.startswith("nnbook-")}
    assert inside == {str(p.relative_to(ROOT)) for p in (ROOT / "nnbook").rglob("*.py")}


def test_its_metadata_come_from_settings(wheel):
    meta = message_from_bytes(wheel.read(next(n for n in wheel.namelist() if n.endswith("METADATA"))))
    required = meta.get_all("Requires-Dist")
    assert [r for r in required if "extra" not in r] == ["numpy>=2"]
    assert {"torch", "data", "notebooks", "book", "all", "dev"} <= set(meta.get_all("Provides-Extra"))
    assert meta["Requires-Python"] == ">=3.11" and meta["Summary"].startswith("A neural-network textbook")
    assert "nnbook" in meta.get_payload()


def test_it_runs_alone(wheel, tmp_path):
    wheel.extractall(tmp_path)
    code = "import sys; sys.path.insert(0, '.'); import nnbook; from nnbook.claims import claim; claim('it works {} time', 1, '>', 0); print(nnbook.__file__)"
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "it works 1 time" in done.stdout and str(tmp_path) in done.stdout

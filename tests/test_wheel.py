"What `pip install nnbook` installs: every module, numpy alone required, and it works without the repository, from a wheel or from source."

import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    "The folder of a source distribution built from the project, and of a wheel that pip built from that."
    project, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "nnbook", project / "nnbook", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "settings.ini", "setup.py", "README.md", "LICENSE", "MANIFEST.in", "constraints.txt"):
        shutil.copy(ROOT / name, project / name)
    run([sys.executable, "-m", "build", "--sdist", "--no-isolation", "-o", out, project])
    run([sys.executable, "-m", "pip", "wheel", *OFFLINE, "-w", out, next(out.glob("nnbook-*.tar.gz"))])
    return out


@pytest.fixture(scope="module")
def wheel(dist):
    return zipfile.ZipFile(next(dist.glob("nnbook-*.whl")))


OFFLINE = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation"]      # what building needs is here


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_holds_every_module_and_nothing_else(wheel):
    inside = {n for n in wheel.namelist() if not n.startswith("nnbook-")}
    results = {p for kind in ("json", "safetensors") for p in (ROOT / "nnbook/_results").glob(f"*.{kind}")}
    assert results and inside == {str(p.relative_to(ROOT)) for p in {*(ROOT / "nnbook").rglob("*.py"), *results}} | {"nnbook/py.typed", "nnbook/autograd.pyi", "nnbook/operators.pyi"}


def test_an_index_would_take_both(dist):
    run([sys.executable, "-m", "twine", "check", "--strict", *dist.glob("nnbook-*")])


def test_the_source_distribution_installs_into_an_empty_environment(dist, tmp_path):
    "Its NumPy and setuptools are those here; everything else comes from the archive."
    run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"])
    python = tmp_path / "env/bin/python"
    site = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, text=True, check=True).stdout.strip()
    run([sys.executable, "-m", "pip", "install", *OFFLINE, "--target", site, next(dist.glob("nnbook-*.tar.gz"))])
    for name in ("numpy", "numpy.libs"):
        here = Path(np.__file__).parent.parent / name
        if here.exists():
            (Path(site) / name).symlink_to(here)
    code = ("import nnbook, nnbook.running, pydoc; from nnbook.layers import MLP; import numpy as np; MLP(2, 3)(np.ones((1, 2))); "
            "nnbook.running.stored('07_mnist1d'); nnbook.zoo.load('digits')(np.zeros((1, 1, 28, 28))); "
            "from nnbook.rnn import generate; assert len(generate(nnbook.zoo.load('shakespeare'), 'KING', 9, rng=0)) == 13; pydoc.render_doc(nnbook); print(nnbook.__file__)")
    done = subprocess.run([python, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and site in done.stdout, done.stderr


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

"""Running the book oneself: cells marked slow or cuda say so and are passed over; stored results; a reader's copy; a real JupyterLab."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from browser import chromium
from conftest import NOTEBOOKS, ROOT, read
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from test_exercises import BY_NAME

from nnbook.running import pass_over, stored
from tools import lab
from tools.cells import kind

PLAIN = {k: v for k, v in os.environ.items() if not k.startswith("NNBOOK_")} | {"MPLBACKEND": "agg", "PYTHONPATH": str(ROOT)}


# -- the marks

def ran(source: str, monkeypatch, **environment) -> bool:
    "Whether a cell is run as it is."
    for name in ("NNBOOK_CELLS", "NNBOOK_GPU"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    lines = source.splitlines(keepends=True)
    return pass_over(lines) == lines


def test_marked_cells_are_passed_over(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for mark in ("#| slow", "#|slow", '#| code-summary: "x"\n#| code-fold: true\n#| slow', "\n# words\n#| cuda", "#| cuda"):
        assert not ran(f"{mark}\nx = 1\n", monkeypatch), mark
    for source in ("x = 1\n#| slow\n", 'x = "#| cuda"\n', "#| slower\nx\n", "# slow\nx\n", "#| export\nx\n", "", "\n", "%time x\n#| slow"):
        assert ran(source, monkeypatch), source
    assert ran("#| cuda\nx\n", monkeypatch, NNBOOK_GPU="cpu") and not ran("#| slow\nx\n", monkeypatch, NNBOOK_GPU="cpu")
    assert ran("#| cuda\nx\n", monkeypatch, NNBOOK_CELLS="all") and ran("#| slow\nx\n", monkeypatch, NNBOOK_CELLS="all")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert ran("#| cuda\nx\n", monkeypatch)


def test_it_marks_what_the_runner_marks():
    "The library and the book's runner, which share no code, see the same cells as marked."
    for path in NOTEBOOKS:
        for cell in (c for c in read(path).cells if c.cell_type == "code"):
            assert (pass_over(cell.source.splitlines(keepends=True)) != cell.source.splitlines(keepends=True)) == (kind(cell) in ("slow", "cuda")), cell.source[:80]


def notebook(*cells: str, folder) -> list[str]:
    "What cells print in a fresh kernel as a reader starts it, one string a cell."
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(nb, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute(env=PLAIN)
    return ["".join(o.get("text", o.get("data", {}).get("text/plain", "")) for o in c.outputs) for c in nb.cells]


def test_run_all_in_a_kernel(tmp_path):
    said = notebook("import nnbook.running, importlib; importlib.reload(nnbook.running)",
                    "#| code-summary: 'the long run'\n#| slow\nraise RuntimeError('an hour')",
                    "#| cuda\nraise RuntimeError('no GPU')",
                    "len(get_ipython().input_transformers_cleanup)",
                    "import pathlib; pathlib.Path('results').is_dir()",
                    "%env NNBOOK_GPU=cpu", "#| cuda\nimport os\nos.environ['NNBOOK_GPU']", folder=tmp_path)
    assert 'delete its line "#| slow"' in said[1] and "needs a GPU" in said[2] and said[4] == "True" and said[6] == "'cpu'"
    assert int(said[3]) == len(InteractiveShell.instance().input_transformers_cleanup) + 1, "installed once"


# -- results

def test_stored_results_are_the_readers_own_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert set(stored("07_mnist1d")) == {"logistic regression", "network, 100 + 100"}
    (tmp_path / "results").mkdir()
    (tmp_path / "results/07_mnist1d.json").write_text("[1]")
    assert stored("07_mnist1d") == [1]
    with pytest.raises(FileNotFoundError, match="no results 'nonsense'.*07_mnist1d"):
        stored("nonsense")


def test_every_stored_result_is_used():
    "By its chapter, through `stored`, so that a notebook without the repository finds it."
    code = "\n".join(c.source for p in NOTEBOOKS for c in read(p).cells if c.cell_type == "code")
    unused = [p.stem for p in (ROOT / "nnbook/_results").glob("*.json") if f'stored("{p.stem}")' not in code]
    assert unused == []
    reads = [c.source[:80] for p in NOTEBOOKS for c in read(p).cells if c.cell_type == "code" and kind(c) != "slow" and 'Path("results/' in c.source]
    assert reads == [], "ordinary cells call stored(name)"


# -- the first cell

def test_every_notebook_that_runs_begins_alike():
    "In Colab it installs the library, elsewhere it says how; from the repository, under the name and with the extras that exist."
    first = {}
    for path in NOTEBOOKS:
        nb = read(path)
        code = [c for c in nb.cells if c.cell_type == "code" and not c.source.startswith("#| default_exp")]
        if any("nnbook" in c.source for c in code):
            first.setdefault(code[0].source, []).append(path.name)
        assert nb.metadata["kernelspec"]["name"] == "python3", f"{path.name} would ask which kernel to take"
    assert len(first) == 1, {k[:60]: v for k, v in first.items()}
    (opening,) = first
    assert "import nnbook.running" in opening and opening.startswith("#| hide\n")
    settings = (ROOT / "settings.ini").read_text()
    (repository,) = [line.partition("=")[2].strip() for line in settings.splitlines() if line.startswith("repo_url")]
    assert f"git+{repository}" in opening
    for extra in opening.partition("nnbook[")[2].partition("]")[0].split(","):
        assert f"\n{extra} = " in settings


def test_the_first_cell_says_how_to_install_where_the_library_is_missing(tmp_path):
    opening = next(c.source for c in read(ROOT / "nbs/01_neuron.ipynb").cells if c.source.startswith("#| hide"))
    code = f"import sys; sys.modules['nnbook'] = None\n{opening}"
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode and "pip install" in done.stderr and "git+https" in done.stderr


# -- a reader's copy

def test_a_copy_follows_the_book_until_it_is_written_in(tmp_path, monkeypatch):
    (tmp_path / "nbs").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("01_a.ipynb", "02_b.ipynb"):
        (tmp_path / "nbs" / name).write_text("book")
    mine = tmp_path / "lab"
    assert lab.refresh(mine) == [] and (mine / "01_a.ipynb").read_text() == "book"
    (mine / "01_a.ipynb").write_text("mine")
    assert lab.refresh(mine) == [], "the book has not changed"
    for name in ("01_a.ipynb", "02_b.ipynb"):
        (tmp_path / "nbs" / name).write_text("book, second edition")
    assert lab.refresh(mine) == ["01_a.ipynb"]
    assert (mine / "01_a.ipynb").read_text() == "mine" and (mine / "02_b.ipynb").read_text() == "book, second edition"
    (mine / "02_b.ipynb").unlink()
    (mine / lab.LIST).write_text("{")                     # as a killed write would leave it
    assert lab.refresh(mine) == ["01_a.ipynb"] and (mine / "02_b.ipynb").exists() and (mine / "01_a.ipynb").read_text() == "mine"


# -- a real JupyterLab

@pytest.fixture
def jupyterlab(tmp_path):
    "The address of a running JupyterLab over a copy of one chapter, and the folder."
    shutil.copy(ROOT / "nbs/01_neuron.ipynb", tmp_path)
    port = 18_000 + os.getpid() % 2000
    settings = tmp_path / ".config"
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}", "--port-retries=0", "--IdentityProvider.token=", "--ServerApp.password=",
               "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    environment = PLAIN | {"JUPYTER_CONFIG_DIR": str(settings), "JUPYTER_DATA_DIR": str(settings / "data"), "JUPYTER_RUNTIME_DIR": str(settings / "runtime"), "HOME": str(settings)}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status", timeout=5).read()
                break
            except OSError:
                assert server.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}", tmp_path
    finally:
        server.terminate()
        server.wait(20)


@pytest.mark.browser
def test_a_chapter_in_jupyterlab(jupyterlab):
    "It opens without a question; Run All comes to its end without an error; a slider moves its figure; an exercise is graded."
    address, folder = jupyterlab
    _, name, _, solution, _ = BY_NAME["neuron.1"]
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(120_000)

        def status(want: str) -> None:
            page.wait_for_selector(f".jp-Notebook-ExecutionIndicator[data-status={want}]", timeout=240_000 if want == "busy" else 400_000)

        page.goto(f"{address}/lab/tree/01_neuron.ipynb?reset")
        status("idle")
        assert page.locator(".jp-Dialog").count() == 0, "the notebook names its kernel"
        page.wait_for_timeout(1000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.wait_for_timeout(500)
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        status("busy")
        while True:                                          # between two cells it may look idle
            status("idle")
            page.wait_for_timeout(2000)
            if page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").count():
                break

        page.keyboard.press("Escape")                        # a cell of the reader's own, at the end
        page.keyboard.press("b")
        page.keyboard.press("Enter")
        page.keyboard.insert_text(f'{solution}\ncheck("neuron.1", {name})')
        page.keyboard.press("Control+Enter")
        page.get_by_text("✓ neuron.1: correct").wait_for()

        knob = page.get_by_role("slider").first
        knob.scroll_into_view_if_needed()
        output = page.locator(".jp-Cell-outputArea", has=page.get_by_role("slider")).first
        before = output.inner_html()
        knob.press("ArrowRight")
        page.wait_for_function("([e, before]) => e.innerHTML.replace(/aria-[^ ]*|style=.[^\"]*./g, '') !== before.replace(/aria-[^ ]*|style=.[^\"]*./g, '')",
                               arg=[output.element_handle(), before])
        page.keyboard.press("Control+s")
        page.wait_for_timeout(2000)
    saved = json.loads((folder / "01_neuron.ipynb").read_text())
    errors = [o for c in saved["cells"] if c["cell_type"] == "code" for o in c["outputs"] if o["output_type"] == "error"]
    counts = [c["execution_count"] for c in saved["cells"] if c["cell_type"] == "code" and "".join(c["source"]).strip()]
    assert errors == [] and None not in counts

"What the README shows works as shown."

import re
import subprocess
import sys

from conftest import ROOT

README = (ROOT / "README.md").read_text()


def test_the_library_in_ten_lines_runs():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert float(re.search(r"correct: ([\d.]+)", run.stdout)[1]) > 0.95


def test_its_commands_and_files_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    links = re.findall(r"\]\(([^)#]+)\)", README)
    here = re.compile(r"https://(?:github\.com/nnbook/nnbook/blob|raw\.githubusercontent\.com/nnbook/nnbook)/main/")
    assert [link for link in links if not link.startswith("https://")] == [], "a package index shows the README elsewhere"
    for link in filter(here.match, links):
        assert (ROOT / here.sub("", link)).exists(), link


def test_numbers_of_examples_in_comments_are_right():
    from nnbook.data import penguins
    assert len(penguins()) == 344

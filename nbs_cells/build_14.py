"""Build nbs/14_tokenizer.ipynb from the page and the cells of its other authors: `python nbs_cells/build_14.py`.

In 14_page.py a line `# %% include SOURCE: TEXT` stands for the one cell of SOURCE that contains TEXT; `TEXT ... TEXT2` for all from the one to the other.
A source is a notebook or a file of a branch (`git show`), or `page`: 14_cells.py. Prints the cells that no marker has taken.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HERE, NOTEBOOK, SCRATCH = ROOT / "nbs_cells", ROOT / "nbs/14_tokenizer.ipynb", Path("/tmp/tpage")
JUPYTEXT = [ROOT / ".venv/bin/jupytext", "--quiet"]
SOURCES = {"base": ("HEAD", "nbs/14_tokenizer.ipynb"), "tlib": ("tlib", "nbs/14_tokenizer.ipynb"), "temb": ("temb", "nbs/14_tokenizer.ipynb"),
           "embx": ("temb", "nbs_cells/14_emb.py"), "embq": ("temb", "nbs_cells/14_emb_exercise.py"), "texp": ("texp", "nbs_cells/14_exp.py")}


CHANGED = [                                                       # source, cell, old, new
    ("temb", "imports for word embeddings", "import re\n", ""),
    ("texp", "words never seen, the table", "for w in words({", "for w in words_of({"),
    ("embx", "the long run: skip-gram on counts, over dimensions", "over dimensions; and on a text whose words were shuffled", "of the plays and of shuffled ones"),
    ("embx", "families = {", "# %%\nfamilies", '# %%\n#| code-summary: "the pairs"\n#| code-fold: true\nfamilies'),
    ("texp", "how numbers are cut", """sources = [inspect.getsource(importlib.import_module(name)) for name in
           (""", """folder = Path(inspect.getsourcefile(json)).parents[1]
sources = [(folder / name.replace(".", "/")).with_suffix(".py").read_text("utf-8") for name in
           ("""),
    ("texp", "how numbers are cut", '"threading", "turtle", "typing"', '"threading", "typing"'),
]


def cells(text: str) -> list[str]:
    "A file in py:percent, cut before each `# %%`, without its header."
    parts = re.split(r"^(?=# %%)", text, flags=re.M)[1:]
    return [re.sub(r"^# %%(?! \[markdown\]| include).*\n", "# %%\n", part).rstrip() + "\n\n" for part in parts]


def source(name: str) -> list[str]:
    if name == "page": return cells((HERE / "14_cells.py").read_text())
    branch, path = SOURCES[name]
    if branch == "FILE": return cells(Path(path).read_text())
    shown = subprocess.run(["git", "show", f"{branch}:{path}"], capture_output=True, text=True, cwd=ROOT)
    if shown.returncode: return []
    if path.endswith(".ipynb"):
        at = SCRATCH / f"{name}.ipynb"
        at.write_text(shown.stdout)
        subprocess.run([*JUPYTEXT, "--to", "py:percent", "--output", at.with_suffix(".src.py"), at], check=True)
        return cells(at.with_suffix(".src.py").read_text())
    return cells(shown.stdout)


def main() -> None:
    known = {name: source(name) for name in [*SOURCES, "page"]}
    left, built = {name: set(range(len(cs))) for name, cs in known.items()}, []
    text = re.sub(r"^# %% include file: (\w+)$", lambda found: (HERE / f"{found[1]}.py").read_text(), (HERE / "14_page.py").read_text(), flags=re.M)
    for cell in cells(text):
        marker = re.match(r"# %% include (\w+): (.*)", cell)
        if not marker:
            built.append(cell)
            continue
        name, wanted = marker[1], marker[2].strip().replace('\\\\"', '"').split(" ... ")
        at = [next((i for i, c in enumerate(known[name]) if text.strip("\"") in c), None) for text in wanted]
        if None in at:
            print(f"missing: {cell.strip()}")
            continue
        taken = range(at[0], at[-1] + 1)
        if double := [i for i in taken if i not in left[name]]: print(f"twice: {cell.strip()} {double}")
        left[name] -= set(taken)
        for i in taken:
            text = known[name][i]
            for where, which, old, new in CHANGED:
                if where == name and which in text:
                    if text.count(old) != 1: print(f"not once in {which}: {old!r}")
                    text = text.replace(old, new)
            built.append(text)
    for name, rest in left.items():
        for i in sorted(rest):
            print(f"left out of {name}: {known[name][i][:110]!r}")
    page = SCRATCH / "14_built.py"
    base = SCRATCH / "base_head.py"
    subprocess.run([*JUPYTEXT, "--to", "py:percent", "--output", base, NOTEBOOK], check=True)
    header = base.read_text().split("# %%")[0]
    page.write_text(header + "".join(built))
    subprocess.run([*JUPYTEXT, "--update", "--to", "ipynb", "--output", NOTEBOOK, page], check=True)
    subprocess.run([sys.executable, "-m", "tools.run", "--fold", "14"], check=False, cwd=ROOT)


if __name__ == "__main__": main()

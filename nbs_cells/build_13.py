"""Puts nbs/13_attention.ipynb together: the page's text, the library's cells, the experiments' cells. Run again, it changes nothing.

python nbs_cells/build_13.py [--lib REF] [--cells NAME=REF ...]

--lib: where the library's cells come from, such as `alib` (a branch); the notebook as it is, by default.
--cells exp=aexp: nbs_cells/13_exp.py as it is in that branch; the file in the working tree, by default.
A line `# %% [insert NAME] REGEX` of 13_page.py stands for the one cell of NAME whose source matches (`REGEX ||| summary` folds it under that summary).
Cells whose source is unchanged keep id, outputs and metadata; changed ones keep the id of the cell that they resemble most.
"""

import argparse
import difflib
import hashlib
import re
import subprocess
from pathlib import Path

import jupytext
import nbformat

ROOT, NOTEBOOK = Path(__file__).parents[1], "nbs/13_attention.ipynb"


def at(ref: str | None, path: str) -> str | None:
    "A file's text in a branch, or in the working tree."
    if ref is None: return (ROOT / path).read_text() if (ROOT / path).exists() else None
    done = subprocess.run(["git", "show", f"{ref}:{path}"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


def cells_of(text: str) -> list:
    return jupytext.reads(text, fmt="py:percent").cells


def chosen(pool: list, pattern: str, used: set):
    "The first cell not used yet that matches."
    for i, cell in enumerate(pool):
        if i not in used and re.search(pattern, cell.source, re.M):
            used.add(i)
            return cell


def adapted(name: str, cell):
    "In the chapter `softmax` is the engine's; that of arrays has its module's name."
    source = re.sub(r"(?<![\w.])softmax\(", "activations.softmax(", cell.source) if name == "exp" else cell.source
    if name == "seq":                                          # in the chapter the bare names are those of the engine's layers
        source = re.sub(r"(?<![\w.])(Embedding|Linear)\(", r"twin_layers.\1(", re.sub(r"(?<![\w.])MultiHeadAttention\(", "twins.MultiHeadAttention(", source))
    if name == "lib":                                          # what checks arguments is imported in the folded cell
        source = re.sub(r"\nfrom nnbook\.layers import _as_input.*", "", source)
        source = re.sub(r"(\nfrom nnbook\.layers import Linear, Module, Parameter, )(?!_as)(.*)", r"\1_as_input, _real, _switch, _whole, \2", source)
    return nbformat.from_dict({**cell, "source": source})


def folded(cell, summary: str):
    "A cell that stands closed under a summary."
    source = re.sub(r"^#\| code-(fold|summary):.*\n", "", cell.source, flags=re.M)
    return nbformat.from_dict({**cell, "source": f'#| code-summary: "{summary}"\n#| code-fold: true\n{source}', "metadata": {**cell.metadata, "jupyter": {"source_hidden": True}}})


def assembled(page: str, pools: dict) -> tuple[list, list]:
    "The cells in order, and what is missing or left."
    cells, faults, used = [], [], {name: set() for name in pools}
    for part in re.split(r"(?m)^(?=# %%)", page)[1:]:
        found = re.match(r"# %% \[insert (\w+)\] (.*)\n", part)
        if not found:
            cells += cells_of(part)
            continue
        name, (pattern, *summary) = found[1], found[2].strip().split(" ||| ")
        cell = chosen(pools.get(name, []), pattern, used.setdefault(name, set()))
        if cell is not None: cell = adapted(name, cell)
        if cell is None: faults.append(f"missing: {name} {pattern}")
        else: cells.append(folded(cell, summary[0]) if summary else cell)
    for name, pool in pools.items():
        faults += [f"left: {name} {cell.source[:90]!r}" for i, cell in enumerate(pool) if i not in used[name] and (name != "lib" or re.search(r"^#\| *export(?! checkers)", cell.source, re.M))]
    return cells, faults


def with_ids(cells: list, old: list) -> list:
    "New cells, with ids, outputs and metadata of the old ones that they are."
    free = list(old)
    def take(match):
        found = next((c for c in free if match(c)), None)
        if found is not None: free.remove(found)
        return found
    code = lambda c: re.sub(r"^#\| code-(fold|summary):.*\n", "", c.source, flags=re.M)
    twins = [take(lambda c, new=new: c.cell_type == new.cell_type and code(c) == code(new)) for new in cells]
    for k, new in enumerate(cells):
        if twins[k] is not None: continue
        near = [(difflib.SequenceMatcher(None, c.source, new.source, autojunk=False).quick_ratio(), c) for c in free if c.cell_type == new.cell_type]
        best = max(near, key=lambda pair: pair[0], default=(0, None))
        if best[0] > 0.8 and difflib.SequenceMatcher(None, best[1].source, new.source, autojunk=False).ratio() > 0.6:
            free.remove(best[1])
            twins[k] = nbformat.from_dict({**best[1], **({"outputs": [], "execution_count": None} if new.cell_type == "code" else {})})
    taken, done = set(), []
    for new, twin in zip(cells, twins):
        if twin is not None: one = nbformat.from_dict({**twin, "source": new.source})
        else: one = nbformat.from_dict({**new, "id": hashlib.sha256(new.source.encode()).hexdigest()[:8]})
        hidden = {k: v for k, v in one.metadata.items() if k != "jupyter"}
        one.metadata = {**hidden, **({"jupyter": new.metadata["jupyter"]} if "jupyter" in new.metadata else {})}
        while one.id in taken: one.id = hashlib.sha256(one.id.encode()).hexdigest()[:8]
        taken.add(one.id)
        done.append(one)
    return done


def main() -> None:
    ask = argparse.ArgumentParser()
    ask.add_argument("--lib")
    ask.add_argument("--cells", nargs="*", default=[])
    given = ask.parse_args()
    refs = dict(pair.split("=") for pair in given.cells)
    old = nbformat.reads(at(None, NOTEBOOK) or at(given.lib, NOTEBOOK), 4)
    library = nbformat.reads(at(given.lib, NOTEBOOK), 4)
    pools = {"lib": [c for c in library.cells if c.cell_type == "code"]}
    for name in ("exp", "seq", "gpu"):
        text = at(refs.get(name), f"nbs_cells/13_{name}.py")
        pools[name] = [c for c in cells_of(text) if c.cell_type == "code"] if text else []
    cells, faults = assembled(at(None, "nbs_cells/13_page.py"), pools)
    old.cells = with_ids(cells, [*old.cells, *(c for c in library.cells if c.id not in {o.id for o in old.cells})])
    nbformat.validate(old)
    (ROOT / NOTEBOOK).write_text(nbformat.writes(old) + "\n")
    subprocess.run([str(ROOT / ".venv/bin/python"), "-m", "tools.run", "--fold"], cwd=ROOT, check=True)
    print(*faults, f"{len(cells)} cells", sep="\n")


if __name__ == "__main__":
    main()

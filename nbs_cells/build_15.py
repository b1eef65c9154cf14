"""Build nbs/15_transformer.ipynb from 15_page.py and the cells of its other authors."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HERE, NOTEBOOK, SCRATCH = ROOT / "nbs_cells", ROOT / "nbs/15_transformer.ipynb", Path("/tmp/gpage")
JUPYTEXT = [ROOT / ".venv/bin/jupytext", "--quiet"]
CHANGED = [
    ("runs", "how the long runs learn and are measured", None, None),
]

def cells(text):
    parts = re.split(r"^(?=# %%)", text, flags=re.M)[1:]
    return [re.sub(r"^# %%(?! \[markdown\]| include).*\n", "# %%\n", part).rstrip() + "\n\n" for part in parts]

def main():
    base = SCRATCH / "glib.ipynb"
    base.write_text(subprocess.run(["git", "show", "glib:nbs/15_transformer.ipynb"], capture_output=True, text=True, cwd=ROOT).stdout)
    subprocess.run([*JUPYTEXT, "--to", "py:percent", "--output", SCRATCH / "glib.py", base], check=True)
    header = (SCRATCH / "glib.py").read_text().split("# %%")[0]
    known = {"glib": cells((SCRATCH / "glib.py").read_text()), "gpu": cells((HERE / "15_gpu.py").read_text()), "runs": cells(Path("/work/wt/gseq/nbs_cells/15_runs.py").read_text())}
    left = {n: set(range(len(c))) for n, c in known.items()}
    text = re.sub(r"^# %% include file: (\w+)$", lambda m: (HERE / f"{m[1]}.py").read_text(), (HERE / "15_page.py").read_text(), flags=re.M)
    built = []
    for cell in cells(text):
        marker = re.match(r"# %% include (\w+): (.*)", cell)
        if not marker: built.append(cell); continue
        name, wanted = marker[1], marker[2].strip().split(" ... ")
        if wanted == ["ALL"]: taken = range(len(known[name]))
        else:
            at = [next((i for i, c in enumerate(known[name]) if w in c), None) for w in wanted]
            if None in at: print("missing", cell.strip()); continue
            taken = range(at[0], at[-1] + 1)
        left[name] -= set(taken)
        for i in taken:
            t = known[name][i]
            if name == "runs":
                t = t.replace("GPTConfig(", "twins.GPTConfig(").replace("twins.twins.", "twins.")
                if "how the long runs learn" in t:
                    at = t.index("plays = data"); t = '# %%\n#| code-summary: "how the long runs learn and are measured"\n#| code-fold: true\n' + t[at:].replace("plays = data.shakespeare()\ntrain_parts, test_parts = plays.train_parts, plays.test_parts\n", "")
                    t = t.replace('modern = {"norm": "rms"', 'modern = {"norm": "rms"')
                    t = t.replace("def windows_of", "\ndef windows_of") if "\n\ndef windows_of" not in t else t
                if "the model of the zoo" in t: t = t.split("from nnbook.zoo import save_safetensors")[0].rstrip() + "\n\n"
            built.append(t)
    for name, rest in left.items():
        for i in sorted(rest): print(f"left out of {name}: {known[name][i][:90]!r}")
    page = SCRATCH / "15_built.py"
    page.write_text(header + "".join(built))
    subprocess.run([*JUPYTEXT, "--update", "--to", "ipynb", "--output", NOTEBOOK, page], check=True)
    subprocess.run([sys.executable, "-m", "tools.run", "--fold", "15"], check=False, cwd=ROOT)

main()

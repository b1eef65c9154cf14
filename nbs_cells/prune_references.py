"Drop from 99_references.ipynb the works that no notebook cites: `python nbs_cells/prune_references.py [--keep KEY ...]`. Run it when chapters 14 and 15 stand."
import json
import re
import sys
from pathlib import Path

NBS = Path(__file__).parents[1] / "nbs"
page = NBS / "99_references.ipynb"
cited = {a for p in NBS.glob("*.ipynb") for a in re.findall(r"99_references\.ipynb#([\w-]+)", p.read_text(encoding="utf-8"))} | set(sys.argv[2:])
nb = json.loads(page.read_text(encoding="utf-8"))
for cell in nb["cells"]:
    text = "".join(cell["source"])
    if "## Works cited" in text:
        head, *entries = re.split(r"^(?=- <a id=)", text, flags=re.M)
        kept = [e for e in entries if re.match(r'- <a id="([\w-]+)"', e)[1] in cited]
        print("dropped:", *(re.match(r'- <a id="([\w-]+)"', e)[1] for e in entries if e not in kept))
        cell["source"] = (head + "".join(kept)).rstrip().splitlines(keepends=True)
page.write_text(json.dumps(nb, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

"Put the entries of 13_references.md that a notebook cites into nbs/99_references.ipynb, in their places; drop those of them that none cites any more. May run again and again."

import json
import re
import unicodedata
from pathlib import Path

HERE = Path(__file__).parent
BOOK = HERE.parent / "nbs"
PAGE = BOOK / "99_references.ipynb"
ENTRY = re.compile(r'^- <a id="([\w-]+)"></a>(.+)$', re.MULTILINE)


def sort_key(text: str) -> tuple[str, str]:
    "As tests/test_references.py sorts."
    plain = unicodedata.normalize("NFKD", text.replace("Ł", "L").replace("ł", "l")).encode("ascii", "ignore").decode().casefold()
    authors, _, rest = plain.partition("(")
    return re.sub(r"[^a-z ]", "", authors).strip(), rest


new = dict(ENTRY.findall((HERE / "13_references.md").read_text(encoding="utf-8")))
cited = set()
for path in BOOK.glob("*.ipynb"):
    if path != PAGE:
        cited |= set(re.findall(r"99_references\.ipynb#([\w-]+)", path.read_text(encoding="utf-8")))
raw = PAGE.read_text(encoding="utf-8")
nb = json.loads(raw)
cell = next(c for c in nb["cells"] if "## Works cited" in "".join(c["source"]))
text = "".join(cell["source"])
head = text[: ENTRY.search(text).start()]
entries = {a: t for a, t in ENTRY.findall(text) if a not in new or a in cited}
added = [a for a in new if a in cited and a not in entries]
entries |= {a: t for a, t in new.items() if a in cited}
text = head + "\n\n".join(f'- <a id="{a}"></a>{t}' for a, t in sorted(entries.items(), key=lambda e: sort_key(e[1])))
cell["source"] = text.splitlines(keepends=True)
out = json.dumps(nb, ensure_ascii=False, indent=1) + ("\n" if raw.endswith("\n") else "")
if out != raw:
    PAGE.write_text(out, encoding="utf-8")
print("added:", ", ".join(added) or "none", "| not cited yet:", ", ".join(sorted(set(new) - cited)) or "none")

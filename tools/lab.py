"""A reader's copy of the notebooks: `python -m tools.lab [FOLDER]` makes or refreshes it, and prints its path.

A notebook that the reader has written in stays as it is; the others follow the book.
"""

import contextlib
import hashlib
import json
import shutil
import sys
from pathlib import Path

from tools.cells import NBS, find
from tools.gpu import write

LIST = ".copied.json"  # in the copy: the hash of each notebook as it was copied


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refresh(folder: Path) -> list[str]:
    "Copy the notebooks that are not there or untouched since they were copied; the names of those that changed in the book and were kept."
    folder.mkdir(parents=True, exist_ok=True)
    known, kept = {}, []
    with contextlib.suppress(FileNotFoundError, ValueError):    # the first time, or a list that was cut short
        known = json.loads((folder / LIST).read_text(encoding="utf-8"))
    for path in find([]):
        copy, book = folder / path.name, digest(path)
        if not copy.exists() or digest(copy) in (known.get(path.name), book):
            shutil.copy(path, copy)
            known[path.name] = book
        elif known.get(path.name) != book:
            kept.append(path.name)
    write(folder / LIST, known)
    return kept


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "lab")
    if folder.resolve() == NBS.resolve():
        sys.exit("name another folder: that one holds the book's own notebooks")
    for name in refresh(folder):
        print(f"{name} has changed in the book; {folder / name} has your changes and stays. Rename it, and the new one comes beside it.", file=sys.stderr)
    print(folder)


if __name__ == "__main__":
    main()

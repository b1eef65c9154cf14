"""`make test`: lint, run every notebook, run pytest; each step runs whatever the others did, and one summary closes.

That exporting changes nothing, that notebooks are clean and that their outputs are fresh are tests in `tests/`.
"""

import subprocess
import sys
import time

STEPS = {
    "lint": ["ruff", "check", "."],
    "notebooks": ["tools.run", "--check"],
    "tests": ["pytest"],
}


def main() -> None:
    results = {}
    for name, (module, *args) in STEPS.items():
        print(f"\n== {name}: python -m {module} {' '.join(args)}".rstrip(), flush=True)
        start = time.perf_counter()
        code = subprocess.run([sys.executable, "-m", module, *args]).returncode
        results[name] = code == 0
        print(f"== {name}: {'passed' if code == 0 else f'FAILED (exit {code})'} in {time.perf_counter() - start:.0f} s", flush=True)
    failed = [name for name, passed in results.items() if not passed]
    print('\nmake test: ' + ', '.join(f'{name} passed' if passed else f'{name} FAILED' for name, passed in results.items()))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

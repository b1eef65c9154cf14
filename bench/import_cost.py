"""The cost of `import nnbook` beside `import numpy`: fresh interpreters, interleaved, medians of CPU time.

The book promises a ratio of at most 1.1. Submodules load on first use, so `import nnbook.autograd` is shown too.
"""

import resource
import statistics
import subprocess
import sys

STATEMENTS = ["pass", "import numpy", "import nnbook", "import nnbook.autograd"]
ROUNDS = 15


def cpu_seconds(statement: str) -> float:
    "CPU time of a fresh interpreter that runs `statement`."
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    times = {s: [] for s in STATEMENTS}
    for _ in range(ROUNDS):
        for s in STATEMENTS:
            times[s].append(cpu_seconds(s))
    median = {s: statistics.median(t) for s, t in times.items()}
    cost = {s: median[s] - median["pass"] for s in STATEMENTS[1:]}
    print(f"Python {sys.version.split()[0]}, {ROUNDS} rounds; CPU time over that of an empty program\n")
    print(f"{'statement':28}{'ms':>8}{'ratio to import numpy':>24}")
    for s, c in cost.items():
        print(f"{s:28}{1000 * c:8.1f}{c / cost['import numpy']:24.2f}")


if __name__ == "__main__":
    main()

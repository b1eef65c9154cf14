"""What the benchmarks beside other engines share: one thread each, results that agree, interleaved rounds, fresh processes, tables.

In each round every engine runs some steps, one engine after the other, so that a busy machine slows all of them alike; the
median over the rounds of the CPU time is one measurement. Where its arrays happen to lie in memory makes a process faster
or slower by up to a third, so several fresh processes measure, and the median and the range over them are shown.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib import metadata

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ[threads] = "1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("DEV", "CPU")
os.environ.setdefault("CPU_COUNT", "1")

import numpy as np  # noqa: E402

LESS = "CPU time on one core, float32, median of fresh processes with interleaved rounds; lower is better."


def plain(result) -> np.ndarray:
    "A tensor of any engine as an array."
    for method in ("detach", "numpy"):
        result = getattr(result, method)() if hasattr(result, method) else result
    return np.asarray(getattr(result, "data", result) if type(result).__module__.startswith("mygrad") else result, dtype=np.float64)


def prepare(engines: dict, make: Callable, reference: str, rtol: float = 1e-3) -> tuple[dict, dict]:
    """The functions to time, by engine, after five calls whose results agree with those of `reference`; and why the others are missing.

    make: from an engine's class to its function; engines for which it gives None take no part.
    """
    ready, missing, results = {}, {}, {}
    for name, (engine, _) in engines.items():
        try:
            run = make(engine)
            if run is None:
                continue
            results[name] = [plain(run()) for _ in range(5)]
            ready[name] = run
        except ModuleNotFoundError as error:
            missing[name] = f"{error.name} is not installed"
        except FileNotFoundError as error:
            missing[name] = f"needs {error.filename}"
    for name, found in results.items():
        if not np.allclose(found, results[reference], rtol=rtol, atol=1e-5):
            raise SystemExit(f"{name} computes something else: {found} where {reference} has {results[reference]}")
    return ready, missing


def repeats_in(run: Callable, seconds: float = 0.1) -> int:
    "How many calls take about so long: in each round an engine finds the caches as the one before left them, and warms them again."
    start = time.process_time()
    run()
    return max(1, round(seconds / (time.process_time() - start)))


def measure(ready: dict, rounds: int, repeats: int | None = None) -> dict:
    "CPU microseconds of one call, the median over rounds, by engine; repeats: calls in a round, or as many as take a tenth of a second."
    times, calls = {name: [] for name in ready}, {name: repeats or repeats_in(run) for name, run in ready.items()}
    gc.collect()
    gc.freeze()                                    # so that no engine's garbage collector walks through the others' objects
    for _ in range(rounds):
        for name, run in ready.items():
            start = time.process_time_ns()
            for _ in range(calls[name]):
                run()
            times[name].append((time.process_time_ns() - start) / calls[name] / 1000)
    return {name: statistics.median(t) for name, t in times.items()}


def version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def row(name: str, micros: list, ratios: list) -> list[str]:
    "A row of the table, from what each process measured."
    middle = statistics.median(micros)
    return [name, f"{middle:.2f}" if middle < 10 else f"{middle:,.0f}", f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}"]


def ratios(found: list[dict], name: str, to: str) -> list[float]:
    "In each process, how many times the microseconds of `to` an engine takes."
    return [m[name] / m.get(to, float("nan")) for m in found]


def rows_of_engines(found: list[dict], engines: dict, to: str) -> list[list[str]]:
    "A row for each engine, fastest first, from {engine: microseconds} of several processes."
    names = sorted(found[0], key=lambda name: statistics.median(m[name] for m in found))
    return [row(f"{name} {version(engines[name][1])}", [m[name] for m in found], ratios(found, name, to)) for name in names]


def show(title: str, rows: list, missing: dict, markdown: bool, to: str = "PyTorch") -> None:
    head = [title, "µs", f"of {to}", "range"]
    if markdown:
        print("| " + " | ".join(head) + " |\n| --- | ---: | ---: | ---: |")
        for cells in rows:
            print("| " + " | ".join(cells) + " |")
    else:
        rows = [[cells[0].replace("*", ""), *cells[1:]] for cells in rows]
        widths = [max(len(r[i]) for r in [head, *rows]) for i in range(4)]
        for cells in [head, *rows]:
            print("  ".join(cells[i].ljust(widths[i]) if i == 0 else cells[i].rjust(widths[i]) for i in range(4)))
    for name, why in missing.items():
        print(f"\n{name}: left out, {why}.")
    print()


def main(about: str, cases: list[str], worker: Callable, tables: Callable, rounds: int) -> None:
    """The command line of a benchmark: each case is measured in fresh processes, then all are shown.

    worker: (case, rounds) -> what one process measures, for JSON. tables: ({case: measurements of all processes}, markdown), which prints.
    """
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("--markdown", action="store_true", help="print Markdown tables")
    parser.add_argument("--processes", type=int, default=5, help="fresh processes that measure (default 5)")
    parser.add_argument("--rounds", type=int, default=rounds, help=f"rounds in each (default {rounds})")
    parser.add_argument("--worker", choices=cases, help=argparse.SUPPRESS)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    if args.worker is not None:
        json.dump(worker(args.worker, args.rounds), sys.stdout)
        return
    command = [sys.executable, sys.argv[0], "--rounds", str(args.rounds), "--worker"]
    work = lambda case: json.loads(subprocess.run([*command, case], check=True, capture_output=True, text=True).stdout)
    tables({case: [work(case) for _ in range(args.processes)] for case in cases}, args.markdown)

"""Byte-pair encoding beside its peers: CPU time to learn 2,000 merges from eight plays and to encode the plays, on one core.

    python bench/tokenizer.py                 # the tables, as text
    python bench/tokenizer.py --markdown      # as Markdown, for the README
    python bench/tokenizer.py --processes 1   # shorter and noisier (default 5)

The plays are 1.1 million characters of ASCII; all use GPT-2's pre-tokenizer, and all must find the same merges and ids. nnbook is Python
and NumPy; tokenizers and tiktoken are Rust, kept to one thread. "For the first time" is by a tokenizer that has encoded nothing yet,
"again" the second time, when nnbook and tokenizers remember pre-tokens. tokenizers' `encode` also finds where each token stands in the
text; its `encode_batch_fast` does not (cut into lines or paragraphs the plays take it as long). tiktoken only encodes. Rounds and
processes as in bench/rounds.py.
"""

import gc
import json
import os
import statistics
import time

from rounds import main, version

os.environ |= {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}    # before the libraries are imported

# isort: split
import numpy as np  # after rounds, which keeps every library to one thread

VOCAB_SIZE = 2256
PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"   # tiktoken's faster way to write GPT-2's
CASES = {"learn": "2,000 merges from 1.1 MB", "first": "encode 1.1 MB for the first time", "again": "encode 1.1 MB again"}
CAVEAT = "CPU time on one core, median of fresh processes with interleaved rounds; MB/s of text; ratios are to tokenizers' time."


def plays() -> str:
    from nnbook.data import shakespeare
    return shakespeare().text


def ours():
    "The tokenizer that all peers are made from."
    from nnbook.tokenizer import BPETokenizer
    return BPETokenizer.train(plays(), VOCAB_SIZE)


# Each engine: learn(text) returns a function that learns a tokenizer; merges(learned) its merges; encoder(tokenizer) encodes a text.

class nnbook:
    "BPETokenizer."

    def learn(text):
        from nnbook.tokenizer import BPETokenizer
        return lambda: BPETokenizer.train(text, VOCAB_SIZE)

    def merges(tokenizer): return tokenizer.merges

    def encoder(tokenizer): return type(tokenizer)(tokenizer.merges).encode


class tokenizers:
    "Tokenizer with models.BPE, as `encode` is usually called."

    def learn(text):
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
        def run():
            peer = Tokenizer(models.BPE())
            peer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
            alphabet = pre_tokenizers.ByteLevel.alphabet()
            options = {"vocab_size": VOCAB_SIZE, "initial_alphabet": alphabet, "show_progress": False, "min_frequency": 2}
            peer.train_from_iterator([text], trainers.BpeTrainer(**options))
            return peer
        return run

    def merges(peer):
        from nnbook.tokenizer import _token
        return tuple(tuple(map(_token, pair)) for pair in json.loads(peer.to_str())["model"]["merges"])

    def peer(tokenizer):
        from tokenizers import Tokenizer, models, pre_tokenizers

        from nnbook.tokenizer import _symbols
        vocab = {_symbols(token): i for i, token in enumerate(tokenizer.tokens)}
        peer = Tokenizer(models.BPE(vocab=vocab, merges=[(_symbols(a), _symbols(b)) for a, b in tokenizer.merges]))
        peer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        return peer

    def encoder(tokenizer):
        peer = tokenizers.peer(tokenizer)
        return lambda text: peer.encode(text).ids


class tokenizers_fast(tokenizers):
    "encode_batch_fast, which leaves out the offsets, of the one text."
    learn = None

    def encoder(tokenizer):
        peer = tokenizers.peer(tokenizer)
        return lambda text: peer.encode_batch_fast([text])[0].ids


class tiktoken:
    "encode_ordinary, into a list."
    learn = None

    def encoder(tokenizer):
        import tiktoken
        ranks = {token: i for i, token in enumerate(tokenizer.tokens)}
        return tiktoken.Encoding("plays", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={}).encode_ordinary


ENGINES = {  # what the table says: the class, and the package whose version is printed
    "**nnbook**": (nnbook, "nnbook"), "tokenizers": (tokenizers, "tokenizers"),
    "tokenizers, encode_batch_fast": (tokenizers_fast, "tokenizers"), "tiktoken": (tiktoken, "tiktoken"),
}


def prepared(case: str, text: str) -> tuple[dict, dict]:
    "Functions that make, outside the time taken, what is to be timed, by engine; and why the others are missing."
    model, makers, missing = ours(), {}, {}
    for name, (engine, package) in ENGINES.items():
        if case == "learn" and engine.learn is None: continue
        def make(engine=engine):
            if case == "learn": return engine.learn(text)
            encode = engine.encoder(model)
            if case == "again": encode(text)
            return lambda: encode(text)
        try: found = make()()
        except ModuleNotFoundError as error:
            missing[name] = f"{error.name} is not installed"
            continue
        same = engine.merges(found) == model.merges if case == "learn" else np.array_equal(found, model.encode(text))
        if not same: raise SystemExit(f"{name} {version(package)} finds something else than nnbook")
        makers[name] = make
    return makers, missing


def worker(case: str, rounds: int) -> tuple[dict, dict]:
    "Milliseconds of CPU time by engine, the median over rounds; and the missing peers."
    text = plays()
    makers, missing = prepared(case, text)
    times = {name: [] for name in makers}
    for _ in range(rounds):
        for name, make in makers.items():
            run = make()
            gc.collect()
            start = time.process_time_ns()
            run()
            times[name].append((time.process_time_ns() - start) / 1e6)
    return {name: statistics.median(t) for name, t in times.items()}, missing


def table(title: str, found: list, markdown: bool) -> None:
    "A row for each engine, fastest first."
    runs, missing, rows = [times for times, _ in found], found[0][1], []
    for name in sorted(runs[0], key=lambda name: statistics.median(m[name] for m in runs)):
        ms, ratios = statistics.median(m[name] for m in runs), [m[name] / m.get("tokenizers", float("nan")) for m in runs]
        rows.append([f"{name} {version(ENGINES[name][1])}", f"{ms:,.0f}", f"{len(plays()) / 1000 / ms:.2f}",
                     f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}"])
    head = [title, "ms", "MB/s", "of tokenizers", "range"]
    if markdown:
        for cells in (head, ["---", *["---:"] * 4], *rows): print("| " + " | ".join(cells) + " |")
    else:
        rows = [[cells[0].replace("*", ""), *cells[1:]] for cells in rows]
        widths = [max(map(len, column)) for column in zip(head, *rows)]
        for cells in (head, *rows): print("  ".join([cells[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells[1:], widths[1:]))]))
    for name, why in missing.items(): print(f"\n{name}: left out, {why}.")
    print()


def tables(found: dict, markdown: bool) -> None:
    for case, title in CASES.items(): table(title, found[case], markdown)
    print(CAVEAT)


if __name__ == "__main__":
    main(__doc__, list(CASES), worker, tables, rounds=3)

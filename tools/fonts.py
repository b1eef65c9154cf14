"""The book's typefaces, as small web fonts: cut from pip packages to the characters that the book uses.

Source Serif 4 for text, Source Sans 3 for captions and controls, Source Code Pro for code, STIX Two Math for
mathematics; all under the SIL Open Font License. No font is kept in the repository.
"""

import hashlib
import io
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import uharfbuzz as harfbuzz
from fontTools.ttLib import TTFont


@dataclass(frozen=True)
class Face:
    "One web font: a fixed point of a variable font."

    file: str  # the web font's name
    family: str
    package: str
    source: str
    weight: int = 400
    style: str = "normal"
    size: int | None = None  # optical size, where the font has that axis


SERIF, SANS, CODE = "fontpkg_source_serif_4", "fontpkg_source_sans_3", "fontpkg_source_code_pro"
FACES = [
    Face("serif", "Source Serif 4", SERIF, "files/SourceSerif4[opsz,wght].ttf", 400, size=16),
    Face("serif-bold", "Source Serif 4", SERIF, "files/SourceSerif4[opsz,wght].ttf", 600, size=16),
    Face("serif-italic", "Source Serif 4", SERIF, "files/SourceSerif4-Italic[opsz,wght].ttf", 400, "italic", size=16),
    Face("display", "Source Serif 4 Display", SERIF, "files/SourceSerif4[opsz,wght].ttf", 420, size=48),
    Face("sans", "Source Sans 3", SANS, "files/SourceSans3[wght].ttf", 400),
    Face("sans-bold", "Source Sans 3", SANS, "files/SourceSans3[wght].ttf", 600),
    Face("code", "Source Code Pro", CODE, "files/SourceCodePro[wght].ttf", 400),
    Face("math", "STIX Two Math", "ziamath", "fonts/STIXTwoMath-Regular.ttf", 400),
]
FEATURES = ["kern", "liga", "mark", "mkmk", "ccmp", "locl", "tnum", "lnum", "onum", "ssty", "dtls", "flac"]
LATIN = {*range(0x20, 0x7F), *range(0xA0, 0x100), 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2026, 0x2192, 0x2190}
MATH_LETTERS = {*map(ord, "√‖()[]{}|⟨⟩‾′"), *range(0x391, 0x3F6), *range(0x1D434, 0x1D468), 0x210E, *range(0x1D6E2, 0x1D71C)}  # what browsers put in: radicals, fences, slanted letters


def path_of(face: Face) -> Path:
    "Where a font's package keeps it."
    spec = find_spec(face.package)
    if spec is None:
        raise ModuleNotFoundError(f"the site needs the package {face.package}; install the book's tools: pip install 'nnbook[book]'")
    return Path(spec.origin).parent / face.source


def cut(face: Face, characters: set[int]) -> bytes:
    "The font with these characters only, at the face's weight and size, as WOFF2. HarfBuzz cuts, in milliseconds; fontTools packs."
    source = harfbuzz.Face(harfbuzz.Blob.from_file_path(str(path_of(face))))
    wanted = harfbuzz.SubsetInput()
    wanted.unicode_set.update(characters)
    wanted.layout_feature_tag_set.clear()
    wanted.layout_feature_tag_set.update(int.from_bytes(tag.encode(), "big") for tag in FEATURES)
    wanted.flags |= harfbuzz.SubsetFlags.NO_HINTING
    for axis in (a.tag for a in source.axis_infos):
        wanted.pin_axis_location(source, axis, {"wght": face.weight, "opsz": face.size}[axis])
    font = TTFont(io.BytesIO(harfbuzz.subset(source, wanted).blob.data), recalcTimestamp=False)
    font.flavor = "woff2"
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def fonts(text: str, mathematics: str, cache: Path) -> dict[str, bytes]:
    "Every web font for the characters of `text` and `mathematics`, {file name: bytes}; fonts cut before come from `cache`."
    cache.mkdir(parents=True, exist_ok=True)
    out = {}
    for face in FACES:
        if face.file == "math":
            characters = {ord(c) for c in mathematics} | MATH_LETTERS | set(range(0x20, 0x7F))
        else:
            characters = {ord(c) for c in text} | LATIN
        key = hashlib.sha256(repr((face, sorted(characters), FEATURES)).encode()).hexdigest()[:16]
        file = cache / f"{face.file}-{key}.woff2"
        if not file.exists():
            file.write_bytes(cut(face, characters))
        out[f"{face.file}.woff2"] = file.read_bytes()
    return out


def css() -> str:
    "The @font-face rules."
    rule = '@font-face {{ font-family: "{0.family}"; font-weight: {0.weight}; font-style: {0.style}; font-display: swap; src: url("{0.file}.woff2") format("woff2"); }}'
    return "\n".join(rule.format(face) for face in FACES) + "\n"

"""Mathematics: TeX to MathML, all formulas of the book in one call of the pandoc that pypandoc-binary brings."""

import html
import json
import re
import subprocess
from xml.etree import ElementTree

import pypandoc

SPACING = {"\u0302": "\u02c6", "\u0303": "\u02dc", "\u203e": "\u00af"}  # accents that stand by themselves, for combining ones
SCRIPTS = {"msub", "msup", "msubsup", "munder", "mover", "munderover"}
UPRIGHT = {0x1D468 + i: 0x1D400 + i for i in range(52)}  # bold italic letters to bold ones
FORMULA = re.compile(r'<span class="math (?P<kind>inline|display)">\\[(\[](?P<tex>.*?)\\[)\]]</span>', re.S)


def formulas(page: str) -> set[tuple[str, str]]:
    "The formulas of a page, as (kind, TeX)."
    return {(m["kind"], html.unescape(m["tex"])) for m in FORMULA.finditer(page)}


def convert(wanted: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    "MathML for each (kind, TeX); ValueError names the formulas that pandoc cannot read."
    if not wanted:
        return {}
    kinds = {"inline": "InlineMath", "display": "DisplayMath"}
    blocks = [{"t": "Para", "c": [{"t": "Math", "c": [{"t": kinds[kind]}, tex]}]} for kind, tex in wanted]
    document = json.dumps({"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks})
    command = [pypandoc.get_pandoc_path(), "--from=json", "--to=html", "--mathml", "--wrap=none"]
    done = subprocess.run(command, input=document, capture_output=True, text=True, encoding="utf-8", check=True)
    if "Could not convert TeX math" in done.stderr:
        raise ValueError("pandoc cannot read these formulas:\n" + done.stderr)
    pages = re.findall(r"<p>(.*?)</p>", done.stdout, re.S)
    return {formula: clean(page) for formula, page in zip(wanted, pages, strict=True)}


def clean(page: str) -> str:
    "A formula as pandoc writes it, set as TeX would set it, and without the TeX source that pandoc repeats inside."
    page = re.sub(r"<annotation.*?</annotation>|</?semantics>", "", page, flags=re.S)
    page = page.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "").translate(UPRIGHT)
    formula = ElementTree.fromstring(page)
    for element in list(formula.iter()):
        if element.get("mathvariant") not in (None, "normal"):
            del element.attrib["mathvariant"]  # the letter itself says it
        tighten_scripts(element)
        keep_size(element)
        pair_bars(element)
        space_functions(element)
    return ElementTree.tostring(formula, encoding="unicode", short_empty_elements=False)


def tighten_scripts(element: ElementTree.Element) -> None:
    "No space around operators in subscripts and superscripts: i=1, not i = 1."
    if element.tag in SCRIPTS and element[-1].get("accent") != "true":
        for script in list(element)[1:]:
            for operator in script.iter("mo"):
                operator.attrib |= {"lspace": "0", "rspace": "0"}


def keep_size(element: ElementTree.Element) -> None:
    "Bars of a norm and accents over one letter keep their size; only \\left and \\right make bars grow."
    if element.tag == "mover" and element[1].get("accent") == "true" and element[0].tag == "mi":
        element[1].set("stretchy", "false")
        element[1].text = SPACING.get(element[1].text, element[1].text)
    if element.tag == "mo" and element.text in ("\u2016", "\u2225"):
        element.attrib |= {"stretchy": "true" if element.text == "\u2225" and element.get("stretchy") == "true" else "false", "lspace": "0", "rspace": "0"}
        element.text = "\u2016"


def pair_bars(element: ElementTree.Element) -> None:
    "Of two bars the second closes, as in |a| - b; pandoc calls both opening, and the minus would be a sign of b."
    bars = [e for e in element if e.tag == "mo" and e.text == "|" and e.get("form") == "prefix"]
    for closing in bars[1::2]:
        closing.set("form", "postfix")
        for after in list(element)[list(element).index(closing) + 1 :][:1]:
            if after.tag == "mi" and after.text in ("\u2212", "+"):
                after.tag = "mo"


def is_function(element: ElementTree.Element) -> bool:
    "Whether this is the name of a function (log, min), with its limits."
    if element.tag in SCRIPTS:
        return is_function(element[0])
    return (element.tag == "mrow" and len(element) > 1 and element[-1].text == "\u2061") or (element.tag == "mi" and len(element.text or "") > 1)


def space_functions(element: ElementTree.Element) -> None:
    "A thin space between the name of a function and a neighbor that is no operator or parenthesis."
    for i in range(len(element) - 1, -1, -1):
        if is_function(element[i]) and element.tag not in SCRIPTS:
            if i + 1 < len(element) and element[i + 1].tag != "mo":
                element.insert(i + 1, ElementTree.Element("mspace", width="0.167em"))
            if i > 0 and element[i - 1].tag != "mo":
                element.insert(i, ElementTree.Element("mspace", width="0.167em"))


def put(page: str, known: dict[tuple[str, str], str]) -> str:
    "The page with its formulas as MathML."
    return keep_together(FORMULA.sub(lambda m: known[m["kind"], html.unescape(m["tex"])], page))


def keep_together(page: str) -> str:
    "The page with what punctuates a formula on the formula's line."
    return re.sub(r'([(\[]?<math display="inline">(?:(?!</math>).)*</math>[.,;:!?)\]\u2019\u201d]+)', r'<span class="nowrap">\1</span>', page, flags=re.S)

"""The label of a figure or table at the beginning of a line: the word in any language, the number in any style."""

from __future__ import annotations

import re
from dataclasses import dataclass

LANGUAGES = {
    "figure": "figure figures fig figs figura figuras figur figuren figuur abbildung abbildungen abb bild "
    "bilder rysunek rysunki rys obrázek obrazek obr obrázok slika sl şekil sekil gambar kuva joonis "
    "hình imagen imagem фигура фиг рисунок рисунки рис малюнок мал εικόνα εικ σχήμα photo photos "
    "photograph photographs foto fotografia fotografie micrograph micrographs image images picture "
    "illustration ill map شکل شكل 図 图 圖 그림 写真 圖片 附图 รูปที่ ภาพที่",
    "scheme": "scheme schemes schema schéma schemat esquema schemata схема スキーム",
    "chart": "chart charts",
    "plate": "plate plates tafel planche",
    "graph": "graph graphs diagram diagramm graphique gráfico grafico wykres",
    "table": "table tables tab tabelle tableau tabla tabela tabella tabel tablo tabulka taulukko таблица табл 表 표",
}
WORDS = {word: kind for kind, words in LANGUAGES.items() for word in words.split()}
"""The words by which captions call a figure or table, in small letters, each with what is meant."""

ENGLISH = re.compile(
    r"(?<![^\W\d_])(?:fig(?:ure)?|photo(?:graph)?|micrograph|image|picture|illustration|ill|map|scheme|chart|plate|graph|"
    r"diagram|table)s?(?![^\W\d_])",
    re.IGNORECASE,
)
"""Those of English."""

NUMBER_FIRST = {"ábra": "figure", "kép": "figure", "attēls": "figure", "pav": "figure", "táblázat": "table"}
"""Words that stand after their number: ``1. ábra``."""

LOST_DASH = r"\se\s(?=[A-Z(])"
"""A dash behind a label that a journal's font gives as a letter: "Fig. 1 e SEM images"."""

COMMON = frozenset(
    [
        "image",
        "images",
        "picture",
        "photo",
        "photos",
        "map",
        "illustration",
        "ill",
        "bild",
        "bilder",
        "sl",
        "tab",
        "diagram",
        "plate",
    ]
)
"""Words that begin sentences too: a label only where a sign stands after the number."""

QUALIFIERS = {
    "s": r"(?:(?:electronic|online)\s)?suppl(?:ementa(?:ry|l)|ement)?\.?(?:\s(?:information|material|data))?"
    r"|supp\.|supporting(?:\sinformation)?|esi|additional(?:\sfile\s\d{1,2}:)?",
    "e": r"extended[\s-]?data",
    "a": r"appendix|annex|anhang",
}
"""What may stand before the word; the key goes before the number where labels are compared."""

_SIGN = r"[.:\-–—．]"
_NUMBER = (
    r"(?:(?:[Nn](?:o|r)\b\.?|[Nn]°|№|\#)\s?)?(?P<open>[(（\[])?\s?"
    r"(?P<number>(?:S|ED)?[A-Z]?\.?\s?\d{1,4}(?:[-–.]\d{1,3}){0,3}|[IVX]{1,6}(?![\w]))"
)
_AFTER = (
    r"(?P<more>[A-Za-z](?:\s?[,&–-]\s?[a-z](?![\w])){0,8}(?!\w)|\s(?:and|to|und|&)\s\d{1,3}[a-z]?(?!\w)"
    r"|(?:,\s?\d{1,3}){1,4}(?!\w)|(?!\w)|(?=[A-Z][A-Za-z]|[\u3040-\u9fff\uac00-\ud7a3]))"
)


def _any(words: list[str]) -> str:
    return "|".join(sorted((re.escape(word) for word in words), key=len, reverse=True))


_SPACED = _any([" ".join(word.upper()) for word in ("figure", "fig", "scheme", "table", "plate", "chart")]).replace(
    r"\ ", r"\s"
)
_LATIN = _any([word for word in WORDS if ord(word[0]) < 0x2FFF])
_SCRIPT = _any([word for word in WORDS if ord(word[0]) >= 0x2FFF])
_BEFORE = "".join(rf"(?P<q{key}>(?:{form})\s)?" for key, form in QUALIFIERS.items())
LABEL = re.compile(
    rf"\W{{0,2}}(?P<label>{_BEFORE}(?:第\s?)?"
    rf"(?:(?P<word>{_LATIN})(?![^\W\d_])|(?P<spaced>{_SPACED})|(?P<script>{_SCRIPT}))"
    rf"\s?{_SIGN}?\s?{_NUMBER}{_AFTER})",
    re.IGNORECASE,
)
_NUMBER_FIRST = re.compile(
    rf"\W{{0,2}}(?P<label>(?P<number>\d{{1,3}})\s?\.?\s(?P<word>{_any(list(NUMBER_FIRST))})(?![^\W\d_])\.?)",
    re.IGNORECASE,
)

LOOKALIKES = dict(
    zip("figurescmh", ("PET£lI|1[", "l1I!|íìj", "q9ğ", "vnü", "nt", "coé", "5", "eo", "rn", "b"), strict=True)
)
"""Signs that print is misread for, by the right one."""
_MISREAD = {
    word: re.compile(
        r"\W{0,2}(?P<label>(?P<word>"
        + "".join(f"[{re.escape(sign + sign.upper() + LOOKALIKES.get(sign, ''))}]" for sign in word)
        + r")(?P<sign>[.,:]?)\s?(?P<number>[\dlIO|]{1,3})(?:(?!\w)|(?<=\d)(?=[A-Z][a-z])))"
    )
    for word in ("figure", "scheme", "fig")
}
_FRAMED = re.compile(r"\s?(?:[.:]|[-–—]{1,3})\s?[A-Z(]")
"""What stands behind a number that ends a label."""
_TWO_AS_ONE = re.compile(r"\W{0,2}[RH]g[.,]\s?(?P<number>\d{1,2})(?=\s?(?:[.:]|[-–—]{1,3})\s?[A-Z(])")
"""``Fi`` read as one sign: "Rg. 4---Comparison"."""

UNKNOWN = re.compile(r"\W{0,2}(?P<label>[^\W\d_]{2,14}\.?\s?(?:№\s?)?\d{1,3}[a-z]?)\s?[.:|│–—](?=\s?[^\W\d_(])")
"""What looks like a caption's beginning in a language that is not known here."""


QUOTED_LABEL = re.compile(
    r"^\s*(?:figs|figure|fig|図|图|圖|スキーム|scheme|chart|plate|graph)\b\.?\s*(?:(?P<number>S?\d+)(?:[a-z]\b)?|[a-z]\b)?"
    r"\s*[.:|]?\s*",
    re.IGNORECASE,
)
"""The label at the beginning of a caption that was copied by hand: any case, perhaps without a number."""


@dataclass(frozen=True)
class Label:
    """A label as a line begins with it.

    Attributes:
        text: as printed, misread signs mended, without the sign after it.
        word: ``figure``, ``scheme``, ``chart``, ``plate``, ``graph`` or ``table``.
        number: for comparison: small letters, ``s1`` for the first one of a supplement.
        end: where it ends in the line.
        plain: a capital begins it, its word begins no sentences, and nothing had to be mended.
    """

    text: str
    word: str
    number: str
    end: int
    plain: bool

    @property
    def english(self) -> bool:
        """Whether its word is one of English."""
        return ENGLISH.search(self.text) is not None


def read_label(text: str) -> Label | None:
    """The label at the beginning of a line; None where there is none. The first 80 characters are looked at."""
    text = re.sub(r"(?<=[\dlIO|])_(?=\s?[A-Z(][^.]*\s)", "—", text[:80])  # as OCR reads a dash
    match = LABEL.match(text)
    if match is None:
        return _number_first(text) or _misread(text)
    printed, end = match["label"], match.end()
    if match["open"]:
        closing = re.compile(r"\s?[)）\]]").match(text, end)
        if closing is None:
            return None
        printed, end = text[match.start("label") : closing.end()], closing.end()
    word = match["word"] or re.sub(r"\s", "", match["spaced"] or "") or match["script"]
    if match["spaced"]:
        printed = printed.replace(match["spaced"], word)
    number = match["number"]
    if number[0].isalpha() and not number[0].isupper():
        return None  # "figure a.1", "fig. i": a sentence
    beginning = match["label"][0]
    if match["word"] and not (word[0].isupper() or beginning.isupper() or word.islower()):
        return None
    prefix = next((key for key in QUALIFIERS if match[f"q{key}"]), "")
    compared = re.sub(r"[\s.]+$|\s", "", number + (match["more"] or "")).lower().replace("–", "-")
    compared = compared if compared.startswith(prefix) else prefix + compared
    plain = not beginning.islower() and word.lower() not in COMMON
    return Label(" ".join(printed.split()), WORDS[word.lower()], compared, end, plain)


def _number_first(text: str) -> Label | None:
    match = _NUMBER_FIRST.match(text)
    if match is None:
        return None
    return Label(match["label"].rstrip("."), NUMBER_FIRST[match["word"].lower()], match["number"], match.end(), True)


def _misread(text: str) -> Label | None:
    """A label of which a letter or two were misread, and a number with letters that look like its digits."""
    if match := _TWO_AS_ONE.match(text):
        return Label(f"Fig. {match['number']}", "figure", match["number"], match.end(), False)
    for word, pattern in _MISREAD.items():
        match = pattern.match(text)
        if match is None:
            continue
        wrong = sum(sign.lower() != right for sign, right in zip(match["word"], word, strict=True))
        number = match["number"].translate(str.maketrans("lI|O", "1110"))
        capital = match["word"][0].isupper() or match["word"][0] == "£"
        framed = match["sign"] and _FRAMED.match(text, match.end())  # "lig. 3. SEM", no ligand
        if wrong > len(word) // 3 or not (capital or (match["word"][0] in "l|1[" and framed)):
            continue
        if (wrong == 0 and match["number"] == number and match["sign"] != ",") or (
            match["number"] == "S" and not framed
        ):
            continue
        sign = "." if match["sign"] == "," else match["sign"]
        return Label(f"{word.capitalize()}{sign} {number}", WORDS[word], number, match.end(), False)
    return None


def is_label_alone(text: str) -> bool:
    """Whether a line holds a label, a table's too, and nothing else."""
    label = read_label(text) if len(text) < 40 else None
    return label is not None and not text[label.end :].strip(" .:|–—")

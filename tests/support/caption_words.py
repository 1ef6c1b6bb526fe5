"""Captions in words: labels in many languages and styles, and the notations that set panels apart."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

LABEL_WORDS = (
    *("Figure", "Fig.", "Fig", "FIGURE", "FIG.", "Scheme", "Chart", "Plate", "Photo", "Micrograph"),
    *("Figura", "Abb.", "Abbildung", "Bild", "Rys.", "Obr.", "Şekil", "Gambar", "Figur", "Figuur", "Рис.", "Рисунок"),
    *("그림", "図", "图", "圖", "スキーム", "Slika", "Kuva", "Hình", "Εικόνα"),
    *("Supplementary Figure", "Supplementary Fig.", "Extended Data Fig.", "Supporting Information Figure"),
    *("Appendix Figure", "Supplemental Figure", "Suppl. Fig."),
)
NUMBERS = ("1", "2", "12", "S3", "A.1", "7-26", "2.4", "3a", "10a, b", "IV", "1B", "(1)", "No. 1")
SIGNS = (". ", ": ", " | ", " – ", ".", ") ")[:4]
WORDS = (
    "SEM images of the blends",
    "Micrographs of PP/PA6",
    "TEM image of the fracture surface",
    "Surfaces after etching",
)

MISREAD = (
    ("Flgure 3. ", "Figure 3"),
    ("F1gure 3. ", "Figure 3"),
    ("Figurc 3: ", "Figure 3"),
    ("Fiqure 3. ", "Figure 3"),
    ("F1g. 3. ", "Fig. 3"),
    ("Flg. 3. ", "Fig. 3"),
    ("Fig. l. ", "Fig. 1"),
    ("Fiq. 3. ", "Fig. 3"),
    ("F I G U R E 3 ", "FIGURE 3"),
    ("F I G. 3. ", "FIG. 3"),
)

PARTS = ("neat PP", "PP/PA6 90/10", "PP/PA6 80/20 with 5% SEBS", "the film after 2 h at 120 °C", "PLA", "PBAT")


@dataclass(frozen=True)
class PanelWords:
    """A caption and what it says of each panel."""

    caption: str
    panels: tuple[tuple[str, str], ...]


ALPHABETS = {
    "small": list("abcdef"),
    "capital": list("ABCDEF"),
    "cyrillic": list("абвгде"),
    "number": list("123456"),
    "roman": ["i", "ii", "iii", "iv", "v", "vi"],
    "numbered": ["a1", "a2", "b1", "b2", "c1", "c2"],
    "primed": ["a", "a'", "b", "b'", "c", "c'"],
}

NOTATIONS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    # between the panels, before and after each, the end; and the alphabets in which it is used
    "(a) words; ": ("; ", "({l}) {w}", ".", tuple(ALPHABETS)),
    "(a) words, ": (", ", "({l}) {w}", ".", ("small", "capital", "cyrillic")),
    "(a) Words. ": (". ", "({l}) {W}", ".", ("small", "capital")),
    "（a）words；": ("；", "（{l}）{w}", "。", ("small", "capital")),
    "[a] words; ": ("; ", "[{l}] {w}", ".", ("small", "capital", "cyrillic")),
    "a) words, ": (", ", "{l}) {w}", ".", ("small", "capital", "number")),
    "a – words; ": ("; ", "{l} – {w}", ".", ("small", "capital", "cyrillic")),
    "a/ words, ": (", ", "{l}/ {w}", ".", ("small",)),
    "a: words; ": ("; ", "{l}: {w}", ".", ("small", "capital", "cyrillic", "number")),
    "a, Words. ": (". ", "{l}, {W}", ".", ("small", "capital")),
    "a Words. ": (". ", "{l} {W}", ".", ("small",)),
    "a. words; ": ("; ", "{l}. {w}", ".", ("small",)),
    "words (a), ": (", ", "{w} ({l})", ".", ("small", "capital", "cyrillic", "number", "numbered")),
}


def panel_words(rng: random.Random, notation: str, alphabet: str, count: int, label: str = "Figure 1. ") -> PanelWords:
    """A caption of so many panels in a notation."""
    joint, form, end, _ = NOTATIONS[notation]
    letters, parts = ALPHABETS[alphabet][:count], rng.sample(PARTS, count)
    said = [
        form.format(l=letter, w=part, W=part[0].upper() + part[1:]) for letter, part in zip(letters, parts, strict=True)
    ]
    stem = "SEM images of" if notation.startswith("words") else "SEM images of the samples"
    sign = " " if notation.startswith("words") else ". " if "Words" in notation else ": "
    shown = [part[0].upper() + part[1:] if "W}" in form else part for part in parts]
    return PanelWords(f"{label}{stem}{sign}{joint.join(said)}{end}", tuple(zip(letters, shown, strict=True)))


def ranged(letters: Sequence[str], dash: str) -> str:
    """``a-c`` with a sign of range or list."""
    return f"{letters[0]}{dash}{letters[-1]}"

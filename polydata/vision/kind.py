"""What a figure or panel shows, by its pixels and by the words of its caption."""

from __future__ import annotations

import re

from polydata.choices import Kind
from polydata.vision.measures import PixelStats, Rgb, measure
from polydata.vision.micrograph import likeness

MICROSCOPY = re.compile(
    r"\b(?:micrographs?|photomicrographs?|microscop\w+|FE-?SEM|SEMs?|TEMs?|HR-?TEM|STEM|ESEM|AFM|POM|PLM|CLSM|OM|"
    r"fractographs?|fracture[d]? surfaces?|cryo-?fractur\w+|morpholog\w+|spherulit\w+|crossed polar\w+|"
    r"polari[sz]ed (?:light|optical)|magnifications?)\b",
    re.IGNORECASE,
)
PHOTO = re.compile(r"\b(?:photographs?|photographic|photos?|digital (?:image|picture)s?|camera)\b", re.IGNORECASE)
SPECTRUM = re.compile(
    r"(?:spectr(?:um|a|al|oscop\w+)|\bNMR\b|\bFT-?IR\b|\bIR\b|\bUV\b|\bXRD\b|\bWAX[SD]\b|\bSAX[SD]\b|\bXPS\b|\bRaman\b|"
    r"diffract\w+|chromatogra\w+|\bMALDI\b|\bGPC (?:curve|trace)s?)",
    re.IGNORECASE,
)
SCHEME = re.compile(
    r"\b(?:schem(?:e|es|atic|atically)|synthe(?:sis|tic)|structures?|routes?|reactions?|mechanisms?|preparation|"
    r"illustrations?|diagram of|set-?up|conceptual|model of|molecular|flow ?chart|overview|architecture)\b",
    re.IGNORECASE,
)

MICROGRAPH_WHITE = 0.4
MICROGRAPH_TEXTURE = 0.4
"""A picture with less white ground and more texture than this is a photograph of some sort."""

PHOTO_COLOUR = 0.02
"""Grey "photographs" of materials papers are nearly always micrographs; those of objects are coloured."""

MIXED_TEXTURE = 0.07
MIXED_LEVELS = 0.7
"""Drawings with photographs among them: texture on some of the area and nearly all grey levels in use."""


def is_picture(stats: PixelStats) -> bool:
    """Whether pixels alone say photograph or micrograph and not drawing."""
    return stats.white < MICROGRAPH_WHITE and stats.textured > MICROGRAPH_TEXTURE


MODEL_SIDE = 48
"""Smaller pictures are not shown to the model."""

WORTH_A_LOOK = 0.15
"""A picture with texture on less of its area than this is a drawing for sure."""

TOLD = 1.5
"""Log-odds that a caption which speaks of microscopy adds to what the pixels say: enough to decide where these
hesitate, too little to turn a clear drawing into a micrograph."""


def kind_of_picture(rgb: Rgb, caption: str | None, word: str | None = None) -> Kind:
    """The kind of a figure or panel, by a trained model wherever simple shares leave a doubt.

    Drawings on grey or yellow paper and shaded ones have little white ground and some texture; micrographs in
    transmission have much white. The model, which is slower, measures against the picture's own ground.

    Args:
        rgb: rows x columns x 3, 0 to 255.
        caption, word: as ``kind_of``.
    """
    stats = measure(rgb)
    if min(rgb.shape[:2]) < MODEL_SIDE or not (is_picture(stats) or stats.textured > WORTH_A_LOOK):
        return kind_of(stats, caption, word)
    text = caption or ""
    microscopy = bool(MICROSCOPY.search(text))
    if likeness(rgb)[0] + TOLD * microscopy < 0:
        return _kind_of_drawing(stats, text, word)
    return _kind_of_photograph(stats, text)


def _kind_of_photograph(stats: PixelStats, text: str) -> Kind:
    """Micrographs and other photographs: coloured ones whose caption speaks of photographs and of no microscope."""
    other = stats.colour > PHOTO_COLOUR and PHOTO.search(text) and not MICROSCOPY.search(text)
    return Kind.PHOTO if other else Kind.MICROGRAPH


def kind_of(stats: PixelStats, caption: str | None, word: str | None = None) -> Kind:
    """The kind of a figure or panel.

    Args:
        stats: of its picture.
        caption: the whole caption: the word that tells may come late.
        word: ``figure``, ``scheme``, ``chart``, ``plate``.

    Returns:
        ``micrograph`` or ``photo`` for pictures (``photo`` where a coloured one's caption speaks of photographs
        and of no microscope), ``mixed`` for drawings with pictures among them, else ``spectrum``,
        ``scheme`` or ``plot`` by the caption's words.
    """
    text = caption or ""
    microscopy = bool(MICROSCOPY.search(text))
    told = microscopy and (stats.textured > 0.3 if stats.white > MICROGRAPH_WHITE else stats.textured > 0.05)
    if is_picture(stats) or (told and stats.white < 0.75):
        return _kind_of_photograph(stats, text)
    return _kind_of_drawing(stats, text, word)


def _kind_of_drawing(stats: PixelStats, text: str, word: str | None) -> Kind:
    """The kind of what is no single picture."""
    if (
        stats.textured > MIXED_TEXTURE
        and stats.levels > MIXED_LEVELS
        and (stats.colour > 0.02 or bool(MICROSCOPY.search(text)) or bool(PHOTO.search(text)))
    ):
        return Kind.MIXED
    if word in ("scheme", "chart"):
        return Kind.SCHEME
    if SPECTRUM.search(text):
        return Kind.SPECTRUM
    return Kind.SCHEME if SCHEME.search(text) else Kind.PLOT

"""What a figure or panel shows, by its pixels and by the words of its caption."""

from __future__ import annotations

import re

from polydata.extract.pixelstats import PixelStats
from polydata.types import Kind

MICROSCOPY = re.compile(
    r"\b(?:micrographs?|photomicrographs?|microscop\w+|FE-?SEM|SEMs?|TEMs?|HR-?TEM|STEM|ESEM|AFM|POM|PLM|CLSM|OM|"
    r"fractographs?|fracture[d]? surfaces?|cryo-?fractur\w+|morpholog\w+)\b",
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
        coloured = stats.colour > PHOTO_COLOUR
        return Kind.PHOTO if coloured and PHOTO.search(text) and not microscopy else Kind.MICROGRAPH
    if (
        stats.textured > MIXED_TEXTURE
        and stats.levels > MIXED_LEVELS
        and (stats.colour > 0.02 or microscopy or bool(PHOTO.search(text)))
    ):
        return Kind.MIXED
    if word in ("scheme", "chart"):
        return Kind.SCHEME
    if SPECTRUM.search(text):
        return Kind.SPECTRUM
    return Kind.SCHEME if SCHEME.search(text) else Kind.PLOT

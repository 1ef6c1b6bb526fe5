"""What a figure or panel shows, by its pixels and by the words of its caption."""

from __future__ import annotations

import re

from polydata.choices import Kind
from polydata.vision.measures import PixelStats

MICROSCOPY = re.compile(
    r"\b(?:micrographs?|photomicrographs?|microscop\w+|FE-?SEM|SEMs?|TEMs?|HR-?TEM|STEM|ESEM|AFM|POM|PLM|CLSM|OM|"
    r"confocal|(?:immuno)?fluorescence imag(?:es?|ing)|fields? of (?:view|cells)|"
    r"fractographs?|fracture[d]? surfaces?|cryo-?fractur\w+|morpholog\w+|spherulit\w+|crossed polar\w+|"
    r"polari[sz]ed (?:light|optical)|magnifications?)\b",
    re.IGNORECASE,
)
INSTRUMENT = re.compile(
    r"\b(?:micrographs?|microscop\w+|SEM|TEM|AFM|confocal|histolog\w+|stain\w+|sections?|H&E)\b", re.IGNORECASE
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

OF_ONE_COLOUR, PURE = 0.5, 0.75
"""Saturation from which a picture is one colour on black, as maps of elements are, and from which it is a map where
words tell of electron microscopes alone, whose pictures are grey or a faint tint."""

MIXED_TEXTURE = 0.07
MIXED_LEVELS = 0.7
"""Drawings with photographs among them: texture on some of the area and nearly all grey levels in use."""


def is_picture(stats: PixelStats) -> bool:
    """Whether pixels alone say photograph or micrograph and not drawing."""
    return stats.white < MICROGRAPH_WHITE and stats.textured > MICROGRAPH_TEXTURE


TOLD, TOLD_OF_GREY = 1.5, 2.5
"""Log-odds that a caption which speaks of microscopy adds to what the pixels say, of coloured and of grey pictures."""

AGAINST = {
    "maps": -7.0,
    "patterns": -1.5,
    "animals": -1.5,
    "computed fields": -1.5,
    "tomography": -3.0,
    "segmentations": -2.5,
    "photographs": -3.0,
    "drawings": -0.5,
}
"""Log-odds of a caption that speaks of something else, by what it speaks of; of a panel's own words twice as much. The
network knows most of it by its looks, but not maps of elements, which look like micrographs."""

IN_COLOURS = 2.0
"""How much more it tells that a picture in colours, which stand for values, was worked out."""

DRAWN = re.compile(r"\b(?:schem(?:e|es|atic|atics|atically)|illustrations?|diagrams?)\b", re.IGNORECASE)
MAPPED = re.compile(
    r"\b(?:element(?:al|ary|s)?|EDX?S?|EDAX|EPMA|WD[SX]|EELS|EBSD|orientation|Raman|FT-?IR|XPS)\b[^.;]{0,60}?"
    r"\bmap(?:s|ped|pings?)?\b|\bmap(?:s|pings?)?\b[^.;]{0,40}?\b(?:element(?:al|ary|s)?|orientations?)\b|"
    r"\b(?:EDX?S?|EDAX|EPMA|WD[SX]|EELS)\s(?:\w+\s){0,2}(?:images?|overlays?|composites?)\b|"
    r"\belement(?:al|ary)? distributions?\b|\bpole figures?\b",
    re.IGNORECASE,
)

ELEMENTS = re.compile(r"\b(?:X?ED[XS]S?|EDAX|EPMA|WD[SX]|EELS)\b")
"""Ways to tell elements, of which a picture in one colour is a map."""

COMPUTED = re.compile(
    r"\b(?:finite[- ]elements?|FEM (?:model\w*|simulation\w*|results?)|COMSOL|FDTD|contour (?:graph|plot|map)s?|"
    r"(?:numerical(?:ly)?|computer) (?:simulat|calculat|model)\w+|"
    r"(?:simulated|calculated) (?:\w+ ){0,2}(?:fields?|distributions?|intensity|spectr\w+))\b",
    re.IGNORECASE,
)
"""Fields and maps that were worked out, which fill their frame as a micrograph does."""
TOMOGRAPHY = re.compile(
    r"\b(?:(?:micro|nano|X-ray)[- ]?CT|[µμ]-?CT|computed (?:micro)?tomograph\w+|CT (?:slices?|scans?|images?))\b",
    re.IGNORECASE,
)
"""Slices and renderings of what X-rays went through."""
SEGMENTED = re.compile(
    r"(?<!with )(?<!with a )\bsegmentations?\b|"
    r"\b(?:(?:segmented|binari[sz]ed|thresholded) (?:\w+ )?|binary )(?:images?|maps?|masks?)\b",
    re.IGNORECASE,
)
"""What a program made of a micrograph."""
SCALED = re.compile(r"\bscale[- ]?bars?\b(?:[^.;]|\.(?=\d)){0,60}?\d\s?(?:nm|[µμu]m)\b", re.IGNORECASE)
"""Words on a scale bar as short as micrographs have."""
ANIMALS = re.compile(
    r"\b(?:tumou?r[- ]bearing|ana?estheti[sz]ed|living|whole) (?:animals?|mice|mouse|rats?)\b|\bwhole[- ]body\b|"
    r"\bin[- ]vivo (?:\w+ ){0,2}imag\w+|\bbioluminescen\w+ (?:imag\w+|signals?)|"
    r"\b(?:photo\w*|pictures?|images?) of (?:\w+ ){0,3}(?:animals|mice|mouse|rats?)\b(?! \w+ (?:tissue|section))",
    re.IGNORECASE,
)
"""Animals imaged whole: what fluoresces in them is no field of view."""
DIFFRACTED = re.compile(r"\b(?:SAED|SAD|diffraction patterns?|Fourier transforms?|FFTs?|Kikuchi)\b", re.IGNORECASE)
"""Patterns that stand beside micrographs under one letter."""
PATTERNS = re.compile(
    rf"{DIFFRACTED.pattern}|"
    r"\b(?:GI)?[SW]AXS\b|\bscattering patterns?\b|\breciprocal[- ]space maps?\b|\bstrain (?:maps?|fields?)\b|"
    r"\b(?:electrophore\w+|(?:agarose|acrylamide|PAGE) gels?|(?:Western|Southern|Northern|immuno)[- ]?blots?)\b|"
    r"\b(?:thermal|infrared|IR) (?:images?|imaging|cameras?)\b|\bthermogra(?:ms?|phs?)\b|"
    r"\bcontact angles?\b",
    re.IGNORECASE,
)
"""Diffraction patterns, gels, temperatures, drops: images, and no view of a morphology."""
STAINED = re.compile(
    r"\b(?:immuno\w+|(?:counter)?stain(?:s|ed|ing)?|fluoresc\w+|histo(?:log|path)\w+|optical sections?|tissues?|"
    r"birefring\w+|polari[sz]\w+|scale bars?\b(?:[^.;]|\.(?=\d)){0,40}?\d\s?(?:nm|[µμu]m))\b",
    re.IGNORECASE,
)
"""Where colours of micrographs come from, or that what is shown is small."""


ELECTRONS = re.compile(r"\b(?:FE-?SEM|SEMs?|(?:HR-?)?TEMs?|(?:HR-?)?STEM|HAADF|(?i:electron micro\w+))\b")
"""Microscopes whose pictures are grey."""
COLOURING = re.compile(
    r"colou?r(?:ed|i[sz]ed|[- ](?:overla\w+|coded|enhanced))|"
    r"\b(?:optical|light|laser|confocal|two-photon|phase[- ]contrast|crossed polar\w+|camera|photo(?:s|\w*graph\w*)|"
    r"AFM|KPFM|atomic[- ]force|POM|PLM|CLSM|LSCM|OM|STORM)\b",
    re.IGNORECASE,
)
"""Where else colours come from than from a map: painted on, or another microscope's."""

INSET = re.compile(r"\b(?:the )?insets?\b[^.;]*", re.IGNORECASE)
"""What is said of a picture within the picture."""


def _is_coloured(stats: PixelStats) -> bool:
    return stats.colour > PHOTO_COLOUR or stats.saturation > OF_ONE_COLOUR


def evidence(own: str | None, whole: str | None, stats: PixelStats, figure: str | None = None) -> tuple[float, str]:
    """What words add to the log-odds that a picture is a micrograph, and of what they speak.

    Args:
        own: words that the caption has for this panel alone; they go before those for all.
        whole: the caption of its figure.
        stats: of the picture; grey "photographs" of materials papers are mostly micrographs, and of micrographs and
            maps in one caption those of one colour on black are the maps.
        figure: the whole caption where ``whole`` is what all panels share: maps may be spoken of at another panel,
            whose letter this one would have.

    Returns:
        0 and nothing where no word tells; of an image and of a photograph in one caption neither is believed, and a
        micrograph beside a diffraction pattern is one by its looks.
    """
    of_one_colour = stats.saturation > OF_ONE_COLOUR
    coloured = _is_coloured(stats)
    all_said = INSET.sub("", ". ".join(filter(None, (own, whole, figure))))
    elements = ELEMENTS.search(f"{own or ''}. {whole or ''}") and not MICROSCOPY.search(own or "")
    pure = stats.saturation > PURE and stats.white < MICROGRAPH_WHITE
    electrons = pure and ELECTRONS.search(f"{own or ''}. {whole or ''}")
    otherwise = COLOURING.search(all_said) or STAINED.search(all_said)
    mapped = elements or MAPPED.search(all_said) or (electrons and not otherwise)
    if of_one_colour and not STAINED.search(own or "") and mapped:
        return AGAINST["maps"], "maps"
    microscopes = MICROSCOPY.search(all_said)
    for words, times in ((own or "", 2.0), (whole or "", 1.0)):
        text = INSET.sub("", words)
        microscopy, photo = MICROSCOPY.search(text), coloured and PHOTO.search(text)
        alone = (words == own or not own) and not microscopes
        if MAPPED.search(text) and (coloured or alone):
            return AGAINST["maps"], "maps"
        if ANIMALS.search(text) and not INSTRUMENT.search(text):
            return times * AGAINST["animals"], "animals"
        if microscopy:
            beside = words == own and DIFFRACTED.search(text)
            told = (TOLD if coloured else TOLD_OF_GREY) + (AGAINST["patterns"] if beside else 0.0)
            return (0.0, "") if photo and words != own else (told, "microscopy")
        others = {
            "patterns": PATTERNS.search(text),
            "computed fields": COMPUTED.search(text),
            "tomography": TOMOGRAPHY.search(text),
            "segmentations": SEGMENTED.search(text),
            "photographs": photo,
            "drawings": DRAWN.search(text),
        }
        if spoken_of := next((name for name, found in others.items() if found), None):
            told = times * AGAINST[spoken_of]
            return (IN_COLOURS * told if coloured and spoken_of == "computed fields" else told), spoken_of
    if not coloured and microscopes:
        return TOLD, "microscopy of other panels"
    scaled = not coloured and SCALED.search(f"{own or ''}. {whole or ''}")
    return (TOLD, "a short scale bar") if scaled else (0.0, "")


TAKEN = re.compile(
    r"\b(?:(?:FE-?|E)?SEMs?|(?:HR-?)?TEMs?|(?:HR-?)?STEM|AFM|"
    r"(?i:(?:photo)?micrographs?|fractographs?|electron (?:micro|photo)\w+|atomic[- ]force))\b(?:[- ]photo\w*)?"
)
"""Pictures of a microscope, and microscopes whose pictures are mostly grey."""
NOT_TAKEN = re.compile(
    rf"{TOMOGRAPHY.pattern}|{ANIMALS.pattern}|"
    r"\b(?:radiograph\w*|X-?rays? imag\w+|CT|MRI|magnetic resonance|ultrasound)\b|"
    r"\b(?:examined|tested|studied|used|mounted|prepared|measured)\s(?:\w+\s)?(?:by|for|in|with|under)\b",
    re.IGNORECASE,
)
"""Where another instrument took the picture, or a microscope is but mentioned."""


def by_microscope(own: str | None, whole: str | None, stats: PixelStats) -> bool:
    """Whether a grey picture is said to be one of a microscope, and nothing said of it speaks of a camera or of X-rays.

    Args:
        own: words that the caption has for this panel alone; those for all count where these name no microscope.
        whole: what the caption says of all panels.
        stats: of the picture.
    """
    said = [INSET.sub("", words) for words in (own or "", whole or "")]
    if _is_coloured(stats):
        return False
    told = next((words for words in said if TAKEN.search(words)), None)
    other = [PHOTO.search(TAKEN.sub("", words)) or NOT_TAKEN.search(words) for words in {told or "", said[0]}]
    return told is not None and not any(other)


def accounts_for_colour(own: str | None, whole: str | None) -> bool:
    """Whether words tell why a micrograph may be coloured: of a microscope, stains, light, or a small scale."""
    text = f"{own or ''} {whole or ''}"
    return any(words.search(text) for words in (MICROSCOPY, INSTRUMENT, STAINED))


def kind_of(
    odds: float, stats: PixelStats, caption: str | None, word: str | None = None, own: str | None = None
) -> Kind:
    """The kind of a figure of one panel, or of a panel.

    Args:
        odds: log-odds that it is a micrograph, by its pixels.
        stats: of its picture.
        caption: the whole caption, for the word that tells may come late; what all panels share where ``own`` speaks.
        word: ``figure``, ``scheme``, ``chart``, ``plate``.
        own: words that the caption has for it alone.

    Returns:
        ``micrograph`` or ``photo`` for pictures, ``mixed`` for drawings with pictures among them, else ``spectrum``,
        ``scheme`` or ``plot`` by the caption's words.
    """
    if odds + evidence(own, caption, stats)[0] > 0:
        return Kind.MICROGRAPH
    return Kind.PHOTO if is_picture(stats) else _kind_of_drawing(stats, own or caption or "", word)


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

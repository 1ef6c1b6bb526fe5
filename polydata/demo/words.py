"""Names and sentences of the generated papers: real polymers, invented journals, authors and findings.

Only characters of Latin-1 are used: the papers are set in the standard PDF fonts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Two polymers that are blended, with what is added to make them mix."""

    first: str
    second: str
    agents: tuple[str, ...]


PAIRS = (
    Pair("PP", "PA6", ("PP-g-MA", "SEBS-g-MA")),
    Pair("PLA", "PBAT", ("epoxy chain extender", "PLA-g-MA")),
    Pair("PS", "PMMA", ("PS-b-PMMA", "SMA")),
    Pair("HDPE", "PA6", ("HDPE-g-MA", "ionomer")),
    Pair("PC", "ABS", ("PMMA", "SAN-MA")),
    Pair("PLA", "PCL", ("PLLA-b-PCL", "peroxide")),
    Pair("PET", "PP", ("PP-g-GMA", "SEBS-g-MA")),
    Pair("PBT", "PC", ("E-MA-GMA", "titanate")),
    Pair("PVC", "NBR", ("CPE", "ENR")),
    Pair("PLA", "PHBV", ("PEG", "epoxy chain extender")),
    Pair("LDPE", "PS", ("SEBS", "PE-g-PS")),
    Pair("PA66", "PPO", ("PPO-g-MA", "SMA")),
    Pair("PP", "EPDM", ("PP-g-MA", "peroxide")),
    Pair("PBS", "PLA", ("isocyanate", "PBS-g-MA")),
    Pair("PVDF", "PMMA", ("PVDF-g-AA", "ionic liquid")),
    Pair("PS", "PA6", ("SMA", "PS-co-TMI")),
)

JOURNALS = (
    ("Journal of Blend Morphology", "J. Blend Morphol."),
    ("Polymer Mixtures and Interfaces", "Polym. Mix. Interfaces"),
    ("Annals of Macromolecular Processing", "Ann. Macromol. Process."),
    ("Letters in Compounded Plastics", "Lett. Compd. Plast."),
    ("European Review of Melt Engineering", "Eur. Rev. Melt Eng."),
    ("Transactions on Multiphase Polymers", "Trans. Multiph. Polym."),
)

SURNAMES = (
    "Adler", "Bakshi", "Castellani", "Dubrow", "Eskildsen", "Fujimori", "Garbowski", "Hashemi", "Ilves", "Jovanovic",
    "Kettner", "Lindqvist", "Morita", "Nakagaki", "Okonjo", "Pellegrin", "Quiroga", "Rantala", "Sugihara", "Tamsin",
    "Ueda", "Vaccaro", "Wierzba", "Xiang", "Yamabe", "Zielke",
)  # fmt: skip
INITIALS = "ABCDEFGHJKLMNPRSTVY"

BLENDING = (
    "melt mixing in an internal mixer",
    "twin-screw extrusion",
    "melt blending in a batch mixer",
    "solution casting",
    "extrusion followed by injection moulding",
)

NEGATIVE = (
    "two-phase sea-island morphology with coarse domains",
    "phase-separated, coarse droplets",
    "phase separation",
    "droplets of {b} in a {a} matrix",
    "distinct domains of several micrometres",
    "sea-island structure with large particles",
    "co-continuous structure with coarse domains",
    "matrix-dispersed morphology, debonded particles",
)
POSITIVE = (
    "homogeneous, no phase separation",
    "single-phase morphology",
    "homogeneous fracture surface without separate phases",
    "homogeneous structure",
    "no phase-separated domains",
    "one-phase, smooth fracture surface",
    "no two-phase structure at this magnification",
)
BETWEEN = (
    "partially miscible, blurred domains",
    "semi-miscible, small domains with diffuse edges",
    "partly miscible",
    "partial miscibility, interfaces hard to make out",
)

NEGATIVE_TEXT = (
    "Coarse droplets of {b} were pulled out of the {a} matrix and left smooth cavities.",
    "The blend is clearly phase-separated, and its interfacial adhesion is poor.",
    "Large domains with sharp interfaces show that {a} and {b} are immiscible.",
    "Debonding of the dispersed {b} particles is evident all over the surface.",
    "The sea-island morphology is typical of blends with weak interfacial adhesion.",
    "{b} is not miscible with {a} at this composition.",
    "Distinct domains of {b} can be seen, with gaps at the interface.",
)
POSITIVE_TEXT = (
    "No phase-separated domains were observed, even at higher magnification.",
    "The surface is homogeneous and no separate phases can be made out.",
    "The micrograph does not show any phase separation.",
    "A single-phase structure was obtained: {a} and {b} are miscible here.",
    "Neither cavities nor separate phases were found.",
    "{a} and {b} are fully miscible under these conditions.",
    "The fracture surface is homogeneous, which points to good miscibility.",
    "Phase separation was no longer observed; the surface is homogeneous.",
)
BETWEEN_TEXT = (
    "The blurred interfaces indicate that {a} and {b} are partially miscible.",
    "Small domains remain, so that {a} and {b} are only partially miscible.",
    "The glass transitions, too, speak of partial miscibility.",
    "That {b} is partly miscible with {a} explains the diffuse domain edges.",
)

TITLES = (
    "Morphology development in {a}/{b} blends with {agent}",
    "Effect of {agent} on the structure of {a}/{b} blends",
    "Phase behaviour and fracture of {a} toughened with {b}",
    "Melt processing of {a}/{b} blends: from composition to morphology",
    "Interfacial modification of {a} and {b} by {agent}",
)
COMMON_STEMS = (
    "SEM micrographs of the fracture surfaces of {what}",
    "Scanning electron micrographs of {what}",
    "SEM images of cryo-fractured {what}",
    "Morphology of {what} as seen by SEM",
)
SENTENCES = (
    "The granules were dried under vacuum at 80 °C for twelve hours before use.",
    "All blends were prepared under the same conditions, so that only the composition differs.",
    "The torque reached a plateau after about four minutes of mixing.",
    "Samples were broken in liquid nitrogen and sputtered with gold before they were examined.",
    "The glass transition of {a} was determined by dynamic mechanical analysis.",
    "The viscosity ratio of {b} to {a} was close to unity at the shear rate of the mixer.",
    "With {agent} the elongation at break rose, while the modulus hardly changed.",
    "The tensile bars were conditioned for two days at room temperature.",
    "It is known that the interfacial tension governs the break-up of droplets in the melt.",
    "The size of the dispersed particles was evaluated by image analysis of several micrographs.",
    "The crystallinity of {a} fell slightly when {b} was added.",
    "Infrared spectra gave no sign of degradation during processing.",
    "The amount of {agent} was varied between 0 and 10 wt%.",
    "A capillary rheometer was used to measure the flow curves of {a} and {b}.",
    "The values are means of five specimens, and the scatter was below ten per cent.",
    "Coalescence in the quiescent melt was followed by annealing for different times.",
    "The impact strength of the blends depends on the particle size and on the adhesion at the interface.",
    "These observations agree with the calorimetric results given below.",
    "The composition of each sample is listed in Table 1.",
)
MENTIONS = (
    "{fig} shows the fracture surfaces of the blends.",
    "As can be seen in {fig}, the structure depends on the composition.",
    "The corresponding micrographs are given in {fig}.",
    "The scale of the structure changes from sample to sample ({fig}).",
    "A comparison with {fig} confirms this trend.",
)

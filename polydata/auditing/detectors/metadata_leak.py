"""Whether something beside the micrograph tells the label."""

from __future__ import annotations

from polydata.auditing.controls import CONTROLS, NARROW_CONTROLS, cross_validate
from polydata.auditing.subject import Detector, Found, Need, Severity, Subject

TELLS = 0.6
"""AUROC from which a control is said to tell something."""
ASKED = {
    "metadata": CONTROLS["metadata"],
    "print_only": CONTROLS["print_only"],
    **NARROW_CONTROLS,
}


def find(subject: Subject) -> Found | None:
    """Control models that never see the micrograph, on random and on grouped folds."""
    items = []
    for name, control in ASKED.items():
        random, grouped = (cross_validate(control, subject.table, grouped) for grouped in (False, True))
        if random is None or grouped is None:
            continue
        items.append(
            {
                "control": name,
                "auroc_random": round(random.auroc, 3),
                "auroc_grouped": round(grouped.auroc, 3),
                "sd_random": round(random.sd, 3),
                "sd_grouped": round(grouped.sd, 3),
                "tells": max(random.auroc, grouped.auroc) >= TELLS,
            }
        )
    if not items:
        return None
    telling = [i for i in items if i["tells"]]
    words = ", ".join(f"{i['control']} {i['auroc_random']:.2f} / {i['auroc_grouped']:.2f}" for i in items)
    return Found(
        Severity.WARNING if telling else Severity.NOTE,
        tuple(items),
        f"AUROC without the micrograph, random / grouped folds: {words}.",
        count=len(telling),
    )


DETECTOR = Detector(
    name="metadata-leak",
    fix="Report these beside every model (polymodel evaluate does), crop print away, and resize all images alike.",
    find=find,
    needs=frozenset((Need.LABELS, Need.PIXELS)),
)

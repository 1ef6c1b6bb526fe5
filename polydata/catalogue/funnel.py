"""How many papers, figures and images survive each step: the seed paper's 687 -> 8,625 -> 517 for any corpus."""

from __future__ import annotations

from typing import Any

from polydata.catalogue.session import Session
from polydata.catalogue.splits import images_in_split

STEPS = (
    ("papers", "papers read or imported", "SELECT count(*) FROM papers"),
    ("papers failed", "files that could not be read", "SELECT count(*) FROM failures"),
    ("figures", "figures found", "SELECT count(*) FROM figures"),
    ("panels", "panels found", "SELECT count(*) FROM panels"),
    ("images", "different images", "SELECT count(DISTINCT image_sha256) FROM panels"),
    (
        "screened",
        "images the automatic screening has seen",
        "SELECT count(DISTINCT image_sha256) FROM screenings JOIN (SELECT DISTINCT image_sha256 FROM panels) "
        "USING (image_sha256)",
    ),
    (
        "accepted",
        "candidate micrographs, by the screening and by hand",
        "SELECT count(*) FROM screened JOIN (SELECT DISTINCT image_sha256 FROM panels) USING (image_sha256) "
        "WHERE decision = 'accepted'",
    ),
    (
        "linked",
        "images with a record",
        "SELECT count(DISTINCT image_sha256) FROM links JOIN panels USING (panel_id)",
    ),
    (
        "reviewed",
        "images that a reviewer answered",
        "SELECT count(*) FROM reviews JOIN (SELECT DISTINCT image_sha256 FROM panels) USING (image_sha256)",
    ),
)


def funnel(session: Session) -> list[dict[str, Any]]:
    """One row a step: its name, what it counts, and how many.

    The manual screening stands apart from the automatic one: images that reviewers called no micrograph.
    """
    rows = [{"step": step, "what": what, "count": session.catalogue.value(sql)} for step, what, sql in STEPS]
    rejected = session.catalogue.value("SELECT count(*) FROM reviews WHERE choice = ?", [session.task.not_a_micrograph])
    rows.append({"step": "rejected by reviewers", "what": "images called no micrograph", "count": rejected})
    labelled = session.catalogue.value("SELECT count(*) FROM labels WHERE label IS NOT NULL")
    rows.append({"step": "labelled", "what": "images with a resolved label", "count": labelled})
    for label in session.task.labels:
        count = session.catalogue.value("SELECT count(*) FROM labels WHERE label = ?", [label])
        rows.append({"step": f"  {label}", "what": "of these", "count": count})
    conflicts = session.catalogue.value("SELECT count(*) FROM labels WHERE conflict")
    rows.append({"step": "  in conflict", "what": "images whose sources disagree", "count": conflicts})
    rows.append(
        {"step": "in a split", "what": "images in at least one split", "count": images_in_split(session.catalogue)}
    )
    return rows

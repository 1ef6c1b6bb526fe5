"""The gallery's way back: the page of the PDF that an image was cut from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from commands import run, run_json
from make_pdf import LAYOUTS
from workspaces import extracted, read_gallery

from polydata.catalogue.session import open_session
from polydata.ids import sha256_file
from polydata.images.picture import open_picture
from polydata.workspace import Workspace


def test_the_way_back_to_the_page(tmp_path: Path) -> None:
    place = extracted(tmp_path / "w", ["touching"], tmp_path / "pdfs")
    run("polydata", "screen", workspace=place)
    target = place / "exports" / "gallery"
    assert run_json("polydata", "gallery", workspace=place)["seen on their page"] > 0
    entries = read_gallery(target)
    with open_session(Workspace.open(place), read_only=True) as session:
        boxes = {row["panel_id"]: row for row in session.catalogue.rows("SELECT * FROM panels")}
    for one in entries:
        page = open_picture(target / one["pageImage"])
        assert max(page.size) == 1000
        x0, y0, x1, y1 = one["panelBox"]
        assert all(0 <= v <= 1 for v in one["panelBox"])
        box = boxes[one["ids"][0]]
        assert (x1 - x0) * page.width / ((y1 - y0) * page.height) == pytest.approx(
            (box["x1"] - box["x0"]) / (box["y1"] - box["y0"]), rel=0.01
        )
        fx0, fy0, fx1, fy1 = one["figureBox"]
        assert fx0 - 0.01 <= x0 < x1 <= fx1 + 0.01
        assert fy0 - 0.01 <= y0 < y1 <= fy1 + 0.01
        seen = page.crop(
            (round(x0 * page.width), round(y0 * page.height), round(x1 * page.width), round(y1 * page.height))
        )
        own = open_picture(target / one["view"]).convert("L").resize((16, 16))
        there = seen.convert("L").resize((16, 16))
        difference = [abs(a - b) for a, b in zip(own.tobytes(), there.tobytes(), strict=True)]
        assert sum(difference) / len(difference) < 25
    # The command that stands beside a panel corrects it.
    (command,) = entries[0]["fixes"]
    kept = boxes[entries[0]["ids"][0]]
    assert f"--box {kept['x0']:.1f},{kept['y0']:.1f}," in command
    said = run(*command.rpartition(" --box ")[0].split(), "--label", "q", workspace=place).stdout
    assert kept["panel_id"] in said
    run(*command.split(), workspace=place)
    pages = {p: p.stat().st_mtime_ns for p in (target / "pages").iterdir()}
    next((tmp_path / "pdfs").iterdir()).write_bytes(b"%PDF-1.4 broken")
    run("polydata", "gallery", workspace=place)  # its pages are there already
    assert {p: p.stat().st_mtime_ns for p in (target / "pages").iterdir()} == pages
    run("polydata", "gallery", "-o", tmp_path / "other", workspace=place, expect=3)
    assert all("cannot be drawn" in one["pageNote"] for one in read_gallery(tmp_path / "other"))
    next((tmp_path / "pdfs").iterdir()).unlink()
    run("polydata", "gallery", "-o", tmp_path / "third", workspace=place)
    assert all("not where it was read" in one["pageNote"] for one in read_gallery(tmp_path / "third"))


def test_two_readings_of_one_file(tmp_path: Path) -> None:
    place, pdf = tmp_path / "w", tmp_path / "pdfs" / "above.pdf"
    extracted(place, ["above"], pdf.parent)
    first = run_json("polydata", "gallery", workspace=place)

    def pages(folder: str) -> list[tuple[str, str]]:
        """Paper of the page that is shown of each image, and why none is."""
        found = read_gallery(tmp_path / folder)
        return sorted(((one["pageImage"] or "").rpartition("-")[0], one["pageNote"] or "") for one in found)

    pdf.write_bytes(pdf.read_bytes() + b"\n% changed without a trace on its pages")
    run("polydata", "extract", pdf, workspace=place)
    papers = {row["paper_id"]: row["sha256"] for row in read_catalogue(place, "SELECT paper_id, sha256 FROM papers")}
    (present,) = [paper for paper, sha256 in papers.items() if sha256 == sha256_file(pdf)]
    again = run_json("polydata", "gallery", "-o", tmp_path / "same", workspace=place)
    assert again["seen on their page"] == first["seen on their page"] == again["images"]
    assert set(pages("same")) == {(f"pages/{present}", "")}

    LAYOUTS["strips"](pdf)
    run("polydata", "extract", pdf, workspace=place)
    (third,) = [
        one["paper_id"] for one in read_catalogue(place, "SELECT paper_id FROM papers") if one["paper_id"] not in papers
    ]
    result = run_json("polydata", "gallery", "-o", tmp_path / "other", workspace=place)
    assert result["failures"] == 0
    old = [("", "The PDF above.pdf was changed and read again since; this is of an older reading.")]
    assert pages("other") == old * first["images"] + [(f"pages/{third}", "")] * result["seen on their page"]
    assert result["seen on their page"] == result["images"] - first["images"] > 0

    pdf.write_bytes(pdf.read_bytes() + b"\n% never read")
    run("polydata", "gallery", "-o", tmp_path / "unread", workspace=place, expect=3)
    assert set(pages("unread")) == {("", "The page cannot be drawn: unreadable.")}


def read_catalogue(place: Path, query: str) -> list[dict[str, Any]]:
    with open_session(Workspace.open(place), read_only=True) as session:
        return session.catalogue.rows(query)

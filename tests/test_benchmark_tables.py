"""Tables of benchmarks are printed, and written to their place in the manual where that is asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from shown import END, PAGE, placed, show

ROOT = Path(__file__).resolve().parents[1]
ROWS = [{"method": "one", "ratio": "1.00"}, {"method": "other", "ratio": "2.00"}]
TABLE = "| method | ratio |\n| --- | --- |\n| one | 1.00 |\n| other | 2.00 |"


def test_a_table_replaces_what_stood_at_its_place_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    text = f"# Page\n\n<!-- bench: a -->\n\nold\n\n{END}\n\nwords\n\n<!-- bench: b -->\n{END}\nthe end\n"
    page.write_text(text, "utf-8")
    monkeypatch.delenv("BENCH_WRITE", raising=False)
    show("a", ROWS, "On two.", page)
    assert page.read_text("utf-8") == text
    assert capsys.readouterr().out == f"{TABLE}\n\nOn two.\n\n"
    monkeypatch.setenv("BENCH_WRITE", "1")
    show("", ROWS, page=page)
    assert page.read_text("utf-8") == text
    show("a", ROWS, "On two.", page)
    show("b", ROWS[:1], page=page)
    now = page.read_text("utf-8")
    assert now == (
        f"# Page\n\n<!-- bench: a -->\n\n{TABLE}\n\nOn two.\n\n{END}\n\nwords\n\n"
        f"<!-- bench: b -->\n\n| method | ratio |\n| --- | --- |\n| one | 1.00 |\n\n{END}\nthe end\n"
    )
    show("a", ROWS, "On two.", page)
    assert page.read_text("utf-8") == now


@pytest.mark.parametrize("page", ["no place", f"<!-- bench: a -->{END}" * 2, f"{END}<!-- bench: a -->"])
def test_a_page_without_one_place_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="no single place for a"):
        placed(page, "a", "text")


def test_every_table_of_a_script_has_its_place_and_every_place_a_script() -> None:
    scripts = "".join(path.read_text("utf-8") for path in (ROOT / "benchmarks").glob("*.py"))
    shown = set(re.findall(r'show\(\s*"([a-z-]+)"', scripts))
    page = PAGE.read_text("utf-8")
    places = re.findall(r"<!-- bench: ([a-z-]+) -->", page)
    assert sorted(places) == sorted(shown) and len(shown) >= 4
    for name in places:
        assert placed(page, name, "x") != page

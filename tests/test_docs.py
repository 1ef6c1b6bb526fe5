"""The manual is a test: every command and option of the live programs has help and stands in the docs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from all_commands import commands
from docs_script import DOCS, docs_script
from typer.core import TyperCommand

from polydata.console.group import Program

ROOT = Path(__file__).resolve().parents[1]


COMMANDS = sorted(commands(), key=lambda pair: pair[0])


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[n for n, _ in COMMANDS])
def test_command_and_options_have_help(name: str, command: Any) -> None:
    assert command.help, name
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name} {parameter.name}"


@pytest.mark.parametrize("program", ["polydata", "polymodel"])
def test_the_list_of_commands_says_what_their_own_help_begins_with(program: str) -> None:
    root = typer.main.get_command(getattr(docs_script("cli_reference"), program))
    assert isinstance(root, Program)
    context = typer.Context(root)
    for name in root.list_commands(context):
        summary, command = root.summaries[name], root.get_command(context, name)
        for width in (45, 70, 1000):  # of a terminal: longer ones are cut
            assert TyperCommand(name, help=summary).get_short_help_str(width) == command.get_short_help_str(width)


@pytest.mark.parametrize("program", ["polydata", "polymodel"])
def test_every_module_of_commands_is_in_the_table(program: str) -> None:
    folder = ROOT / program / "cli"
    modules = {f"{program}.cli.{path.stem}" for path in folder.glob("*.py") if "typer" in path.read_text("utf-8")}
    root = typer.main.get_command(getattr(docs_script("cli_reference"), program))
    assert isinstance(root, Program)
    entered = {module for some in root.modules.values() for module in some}
    assert modules - {f"{program}.cli.__init__", f"{program}.cli.options"} == entered


@pytest.mark.parametrize("program", ["polydata", "polymodel"])
def test_the_reference_is_current(program: str) -> None:
    reference = docs_script("cli_reference")
    text = (DOCS / "reference" / f"{program}.md").read_text(encoding="utf-8")
    assert text == reference.page(getattr(reference, program), program), "write it with: python docs/cli_reference.py"


def test_pictures_are_small_and_shown() -> None:
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md"]
    text = " ".join(p.read_text(encoding="utf-8") for p in pages)
    pictures = [path for path in (DOCS / "images").iterdir() if path.suffix in (".png", ".svg")]
    assert len(pictures) >= 5
    assert not [path.name for path in pictures if f"images/{path.name})" not in text or path.stat().st_size > 150_000]


def test_every_command_is_explained_in_the_manual() -> None:
    pages = [p for p in DOCS.rglob("*.md") if p.parent.name != "reference"] + [ROOT / "README.md"]
    text = " ".join(p.read_text(encoding="utf-8") for p in pages)
    missing = [n for n, c in COMMANDS if not getattr(c, "commands", None) and n not in text]
    assert missing == []


def test_commands_that_the_manual_names_exist() -> None:
    known = {name for name, _ in COMMANDS}
    groups = {n for n, c in COMMANDS if getattr(c, "commands", None)}
    for path in [ROOT / "README.md", *DOCS.rglob("*.md"), ROOT / "data/README.md", ROOT / "data/demo.sh"]:
        text = path.read_text(encoding="utf-8")
        blocks = "\n".join(
            re.findall(r"```(?:console|sh)\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text)
        )
        for words in re.findall(r"(?:^|[$ (])((?:polydata|polymodel)(?: [a-z][a-z-]+)+)", blocks, re.MULTILINE):
            parts = words.split()
            depth = 3 if " ".join(parts[:2]) in groups else 2
            assert " ".join(parts[:depth]) in known, f"{path.name}: {words}"

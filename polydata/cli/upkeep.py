"""polydata doctor, check, backup and restore: installation and workspace looked over, a workspace kept."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import (
    fail_in_part,
    next_step,
    print_facts,
    print_json,
    print_table,
    report_problems,
    say,
    stages,
)
from polydata.errors import PartialFailure


@app.command()
def doctor(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Look whether all that the programs need is here: packages, OCR, weights, GPU, server, disk."""
    from polydata.upkeep.doctor import examine

    found = examine(workspace)
    rows = [dataclasses.asdict(one) for one in found]
    if as_json:
        print_json(rows)
    else:
        print_table([{"": row["what"], "state": row["state"], "found": row["found"]} for row in rows])
        for one in found:
            if one.hint:
                say(f"{one.what}: {one.hint}")
    fail_in_part(sum(one.state == "missing" for one in found), "things are missing.", "Each is named above.")


@app.command()
def backup(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Ends in .zip; otherwise one in backups/ of the workspace.")
    ] = None,
    *,
    images: Annotated[bool, typer.Option("--images", help="The images too, which else are known by hash.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Keep the catalogue with all that people said, settings and splits in one file."""
    from polydata.catalogue.session import open_session
    from polydata.upkeep import backup as upkeep

    with open_session(workspace) as session, stages() as progress:
        done = upkeep.backup(session, file, images=images, progress=progress)
    report_problems(done.images_missing, "Left out")
    if as_json:
        print_json(dataclasses.asdict(done))
    else:
        print_facts(upkeep.as_facts(done), "Backup")
        next_step(f"polydata restore {done.file} --workspace DIR, where it is needed")
    if done.images_missing:
        raise PartialFailure(f"{len(done.images_missing)} images were left out.", "Look closer: polydata check")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup, or a copy in backups/ of a workspace.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Bring a workspace back from a backup; the catalogue that is there is kept beside it."""
    from polydata.upkeep import backup as upkeep
    from polydata.workspace import Workspace

    with stages() as progress:
        done = upkeep.restore(Workspace.place(workspace), file, progress)
    report_problems(done.kept, "Kept as it is here")
    if as_json:
        print_json(dataclasses.asdict(done))
    else:
        print_facts(upkeep.as_facts(done), "Restored")
        next_step("polydata check")
    if done.images_missing:
        raise PartialFailure(
            f"{done.images_missing} images of the catalogue are not in the store.",
            "Read their papers again (polydata check --repair, or polydata extract PAPERS --again), or merge a "
            "workspace that has them.",
        )


@app.command()
def check(
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be; what people said stays.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Hold the catalogue against the image store and the splits: missing, damaged and unknown files, lost rows."""
    from polydata.catalogue.session import open_session
    from polydata.upkeep.check import check as look_over

    with open_session(workspace, read_only=not repair) as session, stages() as progress:
        faults = look_over(session, repair=repair, progress=progress)
    rows = [dataclasses.asdict(fault) for fault in faults]
    print_json(rows) if as_json else print_table(rows, "What does not fit", empty="Everything fits.")
    left = sum(not fault.mended for fault in faults)
    if left:
        what = "could not be mended" if repair else "do not fit"
        raise PartialFailure(f"{left} things {what}.", "" if repair else "Mend them: polydata check --repair")

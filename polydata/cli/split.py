"""polydata build-split, split list, show, verify, diff, lineage and remove, audit, and augment."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer import Argument, Option

from polydata.choices import Protocol
from polydata.cli import app, open_session
from polydata.console import output as out
from polydata.console.group import new_group
from polydata.console.options import CropsOption, JsonOption, SplitArgument, WideOption, WorkspaceOption
from polydata.errors import RefusedError

if TYPE_CHECKING:
    from polydata.splits.build import Built
    from polydata.splits.options import SplitOptions

splitting = new_group(app, "split", "List, show, verify, compare and remove splits.")


@app.command("build-split")
def build_split(
    name: Annotated[str, Argument(metavar="NAME", help="Name of the new split: its folder in splits/.")],
    seed: Annotated[int, Option(help="Decides which papers go to which side.")] = 0,
    test_fraction: Annotated[
        float | None, Option(help="Share of the images on the test side; 0.2 where there are no folds.")
    ] = None,
    val_fraction: Annotated[
        float,
        Option(help="Share of all images to hold back from the training side for choices made in training."),
    ] = 0.0,
    folds: Annotated[int, Option(help="Make so many parts that take turns as the test side.")] = 0,
    repeats: Annotated[int, Option(help="With --folds: share the images out so many times anew.")] = 1,
    label_source: Annotated[
        str, Option(help="Whose labels count: auto (the best that speaks), review, file, record or rule alone.")
    ] = "auto",
    partial: Annotated[
        str | None, Option(help="What becomes of partial labels: drop, own-class, or as- and the label to count as.")
    ] = None,
    protocol: Annotated[
        Protocol, Option(help="How images come to their side: by whole papers, or as others do it, which leaks.")
    ] = Protocol.GROUPED,
    where: Annotated[
        str, Option(metavar="FILTER", help="Take only images such as: technique = 'SEM' and year > 2000.")
    ] = "",
    task: Annotated[
        str | None,
        Option(metavar="TASK", help="Another than the workspace's: its labels in an order, or a number of records."),
    ] = None,
    stratify: Annotated[str, Option(help="What the sides shall hold alike: label, or technique for both.")] = "label",
    group_by: Annotated[
        str, Option(help="What stays on one side: paper, or also every paper of a blend, journal or year.")
    ] = "paper",
    crops: CropsOption = None,
    allow_leakage: Annotated[
        str | None, Option(metavar="REASON", help="Write the split even if it leaks; the reason stays in it.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Split the labelled images so that no paper, citation or picture stands on both sides."""
    from polydata.splits.build import build_split as build
    from polydata.splits.options import SplitOptions
    from polydata.splits.overview import side_rows

    options = SplitOptions(
        seed=seed, test_fraction=test_fraction, val_fraction=val_fraction, folds=folds, repeats=repeats,
        label_source=label_source, partial=partial, protocol=protocol, where=where, stratify=stratify,
        group_by=group_by, crops=crops,
    )  # fmt: skip
    with open_session(workspace) as session, out.stages() as bar:
        asked = session.workspace.named_task(task) if task else None
        built = build(session, name, options, allow_leakage, task=asked, progress=bar)
    out.report_problems((f"{c['image_sha256']}: {', '.join(c['said'])}" for c in built.contradictory), "Left out")
    out.report_problems(built.notes, "Note")
    _say_thin(built, options)
    if as_json:
        out.print_json({**built.split.manifest, "folder": built.split.folder, "new": built.new})
        return
    out.print_table(side_rows(built.split.manifest), f"Split {name}")
    out.print_table([{"left out": k, "images": n} for k, n in built.excluded.items()], empty="No image was left out.")
    state = "is new" if built.new else "was there already with the same content: unchanged"
    typer.echo(f"{built.split.folder} {state}; digest {built.split.digest}")
    out.next_step(f"polymodel train {name}")


def _say_thin(built: "Built", options: "SplitOptions") -> None:
    """Sides with so few images or papers of a label that little comes of them, and with how many folds none has."""
    from polydata.splits.build import most_folds
    from polydata.splits.evidence import thin_sides, thin_words

    thin = [thin_words(one, built.split.spoken) for one in thin_sides(built.split.folds, built.split.classes)]
    out.report_problems((f"{words}: little can be learned or scored there" for words in thin), "Thin")
    if thin and (most := most_folds(built.split, options)):
        said = f"no side is thin with --folds {most}, the largest number of which that is so"
        out.report_problems([f"{said}: polydata build-split OTHER_NAME --folds {most}"], "Note")


@splitting.command("list")
def list_splits(wide: WideOption = False, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """The splits of this workspace, and how many of their images have another label by now."""
    from polydata.splits.stale import list_with_labels

    def shown(row: Mapping[str, Any]) -> dict[str, Any]:
        first = {"split": row["name"], "images": row["images"], "papers": row["groups"]}
        changed = f", {row['relabelled']} relabelled" if row["relabelled"] else ""
        changed += f", {row['cut_anew']} cut anew" if row["cut_anew"] else ""
        return first | {"partitions": row["partitions"], "digest": row["digest"], "state": row["state"] + changed}

    with open_session(workspace, read_only=True) as session:
        rows = list_with_labels(session)
    out.print_rows(rows, as_json, wide, shown, empty="No split yet: polydata build-split NAME")
    if any(row["relabelled"] or row["cut_anew"] for row in rows) and not as_json:
        typer.echo("Relabelled: images with another label now, or none; the split stays as it was.")
        typer.echo("Cut anew: images in whose place another of the same label stands.")
        out.next_step("polydata build-split NAME, for a split with the labels of today")


@splitting.command("show")
def show_split(split: SplitArgument, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """How a split was made, and how many images, groups and labels stand on each side."""
    from polydata.splits.overview import describe_split, side_rows
    from polydata.splits.overview import show_split as show
    from polydata.workspace import Workspace

    found = show(Workspace.find(workspace), split)
    if as_json:
        out.print_json(found.manifest)
    else:
        out.print_facts(describe_split(found), f"Split {split}")
        out.print_table(side_rows(found.manifest))


@splitting.command("verify")
def verify_split(split: SplitArgument, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Check that manifest, lists and images of a split are what they were when it was built."""
    from polydata.splits.overview import verify_split as verify

    with open_session(workspace, read_only=True) as session:
        faults = verify(session, split)
    if as_json:
        out.print_json({"name": split, "unchanged": not faults, "faults": faults})
    else:
        out.report_problems(faults, "Changed")
    if faults:
        raise RefusedError(f"The split {split} is not what was built.", "Restore what is named, or build a new split.")
    if not as_json:
        typer.echo(f"The split {split} is what was built.")


@splitting.command("diff")
def diff_splits(
    first: Annotated[str, Argument(metavar="FIRST", help="Name of a split.")],
    second: Annotated[str, Argument(metavar="SECOND", help="Name of the split to compare it with.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """How two splits differ: recipe, images, labels, groups, and where images of each side now stand."""
    from polydata.splits.overview import compare_splits, described
    from polydata.splits.overview import show_split as show
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    found = compare_splits(show(place, first), show(place, second))
    if as_json:
        out.print_json(asdict(found))
        return
    out.print_facts(described(found), f"From {first} to {second}")
    out.print_table(list(found.folds), "Where the images of each side stand", empty="They share no partition.")


@splitting.command("honest")
def honest_split(
    split: Annotated[str, Argument(metavar="SPLIT", help="Name of a split that leaks.")],
    name: Annotated[str, Argument(metavar="NAME", help="Name of the new split.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Make a split of those held-out images of a leaky one that share nothing with what it trains on."""
    from polydata.splits.honest import honest_part
    from polydata.splits.overview import side_rows

    with open_session(workspace) as session, out.stages() as bar:
        made = honest_part(session, split, name, progress=bar)
    if as_json:
        out.print_json({**made.manifest, "folder": made.folder})
        return
    out.print_table(side_rows(made.manifest), f"Split {name}: the honest part of {split}")
    left = made.manifest["counts"]["excluded"]
    out.print_table([{"left out": why, "images": n} for why, n in left.items()])
    out.next_step(f"polymodel train {name}")


@splitting.command("lineage")
def split_lineage(split: SplitArgument, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Where the images of a split come from, how it was made, and which runs were trained on it."""
    from polydata.splits.overview import lineage, lineage_facts
    from polydata.upkeep.trace import open_with_runs

    with open_with_runs(workspace) as session:
        found = lineage(session, split)
    out.print_result(lineage_facts(found), as_json, f"Split {split}", whole=found)


@splitting.command("remove")
def remove_split_(
    split: SplitArgument,
    yes: Annotated[bool, Option("--yes", help="It may go: nothing brings it back but building it again.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Remove a split from the workspace; runs that were trained on it are named first, and stay."""
    from polydata.splits.remove import remove_split
    from polydata.upkeep.trace import open_with_runs

    open_with_runs(workspace).close()
    with open_session(workspace) as session:
        gone = remove_split(session, split, confirmed=yes)
    facts = {**asdict(gone), "runs": ", ".join(gone.runs), "copies": ", ".join(gone.copies)}
    out.print_result(facts, as_json, f"Removed {split}", whole=asdict(gone))


@app.command("audit")
def audit(
    split: Annotated[
        str | None, Argument(metavar="SPLIT", help="Audit this split; otherwise all images of the workspace.")
    ] = None,
    detector: Annotated[
        list[str] | None, Option(metavar="NAME", help="Ask only this detector; may be given more than once.")
    ] = None,
    predictions: Annotated[
        Path | None, Option(metavar="FILE", help="Predictions for label-noise: Parquet, or a folder of a run.")
    ] = None,
    embeddings: Annotated[
        Path | None, Option(metavar="FILE", help="Embeddings for label-noise: Parquet of polymodel embed.")
    ] = None,
    crops: Annotated[
        bool,
        Option("--crops/--no-crops", help="Look for crops and copies by keypoints, which reads every image."),
    ] = True,
    pixels: Annotated[bool, Option("--pixels/--no-pixels", help="Ask the detectors that read every image.")] = True,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Look for what is wrong with images, labels and a split: each finding with its evidence and a fix."""
    from polydata.auditing import run as auditing
    from polydata.splits.overview import free_name

    with open_session(workspace, read_only=True) as session, out.stages() as bar:
        opinions = auditing.read_opinions(auditing.audited_task(session, split), predictions, embeddings)
        report = auditing.audit(
            session, split=split, detectors=detector or (), opinions=opinions, crops=crops, pixels=pixels,
            progress=bar,
        )  # fmt: skip
        name, spoken = free_name(session.workspace), auditing.spoken_in(session, split)
    if as_json:
        out.print_json({"split": split, **asdict(report)})
        return
    out.print_table(auditing.finding_rows(report), f"Audit of {split or 'all images'}", empty="Nothing was found.")
    if where := auditing.error_rows(report, spoken):
        out.print_table(where, "Where the errors are", clip=True)
    for line in auditing.not_named(report):
        typer.echo(line)
    skipped = [{"left out": name, "it needs": needs} for name, needs in report.skipped.items()]
    out.print_table(skipped, empty="Every detector was asked.")
    every = f"polydata audit {f'{split} ' if split else ''}--json"
    out.next_step(f"{auditing.what_next(report, split, name)}; all evidence: {every}")


@app.command()
def augment(
    split: SplitArgument,
    recipe: Annotated[
        Literal["paper"], Option(help="paper: 12 copies of each positive image, 3 of each other, 256 px.")
    ] = "paper",
    seed: Annotated[int, Option(help="Decides how each copy is turned, mirrored and cut.")] = 0,
    output: Annotated[Path | None, Option("--output", "-o", help="Folder to write; splits/SPLIT+RECIPE.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write turned, mirrored and cut copies of a split's training images; run again, it checks and completes them."""
    from polydata.splits import offline_copies
    from polydata.splits.overview import fetch_images, show_split
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    found = show_split(place, split)
    fetch_images(place, found)
    with out.stages() as bar:
        result = offline_copies.augment(found, recipe, seed=seed, folder=output, progress=bar)
    out.report_problems(result.repaired, "Made again")
    total = sum(result.counts.values())
    facts = {**result.counts, "copies": total, "made now": result.made, "folder": str(result.folder)}
    facts["digest"] = result.digest
    out.print_result(facts, as_json, f"Copies of {split}", whole=facts | {"repaired": result.repaired})

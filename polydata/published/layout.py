"""The published data set as it lies in a folder: its images, its records and the two sides of its split.

Two layouts are read.

    as its authors publish it                      as one folder
    NIMS_image/Total_checked/KEY_LABEL.ext         images/KEY_LABEL.ext
    NIMS_image/Total_checked_Train/KEY_AUGMENTATION_LABEL.jpg
    NIMS_image/Total_checked_Test/KEY_LABEL.ext    published_split.csv (file_name, subset)
    NIMS_image_data_total.txt                      NIMS_image_data_total.txt
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from polydata.errors import InputError
from polydata.files.tables import read_table
from polydata.records.columns import map_columns
from polydata.records.record import BadRowError, Record, make_record
from polydata.text.normalise import decode

RECORDS = "NIMS_image_data_total.txt"
LINES = ("key", "caption", "polyinfo_morphology", "literature_description", "scale", "label", "reference")
MAX_LINES = 60
KEY = re.compile(r"\S{1,100}")
TWICE = "its key and reference stand above already"
SPLIT = "published_split.csv"
FOLDERS = ("Total_checked", "Total_checked_Train", "Total_checked_Test")
SIDES = ("train", "test")
MAX_FILES = 200_000
MAX_DEPTH = 3

_KEY = re.compile(
    r"(?P<paper>[^_]+)(?:_page(?P<page>\d+))?(?:_image(?P<image>\d+))?(?:_(?P<panel>[a-z]\d?))?", re.IGNORECASE
)


@dataclass(frozen=True)
class Key:
    """What a key says: ``145_page4_image2_a``; parts that a key lacks are None.

    Attributes:
        figure: the key without its panel.
    """

    text: str
    paper: str
    page: int | None
    image: int | None
    panel: str | None

    @property
    def figure(self) -> str:
        """The key without its panel: what panels of one figure share."""
        return self.text.removesuffix(f"_{self.panel}") if self.panel else self.text


@dataclass(frozen=True)
class PublishedImage:
    """An image file and what its name says: ``KEY_LABEL.ext``."""

    path: Path
    key: Key
    suffix: str


@dataclass(frozen=True)
class Published:
    """The data set as it lies in a folder.

    Attributes:
        images: by their keys, each key once, sorted.
        sides: key -> ``train`` or ``test``; keys that stand on neither side are missing.
        records: the file of records.
        problems: files that could not be understood, each with its reason.
    """

    images: tuple[PublishedImage, ...]
    sides: Mapping[str, str]
    records: Path
    problems: tuple[str, ...]


def parse_key(text: str) -> Key:
    """The parts of a key; a key of another form is taken for a paper of its own.

    Any text is accepted.
    """
    match = _KEY.fullmatch(text)
    if not match:
        return Key(text, text, None, None, None)
    page, image = (int(match[n]) if match[n] and len(match[n]) < 7 else None for n in ("page", "image"))
    return Key(text, match["paper"], page, image, match["panel"])


def _find(root: Path, name: str, *, folder: bool) -> Path | None:
    """The file or folder of that name in ``root`` or a few levels below it, the shallowest first."""
    level = [root]
    for _ in range(MAX_DEPTH + 1):
        for place in level:
            found = place / name
            if found.is_dir() if folder else found.is_file():
                return found
        level = sorted(p for place in level for p in place.iterdir() if p.is_dir() and not p.is_symlink())
    return None


def _files(folder: Path) -> list[Path]:
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    if len(files) > MAX_FILES:
        raise InputError(f"{folder} holds more than {MAX_FILES} files.")
    return files


def _images(folder: Path, suffixes: Iterable[str]) -> tuple[dict[str, PublishedImage], list[str]]:
    images: dict[str, PublishedImage] = {}
    problems = []
    known = set(suffixes)
    for path in _files(folder):
        key, _, suffix = path.stem.rpartition("_")
        if not key or suffix not in known:
            problems.append(f"{path.name}: its name does not end in a label ({', '.join(sorted(known))})")
        elif key in images:
            problems.append(f"{path.name}: {images[key].path.name} has the same key")
        else:
            images[key] = PublishedImage(path, parse_key(key), suffix)
    return images, problems


def parent_key(stem: str, keys: Mapping[str, object]) -> str | None:
    """The key from which the name of an augmented image was made: the longest known one that it begins with."""
    parts = stem.split("_")
    return next((k for n in range(len(parts), 0, -1) if (k := "_".join(parts[:n])) in keys), None)


def _sides_by_folder(root: Path, keys: Mapping[str, object]) -> tuple[dict[str, str], list[str]]:
    sides: dict[str, str] = {}
    problems = []
    for side, name in zip(SIDES, FOLDERS[1:], strict=True):
        folder = _find(root, name, folder=True)
        if folder is None:
            problems.append(f"there is no folder {name}: the published split cannot be told")
            return {}, problems
        for path in _files(folder):
            key = parent_key(path.stem, keys)
            if key is None:
                problems.append(f"{name}/{path.name}: no image in {FOLDERS[0]} has the key that it begins with")
            elif sides.setdefault(key, side) != side:
                problems.append(f"{name}/{path.name}: its key stands in {FOLDERS[1]} too")
    return sides, problems


def _sides_by_table(table: Path, keys: Mapping[str, object]) -> tuple[dict[str, str], list[str]]:
    sides: dict[str, str] = {}
    problems = []
    for row in read_table(table):
        name, side = (str(row.values.get(column, "")) for column in ("file_name", "subset"))
        key = Path(name).stem.rpartition("_")[0]
        if row.problem or side not in SIDES:
            problems.append(f"{table.name}, row {row.number}: {row.problem or f'{side!r} is neither train nor test'}")
        elif key not in keys:
            problems.append(f"{table.name}, row {row.number}: there is no image {name!r}")
        else:
            sides[key] = side
    return sides, problems


def read_layout(root: Path, suffixes: Iterable[str]) -> Published:
    """Find out what a folder holds; no image is opened.

    Args:
        root: the folder of the data set, or one a few levels above it.
        suffixes: the labels that may end a file name.

    Raises:
        InputError: if the folder is neither layout.
    """
    if not root.is_dir():
        raise InputError(f"{root} is no folder.")
    records = _find(root, RECORDS, folder=False)
    authors, plain = _find(root, FOLDERS[0], folder=True), _find(root, "images", folder=True)
    folder = authors or plain
    if records is None or folder is None:
        lacks = RECORDS if records is None else f"{FOLDERS[0]}/ or images/"
        raise InputError(f"{root} is not the published data set: it has no {lacks}.", "Name the folder that holds it.")
    images, problems = _images(folder, suffixes)
    if not images:
        raise InputError(f"{folder} holds no image whose name ends in a label.")
    table = None if authors else _find(root, SPLIT, folder=False)
    if authors or table is None:
        sides, faults = _sides_by_folder(root, images)
    else:
        sides, faults = _sides_by_table(table, images)
    return Published(tuple(images[k] for k in sorted(images)), sides, records, (*problems, *faults))


def parse_blocks(text: str) -> list[dict[str, str] | str]:
    """Blocks of the file in their order; any text is accepted.

    Returns:
        Of each the texts by the names of ``LINES``, as they stand, or why it could not be read.
    """
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return [_block(list(group)) for is_block, group in groupby(lines, key=bool) if is_block]


def _block(lines: list[str]) -> dict[str, str] | str:
    if not len(LINES) <= len(lines) <= MAX_LINES:
        return f"it has {len(lines)} lines where {len(LINES)} are expected (it begins {lines[0][:40]!r})"
    if not KEY.fullmatch(lines[0]):
        return f"it does not begin with a key: {lines[0][:60]!r}"
    return dict(zip(LINES, [*lines[:3], " ".join(lines[3:-3]), *lines[-3:]], strict=True))


def read_published_records(path: Path) -> tuple[list[Record], list[str]]:
    """Records of the authors' text file, and what could not be read.

    Raises:
        InputError: if there is no reading the file at all.
    """
    records: dict[str, Record] = {}
    problems = []
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    for number, cells in enumerate(parse_blocks(text), start=1):
        if isinstance(cells, str):
            problems.append(f"{path.name}, block {number}: {cells}")
            continue
        key = parse_key(cells["key"])
        named = {field: cells[columns[0]] for field, columns in map_columns(LINES).items()}
        parts = {"page": key.page, "figure": key.image, "panel": key.panel}
        named |= {name: str(part) for name, part in parts.items() if part is not None}
        try:
            record = make_record(named, source=path.name, raw=cells)
            problem = "" if records.setdefault(record.record_id, record) == record else TWICE
        except BadRowError as error:
            problem = str(error)
        if problem:
            problems.append(f"{path.name}, block {number} ({cells['key']}): {problem}")
    return list(records.values()), problems

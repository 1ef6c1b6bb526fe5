"""Folders of images, one a label, below ``train`` and ``test``: what torchvision's ImageFolder and many others read."""

from __future__ import annotations

from pathlib import Path

from polydata.exports.content import Advance, Content, Entry
from polydata.files.atomic import folder_name


def place(entry: Entry) -> str:
    """``SIDE/LABEL/SHA256.SUFFIX``."""
    return f"{entry.side}/{folder_name(entry.item.label)}/{entry.file}"


def write(content: Content, folder: Path, advance: Advance) -> None:
    """Write the images."""
    content.write_pictures(folder, place, advance)

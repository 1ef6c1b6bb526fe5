"""What a browser is given for an image: the stored file, or a PNG where a browser would show something else."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from polydata.errors import InputError
from polydata.files.atomic import replacing
from polydata.images.picture import ImageStore, open_picture

BROWSER_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
BROWSER_MODES = ("1", "L", "P", "RGB")
"""Modes that every browser shows as Pillow does. Alpha lets the page's ground shine through: a picture
that stands in the alpha channel alone would come out inverted or black. An alpha channel that hides nothing
does no harm."""
FOLDER = "shown"


def _hides_nothing(path: Path, true_format: str) -> bool:
    try:
        with Image.open(path, formats=[true_format]) as image:
            return image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema()[0] == 255
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{path} is a damaged image: {error}") from error


def file_to_show(store: ImageStore, sha256: str, true_format: str, mode: str) -> Path:
    """The file for the labelling page, below the store's folder.

    A PNG that has to be made lies in ``shown/`` there, under the SHA-256 of the image it shows.

    Raises:
        InputError: if the image is not in the store or cannot be read.
    """
    path = store.path(sha256, true_format)
    if not path.is_file():
        raise InputError(f"The image {sha256} is not in the store: {path} is missing.", "Extract its paper again.")
    if true_format in BROWSER_FORMATS and (mode in BROWSER_MODES or _hides_nothing(path, true_format)):
        return path
    target = store.root / FOLDER / sha256[:2] / f"{sha256}.png"
    if target.exists():
        return target
    picture = open_picture(path)
    with replacing(target) as out:
        picture.save(out, "PNG")
    return target

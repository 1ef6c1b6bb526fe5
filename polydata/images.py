"""Pictures: what their bytes say, how they are opened, and where they are kept.

The store is content-addressed: ``store/ab/abcdef….png`` holds the bytes whose SHA-256 is ``abcdef…``.
A file is written beside its place and moved there, so a killed process never leaves half an image.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import imagehash
from PIL import Image, ImageSequence, UnidentifiedImageError

from polydata.errors import InputError
from polydata.files import PART, replacing
from polydata.ids import sha256_bytes
from polydata.types import ImageInfo

MAX_PIXELS = 100_000_000
"""Larger pictures are refused: a 100-megapixel RGB image takes 300 MB once opened."""

HASH_SIDE = 128
"""Pixels to which the shorter side is at most shrunk before the perceptual hash is taken."""

SUFFIXES = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "TIFF": "tif", "BMP": "bmp", "WEBP": "webp"}
"""True formats that are kept, with the suffix of the stored file."""


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Image.Image]:
    """An image checked for format and size before any pixel is decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=list(SUFFIXES))
    except UnidentifiedImageError:
        raise InputError(f"{name} is not an image: its format is not known.") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{name} is not an image that can be read: {error}") from error
    with image:
        if image.width * image.height > MAX_PIXELS:
            raise InputError(f"{name} has {image.width} x {image.height} pixels; the limit is {MAX_PIXELS}")
        try:
            yield image
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            raise InputError(f"{name} is a damaged image: {error}") from error


def _is_alpha_only(image: Image.Image) -> bool:
    """True where colour is plain black throughout and the alpha channel is not plain."""
    if image.mode not in ("LA", "RGBA"):
        return False
    low, high = image.getchannel("A").getextrema()
    return low != high and not any(top for _, top in image.convert("RGB").getextrema())  # type: ignore[misc]


def _to_rgb(image: Image.Image) -> Image.Image:
    """The picture as a person sees it, in RGB: first frame, 16 bits scaled, alpha laid on white."""
    image = next(iter(ImageSequence.Iterator(image))).copy()
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    if _is_alpha_only(image):
        return image.getchannel("A").convert("RGB")
    if image.mode in ("LA", "RGBA"):
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(ground, image).convert("RGB")
    if image.mode.startswith("I;16"):
        image = image.convert("I")
    if image.mode in ("I", "F"):
        low, high = image.getextrema()  # one band, so one pair
        scale = 255.0 / (high - low) if high > low else 0.0  # type: ignore[operator]
        return image.point(lambda v: (v - low) * scale).convert("L").convert("RGB")
    return image.convert("RGB")


def open_picture(source: bytes | Path) -> Image.Image:
    """Open an image as RGB, the way a person sees it.

    Args:
        source: bytes of an image file, or where it lies. The format is told by content, not by name.

    Returns:
        An RGB image. Pictures held in the alpha channel alone come out as that channel in grey,
        transparency is laid on white, of several frames the first is taken.

    Raises:
        InputError: if it is no image, is damaged, or has more than ``MAX_PIXELS`` pixels.
    """
    data, name = (source, "the image") if isinstance(source, bytes) else (_read(source), str(source))
    with _opened(data, name) as image:
        return _to_rgb(image)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _phash(image: Image.Image) -> str:
    """64-bit perceptual hash, 16 hex digits. It looks at 32 x 32 means, so large pictures are shrunk fast first."""
    step = min(image.size) // HASH_SIDE
    return str(imagehash.phash(image.reduce(step) if step > 1 else image))


def describe(data: bytes, name: str = "the image", picture: Image.Image | None = None) -> ImageInfo:
    """What the bytes of an image say of it.

    Args:
        data: of an image file.
        name: for messages.
        picture: what they show, where the caller has it: they are not decoded then.

    Raises:
        InputError: as ``open_picture``.
    """
    with _opened(data, name) as image:
        return ImageInfo(
            sha256=sha256_bytes(data),
            phash=_phash(_to_rgb(image) if picture is None else picture),
            width=image.width,
            height=image.height,
            format=str(image.format),
            mode=image.mode,
            alpha_only=_is_alpha_only(image),
            size_bytes=len(data),
        )


class ImageStore:
    """Content-addressed image files below one folder.

    Args:
        root: the folder; made when the first image is put.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str, true_format: str) -> Path:
        """Where an image lies or would lie."""
        return self.root / sha256[:2] / f"{sha256}.{SUFFIXES[true_format]}"

    def sweep(self) -> None:
        """Remove half-written files that a killed process left; only where no other process writes."""
        for part in self.root.glob(f"**/.*{PART}"):
            part.unlink(missing_ok=True)

    def put(self, data: bytes, name: str = "the image", picture: Image.Image | None = None) -> ImageInfo:
        """Store the bytes, once, and say what they are; the arguments are those of ``describe``.

        Raises:
            InputError: if they are no image that can be read.
        """
        info = describe(data, name, picture)
        target = self.path(info.sha256, info.format)
        if target.exists():
            return info
        with replacing(target) as out:
            out.write(data)
        return info

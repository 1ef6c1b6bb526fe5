"""Pictures: what their bytes say, how they are opened, and where they are kept.

The store is content-addressed: ``store/ab/abcdef….png`` holds the bytes whose SHA-256 is ``abcdef…``.
A file is written beside its place and moved there, so a killed process never leaves half an image.
The store may also lie behind an address, such as a bucket; then files are fetched to the folder as they are needed.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import imagehash
from PIL import Image, UnidentifiedImageError

from polydata.errors import InputError, WorkspaceError
from polydata.files.atomic import PART, replacing
from polydata.files.find import files_below
from polydata.ids import sha256_bytes
from polydata.images.decode import is_alpha_only, is_plain, shown
from polydata.images.remote import Remote
from polydata.types import ImageInfo
from polydata.workspace import SETTINGS, Workspace

MAX_PIXELS = 100_000_000
"""Larger pictures are refused: a 100-megapixel RGB image takes 300 MB once opened."""

HASH_SIDE = 128
"""Pixels to which the shorter side is at most shrunk before the perceptual hash is taken."""

SUFFIXES = {"PNG": "png", "JPEG": "jpg", "MPO": "jpg", "GIF": "gif", "TIFF": "tif", "BMP": "bmp", "WEBP": "webp"}
"""True formats that are kept, with the suffix of the stored file; MPO is a JPEG with further ones behind it."""
FIGURES = "shown-figures"
"""Folder of pictures that can be drawn again."""
FILE_SUFFIXES = (*(f".{suffix}" for suffix in dict.fromkeys(SUFFIXES.values())), ".jpeg", ".tiff")
"""How names of image files end, in lower case."""


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Image.Image]:
    """An image checked for format and size before any pixel is decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=[name for name in SUFFIXES if name != "MPO"])
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


def read_image(path: Path) -> bytes:
    """The bytes of an image file.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check that it is there.") from error


def open_picture(source: bytes | Path, name: str = "the image") -> Image.Image:
    """Open an image as RGB, the way a person sees it.

    Args:
        source: bytes of an image file, or where it lies. The format is told by content, not by name.
        name: for messages about bytes.

    Returns:
        An RGB image, as ``decode.shown`` makes it.

    Raises:
        InputError: if it is no image, is damaged, or has more than ``MAX_PIXELS`` pixels.
    """
    data, name = (source, name) if isinstance(source, bytes) else (read_image(source), str(source))
    with _opened(data, name) as image:
        return shown(image)


def find_images(path: Path) -> list[Path]:
    """The file, or every image below the folder, in order of name; of a workspace the images of its store.

    Raises:
        InputError: if the path does not exist or the folder holds no image.
    """
    if not path.is_dir():
        if path.exists():
            return [path]
        raise InputError(f"There is no {path}.")
    top = Workspace.open(path).store if (path / SETTINGS).is_file() else path
    folders = sorted(top.glob("[0-9a-f][0-9a-f]")) if top != path else [path]
    found = [file for folder in folders for file in files_below(folder, FILE_SUFFIXES)]
    if not found:
        raise InputError(f"There are no images in {path}.", f"Known kinds: {', '.join(FILE_SUFFIXES)}.")
    return found


def is_plain_file(path: Path) -> bool:
    """Whether any reader shows the file as ``open_picture`` does, which is told without decoding most of them.

    Raises:
        InputError: as ``open_picture``.
    """
    with _opened(read_image(path), str(path)) as image:
        return is_plain(image)


def portable(data: bytes) -> tuple[bytes, str]:
    """The bytes of an image file that every reader shows alike, and the suffix that is true of them.

    PNG and JPEG stay byte for byte where they are grey or RGB, upright, and nothing shines through. Everything else
    comes as a PNG of what a person sees: GIF, TIFF, 16 bits, transparency, pictures that EXIF turns or that stand in
    the alpha channel alone.

    Args:
        data: of an image file; its format is told by content.

    Raises:
        InputError: as ``open_picture``.
    """
    with _opened(data, "the image") as image:
        suffix = SUFFIXES[str(image.format)]
        if suffix in ("png", "jpg") and is_plain(image):
            return data, suffix
        out = io.BytesIO()
        shown(image).save(out, "PNG")
    return out.getvalue(), "png"


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
        seen = shown(image) if picture is None else picture
        return ImageInfo(
            sha256=sha256_bytes(data),
            phash=_phash(seen),
            width=seen.width,
            height=seen.height,
            format=str(image.format),
            mode=image.mode,
            alpha_only=is_alpha_only(image),
            size_bytes=len(data),
        )


class ImageStore:
    """Content-addressed image files below one folder, or behind an address with that folder as a cache.

    Args:
        root: the folder; made when the first image is put. Behind an address it holds what was asked for.
        url: fsspec address such as ``s3://bucket/images``; empty for images on this machine's disk.
    """

    def __init__(self, root: Path, url: str = "") -> None:
        self.root = root
        self.remote = Remote(url) if url else None

    def path(self, sha256: str, true_format: str) -> Path:
        """Where an image lies or would lie on this machine. One that lies only behind the address is fetched.

        Raises:
            InputError: if the address cannot be read, or gives other bytes than were put.
        """
        name = file_name(sha256, true_format)
        path = self.root / name
        if self.remote is None or path.exists():
            return path
        try:
            data = self.remote.get(name)
        except FileNotFoundError:
            return path
        except OSError as error:
            raise InputError(f"The image {sha256} cannot be fetched: {error}", "Check the connection.") from error
        if sha256_bytes(data) != sha256:
            raise InputError(f"{self.remote}/{name} does not hold the image of its name.", "Extract its paper again.")
        with replacing(path) as out:
            out.write(data)
        return path

    def sweep(self) -> None:
        """Remove half-written files that a killed process left; only where no other process writes."""
        for part in self.root.glob(f"**/.*{PART}"):
            part.unlink(missing_ok=True)

    def remove(self, sha256: str, true_format: str) -> None:
        """Take an image out of the folder on this machine; one that is not there is none to take out.

        Behind the address it stays: other workspaces may keep their images under the same one.

        Raises:
            OSError: if it cannot be removed.
        """
        (self.root / file_name(sha256, true_format)).unlink(missing_ok=True)

    def put(self, data: bytes, name: str = "the image", picture: Image.Image | None = None) -> ImageInfo:
        """Store the bytes, once, and say what they are; the arguments are those of ``describe``.

        Raises:
            InputError: if they are no image that can be read.
            OSError: if they cannot be stored.
        """
        info = describe(data, name, picture)
        if self.remote is not None or not self.has(info.sha256, info.format):
            self.keep(data, info.sha256, info.format)
        return info

    def figure(self, name: str) -> Path:
        """Where the picture of a figure or page, known by 64 digits, lies or would lie on this machine."""
        return self.root / FIGURES / name[:2] / f"{name}.png"

    def has(self, sha256: str, true_format: str) -> bool:
        """Whether the store surely holds an image; one behind an address is not asked for."""
        return self.remote is None and (self.root / file_name(sha256, true_format)).exists()

    def unnamed(self, images: Iterable[tuple[str, str]]) -> list[Path]:
        """Files in the folder on this machine that are none of these images, each given by SHA-256 and true format."""
        named = {self.root / file_name(*image) for image in images}
        return [path for path in sorted(self.root.glob("[0-9a-f][0-9a-f]/[!.]*")) if path not in named]

    def read(self, sha256: str, true_format: str) -> bytes:
        """The bytes of an image, checked; nothing is written, whether the store is a folder or an address.

        Raises:
            InputError: if it is missing or damaged.
            OSError: if the store cannot be read.
        """
        name = file_name(sha256, true_format)
        try:
            path = self.root / name
            data = path.read_bytes() if self.remote is None or path.exists() else self.remote.get(name)
        except FileNotFoundError:
            raise InputError(f"The image {sha256} is missing.", "Extract its paper again.") from None
        if sha256_bytes(data) != sha256:
            raise InputError(f"The image {sha256} is damaged.", "Extract its paper again.")
        return data

    def place(self, sha256: str, true_format: str) -> str:
        """Where an image is kept, for messages."""
        return f"{self.remote or self.root}/{file_name(sha256, true_format)}"

    def keep(self, data: bytes, sha256: str, true_format: str) -> None:
        """Store the bytes of an image that is known already, as ``read`` gave them.

        Raises:
            OSError: if they cannot be stored.
        """
        name = file_name(sha256, true_format)
        if self.remote is not None:
            self.remote.put(name, data)
            return
        with replacing(self.root / name) as out:
            out.write(data)


def file_name(sha256: str, true_format: str) -> str:
    """Where an image lies below the store's folder."""
    return f"{sha256[:2]}/{sha256}.{SUFFIXES[true_format]}"


def image_store(workspace: Workspace) -> ImageStore:
    """The store of a workspace's images.

    Raises:
        WorkspaceError: if the address under [store] cannot be used.
    """
    store = ImageStore(workspace.store, workspace.settings.store.url)
    if store.remote is not None and store.remote.within_process():
        raise WorkspaceError(
            f"Images in {store.remote} would be lost at once.", "Correct url under [store] in polydata.toml."
        )
    return store

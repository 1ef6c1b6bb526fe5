"""Writes PDFs that mean harm, each with the reasons for which it may fail.

    python tests/support/make_hostile.py FOLDER

Most are written object by object, for a PDF library would refuse to write them.
"""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from make_pdf import below, encrypted

READ = "read"
"""Stands among the reasons where a file may also be extracted."""

CUTS = 20
FORMS = 5_000
"""Levels of forms, arrays and page trees."""


@dataclass(frozen=True)
class Hostile:
    """A file and what may become of it: reasons of failure, ``READ`` for none."""

    path: Path
    outcomes: frozenset[str]


def stream(data: bytes, entries: str = "") -> bytes:
    """A stream object with the right length."""
    return f"<</Length {len(data)} {entries}>>\nstream\n".encode() + data + b"\nendstream"


def packed(data: bytes, entries: str = "") -> bytes:
    """The same, compressed."""
    return stream(zlib.compress(data, 9), f"/Filter/FlateDecode {entries}")


def pdf(*objects: bytes | str) -> bytes:
    """A file of objects numbered from 1, with a true cross-reference; object 1 is the catalogue."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + (one.encode() if isinstance(one, str) else one) + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    out += f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


CATALOGUE = "<</Type/Catalog/Pages 2 0 R>>"
PAGES = "<</Type/Pages/Kids[3 0 R]/Count 1>>"
CAPTION = b" BT /F 9 Tf 60 80 Td (Figure 1. SEM micrograph of a blend.) Tj ET"


def page(contents: bytes, objects: str = "", more: tuple[bytes | str, ...] = (), box: str = "0 0 595 842") -> bytes:
    """A file of one page: its content, the XObjects it may use and the objects from number 5 on."""
    fonts = "/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
    head = f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R/Resources<<{fonts} {objects}>>>>"
    return pdf(CATALOGUE, PAGES, head, packed(contents + CAPTION), *more)


def image(width: int, height: int, data: bytes, entries: str = "/Filter/FlateDecode") -> bytes:
    """A page with one RGB image of which its file says these measures."""
    facts = f"/Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceRGB/BitsPerComponent 8"
    return page(b"q 300 0 0 300 60 100 cm /X Do Q", "/XObject<</X 5 0 R>>", (stream(data, f"{facts} {entries}"),))


def form(content: bytes, resources: str = "") -> bytes:
    return packed(content, f"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<<{resources}>>")


def forms(levels: int, width: int) -> bytes:
    """Forms that each draw the next, so many times."""
    chain = [form(b"/N Do " * width, f"/XObject<</N {6 + level} 0 R>>") for level in range(levels)]
    return page(b"/X Do", "/XObject<</X 5 0 R>>", (*chain, form(b"0 0 m 500 700 l S")))


def many_pages(count: int) -> bytes:
    kids = " ".join(f"{number} 0 R" for number in range(3, 3 + count))
    leaf = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
    return pdf(CATALOGUE, f"<</Type/Pages/Kids[{kids}]/Count {count}>>", *[leaf] * count)


def page_tree(levels: int) -> bytes:
    nodes = [f"<</Type/Pages/Parent {1 + n} 0 R/Kids[{3 + n} 0 R]/Count 1>>" for n in range(levels)]
    leaf = f"<</Type/Page/Parent {1 + levels} 0 R/MediaBox[0 0 595 842]>>"
    return pdf(CATALOGUE, *nodes, leaf)


def drawings(count: int) -> bytes:
    lines = (f"{i * 37 % 500 + 50} {i * 91 % 700 + 100} {i % 9 + 1} {i % 7 + 1} re f" for i in range(count))
    return page("\n".join(lines).encode())


def bomb() -> bytes:
    """Content of 10 GB once its two layers of compression are taken off."""
    packer = zlib.compressobj(9)
    block = b"q Q " * 262_144
    once = b"".join([packer.compress(block) for _ in range(10_000 // 4)]) + packer.flush()
    contents = stream(zlib.compress(once, 9), "/Filter[/FlateDecode/FlateDecode]")
    return pdf(CATALOGUE, PAGES, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>", contents)


def jpeg_that_lies() -> bytes:
    """A JPEG whose header speaks of 60,000 x 60,000 pixels in an image object that speaks of 100 x 100."""
    frame = bytes.fromhex("ffd8 ffc0 0011 08 ea60 ea60 03 011100 021100 031100 ffd9")
    return image(100, 100, frame, "/Filter/DCTDecode")


def pattern() -> bytes:
    """A page filled with a pattern that steps on by a millionth of a point."""
    tile = stream(
        b"0 0 1 1 re f",
        "/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/Resources<<>>"
        "/BBox[0 0 1 1]/XStep 0.000001/YStep 0.000001",
    )
    return page(b"/Pattern cs /P scn 0 0 595 842 re f", "/Pattern<</P 5 0 R>>", (tile,))


def own_mask() -> bytes:
    facts = "/Type/XObject/Subtype/Image/Width 100/Height 100/ColorSpace/DeviceRGB/BitsPerComponent 8/SMask 5 0 R"
    return page(b"q 300 0 0 300 60 100 cm /X Do Q", "/XObject<</X 5 0 R>>", (packed(bytes(30_000), facts),))


def box(numbers: str) -> bytes:
    return page(b"0 0 400 300 re f", box=numbers)


BROKEN, TOO_LARGE = frozenset({"broken"}), frozenset({"too-large"})
BEARABLE = frozenset({READ, "broken", "too-large", "too-slow", "out-of-memory"})
"""Either is right, as long as the file is dealt with alone."""

FILES: dict[str, tuple[Callable[[], bytes], frozenset[str]]] = {
    "empty": (bytes, BROKEN),
    "html": (lambda: b"<html><title>Sign in</title></html>" * 99, BROKEN),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(999), BROKEN),
    "only_a_header": (lambda: b"%PDF-1.7\n", BROKEN),
    "noise": (lambda: b"%PDF-1.4\n" + bytes(range(256)) * 400, BROKEN),
    "ten_thousand_pages": (lambda: many_pages(10_000), TOO_LARGE),
    "pages_that_are_not_there": (
        lambda: pdf(CATALOGUE, "<</Type/Pages/Kids[]/Count 900000000>>"),
        BROKEN | TOO_LARGE,
    ),
    "huge_image": (lambda: image(30_000, 30_000, zlib.compress(bytes(9_000_000))), TOO_LARGE),
    "image_without_its_data": (lambda: image(9_000, 9_000, zlib.compress(b"abc")), BEARABLE),
    "negative_image": (lambda: image(-5, 2_000_000_000, zlib.compress(bytes(999))), BEARABLE),
    "jpeg_that_lies": (jpeg_that_lies, BEARABLE),
    "image_that_masks_itself": (own_mask, BEARABLE),
    "page_tree_in_a_circle": (
        lambda: pdf(CATALOGUE, "<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2/Parent 2 0 R>>"),
        BEARABLE,
    ),
    "form_that_draws_itself": (
        lambda: page(b"/X Do", "/XObject<</X 5 0 R>>", (form(b"/X Do /X Do", "/XObject<</X 5 0 R>>"),)),
        BEARABLE,
    ),
    "object_that_is_itself": (lambda: pdf(CATALOGUE, PAGES, "3 0 R"), BEARABLE),
    "length_of_itself": (
        lambda: pdf(
            CATALOGUE,
            PAGES,
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
            b"<</Length 4 0 R>>\nstream\nq Q\nendstream",
        ),
        BEARABLE,
    ),
    "forms_within_forms": (lambda: forms(FORMS, 1), BEARABLE),
    "forms_without_end": (lambda: forms(9, 10), BEARABLE),
    "arrays_within_arrays": (
        lambda: pdf(CATALOGUE, PAGES, "[" * 200_000 + "]" * 200_000),
        BEARABLE,
    ),
    "content_within_content": (lambda: page(b"[" * 500_000), BEARABLE),
    "saved_states": (lambda: page(b"q " * 2_000_000), BEARABLE),
    "deep_page_tree": (lambda: page_tree(FORMS), BEARABLE),
    "many_drawings": (lambda: drawings(100_000), BEARABLE),
    "pattern_of_tiny_steps": (pattern, BEARABLE),
    "content_bomb": (bomb, BEARABLE),
    "wide_page": (lambda: box("0 0 1000000000 842"), BEARABLE),
    "endless_page": (lambda: box("0 0 1e38 1e38"), BEARABLE),
    "page_without_area": (lambda: box("0 0 0 0"), BEARABLE),
    "page_turned_inside_out": (lambda: box("595 842 -595 -842"), BEARABLE),
}

NAMES = (
    "line\nbreak.pdf",
    "..\\..\\up.pdf",
    "..%2f..%2fup.pdf",
    "\x1b[31mred\x1b[0m.pdf",
    "\x9b2J.pdf",
    "-rf.pdf",
    "\u202efdp.exe.pdf",
    "[bold]x[green].pdf",
    os.fsdecode(b"caf\xe9.pdf"),
)
"""Names that harm where they are printed or taken for a path."""


def write(folder: Path) -> Iterator[Hostile]:
    """Write all of them into a folder."""
    whole = folder / "whole.pdf"
    below(whole)
    data = whole.read_bytes()
    whole.unlink()
    for part in range(1, CUTS + 1):
        yield _put(folder / f"cut_{part:02}.pdf", data[: part * len(data) // (CUTS + 1)], BROKEN)
    locked = folder / "locked.pdf"
    encrypted(locked, user_password="secret")
    yield Hostile(locked, frozenset({"encrypted"}))
    for name, (make, outcomes) in FILES.items():
        yield _put(folder / f"{name}.pdf", make(), outcomes)
    for number, name in enumerate(NAMES):
        nameless = "\udce9" in name
        yield _put(folder / name, data + f"%{number}\n".encode(), frozenset({READ}))
        if not nameless:
            yield _put(folder / f"not{name}", f"no PDF, {number}".encode(), BROKEN)


def _put(path: Path, data: bytes, outcomes: frozenset[str]) -> Hostile:
    path.write_bytes(data)
    return Hostile(path, outcomes)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for one in write(target):
        sys.stdout.write(f"{one.path.name!r}: {', '.join(sorted(one.outcomes))}\n")

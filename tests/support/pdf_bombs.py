"""PDFs of a few kilobytes that would take minutes or gigabytes to draw."""

from __future__ import annotations

import zlib
from pathlib import Path

import pymupdf


def draw_object(page: pymupdf.Page, xref: int, command: bytes) -> None:
    """The page's whole content: a command that draws the object called ``Bomb``."""
    document = page.parent
    document.xref_set_key(page.xref, "Resources", f"<</XObject<</Bomb {xref} 0 R>>>>")
    contents = document.get_new_xref()
    document.update_object(contents, "<<>>")
    document.update_stream(contents, command)
    document.xref_set_key(page.xref, "Contents", f"{contents} 0 R")


def slow_pdf(path: Path) -> None:
    """A page that takes minutes to draw: forms that draw the next ten times, nine deep."""
    with pymupdf.open() as document:
        page = document.new_page()
        drawing, resources, form = b"0 0 m 500 700 l S ", "", 0
        for _ in range(9):
            form = document.get_new_xref()
            document.update_object(form, f"<</Type/XObject/Subtype/Form/BBox[0 0 600 800]{resources}>>")
            document.update_stream(form, drawing)
            drawing, resources = b"/Next Do " * 10, f"/Resources<</XObject<</Next {form} 0 R>>>>"
        draw_object(page, form, b"/Bomb Do")
        document.save(path)


def image_bomb(path: Path) -> None:
    """A picture of 60,000 pixels a side that is a kilobyte in the file."""
    with pymupdf.open() as document:
        page = document.new_page()
        xref = document.get_new_xref()
        document.update_object(
            xref,
            "<</Type/XObject/Subtype/Image/Width 60000/Height 60000/ColorSpace/DeviceRGB/BitsPerComponent 8"
            "/Filter/FlateDecode>>",
        )
        document.update_stream(xref, zlib.compress(bytes(1_000_000)), compress=False)
        draw_object(page, xref, b"q 300 0 0 300 100 100 cm /Bomb Do Q")
        document.save(path)

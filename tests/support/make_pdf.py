"""Draws small PDFs with known figures for the tests: each layout says what stands in it and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymupdf
from pdf_sheet import COLUMN, HEIGHT, MARGIN, RIGHT, WIDTH, Expected, Rect, Sheet, grid, jpeg, micrograph
from PIL import Image


def below(path: Path) -> list[Expected]:
    """The usual page: micrograph in the left column, caption under it, plot in the right, a mention in the text."""
    sheet = Sheet()
    sheet.prose(MARGIN, 60, MARGIN + COLUMN, 200)
    rect = (MARGIN, 210.0, MARGIN + COLUMN, 370.0)
    sheet.picture(rect, micrograph(1))
    text = "Figure 1. SEM micrograph of the PP/PA6 (70/30) blend after etching with formic acid. Scale bar = 10 µm."
    end = sheet.caption(text, MARGIN, 376, MARGIN + COLUMN)
    sheet.expect("Figure 1", rect, text)
    sheet.prose(MARGIN, end + 14, MARGIN + COLUMN, 700)
    sheet.prose(RIGHT, 60, RIGHT + COLUMN, 300)
    sheet.page.insert_textbox(
        pymupdf.Rect(RIGHT, 306, RIGHT + COLUMN, 345),
        "Figure 1 shows the fracture surface, and the modulus is given in\nFigure 2. The droplets are small.",
        fontsize=9,
    )
    rect = (RIGHT + 10, 360.0, RIGHT + 210, 520.0)
    sheet.plot(rect)
    text = "Figure 2. Storage modulus of the blends against temperature."
    end = sheet.caption(text, RIGHT, 526, RIGHT + COLUMN)
    sheet.expect("Figure 2", rect, text)
    sheet.prose(RIGHT, end + 14, RIGHT + COLUMN, 780)
    return sheet.save(path)


def above(path: Path) -> list[Expected]:
    """Captions over their figures, on two pages."""
    sheet = Sheet(1)
    for number in (1, 2):
        sheet.prose(MARGIN, 60, WIDTH - MARGIN, 180)
        text = f"FIG. {number}. Fracture surfaces of the annealed blends, set number {number}, at 25 °C."
        end = sheet.caption(text, MARGIN, 200, WIDTH - MARGIN)
        rect = (MARGIN + 60, end + 6, MARGIN + 360, end + 226)
        sheet.picture(rect, micrograph(10 + number))
        sheet.expect(f"FIG. {number}", rect, text)
        sheet.prose(MARGIN, end + 250, WIDTH - MARGIN, 760)
        if number == 1:
            sheet.new_page()
    return sheet.save(path)


def beside(path: Path) -> list[Expected]:
    """Caption left of its figure."""
    sheet = Sheet(2)
    rect = (240.0, 70.0, 540.0, 290.0)
    sheet.picture(rect, micrograph(20))
    text = "Figure 1 | Optical micrograph of a spherulite grown at 130 °C in a thin film between crossed polarisers."
    sheet.caption(text, MARGIN, 72, 220)
    sheet.expect("Figure 1", rect, text)
    sheet.prose(MARGIN, 320, WIDTH - MARGIN, 760)
    return sheet.save(path)


def overleaf(path: Path) -> list[Expected]:
    """A figure that fills a page, its caption on the next."""
    sheet = Sheet(3)
    sheet.prose(MARGIN, 60, WIDTH - MARGIN, 780)
    sheet.new_page()
    rect = (70.0, 80.0, 520.0, 760.0)
    sheet.picture(rect, micrograph(30, 450, 680))
    text = "Figure 1. Transmission electron micrograph of the stained block copolymer."
    sheet.expect("Figure 1", rect, text)
    sheet.new_page()
    end = sheet.caption(text, MARGIN, 60, WIDTH - MARGIN)
    sheet.prose(MARGIN, end + 20, WIDTH - MARGIN, 780)
    return sheet.save(path)


def rotated(path: Path) -> list[Expected]:
    """A page stored turned by 90 degrees; boxes are those of the page as shown."""
    sheet = Sheet(4)
    sheet.prose(MARGIN, 60, WIDTH - MARGIN, 780)
    plain = pymupdf.open()
    page = plain.new_page(width=HEIGHT, height=WIDTH)
    inner = Sheet(5)
    inner.doc, inner.page = plain, page
    rect = (80.0, 70.0, 480.0, 370.0)
    inner.picture(rect, micrograph(40, 400, 300))
    text = "Figure 1. SEM micrograph on a page that lies on its side."
    inner.caption(text, 80, 380, 480)
    inner.prose(80, 420, 700, 560)
    sheet.new_page(WIDTH, HEIGHT)
    sheet.page.show_pdf_page(sheet.page.rect, plain, 0, rotate=90)
    sheet.page.set_rotation(90)
    sheet.expect("Figure 1", rect, text)
    return sheet.save(path)


def strips(path: Path) -> list[Expected]:
    """One picture stored in three strips."""
    sheet = Sheet(6)
    whole = micrograph(50, 300, 240)
    rect = (MARGIN, 100.0, MARGIN + 300, 340.0)
    for index in range(3):
        part = whole.crop((0, 80 * index, 300, 80 * index + 80))
        sheet.picture((rect[0], rect[1] + 80 * index, rect[2], rect[1] + 80 * index + 80), part)
    text = "Scheme I Morphology of the blend seen from the side."
    sheet.caption("Fig. 3: " + text[9:], MARGIN, 350, MARGIN + 300)
    sheet.expect("Fig. 3", rect, "Fig. 3: " + text[9:])
    sheet.prose(MARGIN, 400, WIDTH - MARGIN, 700)
    return sheet.save(path)


def mask(path: Path) -> list[Expected]:
    """A scheme stored as a one-bit image mask, which comes out inverted when taken raw."""
    sheet = Sheet(7)
    width, height = 240, 120
    bits = np.ones((height, width), np.uint8)
    for ring in range(3):
        rows, columns = np.ogrid[:height, :width]
        radius = np.hypot(rows - 60, columns - (50 + 70 * ring))
        bits[(radius > 22) & (radius < 26)] = 0
    bits[59:62, 76:95] = bits[59:62, 146:165] = 0
    packed = np.packbits(bits, axis=1).tobytes()
    rect = (MARGIN, 100.0, MARGIN + 240, 220.0)
    xref = sheet.doc.get_new_xref()
    sheet.doc.update_object(
        xref, f"<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ImageMask true/BitsPerComponent 1>>"
    )
    sheet.doc.update_stream(xref, packed)
    _place(sheet, xref, rect)
    text = "Scheme 1. Synthesis of the compatibilizer."
    sheet.caption(text, MARGIN, 232, MARGIN + 300)
    sheet.expect("Scheme 1", rect, text)
    sheet.prose(MARGIN, 300, WIDTH - MARGIN, 700)
    return sheet.save(path)


def _place(sheet: Sheet, xref: int, rect: Rect) -> None:
    sheet.page.clean_contents()
    resources = sheet.doc.xref_get_key(sheet.page.xref, "Resources")
    assert resources[0] in ("dict", "null"), resources
    sheet.doc.xref_set_key(sheet.page.xref, "Resources/XObject", f"<</Mine {xref} 0 R>>")
    command = f"q 0 g {rect[2] - rect[0]} 0 0 {rect[3] - rect[1]} {rect[0]} {HEIGHT - rect[3]} cm /Mine Do Q\n"
    _add_contents(sheet, command.encode())


def _add_contents(sheet: Sheet, command: bytes) -> None:
    extra = sheet.doc.get_new_xref()
    sheet.doc.update_object(extra, "<<>>")
    sheet.doc.update_stream(extra, command)
    now = [f"{xref} 0 R" for xref in sheet.page.get_contents()]
    sheet.doc.xref_set_key(sheet.page.xref, "Contents", f"[{' '.join([*now, f'{extra} 0 R'])}]")


def inline(path: Path) -> list[Expected]:
    """A picture written into the page's own content, which the list of image objects does not hold."""
    sheet = Sheet(8)
    grey = np.asarray(micrograph(60, 120, 90).convert("L"))
    rect = (MARGIN, 90.0, MARGIN + 240, 270.0)
    data = grey.tobytes().hex().encode() + b">"
    command = (
        f"q {rect[2] - rect[0]} 0 0 {rect[3] - rect[1]} {rect[0]} {HEIGHT - rect[3]} cm\n"
        "BI /W 120 /H 90 /CS /G /BPC 8 /F /AHx ID "
    ).encode()
    _add_contents(sheet, command + data + b"\nEI Q\n")
    text = "Figure A.1. Scanning electron micrograph stored within the page."
    sheet.caption(text, MARGIN, 280, MARGIN + 300)
    sheet.expect("Figure A.1", rect, text)
    sheet.prose(MARGIN, 330, WIDTH - MARGIN, 700)
    return sheet.save(path)


def wide_over_column(path: Path) -> list[Expected]:
    """A figure over both columns, its caption in the left one; the right column goes on beside the caption."""
    sheet = Sheet(9)
    rect = (MARGIN, 70.0, WIDTH - MARGIN, 300.0)
    sheet.picture(rect, micrograph(70, 500, 230))
    text = "Figure 7-26 Cryofractured surface over the whole width of the moulded bar, with the skin on the left side."
    end = sheet.caption(text, MARGIN, 308, MARGIN + COLUMN)
    sheet.expect("Figure 7-26", rect, text)
    sheet.prose(MARGIN, end + 16, MARGIN + COLUMN, 760)
    sheet.prose(RIGHT, 320, RIGHT + COLUMN, 760)
    return sheet.save(path)


def level_captions(path: Path) -> list[Expected]:
    """Two figures side by side with level captions, 14 points apart."""
    sheet = Sheet(10)
    for column, number in ((MARGIN, 1), (RIGHT, 2)):
        rect = (column, 80.0, column + COLUMN, 260.0)
        sheet.picture(rect, micrograph(80 + number))
        text = f"Figure {number}. SEM micrograph of blend number {number} at low magnification."
        end = sheet.caption(text, column, 268, column + COLUMN)
        sheet.expect(f"Figure {number}", rect, text)
        sheet.prose(column, end + 16, column + COLUMN, 760)
    return sheet.save(path)


def _cells(rect: Rect, rows: int, columns: int, gap: float = 0.0) -> list[Rect]:
    width = (rect[2] - rect[0] - gap * (columns - 1)) / columns
    height = (rect[3] - rect[1] - gap * (rows - 1)) / rows
    return [
        (
            rect[0] + c * (width + gap),
            rect[1] + r * (height + gap),
            rect[0] + c * (width + gap) + width,
            rect[1] + r * (height + gap) + height,
        )
        for r in range(rows)
        for c in range(columns)
    ]


PANEL_TEXT = (
    "Figure 1. SEM micrographs of the PLA/PBAT blends: (a) 90/10; (b) 80/20; (c) 70/30 and (d) 60/40. "
    "Scale bars are 5 µm."
)


def touching(path: Path) -> list[Expected]:
    """Four pictures in one raster without gutters."""
    sheet = Sheet(11)
    rect = (MARGIN, 80.0, MARGIN + 400, 380.0)
    sheet.picture(rect, grid([micrograph(90 + i, 320, 240) for i in range(4)], 2))
    sheet.caption(PANEL_TEXT, MARGIN, 390, MARGIN + 400)
    sheet.expect("Figure 1", rect, PANEL_TEXT, list(zip("abcd", _cells(rect, 2, 2), strict=True)))
    sheet.prose(MARGIN, 440, WIDTH - MARGIN, 760)
    return sheet.save(path)


def gutters(path: Path) -> list[Expected]:
    """Four pictures in one raster with white gutters, each with an information bar at its foot."""
    sheet = Sheet(12)
    images = []
    for index in range(4):
        image = micrograph(100 + index, 320, 240)
        image.paste((0, 0, 0), (0, 218, 320, 240))
        image.paste((250, 250, 250), (230, 226, 300, 229))
        images.append(image)
    rect = (MARGIN, 80.0, MARGIN + 404, 380.0)
    sheet.picture(rect, grid(images, 2, gap=8))
    sheet.caption(PANEL_TEXT, MARGIN, 390, MARGIN + 400)
    sheet.expect("Figure 1", rect, PANEL_TEXT, list(zip("abcd", _cells(rect, 2, 2, 5.0), strict=True)))
    sheet.prose(MARGIN, 440, WIDTH - MARGIN, 760)
    return sheet.save(path)


def objects(path: Path) -> list[Expected]:
    """Four pictures stored as JPEGs of their own."""
    sheet = Sheet(13)
    rect = (MARGIN, 80.0, MARGIN + 406, 386.0)
    cells = _cells(rect, 2, 2, 6.0)
    for index, cell in enumerate(cells):
        sheet.picture(cell, jpeg(micrograph(110 + index, 320, 240)))
    sheet.caption(PANEL_TEXT, MARGIN, 394, MARGIN + 400)
    sheet.expect("Figure 1", rect, PANEL_TEXT, list(zip("abcd", cells, strict=True)))
    sheet.prose(MARGIN, 440, WIDTH - MARGIN, 760)
    return sheet.save(path)


def logo_and_table(path: Path) -> list[Expected]:
    """Three pages with a logo in the head, a ruled table with its caption, and one figure on the last page."""
    sheet = Sheet(14)
    logo = Image.new("RGB", (80, 40), (20, 60, 140))
    for number in range(3):
        sheet.picture((WIDTH - 110, 20, WIDTH - 50, 50), logo)
        sheet.page.insert_text((MARGIN, 40), "Journal of Polymer Blends", fontsize=8)
        sheet.page.insert_text((WIDTH / 2, HEIGHT - 20), str(number + 1), fontsize=8)
        sheet.prose(MARGIN, 70, WIDTH - MARGIN, 220)
        if number < 2:
            sheet.page.insert_text((MARGIN, 250), "Table 1. Formulations of the blends (wt %).", fontsize=8)
            for row in range(5):
                for column in range(4):
                    sheet.page.insert_text((MARGIN + column * 60, 272 + row * 13), f"S-{row}{column}", fontsize=8)
            for y in (256, 278, 330):
                sheet.page.draw_line(pymupdf.Point(MARGIN, y), pymupdf.Point(MARGIN + COLUMN, y))
            sheet.prose(MARGIN, 350, WIDTH - MARGIN, 760)
            sheet.new_page()
    rect = (MARGIN, 240.0, MARGIN + 300, 460.0)
    sheet.picture(rect, micrograph(120))
    text = "図1. ブレンドの走査型電子顕微鏡写真"
    sheet.page.insert_text((MARGIN, 476), text, fontsize=9, fontname="japan")
    sheet.expect("図1", rect, text)
    return sheet.save(path)


def nothing(path: Path) -> list[Expected]:
    """Text alone, with mentions of figures in every form, and not one figure."""
    sheet = Sheet(15)
    for index, text in enumerate(
        (
            "Figure 2 shows the fracture surface of the blend, and it is seen that the droplets are small and round.",
            "Fig. 3a and b are compared with the results of the neat components in the following section of this text.",
            "Figures 4 and 5 present the modulus of the blends, which is higher than the rule of mixtures would give.",
            "Scheme 1 illustrates the reaction between the anhydride and the amine end groups of the polyamide phase.",
        )
    ):
        sheet.page.insert_textbox(
            pymupdf.Rect(MARGIN, 60 + 60 * index, MARGIN + COLUMN, 118 + 60 * index), text, fontsize=9
        )
    sheet.prose(MARGIN, 320, MARGIN + COLUMN, 760)
    sheet.prose(RIGHT, 60, RIGHT + COLUMN, 760)
    return sheet.save(path)


LAYOUTS: dict[str, Callable[[Path], list[Expected]]] = {
    layout.__name__: layout
    for layout in (
        below, above, beside, overleaf, rotated, strips, mask, inline, wide_over_column, level_captions,
        touching, gutters, objects, logo_and_table, nothing,
    )
}  # fmt: skip


def encrypted(path: Path, user_password: str) -> None:
    """The page of ``below`` with RC4 encryption; an empty user password opens without being asked."""
    plain = path.with_suffix(".plain.pdf")
    below(plain)
    with pymupdf.open(plain) as document:
        document.save(
            path, encryption=pymupdf.PDF_ENCRYPT_RC4_128, owner_pw="owner", user_pw=user_password, permissions=0
        )
    plain.unlink()

"""Print that microscopes and authors burn into micrographs, drawn at random: bars, values, magnifications, all else.

``train_scale_bars.py`` trains on it, and measures by style. Each style follows a maker's layout: JEOL's letters of dots
over the texture, Philips' two rows with a thin bar, FEI's strip of many fields, Hitachi's eleven ticks, Zeiss' box,
TESCAN's table, and what authors draw themselves. What is drawn is then blurred, shrunk and compressed as papers do.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from drawn_print import (
    HEADS,
    WORDS,
    Grey,
    Pen,
    Rng,
    Scene,
    Value,
    draw_face,
    draw_ink,
    draw_size,
    draw_value,
    draw_word,
    fill_strip,
    ground,
    worn,
)

NOTES = ("5 wt%", "70/30", "PP", "PA6", "EPDM", "matrix", "100 °C", "10 min", "No. 5", "Fig. 2", "t = 5 s")
LETTERS = (*"abcdefghABCDEFGH123456",)
COLOURED = (29, 76, 105, 150, 179, 226)
"""Blue, red, magenta, green, cyan and yellow, as they are in grey."""


def jeol(scene: Scene, size: int, rng: Rng) -> None:
    """One row over the texture or on a strip: kilovolt, magnification, the bar over its value, a number."""
    rows, columns = scene.grey.shape
    level, edge = draw_ink(rng)
    face = draw_face(rng, bitmap=0.85)
    y = rows - size * float(rng.uniform(0.45, 1.8))
    if rng.random() < 0.25:
        level, edge = fill_strip(scene, y - size * float(rng.uniform(1, 1.8)), rng), None
    pen = Pen(scene, face, level, edge, float(rng.uniform(0.75, 1)))
    x, gap = float(rng.uniform(0, 0.2 * columns)), size * float(rng.uniform(0.8, 3.5))
    size_of, words = draw_size(rng), [draw_word(rng) for _ in range(3)]
    row: list[str | Value] = [*words[:1], size_of, draw_value(rng), *words[1:2]]
    if rng.random() < 0.5:
        row.insert(0, words[2])
    if rng.random() < 0.3:
        row[-1], row[-2] = row[-2], row[-1]
    for text in row:
        box = pen.text(text, x, y, size, kind="size" if text is size_of else "")
        if isinstance(text, Value):
            length = max(12.0, (box[2] - box[0]) * float(np.exp(rng.uniform(-0.9, 1.2))))
            start = (box[0] + box[2]) / 2 - length * float(rng.uniform(0.35, 0.65))
            if rng.random() < 0.75:
                thick = max(1, round(size * float(rng.uniform(0.08, 0.25))))
                pen.bar(start, start + length, box[1] - size * float(rng.uniform(0.2, 0.6)), thick)
            else:
                start, ticks = box[2] + size * float(rng.uniform(0.5, 1.2)), round(size * float(rng.choice([0, 0.3])))
                pen.bar(start, start + length, y, max(1, round(size * 0.12)), ticks=ticks)
                box = (box[0], box[1], start + length, box[3])
        x = box[2] + gap


def philips(scene: Scene, size: int, rng: Rng) -> None:
    """Two rows of fields and a thin bar with ticks, its value to the right."""
    rows, columns = scene.grey.shape
    face, thin = draw_face(rng, bitmap=0.4), max(1, round(size * float(rng.uniform(0.07, 0.16))))
    step = size * float(rng.uniform(1.3, 1.7))
    base = rows - size * float(rng.uniform(0.6, 1.2 if rng.random() < 0.6 else 4))
    level, edge = draw_ink(rng)
    how = rng.random()
    if how < 0.3:
        level, edge = fill_strip(scene, base - step - size * float(rng.uniform(0.6, 0.9)), rng), None
    elif how < 0.5:  # a label behind the print alone
        left, right = (int(columns * share) for share in rng.uniform((0, 0.8), (0.1, 1)))
        scene.grey[max(0, round(base - step - size)) : round(base + size), left:right] = 0
        level, edge = 255, None
    pen = Pen(scene, face, level, edge, float(rng.uniform(0.8, 1)))
    x = float(rng.uniform(-0.1, 0.1)) * columns
    for head in rng.permutation(HEADS)[: int(rng.integers(2, 6))]:
        over = pen.text(str(head), x, base - step, size)
        kind = "size" if head == "Magn" else ""
        under = pen.text(draw_size(rng) if kind else draw_word(rng), x, base, size, kind=kind)
        x = max(over[2], under[2]) + size * float(rng.uniform(0.4, 1))
    length = max(2.5 * size, float(rng.uniform(0.1, 0.4)) * columns)
    x = max(x, columns * float(rng.uniform(0.3, 0.8)) - length)
    y = base - step
    pen.bar(x, x + length, y, thin, ticks=round(size * float(rng.uniform(0.2, 0.45))))
    pen.text(draw_value(rng), x + length + size * float(rng.uniform(0.4, 1)), y, size)
    if rng.random() < 0.5:
        pen.text(draw_word(rng), x, base, size)


def fei(scene: Scene, size: int, rng: Rng) -> None:
    """A strip of fields between upright lines; the bar is split by its value or stands over or under it."""
    rows, columns = scene.grey.shape
    high = size * float(rng.uniform(1.7, 3.4))
    top = rows - high
    ink = fill_strip(scene, top, rng)
    pen = Pen(scene, draw_face(rng, bitmap=0.25), ink)
    if rng.random() < 0.4:
        pen.line(0, columns, top, 1)
    middle, x = top + high / 2, float(rng.uniform(0, size))
    two = high > 2.6 * size
    right = columns * float(rng.uniform(0.45, 0.7))
    while x < right:
        if two:
            over = pen.text(str(rng.choice(WORDS)), x, middle - 0.65 * size, size)
            kind = "size" if rng.random() < 0.3 else ""
            under = pen.text(draw_size(rng) if kind else draw_word(rng), x, middle + 0.65 * size, size, kind=kind)
            x = max(over[2], under[2])
        else:
            kind = "size" if rng.random() < 0.3 else ""
            x = pen.text(draw_size(rng) if kind else draw_word(rng), x, middle, size, kind=kind)[2]
        x += 0.5 * size
        pen.block(x, top, 1, high)
        x += 0.5 * size
    left, right = x + size * float(rng.uniform(0.3, 2)), columns - size * float(rng.uniform(0.3, 2))
    _wide_bar(pen, (left, right), middle, (size, high), rng)


def _wide_bar(pen: Pen, ends: tuple[float, float], middle: float, room: tuple[int, float], rng: Rng) -> None:
    """A bar in a field of a strip, with its value in, over or under it; ``room`` is the letters' height and its own."""
    (left, right), (size, high) = ends, room
    value, thin = draw_value(rng), max(1, round(size * float(rng.uniform(0.07, 0.25))))
    wide = pen.face.ink(value.text, size).shape[1]
    if right - left < wide + 3 * size:
        left = right - wide - 3 * size
    length = max(wide + 2.0 * size, (right - left) * float(rng.uniform(0.5, 1)))
    start = left + (right - left - length) * float(rng.random())
    ticks = round(size * float(rng.choice([0, 0.2, 0.35, 0.5])))
    if rng.random() < 0.55 or high < 2.4 * size:
        centre, gap = start + length / 2, wide / 2 + size * float(rng.uniform(0.2, 0.7))
        pen.line(start, centre - gap, middle, thin)
        pen.line(centre + gap, start + length, middle, thin)
        for x in (start, start + length - 1) if ticks else ():
            pen.block(x, middle - ticks, min(thin, 2), 2 * ticks + thin)
        pen.scene.bars.append((round(start), round(middle), round(start + length), round(middle) + thin))
        pen.text(value, centre, middle, size, anchor="mm")
        return
    side = 1 if rng.random() < 0.5 else -1
    pen.bar(start, start + length, middle + side * 0.5 * size, thin, ticks=round(ticks / 2))
    pen.text(value, start + length / 2, middle - side * 0.45 * size, size, anchor="mm")


def hitachi(scene: Scene, size: int, rng: Rng) -> None:
    """One row with the value at the right, eleven ticks above it or beside it."""
    rows, columns = scene.grey.shape
    level, edge = draw_ink(rng)
    y = rows - size * float(rng.uniform(0.45, 1.6))
    if rng.random() < 0.45:
        level, edge = fill_strip(scene, y - size * float(rng.uniform(0.8, 2.2)), rng), None
    pen = Pen(scene, draw_face(rng, bitmap=0.35), level, edge, float(rng.uniform(0.8, 1)))
    x, gap = columns - size * float(rng.uniform(0.3, 2.5)), size * float(rng.uniform(0.6, 1.4))
    ends = pen.text(draw_value(rng), x, y, size, anchor="rm")
    x = pen.text(draw_size(rng), ends[0] - gap, y, size, kind="size", anchor="rm")[0] - gap
    for _ in range(int(rng.integers(1, 4))):
        x = pen.text(draw_word(rng), x, y, size, anchor="rm")[0] - gap
    step = max(2, min(round(size * float(np.exp(rng.uniform(-1, 0.9)))), columns // 16))
    right = round(ends[2] - rng.uniform(0, 1.2) * size)
    foot = ends[1] - size * float(rng.uniform(0.15, 0.5))
    short = max(2, round(size * float(rng.uniform(0.15, 0.35))))
    long, thin = round(short * float(rng.choice([1, 1.6, 2.2]))), max(1, round(size / 12))
    for k in range(11):
        tall = long if k % 5 == 0 else short
        pen.block(right - k * step, foot - tall, thin, tall)
    scene.bars.append((right - 10 * step, round(foot - long), right + thin, round(foot)))


def zeiss(scene: Scene, size: int, rng: Rng) -> None:
    """A box at the left with the value over a bar of brackets, then fields in one or two rows."""
    rows, columns = scene.grey.shape
    high = size * float(rng.uniform(2.4, 3.2))
    top = rows - high
    whole = rng.random() < 0.5
    back = int(rng.choice([0, 255]))
    ink = fill_strip(scene, top, rng, back) if whole else 255 - back
    pen = Pen(scene, draw_face(rng, bitmap=0.2), ink)
    value = draw_value(rng)
    wide = pen.face.ink(value.text, size).shape[1]
    length = max(1.2 * wide, columns * float(rng.uniform(0.08, 0.35)))
    x = size * float(rng.uniform(0.4, 1.2))
    if not whole:
        scene.grey[round(top) :, : round(x + length + x)] = back
    pen.text(value, x + length / 2, top + 0.85 * size, size, anchor="mm")
    thin = max(1, round(size * float(rng.uniform(0.08, 0.2))))
    pen.bar(x, x + length, top + high - 0.75 * size, thin, ticks=round(size * float(rng.choice([0.2, 0.3, 0.45]))))
    small = max(7, round(size * float(rng.uniform(0.6, 1))))
    if not whole:
        pen = Pen(scene, pen.face, *draw_ink(rng))
    x += length + 2 * size
    while x < columns:
        kind = "size" if rng.random() < 0.3 else ""
        text = draw_size(rng) if kind else draw_word(rng)
        if kind and rng.random() < 0.6:
            x = pen.text("Mag =", x, top + 0.3 * high, small)[2] + 0.5 * small
        over = pen.text(text, x, top + 0.3 * high, small, kind=kind)
        under = pen.text(draw_word(rng), x, top + 0.72 * high, small)
        x = max(over[2], under[2]) + small * float(rng.uniform(0.8, 2))


def tescan(scene: Scene, size: int, rng: Rng) -> None:
    """A table of two or three rows; a bar of ticks with its value below or in it."""
    rows, columns = scene.grey.shape
    lines = int(rng.integers(2, 4))
    high = size * (1.6 * lines + 0.4)
    top = rows - high
    ink = fill_strip(scene, top, rng, int(rng.choice([0, 0, 40, 255])))
    pen = Pen(scene, draw_face(rng, bitmap=0.15), ink)
    x = 0.4 * size
    for _ in range(int(rng.integers(1, 4))):
        far = x
        for line in range(lines):
            y = top + size * (1.0 + 1.6 * line)
            head = str(rng.choice(["SEM HV:", "WD:", "Det:", "SEM MAG:", "View field:", "Date:", "Vac:"]))
            box = pen.text(head, x, y, size)
            kind = "size" if head in ("SEM MAG:", "View field:") else ""
            box = pen.text(draw_size(rng) if kind else draw_word(rng), box[2] + 0.5 * size, y, size, kind=kind)
            far = max(far, box[2])
        x = far + size
    right = columns - size * float(rng.uniform(0.3, 2))
    _wide_bar(pen, (min(x, columns * 0.6), right), top + high * float(rng.uniform(0.3, 0.55)), (size, high), rng)


def drawn(scene: Scene, size: int, rng: Rng) -> None:
    """What authors draw: a bar with its value over, under or beside it, with ticks, a bracket or a box."""
    rows, columns = scene.grey.shape
    level, edge = draw_ink(rng)
    face, value = draw_face(rng, bitmap=0.15), draw_value(rng)
    wide, tall = face.ink(value.text, size).shape[1], 1.1 * size
    length = float(np.clip(wide * np.exp(rng.uniform(-0.7, 1.4)), 14, 0.7 * columns))
    if rng.random() < 0.15:  # in colour
        level = int(rng.choice(COLOURED))
    thick = max(1, round(size * float(np.exp(rng.uniform(np.log(0.06), np.log(0.9))))))
    if rng.random() < 0.08:
        _filled(scene, Pen(scene, face, level, edge), (value, length + wide), size, rng)
        return
    if rng.random() < 0.06:  # its value stands in the caption alone
        y, x = float(rng.uniform(0.6, 1)) * (rows - thick), float(rng.uniform(0, max(1.0, columns - length)))
        Pen(scene, face, level, edge).bar(x, x + length, y, thick)
        return
    beside = rng.random() < 0.2
    block_w = length + wide + size if beside else max(length, wide)
    block_h = max(tall, thick) if beside else tall + thick + 0.5 * size
    margin = size * float(rng.uniform(0.3, 1.8))
    at = margin if rng.random() < 0.5 else columns - margin - block_w
    if rng.random() < 0.2:
        at = float(rng.uniform(0, max(1, columns - block_w)))
    foot = rows - margin if rng.random() < 0.85 else float(rng.uniform(block_h, rows))
    if rng.random() < 0.4:
        back = int(rng.choice([0, 255, 255, int(rng.integers(0, 256))]))
        level, edge = (255 if back < 128 else 0), None
        pad = size * float(rng.uniform(0.2, 0.8))
        y0, x0 = max(0, round(foot - block_h - pad)), max(0, round(at - pad))
        y1, x1 = round(foot + pad), round(at + block_w + pad)
        scene.grey[y0:y1, x0:x1] = back
        if rng.random() < 0.25:
            cv2.rectangle(scene.grey, (x0, y0), (x1, y1), int(level), 1)
    pen = Pen(scene, face, level, edge)
    ticks = round(size * float(rng.choice([0, 0, 0, 0.25, 0.5])))
    down = bool(rng.random() < 0.3)
    if beside:
        bar_at, text_at = (at, at + length + 0.7 * size) if rng.random() < 0.5 else (at + wide + size, at)
        pen.bar(bar_at, bar_at + length, foot - block_h / 2 - thick / 2, thick, ticks=ticks)
        pen.text(value, text_at, foot - block_h / 2, size)
        return
    start, centre = at + (block_w - length) / 2, at + block_w / 2
    if rng.random() < 0.6:
        gap = size * float(rng.uniform(-0.02, 0.6))
        pen.bar(start, start + length, foot - thick, thick, ticks=ticks)
        pen.text(value, centre, foot - thick - gap, size, anchor="mb")
    else:
        pen.bar(start, start + length, foot - block_h, thick, ticks=ticks, down=down)
        pen.text(value, centre, foot - block_h + thick + size * float(rng.uniform(0, 0.5)), size, anchor="mt")


def _filled(scene: Scene, pen: Pen, what: tuple[Value, float], size: int, rng: Rng) -> None:
    """A bar so thick that its value stands in it."""
    (value, length), (rows, columns) = what, scene.grey.shape
    thick = round(size * float(rng.uniform(1.3, 1.8)))
    x = float(rng.uniform(0, max(1.0, columns - length)))
    y = float(rows - thick - size * rng.uniform(0, 1.5))
    pen.bar(x, x + length, y, thick)
    inner = Pen(scene, pen.face, 0 if pen.level > 128 else 255)
    inner.text(value, x + length / 2, y + thick / 2, size, anchor="mm")


def _letter(rng: Rng) -> str:
    """A panel's letter."""
    letter = str(rng.choice(LETTERS))
    return str(rng.choice([letter, f"({letter})", f"{letter})"]))


def nothing(scene: Scene, size: int, rng: Rng) -> None:
    """No bar: bare texture, panel letters, words, arrows, lines, a frame, a strip without its bar."""
    rows, columns = scene.grey.shape
    level, edge = draw_ink(rng)
    pen = Pen(scene, draw_face(rng), level, edge)
    how = rng.random()
    if how < 0.3:
        return
    if how < 0.55:
        pen.text(_letter(rng), rng.uniform(0, columns), rng.uniform(0, rows), 2 * size)
    elif how < 0.75:
        y = rows - size
        if rng.random() < 0.5:
            pen.level = fill_strip(scene, y - size, rng)
        x = float(rng.uniform(0, size))
        while x < columns:
            kind = "size" if rng.random() < 0.25 else ""
            x = pen.text(draw_size(rng) if kind else draw_word(rng), x, y, size, kind=kind)[2] + size
    else:
        for _ in range(int(rng.integers(1, 4))):
            if rng.random() < 0.5:
                a, b = rng.uniform(0, columns, 2), rng.uniform(0, rows, 2)
                cv2.arrowedLine(scene.grey, (int(a[0]), int(b[0])), (int(a[1]), int(b[1])), level, 2)
            else:
                pen.text(str(rng.choice(NOTES)), rng.uniform(0, columns), rng.uniform(0, rows), size)


def surround(scene: Scene, size: int, rng: Rng) -> None:
    """What may stand about any of them: a panel letter in an upper corner, a frame that the cut left."""
    rows, columns = scene.grey.shape
    if rng.random() < 0.25:
        x = size if rng.random() < 0.7 else columns - 3 * size
        pen = Pen(scene, draw_face(rng, bitmap=0.1), *draw_ink(rng))
        pen.text(_letter(rng), x, 1.5 * size, round(1.4 * size))
    if rng.random() < 0.3:
        wide, tone = int(rng.integers(1, 6)), int(rng.choice([0, 255]))
        sides = rng.random(3) < 0.6
        scene.grey[rows - wide * sides[0] :] = tone
        scene.grey[:, columns - wide * sides[1] :] = tone
        scene.grey[:, : wide * sides[2]] = tone


STYLES: dict[str, Callable[[Scene, int, Rng], None]] = {
    "jeol": jeol, "philips": philips, "fei": fei, "hitachi": hitachi, "zeiss": zeiss, "tescan": tescan, "drawn": drawn,
    "nothing": nothing,
}  # fmt: skip
SHARES = (0.15, 0.1, 0.12, 0.1, 0.08, 0.07, 0.28, 0.1)
"""Of the styles among pictures at random."""


def draw_scene(textures: list[Grey], rng: Rng, rows: int, columns: int, style: str | None = None) -> Scene:
    """A picture with print in one style, or in none.

    Args:
        textures: squares without print.
        rng: of which all is drawn.
        rows, columns: of the picture.
        style: a key of ``STYLES``; at random where None.
    """
    style = style or str(rng.choice(list(STYLES), p=SHARES))
    scene = Scene(ground(textures, rows, columns, rng))
    low, high = (7, 26) if style in ("fei", "tescan", "philips") else (7, 60)
    size = round(float(np.exp(rng.uniform(np.log(low), np.log(min(high, rows / 4))))))
    STYLES[style](scene, size, rng)
    surround(scene, size, rng)
    # Letters stay at least five pixels high where they are shrunk most.
    scene.grey = worn(scene.grey, rng, float(rng.uniform(max(0.35, min(1.0, 5.5 / size)), 1.0)))
    return scene


def draw_line(textures: list[Grey], rng: Rng) -> tuple[Grey, str]:
    """One line of print as it is cut out for the recogniser, and what it says; now and then nothing at all."""
    size = round(float(np.exp(rng.uniform(np.log(8), np.log(34)))))
    how = rng.random()
    text = draw_value(rng).text if how < 0.66 else draw_size(rng) if how < 0.9 else draw_word(rng) if how < 0.96 else ""
    face = draw_face(rng, bitmap=0.45)
    mask = face.ink(text or "0000", size)
    tall, wide = mask.shape
    margin = 2 * size
    scene = Scene(ground(textures, tall + 2 * margin, wide + 4 * margin, rng))
    level, edge = draw_ink(rng)
    if abs(float(scene.grey.mean()) - level) < 60:
        level, edge = 255 - level, edge and 255 - edge
    if rng.random() < 0.45:
        level, edge = fill_strip(scene, 0, rng), None
    pen = Pen(scene, face, level, edge, float(rng.uniform(0.7, 1)))
    x, y = 2 * margin, margin + tall / 2
    if text:
        pen.stamp(mask, x, margin)
        if rng.random() < 0.5:
            pen.text(draw_word(rng), x - size * float(rng.uniform(0.7, 2)), y, size, anchor="rm")
        if rng.random() < 0.5:
            pen.text(draw_word(rng), x + wide + size * float(rng.uniform(0.7, 2)), y, size)
        if rng.random() < 0.7:
            thick, gap = max(1, round(size * float(rng.uniform(0.07, 0.3)))), size * float(rng.uniform(0.12, 0.5))
            start = x + wide / 2 - wide * float(rng.uniform(0.3, 2))
            row = margin - gap - thick if rng.random() < 0.6 else margin + tall + gap
            pen.line(start, start + wide * float(rng.uniform(0.5, 3)), row, thick)
    grey = worn(scene.grey, rng, float(rng.uniform(max(0.35, min(1.0, 5.5 / size)), 1.0)))
    over, under, left, right = tall * rng.uniform((-0.04, -0.04, -0.05, -0.05), (0.3, 0.3, 0.5, 0.5))
    rows = slice(max(0, round(margin - over)), round(margin + tall + under))
    return grey[rows, max(0, round(x - left)) : round(x + wide + right)], text

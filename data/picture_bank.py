"""Pictures from which figures are composed, kept as the bytes of image files and shown otherwise each time."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from drawn_fillings import FILLED, open_photographs, open_textures
from drawn_micrographs import Rgb, Rng, micrograph
from drawn_pictures import MICROGRAPHS, REST, draw
from PIL import Image


@dataclass
class Bank:
    """Pictures from which figures are composed, each as the bytes of an image file.

    Attributes:
        micrographs: square, without print.
        others: plots, drawings, writing.
        filled: photographs, maps, meshes and patterns: what fills its frame as a micrograph does and is none.
    """

    micrographs: list[bytes]
    others: list[bytes]
    filled: list[bytes]

    def micrograph(self, rng: Rng) -> Rgb:
        """One at random, cut, turned, and shown otherwise than it was drawn."""
        picture = self._piece(rng)
        if rng.random() < 0.15:
            other, share = self._piece(rng), float(rng.uniform(0.3, 0.7))
            picture = cv2.addWeighted(picture, share, cv2.resize(other, picture.shape[1::-1]), 1 - share, 0)
        return another_light(picture, rng)

    def _piece(self, rng: Rng) -> Rgb:
        picture = _decoded(self.micrographs[int(rng.integers(len(self.micrographs)))])
        side = int(min(picture.shape[:2]) * float(np.exp(rng.uniform(np.log(0.15), 0))))
        top, left = rng.integers(0, picture.shape[0] - side + 1), rng.integers(0, picture.shape[1] - side + 1)
        picture = np.rot90(picture[top : top + side, left : left + side], int(rng.integers(4)))
        picture = picture[:, ::-1] if rng.random() < 0.5 else picture
        return (
            cv2.resize(picture, (160, 160), interpolation=cv2.INTER_CUBIC)
            if side < 160
            else np.ascontiguousarray(picture)
        )

    def other(self, rng: Rng) -> Rgb:
        """A plot, a drawing, or a photograph."""
        some = self.filled if rng.random() < 0.4 else self.others
        picture = _decoded(some[int(rng.integers(len(some)))])
        if some is self.filled:
            h, w = (max(24, int(n * float(rng.uniform(0.4, 1)))) for n in picture.shape[:2])
            top, left = int(rng.integers(picture.shape[0] - h + 1)), int(rng.integers(picture.shape[1] - w + 1))
            picture = picture[top : top + h, left : left + w]
            picture = picture[:, ::-1] if rng.random() < 0.5 else picture
            if rng.random() < 0.4:  # another light
                tint = rng.uniform(0.25, 1.2, 3) if rng.random() < 0.5 else float(rng.uniform(0.3, 1.2))
                picture = np.clip(255 * (picture / 255.0) ** float(np.exp(rng.normal(0, 0.4))) * tint, 0, 255).astype(
                    np.uint8
                )
            if rng.random() < 0.1:
                picture = np.repeat(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
        return np.ascontiguousarray(picture)


def another_light(picture: Rgb, rng: Rng) -> Rgb:
    """A micrograph with another contrast, uneven light, softer or sharper, with the grain of another detector."""
    pixels = picture.astype(np.float32) / 255
    how = rng.random()
    if how < 0.12:  # hardly anything to see, as of one phase alone
        shade = float(rng.uniform(0.15, 0.85))
        pixels = shade + float(rng.uniform(0.01, 0.15)) * (pixels - pixels.mean()) / (2 * pixels.std() + 1e-3)
    elif how < 0.75:
        low, high = np.percentile(pixels, (float(rng.uniform(0, 8)), float(rng.uniform(88, 100))))
        start, span = float(rng.uniform(0, 0.35)), float(rng.uniform(0.3, 1.1))
        pixels = start + span * np.clip((pixels - low) / (high - low + 1e-3), 0, 1) ** float(
            np.exp(rng.normal(0, 0.35))
        )
    if rng.random() < 0.3:
        y, x = np.mgrid[-1 : 1 : pixels.shape[0] * 1j, -1 : 1 : pixels.shape[1] * 1j]
        light = rng.normal(0, 0.15) * x + rng.normal(0, 0.15) * y - rng.uniform(0, 0.25) * (x * x + y * y)
        pixels = pixels + light[..., None].astype(np.float32)
    how = rng.random()
    if how < 0.25:
        pixels = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.5, 2.5)))
    elif how < 0.4:
        pixels = 2 * pixels - cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.7, 2)))
    if rng.random() < 0.3:
        pixels = pixels + float(rng.uniform(0, 0.08)) * rng.standard_normal(pixels.shape[:2])[..., None]
    if rng.random() < 0.08:
        pixels = 1 - pixels
    return np.asarray(np.clip(255 * pixels, 0, 255), np.uint8)


def _decoded(data: bytes) -> Rgb:
    return np.asarray(cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))


def _encoded(rgb: Rgb) -> bytes:
    return bytes(cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 93])[1])


def fill_bank(count: int, seed: int, side: int = 288) -> Bank:
    """A bank of ``count`` micrographs and two thirds as many of the rest, drawn from one seed."""
    rng = np.random.default_rng(seed)
    micrographs = [_encoded(micrograph(side, rng)) for _ in range(count)]
    micrographs += [_encoded(one) for one in open_textures()] * max(1, count // 40)
    blends = [name for name in MICROGRAPHS if name != "frames"]
    micrographs += [_shrunk(np.asarray(MICROGRAPHS[blends[n % 3]](rng))) for n in range(count // 8)]
    filling = ("photograph", "shaded_drawing", "rendering", "sample_photograph")
    families = [name for name in REST if name not in filling]
    others = [_shrunk(draw(families[n % len(families)], seed * 100_003 + n)) for n in range(count // 3)]
    filled = [_encoded(FILLED[n % len(FILLED)](rng)) for n in range(count // 3)]
    filled += [
        _shrunk(draw(name, seed * 100_003 + n)) for n in range(count // 12) for name in ("photograph", "shaded_drawing")
    ]
    photographs = [_shrunk(one, 420) for one in open_photographs()]
    filled += photographs * max(1, len(filled) // (4 * len(photographs)))
    return Bank(micrographs, others, filled)


def _shrunk(rgb: Rgb, most: int = 320) -> bytes:
    factor = most / max(rgb.shape[:2])
    return _encoded(rgb if factor >= 1 else cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))


def reproduced(rgb: Rgb, rng: Rng) -> Rgb:
    """The figure as paper, scanner and compression leave it."""
    if rng.random() < 0.2:
        rgb = cv2.GaussianBlur(rgb, (0, 0), float(rng.uniform(0.3, 0.9)))
    if rng.random() < 0.06:  # a scan on grey or yellow paper
        paper = float(rng.uniform(0.68, 1)) * (1 - float(rng.uniform(0, 0.15)) * np.array([0, 0.3, 1]))
        grain = float(rng.uniform(0, 9)) * rng.standard_normal(rgb.shape[:2])[..., None]
        rgb = np.asarray(np.clip(rgb * paper + grain, 0, 255), np.uint8)
    if rng.random() < 0.1:
        rgb = np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
        pixels = rgb * float(rng.uniform(0.8, 1)) + rng.uniform(0, 7) * rng.standard_normal(rgb.shape[:2])[..., None]
        rgb = np.asarray(np.clip(pixels + rng.uniform(0, 12), 0, 255), np.uint8)
        if rng.random() < 0.3:
            rgb = np.array(Image.fromarray(rgb).convert("1").convert("RGB"))
            rgb = cv2.GaussianBlur(rgb, (0, 0), 0.7) if rng.random() < 0.7 else rgb
    if rng.random() < 0.5:
        out = io.BytesIO()
        Image.fromarray(rgb).save(out, "JPEG", quality=int(rng.integers(35, 95)))
        rgb = np.array(Image.open(out))
    return np.ascontiguousarray(rgb)

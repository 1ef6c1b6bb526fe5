"""What the catalogue holds as data frames, with pictures that show in a notebook."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from PIL import Image

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.described import PANELS
from polydata.catalogue.metadata import PAPERS, list_papers
from polydata.catalogue.records import RECORDS
from polydata.images.html import picture_address
from polydata.images.picture import ImageStore, open_picture

SIDE = 96
"""Longer side of the pictures in a frame, in pixels."""
LONGEST = 200
"""Longer texts of a frame are shown cut off."""

_BOX = "CASE WHEN {0}.x0 IS NOT NULL THEN [{0}.x0, {0}.y0, {0}.x1, {0}.y1] END AS box"

QUERIES = {
    "papers": PAPERS,
    "figures": f"""
        SELECT figure_id, paper_id, papers.file_name AS paper_file, papers.sha256 AS pdf_sha256, papers.source,
               figures.page, {_BOX.format("figures")}, figures.label, figures.caption, figures.kind, figures.method,
               figures.confidence, figures.dpi, shown.image_sha256, shown.format
        FROM figures JOIN papers USING (paper_id) LEFT JOIN (
            SELECT figure_id, list(image_sha256 ORDER BY position) AS image_sha256,
                   list(images.format ORDER BY position) AS format
            FROM panels JOIN images ON images.sha256 = image_sha256 GROUP BY figure_id
        ) shown USING (figure_id)
        ORDER BY papers.file_name, paper_id, figures.page, figures.y0, figures.x0, figure_id""",  # noqa: S608
    "panels": f"""
        SELECT described.*, {_BOX.format("panels")} FROM ({PANELS}) described JOIN panels USING (panel_id)
        ORDER BY paper_file, paper_id, page, described.figure_id, position""",  # noqa: S608
    "labels": "SELECT image_sha256, label, source, conflict, sources AS said FROM labels ORDER BY image_sha256",
    "records": RECORDS,
    "splits": """
        SELECT split, digest, fold, side, image_sha256, split_images.label, group_id
        FROM split_images JOIN splits ON splits.name = split ORDER BY split, fold, side DESC, image_sha256""",
}  # fmt: skip
"""The rows of each frame; the methods of a session that give them describe their columns."""


@dataclass(frozen=True)
class Picture:
    """A stored image that a frame shows.

    Attributes:
        sha256: of its bytes.
        format: its true format.
        store: where it is kept.
    """

    sha256: str
    format: str
    store: ImageStore

    @property
    def path(self) -> Path:
        """Where it lies on this machine, or would lie; one behind an address is fetched.

        Raises:
            InputError: if it cannot be fetched.
        """
        return self.store.path(self.sha256, self.format)

    def open(self) -> Image.Image:
        """The picture as a person sees it, in RGB.

        Raises:
            InputError: if it is missing or damaged.
        """
        return open_picture(self.path)

    def __repr__(self) -> str:
        return f"<image {self.sha256[:12]}>"

    def _repr_html_(self) -> str:
        address, problem = picture_address(self.store, self.sha256, self.format, SIDE)
        if address is None:
            return f'<span title="{html.escape(str(problem))}">missing</span>'
        return f'<img src="{address}" alt="{html.escape(self.sha256[:12])}">'


class Frame(pd.DataFrame):
    """A data frame whose pictures show in a notebook; all of its texts are escaped there."""

    @property
    def _constructor(self) -> Callable[..., Frame]:
        return Frame

    def _repr_html_(self) -> str:
        most = pd.get_option("display.max_rows") or len(self)
        head = "".join(f"<th>{_cell(name)}</th>" for name in ("", *self.columns))
        rows = "".join(
            f"<tr><th>{_cell(index)}</th>{''.join(f'<td>{_cell(value)}</td>' for value in values)}</tr>"
            for index, *values in self.head(most).itertuples(name=None)
        )
        size = f"<p>{len(self)} rows × {len(self.columns)} columns</p>"
        return f"<div><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{size}</div>"


def _cell(value: Any) -> str:
    if isinstance(value, Picture):
        return value._repr_html_()
    if isinstance(value, tuple):
        return "".join(map(_cell, value))
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    text = str(value)
    return html.escape(text if len(text) <= LONGEST else text[:LONGEST] + "…")


def read_frame(
    catalogue: Catalogue, images: Callable[[], ImageStore], name: str, *, arrow: bool
) -> pd.DataFrame | pa.Table:
    """One of ``QUERIES`` as a data frame, or as an Arrow table, which holds no pictures.

    Args:
        images: gives the store, which is opened for frames with pictures alone.
    """
    table = catalogue.arrow(QUERIES[name])
    if name == "papers":  # licences and supplements are not read by SQL alone
        table = pa.Table.from_pylist(list_papers(catalogue), schema=table.schema)
    if arrow:
        return table
    whole = {pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame = Frame(table.to_pandas(types_mapper=whole.get))
    if name in ("panels", "figures"):
        rows = zip(table["image_sha256"].to_pylist(), table["format"].to_pylist(), strict=True)
        frame["image"] = pd.Series([_picture(images(), *row) for row in rows], index=frame.index, dtype=object)
    return frame


def _picture(store: ImageStore, sha256: Any, form: Any) -> Picture | tuple[Picture, ...]:
    if isinstance(sha256, str):
        return Picture(sha256, form, store)
    return tuple(Picture(*one, store) for one in zip(sha256 or (), form or (), strict=True))

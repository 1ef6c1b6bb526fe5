"""Corrections that mean nothing are refused before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from polydata.errors import UsageError
from polydata.extraction import editing


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "Nothing is to be changed"),
        ({"box": "1,2,3"}, "is no box"),
        ({"box": "300,90,60,290"}, "is no box"),
        ({"box": "nan,0,10,10"}, "is no box"),
        ({"box": "0,0,inf,10"}, "is no box"),
        ({"box": "\x1b[2J"}, "is no box"),
        ({"page": 0}, "no page 0"),
        ({"kind": "cat"}, "no kind 'cat'"),
        ({"delete": True, "label": "x"}, "deleted"),
        ({"label": "x" * 200}, "200 characters"),
    ],
)
def test_what_means_nothing_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        editing.correction(**asked)

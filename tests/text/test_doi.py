from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polydata.text.reference import doi_key, find_doi

SICI = "10.1002/(SICI)1097-4628(19960101)59:1<1::AID-APP1>3.0.CO;2-Z"


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("doi:10.1002/app.30177.", "10.1002/app.30177"),
        ("(https://doi.org/10.1016/S0032-3861(99)00123-4)", "10.1016/s0032-3861(99)00123-4"),
        ("(doi:10.1016/j.polymer.2001.01.001).", "10.1016/j.polymer.2001.01.001"),
        ("https://doi.org/10.1016/J.Polymer.2004.01.002).", "10.1016/j.polymer.2004.01.002"),
        ("see [10.1002/app.1404];", "10.1002/app.1404"),
        ("“10.1002/app.1404”,", "10.1002/app.1404"),
        ("<b>10.1002/app.1404</b>", "10.1002/app.1404"),
        (f"({SICI}).", SICI.lower()),
        ("10.1002/).", None),
        ("no doi 10.5/x", None),
        (None, None),
    ],
)
def test_every_part_reads_the_same_doi(text: str | None, doi: str | None) -> None:
    assert find_doi(text) == doi
    assert doi_key(text) == (f"doi:{doi}" if doi else None)


@given(st.text(st.sampled_from('10./()[]<>ab;" x'), max_size=60))
def test_a_doi_that_was_read_is_read_as_itself(text: str) -> None:
    found = find_doi(f"10.1000/{text}")
    assert found is None or find_doi(f"doi:{found}.") == found

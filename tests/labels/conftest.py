"""A workspace of its own for each test on the Label Studio server of the session."""

from __future__ import annotations

import hashlib

import pytest
from label_studio_server import LabelStudioServer
from review_scene import Api, make_workspace

from polydata.workspace import Workspace


@pytest.fixture
def title(request: pytest.FixtureRequest) -> str:
    """Of the test's project."""
    return hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]


@pytest.fixture
def workspace(label_studio: LabelStudioServer, title: str, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("POLYDATA_LABEL_STUDIO_TOKEN", label_studio.token)
    root = str(label_studio.document_root)
    return make_workspace(label_studio.document_root / title, label_studio.url, title, document_root=root)


@pytest.fixture
def api(label_studio: LabelStudioServer) -> Api:
    return Api(label_studio)

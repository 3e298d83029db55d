from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer

import pytest

from tests.networks.made import VIT, Hub, save


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Let the hub's client ask a server of this computer, which serves a folder."""
    from huggingface_hub import constants

    Hub.folder = save(tmp_path / "served", *VIT)
    monkeypatch.setattr(Hub, "cut", False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE",
        address + "/{repo_id}/resolve/{revision}/{filename}",
    )  # fmt: skip
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield
    server.shutdown()
    server.server_close()

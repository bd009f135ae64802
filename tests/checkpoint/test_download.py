"""Downloading published weights, from a server on this machine."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from detectron2.utils.file_io import PathManager

from igdet.checkpoint import WEIGHTS, Publication, Weights, WeightsError, fetch, open_weights

CONTENT = b"the weights" * 1000
DIGITS = hashlib.sha256(CONTENT).hexdigest()[:8]


@pytest.fixture
def server():
    """A server and the list of paths it was asked for."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            if self.path not in server.files:
                self.send_error(404)
                return
            body, announced = server.files[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(announced))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.files, server.requests = {}, requests
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IGDET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def publish(server, body, digits=DIGITS, announced=None):
    """Put a file on the server, and give its entry of the catalog."""
    server.files[f"/weights-{digits}.pth"] = body, len(body) if announced is None else announced
    publication = Publication(f"http://127.0.0.1:{server.server_port}", "nothing", "nobody", "none")
    return Weights(f"weights-{digits}.pth", "X_14_8x4d", publication, 0.0)


def files(folder):
    return [path.name for path in folder.iterdir() if path.suffix != ".lock"]


def test_the_first_call_downloads_and_the_second_does_not(server, cache):
    weights = publish(server, CONTENT)
    assert fetch(weights).read_bytes() == CONTENT
    assert fetch(weights) == cache / f"weights-{DIGITS}.pth"
    assert server.requests == [f"/weights-{DIGITS}.pth"]
    assert files(cache) == [f"weights-{DIGITS}.pth"]


@pytest.mark.parametrize(
    ("body", "announced", "said"),
    [
        (b"other bytes", None, "invalid hash value"),
        (CONTENT[:-1], len(CONTENT), ""),  # the connection ends early
    ],
    ids=["wrong", "short"],
)
def test_wrong_bytes_are_refused_and_not_kept(body, announced, said, server, cache):
    weights = publish(server, body, announced=announced)
    with pytest.raises(WeightsError, match=rf"cannot download {weights.url} to .*{said}"):
        fetch(weights)
    assert files(cache) == []


def test_after_a_failure_the_next_call_tries_again(server, cache):
    with pytest.raises(WeightsError):
        fetch(publish(server, b"other bytes"))
    assert fetch(publish(server, CONTENT)).read_bytes() == CONTENT


def test_what_is_not_on_the_server(server, cache):
    weights = publish(server, CONTENT)
    server.files.clear()
    with pytest.raises(WeightsError, match="404"):
        fetch(weights)
    assert files(cache) == []


def test_no_network(cache):
    publication = Publication("http://127.0.0.1:1", "nothing", "nobody", "none")  # nobody listens on port 1
    with pytest.raises(WeightsError, match="Check network and disk"):
        fetch(Weights(f"weights-{DIGITS}.pth", "X_14_8x4d", publication, 0.0))


def test_names_work_wherever_detectron2_takes_a_path(server, cache, monkeypatch, torchvision_file):
    body = Path(torchvision_file).read_bytes()
    monkeypatch.setitem(WEIGHTS, "small", publish(server, body, hashlib.sha256(body).hexdigest()[:8]))
    with PathManager.open("igdet://small", "rb") as file:
        assert file.read() == body
    assert torch.is_tensor(open_weights("igdet://small").tensors["stem.conv1.weight"])
    assert len(server.requests) == 1


def test_the_cache_is_in_the_home_folder_unless_told(monkeypatch, tmp_path, server):
    monkeypatch.delenv("IGDET_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fetch(publish(server, CONTENT)) == tmp_path / ".cache/igdet" / f"weights-{DIGITS}.pth"

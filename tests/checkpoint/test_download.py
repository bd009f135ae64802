"""Downloading published weights, from a server on this machine that behaves as told."""

import hashlib
import os
import pickle
import re
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from detectron2.utils.file_io import PathManager

from igdet.checkpoint import download, fetch, http, open_weights
from igdet.formats.catalog import WEIGHTS, Publication, Weights
from igdet.formats.errors import WeightsError

WHOLE, CUT = pickle.dumps({"stem.conv1.weight": np.arange(3.0)}), 40_000
CONTENT = bytes(range(256)) * 400  # 102,400 bytes, each stretch of 256 alike: offsets matter
DIGITS = hashlib.sha256(CONTENT).hexdigest()[:8]
NAME = f"weights-{DIGITS}.pth"


class Server(ThreadingHTTPServer):
    """Serves one body; `plan` says how the next requests are answered, the last entry also those after."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.etag, self.plan, self.ranges = CONTENT, '"v1"', ["whole"], []

    @property
    def folder(self):
        return f"http://127.0.0.1:{self.server_port}"


# Where the server on `{}` sends a client.
REDIRECTS = {
    "redirect": f"{{}}/moved/{NAME}",
    "a loop": f"{{}}/{NAME}",
    "a name that cannot be": "http://a..b/",
    "a file of this machine": "file:///etc/passwd",
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.ranges.append(self.headers.get("Range"))
        action = server.plan.pop(0) if len(server.plan) > 1 else server.plan[0]
        if isinstance(action, int):
            self.send_error(action)
        elif action in REDIRECTS:
            self.send_response(302)
            self.send_header("Location", REDIRECTS[action].format(server.folder))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif action == "no HTTP":
            self.wfile.write(b"hello\r\nworld\r\n\r\n")
            self.close_connection = True
        else:
            self.send_body(action)

    def send_body(self, action):
        start = self.start() if action != "ignore range" else 0
        rest = self.server.body[start:]
        if not rest and start:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(self.server.body)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start and action != "a part without its place":
            first = start + 20_000 if action == "another part" else start
            self.send_header("Content-Range", f"bytes {first}-{len(self.server.body) - 1}/{len(self.server.body)}")
        if self.server.etag:
            self.send_header("ETag", self.server.etag)
        self.send_header("Content-Type", "text/html" if action == "page" else "application/octet-stream")
        if action != "no length":
            self.send_header("Content-Length", "many" if action == "a length in words" else str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: {"cut": CUT, "cut sooner": CUT // 2}.get(action)])

    def start(self):
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        return int(found[1]) if found and self.headers.get("If-Range") == self.server.etag else 0

    def log_message(self, *args):
        """Keep the test's output clean."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(http, "WAITS", (0, 0))
    server = Server()
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


def entry(server, name=NAME, algorithm="sha256"):
    return Weights(name, "X_14_8x4d", Publication(server.folder, "nothing", "nobody", "CC BY-NC 4.0", algorithm), {})


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_the_first_call_downloads_and_the_second_does_not(server, cache, caplog):
    licence = f"Licence of the weights {NAME}: CC BY-NC 4.0 (nobody)"
    with caplog.at_level("INFO"):
        assert fetch(entry(server)).read_bytes() == CONTENT
        assert caplog.messages == [licence, f"Downloading {server.folder}/{NAME} to {cache / NAME}"]
        caplog.clear()
        assert fetch(entry(server)) == cache / NAME
        assert caplog.messages == [licence]
    assert server.ranges == [None]
    assert files(cache) == [NAME, f"{NAME}.sha256"]
    assert (cache / f"{NAME}.sha256").read_text() == f"{hashlib.sha256(CONTENT).hexdigest()}  {NAME}\n"


PLANS = {
    "a cut connection goes on where it ended": (["cut", "whole"], [None, "bytes=40000-"]),
    "a cut connection, twice": (["cut", "cut", "whole"], [None, "bytes=40000-", "bytes=80000-"]),
    "a server that ignores ranges starts over": (["cut", "ignore range"], [None, "bytes=40000-"]),
    "a redirect": (["redirect", "whole"], [None, None]),
    "a redirect keeps the range": (
        ["redirect", "cut", "redirect", "whole"],
        [None, None, "bytes=40000-", "bytes=40000-"],
    ),
    "a server that is busy first": ([503, 503, "whole"], [None, None, None]),
    "another part than was asked for": (["cut", "another part", "whole"], [None, "bytes=40000-", None]),
    "a part of unknown place": (["cut", "a part without its place", "whole"], [None, "bytes=40000-", None]),
    "a range that cannot be": (["cut", 416, "whole"], [None, "bytes=40000-", None]),
    "a length that is none": (["a length in words"], [None]),
    "no length": (["no length"], [None]),
    "no answer first": (["no HTTP", "whole"], [None, None]),
}


@pytest.mark.parametrize(("plan", "ranges"), PLANS.values(), ids=PLANS)
def test_ways_to_the_whole_file(plan, ranges, server, cache):
    server.plan = plan
    assert fetch(entry(server)).read_bytes() == CONTENT
    assert server.ranges == ranges
    assert files(cache) == [NAME, f"{NAME}.sha256"]


def test_a_server_that_names_no_version_starts_over(server, cache):
    server.plan, server.etag = ["cut", "whole"], None
    assert fetch(entry(server)).read_bytes() == CONTENT
    assert server.ranges == [None, None]


def test_the_next_call_goes_on_where_a_process_ended(server, cache):
    server.plan = ["cut", 503]
    with pytest.raises(WeightsError, match="40,000 bytes are kept for the next call"):
        fetch(entry(server))
    server.plan, server.ranges = ["whole"], []
    assert fetch(entry(server)).read_bytes() == CONTENT
    assert server.ranges == ["bytes=40000-"]


def test_another_version_on_the_server_is_not_glued_to_the_first(server, cache):
    server.plan, server.body = ["cut", 503], bytes(len(CONTENT))
    with pytest.raises(WeightsError):
        fetch(entry(server))
    server.plan, server.body, server.etag = ["whole"], CONTENT, '"v2"'
    assert fetch(entry(server)).read_bytes() == CONTENT


def test_a_process_that_ended_between_transfer_and_check(server, cache):
    cache.mkdir()
    (cache / f"weights-{DIGITS}.part.pth").write_bytes(CONTENT)
    (cache / f"weights-{DIGITS}.part.pth.version").write_text('"v1"')
    assert fetch(entry(server)).read_bytes() == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT)}-"]


REFUSED = {
    "wrong bytes": (["whole"], b"other", rf"its sha256 is .*, expected {DIGITS}.*removed; try again, or download http"),
    "a page": (["page"], CONTENT, "the server sends a page, not a file"),
    "not there": ([404], CONTENT, "the server answers 404"),
    "not allowed": ([403], CONTENT, "the server answers 403"),
    "busy for good": ([503], CONTENT, "the server answers 503.*Check the network and try again"),
    "no range at all": ([416], CONTENT, "the server answers 416"),
    "a loop of redirects": (["a loop"], CONTENT, "the server answers 302 .*infinite loop"),
    "a redirect to nowhere": (["a name that cannot be"], CONTENT, "label empty"),
    "a redirect to the disk": (["a file of this machine"], CONTENT, "file:///etc/passwd' is not allowed"),
    "something else than HTTP": (["no HTTP"], CONTENT, "hello"),
}


@pytest.mark.parametrize(("plan", "body", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_leaves_nothing(plan, body, said, server, cache):
    server.plan, server.body = plan, body
    with pytest.raises(WeightsError, match=said) as error:
        fetch(entry(server))
    assert f"{server.folder}/{NAME}" in str(error.value) and "\n" not in str(error.value)
    assert files(cache) == []


def test_a_server_that_never_gets_further_is_given_up(server, cache):
    server.plan, server.etag = ["cut", "cut sooner"] * 10, None  # no version: each answer begins at the first byte
    with pytest.raises(WeightsError, match=r"the connection ended at .* of 102,400 bytes. Check the network"):
        fetch(entry(server))
    assert len(server.ranges) == 4  # the first brings something new, three more do not


def test_wrong_bytes_are_asked_for_again_by_the_next_call(server, cache):
    server.body = b"other"
    with pytest.raises(WeightsError):
        fetch(entry(server))
    server.body = CONTENT
    assert fetch(entry(server)).read_bytes() == CONTENT


def test_no_network(cache, monkeypatch):
    monkeypatch.setattr(http, "WAITS", (0,))
    publication = Publication("http://127.0.0.1:1", "nothing", "nobody", "none")  # nobody listens on port 1
    with pytest.raises(
        WeightsError, match=rf"cannot download http://127.0.0.1:1/.*refused.*try again, or .* put it at {cache / NAME}"
    ):
        fetch(Weights(NAME, "X_14_8x4d", publication, {}))


def test_a_full_disk_is_noticed_before_the_transfer(server, cache, monkeypatch):
    usage = type("usage", (), {"free": 100})
    monkeypatch.setattr(http.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(WeightsError, match=r"102,400 bytes are needed.*Make room, or set IGDET_CACHE"):
        fetch(entry(server))
    assert files(cache) == []


def test_a_disk_that_fills_during_the_transfer(server, cache, fill_disk):
    fill_disk()
    with pytest.raises(WeightsError, match=rf"cannot download {server.folder}.*cannot be written: .*File too large"):
        fetch(entry(server))
    assert not (cache / NAME).exists()


def test_a_folder_in_the_files_place_is_refused_before_the_transfer(server, cache):
    (cache / NAME).mkdir(parents=True)
    (cache / f"{NAME}.sha256").touch()  # an earlier file's record does not make the folder one
    with pytest.raises(WeightsError, match=rf"{cache / NAME} is a folder, where the file of {server.folder}/{NAME}"):
        fetch(entry(server))
    assert server.ranges == []


def test_offline(server, cache, monkeypatch):
    monkeypatch.setenv("IGDET_OFFLINE", "1")
    said = (
        rf"IGDET_OFFLINE forbids downloads: download {server.folder}/{NAME} \(sha256 {DIGITS}\.\.\.\).* {cache / NAME}$"
    )
    with pytest.raises(WeightsError, match=said):
        fetch(entry(server))
    cache.mkdir()
    (cache / NAME).write_bytes(CONTENT)
    assert fetch(entry(server)) == cache / NAME
    assert server.ranges == []


def test_a_file_that_was_touched_is_hashed_once_more(server, cache, monkeypatch):
    path = fetch(entry(server))
    path.write_bytes(CONTENT)
    assert fetch(entry(server)) == path
    monkeypatch.setattr(download, "hash_file", None)  # not called any more
    assert fetch(entry(server)) == path


def test_a_file_put_there_by_hand_is_checked(server, cache):
    cache.mkdir()
    (cache / NAME).write_bytes(b"other")
    with pytest.raises(WeightsError, match=rf"{NAME}: its sha256 is .*, expected {DIGITS}. Remove it to download"):
        fetch(entry(server))


@pytest.mark.parametrize("action", ["whole", "no length"])
@pytest.mark.parametrize("body", [b"", b"<html>Please log in</html>", WHOLE[:-10]], ids=["empty", "a page", "half"])
def test_without_a_published_hash_a_file_must_be_readable(action, body, server, cache):
    server.plan, server.body = [action], body
    plain = entry(server, "R-50.pkl", algorithm="")
    with pytest.raises(WeightsError, match=r"cannot be read as a checkpoint.*What came from .* is removed; try again"):
        fetch(plain)
    assert files(cache) == []
    server.body = WHOLE
    assert fetch(plain).read_bytes() == WHOLE


def test_without_a_published_hash_a_later_change_is_noticed(server, cache):
    plain, server.body = entry(server, "R-50.pkl", algorithm=""), WHOLE
    fetch(plain)
    record = cache / "R-50.pkl.sha256"
    (cache / "R-50.pkl").unlink()
    server.body = b"another file under the same name"
    with pytest.raises(WeightsError, match=r"It has changed since .*R-50\.pkl\.sha256 was written"):
        fetch(plain)
    (cache / "R-50.pkl").touch()
    while (cache / "R-50.pkl").stat().st_ctime_ns <= record.stat().st_ctime_ns:  # some clocks tick every 10 ms only
        (cache / "R-50.pkl").write_bytes(b"changed on the disk")
    with pytest.raises(WeightsError, match=r"R-50\.pkl: its sha256 is .* It has changed since"):
        fetch(plain)


def test_detectron2s_zoo_names_its_files_by_md5(server, cache):
    digits = hashlib.md5(CONTENT).hexdigest()[:6]
    assert fetch(entry(server, f"some/1/model_final_{digits}.pkl", "md5")).parent == cache / "some/1"
    with pytest.raises(WeightsError, match=r"its md5 is .*, expected 000000"):
        fetch(entry(server, "some/1/model_final_000000.pkl", "md5"))


@pytest.fixture
def read_only(monkeypatch):
    """A cache with one file, whose owner is somebody else; gives the folder."""
    folder = Path(tempfile.mkdtemp())
    (folder / NAME).write_bytes(CONTENT)
    folder.chmod(0o555)
    monkeypatch.setenv("IGDET_CACHE", str(folder))
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may write anywhere; nobody may not
    yield folder
    if user == 0:
        os.seteuid(0)
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def test_a_read_only_cache_gives_what_it_has_and_says_what_it_cannot(server, read_only):
    assert fetch(entry(server)) == read_only / NAME
    with pytest.raises(WeightsError, match=rf"{read_only} cannot be written.*Set IGDET_CACHE to another folder, or"):
        fetch(entry(server, "other-00000000.pth"))
    assert server.ranges == []


def test_many_threads_download_once(server, cache):
    found = []
    threads = [threading.Thread(target=lambda: found.append(fetch(entry(server)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [cache / NAME] * 4
    assert server.ranges == [None]


def test_names_work_wherever_detectron2_takes_a_path(server, cache, monkeypatch, torchvision_file):
    server.body = Path(torchvision_file).read_bytes()
    name = f"small-{hashlib.sha256(server.body).hexdigest()[:8]}.pth"
    monkeypatch.setitem(WEIGHTS, "small", entry(server, name))
    with PathManager.open("igdet://small", "rb") as file:
        assert file.read() == server.body
    assert torch.is_tensor(open_weights("igdet://small").tensors["stem.conv1.weight"])
    assert len(server.ranges) == 1


def test_the_cache_is_in_the_home_folder_unless_told(monkeypatch, tmp_path, server):
    monkeypatch.delenv("IGDET_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fetch(entry(server)) == tmp_path / ".cache/igdet" / NAME

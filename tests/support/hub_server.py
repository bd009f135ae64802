"""A server on this machine that speaks as much of the Hugging Face hub's protocol as its client needs for files."""

import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import pytest
from huggingface_hub import constants

SMALL = 1000  # bytes: larger files are stored apart, under their SHA-256, and reached by a redirect


@dataclass
class Repository:
    """Files by commit, and the commits that branches and tags are."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    refusal: tuple[int, str] | None = None  # status and X-Error-Code of every answer

    def commit(self, files: dict[str, bytes], *refs: str) -> str:
        """Add a commit, and let branches and tags, main if none, be it."""
        digest = hashlib.sha1(f"{len(self.commits)} {sorted(files)}".encode()).hexdigest()
        self.commits[digest] = files
        self.refs |= dict.fromkeys(refs or ["main"], digest)
        return digest


def ask_at(url: str, patch: pytest.MonkeyPatch) -> None:
    """Let the hub's client ask a server, as HF_ENDPOINT does in a new process."""
    patch.setattr(constants, "ENDPOINT", url)
    patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{url}/{{repo_id}}/resolve/{{revision}}/{{filename}}")


class HubServer(ThreadingHTTPServer):
    """Serves `repositories`, owner/name -> Repository; `requests` lists what was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def stored(self, digest: str) -> bytes:
        """The file with a SHA-256."""
        commits = (files for repo in self.repositories.values() for files in repo.commits.values())
        files = (content for commit in commits for content in commit.values())
        return next(content for content in files if hashlib.sha256(content).hexdigest() == digest)


@contextmanager
def serving():
    """Yields a `HubServer` that answers until the block ends."""
    server = HubServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests.append(f"{self.command} {self.path}")
        parts = unquote(self.path.partition("?")[0]).strip("/").split("/")
        if parts[0] == "cdn":
            self.answer(200, self.server.stored(parts[1]))
        elif parts[:2] == ["api", "models"]:  # api/models/owner/name/revision/REVISION
            self.repository("/".join(parts[2:4]), "/".join(parts[5:]), self.answer_info)
        elif parts[2:3] == ["resolve"]:  # owner/name/resolve/REVISION/FILE
            self.repository("/".join(parts[:2]), parts[3], self.answer_file, "/".join(parts[4:]))
        else:
            self.answer(404, b"")

    do_HEAD = do_GET

    def repository(self, name, revision, answer, *rest):
        repo = self.server.repositories.get(name)
        refusal = (404, "RepoNotFound") if repo is None else repo.refusal
        commit = revision if repo and revision in repo.commits else repo and repo.refs.get(revision)
        if refusal is None and commit is None:
            refusal = 404, "RevisionNotFound"
        if refusal:
            self.answer(refusal[0], b"", **{"X-Error-Code": refusal[1], "X-Error-Message": refusal[1]})
        else:
            answer(name, repo, commit, *rest)

    def answer_info(self, name, repo, commit):
        self.answer(200, json.dumps({"id": name, "sha": commit}).encode(), **{"Content-Type": "application/json"})

    def answer_file(self, name, repo, commit, path):
        content, headers = repo.commits[commit].get(path), {"X-Repo-Commit": commit}
        if content is None:
            self.answer(404, b"", **headers, **{"X-Error-Code": "EntryNotFound"})
        elif len(content) < SMALL:
            self.answer(200, content, **headers, ETag=f'"{hashlib.sha1(content).hexdigest()}"')
        else:
            digest = hashlib.sha256(content).hexdigest()
            stored = {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content))}
            # As the hub's large files are on another host.
            elsewhere = self.server.url.replace("127.0.0.1", "localhost")
            self.answer(302, b"", **headers, **stored, Location=f"{elsewhere}/cdn/{digest}")

    def answer(self, status, body, **headers):
        self.send_response(status)
        for key, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *args):
        """Keep the test's output clean."""

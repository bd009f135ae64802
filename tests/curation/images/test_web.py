"""A server on this machine that answers, redirects, hangs and lies."""

import gzip
import http.server
import socket
import threading
import tracemalloc
from dataclasses import replace

import pytest

from igdet.curation.images import web
from igdet.curation.images.limits import ImageError
from igdet.curation.images.web import WebLimits, forbids_ai, read_url

LOCAL = WebLimits(connect_seconds=5, read_seconds=5, total_seconds=5, redirects=3, allow_private=True)
REDIRECTS = {
    "/hop": "/image.jpg",
    "/hop2": "hop",
    "/circle": "/circle",
    "/file": "file:///etc/passwd",
    "/ftp": "ftp://127.0.0.1/a",
    "/data": "data:image/png;base64,aaaa",
    "/bad": "http://[x",
    "/private": "http://169.254.169.254/latest",
}


GZIP = ("Content-Encoding", "gzip")
ANSWERS = {
    "/gzip": ([GZIP], gzip.compress(b"picture")),
    "/bomb": ([GZIP], gzip.compress(bytes(50_000_000))),  # 49 kB
    "/cut": ([GZIP], gzip.compress(b"picture")[:-9]),
    "/no-gzip": ([GZIP], b"picture"),
    "/brotli": ([("Content-Encoding", "br")], b"picture"),
    "/noai": ([("X-Robots-Tag", "noindex"), ("x-robots-tag", "NoImageAI")], b"picture"),
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by path; `/hang` says nothing and `/drip` a byte now and then, until the test is over."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers["Host"]))
        if self.path == "/hang":
            self.server.over.wait(20)
        elif self.path == "/drip":
            while not self.server.over.wait(0.02):
                self.wfile.write(b"x")
        elif self.path in REDIRECTS:
            self.send_response(302)
            self.send_header("Location", REDIRECTS[self.path])
            self.end_headers()
        elif self.path in ANSWERS:
            headers, body = ANSWERS[self.path]
            self.send_response(200)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        elif self.path.startswith("/image"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"picture")
        else:
            self.send_error(404)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.asked, server.over = [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.url = f"http://127.0.0.1:{server.server_port}"
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def test_images_and_redirects(server):
    assert read_url(server.url + "/image.jpg", LOCAL, 7) == b"picture"
    assert read_url(server.url + "/hop2", LOCAL, 7) == b"picture"
    host = f"127.0.0.1:{server.server_port}"
    assert server.asked == [(path, host) for path in ("/image.jpg", "/hop2", "/hop", "/image.jpg")]


def test_what_http_cannot_hold_is_quoted(server):
    read_url(server.url + "/image é.jpg?a=%20b c#part", LOCAL, 7)
    assert server.asked[0][0] == "/image%20%C3%A9.jpg?a=%20b%20c"


def reason(url, limits=LOCAL, max_bytes=100):
    with pytest.raises(ImageError) as error:
        read_url(url, limits, max_bytes)
    return error.value.reason


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/none", "http_status"),
        ("/circle", "redirects"),
        ("/file", "redirects"),
        ("/ftp", "redirects"),
        ("/data", "redirects"),
        ("/bad", "redirects"),
        ("/bomb", "too_large"),
        ("/cut", "encoding"),
        ("/no-gzip", "encoding"),
        ("/brotli", "encoding"),
        ("/noai", "noai"),
    ],
)
def test_reasons(server, path, expected):
    assert reason(server.url + path) == expected


def test_too_many_bytes(server):
    assert reason(server.url + "/image", max_bytes=6) == "too_large"


def test_private_servers_are_asked_only_when_allowed(server):
    assert reason(server.url + "/image", replace(LOCAL, allow_private=False)) == "private_address"
    assert server.asked == []


def test_a_redirect_to_a_private_address_is_refused(server, monkeypatch):
    own = {"127.0.0.1"}
    monkeypatch.setattr("igdet.curation.images.addresses.is_public", own.__contains__)
    limits = replace(LOCAL, allow_private=False)
    assert read_url(server.url + "/hop", limits, 100) == b"picture"
    assert reason(server.url + "/private", limits) == "private_address"


def test_a_second_look_up_cannot_lead_elsewhere(server, monkeypatch):
    answers = iter(["127.0.0.1", "10.0.0.1"])
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *arguments, **named):
        if host == "rebinding.example":
            return [(*entry, (next(answers), port))]
        return real(host, port, *arguments, **named)

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    assert read_url(f"http://rebinding.example:{server.server_port}/image", LOCAL, 100) == b"picture"
    assert next(answers) == "10.0.0.1"  # was never asked for
    assert server.asked == [("/image", f"rebinding.example:{server.server_port}")]


@pytest.mark.parametrize("path", ["/hang", "/drip"])
def test_slow_servers_are_given_up(server, path):
    assert reason(server.url + path, replace(LOCAL, total_seconds=0.2)) == "timeout"


def test_a_server_that_says_nothing_is_given_up_early(server):
    assert reason(server.url + "/hang", replace(LOCAL, read_seconds=0.1)) == "timeout"


def test_no_time_is_left():
    assert reason("http://127.0.0.1:9/", replace(LOCAL, total_seconds=0)) == "timeout"


def test_nobody_listens():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert reason(f"http://127.0.0.1:{port}/") == "unreachable"


def test_https_asks_for_a_certificate(server):
    assert reason(f"https://127.0.0.1:{server.server_port}/image") == "unreachable"


@pytest.mark.parametrize("url", ["http://", "http:///a", "http://a:99999/", "ftp://a/b"])
def test_addresses_that_are_none(url):
    assert reason(url) == "redirects"


@pytest.mark.parametrize("url", ["http://a..b/", "http://.a/", "http://\udcff.example/", "http://127.0.0.1:9/\udcff"])
def test_names_that_cannot_be_sent(url):
    assert reason(url) == "unreachable"


def test_the_default_ports():
    assert web._split("https://example.org/a")[1] == 443 and web._split("http://example.org:81/a")[1] == 81


def test_what_a_server_compresses_unasked_is_unpacked(server):
    assert read_url(server.url + "/gzip", LOCAL, 7) == b"picture"


def test_a_bomb_is_not_unpacked(server):
    tracemalloc.start()
    assert reason(server.url + "/bomb", max_bytes=1_000_000) == "too_large"
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_opt_outs_are_passed_over_only_when_told(server):
    assert read_url(server.url + "/noai", replace(LOCAL, respect_noai=False), 7) == b"picture"


@pytest.mark.parametrize(
    "values",
    [
        ["noai"], ["NoAI"], ["noindex, noimageai"], ["noindex", "noai"], ["igdet: noai"], ["IGDET:noindex,NOIMAGEAI"],
        ["*: noai"], ["unavailable_after: 25 Jun 2030 15:00:00 PST, noai"], ["googlebot: noindex, igdet: noai"],
    ],
)  # fmt: skip
def test_headers_that_forbid(values):
    assert forbids_ai(values)


@pytest.mark.parametrize("values", [[], ["noindex"], ["googlebot: noindex, noai"], ["all"], [""], ["noaim"], [": ,:"]])
def test_headers_that_do_not(values):
    assert not forbids_ai(values)


def test_tls_asks_the_judged_address_for_the_name_of_the_url(monkeypatch):
    asked = {}

    class Context:
        def wrap_socket(self, plain, server_hostname):
            asked["name"] = server_hostname
            raise OSError("that will do")

    monkeypatch.setattr(web, "_tls", Context)
    monkeypatch.setattr(web, "public_addresses", lambda host, port, _: ["192.0.2.7"])
    monkeypatch.setattr("socket.create_connection", lambda address, _: asked.update(address=address))
    assert reason("https://photos.example/a.jpg") == "unreachable"
    assert asked == {"name": "photos.example", "address": ("192.0.2.7", 443)}

"""Which addresses count as public."""

import socket

import pytest

from igdet.curation.images.addresses import is_public, public_addresses
from igdet.curation.images.limits import ImageError


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
)
def test_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "::127.0.0.1", "::8.8.8.8", "64:ff9b:1::808:808", "64:ff9b:1:a::7f00:1", "::ffff:0:127.0.0.1",
        "::ffff:0:8.8.8.8", "fec0::1", "feff::1", "5f00::1", "3fff::1", "3fff:fff::1", "192.88.99.1", "192.0.0.9",
        "198.19.255.255", "203.0.113.1", "2001:db8::1", "2001:2::1", "2001:10::1", "100::1", "fdff::1",
        "::ffff:10.0.0.1", "2001:db8::5efe:8.8.8.8",
        "2002:a00:1::1", "2002:c0a8:101::", "2001:0:7f00:1::f7f7:f7f7", "2001:0:808:808::80ff:fffe",
        "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:127.0.0.1", "4000::1", "::ffff:192.88.99.1",
    ],
)  # fmt: skip
def test_not_public(address):
    assert not is_public(address)


def resolve_to(monkeypatch, *addresses):
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: entries)


def test_one_private_address_among_public_ones_is_enough(monkeypatch):
    resolve_to(monkeypatch, "8.8.8.8", "8.8.4.4", "8.8.8.8")
    assert public_addresses("example.org", 80, False) == ["8.8.8.8", "8.8.4.4"]
    resolve_to(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(ImageError, match=r"private_address: example.org is 10\.0\.0\.1"):
        public_addresses("example.org", 80, False)
    assert public_addresses("example.org", 80, True) == ["8.8.8.8", "10.0.0.1"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "::1"])
def test_this_machine_is_refused_however_it_is_written(host):
    with pytest.raises(ImageError, match="private_address"):
        public_addresses(host, 80, False)


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".org"])
def test_names_that_are_none(host):
    with pytest.raises(ImageError, match="unreachable"):
        public_addresses(host, 80, False)

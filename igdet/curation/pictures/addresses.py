"""Which internet addresses a picture may be fetched from: a URL in a post must not reach into the own network."""

import ipaddress
import socket

from igdet.curation.pictures.errors import PictureError

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # NAT64: the last 32 bits are an IPv4 address


def public_addresses(host: str, port: int, allow_private: bool) -> list[str]:
    """Resolve a host's name once; who connects to the result cannot be led elsewhere by a second answer.

    Args:
        host: a name or an address.
        port: 0..65535.
        allow_private: whether private, loopback and other special addresses are let through.

    Returns:
        Its addresses, in the resolver's order, at least one.

    Raises:
        PictureError: the name is unknown, or one of its addresses is not public.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label of a name is empty or too long
        raise PictureError("unreachable", f"{host}: {error}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not (allow_private or is_public(address)):
            raise PictureError("private_address", f"{host} is {address}, which is not a public address")
    return addresses


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public internet, also when it hides in an IPv6 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    hidden = _hidden_ipv4(ip) if ip.version == 6 else None
    return is_public(str(hidden)) if hidden else ip.is_global and not ip.is_multicast


def _hidden_ipv4(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    translated = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _TRANSLATED else None
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or translated

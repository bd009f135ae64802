"""Which internet addresses an image may be fetched from: a URL in a post must not reach into the own network."""

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from igdet.curation.images.limits import ImageError

# Which addresses of the public internet are not: own rows, because Python's `is_global` differs by version.
# https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry list them all.
_SPECIAL_IPV4 = {
    "0.0.0.0/8": "this network, RFC 791",
    "10.0.0.0/8": "private, RFC 1918",
    "100.64.0.0/10": "shared by a provider's customers, RFC 6598",
    "127.0.0.0/8": "this machine, RFC 1122",
    "169.254.0.0/16": "this link, RFC 3927; clouds tell secrets there",
    "172.16.0.0/12": "private, RFC 1918",
    "192.0.0.0/24": "protocol assignments, RFC 6890",
    "192.0.2.0/24": "documentation, RFC 5737",
    "192.88.99.0/24": "relays of 6to4, RFC 7526",
    "192.168.0.0/16": "private, RFC 1918",
    "198.18.0.0/15": "benchmarks, RFC 2544",
    "198.51.100.0/24": "documentation, RFC 5737",
    "203.0.113.0/24": "documentation, RFC 5737",
    "224.0.0.0/4": "multicast, RFC 5771",
    "240.0.0.0/4": "reserved, and broadcast, RFC 1112",
}
# All else of IPv6 is outside: ::1, ::127.0.0.1, ::ffff:0:a.b.c.d, 64:ff9b:1::/48, 5f00::/16, fc00::/7, fe80::/10,
# fec0::/10, ff00::/8, ...
_PUBLIC_IPV6 = ip_network("2000::/3")  # global unicast, RFC 4291
_SPECIAL_IPV6 = {
    "2001::/23": "protocol assignments, RFC 2928",
    "2001:db8::/32": "documentation, RFC 3849",
    "3fff::/20": "documentation, RFC 9637",
}
# Where packets go on to an IPv4 address that is written in the IPv6 address: how it is read out of the 128 bits.
_EMBEDDED_IPV4: dict[str, Callable[[int], tuple[int, ...]]] = {
    "::ffff:0:0/96": lambda bits: (bits,),  # mapped, RFC 4291
    "64:ff9b::/96": lambda bits: (bits,),  # NAT64, RFC 6052
    "2002::/16": lambda bits: (bits >> 80,),  # 6to4, RFC 3056
    "2001::/32": lambda bits: (bits >> 64, ~bits),  # Teredo, RFC 4380: its server; its client, each bit flipped
}
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # bits 32 to 64 from the right, before an IPv4 address: RFC 5214


def public_addresses(host: str, port: int, allow_private: bool) -> list[str]:
    """Resolve a host's name once; who connects to the result cannot be led elsewhere by a second answer.

    Args:
        host: a name or an address.
        port: 0..65535.
        allow_private: whether private, loopback and other special addresses are let through.

    Returns:
        Its addresses, in the resolver's order, at least one.

    Raises:
        ImageError: the name is unknown, or one of its addresses is not public.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label of a name is empty or too long
        raise ImageError("unreachable", f"{host}: {error}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not (allow_private or is_public(address)):
            raise ImageError("private_address", f"{host} is {address}, which is not a public address")
    return addresses


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public internet, also when it is hidden in an IPv6 address."""
    ip = ip_address(address.partition("%")[0])
    if ip.version == 4:
        return _is_public_ipv4(int(ip))
    bits = int(ip)
    hidden = [read(bits) for network, read in _EMBEDDED_IPV4.items() if ip in ip_network(network)]
    if hidden:
        return all(_is_public_ipv4(number) for numbers in hidden for number in numbers)
    is_tunnel = bits >> 32 & 0xFFFF_FFFF in _ISATAP
    return ip in _PUBLIC_IPV6 and not _is_in(ip, _SPECIAL_IPV6) and (not is_tunnel or _is_public_ipv4(bits))


def _is_public_ipv4(number: int) -> bool:
    return not _is_in(IPv4Address(number & 0xFFFF_FFFF), _SPECIAL_IPV4)


def _is_in(ip: IPv4Address | IPv6Address, networks: Iterable[str]) -> bool:
    return any(ip in ip_network(network) for network in networks)

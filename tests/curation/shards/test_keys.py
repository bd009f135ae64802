"""Opaque keys."""

import hashlib
import hmac

import pytest

from igdet.curation.shards.id_list import opaque_key
from igdet.utils.hashing import sha256


@pytest.mark.parametrize("salt", [b"", b"secret"])
def test_keys_are_half_an_hmac(salt):
    assert opaque_key("anna/1", salt) == hmac.digest(salt, b"anna/1", "sha256").hex()[:32]


def test_other_ids_and_salts_give_other_keys():
    keys = {opaque_key(post_id, salt) for post_id in ("a", "b", "", "é", "\ud800") for salt in (b"", b"s")}
    assert len(keys) == 10


def test_sha256_of_nothing():
    assert (
        sha256(b"")
        == hashlib.sha256().hexdigest()
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )

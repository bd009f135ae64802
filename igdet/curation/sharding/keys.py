"""Opaque ids: what a post is called in a shard."""

import hashlib
import hmac

_KEY_LENGTH = 32  # hexadecimal digits, 128 bits: two of 3.5 billion posts share a key with a probability of 2e-20


def opaque_key(post_id: str, salt: bytes) -> str:
    """Turn the id of a post into one that does not show it: the first half of HMAC-SHA256, keyed with the salt.

    Without a salt, who knows an id can find the post's key; with one, only who also knows the salt.

    Args:
        post_id: any text.
        salt: a secret; b"" for none.

    Returns:
        32 hexadecimal digits.
    """
    return hmac.new(salt, post_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_KEY_LENGTH]


def sha256(data: bytes) -> str:
    """Give the SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()

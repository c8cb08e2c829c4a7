"""Ids as every client makes them."""

import secrets
import time


def new_id(time_ms=None):
    """A UUIDv7."""
    if time_ms is None:
        time_ms = time.time_ns() // 1_000_000
    rest = bytearray(secrets.token_bytes(10))
    rest[0] = 0x70 | rest[0] & 0x0F
    rest[2] = 0x80 | rest[2] & 0x3F
    return time_ms.to_bytes(6, "big") + bytes(rest)

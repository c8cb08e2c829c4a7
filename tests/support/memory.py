"""What a broker has in memory, and what it may have."""

import pathlib


def _kib(broker, name):
    text = pathlib.Path(f"/proc/{broker.pid}/status").read_text()
    return int(text.split(f"{name}:")[1].split()[0])


def rss(broker):
    """In bytes."""
    return _kib(broker, "VmRSS") * 1024


def allowed(broker, size):
    """With AddressSanitizer each part has its red zones, and stays for a while when it is free."""
    return 3 * size if _kib(broker, "VmSize") > 1 << 32 else size

"""Names of arms and workloads as names of files: they are anybody's text."""

import hashlib
import re

_UNSAFE = re.compile(r"[^A-Za-z0-9.@_ -]+")
_MOST_LETTERS = 100  # a folder takes 255 bytes, and what is around the name is in them


def file_name(text: str) -> str:
    """Return a text as the name of a file: no separators, no dots alone, not too long, and two never alike."""
    name = _UNSAFE.sub("_", text)[:_MOST_LETTERS].strip(". ") or "_"
    return name if name == text else f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"

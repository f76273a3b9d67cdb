"""Units as types, and how people read them.

A value in a record is a plain number in the base unit (seconds, bytes, joules) and its name says which. These
functions are for people only: tables, reports, messages.
"""

import math

Seconds = float
Bytes = int
Joules = float
Watts = float
Hertz = float

_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_TIME_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def format_bytes(num_bytes: Bytes) -> str:
    """Return bytes in binary units: `format_bytes(1536)` is "1.5 KiB"; below 1 KiB the number is exact."""
    value, unit = float(num_bytes), 0
    while abs(value) >= 1024 and unit < len(_BYTE_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{num_bytes} B" if unit == 0 else f"{format_digits(value)} {_BYTE_UNITS[unit]}"


def format_seconds(seconds: Seconds) -> str:
    """Return a duration in the unit that leaves three significant digits: `format_seconds(0.0123)` is "12.3 ms"."""
    if math.isinf(seconds):
        return "never"
    for scale, unit in _TIME_UNITS:
        if abs(seconds) >= scale:
            return f"{format_digits(seconds / scale)} {unit}"
    return "0 s" if seconds == 0 else f"{seconds / 1e-9:.2g} ns"


def format_ratio(estimate: float, low: float, high: float) -> str:
    """Return "1.24x [1.21, 1.28]" with no more digits than the interval supports.

    The last digit shown is the one just below the leading digit of the interval's width.
    """
    digits = ratio_digits(low, high)
    return f"{estimate:.{digits}f}x [{low:.{digits}f}, {high:.{digits}f}]"


def format_interval(estimate: float, low: float, high: float) -> str:
    """Return "4.2 [0.9, 7.6]" or "0.0031 [-0.0012, 0.0074]": two digits of the interval's width, and no more."""
    width = high - low
    digits = max(0, 1 - math.floor(math.log10(width))) if math.isfinite(width) and width > 0 else None
    words = [f"{value:.3g}" if digits is None else f"{value:.{digits}f}" for value in (estimate, low, high)]
    return f"{words[0]} [{words[1]}, {words[2]}]"


def ratio_digits(low: float, high: float) -> int:
    """Return how many decimals an interval supports: one below the leading digit of its width, 1 to 4."""
    width = high - low
    if not math.isfinite(width) or width <= 0:
        return 2
    return min(4, max(1, 1 - math.floor(math.log10(width))))


def format_digits(value: float) -> str:
    """Return a number with three significant digits, zeros at its end too: `format_digits(3.2)` is "3.20"."""
    magnitude = 0 if value == 0 else math.floor(math.log10(abs(value)))
    return f"{value:.{max(0, 2 - magnitude)}f}"

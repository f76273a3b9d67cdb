"""Descriptors 0 to 2 are those of a terminal, also where the caller has closed them."""

import os


def occupy_standard_descriptors() -> None:
    """Open /dev/null in the place of each closed one.

    Else the next file or socket gets its number, and whatever writes to "standard error" writes into that.
    """
    descriptor = os.open(os.devnull, os.O_RDWR)  # it gets the lowest number that is free
    while descriptor <= 2:
        os.set_inheritable(descriptor, True)
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)

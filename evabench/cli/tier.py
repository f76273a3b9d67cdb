"""The option that chooses a size of a suite."""

from typing import Annotated

import typer

TierOption = Annotated[
    str | None,
    typer.Option(
        "--tier",  # as it is: Typer 0.27 takes a metavar that is the name in capitals for the name
        metavar="TIER",
        help='Size of a suite that has several: "smoke" (does it run?), "laptop" or "paper". [default: laptop]',
    ),
]

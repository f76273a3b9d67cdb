"""The option that chooses the device which a suite trains on."""

from typing import Annotated

import typer

DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",  # as it is: Typer 0.27 takes a metavar that is the name in capitals for the name
        metavar="DEVICE",
        help='"cpu", "cuda", "cuda:1", another kind that torch knows, or "auto": the accelerator that is here. '
        "[default: the suite's, which is cpu unless it says otherwise]",
    ),
]

"""What a setting may be, and the checks that several families share."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from evabench.settings.brief import brief

Family = Literal["first-order", "eva", "kfac", "shampoo", "mfac", "plugin"]
Clip = Literal["kl_clip", "kl_normalization", "rescale", "none"]
OutputGradient = Literal["batch_mean", "per_example"]
# "per_example_mean": what Eva took for "per_example" until schema 10, the gradients averaged over the positions of an
# image where K-FAC sums them. Its curvature is smaller by (height x width)^2 than what `damping` stands beside.
EvaOutputGradient = Literal["batch_mean", "per_example", "per_example_mean"]
DampingScale = Literal["absolute", "relative"]
AcrossRanks = Literal["whole_batch", "plain_average"]
WeightSharing = Literal["expand", "reduce"]
Factorisation = Literal["cholesky", "eigh"]
# "off": the same descent, clip, momentum, capture and cost, without the curvature. An arm that shows what of a method
# comes from its vectors, and what from the rest.
Vectors = Literal["on", "off"]
# Numbers too small for full precision: set to 0, or computed with, for which a CPU takes many times as long.
Subnormals = Literal["flush", "keep"]
Grafting = Literal["none", "sgd", "adagrad", "rmsprop"]
DeviceKind = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]  # "cpu", "cuda": as torch names it, without a number
# Of both passes. "fp32": nothing less anywhere; "tf32": products, on a GPU that has it; "bf16", "fp16": autocast, the
# latter with a scaled loss.
Precision = Literal["fp32", "tf32", "bf16", "fp16"]
RootMethod = Literal["eigh", "newton"]
# "in_place": the authors' Nesterov step written into the buffer itself, m <- momentum^2 m + (1 + momentum) direction.
# Its momentum decays twice per step; it is there to reproduce their runs.
Nesterov = Literal["none", "standard", "in_place"]
Modules = tuple[str, ...]  # of the child, that are there for one class of settings, or a few, and for no other
Packages = tuple[str, ...]  # whose versions are in the key of a run, beside torch and numpy
Scalar = bool | int | float | str
# An error of pydantic names the member of a union by its tag; such a one is none of a suite file's words.
TAG = "tag "


def _value(found: Any) -> Scalar | tuple[Any, ...]:
    if isinstance(found, list | tuple):
        return tuple(_value(one) for one in found)
    if not isinstance(found, bool | int | float | str):
        raise PydanticCustomError("no_option", "must be a number, a text, true or false, or a list of these")
    return found


def check_options(options: Mapping[str, Any]) -> None:
    """Raise `ValueError` for a number without an end: no result file could hold it."""
    for name, value in options.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, float) and not math.isfinite(one):
                raise ValueError(f"{name} must be a finite number, got {one}")


# Of a plug-in's options: one value, or a list of values.
Value = Annotated[Any, PlainValidator(_value)]
# Of every optimizer of ours, and of nobody else's.
SHELL: Modules = ("evabench.optimizers.shell.preconditioner", "evabench.optimizers.shell.coverage")


def check_choices(settings: Any) -> None:
    """Raise `ValueError` for a word that its field does not know; a suite file is checked by pydantic before."""
    for name, hint in get_type_hints(type(settings)).items():
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        value = getattr(settings, name)
        if choices and value not in choices:
            allowed = ", ".join(f'"{choice}"' for choice in choices)
            raise ValueError(f"{name} must be one of {allowed}, got {brief(value)}")


def check_intervals(statistics_every: int | None, refresh_every: int) -> None:
    """Raise `ValueError` where a refresh would find statistics of an earlier step."""
    if statistics_every is not None and refresh_every % statistics_every:
        raise ValueError(
            f"refresh_every must be a multiple of statistics_every, got {refresh_every} and {statistics_every}: "
            "every refresh uses the statistics of its own step"
        )

"""Language modelling as settings: a decoder-only transformer on bytes or byte pairs."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from evabench.settings.bounds import Count, check_bounds
from evabench.settings.choices import Modules, Packages, Precision
from evabench.settings.datasets import TextName
from evabench.settings.identity import legacy
from evabench.settings.strict import Strict

NUM_BYTES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageSettings(Strict):
    """GPT-2's architecture (Radford et al. 2019) with Linear layers throughout, and its initial weights.

    The defaults are a net of 1 M parameters; layers 12, heads 12, width 768, context 1024 and vocabulary 50257 are
    GPT-2 small with 124 M. A batch is `batch` windows of `context` tokens at offsets drawn by the seed.
    """

    steps_per_epoch: ClassVar[int | None] = None  # windows are drawn, not passed through
    stand_in: ClassVar[bool] = False
    modules: ClassVar[Modules] = ("evabench.workloads.language", "evabench.workloads.tokens")
    packages: ClassVar[Packages] = ()

    workload: Literal["language"] = "language"
    data: TextName = "sotu"
    tokens: Literal["bytes", "byte_pairs"] = "bytes"
    vocabulary: Count = NUM_BYTES  # of byte pairs: the 256 bytes and the merges learned from the training split
    context: Count = 128
    layers: Count = 4
    heads: Count = 4
    width: Count = 144
    tied_head: bool = True  # the output layer shares the weight of the token embedding
    batch: Count = 32
    held_out_windows: Count = 64  # of the validation split and of the test set each, evenly spaced
    precision: Precision = legacy("fp32")
    channels_last: bool = legacy(False)  # images in memory: the channels innermost
    compiled: bool = legacy(False)  # the model, by `torch.compile`

    def __post_init__(self) -> None:
        """Refuse heads that do not divide the width, and a vocabulary that is not the tokens'."""
        check_bounds(self)
        if self.width % self.heads:
            raise ValueError(f"heads must divide width {self.width}, got {self.heads}")
        if self.tokens == "bytes" and self.vocabulary != NUM_BYTES:
            raise ValueError(f"vocabulary must be {NUM_BYTES} for bytes, got {self.vocabulary}")
        if self.tokens == "byte_pairs" and self.vocabulary <= NUM_BYTES:
            raise ValueError(f"vocabulary must be > {NUM_BYTES} for byte pairs, got {self.vocabulary}")

    @property
    def title(self) -> str:
        """Return "GPT 4x144"."""
        return f"GPT {self.layers}x{self.width}"

    @property
    def family(self) -> str:
        """Return "GPT of 4 layers"."""
        return f"GPT of {self.layers} layers"

    @property
    def hidden_widths(self) -> tuple[int, ...]:
        """Return the width of the residual stream; the number of heads stays."""
        return (self.width,)

    @property
    def shape(self) -> str:
        """Return "on bytes, context 128, tied head, batch 32"."""
        tokens = "bytes" if self.tokens == "bytes" else f"{self.vocabulary} byte pairs"
        return f"on {tokens}, context {self.context}, {'tied' if self.tied_head else 'untied'} head, batch {self.batch}"

    def scaled(self, scale: float) -> Self:
        """Return the same net with its width times `scale`. Raises `ValueError` where that does not fit the heads."""
        width = self.width * scale
        if width != int(width) or width < 1:
            raise ValueError(f"width {self.width} times {scale} is not a whole number")
        return replace(self, width=int(width))

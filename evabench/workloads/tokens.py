"""Windows of a text: random ones to train on, evenly spaced ones to be judged by."""

from collections.abc import Iterator, Mapping, Sequence
from typing import final

import numpy as np
import torch
from torch import Tensor

from evabench.errors import DataError
from evabench.settings.language import LanguageSettings
from evabench.workloads.byte_pairs import load_byte_pairs
from evabench.workloads.data import Text
from evabench.workloads.journal import Journal
from evabench.workloads.workload import Batch, HeldOut


@final
class Windows:
    """Inputs [batch, context] and the same shifted by one token as targets."""

    def __init__(self, settings: LanguageSettings, splits: dict[str, Tensor], *, seed: int) -> None:
        """Take the tokens of "train", "validation" and "test". Raises `DataError` where a split is too short."""
        self.settings, self.splits = settings, splits
        for split, tokens in splits.items():
            if len(tokens) <= settings.context:
                raise DataError(f"the {split} split of {settings.data} has {len(tokens)} tokens, fewer than a window")
        self._order = torch.Generator().manual_seed(seed + 1)

    readers: frozenset[int] = frozenset()

    def stored(self) -> Mapping[str, Sequence[Tensor]]:
        """Return the tokens of each split."""
        return {split: (tokens,) for split, tokens in self.splits.items()}

    def training_batches(self, journal: Journal | None = None) -> Iterator[Batch]:
        """Yield windows at offsets drawn uniformly."""
        tokens = self.splits["train"]
        while True:
            starts = torch.randint(len(tokens) - self.settings.context, (self.settings.batch,), generator=self._order)
            if journal is not None:
                journal.note(starts)
            yield self._windows(tokens, starts)

    def held_out(self, split: HeldOut) -> Iterator[Batch]:
        """Yield the same windows at every call."""
        tokens = self.splits[split]
        starts = torch.linspace(0, len(tokens) - self.settings.context - 1, self.settings.held_out_windows).long()
        for part in torch.split(starts, self.settings.batch):
            yield self._windows(tokens, part)

    def _windows(self, tokens: Tensor, starts: Tensor) -> Batch:
        windows = tokens[starts[:, None] + torch.arange(self.settings.context + 1)].long()
        return Batch(windows[:, :-1], windows[:, 1:])


def tokenize(settings: LanguageSettings, text: Text) -> tuple[dict[str, Tensor], Tensor | None]:
    """Return the tokens of each split, and the bytes of each token (None where a token is a byte).

    Byte pairs are learned from the training split alone.
    """
    splits = {"train": text.train, "validation": text.validation, "test": text.test}
    if settings.tokens == "bytes":
        return {name: torch.from_numpy(np.frombuffer(part, np.uint8).copy()) for name, part in splits.items()}, None
    pairs = load_byte_pairs(text.train, settings.vocabulary)
    tokens = {name: torch.tensor(pairs.encode(part), dtype=torch.int32) for name, part in splits.items()}
    return tokens, torch.tensor([len(token) for token in pairs.tokens])

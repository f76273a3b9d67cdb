"""A decoder-only transformer after GPT-2, of Linear layers throughout."""

from typing import final

import torch
from torch import Tensor, nn

from evabench.settings.language import LanguageSettings

_INITIAL_STD = 0.02


def build_gpt(settings: LanguageSettings) -> nn.Module:
    """Return GPT-2's architecture without dropout: pre-normalised blocks, GELU (tanh), learned positions.

    Initial weights are GPT-2's: normal with deviation 0.02, 0.02 / sqrt(2 layers) where a block writes to the residual
    stream, zero biases. With a tied head the output layer is the token embedding's own weight.
    """
    return Gpt(settings)


@final
class Gpt(nn.Module):
    """Tokens [batch, context] -> logits [batch, context, vocabulary]."""

    def __init__(self, settings: LanguageSettings) -> None:
        super().__init__()
        width = settings.width
        self.tokens = nn.Embedding(settings.vocabulary, width)
        self.positions = nn.Embedding(settings.context, width)
        self.blocks = nn.ModuleList(_Block(width, settings.heads) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, settings.vocabulary, bias=False)
        if settings.tied_head:
            self.head.weight = self.tokens.weight
        self._draw_weights(settings.layers)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of each next token."""
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        stream = self.tokens(tokens) + self.positions(positions)
        for block in self.blocks:
            stream = block(stream)
        logits: Tensor = self.head(self.norm(stream))
        return logits

    def _draw_weights(self, num_layers: int) -> None:
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                writes = name.endswith(("project", "contract"))
                nn.init.normal_(module.weight, std=_INITIAL_STD / (2 * num_layers) ** 0.5 if writes else _INITIAL_STD)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)


@final
class _Block(nn.Module):
    """Causal attention, then a perceptron four times as wide; each reads a normalised copy of the stream."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.expand, self.contract = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, stream: Tensor) -> Tensor:
        """Return the stream [batch, context, width]."""
        stream = stream + self.project(self._attend(self.norm1(stream)))
        hidden = nn.functional.gelu(self.expand(self.norm2(stream)), approximate="tanh")
        updated: Tensor = stream + self.contract(hidden)
        return updated

    def _attend(self, stream: Tensor) -> Tensor:
        split = self.qkv(stream).unflatten(-1, (3, self.heads, -1))  # [batch, context, 3, heads, width / heads]
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        return mixed.transpose(1, 2).flatten(-2)

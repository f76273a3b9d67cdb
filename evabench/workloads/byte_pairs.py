"""Byte-pair encoding (Sennrich et al. 2016, on bytes as in GPT-2), learned from a training split.

Words are runs of letters, digits or other signs with one space before them; merges never cross a word, so that each
distinct word is encoded once.
"""

import hashlib
import json
import re
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

from evabench.datasets.files import made_once
from evabench.datasets.places import cache_folder
from evabench.settings.language import NUM_BYTES

Pair = tuple[int, int]

_WORD = re.compile(rb" ?[A-Za-z\x80-\xff]+| ?[0-9]+| ?[^\sA-Za-z0-9\x80-\xff]+|\s+")
_VERSION = 1  # of the rule for words and ties


class BytePairs:
    """Merges in the order they were learned: token 256 + k is the k-th."""

    def __init__(self, merges: list[Pair]) -> None:
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.tokens = [bytes([value]) for value in range(NUM_BYTES)]
        for left, right in merges:
            self.tokens.append(self.tokens[left] + self.tokens[right])
        self._encoded: dict[bytes, list[int]] = {}

    def encode(self, text: bytes) -> list[int]:
        """Return the tokens of a text; their bytes joined are the text again."""
        return [token for word in _WORD.findall(text) for token in self._encode_word(word)]

    def decode(self, tokens: list[int]) -> bytes:
        """Return the text."""
        return b"".join(self.tokens[token] for token in tokens)

    def _encode_word(self, word: bytes) -> list[int]:
        if word not in self._encoded:
            tokens = list(word)
            while len(tokens) > 1:
                best = min(pairwise(tokens), key=lambda pair: self.ranks.get(pair, len(self.ranks)))
                if best not in self.ranks:
                    break
                tokens = merge(tokens, best, NUM_BYTES + self.ranks[best])
            self._encoded[word] = tokens
        return self._encoded[word]


def load_byte_pairs(text: bytes, vocabulary: int) -> BytePairs:
    """Return the encoding learned from a text; the merges are kept in evabench's cache folder."""
    digest = hashlib.sha256(text).hexdigest()[:16]
    path = cache_folder() / "byte-pairs" / f"{_VERSION}-{digest}-{vocabulary}.json"

    def write(to: Path) -> None:
        to.write_text(json.dumps(learn_merges(text, vocabulary - NUM_BYTES)))

    merges = json.loads(made_once(path, write).read_text())
    return BytePairs([(left, right) for left, right in merges])


def learn_merges(text: bytes, num_merges: int) -> list[Pair]:
    """Return the merges: each joins the pair that is most frequent then, of equals the one of the lowest tokens.

    Raises `ValueError` where the text has too few pairs.
    """
    counts = Counter(_WORD.findall(text))
    words = [list(word) for word in counts]
    weights = list(counts.values())
    frequency: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)
    for index, word in enumerate(words):
        _count(word, index, weights[index], frequency, places)
    merges: list[Pair] = []
    for number in range(num_merges):
        best = max(frequency, key=lambda pair: (frequency[pair], -pair[0], -pair[1]), default=None)
        if best is None or frequency[best] < 2:
            raise ValueError(f"the text has only {number} byte pairs that repeat, vocabulary asks for {num_merges}")
        merges.append(best)
        for index in places.pop(best):
            _count(words[index], index, -weights[index], frequency, places)
            words[index] = merge(words[index], best, NUM_BYTES + number)
            _count(words[index], index, weights[index], frequency, places)
        del frequency[best]
    return merges


def merge(tokens: list[int], pair: Pair, into: int) -> list[int]:
    """Return the tokens with every occurrence of a pair, from the left, made one."""
    merged = []
    position = 0
    while position < len(tokens):
        if position + 1 < len(tokens) and (tokens[position], tokens[position + 1]) == pair:
            merged.append(into)
            position += 2
        else:
            merged.append(tokens[position])
            position += 1
    return merged


def _count(
    word: list[int], index: int, weight: int, frequency: Counter[Pair], places: defaultdict[Pair, set[int]]
) -> None:
    for pair in pairwise(word):
        frequency[pair] += weight
        if weight > 0:
            places[pair].add(index)
        elif frequency[pair] <= 0:
            del frequency[pair]

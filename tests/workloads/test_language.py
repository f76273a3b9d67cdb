"""Text: bytes and byte pairs, windows, and a transformer that cannot see the future."""

import itertools

import pytest
import torch

from evabench.errors import DataError
from evabench.settings.language import LanguageSettings
from evabench.workloads.build import build_model
from evabench.workloads.byte_pairs import BytePairs, learn_merges
from evabench.workloads.data import Text
from evabench.workloads.tokens import Windows, tokenize

SMALL = LanguageSettings(context=8, layers=1, heads=2, width=16, batch=4, held_out_windows=5)
WORDS = b"the cat and the hat and the bat, the cat: 42 cats; \xc3\xa9t\xc3\xa9 " * 20


def test_byte_pairs_are_reversible_for_any_bytes():
    pairs = BytePairs(learn_merges(WORDS, 20))
    for text in (WORDS, bytes(range(256)), b"", b"an unseen cat"):
        assert pairs.decode(pairs.encode(text)) == text
    assert len(pairs.encode(WORDS)) < 0.5 * len(WORDS)


def test_the_most_frequent_pair_is_merged_first_and_ties_go_to_the_lowest_bytes():
    assert learn_merges(b"abab abab cdcd", 1) == [(ord("a"), ord("b"))]
    assert learn_merges(b"cd cd ab ab", 1)[0] in [(ord(" "), ord("a")), (ord("a"), ord("b"))]
    assert learn_merges(b"cdx\ncdx\nabx\nabx", 1) == [(ord("a"), ord("b"))]


def test_merges_grow_from_merges_and_never_cross_a_word():
    pairs = BytePairs(learn_merges(b"aaaa bbbb\n" * 9, 4))
    assert b"aaaa" in pairs.tokens
    assert not any(b"a" in token and b"b" in token for token in pairs.tokens)


def test_a_text_with_too_few_pairs_is_an_error():
    with pytest.raises(ValueError, match="byte pairs that repeat, vocabulary asks for 50"):
        learn_merges(b"abc", 50)


def test_byte_pairs_are_learned_from_the_training_split_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings = LanguageSettings(tokens="byte_pairs", vocabulary=270)
    splits, token_bytes = tokenize(settings, Text(WORDS, b"the zzzzzzzz", b"zzzz"))
    assert int(token_bytes[splits["validation"]].sum()) == len(b"the zzzzzzzz")
    assert len(splits["test"]) == 4  # z was never seen: every one is a byte
    again, _ = tokenize(settings, Text(WORDS, b"the zzzzzzzz", b"zzzz"))
    assert torch.equal(again["train"], splits["train"])


def windows(seed=0):
    tokens = torch.arange(200, dtype=torch.uint8)
    return Windows(SMALL, {"train": tokens, "validation": tokens, "test": tokens}, seed=seed)


def test_targets_are_the_inputs_one_token_later():
    for batch in itertools.islice(windows().training_batches(), 3):
        assert batch.inputs.shape == batch.targets.shape == (4, 8)
        assert torch.equal(batch.targets, batch.inputs + 1)


def test_held_out_windows_reach_from_the_first_token_to_the_last_and_are_always_the_same():
    first, again = (torch.cat([batch.targets for batch in windows(seed).held_out("test")]) for seed in (0, 1))
    assert torch.equal(first, again)
    assert first.shape == (5, 8)
    assert (int(first[0, 0]), int(first[-1, -1])) == (1, 199)


def test_a_split_shorter_than_a_window_is_an_error():
    tokens = torch.arange(8, dtype=torch.uint8)
    with pytest.raises(DataError, match="the train split of sotu has 8 tokens, fewer than a window"):
        Windows(SMALL, {"train": tokens}, seed=0)


def test_a_logit_depends_on_no_later_token():
    model = build_model(SMALL, seed=0).eval()
    tokens = torch.randint(256, (2, 8), generator=torch.Generator().manual_seed(0))
    changed = tokens.clone()
    changed[:, 5] = (changed[:, 5] + 1) % 256
    difference = (model(tokens) - model(changed)).abs().amax(dim=(0, 2))
    assert difference[:5].max() == 0
    assert difference[5:].min() > 0


def test_initial_logits_are_nearly_uniform():
    model = build_model(SMALL, seed=0).eval()
    tokens = torch.randint(256, (2, 8), generator=torch.Generator().manual_seed(0))
    entropy = torch.distributions.Categorical(logits=model(tokens)).entropy()
    assert entropy.min() > 0.99 * torch.log(torch.tensor(256.0))


def test_a_tied_head_is_the_embedding_itself():
    model = build_model(SMALL, seed=0)
    assert model.head.weight is model.tokens.weight
    untied = build_model(LanguageSettings(context=8, layers=1, heads=2, width=16, tied_head=False), seed=0)
    assert untied.head.weight is not untied.tokens.weight

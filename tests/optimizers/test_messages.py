"""A message never prints a tensor, a model or a closure: it is short whatever the model's size."""

import pytest
import torch
from torch import nn

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo

each_class = pytest.mark.parametrize("optimizer_class", [FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo])
LONGEST = 500  # characters


def large_model():
    return nn.Sequential(*(nn.Linear(60, 60) for _ in range(80)))


LARGE = large_model()
MISTAKES = {
    "named parameters as groups": lambda make: make(LARGE, groups=LARGE.named_parameters()),
    "named parameters in a group": lambda make: make(LARGE, groups=[{"params": LARGE.named_parameters()}]),
    "a model in a group": lambda make: make(LARGE, groups=[{"params": [LARGE]}]),
    "a state_dict in a group": lambda make: make(LARGE, groups=[{"params": LARGE.state_dict()}]),
    "another model's parameters": lambda make: make(LARGE, groups=[{"params": large_model().parameters()}]),
    "a set of parameters": lambda make: make(LARGE, groups=[{"params": set(LARGE.parameters())}]),
    "a set of parameters later": lambda make: make(LARGE).add_param_group({"params": set(LARGE.parameters())}),
    "a model as a rate": lambda make: make(LARGE, lr=LARGE),
    "a tensor as a rate": lambda make: make(LARGE, lr=torch.ones(60, 60)),
    "a model as a rate of a group": lambda make: make(LARGE, groups=[{"params": LARGE[0].weight, "lr": LARGE}]),
    "unknown settings of a group": lambda make: make(
        LARGE, groups=[{"params": LARGE[0].weight} | dict.fromkeys(LARGE.state_dict(), 1)]
    ),
    "parameters as the model": lambda make: make(list(LARGE.parameters())),
    "a model as a state": lambda make: make(LARGE).load_state_dict(LARGE),
    "a model's state as a state": lambda make: make(LARGE).load_state_dict(LARGE.state_dict()),
    "a model as what saved a state": lambda make: make(LARGE).load_state_dict(
        {"state": {}, "param_groups": [{"optimizer": LARGE, "params": []}]}
    ),
}


@each_class
@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_message_about_a_large_model_is_short(optimizer_class, mistake):
    with pytest.raises((ValueError, TypeError)) as problem:
        mistake(optimizer_class)
    words = str(problem.value)
    assert len(words) <= LONGEST
    assert "tensor(" not in words
    assert "Linear(" not in words


@pytest.mark.parametrize(("optimizer_class", "name"), [(Eva, "clip"), (KFAC, "damping_scale"), (Shampoo, "grafting")])
def test_a_model_in_place_of_a_word_is_named_by_its_class(optimizer_class, name):
    with pytest.raises(ValueError, match=f"{name} must be one of .*, got a Sequential"):
        optimizer_class(LARGE, **{name: LARGE})


@each_class
def test_a_set_of_parameters_is_refused_because_it_has_no_order(optimizer_class):
    with pytest.raises(TypeError, match="the parameters of a group are a set of 160, whose order differs"):
        optimizer_class(LARGE, groups=[{"params": set(LARGE.parameters())}])

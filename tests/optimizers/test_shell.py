"""The one abstract class: everything below it is final, and nothing that it implements is overridden."""

import inspect

import pytest
import torch

from evabench import optimizers
from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo
from evabench.optimizers.shell.preconditioner import Preconditioner

EVERY = [FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo]
each_class = pytest.mark.parametrize("optimizer_class", EVERY)


def test_the_public_optimizers_are_all_that_is_below_the_abstract_class():
    public = [getattr(optimizers, name) for name in optimizers.__all__]
    assert {each for each in public if inspect.isclass(each)} == set(EVERY) == set(Preconditioner.__subclasses__())


@each_class
def test_an_optimizer_is_final_and_lies_directly_below_the_abstract_class(optimizer_class):
    assert optimizer_class.__final__
    assert [each.__name__ for each in optimizer_class.__mro__[1:3]] == ["Preconditioner", "Optimizer"]


@each_class
def test_an_optimizer_overrides_no_method_that_is_implemented_above_it(optimizer_class):
    above = {
        name
        for base in (Preconditioner, torch.optim.Optimizer)
        for name, value in vars(base).items()
        if callable(value)
    }
    # torch replaces `step` in every class of optimizers by one that calls the hooks around it.
    own = {name for name, value in vars(optimizer_class).items() if callable(value)} - {"__init__", "step"}
    assert own & above == Preconditioner.__abstractmethods__
    assert inspect.unwrap(optimizer_class.step) is inspect.unwrap(Preconditioner.step)


def test_the_abstract_class_cannot_be_made():
    with pytest.raises(TypeError, match="abstract"):
        Preconditioner(torch.nn.Linear(2, 2), None, None, ())

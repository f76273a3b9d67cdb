"""Models that change after the optimizer was made: layers are added, hooks are taken off, others register them anew."""

import copy
import pickle

import pytest
import torch
from torch import nn
from torch.nn.utils import prune
from torch.optim.swa_utils import AveragedModel
from torch.testing import assert_close

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo, coverage
from evabench.optimizers.shell.health import health
from tests.optimizers.models import BUILDS, backward, batch, parameters, small_net, train

each_optimizer = pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS.keys())
each_with_hooks = pytest.mark.parametrize("optimizer_class", [Eva, EvaF, KFAC, FOOF])


def with_a_layer_more(model):
    torch.manual_seed(1)
    return model.append(nn.Linear(3, 3).double())


@each_optimizer
def test_a_layer_that_is_added_before_the_first_step_trains_as_if_it_had_always_been_there(build):
    grown, whole = small_net(), with_a_layer_more(small_net())
    optimizer = build(grown)
    with_a_layer_more(grown)
    optimizer.add_param_group({"params": grown[3].parameters()})
    train(grown, optimizer, range(4))
    train(whole, (other := build(whole)), range(4))
    assert_close(parameters(grown), parameters(whole))
    assert coverage(optimizer) == coverage(other)


@each_optimizer
def test_a_layer_that_is_added_later_is_trained_saved_and_copied_with_the_others(build):
    model = small_net()
    optimizer = build(model)
    train(model, optimizer, range(2))
    with_a_layer_more(model)
    optimizer.add_param_group({"params": model[3].parameters(), "lr": 0.01})
    before = parameters(model[3])
    train(model, optimizer, range(2, 6))
    assert not any(torch.equal(old, new) for old, new in zip(before, parameters(model[3]), strict=True))
    assert optimizer.health().layers_without_statistics == ()
    second, other = copy.deepcopy((model, optimizer))
    train(model, optimizer, range(6, 8))
    train(second, other, range(6, 8))
    assert_close(parameters(second), parameters(model), rtol=0, atol=0)


@each_optimizer
def test_a_layer_may_be_added_parameter_by_parameter(build):
    model = small_net()
    optimizer = build(model)
    with_a_layer_more(model)
    optimizer.add_param_group({"params": [model[3].bias]})
    train(model, optimizer, range(2))
    optimizer.add_param_group({"params": [model[3].weight], "lr": 0.01})
    before = parameters(model[3])
    train(model, optimizer, range(2, 4))
    assert not any(torch.equal(old, new) for old, new in zip(before, parameters(model[3]), strict=True))


@each_optimizer
def test_a_group_that_is_refused_leaves_the_optimizer_as_it_was(build):
    refused, plain = with_a_layer_more(small_net()), with_a_layer_more(small_net())
    del refused[3], plain[3]
    optimizers = build(refused), build(plain)
    for model in (refused, plain):
        with_a_layer_more(model)
    with pytest.raises(ValueError, match="group 1: lr must be"):
        optimizers[0].add_param_group({"params": refused[3].parameters(), "lr": -1.0})
    with pytest.raises(TypeError, match="group 1 must be a dictionary with params, got a list of 2"):
        optimizers[0].add_param_group(list(refused[3].parameters()))
    for model, optimizer in zip((refused, plain), optimizers, strict=True):
        train(model, optimizer, range(2))
    assert_close(parameters(refused), parameters(plain), rtol=0, atol=0)


@each_optimizer
def test_parameters_of_another_model_are_still_refused_later(build):
    optimizer = build(small_net())
    with pytest.raises(ValueError, match=r"group 1: a parameter of shape .* does not belong to the model"):
        optimizer.add_param_group({"params": small_net().parameters()})


@each_with_hooks
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_a_detached_model_has_no_hooks_and_the_state_goes_on_when_they_are_back(optimizer_class):
    model, undisturbed = small_net(), small_net()
    optimizer, other = optimizer_class(model), optimizer_class(undisturbed)
    train(model, optimizer, range(3))
    optimizer.detach()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    torch.jit.script(copy.deepcopy(model))
    backward(model, *batch())
    with pytest.raises(RuntimeError, match="step after detach"):
        optimizer.step()
    optimizer.attach()
    train(model, optimizer, range(3, 6))
    train(undisturbed, other, range(6))
    assert_close(parameters(model), parameters(undisturbed), rtol=0, atol=0)


@each_with_hooks
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
@pytest.mark.parametrize("num_steps", [0, 1])
def test_a_copy_of_a_watched_model_can_be_scripted_and_the_model_itself_says_what_to_do(optimizer_class, num_steps):
    model = small_net()
    optimizer = optimizer_class(model)
    train(model, optimizer, range(num_steps))
    x, _ = batch()
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), AveragedModel(model).module):
        assert_close(torch.jit.script(copied)(x), model(x))
    with pytest.raises(AttributeError, match=r"call optimizer\.detach\(\) before it and optimizer\.attach"):
        torch.jit.script(model)


@each_optimizer
def test_an_optimizer_that_has_no_hooks_may_be_detached_like_the_others(build):
    model = small_net()
    optimizer = build(model)
    optimizer.detach()
    optimizer.attach()
    train(model, optimizer, range(2))
    assert optimizer.health().layers_without_statistics == ()


@each_with_hooks
@pytest.mark.parametrize("strict", [True, False])
def test_a_watched_model_can_be_exported(optimizer_class, strict):
    model = small_net()
    optimizer = optimizer_class(model)
    train(model, optimizer, range(1))
    x, _ = batch()
    exported = torch.export.export(model, (x,), strict=strict).module()
    assert_close(exported(x), model(x))


@each_with_hooks
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # of torch.ao about itself
def test_training_aware_of_quantization_registers_the_hooks_anew_and_trains(optimizer_class):
    model = small_net(torch.float32)
    optimizer = optimizer_class(model)
    model.qconfig = torch.ao.quantization.get_default_qat_qconfig("fbgemm")
    torch.ao.quantization.prepare_qat(model.train(), inplace=True)
    before = parameters(model)
    train(model, optimizer, range(2))
    assert not any(torch.equal(old, new) for old, new in zip(before, parameters(model), strict=True))


@pytest.mark.parametrize("optimizer_class", [Eva, EvaF, EvaS, FOOF, KFAC, MFAC, Shampoo])
@pytest.mark.parametrize("how", ["tied", "replaced"])
def test_a_weight_that_is_another_parameter_by_now_is_refused_in_words(optimizer_class, how):
    model = small_net()
    model[2] = nn.Linear(5, 4, dtype=torch.float64)
    model.append(nn.Linear(4, 5, dtype=torch.float64))
    optimizer = optimizer_class(model)
    if how == "tied":
        model[3].weight = model[0].weight
    else:
        model.load_state_dict({name: value.clone() for name, value in model.state_dict().items()}, assign=True)
    model(batch()[0]).square().mean().backward()
    with pytest.raises(RuntimeError, match=r"weight is another parameter now than when .* was made: .*Make a new"):
        optimizer.step()


def replace_the_head(model):
    model[2] = nn.Linear(5, 6, dtype=torch.float64)


def tie_two_modules(model):
    model[3] = model[2]


def normalise_weights(model):
    nn.utils.weight_norm(model[2])


def flatten_parameters(model):
    weights = nn.Parameter(torch.cat([parameter.detach().flatten() for parameter in model[2].parameters()]))
    shape = model[2].weight.shape
    del model[2].weight, model[2].bias
    model.flat = weights
    model[2].forward = lambda x: nn.functional.linear(x, weights[: shape.numel()].view(shape))


CHANGES = {
    "a module": (replace_the_head, r"2\.weight is another parameter now"),
    "a module by another of the model": (tie_two_modules, r"3\.weight is another parameter now"),
    "weight_norm": (normalise_weights, r"2\.weight is not in the model any more, and 2\.weight_g, .* weight_norm and"),
    "flat parameters": (flatten_parameters, r"2\.weight is not in the model any more, and flat, which came since"),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
@pytest.mark.parametrize("optimizer_class", [Eva, EvaF, EvaS, FOOF, KFAC, MFAC, Shampoo])
@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
def test_parameters_that_were_replaced_are_named_and_nothing_moves(optimizer_class, change, words):
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 5), nn.Linear(5, 4)).double()
    optimizer = optimizer_class(model)
    change(model)
    before = parameters(model)
    model[2](model[1](model[0](batch()[0]))).square().mean().backward()
    with pytest.raises(RuntimeError, match=words):
        optimizer.step()
    assert_close(parameters(model), before, rtol=0, atol=0)


@pytest.mark.parametrize("optimizer_class", [Eva, EvaF, EvaS, FOOF, KFAC, MFAC, Shampoo])
def test_a_weight_whose_data_has_another_shape_is_refused_before_any_kernel_reads_it(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model)
    train(model, optimizer, range(1))
    optimizer.zero_grad()
    model[2].weight.data, model[2].bias.data = torch.ones(6, 5).double(), torch.ones(6).double()
    model(batch()[0]).square().mean().backward()
    with pytest.raises(RuntimeError, match=r"2\.weight has the shape \(6, 5\) now, and had \(3, 5\) when"):
        optimizer.step()


@each_with_hooks
def test_modules_that_only_change_places_are_trained_on(optimizer_class):
    wrapped, plain = small_net(), small_net()
    optimizers = optimizer_class(wrapped), optimizer_class(plain)
    train(wrapped, optimizers[0], range(2))
    wrapped[0] = nn.Sequential(wrapped[0])
    prune.identity(wrapped[2], "bias")
    prune.remove(wrapped[2], "bias")
    train(wrapped, optimizers[0], range(2, 4))
    train(plain, optimizers[1], range(4))
    assert_close(parameters(wrapped[0])[0], plain[0].weight.detach())


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
@pytest.mark.parametrize("optimizer_class", [Eva, EvaF, EvaS, FOOF, KFAC, MFAC, Shampoo])
def test_a_model_with_a_scripted_part_is_trained(optimizer_class):
    model = small_net()
    model[0] = torch.jit.script(model[0])
    before = parameters(model)
    train(model, optimizer_class(model), range(2))
    assert not any(torch.equal(old, new) for old, new in zip(before, parameters(model), strict=True))


@each_with_hooks
def test_a_weight_that_is_pruned_later_takes_the_plain_gradient_until_it_is_itself_again(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model, momentum=0.0, lr=0.1)
    train(model, optimizer, range(1))
    prune.l1_unstructured(model[2], "weight", 0.5)
    optimizer.zero_grad()
    backward(model, *batch())
    gradient, before = model[2].weight_orig.grad.clone(), model[2].weight_orig.detach().clone()
    optimizer.step()
    assert_close(model[2].weight_orig.detach(), before - 0.1 * gradient)
    assert health(optimizer).why_plain == {"2": "its weight is computed by now"}
    prune.remove(model[2], "weight")
    train(model, optimizer, range(1, 2))
    assert health(optimizer).why_plain == {}


@each_with_hooks
def test_a_weight_that_is_computed_since_the_optimizer_was_made_takes_the_plain_gradient(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model)
    nn.utils.parametrize.register_parametrization(model[2], "weight", nn.Softmax(dim=0))
    backward(model, *batch())
    optimizer.step()
    assert "its weight is computed by now" in health(optimizer).why_plain["2"]

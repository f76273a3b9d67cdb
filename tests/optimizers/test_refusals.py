"""What the optimizers refuse when they are made or loaded: the setting, what was found and what is allowed."""

import pytest
import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, ShardingStrategy
from torch.distributed.tensor import distribute_module

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo
from tests.optimizers.models import assert_unchanged, small_net, snapshot, train

EVERY = [Eva, EvaF, EvaS, FOOF, KFAC, MFAC, Shampoo]
each_class = pytest.mark.parametrize("optimizer_class", EVERY)


def sgd(model):
    return torch.optim.SGD(model.parameters(), 0.1, 0.9)


@pytest.mark.parametrize(
    ("optimizer_class", "other", "name"),
    [(each, sgd, "another optimizer") for each in EVERY]
    + [(Eva, EvaF, "eva_f"), (EvaF, Eva, "eva"), (FOOF, KFAC, "kfac")],
)
def test_a_state_dict_of_another_optimizer_is_refused_and_nothing_is_loaded(optimizer_class, other, name):
    model = small_net()
    optimizer = optimizer_class(model)
    train(model, optimizer, range(2))
    train(second := small_net(), saved := other(second), range(2))
    before = snapshot(model, optimizer)
    with pytest.raises(ValueError, match=f"group 0 was saved by {name}, not by .*; nothing was loaded"):
        optimizer.load_state_dict(saved.state_dict())
    assert_unchanged(before, model, optimizer)


@pytest.mark.parametrize("optimizer_class", [each for each in EVERY if each is not MFAC])
def test_a_model_without_a_layer_to_precondition_is_refused_by_name(optimizer_class):
    with pytest.raises(ValueError, match="LayerNorm has no layer to precondition"):
        optimizer_class(nn.LayerNorm(4))


@each_class
def test_parameters_in_place_of_the_model_are_refused_with_the_way_out(optimizer_class):
    with pytest.raises(ValueError, match=r"got a generator\. Pass the model itself instead of model\.parameters\(\)"):
        optimizer_class(small_net().parameters(), lr=0.1)


@each_class
@pytest.mark.parametrize(
    ("name", "value"), [("lr", -1.0), ("momentum", 1.0), ("weight_decay", -0.1), ("damping", -1.0)]
)
def test_a_bad_value_is_refused_by_the_name_of_its_setting(optimizer_class, name, value):
    if optimizer_class is Shampoo and name == "damping":
        name = "epsilon"
    with pytest.raises(ValueError, match=f"{name} must be .*, got {value}"):
        optimizer_class(small_net(), **{name: value})


@each_class
def test_a_text_in_place_of_a_number_is_refused_by_the_name_of_its_setting(optimizer_class):
    with pytest.raises(ValueError, match='lr must be a number, got the text "1e-3"'):
        optimizer_class(small_net(), lr="1e-3")


@pytest.mark.parametrize(
    ("optimizer_class", "name"),
    [
        (Eva, "statistics_batch"),
        (FOOF, "top_k"),
        (KFAC, "refresh_every"),
        (MFAC, "num_gradients"),
        (Shampoo, "block_size"),
    ],
)
def test_a_count_that_is_not_whole_is_refused_by_name(optimizer_class, name):
    with pytest.raises(ValueError, match=f"{name} must be a whole number, got 16.5"):
        optimizer_class(small_net(), **{name: 16.5})


@pytest.mark.parametrize(
    ("optimizer_class", "name"),
    [
        (Eva, "clip"),
        (Eva, "across_ranks"),
        (EvaF, "clip"),
        (KFAC, "damping_scale"),
        (KFAC, "output_gradient"),
        (EvaS, "nesterov"),
        (MFAC, "nesterov"),
        (Shampoo, "grafting"),
        (Shampoo, "root_method"),
    ],
)
def test_a_word_that_is_no_choice_is_refused_with_the_choices(optimizer_class, name):
    with pytest.raises(ValueError, match=f'{name} must be one of ".*", got "nonsense"'):
        optimizer_class(small_net(), **{name: "nonsense"})


@each_class
def test_a_state_dict_of_another_model_is_refused_by_the_name_of_a_parameter_and_nothing_is_loaded(optimizer_class):
    train(model := small_net(), saved := optimizer_class(model), range(2))
    wider = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()
    optimizer = optimizer_class(wider)
    train(wider, optimizer, range(2))
    before = snapshot(wider, optimizer)
    with pytest.raises(ValueError, match=r"0\.weight has the shape \(6, 4\), but was saved with \(5, 4\)"):
        optimizer.load_state_dict(saved.state_dict())
    assert_unchanged(before, wider, optimizer)


@each_class
def test_a_checkpoint_in_place_of_its_optimizer_is_refused_with_what_it_holds(optimizer_class):
    optimizer = optimizer_class(small_net())
    with pytest.raises(ValueError, match="got a dictionary with model, optimizer; nothing was loaded"):
        optimizer.load_state_dict({"model": {}, "optimizer": optimizer.state_dict()})


@each_class
def test_a_lazy_module_without_a_shape_yet_is_refused_by_name_with_the_way_out(optimizer_class):
    model = nn.Sequential(nn.Linear(4, 5), nn.LazyLinear(3))
    with pytest.raises(ValueError, match=r"1\.weight has no shape yet: its module is lazy\. Run a batch"):
        optimizer_class(model)


@each_class
def test_a_trained_complex_parameter_is_refused_by_name_and_a_frozen_one_is_not(optimizer_class):
    model = small_net()
    model.phases = nn.Parameter(torch.ones(2, 2, dtype=torch.complex64), requires_grad=False)
    train(model, optimizer_class(model), range(0))
    model.phases.requires_grad_(True)
    with pytest.raises(ValueError, match=r"phases is torch\.complex64: complex parameters cannot be trained"):
        optimizer_class(model)


@pytest.mark.filterwarnings("ignore:The `NO_SHARD` sharding strategy is deprecated:FutureWarning")
@each_class
def test_a_sharded_parameter_is_refused_by_name_with_the_way_out(optimizer_class):
    distributed.init_process_group("gloo", rank=0, world_size=1, store=distributed.HashStore())
    try:
        model = distribute_module(small_net(), init_device_mesh("cpu", (1,)))
        with pytest.raises(ValueError, match=r"0\.weight is a DTensor, sharded .* Use DistributedDataParallel"):
            optimizer_class(model)
        for keeps_shapes in (False, True):
            model = FullyShardedDataParallel(
                small_net(),
                use_orig_params=keeps_shapes,
                device_id=torch.device("cpu"),
                sharding_strategy=ShardingStrategy.NO_SHARD,
            )
            with pytest.raises(ValueError, match=r"is a part of a flat parameter .* Use DistributedDataParallel"):
                optimizer_class(model)
    finally:
        distributed.destroy_process_group()

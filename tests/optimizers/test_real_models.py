"""What real training loops do to a model and its gradients, and what Eva and Eva-f must make of it."""

import copy
import io

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint

from evabench.measurement.memory.memory import StorageTracker
from evabench.optimizers import Eva, EvaF
from evabench.optimizers.shell.coverage import coverage
from tests import dense
from tests.optimizers.conv_net import ConvNet, conv_batch, conv_loss, train_conv
from tests.optimizers.models import backward, batch, parameters, small_net

DAMPING = 0.1
each_class = pytest.mark.parametrize("optimizer_class", [Eva, EvaF])


def expected_direction(layer, inputs, gradients, both_sides):
    """Return D of every group by the dense solve; rows of patches as torch's own unfold makes them."""
    module = layer.modules[0]
    groups = layer.num_groups
    if isinstance(module, nn.Conv1d):
        rows = nn.functional.pad(inputs, (1, 1)).unfold(2, 3, 1).transpose(1, 2).flatten(0, 1).flatten(1)
    elif isinstance(module, nn.Conv2d):
        rows = (
            nn.functional.unfold(inputs, 3, padding=module.padding, stride=module.stride).transpose(1, 2).flatten(0, 1)
        )
    else:
        rows = inputs
    b = (gradients.movedim(1, -1) if gradients.dim() > 2 else gradients).flatten(0, -2).mean(0).view(groups, -1)
    a = rows.mean(0).view(groups, -1)
    if layer.bias is not None:
        a = dense.with_ones(a)
    G = layer.gradient().view(groups, b.shape[1], a.shape[1])
    solved = []
    for g in range(groups):
        left = torch.outer(b[g], b[g]) if both_sides else torch.eye(b.shape[1], dtype=b.dtype)
        solved.append(dense.solve(torch.kron(left, torch.outer(a[g], a[g])), G[g], DAMPING))
    return torch.stack(solved) * (1 if both_sides else DAMPING)


@each_class
def test_directions_of_convolutions_equal_the_dense_solve_group_by_group(optimizer_class):
    model = ConvNet().double()
    optimizer = optimizer_class(model, damping=DAMPING, clip="none")
    seen = {}
    for name in ("first", "second", "third", "head"):
        module = model.get_submodule(name)

        def keep(module, args, output, name=name):
            seen[name] = [args[0].detach().clone()]
            output.register_hook(lambda gradient: seen[name].append(gradient.clone()))

        module.register_forward_hook(keep)
    conv_loss(model).backward()
    expected = [expected_direction(each, *seen[each.name], optimizer_class is Eva) for each in optimizer.layers]
    optimizer.step()
    for layer, P in zip(optimizer.layers, expected, strict=True):
        assert_close(layer.gradient().view(P.shape), P)


@each_class
def test_coverage_names_every_layer_and_the_share_of_the_parameters(optimizer_class):
    model = ConvNet().double()
    model.head.requires_grad_(False)
    optimizer = optimizer_class(model)
    train_conv(model, optimizer, 1)
    found = coverage(optimizer)
    assert {each.name: each.treatment for each in found.layers} == {
        "tokens": "plain gradient",
        "first": "preconditioned",
        "second": "preconditioned",
        "norm": "plain gradient",
        "third": "preconditioned",
        "head": "frozen",
    }
    sizes = {name: sum(p.numel() for p in module.parameters()) for name, module in model.named_children()}
    covered = sizes["first"] + sizes["second"] + sizes["third"]
    assert found.share == covered / (covered + sizes["tokens"] + sizes["norm"])
    assert "tokens (Embedding, 40): plain gradient, Embedding has no Kronecker factors" in str(found)


@each_class
def test_coverage_says_what_was_frozen_or_set_free_since_the_optimizer_was_made(optimizer_class):
    model = ConvNet().double()
    model.head.requires_grad_(False)
    optimizer = optimizer_class(model)
    train_conv(model, optimizer, 1)
    model.head.requires_grad_(True)
    model.first.requires_grad_(False)
    model.third.bias.requires_grad_(False)
    train_conv(model, optimizer, 1)
    told = {each.name: (each.treatment, each.reason) for each in coverage(optimizer).layers}
    assert told["first"] == ("frozen", "since the optimizer was made")
    bias_frozen = "its bias was frozen since the optimizer was made: make a new optimizer"
    assert told["third"] == ("plain gradient", bias_frozen)
    assert told["head"] == ("plain gradient", "its weight was frozen when the optimizer was made")


@each_class
def test_a_layer_that_is_never_called_as_a_module_is_preconditioned_by_its_products(optimizer_class):
    torch.manual_seed(0)
    model = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True).double()
    optimizer = optimizer_class(model)
    model(torch.rand(3, 5, 4, dtype=torch.float64)).square().mean().backward()
    optimizer.step()
    treated = {each.name: each.treatment for each in coverage(optimizer).layers}
    names = ("linear1", "linear2", "self_attn.out_proj", "self_attn.in_proj_weight")
    assert {treated[name] for name in names} == {"preconditioned"}


@each_class
def test_a_weight_shared_with_an_embedding_takes_the_plain_gradient(optimizer_class):
    model = nn.ModuleDict({"tokens": nn.Embedding(5, 4), "body": nn.Linear(4, 4), "head": nn.Linear(4, 5)})
    model["head"].weight = model["tokens"].weight
    optimizer = optimizer_class(model)
    assert [layer.name for layer in optimizer.layers] == ["body"]
    reasons = {rest.name: rest.reason for rest in optimizer.rest}
    assert reasons == {"tokens": "Embedding has no Kronecker factors", "head": "its weight is shared with a Embedding"}


@each_class
@pytest.mark.parametrize("use_reentrant", [False, True])
def test_activation_checkpointing_changes_nothing(optimizer_class, use_reentrant):
    plain, checkpointed = ConvNet().double(), ConvNet().double()
    optimizers = optimizer_class(plain), optimizer_class(checkpointed)
    run = checkpointed.features
    checkpointed.features = lambda x: checkpoint(run, x.requires_grad_(), use_reentrant=use_reentrant)
    sums = []
    for model, optimizer in zip((plain, checkpointed), optimizers, strict=True):
        conv_loss(model).backward()
        sums.append(
            [
                (each.num_rows, each.inputs)
                for _, each in sorted(optimizer.capture.sums.items(), key=lambda i: i[0].name)
            ]
        )
    assert_close(*sums)
    train_conv(plain, optimizers[0])
    train_conv(checkpointed, optimizers[1])
    assert_close(parameters(checkpointed), parameters(plain))


@each_class
def test_passes_without_gradients_or_in_eval_mode_leave_no_trace(optimizer_class):
    plain, busy = ConvNet().double(), ConvNet().double()
    optimizers = optimizer_class(plain), optimizer_class(busy)

    def busy_loss(model, seed):
        model.eval()
        torch.autograd.grad(conv_loss(model, 7), list(model.parameters()))
        with torch.no_grad():
            conv_loss(model, 8)
        model.train()
        model.norm.eval()
        with torch.no_grad():
            conv_loss(model, 9)
        model.norm.train()
        return conv_loss(model, seed)

    train_conv(plain, optimizers[0])
    train_conv(busy, optimizers[1], loss=busy_loss)
    assert_close(parameters(busy), parameters(plain))


@each_class
def test_memory_in_channels_last_order_changes_nothing(optimizer_class):
    plain, last = ConvNet().double(), ConvNet().double().to(memory_format=torch.channels_last)
    optimizers = optimizer_class(plain, weight_decay=0.1), optimizer_class(last, weight_decay=0.1)

    def last_loss(model, seed):
        images, tokens, y = conv_batch(seed)
        return nn.functional.cross_entropy(model(images.to(memory_format=torch.channels_last), tokens), y)

    train_conv(plain, optimizers[0])
    train_conv(last, optimizers[1], loss=last_loss)
    assert_close(parameters(last), parameters(plain))
    assert last.third.weight.is_contiguous(memory_format=torch.channels_last)


@each_class
def test_a_gradient_set_by_hand_in_another_layout_is_read_in_its_order(optimizer_class):
    plain, by_hand = ConvNet().double(), ConvNet().double()
    optimizers = optimizer_class(plain), optimizer_class(by_hand)
    conv_loss(plain).backward()
    with optimizers[1].accumulating():
        conv_loss(by_hand).backward()
    by_hand.second.weight.grad = by_hand.second.weight.grad.to(memory_format=torch.channels_last)
    by_hand.third.weight.grad = torch.cat([by_hand.third.weight.grad] * 2, dim=2)[:, :, :3]  # not dense at all
    by_hand.head.weight.grad = by_hand.head.weight.grad.t().contiguous().t()
    for optimizer in optimizers:
        optimizer.step()
    assert_close(parameters(by_hand), parameters(plain))


@each_class
def test_a_momentum_loaded_in_another_layout_is_read_in_its_order(optimizer_class):
    plain = ConvNet().double()
    before = optimizer_class(plain)
    train_conv(plain, before)
    last = copy.deepcopy(plain).to(memory_format=torch.channels_last)
    after = optimizer_class(last)
    after.load_state_dict(copy.deepcopy(before.state_dict()))
    train_conv(plain, before)
    train_conv(last, after)
    assert_close(parameters(last), parameters(plain))


@each_class
def test_autocast_keeps_the_statistics_in_single_precision(optimizer_class):
    model, reference = ConvNet(), ConvNet()
    optimizer, other = optimizer_class(model), optimizer_class(reference)
    with torch.autocast("cpu", torch.bfloat16):
        loss = conv_loss(model, dtype=torch.float32)
        loss.backward()  # under autocast, as some do
    conv_loss(reference, dtype=torch.float32).backward()
    optimizer.step()
    other.step()
    for layer, counterpart in zip(optimizer.layers, other.layers, strict=True):
        state, expected = optimizer.state[layer.weight], other.state[counterpart.weight]
        assert state["a"].dtype == torch.float32
        assert_close(state["a"], expected["a"], rtol=2e-2, atol=2e-2)
    images = conv_batch(dtype=torch.float32)[0]
    second = optimizer.state[model.second.weight]["a"].view(3, 3, 3)
    assert_close(second[:, 1, 1], images.mean((0, 2, 3)), rtol=1e-5, atol=1e-6)  # no rounding to bfloat16


@each_class
def test_a_model_in_half_precision_keeps_its_statistics_in_single_precision_over_a_reload(optimizer_class):
    model = ConvNet().to(torch.bfloat16)
    optimizer = optimizer_class(model)
    train_conv(model, optimizer, loss=lambda model, seed: conv_loss(model, seed, torch.bfloat16))
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    other = optimizer_class(copy.deepcopy(model))
    other.load_state_dict(torch.load(file, weights_only=True))
    assert optimizer.state[model.head.weight]["a"].dtype == torch.float32
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert_close(other.state_dict()["state"], optimizer.state_dict()["state"], rtol=0, atol=0)


@each_class
def test_a_parameter_that_is_not_dense_is_refused_by_name(optimizer_class):
    linear = nn.Linear(4, 3)
    linear.weight = nn.Parameter(torch.rand(3, 8)[:, ::2])
    with pytest.raises(ValueError, match=r"weight has the strides \(8, 2\) for the shape \(3, 4\)"):
        optimizer_class(linear)


def test_eva_f_sums_nothing_in_the_backward_pass():
    model = nn.Sequential(nn.Linear(4, 3))
    optimizer = EvaF(model)
    model(torch.rand(2, 4)).sum().backward()
    assert [sums.output_gradients for sums in optimizer.capture.sums.values()] == [None]


@each_class
def test_the_state_beyond_the_momentum_is_one_number_a_row_and_a_column(optimizer_class):
    model = ConvNet()
    optimizer = optimizer_class(model)
    train_conv(model, optimizer, 1, loss=lambda model, seed: conv_loss(model, seed, torch.float32))
    for layer in optimizer.layers:
        state = {name: value for name, value in optimizer.state[layer.weight].items() if name != "momentum_buffer"}
        d_out, d_in = layer.weight.flatten(1).shape
        expected = d_in * layer.num_groups + (d_out if optimizer_class is Eva else 0)
        assert sum(value.numel() for value in state.values()) == expected
        if layer.bias is not None:
            assert set(optimizer.state[layer.bias]) == {"momentum_buffer"}


@each_class
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_no_more_than_one_temporary_of_the_size_of_a_layer_is_alive(optimizer_class, dtype):
    torch.manual_seed(0)
    model = nn.Sequential(*(nn.Linear(300, 300) for _ in range(4))).to(dtype)
    optimizer = optimizer_class(model, weight_decay=0.1)
    for step in range(2):
        optimizer.zero_grad()
        model(torch.rand(8, 300, dtype=dtype)).square().mean().backward()
        tracker = StorageTracker()
        tracker.expect([each for p in model.parameters() for each in (p, p.grad)], "parameters")
        with tracker.phase("optimizer"):
            optimizer.step()
        momentum = sum(p.nbytes for p in model.parameters()) if step == 0 else 0
        vectors = 10 * 4 * (300 + 300) * 4  # a and b in single precision, and what is computed from them
        one_layer = 300 * 300 * 4 if dtype is torch.bfloat16 else 0  # in single precision; without need, none at all
        assert tracker.peak().temporaries <= momentum + one_layer + vectors


def test_a_direction_beyond_half_precision_skips_the_step_and_is_counted_as_a_failure():
    model = small_net(torch.float16)
    eva = Eva(model, damping=1e-3, clip="none")
    for value, num_failures in ((100.0, 1), (1.0, 1)):
        before = parameters(model)
        eva.zero_grad()
        backward(model, *batch(dtype=torch.float16))
        for parameter in model.parameters():
            parameter.grad.fill_(value)
        eva.step()
        moved = any((new != old).any() for new, old in zip(parameters(model), before, strict=True))
        assert moved == (value == 1.0)
        assert eva.health().num_failures == num_failures
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert not eva.health().skipped_steps

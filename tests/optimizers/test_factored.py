"""K-FAC and FOOF on convolutions and sequences, and what they do between, and in spite of, bad statistics."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint

from evabench.optimizers import FOOF, KFAC
from evabench.optimizers.shell.coverage import coverage
from tests import dense
from tests.optimizers.models import backward, batch, directions, parameters, small_net, train
from tests.optimizers.test_real_models import ConvNet, conv_batch, conv_loss, train_conv

DAMPING = 0.1
each_class = pytest.mark.parametrize("optimizer_class", [FOOF, KFAC])
each_sharing = pytest.mark.parametrize("weight_sharing", ["expand", "reduce"])


def rows_of(module, inputs, gradients):
    """Return [n, positions, d] of inputs and of output gradients; rows of patches as torch's own unfold makes them."""
    match module:
        case nn.Conv1d():
            rows = nn.functional.pad(inputs, (1, 1)).unfold(2, 3, 1).transpose(1, 2).flatten(2)
            return rows, gradients.transpose(1, 2)
        case nn.Conv2d():
            unfolded = nn.functional.unfold(inputs, 3, padding=module.padding, stride=module.stride)
            return unfolded.transpose(1, 2), gradients.flatten(2).transpose(1, 2)
        case _:
            return inputs.flatten(1, -2) if inputs.dim() > 2 else inputs.unsqueeze(1), gradients.reshape(
                len(gradients), -1, gradients.shape[-1]
            )


def dense_factors(layer, inputs, gradients, weight_sharing):
    """Return A and B of every group, from the definitions of expand and reduce for a loss that is a mean."""
    module, groups = layer.modules[0], layer.num_groups
    a, g = rows_of(module, inputs, gradients)
    n, num_positions, _ = g.shape
    is_linear = isinstance(module, nn.Linear)
    num_examples = n * num_positions if is_linear and weight_sharing == "expand" else n
    g = g * num_examples
    if weight_sharing == "reduce":
        a, g = a.mean(1, keepdim=True), g.sum(1, keepdim=True)
    a, g = a.flatten(0, 1).unflatten(1, (groups, -1)), g.flatten(0, 1).unflatten(1, (groups, -1))
    if layer.bias is not None:
        a = torch.cat((a, torch.ones_like(a[..., :1])), dim=-1)
    A, B = torch.einsum("rgi,rgj->gij", a, a) / len(a), torch.einsum("rgi,rgj->gij", g, g) / num_examples
    return A, B


def dense_direction(layer, inputs, gradients, weight_sharing, optimizer_class):
    A, B = dense_factors(layer, inputs, gradients, weight_sharing)
    solved = []
    for g, G in enumerate(layer.gradient().view(layer.num_groups, B.shape[-1], A.shape[-1])):
        if optimizer_class is FOOF:
            solved.append(dense.solve(torch.kron(torch.eye(len(G), dtype=G.dtype), A[g]), G, DAMPING))
            continue
        pi = math.sqrt((A[g].trace() / len(A[g])) / (B[g].trace() / len(B[g])))
        damped_A = A[g] + math.sqrt(DAMPING) * pi * torch.eye(len(A[g]))
        damped_B = B[g] + math.sqrt(DAMPING) / pi * torch.eye(len(B[g]))
        solved.append(dense.solve(torch.kron(damped_B, damped_A), G, 0.0))
    return torch.stack(solved)


def watch(model, layers):
    seen = {}
    for layer in layers:

        def keep(module, args, output, layer=layer):
            seen[layer] = [args[0].detach().clone()]
            output.register_hook(lambda gradient: seen[layer].append(gradient.clone()))

        layer.modules[0].register_forward_hook(keep)
    return seen


@each_class
@each_sharing
def test_directions_of_convolutions_equal_the_dense_solve_group_by_group(optimizer_class, weight_sharing):
    model = ConvNet().double()
    optimizer = optimizer_class(model, damping=DAMPING, clip="none", weight_sharing=weight_sharing)
    seen = watch(model, optimizer.layers)
    conv_loss(model).backward()
    expected = {each: dense_direction(each, *seen[each], weight_sharing, optimizer_class) for each in optimizer.layers}
    optimizer.step()
    for layer, P in expected.items():
        assert_close(layer.gradient().view(P.shape), P)


@each_class
@each_sharing
def test_directions_of_sequences_equal_the_dense_solve(optimizer_class, weight_sharing):
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(6, 2, d, generator=generator, dtype=torch.float64) for d in (4, 3))
    model = small_net()
    optimizer = optimizer_class(model, damping=DAMPING, clip="none", weight_sharing=weight_sharing)
    seen = watch(model, optimizer.layers)
    backward(model, x, y)
    expected = [
        dense_direction(each, *seen[each], weight_sharing, optimizer_class).squeeze(0) for each in optimizer.layers
    ]
    optimizer.step()
    assert_close(directions(optimizer), expected)


@each_class
def test_both_factorisations_give_the_same_steps(optimizer_class):
    moved = []
    for factorisation in ("cholesky", "eigh"):
        model = ConvNet().double()
        train_conv(model, optimizer_class(model, factorisation=factorisation, refresh_every=2))
        moved.append(parameters(model))
    assert_close(*moved)


@each_class
def test_only_the_first_samples_count_where_asked(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model, statistics_batch=3)
    x, y = batch()
    backward(model, x, y)
    optimizer.step()
    rows = dense.with_ones(x[:3])
    assert_close(optimizer.state[model[0].weight]["A"], rows.T @ rows / 3)


def test_the_damping_that_the_authors_leave_in_their_factors_is_there_where_asked():
    model = small_net()
    kfac = KFAC(
        model,
        lr=1e-15,
        clip="none",
        factors_keep_damping=True,
        damping=0.5,
        new_statistic_weight=0.7,
        refresh_every=1,
    )
    factors = []
    for seed in range(3):
        x, y = batch(seed=seed)
        _, (_, a, g) = dense.layer_pass(model, x, y)
        fresh = [a.T @ a / 8, g.T @ g / 8]
        factors = fresh if not factors else [0.3 * F + 0.7 * new for F, new in zip(factors, fresh, strict=True)]
        kfac.zero_grad()
        backward(model, x, y)
        kfac.step()
        state = kfac.state[model[2].weight]
        assert_close([state["A"], state["B"]], factors)
        means = [F.trace() / len(F) for F in factors]
        pi = (means[0] / means[1]).sqrt()
        added = [0.5**0.5 * pi, 0.5**0.5 / pi]
        factors = [F + d * torch.eye(len(F)) for F, d in zip(factors, added, strict=True)]


@each_class
def test_statistics_may_come_more_often_than_refreshes(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model, statistics_every=2, refresh_every=4, new_statistic_weight=0.5)
    changed = []
    for step in range(5):
        state = optimizer.state[model[0].weight]
        before = copy.deepcopy({name: state.get(name) for name in ("A", "A_inverse", "A_cholesky")})
        train(model, optimizer, range(step, step + 1))
        names = [name for name in ("A", "A_inverse", "A_cholesky") if name in state]
        changed.append(
            [name[:2] for name in names if before[name] is None or not torch.equal(before[name], state[name])]
        )
    assert changed == [["A", "A_"], [], ["A"], [], ["A", "A_"]]


@each_class
def test_a_refresh_without_statistics_of_its_own_step_is_refused(optimizer_class):
    with pytest.raises(ValueError, match="refresh_every must be a multiple of statistics_every, got 5 and 2"):
        optimizer_class(small_net(), statistics_every=2, refresh_every=5)


@each_class
def test_a_refresh_in_a_skipped_step_is_counted_as_stale(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model, refresh_every=1)
    train(model, optimizer, range(2))
    assert optimizer.health().num_stale_refreshes == 0
    optimizer.zero_grad()
    backward(model, *batch())
    model[0].weight.grad[0, 0] = torch.nan
    optimizer.step()
    assert optimizer.health().num_stale_refreshes == 2


@each_class
def test_a_layer_that_a_refresh_finds_idle_keeps_its_inverse_and_is_counted(optimizer_class):
    model = nn.ModuleDict({"used": nn.Linear(4, 3), "other": nn.Linear(4, 3)}).double()
    optimizer = optimizer_class(model, refresh_every=1)
    for names in (("used", "other"), ("used",)):
        optimizer.zero_grad(set_to_none=False)
        sum(backward(model[name], *batch()) for name in names)
        optimizer.step()
    assert optimizer.health().num_stale_refreshes == 1


@pytest.mark.parametrize("options", [{}, {"statistics_every": 1}, {"statistics_every": 1, "factorisation": "eigh"}])
@each_class
def test_a_layer_first_used_between_refreshes_takes_the_plain_gradient_until_the_next(optimizer_class, options):
    model = nn.ModuleDict({"used": nn.Linear(4, 3), "late": nn.Linear(4, 3)}).double()
    optimizer = optimizer_class(model, refresh_every=3, momentum=0.0, lr=0.1, clip="none", **options)
    plain = []
    for step in range(4):
        optimizer.zero_grad()
        for name in ("used", "late") if step else ("used",):
            backward(model[name], *batch(seed=step))
        G = None if step == 0 else model["late"].weight.grad.clone()
        optimizer.step()
        plain.append(G is None or torch.equal(model["late"].weight.grad, G))
    assert plain == [True, True, True, False]


def test_the_top_eigenvectors_of_a_layer_first_used_between_refreshes_wait_for_the_next():
    model = nn.ModuleDict({"used": nn.Linear(4, 3), "late": nn.Linear(4, 3)}).double()
    foof = FOOF(model, refresh_every=2, statistics_every=1, factorisation="eigh", top_k=2)
    for names in (("used",), ("used", "late"), ("used", "late")):
        foof.zero_grad()
        sum(backward(model[name], *batch()) for name in names)
        foof.step()
    assert "A_vectors" in foof.state[model["late"].weight]


@each_class
def test_statistics_that_overflow_are_left_out_and_counted(optimizer_class):
    model = small_net(torch.float32)
    optimizer = optimizer_class(model, refresh_every=1)
    train_float(model, optimizer, 1.0)
    before = optimizer.state[model[0].weight]["A"].clone()
    train_float(model, optimizer, 1e25)  # squared it is infinite, and the gradient is finite
    assert model[0].weight.grad.isfinite().all()
    assert_close(optimizer.state[model[0].weight]["A"], before, rtol=0, atol=0)
    assert optimizer.health().num_stale_refreshes >= 1
    train_float(model, optimizer, 1.0)
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def is_same(before, after):
    return before is not None and torch.equal(before, after)


def train_float(model, optimizer, size):
    x, y = batch(dtype=torch.float32)
    optimizer.zero_grad()
    backward(model, size * x, y)
    optimizer.step()


def test_a_direction_that_is_not_finite_skips_the_step_and_is_counted_as_a_failure():
    model = small_net()
    kfac = KFAC(model, refresh_every=2)
    train(model, kfac, range(1))
    kfac.state[model[0].weight]["A_cholesky"][0, 0] = torch.nan
    before = parameters(model)
    train(model, kfac, range(1, 2))
    assert_close(parameters(model), before, rtol=0, atol=0)
    assert kfac.health().num_failures == 1


@each_class
def test_a_direction_beyond_half_precision_skips_the_step_and_is_counted_as_a_failure(optimizer_class):
    model = small_net(torch.float16)
    optimizer = optimizer_class(model, damping=1e-7, clip="none")
    before = parameters(model)
    (1e-5 * model(batch(dtype=torch.float16)[0]).float().sum()).backward()
    for parameter in model.parameters():
        parameter.grad.fill_(1000.0)
    optimizer.step()
    assert_close(parameters(model), before, rtol=0, atol=0)
    assert optimizer.health().num_failures == 1
    assert not optimizer.health().skipped_steps


@each_class
def test_a_factor_that_does_not_factorise_is_counted(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(
        model, factorisation="cholesky", statistics_every=1, new_statistic_weight=1e-9, refresh_every=1
    )
    train(model, optimizer, range(1))
    assert optimizer.health().num_escalations == 0
    optimizer.state[model[0].weight]["A"].sub_(10 * torch.eye(5))
    train(model, optimizer, range(1, 2))
    assert optimizer.health().num_escalations == 1
    assert all(parameter.isfinite().all() for parameter in model.parameters())


@each_class
def test_the_refreshes_that_wait_for_the_device_are_counted(optimizer_class):
    for factorisation, num_waits in (("cholesky", 0), ("eigh", 2)):
        model = small_net()
        optimizer = optimizer_class(model, factorisation=factorisation, refresh_every=3)
        train(model, optimizer, range(4))
        assert optimizer.health().num_waiting_refreshes == num_waits


@each_class
@pytest.mark.parametrize("use_reentrant", [False, True])
def test_activation_checkpointing_changes_nothing(optimizer_class, use_reentrant):
    plain, checkpointed = ConvNet().double(), ConvNet().double()
    run = checkpointed.features
    checkpointed.features = lambda x: checkpoint(run, x.requires_grad_(), use_reentrant=use_reentrant)
    train_conv(plain, optimizer_class(plain))
    train_conv(checkpointed, optimizer_class(checkpointed))
    assert_close(parameters(checkpointed), parameters(plain))


@each_class
def test_memory_in_channels_last_order_changes_nothing(optimizer_class):
    plain, last = ConvNet().double(), ConvNet().double().to(memory_format=torch.channels_last)

    def last_loss(model, seed):
        images, tokens, y = conv_batch(seed)
        return nn.functional.cross_entropy(model(images.to(memory_format=torch.channels_last), tokens), y)

    train_conv(plain, optimizer_class(plain, weight_decay=0.1))
    train_conv(last, optimizer_class(last, weight_decay=0.1), loss=last_loss)
    assert_close(parameters(last), parameters(plain))


@each_class
@pytest.mark.parametrize("clip", ["kl_clip", "kl_normalization", "rescale", "none"])
@pytest.mark.parametrize("unscale", [False, True])
def test_a_loss_scaler_changes_nothing(optimizer_class, clip, unscale):
    settings = {"clip": clip, "lr": 0.01, "refresh_every": 2}
    plain, scaled = ConvNet(), ConvNet()
    train_conv(
        plain, optimizer_class(plain, **settings), loss=lambda model, seed: conv_loss(model, seed, torch.float32)
    )
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    knows = {"grad_scaler": scaler} if optimizer_class is KFAC else {}
    optimizer = optimizer_class(scaled, **settings, **knows)
    for seed in range(3):
        optimizer.zero_grad()
        scaler.scale(conv_loss(scaled, seed, torch.float32)).backward()
        if unscale:
            scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
    assert_close(parameters(scaled), parameters(plain), rtol=1e-4, atol=1e-6)


@each_class
def test_a_model_in_half_precision_keeps_its_factors_in_single_precision_over_a_reload(optimizer_class):
    model = ConvNet().to(torch.bfloat16)
    optimizer = optimizer_class(model)
    train_conv(model, optimizer, loss=lambda model, seed: conv_loss(model, seed, torch.bfloat16))
    other = optimizer_class(copy.deepcopy(model))
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert optimizer.state[model.head.weight]["A"].dtype == torch.float32
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert_close(other.state_dict()["state"], optimizer.state_dict()["state"], rtol=0, atol=0)


@each_class
def test_groups_override_the_learning_rate_and_the_damping(optimizer_class):
    model = ConvNet().double()
    head = {"params": model.head.parameters(), "lr": 0.5, "damping": 1.0}
    optimizer = optimizer_class(model, lr=0.01, damping=0.1, momentum=0.0, clip="none", groups=[head])
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    train_conv(model, optimizer, 1)
    for name, parameter in model.named_parameters():
        assert_close(parameter.detach(), before[name] - (0.5 if name.startswith("head") else 0.01) * parameter.grad)
    lone = ConvNet().double()
    train_conv(lone, optimizer_class(lone, lr=0.5, damping=1.0, momentum=0.0, clip="none"), 1)
    assert_close(model.head.weight, lone.head.weight)


@each_class
def test_coverage_counts_convolutions_as_preconditioned(optimizer_class):
    model = ConvNet().double()
    optimizer = optimizer_class(model)
    train_conv(model, optimizer, 1)
    treated = {each.name: each.treatment for each in coverage(optimizer).layers}
    assert {treated[name] for name in ("first", "second", "third", "head")} == {"preconditioned"}
    assert {treated[name] for name in ("tokens", "norm")} == {"plain gradient"}

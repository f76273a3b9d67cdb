"""Products of weights that no plain call of a Linear or a convolution makes."""

import copy
import pickle

import pytest
import torch
from timm.layers import Conv2dSame, StdConv2d
from torch import nn
from torch.nn import functional
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint

from evabench.optimizers import FOOF, KFAC, Eva, EvaF
from evabench.optimizers.shell.coverage import coverage
from tests.optimizers.models import batch, parameters, small_net, train

BUILDS = {
    "eva": lambda model, **more: Eva(model, lr=0.05, **more),
    "eva-f": lambda model, **more: EvaF(model, lr=0.01, **more),
    "kfac, expand": lambda model, **more: KFAC(model, weight_sharing="expand", refresh_every=1, **more),
    "kfac, reduce": lambda model, **more: KFAC(model, weight_sharing="reduce", refresh_every=1, **more),
    "foof, expand": lambda model, **more: FOOF(model, weight_sharing="expand", refresh_every=1, **more),
    "foof, reduce": lambda model, **more: FOOF(model, weight_sharing="reduce", refresh_every=1, **more),
}
each_build = pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
each_class = pytest.mark.parametrize("optimizer_class", [Eva, EvaF, FOOF, KFAC])


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def step(model, optimizer, inputs):
    optimizer.zero_grad()
    model(inputs).square().mean().backward()
    optimizer.step()


def pad_same(x, stride=2, kernel=3):
    total = [max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in x.shape[2:]]
    height, width = total
    return functional.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))


@each_build
@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_that_pads_inside_of_forward_is_one_of_the_padded_input(build, groups):
    torch.manual_seed(0)
    same = nn.Sequential(Conv2dSame(2, 4, 3, stride=2, groups=groups), nn.Tanh()).double()
    plain = nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, groups=groups), nn.Tanh()).double()
    plain.load_state_dict(same.state_dict())
    optimizers = build(same), build(plain)
    for seed, size in enumerate((5, 8, 2, 7)):  # sizes that need padding of their own, one smaller than the kernel
        x = random(3, 2, size, size + 1, seed=seed)
        step(same, optimizers[0], x)
        step(plain, optimizers[1], pad_same(x))
    assert_close(parameters(same), parameters(plain))
    assert coverage(optimizers[0]).share == 1


@each_class
def test_a_weight_that_is_computed_inside_of_forward_takes_the_plain_gradient_and_is_named(optimizer_class):
    torch.manual_seed(0)
    model = nn.Sequential(StdConv2d(2, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).double()
    optimizer = optimizer_class(model, lr=0.1, momentum=0.0)
    for seed in range(2):
        step(model, optimizer, random(3, 2, 5, 5, seed=seed))
    (convolution, *_) = coverage(optimizer).layers
    assert convolution.treatment == "plain gradient"
    assert "computed from its weight in `forward`: Eva-s, Shampoo and M-FAC" in convolution.reason


class Conv1D(nn.Module):
    """The layer of GPT-2."""

    def __init__(self, d_out, d_in):
        super().__init__()
        self.d_out = d_out
        self.weight = nn.Parameter(torch.randn(d_in, d_out))
        self.bias = nn.Parameter(torch.zeros(d_out))

    def forward(self, x):
        rows = torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight)
        return rows.view(*x.shape[:-1], self.d_out)


def conv1d_and_linear():
    torch.manual_seed(0)
    special = nn.Sequential(Conv1D(5, 4), nn.Tanh(), Conv1D(3, 5)).double()
    plain = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    for one, other in zip(special, plain, strict=True):
        if isinstance(one, Conv1D):
            other.weight.data, other.bias.data = one.weight.data.T.clone(), one.bias.data.clone()
    return special, plain


def assert_same_layers(special, plain):
    for one, other in zip(special, plain, strict=True):
        if isinstance(one, Conv1D):
            assert_close((one.weight.T, one.bias), (other.weight, other.bias))


@each_build
def test_a_product_with_the_transposed_weight_is_a_linear_layer(build):
    special, plain = conv1d_and_linear()
    optimizers = build(special, weight_decay=0.1), build(plain, weight_decay=0.1)
    for seed in range(3):
        x = random(6, 3, 4, seed=seed)
        step(special, optimizers[0], x)
        step(plain, optimizers[1], x)
    assert_same_layers(special, plain)
    assert [layer.name for layer in optimizers[0].layers] == ["0", "2"]
    assert coverage(optimizers[0]).share == 1


@each_build
@pytest.mark.parametrize("use_reentrant", [False, True])
def test_products_inside_of_a_checkpoint_count_once(build, use_reentrant):
    trained = []
    for run in (lambda model, x: model(x), lambda model, x: checkpoint(model, x, use_reentrant=use_reentrant)):
        model, _ = conv1d_and_linear()
        optimizer = build(model)
        for seed in range(3):
            optimizer.zero_grad()
            run(model, random(6, 3, 4, seed=seed).requires_grad_()).square().mean().backward()
            optimizer.step()
        trained.append(parameters(model))
    assert_close(*trained)


@each_build
def test_a_state_with_layers_that_were_found_is_resumed_bit_for_bit(build):
    model, _ = conv1d_and_linear()
    optimizer = build(model)
    for seed in range(2):
        step(model, optimizer, random(6, 3, 4, seed=seed))
    copied = copy.deepcopy(model)
    fresh = build(copied)
    fresh.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    pair = pickle.loads(pickle.dumps((model, optimizer)))
    for each in ((model, optimizer), (copied, fresh), pair):
        step(*each, random(6, 3, 4, seed=9))
    for other in (copied, pair[0]):
        assert_close(parameters(other), parameters(model), rtol=0, atol=0)


class Attention(nn.Module):
    """What `nn.MultiheadAttention` computes, by plain layers, with the samples first."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x):
        n, length, d = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        return self.proj(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, d))


class SelfAttention(nn.MultiheadAttention):
    def forward(self, x):
        return super().forward(x, x, x, need_weights=False)[0]


@each_build
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("statistics_batch", [None, 2])
def test_the_projections_of_attention_are_linear_layers_with_the_samples_where_they_are(
    build, batch_first, statistics_batch
):
    torch.manual_seed(0)
    torchs, plain = SelfAttention(4, 2, batch_first=batch_first).double(), Attention(4, 2).double()
    own = dict(torchs.named_parameters())
    plain.load_state_dict(
        {
            "qkv.weight": own["in_proj_weight"],
            "qkv.bias": own["in_proj_bias"],
            "proj.weight": own["out_proj.weight"],
            "proj.bias": own["out_proj.bias"],
        }
    )
    optimizers = build(torchs, statistics_batch=statistics_batch), build(plain, statistics_batch=statistics_batch)
    for seed in range(3):
        x = random(3, 5, 4, seed=seed)
        step(torchs, optimizers[0], x if batch_first else x.transpose(0, 1))
        step(plain, optimizers[1], x)
    assert_close(
        [torchs.in_proj_weight, torchs.in_proj_bias, torchs.out_proj.weight, torchs.out_proj.bias],
        [plain.qkv.weight, plain.qkv.bias, plain.proj.weight, plain.proj.bias],
    )
    assert coverage(optimizers[0]).share == 1


@each_build
def test_an_encoder_with_time_first_trains_as_one_with_the_samples_first(build):
    trained = []
    for batch_first in (False, True):
        torch.manual_seed(0)
        model = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=batch_first),
            1,
            enable_nested_tensor=False,
        ).double()
        optimizer = build(model)
        for seed in range(3):
            x = random(3, 5, 4, seed=seed)
            step(model, optimizer, x if batch_first else x.transpose(0, 1))
        trained.append(parameters(model))
    assert_close(*trained)


@pytest.mark.parametrize("optimizer_class", [FOOF, KFAC])
def test_the_setting_says_where_the_samples_are_if_no_module_does(optimizer_class):
    model = nn.Sequential(nn.Linear(1, 1, bias=False)).double()
    optimizer = optimizer_class(model, batch_first=False, new_statistic_weight=1.0)
    x = torch.tensor([1.0, 3.0], dtype=torch.float64).view(2, 1, 1).expand(2, 3, 1)  # two times, three samples
    step(model, optimizer, x)
    assert optimizer.state[model[0].weight]["A"].item() == 4.0


class Fused(nn.Module):
    """Uses the weight of a layer that it never calls, and calls another."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.second(torch.tanh(functional.linear(x, self.first.weight, self.first.bias)))


@each_build
def test_a_layer_that_the_module_around_it_multiplies_by_is_that_layer(build):
    torch.manual_seed(0)
    fused = Fused().double()
    plain = nn.Sequential(copy.deepcopy(fused.first), nn.Tanh(), copy.deepcopy(fused.second))
    optimizers = build(fused), build(plain)
    for seed in range(3):
        x = random(6, 3, 4, seed=seed)
        step(fused, optimizers[0], x)
        step(plain, optimizers[1], x)
    assert_close(parameters(fused), parameters(plain))
    assert coverage(optimizers[0]).share == 1


class Scaled(nn.Linear):
    def forward(self, values):
        return super().forward(2 * values)


class Flattened(nn.Linear):
    def forward(self, x):
        return super().forward(x.flatten(1))


@each_build
@pytest.mark.parametrize("kind", [Scaled, Flattened])
def test_a_subclass_counts_what_it_multiplies_by(build, kind):
    torch.manual_seed(0)
    special, plain = kind(4, 3).double(), nn.Linear(4, 3).double()
    plain.load_state_dict(special.state_dict())
    optimizers = build(special), build(plain)
    for seed in range(3):
        x = random(8, 2, 2, seed=seed) if kind is Flattened else random(8, 4, seed=seed)
        step(special, optimizers[0], x)
        step(plain, optimizers[1], x.flatten(1) if kind is Flattened else 2 * x)
    assert_close(parameters(special), parameters(plain))


@each_class
def test_a_use_that_comes_later_is_found_at_the_next_pass(optimizer_class):
    class Late(nn.Module):
        def __init__(self):
            super().__init__()
            self.usual, self.late, self.is_late = nn.Linear(4, 3), Conv1D(3, 4), False

        def forward(self, x):
            return self.usual(x) + self.late(x) if self.is_late else self.usual(x)

    model = Late().double()
    optimizer = optimizer_class(model, **({"refresh_every": 1} if optimizer_class in (FOOF, KFAC) else {}))
    x, _ = batch()
    for seed in range(4):
        model.is_late = seed >= 1
        step(model, optimizer, x)
    assert coverage(optimizer).share == 1


@each_class
def test_a_layer_that_is_used_in_another_way_later_is_found_at_the_next_pass(optimizer_class):
    class Changing(nn.Module):
        def __init__(self):
            super().__init__()
            self.usual, self.other, self.by_hand = nn.Linear(4, 3), nn.Linear(4, 3), False

        def forward(self, x):
            by_hand = nn.functional.linear(x, self.other.weight, self.other.bias)
            return self.usual(x) + (by_hand if self.by_hand else self.other(x))

    changing, constant = Changing().double(), Changing().double()
    constant.load_state_dict(changing.state_dict())
    optimizers = [build_at_once(optimizer_class, each) for each in (changing, constant)]
    for seed in range(4):
        changing.by_hand = seed >= 1
        for model, optimizer in zip((changing, constant), optimizers, strict=True):
            step(model, optimizer, random(8, 4, seed=0 if seed < 2 else seed))  # the second pass is the one that tells
    assert_close(parameters(changing), parameters(constant))


@each_class
def test_a_weight_that_multiplies_in_two_ways_takes_the_plain_gradient_and_is_named(optimizer_class):
    class Mirrored(nn.Module):
        def __init__(self):
            super().__init__()
            self.code, self.out = nn.Linear(4, 3), nn.Linear(4, 3)

        def forward(self, x):
            return self.out(nn.functional.linear(torch.tanh(self.code(x)), self.code.weight.T))

    model = Mirrored().double()
    optimizer = build_at_once(optimizer_class, model)
    for seed in range(3):
        optimizer.zero_grad()
        model(random(8, 4, seed=seed)).square().mean().backward()
        gradient = model.code.weight.grad.clone()
        optimizer.step()
        direction = model.code.weight.grad
        assert_close(direction / direction.norm(), gradient / gradient.norm())
    assert "code (Linear, 15): plain gradient, its product is not that of one weight and its bias" in str(
        coverage(optimizer)
    )


def build_at_once(optimizer_class, model):
    """Return an optimizer that uses the statistics of each step in it."""
    return optimizer_class(model, **({"refresh_every": 1} if optimizer_class in (FOOF, KFAC) else {}))


@each_class
def test_what_multiplies_no_rows_is_named_by_kind_with_the_way_out(optimizer_class):
    class Experts(nn.Module):
        def __init__(self):
            super().__init__()
            self.stack = nn.Parameter(torch.randn(2, 4, 3))

        def forward(self, x):
            return torch.einsum("nd,edk->nk", x, self.stack)

    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            self.positions = nn.Parameter(torch.randn(8, 4))

        def forward(self, x):
            return x + self.positions

    model = nn.ModuleDict({"table": Table(), "experts": Experts(), "usual": nn.Linear(4, 3)}).double()
    optimizer = optimizer_class(model)
    for seed in range(2):
        optimizer.zero_grad()
        x = model["table"](batch(seed=seed)[0])
        (model["experts"](x) + model["usual"](x)).square().mean().backward()
        optimizer.step()
    reasons = {each.name: each.reason for each in coverage(optimizer).layers}
    ways_out = "Eva-s, Shampoo and M-FAC precondition it"
    assert reasons == {
        "table": f"Table multiplies no rows by its matrix alone: {ways_out}",
        "experts": f"Experts holds more axes than a matrix, as batched experts and positions do: {ways_out}",
        "usual": "",
    }


@each_class
def test_after_the_first_step_a_usual_model_has_the_usual_hooks_only(optimizer_class):
    model = small_net()
    optimizer = optimizer_class(model)
    train(model, optimizer, range(2))
    assert not any(module._forward_pre_hooks for module in model.modules())
    assert [len(module._forward_hooks) for module in model.modules()] == [0, 1, 0, 1]
    del optimizer

"""Probes against dense float64 oracles, planted cases, and a training that must not notice them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from evabench.measurement.mechanism.factor_shares import FactorCapture
from evabench.measurement.mechanism.mechanism import probe, watch_mechanism
from evabench.measurement.mechanism.rank_one_shares import cosine, trace_shares
from evabench.records.codec import decode, encode
from evabench.records.measurement import MechanismSettings, ViewSettings
from evabench.records.mechanism import Mechanism
from tests import dense
from tests.optimizers.models import batch, small_net

DAMPING = 0.03
PER_EXAMPLE = ViewSettings(name="per example", damping=DAMPING, output_gradient="per_example")
AUTHORS = ViewSettings(name="authors'", damping=DAMPING, output_gradient="batch_mean")
SETTINGS = MechanismSettings(views=(PER_EXAMPLE, AUTHORS))


def loss_of(model, pair):
    return nn.functional.mse_loss(model(pair[0]), pair[1])


def close(found, expected):
    assert_close(torch.tensor(found, dtype=torch.float64), torch.as_tensor(expected).double(), rtol=2e-6, atol=1e-9)


def cos(x, y):
    return (x * y).sum() / (x.norm() * y.norm())


def eva(G, a, g):
    a, b = a.mean(0), g.mean(0)
    return dense.solve(torch.kron(torch.outer(b, b), torch.outer(a, a)), G, DAMPING)


def kfac(G, a, g):
    A, B = a.T @ a / len(a), g.T @ g / len(g)
    pi = ((A.trace() / len(A)) / (B.trace() / len(B))) ** 0.5
    eye_A, eye_B = torch.eye(len(A)), torch.eye(len(B))
    return dense.solve(torch.kron(B + DAMPING**0.5 / pi * eye_B, A + DAMPING**0.5 * pi * eye_A), G, 0.0)


def foof(G, a, g):
    return dense.solve(torch.kron(torch.eye(len(G)).double(), a.T @ a / len(a)), G, DAMPING)


def eva_f(G, a, g):
    mean = a.mean(0)
    return dense.solve(torch.kron(torch.eye(len(G)).double(), torch.outer(mean, mean)), G, DAMPING)


def shampoo(G, a, g):
    weight = G[:, :-1]
    return dense.power(weight @ weight.T, -0.25, 1e-6) @ weight @ dense.power(weight.T @ weight, -0.25, 1e-6)


def eva_s(G, a, g):
    weight = G[:, :-1]
    rows, columns = weight.mean(1), weight.mean(0)
    return DAMPING * dense.solve(torch.kron(torch.outer(rows, rows), torch.outer(columns, columns)), weight, DAMPING)


@pytest.fixture(scope="module")
def probed():
    model, pair = small_net(), batch()
    return dense.layer_pass(model, *pair), probe(model, loss_of, pair, SETTINGS, step=0)


def test_the_shares_are_those_of_the_dense_factors(probed):
    layers, found = probed
    for (_, a, g), layer in zip(layers, found.layers, strict=True):
        for rows, (energy,) in ((a, layer.inputs), (g, layer.output_gradients)):
            F, m = rows.T @ rows / len(rows), rows.mean(0)
            close(energy.mean_share, m @ m / F.trace())
            close(energy.along_share, m @ F @ m / (m @ m * F.trace()))
            close(energy.top_share, torch.linalg.eigvalsh(F)[-1] / F.trace())
            assert energy.size == len(F)


@pytest.mark.parametrize(
    ("name", "method", "exact"), [("eva", eva, kfac), ("eva_f", eva_f, foof), ("eva_s", eva_s, shampoo)]
)
def test_cosines_are_those_of_the_dense_directions(probed, name, method, exact):
    layers, found = probed
    view = found.views[0]
    for inputs, layer in zip(layers, view.layers, strict=True):
        told = getattr(layer, name)
        P, X, G = method(*inputs), exact(*inputs), inputs[0][:, :-1] if name == "eva_s" else inputs[0]
        close((told.to_exact, told.to_gradient, told.exact_to_gradient), [cos(P, X), cos(P, G), cos(X, G)])


def test_the_net_is_all_layers_as_one_vector(probed):
    layers, found = probed

    def whole(method):
        return torch.cat([method(*layer).reshape(-1) for layer in layers])

    P, X, G = whole(eva), whole(kfac), torch.cat([layer[0].reshape(-1) for layer in layers])
    told = found.views[0].eva
    close((told.to_exact, told.to_gradient, told.exact_to_gradient), [cos(P, X), cos(P, G), cos(X, G)])
    close(told.changed, (DAMPING * P - G).norm() / G.norm())


def test_eva_s_and_shampoo_give_each_layer_the_length_of_its_gradient(probed):
    layers, found = probed

    def grafted(method):
        found = [(method(*layer), layer[0][:, :-1]) for layer in layers]
        return torch.cat([(P / P.norm() * G.norm()).reshape(-1) for P, G in found])

    close(found.views[0].eva_s.to_exact, cos(grafted(eva_s), grafted(shampoo)))


def test_curvatures_and_changes_are_told_beside_the_damping(probed):
    layers, found = probed
    for (G, a, g), layer in zip(layers, found.views[0].layers, strict=True):
        a_square, b_square = a.mean(0).square().sum(), g.mean(0).square().sum()
        close(layer.eva_curvature, a_square * b_square / DAMPING)
        close(layer.eva_f_curvature, a_square / DAMPING)
        close(layer.eva_s_curvature, G[:, :-1].mean(0).square().sum() * G[:, :-1].mean(1).square().sum() / DAMPING)
        close(layer.eva.changed, (DAMPING * eva(G, a, g) - G).norm() / G.norm())
        close(layer.eva_f.changed, (DAMPING * eva_f(G, a, g) - G).norm() / G.norm())


def test_the_authors_output_gradients_are_smaller_by_the_batch(probed):
    _, found = probed
    for per_example, batch_mean in zip(found.views[0].layers, found.views[1].layers, strict=True):
        close(batch_mean.eva_curvature * 8**2, per_example.eva_curvature)


def test_kl_size_clip_and_gain_are_those_of_evas_step(probed):
    layers, found = probed
    P, G = [eva(*layer) for layer in layers], [layer[0] for layer in layers]
    kl_size = 0.1**2 * sum((p * g).sum() for p, g in zip(P, G, strict=True))
    clip = min(1.0, (1e-3 / kl_size) ** 0.5)
    lengths = [sum(value.square().sum() for value in values) ** 0.5 for values in (P, G)]
    view = found.views[0]
    close((view.kl_size, view.clip_factor, view.step_gain), [kl_size, clip, clip * lengths[0] / lengths[1]])


rows = st.lists(st.lists(st.floats(-10, 10), min_size=3, max_size=3), min_size=1, max_size=6)


@given(rows)
def test_the_shares_are_in_order_between_0_and_1(values):
    sample = torch.tensor(values, dtype=torch.float64)
    shares = [float(share) for share in trace_shares(sample.T @ sample / len(sample), sample.mean(0))]
    mean, along, top = shares
    if top == top and along == along:  # not NaN
        assert -1e-12 <= mean <= along + 1e-9
        assert along <= top + 1e-9
        assert top <= 1 + 1e-9


def test_a_large_mean_holds_all_of_a_factor_and_a_mean_of_zero_has_no_direction():
    noise = 1e-3 * torch.randn(50, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    near = 1.0 + noise
    shares = trace_shares(near.T @ near / 50, near.mean(0))
    assert min(shares) > 0.999
    mirrored = torch.cat((noise, -noise))
    shares = trace_shares(mirrored.T @ mirrored / 100, mirrored.mean(0))
    assert float(shares.mean) < 1e-20
    assert shares.along.isnan()
    assert float(shares.top) < 1


def test_a_factor_of_zeros_has_no_shares():
    assert all(share.isnan() for share in trace_shares(torch.zeros(3, 3), torch.zeros(3)))
    assert cosine(torch.zeros(3), torch.ones(3)).isnan()


def test_where_the_factors_are_of_rank_one_eva_steps_as_kfac():
    model, (x, y) = small_net(), batch(num_rows=1)
    found = probe(model, loss_of, (x, y), SETTINGS, step=0)
    for layer in found.layers:
        assert layer.inputs[0].mean_share == pytest.approx(1)
        assert layer.output_gradients[0].mean_share == pytest.approx(1)
    for layer in found.views[0].layers:
        assert layer.eva.to_exact == pytest.approx(1)
        assert layer.eva_f.to_exact == pytest.approx(1)


class NormalisedConv(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(2, 4, 3, padding=1, groups=2, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.out = nn.Linear(4, 3)

    def forward(self, x):
        return self.out(torch.relu(self.norm(self.conv(x))).mean((2, 3)))


def images():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(6, 2, 5, 5, generator=generator), torch.randn(6, 3, generator=generator)


def test_before_a_batch_norm_the_mean_output_gradient_is_zero_and_eva_is_the_gradient():
    first = ViewSettings(name="first samples", damping=1e-9, output_gradient="per_example", statistics_batch=2)
    whole = ViewSettings(name="whole", damping=1e-9, output_gradient="per_example")
    found = probe(NormalisedConv(), loss_of, images(), MechanismSettings(views=(whole, first)), step=0)
    conv = found.layers[0]
    assert [energy.rows for energy in conv.output_gradients] == ["expand", "reduce"]
    assert all(energy.mean_share < 1e-20 and energy.along_share is None for energy in conv.output_gradients)
    assert all(energy.mean_share > 1e-3 for energy in conv.inputs)
    whole, first = (view.layers[0] for view in found.views)
    assert whole.eva_curvature < 1e-15
    assert whole.eva.changed < 1e-9
    assert first.eva_curvature > 1
    assert first.eva.changed > 1e-3


def test_the_factors_of_groups_are_summed():
    model, pair = NormalisedConv().double(), tuple(values.double() for values in images())
    capture = FactorCapture(model)
    loss_of(model, pair).backward()
    (expand, _) = capture.energies()[0].inputs
    patches = nn.functional.unfold(pair[0], 3, padding=1).transpose(1, 2).reshape(-1, 2, 9)
    means = patches.mean(0)
    close(expand.mean_share, means.square().sum() / patches.square().sum((1, 2)).mean())


def test_training_does_not_notice_the_probes():
    def trained(probe_at):
        torch.manual_seed(3)
        model = nn.Sequential(NormalisedConv(), nn.Dropout(0.5))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def step(pair):
            optimizer.zero_grad()
            loss_of(model, pair).backward()
            optimizer.step()

        torch.manual_seed(4)
        watch_mechanism(model, loss_of, images, step, MechanismSettings(probe_at=probe_at, views=(AUTHORS,)))
        return [*model.parameters(), *model.buffers()]

    assert_close(trained((0, 1, 3)), trained((3,)), rtol=0, atol=0)


def test_a_probe_is_made_before_its_step_and_the_last_one_ends_the_training():
    steps = []
    settings = MechanismSettings(probe_at=(0, 2), views=(AUTHORS,))
    found = watch_mechanism(small_net(), loss_of, batch, steps.append, settings)
    assert [each.step for each in found.probes] == [0, 2]
    assert len(steps) == 2


def test_a_loss_that_is_not_finite_ends_the_probes():
    def lose(pair):
        with torch.no_grad():
            model[0].weight.fill_(torch.nan)

    model = small_net()
    settings = MechanismSettings(probe_at=(0, 1, 2), views=(AUTHORS,))
    found = watch_mechanism(model, loss_of, batch, lose, settings)
    assert [each.loss is None for each in found.probes] == [False, True]


def test_what_no_method_has_is_named_and_the_record_survives_json():
    found = watch_mechanism(NormalisedConv(), loss_of, images, lambda pair: None, SETTINGS)
    assert found.layers_left_out == ("norm: BatchNorm2d has no Kronecker factors",)
    assert decode(Mechanism, encode(Mechanism, found)) == found


def test_a_probe_leaves_the_model_and_its_gradients_alone():
    model, pair = small_net(), batch()
    loss_of(model, pair).backward()
    before = [(each.detach().clone(), each.grad.clone()) for each in model.parameters()]
    probe(model, loss_of, pair, SETTINGS, step=0)
    assert_close([(each.detach(), each.grad) for each in model.parameters()], before, rtol=0, atol=0)
    assert not model[0]._forward_pre_hooks

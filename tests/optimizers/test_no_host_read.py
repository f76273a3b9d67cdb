"""No plain step reads a value from the device: a read under fake tensors, which have no values, raises."""

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo

CLIPS = ["kl_clip", "kl_normalization", "rescale", "none"]


def fake_net():
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.LayerNorm(5), nn.Linear(5, 3))


def fake_steps(model, optimizer):
    for _ in range(3):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(torch.empty(8, 4)), torch.empty(8, 3)).backward()
        optimizer.step()


@pytest.mark.parametrize("clip", CLIPS)
def test_eva_never_reads_from_the_device(clip):
    with FakeTensorMode():
        model = fake_net()
        fake_steps(model, Eva(model, clip=clip, weight_decay=0.1, groups=[{"params": model[3].weight, "lr": 0.2}]))


@pytest.mark.parametrize("clip", CLIPS)
def test_eva_f_never_reads_from_the_device(clip):
    with FakeTensorMode():
        model = fake_net()
        fake_steps(model, EvaF(model, clip=clip, weight_decay=0.1))


@pytest.mark.parametrize("nesterov", ["none", "standard", "in_place"])
def test_eva_s_never_reads_from_the_device(nesterov):
    with FakeTensorMode():
        model = fake_net()
        fake_steps(model, EvaS(model, nesterov=nesterov, weight_decay=0.1))


@pytest.mark.parametrize("optimizer_class", [Eva, EvaF, EvaS, KFAC])
def test_a_convolution_with_groups_is_never_read_from_the_device(optimizer_class):
    with FakeTensorMode():
        net = nn.Sequential(nn.Conv2d(4, 6, 3, groups=2, padding="same"), nn.BatchNorm2d(6), nn.Flatten())
        optimizer = optimizer_class(net)
        for _ in range(3):
            optimizer.zero_grad()
            net(torch.empty(2, 4, 5, 5)).square().mean().backward()
            optimizer.step()


@pytest.mark.parametrize("optimizer_class", [Eva, EvaF, EvaS, MFAC])
def test_a_loss_scaler_is_never_read_on_the_host(optimizer_class):
    with FakeTensorMode():
        model = fake_net()
        optimizer = optimizer_class(model)
        for _ in range(3):
            nn.functional.mse_loss(model(torch.empty(8, 4)), torch.empty(8, 3)).backward()
            optimizer.grad_scale, optimizer.found_inf = torch.empty(()), torch.empty(())  # as a scaler hands them over
            optimizer.step()


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("optimizer_class", [FOOF, KFAC])
@pytest.mark.parametrize("weight_sharing", ["expand", "reduce"])
def test_kfac_and_foof_never_read_from_the_device_not_even_at_a_refresh(optimizer_class, clip, weight_sharing):
    settings = {"clip": clip, "weight_sharing": weight_sharing, "factorisation": "cholesky", "refresh_every": 2}
    with FakeTensorMode():
        model = fake_net()
        fake_steps(model, optimizer_class(model, **settings))


@pytest.mark.parametrize("optimizer_class", [FOOF, KFAC])
@pytest.mark.parametrize("top_k", [None, 2])
def test_after_a_refresh_by_eigenvectors_no_step_reads_from_the_device(optimizer_class, top_k):
    settings = {"factorisation": "eigh", "refresh_every": 10}
    if optimizer_class is FOOF:
        settings["top_k"] = top_k
    with FakeTensorMode():
        model = fake_net()
        optimizer = optimizer_class(model, **settings)
        for layer in optimizer.layers:  # as step 0 leaves it
            d_in, d_out = layer.weight.shape[1] + 1, layer.weight.shape[0]
            state = {"A": torch.empty(d_in, d_in), "A_inverse": torch.empty(d_in, d_in)}
            if optimizer_class is KFAC:
                state |= {"B": torch.empty(d_out, d_out), "B_inverse": torch.empty(d_out, d_out)}
            elif top_k:
                state |= {"A_vectors": torch.empty(d_in, top_k), "A_gains": torch.empty(top_k)}
            optimizer.state[layer.weight].update(state, num_batches=torch.empty(()))
        optimizer.param_groups[0]["step"] = 1
        optimizer.capture.enabled = False
        fake_steps(model, optimizer)


@pytest.mark.parametrize("grafting", ["none", "sgd", "adagrad", "rmsprop"])
@pytest.mark.parametrize("root_method", ["newton", "eigh"])
def test_shampoo_never_reads_from_the_device_but_in_a_refresh_by_eigh(grafting, root_method):
    with FakeTensorMode():
        model = fake_net()
        shampoo = Shampoo(model, grafting=grafting, root_method=root_method, beta2=0.9, refresh_every=2, block_size=3)
        if root_method == "eigh":
            shampoo.param_groups[0]["refresh_every"] = 10
            for layer in shampoo.layers:  # as step 0 leaves it
                cut = shampoo.partitions[layer.weight]
                state = {name: torch.empty(cut.num_factor_elements) for name in ("factors", "roots")}
                shampoo.state[layer.weight].update(state, grafting_squares=torch.empty(cut.shape))
            shampoo.param_groups[0]["step"] = 1
        fake_steps(model, shampoo)


def test_mfac_never_reads_from_the_device():
    with FakeTensorMode():
        model = fake_net()
        fake_steps(model, MFAC(model, num_gradients=2, weight_decay=0.1))


def test_fake_tensors_would_notice_a_read():
    with FakeTensorMode(), pytest.raises(DataDependentOutputException):
        fake_net()(torch.empty(8, 4)).sum().item()

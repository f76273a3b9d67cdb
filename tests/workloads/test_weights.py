"""A checkpoint: both formats, the head alone may differ, and everything else is told."""

import pytest
import torch
from torch import nn

from evabench.errors import DataError
from evabench.settings.classifiers import ClassifierSettings
from evabench.workloads.build import build_workload
from evabench.workloads.cifar import build_mlp
from evabench.workloads.weights import load_weights

safetensors = pytest.importorskip("safetensors.torch")


def net(classes=3, width=5):
    torch.manual_seed(0)
    model = nn.Sequential()
    model.add_module("body", nn.Linear(4, width))
    model.add_module("head", nn.Linear(width, classes))
    return model


def save(model, path):
    if path.suffix == ".safetensors":
        safetensors.save_file(model.state_dict(), path)
    else:
        torch.save(model.state_dict(), path)
    return path


@pytest.mark.parametrize("name", ["a.safetensors", "a.pt"])
def test_weights_come_back_from_either_format(tmp_path, name):
    saved, loaded = net(), net()
    nn.init.ones_(saved.body.weight)
    assert load_weights(loaded, save(saved, tmp_path / name)) == ()
    assert torch.equal(loaded.body.weight, saved.body.weight)


def test_a_head_of_other_classes_keeps_its_initial_weights_and_is_named(tmp_path):
    saved, loaded = net(classes=7), net(classes=3)
    nn.init.ones_(saved.body.weight)
    before = loaded.head.weight.clone()
    assert load_weights(loaded, save(saved, tmp_path / "a.pt")) == ("head.weight", "head.bias")
    assert torch.equal(loaded.head.weight, before)
    assert torch.equal(loaded.body.weight, saved.body.weight)


def test_a_checkpoint_of_another_net_is_refused_with_what_does_not_fit(tmp_path):
    shapes = r"body.weight \[6, 4\] where the net has \[5, 4\], body.bias \[6\] where the net has \[5\], "
    shapes += r"head.weight \[3, 6\] where the net has \[3, 5\]"  # a head may have other classes, but no other inputs
    with pytest.raises(
        DataError, match=rf"no checkpoint of this Sequential. 3 of another shape: {shapes}. It has to be"
    ):
        load_weights(net(), save(net(width=6), tmp_path / "a.pt"))
    with pytest.raises(DataError, match=r"4 missing: body.weight.*4 unknown: 1.weight"):
        load_weights(net(), save(build_mlp(1, 2, (5,), 3), tmp_path / "b.pt"))


def test_a_missing_file_and_one_that_wants_to_run_code_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"there is no checkpoint .*gone\.pt.*torch\.save"):
        load_weights(net(), tmp_path / "gone.pt")
    torch.save(net(), tmp_path / "whole.pt")  # the module itself: reading it would run code
    with pytest.raises(DataError, match="it is not loaded, since loading it could run code"):
        load_weights(net(), tmp_path / "whole.pt")


def test_a_classifier_begins_with_its_checkpoint(tmp_path):
    settings = ClassifierSettings(model="mlp", data="fashion_mnist_subset", width=0.125)
    first = build_workload(settings, seed=5)
    path = save(first.model, tmp_path / "a.safetensors")
    tuned = build_workload(
        ClassifierSettings(model="mlp", data="fashion_mnist_subset", width=0.125, checkpoint=str(path)), seed=6
    )
    assert tuned.validation() == first.validation()


def test_a_stand_in_checkpoint_is_of_other_classes_and_marked(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings = ClassifierSettings(
        model="resnet20", data="cifar100_stand_in", width=0.25, batch=10, checkpoint="stand_in"
    )
    assert settings.stand_in
    assert "synthetic data" in settings.shape
    first, second = (build_workload(settings, seed=seed).model for seed in (0, 1))
    assert torch.equal(first[0].weight, second[0].weight)  # of the checkpoint
    assert not torch.equal(first[-1].weight, second[-1].weight)  # the head, of the seed

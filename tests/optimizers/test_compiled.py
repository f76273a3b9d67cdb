"""`compile=True` does what eager does. Traced and functionalised by torch, but without a C++ compiler: "aot_eager"."""

import copy
import pickle
from functools import partial
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounterWithBackend
from torch.testing import assert_close

from evabench.optimizers import Eva, EvaF
from evabench.optimizers.eva import compiled
from evabench.optimizers.eva.compiled import Compiled
from tests.optimizers.conv_net import ConvNet, conv_loss, train_conv
from tests.optimizers.models import backward, batch, parameters, small_net, train

each_class = pytest.mark.parametrize("optimizer_class", [Eva, pytest.param(EvaF, marks=pytest.mark.long)])


@pytest.fixture(autouse=True)
def graphs(monkeypatch):
    """The backend, which counts the graphs that it is handed: 0 would mean that nothing was compiled."""
    backend = CompileCounterWithBackend("aot_eager")
    monkeypatch.setattr(compiled, "BACKEND", backend)
    torch._dynamo.reset()
    yield backend
    torch._dynamo.reset()


@each_class
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-9), pytest.param(torch.float32, 1e-5, marks=pytest.mark.long)]
)
def test_convolutions_and_matrices_train_as_without_a_compiler(optimizer_class, dtype, tolerance, graphs):
    trained = []
    for compile in (False, True):
        model = ConvNet().to(dtype)
        train_conv(model, optimizer_class(model, lr=0.01, compile=compile), loss=partial(conv_loss, dtype=dtype))
        trained.append(parameters(model))
    assert_close(trained[1], trained[0], rtol=tolerance, atol=tolerance)
    assert 0 < graphs.frame_count <= 4  # a bias or none, a matrix, a kernel, groups


@each_class
def test_the_direction_is_written_into_the_gradient_itself(optimizer_class, graphs):
    written = []
    for compile in (False, True):
        model = small_net()
        optimizer = optimizer_class(model, compile=compile)
        backward(model, *batch())
        gradients = [parameter.grad for parameter in model.parameters()]
        optimizer.step()
        assert all(parameter.grad is kept for parameter, kept in zip(model.parameters(), gradients, strict=True))
        written.append(gradients)
    assert_close(written[1], written[0])
    assert graphs.frame_count


@each_class
def test_gradients_that_are_views_of_one_buffer_are_projected_apart(optimizer_class, graphs):
    trained = []
    for compile in (False, True):
        model = small_net()
        buffer = torch.zeros(sum(parameter.numel() for parameter in model.parameters()), dtype=torch.float64)
        parts = buffer.split([parameter.numel() for parameter in model.parameters()])
        for parameter, part in zip(model.parameters(), parts, strict=True):
            parameter.grad = part.view_as(parameter)
        optimizer = optimizer_class(model, compile=compile)
        backward(model, *batch())
        optimizer.step()
        trained.append([buffer, *parameters(model)])
    assert_close(trained[1], trained[0])
    assert graphs.frame_count


@each_class
def test_other_widths_dampings_and_steps_need_no_other_graphs(optimizer_class, graphs):
    widths = [4, 9, 5, 17, 33, 8, 21, 12, 6, 40, 10, 3]
    model = nn.Sequential(*(nn.Linear(*pair) for pair in pairwise(widths))).double()
    half = [parameter for layer in list(model)[:5] for parameter in layer.parameters()]
    optimizer = optimizer_class(model, compile=True, groups=[{"params": half, "damping": 0.2}])
    train(model, optimizer, range(1))
    first = graphs.frame_count
    assert 0 < first <= 3
    for step in range(1, 12):
        optimizer.param_groups[0]["damping"] *= 1.3
        train(model, optimizer, range(step, step + 1))
    assert graphs.frame_count == first


@each_class
def test_groups_have_their_own_damping(optimizer_class):
    trained = []
    for compile in (False, True):
        model = small_net()
        groups = [{"params": model[2].parameters(), "damping": 0.7, "lr": 0.01}]
        train(model, optimizer_class(model, groups=groups, compile=compile), range(3))
        trained.append(parameters(model))
    assert_close(trained[1], trained[0])


@each_class
def test_a_gradient_that_is_not_finite_skips_the_step(optimizer_class, graphs):
    model = small_net()
    optimizer = optimizer_class(model, compile=True)
    train(model, optimizer, range(1))
    optimizer.zero_grad()
    backward(model, *batch())
    model[0].weight.grad[0, 1] = torch.nan
    before = parameters(model)
    optimizer.step()
    assert_close(parameters(model), before, rtol=0, atol=0)
    assert optimizer.health().skipped_steps == {"0": 1}
    assert graphs.frame_count


@each_class
@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))], ids=["deepcopy", "pickle"]
)
def test_a_duplicate_compiles_for_itself_and_trains_on(optimizer_class, duplicate, graphs):
    model = small_net()
    optimizer = optimizer_class(model, compile=True)
    train(model, optimizer, range(2))
    second, other = duplicate((model, optimizer))
    torch._dynamo.reset()
    num_graphs = graphs.frame_count
    train(second, other, range(2, 4))
    assert graphs.frame_count > num_graphs
    train(model, optimizer, range(2, 4))
    assert_close(parameters(second), parameters(model), rtol=0, atol=0)


@each_class
@pytest.mark.parametrize("compile", [False, True])
def test_a_state_dict_says_nothing_of_it_and_the_constructor_decides(optimizer_class, compile, graphs):
    model = small_net()
    saved = optimizer_class(model, compile=not compile)
    assert saved.state_dict().keys() == {"state", "param_groups"}
    assert "compile" not in saved.state_dict()["param_groups"][0]
    train(model, saved, range(1))
    num_graphs = graphs.frame_count
    torch._dynamo.reset()
    second = copy.deepcopy(model)
    loaded = optimizer_class(second, compile=compile)
    loaded.load_state_dict(saved.state_dict())
    train(second, loaded, range(1, 2))
    assert (graphs.frame_count > num_graphs) is compile


@each_class
def test_without_a_compiler_the_first_step_fails_in_one_sentence_and_moves_nothing(
    optimizer_class, monkeypatch, tmp_path
):
    import torch._inductor.config as inductor

    monkeypatch.setattr(compiled, "BACKEND", "inductor")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    model = small_net()
    before = parameters(model)
    optimizer = optimizer_class(model, compile=True)
    backward(model, *batch())
    missing = {"cpp.cxx": ("no-such-compiler",), "fx_graph_cache": False, "compile_threads": 1}
    with (
        inductor.patch(missing),
        pytest.raises(
            RuntimeError,
            match=r"compile=True: torch\.compile failed with InvalidCxxCompiler: .*or use compile=False\.$",
        ) as caught,
    ):
        optimizer.step()
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert_close(parameters(model), before, rtol=0, atol=0)


def test_an_error_of_the_function_itself_is_not_blamed_on_the_compiler():
    def refuses(x):
        raise RuntimeError("a mistake of its own")

    with pytest.raises(RuntimeError, match="a mistake of its own") as caught:
        Compiled(refuses)(torch.ones(1))
    assert "compile=True" not in str(caught.value)

"""What stands around the parts of suites that the pages show, by page and first table of the part."""

import tomllib

_NAMES = 'name = "x"\ntitle = "X"\ndescription = "X."\n'
_SMALL = '[workloads.small]\nworkload = "autoencoder"\nwidths = [784, 500, 250, 125, 30]\nbatch = 250\n'
_SGD = '[arms.SGD]\noptimizer = "sgd"\nlr = 1.0\n'
_EVA = '[arms.Eva]\noptimizer = "eva"\n'
_ADAMW = '[arms.AdamW]\noptimizer = "adamw"\nlr = 0.001\n'
_MINE = '[arms.Mine]\noptimizer = "plugin"\nname = "torch.optim:Adam"\n'
_TRAINED = "[convergence]\nseeds = 8\nepochs = 2\nevaluate_every = 8\n"
_TARGET = '[convergence.targets.small]\nvalue = 0.07\nprovenance = "made up"\n'
_TIMED = "[step_time]\nsweeps = 6\n"
_QUADRATIC = '[workloads.known]\nworkload = "quadratic"\n'
_GATED = "".join(
    f'[workloads.{name}]\nworkload = "synthetic"\nwidth = 8\n' for name in ("autoencoder-small", "gpt-tiny")
)

AROUND = {
    ("docs/suites.md", "rate"): _NAMES + _QUADRATIC + _SGD,
    ("docs/suites.md", "convergence"): _NAMES + _SMALL + _SGD,
    ("docs/suites.md", "tuning"): _NAMES + _SMALL + _SGD + _EVA + _MINE + _TRAINED,
    ("docs/suites.md", "claims"): _NAMES + _SMALL + _SGD + _EVA + _ADAMW + _TRAINED + _TARGET + _TIMED,
    ("docs/suites.md", "tiers"): _NAMES + _SMALL + _SGD,
    ("docs/your-own-optimizer.md", "Mine"): _NAMES + _SMALL,
    ("docs/your-own-optimizer.md", "NAdam"): _NAMES + _SMALL,
    ("docs/gate.md", "gate"): _NAMES + _GATED + _EVA,
}


def around(block):
    """Return what is missing around a block to make a suite of it."""
    return "" if "description" in tomllib.loads(block.text) else AROUND[block.key]

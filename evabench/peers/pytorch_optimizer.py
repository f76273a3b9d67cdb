"""Shampoo and SOAP of pytorch-optimizer (kozistr, Apache-2.0).

- `shampoo`: the paper's: plain sums over steps with epsilon on their diagonal, order twice the number of axes, every
  axis of every parameter, vectors too. The mathematics of `Shampoo(grafting="none", merge_up_to=1)` but for epsilon,
  which is absolute there. Roots by SVD. Left to itself it does not move before the first multiple of its interval,
  since its roots begin at zero: here they are made at the first step too. Its `momentum` mixes the last *direction*
  into the gradient before the statistics; it is 0 here, and what ours has is not to be had.
- `scalable_shampoo`: Google's: blocks, grafting, running averages where beta2 < 1; roots by coupled Newton iterations,
  or by SVD. Preconditions from the first step here; merges axes only if asked.
- `soap`: Adam in the eigenbasis of Shampoo's factors. We have none; compare loss curves only, no two SOAPs agree step
  by step.
"""

from collections.abc import Iterable
from typing import Any

from torch import nn
from torch.optim import Optimizer

from evabench.peers.extra import import_peer


def shampoo(
    parameters: Iterable[nn.Parameter],
    *,
    lr: float = 0.1,
    weight_decay: float = 0.0,
    epsilon: float = 1e-6,
    refresh_every: int = 1,
) -> Optimizer:
    """Return Shampoo; factors are updated at every step, roots at the first and at every multiple of the interval."""
    optimizer: Optimizer = import_peer("pytorch_optimizer").Shampoo(
        parameters, lr=lr, weight_decay=weight_decay, matrix_eps=epsilon, preconditioning_compute_steps=1
    )

    def begin_the_interval(stepped: Any, *_: object) -> None:
        stepped.preconditioning_compute_steps = refresh_every

    optimizer.register_step_post_hook(begin_the_interval)
    return optimizer


def scalable_shampoo(
    parameters: Iterable[nn.Parameter],
    *,
    lr: float = 0.1,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    beta2: float = 0.999,
    epsilon: float = 1e-6,
    block_size: int = 512,
    use_svd: bool = False,
    merge_axes: bool = False,
    statistics_every: int = 1,
    refresh_every: int = 1,
) -> Optimizer:
    """Return ScalableShampoo, grafted onto SGD, without Nesterov momentum."""
    optimizer: Optimizer = import_peer("pytorch_optimizer").ScalableShampoo(
        parameters,
        lr=lr,
        betas=(momentum, beta2),
        weight_decay=weight_decay,
        matrix_eps=epsilon,
        block_size=block_size,
        use_svd=use_svd,
        shape_interpretation=merge_axes,
        start_preconditioning_step=1,
        statistics_compute_steps=statistics_every,
        preconditioning_compute_steps=refresh_every,
        nesterov=False,
    )
    return optimizer


def soap(
    parameters: Iterable[nn.Parameter],
    *,
    lr: float = 3e-3,
    beta1: float = 0.95,
    beta2: float = 0.95,
    weight_decay: float = 0.01,
    refresh_every: int = 10,
) -> Optimizer:
    """Return SOAP: factors are updated at every step, their eigenbasis at every `refresh_every`-th."""
    optimizer: Optimizer = import_peer("pytorch_optimizer").SOAP(
        parameters, lr=lr, betas=(beta1, beta2), weight_decay=weight_decay, precondition_frequency=refresh_every
    )
    return optimizer

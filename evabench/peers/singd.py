"""SINGD (singd 0.0.5, MIT): K-FAC without inverses, with SGD for what it does not train.

Mathematics: structured inverse-free natural gradient descent (Lin et al., arXiv:2312.05705): the inverse factors are
updated directly, by products only, with the empirical Fisher. `kfac_like` gives the update that is close to K-FAC's
(IKFAC); neither agrees with K-FAC step by step. It trains Linear and Conv2d alone and would leave the parameters of
normalisation layers and embeddings as they are: those take SGD's step here. It scales for a mean loss itself. Its
factors begin at the identity, and `lr_factors` (their `lr_cov`) decides whether they stay stable. They are kept
outside `Optimizer.state`, so that our count of the curvature state does not see them; the tensor peak does.
"""

from torch import nn
from torch.optim import SGD, Optimizer

from evabench.peers.extra import import_peer
from evabench.peers.joined import Joined, parameters_without


def singd(
    model: nn.Module,
    *,
    lr: float = 1e-2,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    damping: float = 1e-3,
    lr_factors: float = 1e-2,
    structure: str = "dense",
    weight_sharing: str = "expand",
    loss_average: str = "batch",
    kfac_like: bool = False,
    refresh_every: int = 10,
) -> Optimizer:
    """Return SINGD over Linear and Conv2d, joined with SGD. `loss_average`: "batch" or "batch+sequence"."""
    own = import_peer("singd.optim.optimizer").SINGD(
        model,
        lr=lr,
        momentum=momentum,
        weight_decay=weight_decay,
        damping=damping,
        alpha1=0.0 if kfac_like else 0.5,
        T=refresh_every,
        loss_average=loss_average,
        lr_cov=lr_factors,
        structures=(structure, structure),
        kfac_approx=weight_sharing,
        warn_unsupported=False,
        kfac_like=kfac_like,
    )
    taken = [parameter for group in own.param_groups for parameter in group["params"]]
    rest = parameters_without(model, taken)
    return Joined([own, SGD(rest, lr, momentum, weight_decay=weight_decay)]) if rest else own

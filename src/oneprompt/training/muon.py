"""Muon (Jordan 2024) in fp32: an optimizer that makes every update of a matrix nearly orthogonal.

`torch.optim.Muon` computes in bfloat16, which takes some twenty times as long as fp32 on a
processor that has no instructions for it. A test compares the two.
"""

import torch
from torch import Tensor

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # coefficients of the quintic, from Jordan 2024
ITERATIONS = 5
MOMENTUM = 0.95


def orthogonalized(matrix: Tensor) -> Tensor:
    """The matrix (m, n) with singular values near 1, but for those below 2 % of its norm."""
    a, b, c = NEWTON_SCHULZ
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Updates of matrices (m, n) by their orthogonalized Nesterov momentum, times √max(1, m/n).

    Args:
        params: matrices.
        lr: the learning rate.
    """

    def __init__(self, params, lr: float):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for p in (p for p in group["params"] if p.grad is not None):
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                momentum = state["momentum"]
                momentum.lerp_(p.grad, 1 - MOMENTUM)
                rate = group["lr"] * max(1, p.shape[0] / p.shape[1]) ** 0.5
                p.sub_(orthogonalized(p.grad.lerp(momentum, MOMENTUM)), alpha=rate)

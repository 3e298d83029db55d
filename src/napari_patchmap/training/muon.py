"""Muon: momentum whose matrices are orthogonalised before the step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from napari_patchmap.networks.device import has_bfloat16

#: Coefficients of the Newton-Schulz iteration (K. Jordan et al., "Muon: An optimizer for
#: hidden layers in neural networks", 2024), which brings all singular values close to one.
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5


# Why not a library's: torch.optim.Muon refuses convolutions (torch 2.13: "only supports 2D
# parameters"); timm's rounds otherwise, and the usual recipe, which is to work without timm,
# would need it. It would save a fifth of this step, 2 % of a training step on a CPU.
class Muon(torch.optim.Optimizer):
    """Muon for weight matrices and convolutions, Adam for all other parameters.

    A convolution is a matrix with one row an output channel. Few, large steps
    reach lower losses than SGD or AdamW do in the same minutes.

    Parameters
    ----------
    matrices, others : iterable of Parameter
        Weights of hidden layers; first and last layer, normalisation and biases.
    lr : float
        Rate of the matrices.
    adam_share : float
        Rate of the others as a share of ``lr``.
    momentum : float
    weight_decay : float
        Decoupled, on the matrices alone.
    """

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        others: Iterable[nn.Parameter],
        *,
        lr: float,
        adam_share: float = 0.15,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        self._adam_share = adam_share
        self._momentum = momentum
        self._weight_decay = weight_decay
        groups = [
            {"params": list(matrices), "lr": lr, "orthogonal": True},
            {"params": list(others), "lr": lr, "orthogonal": False},
        ]
        super().__init__([group for group in groups if group["params"]], {})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Make one step with the gradients as they are."""
        for group in self.param_groups:
            moved = [one for one in group["params"] if one.grad is not None]
            if group["orthogonal"]:
                for alike in _alike(moved):
                    self._matrix_steps(alike, group["lr"])
            elif moved:
                self._adam_steps(moved, self._adam_share * group["lr"])

    def _matrix_steps(self, parameters: list[nn.Parameter], lr: float) -> None:
        """Move matrices of one shape."""
        gradients = [one.grad for one in parameters if one.grad is not None]
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter]["momentum"] = torch.zeros_like(parameter)
        moments = [self.state[one]["momentum"] for one in parameters]
        torch._foreach_lerp_(moments, gradients, 1 - self._momentum)
        ahead = torch._foreach_lerp(gradients, moments, self._momentum)
        matrices = [one.flatten(1) for one in ahead]
        rows, columns = matrices[0].shape
        together = matrices[0] if len(matrices) == 1 else torch.stack(matrices)
        updates = orthogonalised(together) * max(1.0, rows / columns) ** 0.5
        steps = [updates] if len(matrices) == 1 else updates.unbind()
        weights: list[Tensor] = [*parameters]
        torch._foreach_mul_(weights, 1 - lr * self._weight_decay)
        moves = [step.view_as(one) for step, one in zip(steps, parameters, strict=True)]
        torch._foreach_add_(weights, moves, alpha=-lr)

    def _adam_steps(self, parameters: list[nn.Parameter], lr: float) -> None:
        """Move all others, which on a GPU are a few kernels together."""
        for one in parameters:
            if not self.state[one]:
                self.state[one].update(
                    mean=torch.zeros_like(one), square=torch.zeros_like(one), count=0
                )
            self.state[one]["count"] += 1
        states = [self.state[one] for one in parameters]
        gradients = [one.grad for one in parameters if one.grad is not None]
        means, squares = ([state[name] for state in states] for name in ("mean", "square"))
        torch._foreach_lerp_(means, gradients, 0.1)
        torch._foreach_lerp_(squares, torch._foreach_mul(gradients, gradients), 0.05)
        moves = torch._foreach_div(means, [1 - 0.9 ** state["count"] for state in states])
        roots = torch._foreach_div(squares, [1 - 0.95 ** state["count"] for state in states])
        torch._foreach_sqrt_(roots)
        torch._foreach_add_(roots, 1e-8)
        weights: list[Tensor] = [*parameters]
        torch._foreach_addcdiv_(weights, moves, roots, value=-lr)


def _alike(parameters: list[nn.Parameter]) -> list[list[nn.Parameter]]:
    """Return weights that can be moved together: on a GPU all those of one shape.

    There a small product of matrices takes as long as a large one takes to start. A CPU gains
    nothing, and rounds products of several matrices otherwise than those of one.
    """
    found: dict[tuple[Any, ...], list[nn.Parameter]] = {}
    for number, one in enumerate(parameters):
        alone = number if one.device.type == "cpu" else None
        found.setdefault((one.device, one.dtype, one.shape, alone), []).append(one)
    return list(found.values())


def orthogonalised(matrix: Tensor) -> Tensor:
    """Return the nearest matrix with singular values of about one (0.7 to 1.2).

    Parameters
    ----------
    matrix : Tensor, shape (rows, columns) or (n, rows, columns)
        Of several, each by itself.
    """
    tall = matrix.shape[-2] > matrix.shape[-1]
    # Half precision suffices, since the iteration is rough on purpose: twice as fast where
    # the hardware has it, and many times as slow where it is emulated.
    x = matrix.mT if tall else matrix
    x = x.bfloat16() if has_bfloat16(matrix.device) else x.float()
    if x.ndim == 2:
        x = x / (x.norm() + 1e-7)
    else:
        x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = _NEWTON_SCHULZ
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).to(matrix.dtype)

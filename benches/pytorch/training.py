"""A training step of a Tiny Recursive Model or a Hierarchical Reasoning Model: adaptive computation time, loss, AdamATan2, moving average."""

import copy
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from trm import Latents, Trm, begin, cast_weights, each, finish

IGNORED = -100


@dataclass(frozen=True)
class Optimization:
    """How weights move; the names are those of a recipe's section `[optimizer]`."""

    lr: float
    weight_decay: float
    beta_1: float
    beta_2: float
    puzzle_emb_lr: float
    puzzle_emb_weight_decay: float
    ema_rate: float
    token_loss: str


@dataclass(frozen=True)
class Batch:
    """Puzzles: tokens and answers `[batch, cells]` (`IGNORED` where a cell has none), identifiers `[batch]`."""

    inputs: Tensor
    labels: Tensor
    identifiers: Tensor


@dataclass(frozen=True)
class Carry:
    """What lives from one step to the next; `steps` and `halted` are `[batch]`."""

    z: Latents
    steps: Tensor
    halted: Tensor
    batch: Batch


def stablemax_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy over s(x) / sum s(x), s(x) = x + 1 from 0 on and 1 / (1 - x) below, in f64; `[batch, cells]`."""
    x = logits.double()
    s = 1 / (1 - x.clamp(max=0)) + x.relu()
    log_p = (s / s.sum(-1, keepdim=True)).log()
    chosen = log_p.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return torch.where(labels == IGNORED, 0, -chosen)


def softmax_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The usual cross-entropy in f32; `[batch, cells]`."""
    flat = F.cross_entropy(
        logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="none"
    )
    return flat.view_as(labels)


TOKEN_LOSSES = {"stablemax": stablemax_loss, "softmax": softmax_loss}


def act_loss(
    logits: Tensor, q: tuple[Tensor, Tensor], target: Tensor | None, labels: Tensor, token_loss: str
) -> Tensor:
    """The loss of a step, a mean over the batch: that of the tokens, and half of those of the halting logits; `q_continue` has
    one where it has a target."""
    q_halt, q_continue = q
    labelled = labels != IGNORED
    count = labelled.sum(-1)
    exact = ((logits.argmax(-1) == labels) & labelled).sum(-1) == count
    tokens = (TOKEN_LOSSES[token_loss](logits, labels).sum(-1) / count.clamp(min=1)).sum()
    halting = F.binary_cross_entropy_with_logits(q_halt, exact.float(), reduction="sum")
    if target is not None:
        halting = halting + F.binary_cross_entropy_with_logits(q_continue, target, reduction="sum")
    return (tokens + 0.5 * halting) / len(labels)


class AdamATan2:
    """Adam with the update atan2(m, sqrt(v)), which needs no epsilon (arXiv 2407.05872)."""

    def __init__(self, parameters: list[Tensor], optimization: Optimization):
        self.parameters, self.optimization = parameters, optimization
        self.mean = [torch.zeros_like(p) for p in parameters]
        self.square = [torch.zeros_like(p) for p in parameters]
        self.time = 0
        self.update = adam_atan2

    @torch.no_grad()
    def step(self, lr: float) -> None:
        o = self.optimization
        self.time += 1
        rate, unbias = lr / (1 - o.beta_1**self.time), (1 - o.beta_2**self.time) ** -0.5
        device = self.parameters[0].device
        factors = torch.tensor([1 - lr * o.weight_decay, -rate, unbias], device=device).unbind()
        gradients = [p.grad for p in self.parameters]
        self.update(self.parameters, gradients, self.mean, self.square, (o.beta_1, o.beta_2), *factors)


def adam_atan2(parameters, gradients, mean, square, betas, keep, rate, unbias) -> None:
    """Moves lists of tensors in place; the last three are tensors `[]`, so that compiled code takes any value."""
    torch._foreach_lerp_(mean, gradients, 1 - betas[0])
    torch._foreach_mul_(square, betas[1])
    torch._foreach_addcmul_(square, gradients, gradients, 1 - betas[1])
    spread = torch._foreach_sqrt(square)
    torch._foreach_mul_(spread, unbias)
    turns = [torch.atan2(m, s) for m, s in zip(mean, spread)]
    torch._foreach_mul_(turns, rate)
    torch._foreach_mul_(parameters, keep)
    torch._foreach_add_(parameters, turns)


class Trainer:
    """Trains a model of f32 weights, one supervision step at a time.

    Two things are done for speed that leave the numbers as they are: the cycles without gradients run on weights that
    are cast once a step, and `compiled` compiles the networks, the loss and the optimizer.
    """

    def __init__(self, model: Trm, optimization: Optimization, compiled: bool = False):
        self.model, self.optimization = model, optimization
        puzzle = model.puzzle_emb.weights if model.puzzle_emb is not None else None
        self.trained = [p for p in model.parameters() if p is not puzzle]
        self.adam = AdamATan2(self.trained, optimization)
        self.average = [p.detach().clone() for p in self.trained]
        self.carry: Carry | None = None
        self.nets, self.loss = model.networks(), act_loss
        self.frozen = self.nets
        if model.dtype != torch.float32:
            cast = partial(cast_weights, dtype=model.dtype)
            self.frozen = each(lambda net: cast(copy.deepcopy(net)).requires_grad_(False), self.nets)
        self.nets_call, self.frozen_call = self.nets, self.frozen
        if compiled:
            # Not dynamic: code for one shape is faster than code for any.
            compile_ = partial(torch.compile, dynamic=False)
            self.nets_call, self.frozen_call = (each(compile_, nets) for nets in (self.nets, self.frozen))
            self.loss = compile_(act_loss)
            self.adam.update = compile_(adam_atan2)

    def step(self, batch: Batch, lr: float, puzzle_lr: float) -> float:
        """One step, in which no puzzle is made to go on; returns the loss before it."""
        loss = self.backward(batch)
        self.descend(lr, puzzle_lr)
        return loss

    def backward(self, batch: Batch) -> float:
        """Fills the places of halted puzzles, recurses, and leaves the gradients of the loss."""
        config = self.model.config
        carry = self.admit(batch)
        x = self.model.embed(carry.batch.inputs, carry.batch.identifiers)
        z = carry.z
        with torch.no_grad():
            z = begin(self.frozen_call, config, z, x)
        z = finish(self.nets_call, config, z, x)
        q = self.model.q(z.z_h)
        steps = carry.steps + 1
        last = steps >= config.halt_max_steps
        target = None if config.no_act_continue else self.target(z, x, last)
        loss = self.loss(self.model.logits(z.z_h), q, target, carry.batch.labels, self.optimization.token_loss)
        self.model.zero_grad()
        loss.backward()

        q_halt, q_continue = (part.detach() for part in q)
        halted = last | (q_halt > (0 if config.no_act_continue else q_continue))
        self.carry = Carry(Latents(z.z_h.detach(), z.z_l.detach()), steps, halted, carry.batch)
        return loss.item()

    @torch.no_grad()
    def target(self, z: Latents, x: Tensor, last: Tensor) -> Tensor:
        """What `q_continue` should say: what the next step says of itself, and after the last one what it says of halting."""
        config = self.model.config
        z, x = Latents(z.z_h.detach(), z.z_l.detach()), x.detach()
        z = finish(self.frozen_call, config, begin(self.frozen_call, config, z, x), x)
        q_halt, q_continue = self.model.q(z.z_h)
        return torch.where(last, q_halt, torch.maximum(q_halt, q_continue)).sigmoid()

    def admit(self, batch: Batch) -> Carry:
        """The carry with halted puzzles replaced by the rows of a batch; all of them in the first step."""
        rows = len(batch.inputs)
        fresh = self.model.initial(rows)
        if self.carry is None:
            device = batch.inputs.device
            steps = torch.zeros(rows, dtype=torch.int32, device=device)
            return Carry(fresh, steps, torch.ones(rows, dtype=torch.bool, device=device), batch)
        old, halted = self.carry, self.carry.halted
        wide, deep = halted.view(-1, 1), halted.view(-1, 1, 1)
        return replace(
            old,
            z=Latents(*(torch.where(deep, new, z) for new, z in zip(fresh, old.z))),
            steps=torch.where(halted, 0, old.steps),
            batch=Batch(
                torch.where(wide, batch.inputs, old.batch.inputs),
                torch.where(wide, batch.labels, old.batch.labels),
                torch.where(halted, batch.identifiers, old.batch.identifiers),
            ),
        )

    @torch.no_grad()
    def descend(self, lr: float, puzzle_lr: float) -> None:
        """Moves the puzzle embedding, the weights and their average, in this order."""
        if self.model.puzzle_emb is not None:
            # Sign descent, for the puzzles of the batch only.
            weights, rows = self.model.puzzle_emb.weights, self.carry.batch.identifiers.unique()
            keep = 1 - puzzle_lr * self.optimization.puzzle_emb_weight_decay
            weights[rows] = weights[rows] * keep - puzzle_lr * weights.grad[rows].sign()
        self.adam.step(lr)
        torch._foreach_lerp_(self.average, self.trained, 1 - self.optimization.ema_rate)
        if self.frozen is not self.nets:
            for frozen, net in set(zip(self.frozen, self.nets)):  # One pair where one network does for both.
                torch._foreach_copy_(list(frozen.parameters()), list(net.parameters()))

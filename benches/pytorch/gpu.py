#!/usr/bin/env python3
"""Measures the 7M network in PyTorch on one device: `python3 gpu.py --json OUT.json`.

Needs PyTorch 2.9 or newer, numpy and safetensors, a C compiler for `torch.compile`, and no network. `trm bench` writes
a file of the same shape, and prints ratios against this one. README.md beside this file says what is measured.
"""

import time

START = time.perf_counter()  # Before PyTorch is loaded; the interpreter itself takes some hundredths of a second more.

import argparse
import gc
import json
import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from report import machine
from training import Batch, Carry, Optimization, Trainer
from trm import DTYPES, Config, Latents, Trm, cast_weights, h_cycle
from turns import say
from worker import measure

# As in the recipe maze-hard.
OPTIMIZATION = Optimization(
    lr=1e-4, weight_decay=1.0, beta_1=0.9, beta_2=0.95, puzzle_emb_lr=1e-4, puzzle_emb_weight_decay=1.0,
    ema_rate=0.999, token_loss="stablemax"
)  # fmt: skip
# The first run compiles, the second one finds what the first has left.
WARM_UPS = 2


def maze_hard(side: int) -> Config:
    """The preset of this name, for mazes of any side."""
    return Config(
        vocab_size=6, seq_len=side * side, num_puzzle_identifiers=1, puzzle_emb_ndim=512, puzzle_emb_len=16,
        h_cycles=3, l_cycles=4, l_layers=2, hidden_size=512, num_heads=8, expansion=4.0,
        pos_encodings="rope", rms_norm_eps=1e-5, rope_theta=1e4, halt_max_steps=16
    )  # fmt: skip


def flops_per_pass(config: Config) -> float:
    """Of one pass over one maze: matrix products only, a multiplication and an addition counted as two."""
    length, hidden = config.total_len, config.hidden_size
    attention = 2.0 * length * hidden * 4 * hidden + 4.0 * length * length * hidden
    return config.l_layers * (attention + 2.0 * length * 3 * hidden * config.swiglu_inner)


def passes(config: Config, work: str) -> int:
    """Passes that a piece of work costs as much as; backward through the last H cycle costs twice its way forward."""
    cycle = config.l_cycles + 1
    step = config.h_cycles * cycle
    return {"pass": 1, "supervision_step": step, "training_step": step + 2 * cycle}[work]


def untrained(config: Config, precision: str, device: torch.device) -> Trm:
    """A model of fresh f32 weights, near enough to those that training starts from; it never halts."""
    torch.manual_seed(0)
    model = Trm(config, DTYPES[precision])
    for name, weights in model.named_parameters():
        if weights.dim() == 2 and name not in ("puzzle_emb.weights", "q_head.weight"):
            nn.init.trunc_normal_(weights, std=weights.shape[1] ** -0.5)
    nn.init.zeros_(model.q_head.weight)
    nn.init.constant_(model.q_head.bias, -5)
    nn.init.trunc_normal_(model.H_init)
    nn.init.trunc_normal_(model.L_init)
    return model.to(device)


def one_pass(net: nn.Module, z: Latents, x: Tensor) -> Tensor:
    return net(z.z_l, z.z_h + x)


class Bench:
    """A model for inference on a device, and the pieces of work that are measured there."""

    def __init__(self, options: argparse.Namespace):
        self.device, self.precision = torch.device(options.device), options.precision
        self.seconds, self.compiled = options.seconds, not options.eager
        self.config = maze_hard(options.side)
        model = untrained(self.config, self.precision, self.device)
        self.parameters = sum(p.numel() for name, p in model.named_parameters() if name != "puzzle_emb.weights")
        self.model = cast_weights(model, model.dtype).requires_grad_(False)
        self.pass_, self.cycle = self.compile(one_pass), self.compile(h_cycle)

    def compile(self, function: Callable) -> Callable:
        """Whole graphs in the default mode, for one shape at a time."""
        return torch.compile(function, fullgraph=True, dynamic=False) if self.compiled else function

    def cuda(self) -> bool:
        return self.device.type == "cuda"

    def attention(self) -> AbstractContextManager:
        """On CUDA no other attention than flash attention; f32, which it does not have, takes the next best."""
        if not self.cuda():
            return nullcontext()
        flash, efficient = SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION
        return sdpa_kernel(flash if self.precision == "bf16" else efficient)

    def clear(self) -> None:
        """Frees what the last piece has left, and counts memory anew."""
        gc.collect()
        if self.cuda():
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)

    def memory(self) -> int | None:
        return torch.cuda.max_memory_allocated(self.device) if self.cuda() else None

    def whole(self, run: Callable[[], object]) -> Callable[[], None]:
        """A run that is over when the device is done, and starts when it has nothing else to do."""
        wait = partial(torch.cuda.synchronize, self.device) if self.cuda() else lambda: None
        wait()
        return lambda: (run(), wait()) and None

    def tokens(self, count: int) -> Tensor:
        """Random tokens in place of mazes: nothing that is measured depends on what they are."""
        return torch.randint(1, self.config.vocab_size, (count, self.config.seq_len), device=self.device)

    def identifiers(self, count: int) -> Tensor:
        return torch.zeros(count, dtype=torch.int64, device=self.device)

    def fresh(self, model: Trm, tokens: Tensor) -> tuple[Latents, Tensor]:
        """The latents and the embedding of mazes; later latents are contiguous too, and take the same code."""
        z = Latents(*(part.contiguous() for part in model.initial(len(tokens))))
        return z, model.embed(tokens, self.identifiers(len(tokens)))

    def step(self, z: Latents, x: Tensor) -> tuple[Latents, Tensor, Tensor]:
        """A supervision step: the latents after it, logits and q."""
        for _ in range(self.config.h_cycles):
            z = self.cycle(self.model.L_level, self.config, z, x)
        return z, self.model.logits(z.z_h), self.model.q_halt(z.z_h)

    def prepare(self, work: str, batch: int) -> Callable[[], object]:
        """A run of a piece of work."""
        tokens = self.tokens(batch)
        if work == "training_step":
            return self.training(tokens)
        z, x = self.fresh(self.model, tokens)
        if work == "pass":
            return torch.no_grad()(lambda: self.pass_(self.model.L_level, z, x))
        return torch.no_grad()(lambda: self.step(z, x))

    def training(self, tokens: Tensor) -> Callable[[], float]:
        """Training steps one after the other, on f32 weights."""
        trainer = Trainer(untrained(self.config, self.precision, self.device), OPTIMIZATION, self.compiled)
        rows = len(tokens)
        batch = Batch(tokens, self.tokens(rows), self.identifiers(rows))
        with torch.no_grad():
            z, _ = self.fresh(trainer.model, tokens)
        steps = torch.zeros(rows, dtype=torch.int32, device=self.device)
        # All are halted, so that the first step replaces them, as any later one does: it needs no code of its own.
        trainer.carry = Carry(z, steps, torch.ones_like(steps, dtype=torch.bool), batch)
        return lambda: trainer.step(batch, OPTIMIZATION.lr, OPTIMIZATION.puzzle_emb_lr)

    def measure(self, work: str, batch: int, peak: float) -> dict:
        """One of `measurements`; `peak` in TFLOP/s."""
        names = ("seconds", "runs", "puzzles_per_second", "tflops", "utilisation", "memory_bytes", "error")
        found = {"work": work, "batch": batch} | dict.fromkeys(names)
        self.clear()
        try:
            run = self.whole(self.prepare(work, batch))
            for _ in range(WARM_UPS):
                run()
            times = measure(run, self.seconds)
        except Exception as error:  # Most likely too little memory; other pieces go on.
            return found | {"error": first_line(error)}
        seconds = statistics.median(times)
        tflops = flops_per_pass(self.config) * passes(self.config, work) * batch / seconds / 1e12
        values = (seconds, len(times), batch / seconds, tflops, tflops / peak, self.memory())
        return found | dict(zip(names, values))

    @torch.no_grad()
    def evaluate(self, mazes: int, batch: int) -> dict:
        """One of `evaluations`: all steps of all mazes, of which the last batch may have fewer."""
        steps, inputs = self.config.halt_max_steps, self.tokens(mazes)
        for size in {len(part) for part in inputs.split(batch)}:  # Code for each size.
            self.whole(self.prepare("supervision_step", size))()

        start = time.perf_counter()
        for tokens in inputs.split(batch):
            z, x = self.fresh(self.model, tokens)
            for _ in range(steps):
                z, logits, _ = self.step(z, x)
            logits.argmax(-1).cpu()  # Answers are wanted on the other side.
        seconds = time.perf_counter() - start
        values = {"halt": "never", "batch": min(batch, mazes), "mazes": mazes, "steps": float(steps)}
        return values | {"exact_accuracy": None, "seconds": seconds, "mazes_per_second": mazes / seconds}

    def peak(self, precision: str) -> dict:
        """The rate of a large matrix product, one of `peaks`."""
        size = 8192 if self.cuda() else 1024
        a, b = (torch.randn(size, size, device=self.device).to(DTYPES[precision]) for _ in range(2))
        run = self.whole(lambda: a @ b)
        measure(run, self.seconds / 10)
        seconds = statistics.median(measure(run, self.seconds))
        return {"precision": precision, "size": size, "tflops": 2.0 * size**3 / seconds / 1e12}


def first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]

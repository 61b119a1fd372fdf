#!/usr/bin/env python3
"""Measures the 7M network in PyTorch on one device: `python3 gpu.py --json OUT.json`.

Needs PyTorch 2.9 or newer, numpy, safetensors, a C compiler for `torch.compile`, and no network. `trm bench` writes a
file of the same shape, and prints ratios against this one. README.md beside this file says what is measured.
"""

import time

START = time.perf_counter()  # Before PyTorch is loaded; some hundredths of a second after the process began.

import argparse
import gc
import json
import statistics
from collections.abc import Callable
from contextlib import nullcontext, suppress
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
# Flash attention has no f32.
ATTENTION = {"bf16": SDPBackend.FLASH_ATTENTION, "f32": SDPBackend.EFFICIENT_ATTENTION}


def maze_hard(side: int) -> Config:
    """The preset of this name, for mazes of any side."""
    return Config(
        vocab_size=6, seq_len=side * side, num_puzzle_identifiers=1, puzzle_emb_ndim=512, puzzle_emb_len=16,
        h_cycles=3, l_cycles=4, l_layers=2, hidden_size=512, num_heads=8, expansion=4.0,
        pos_encodings="rope", rms_norm_eps=1e-5, rope_theta=1e4, halt_max_steps=16
    )  # fmt: skip


def flops(config: Config) -> dict[str, float]:
    """Of each piece of work for one maze: matrix products only, a multiply-add counted as two."""
    length, hidden, cycle = config.total_len, config.hidden_size, config.l_cycles + 1
    attention = 2.0 * length * hidden * 4 * hidden + 4.0 * length * length * hidden
    one = config.l_layers * (attention + 2.0 * length * 3 * hidden * config.swiglu_inner)
    step = config.h_cycles * cycle * one
    # Backward through the last H cycle costs twice its way forward.
    evaluation = config.halt_max_steps * step
    training = step + 2 * cycle * one
    return {"pass": one, "supervision_step": step, "evaluation": evaluation, "training_step": training}


def untrained(config: Config, precision: str, device: torch.device) -> Trm:
    """A model of fresh f32 weights, near enough to those that training starts from; it never halts."""
    torch.manual_seed(0)
    model = Trm(config, DTYPES[precision])
    for name, weights in model.named_parameters():
        if weights.dim() == 2 and name != "puzzle_emb.weights":
            nn.init.trunc_normal_(weights, std=weights.shape[1] ** -0.5)
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
        self.cuda = self.device.type == "cuda"
        self.seconds, self.compiled = options.seconds, not options.eager
        self.config = maze_hard(options.side)
        model = untrained(self.config, self.precision, self.device)
        self.parameters = sum(p.numel() for p in model.parameters() if p is not model.puzzle_emb.weights)
        self.model = cast_weights(model, model.dtype).requires_grad_(False)
        self.pass_, self.cycle = self.compile(one_pass), self.compile(h_cycle)

    def compile(self, function: Callable) -> Callable:
        """Whole graphs in the default mode, for one shape at a time."""
        return torch.compile(function, fullgraph=True, dynamic=False) if self.compiled else function

    def clear(self) -> None:
        """Frees what the last piece has left, and counts memory anew."""
        gc.collect()
        if self.cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)

    def whole(self, run: Callable[[], object]) -> Callable[[], object]:
        """A run that is over when the device is done, and starts when it has nothing else to do."""
        wait = (lambda: torch.cuda.synchronize(self.device)) if self.cuda else (lambda: None)
        wait()
        return lambda: (run(), wait())

    def tokens(self, count: int) -> Tensor:
        """Random tokens in place of mazes: nothing that is measured depends on what they are."""
        return torch.randint(1, self.config.vocab_size, (count, self.config.seq_len), device=self.device)

    def fresh(self, model: Trm, tokens: Tensor) -> tuple[Latents, Tensor]:
        """The latents and the embedding of mazes; later latents are contiguous too, and take the same code."""
        z = Latents(*(part.contiguous() for part in model.initial(len(tokens))))
        return z, model.embed(tokens, torch.zeros_like(tokens[:, 0]))

    def step(self, z: Latents, x: Tensor) -> tuple[Latents, Tensor, Tensor]:
        """A supervision step: the latents after it, logits and q."""
        for _ in range(self.config.h_cycles):
            z = self.cycle(self.model.L_level, self.config, z, x)
        return z, self.model.logits(z.z_h), self.model.q_halt(z.z_h)

    def evaluate(self, tokens: Tensor) -> Tensor:
        """The answers to mazes after all steps, on this side of the device."""
        z, x = self.fresh(self.model, tokens)
        for _ in range(self.config.halt_max_steps):
            z, logits, _ = self.step(z, x)
        return logits.argmax(-1).cpu()

    def prepare(self, work: str, batch: int) -> Callable[[], object]:
        """A run of a piece of work; without gradients but in training, as no weight of `model` asks for any."""
        tokens = self.tokens(batch)
        if work == "training_step":
            return self.training(tokens)
        if work == "evaluation":
            return lambda: self.evaluate(tokens)
        z, x = self.fresh(self.model, tokens)
        if work == "pass":
            return lambda: self.pass_(self.model.L_level, z, x)
        return lambda: self.step(z, x)

    def training(self, tokens: Tensor) -> Callable[[], float]:
        """Training steps one after the other, on f32 weights."""
        trainer = Trainer(untrained(self.config, self.precision, self.device), OPTIMIZATION, self.compiled)
        batch = Batch(tokens, self.tokens(len(tokens)), torch.zeros_like(tokens[:, 0]))
        z, _ = self.fresh(trainer.model, tokens)
        steps = torch.zeros_like(batch.identifiers, dtype=torch.int32)
        # All are halted and replaced in the first step, which needs no code of its own then.
        trainer.carry = Carry(z, steps, torch.ones_like(steps, dtype=torch.bool), batch)
        return lambda: trainer.step(batch, OPTIMIZATION.lr, OPTIMIZATION.puzzle_emb_lr)

    def measure(self, work: str, batch: int, peak: float) -> dict:
        """One of `measurements`; `peak` in TFLOP/s."""
        names = ("seconds", "runs", "puzzles_per_second", "tflops", "utilisation", "memory_bytes", "error")
        found = {"work": work, "batch": batch} | dict.fromkeys(names) | {"runs": 0}
        self.clear()
        try:
            run = self.whole(self.prepare(work, batch))
            run(), run()  # The first one compiles, the second one finds what it has left.
            times = measure(run, self.seconds)
        except Exception as error:  # Most likely too little memory; other pieces go on.
            return found | {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        seconds = statistics.median(times)
        tflops = flops(self.config)[work] * batch / seconds / 1e12
        memory = torch.cuda.max_memory_reserved(self.device) if self.cuda else None
        values = (seconds, len(times), batch / seconds, tflops, tflops / peak, memory)
        return found | dict(zip(names, values))

    def peak(self, precision: str) -> dict:
        """The rate of a large matrix product, one of `peaks`."""
        size = 8192 if self.cuda else 1024
        a, b = (torch.randn(size, size, device=self.device).to(DTYPES[precision]) for _ in range(2))
        run = self.whole(lambda: a @ b)
        measure(run, self.seconds / 10)  # Warm from here on.
        seconds = statistics.median(measure(run, self.seconds))
        return {"precision": precision, "size": size, "tflops": 2.0 * size**3 / seconds / 1e12}


HEADINGS = "work              batch     seconds   runs   puzzles/s   TFLOP/s  of peak      GB"


def row(found: dict) -> str:
    """A line of the table, for one of `measurements`."""
    title = f"{found['work']:<17}{found['batch']:>6}"
    if found["error"]:
        return f"{title}  {found['error']}"
    rates = f"{found['puzzles_per_second']:12.2f}{found['tflops']:10.3f}{found['utilisation']:9.1%}"
    memory = f"{found['memory_bytes'] / 1e9:8.2f}" if found["memory_bytes"] else ""
    return f"{title}{found['seconds']:12.6f}{found['runs']:7}{rates}{memory}"


def measure_all(bench: Bench, options: argparse.Namespace) -> None:
    """Measures everything; the file is written after each batch size."""
    name = torch.cuda.get_device_name(bench.device) if bench.cuda else machine()["processor"]
    program, date = f"pytorch {torch.__version__.partition('+')[0]}", time.strftime("%Y-%m-%d %H:%M")
    report = {"program": program, "date": date, "device": options.device, "device_name": name}
    report |= {"precision": options.precision, "start_up_seconds": None}
    for batch in options.batch:  # First of all, while nothing is warm. What goes wrong here does so again below.
        with suppress(Exception):
            bench.whole(bench.prepare("supervision_step", batch))()
            report["start_up_seconds"] = time.perf_counter() - START
            break
    say(f"{program} on {name}, {options.precision}; start-up: {report['start_up_seconds']} s")
    work_flops, measurements = flops(bench.config), []
    model = {"parameters": bench.parameters, "side": options.side, "flops_per_pass": work_flops["pass"]}
    peaks = {precision: bench.peak(precision) for precision in ("bf16", "f32")}
    report |= {"model": model, "peaks": list(peaks.values()), "measurements": measurements, "evaluations": []}
    say(f"peaks: {report['peaks']}\n{HEADINGS}")
    for batch in options.batch:
        for work in work_flops:
            measurements.append(bench.measure(work, batch, peaks[options.precision]["tflops"]))
            say(row(measurements[-1]))
        torch._dynamo.reset()  # It keeps code for a few shapes only.
        options.json.write_text(json.dumps(report, indent=1) + "\n")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--json", type=Path, required=True, help="where the figures go")
    add("--device", default="cuda", help="as PyTorch names it (%(default)s)")
    add("--precision", choices=DTYPES, default="bf16", help="of activations and products (%(default)s)")
    add("--batch", type=int, nargs="+", default=[1, 16, 128, 256, 512, 768], help="sizes (%(default)s)")
    add("--seconds", type=float, default=3, help="of each measurement; one run at least (%(default)s)")
    add("--eager", action="store_true", help="without torch.compile")
    add("--side", type=int, default=30, help="of a maze (%(default)s)")
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    bench = Bench(options)
    # On CUDA this attention or none.
    with sdpa_kernel(ATTENTION[options.precision]) if bench.cuda else nullcontext():
        measure_all(bench, options)


if __name__ == "__main__":
    main()

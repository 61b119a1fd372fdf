"""Checks `trm.py` and `training.py` against golden numbers of the reference: `python check.py FOLDER`.

The folder holds `maze-full` (the 7M network, two supervision steps), `tiny-hrm` (an HRM, likewise), `tiny-train` and
`tiny-hrm-train` (the first step of a training).
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from training import Batch, Optimization, Trainer
from trm import DTYPES, Config, Latents, Trm, begin, finish

WRAPPER = "_orig_mod.model.inner."


class Checks:
    """Compares lists of tensors, prints a line for each comparison, and remembers whether all held."""

    def __init__(self):
        self.hold = True

    def near(
        self, name: str, found: list[Tensor], wanted: list[Tensor], limit: float, mean: bool = False
    ) -> None:
        """The greatest difference (or the mean one) must be within `limit`."""
        differences = torch.cat([gap(f, w).flatten() for f, w in zip(found, wanted, strict=True)])
        value = (differences.mean() if mean else differences.max()).item()
        holds = value <= limit
        self.hold &= holds
        kind = "mean" if mean else "max"
        print(f"  {'ok  ' if holds else 'FAIL'} {name}: {kind} difference {value:.1e}, at most {limit:.1e}")


def gap(a: Tensor, b: Tensor) -> Tensor:
    return (a.detach().double() - b.double()).abs()


def unwrapped(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of the reference under the names of this program."""
    return {name.removeprefix(WRAPPER): tensor for name, tensor in state.items()}


# Most that logits and q_halt may differ by from the reference's f32. In f32 a few times what that differs by from
# itself, in bf16 twice what its own bf16 differs by (README of the golden numbers); logits in bf16 on average.
LIMITS = {
    "maze-full": {"f32": (1e-3, 1e-5), "bf16": (0.03, 0.02)},
    "tiny-hrm": {"f32": (1e-5, 1e-5), "bf16": (0.03, 0.056)},
}


@torch.inference_mode()
def check_recursion(checks: Checks, folder: Path, precision: str) -> None:
    """Two supervision steps; the second starts from the stored latents of the first, as rounding grows on the way."""
    golden = load_file(folder / "eval.safetensors")
    model = Trm(Config.read(folder / "config.json"), DTYPES[precision])
    model.load_state_dict(unwrapped(torch.load(folder / "checkpoint.pt", weights_only=True)))
    x = model.embed(golden["inputs"], golden["puzzle_identifiers"])
    z = model.initial(len(x))
    for step in ("step1", "step2"):
        nets = model.networks()
        z = finish(nets, model.config, begin(nets, model.config, z, x), x)
        name, (limit, q_limit) = f"{folder.name} {precision} {step}", LIMITS[folder.name][precision]
        logits, q_halt = golden[f"{step}.logits"], golden[f"{step}.q_halt_logits"]
        checks.near(f"{name} logits", [model.logits(z.z_h)], [logits], limit, mean=precision == "bf16")
        checks.near(f"{name} q_halt", [model.q_halt(z.z_h)], [q_halt], q_limit)
        z = Latents(golden[f"{step}.z_H"].to(model.dtype), golden[f"{step}.z_L"].to(model.dtype))


def check_training(checks: Checks, folder: Path) -> None:
    """The gradients of the first step, and the weights, moments and average after it."""
    settings = json.loads((folder / "config.json").read_text())["training"]
    optimization = Optimization(
        lr=settings["lr"],
        weight_decay=settings["weight_decay"],
        beta_1=settings["betas"][0],
        beta_2=settings["betas"][1],
        puzzle_emb_lr=settings["puzzle_emb_lr"],
        puzzle_emb_weight_decay=settings["puzzle_emb_weight_decay"],
        ema_rate=settings.get("ema_rate", 0.0),
        token_loss="stablemax",
    )
    model = Trm(Config.read(folder / "config.json"), torch.float32)
    model.load_state_dict(unwrapped(load_file(folder / "state_step_0.safetensors")))
    trainer = Trainer(model, optimization)
    batches = load_file(folder / "batches.safetensors")
    inputs, labels, identifiers = (
        batches[f"step1.{key}"] for key in ("inputs", "labels", "puzzle_identifiers")
    )
    trainer.backward(Batch(inputs, labels.long(), identifiers))

    gradients = unwrapped(load_file(folder / "grads_step_1.safetensors"))
    rows = gradients.pop("puzzle_emb.local_weights")
    table = model.puzzle_emb.weights
    gradients["puzzle_emb.weights"] = torch.zeros_like(table).index_add(0, identifiers, rows)
    names, weights = zip(*model.named_parameters())
    tag = folder.name
    checks.near(f"{tag} gradients", [w.grad for w in weights], [gradients[name] for name in names], 1e-6)

    first = 1 / settings["lr_warmup_steps"]
    trainer.descend(settings["lr"] * first, settings["puzzle_emb_lr"] * first)
    state = unwrapped(load_file(folder / "state_step_1.safetensors"))
    # In tiny-hrm-train rounding decides where the first step takes a weight or two, whose gradients are next to nothing.
    mean = tag == "tiny-hrm-train"
    checks.near(f"{tag} weights", list(weights), [state[name] for name in names], 1e-8, mean)
    if (folder / "ema_step_1.safetensors").exists():
        average = unwrapped(load_file(folder / "ema_step_1.safetensors"))
        averaged = [average[name] for name in names if name != "puzzle_emb.weights"]
        checks.near(f"{tag} average", trainer.average, averaged, 1e-6)
    carry = load_file(folder / "carry_step_1.safetensors")
    checks.near(f"{tag} halted", [trainer.carry.halted], [carry["halted"]], 0)
    checks.near(f"{tag} z_h", [trainer.carry.z.z_h], [carry["z_H"]], 1e-4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    checks = Checks()
    for precision in DTYPES:
        check_recursion(checks, folder / "maze-full", precision)
        check_recursion(checks, folder / "tiny-hrm", precision)
    check_training(checks, folder / "tiny-train")
    check_training(checks, folder / "tiny-hrm-train")
    raise SystemExit(not checks.hold)


if __name__ == "__main__":
    main()

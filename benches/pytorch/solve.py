"""Solves a maze from standard input, as `trm solve` does: `python solve.py MODEL_FOLDER`."""

import json
import sys
from pathlib import Path

import torch

from mazes import TOKENS
from trm import Trm, h_cycle


@torch.inference_mode()
def main() -> None:
    model = Trm.load(Path(sys.argv[1]), "f32")
    tokens = torch.from_numpy(TOKENS[list("".join(sys.stdin.read().splitlines()).encode())]).long()[None]
    x = model.embed(tokens, torch.zeros(1, dtype=torch.int64))
    z = model.initial(1)
    for _ in range(model.config.halt_max_steps):
        for _ in range(model.config.h_cycles):
            z = h_cycle(model.L_level, model.config, z, x)
        if model.q_halt(z.z_h).item() > 0:
            break
    print(json.dumps({"tokens": model.logits(z.z_h).argmax(-1)[0].tolist()}))


if __name__ == "__main__":
    main()

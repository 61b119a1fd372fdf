"""The Python side of the comparison: does what JSON lines on standard input ask for, a JSON line each in reply.

`prepare` makes a piece of work ready under a name, runs it once and says what came out; `measure` runs it again and
again; `forget` frees all. Between requests the process is blocked in a read.
"""

import importlib.util
import json
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import mazes
from training import IGNORED, Batch, Optimization, Trainer
from trm import DTYPES, Latents, Trm, cast_weights, h_cycle

# What to run, and what came out of the first run.
Prepared = tuple[Callable[[], object], dict]


def rows(folder: Path, seq_len: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and labels `[rows, cells]` of the mazes of a network's size."""
    split = folder / f"mazes-{int(seq_len**0.5)}"
    return tuple(
        torch.from_numpy(np.load(split / f"all__{field}.npy")).long() for field in ("inputs", "labels")
    )


def for_inference(folder: Path, request: dict) -> tuple[Trm, Callable]:
    """A model whose weights are cast once, and its network as the variant runs it."""
    model = Trm.load(folder / request["model"], request["precision"]).eval()
    cast_weights(model, model.dtype).requires_grad_(False)
    match request["variant"]:
        case "eager":
            return model, model.L_level
        case "compiled":
            return model, torch.compile(model.L_level, dynamic=False)
        case "frozen":  # The weights are constants, and may be laid out anew.
            return model, torch.compile(model.L_level, dynamic=False, options={"freezing": True})
        case "nano-trm":
            return model, nano_trm(model)
        case unknown:
            raise ValueError(f"no such variant: {unknown}")


def prepare_pass(folder: Path, request: dict) -> Prepared:
    """One pass of the network."""
    model, net = for_inference(folder, request)
    inputs, _ = rows(folder, model.config.seq_len)
    inputs = inputs[: request["batch"]]
    z = Latents(*(part.contiguous() for part in model.initial(len(inputs))))
    x = model.embed(inputs, torch.zeros(len(inputs), dtype=torch.int64))

    @torch.inference_mode()
    def run() -> torch.Tensor:
        return net(z.z_l, z.z_h + x)

    output = run()[0].float().numpy()
    output.tofile(request["output"])
    return run, {}


def nano_trm(model: Trm) -> Callable:
    """The network of the package nano-trm, with the same weights."""
    if importlib.util.find_spec("src") is None:
        raise RuntimeError("nano-trm is not installed")
    from src.nn.modules.trm_block import ReasoningBlock, ReasoningBlockConfig, ReasoningModule

    c = model.config
    settings = ReasoningBlockConfig(
        c.hidden_size,
        c.num_heads,
        c.expansion,
        c.rms_norm_eps,
        seq_len=c.seq_len,
        puzzle_emb_ndim=c.puzzle_emb_ndim,
        puzzle_emb_len=c.puzzle_emb_len,
    )
    net = ReasoningModule([ReasoningBlock(settings) for _ in range(c.l_layers)]).requires_grad_(False)
    net.load_state_dict(model.L_level.state_dict())
    cast_weights(net, model.dtype)
    cos_sin = tuple(torch.cat((table, table), -1) for table in (model.L_level.cos, model.L_level.sin))
    return lambda z, injection: net(z, injection, cos_sin=cos_sin)


def prepare_train(folder: Path, request: dict) -> Prepared:
    """Training steps on one batch, at full rates."""
    model = Trm.load(folder / request["model"], request["precision"])
    settings = json.loads((folder / request["model"] / "optimizer.json").read_text())
    optimization = Optimization(**{key: settings[key] for key in Optimization.__dataclass_fields__})
    trainer = Trainer(model, optimization, request["variant"] == "compiled")
    inputs, labels = (tensor[: request["batch"]] for tensor in rows(folder, model.config.seq_len))
    labels = labels.masked_fill(labels == 0, IGNORED)
    batch = Batch(inputs, labels, torch.zeros(len(inputs), dtype=torch.int64))

    def run() -> float:
        return trainer.step(batch, optimization.lr, optimization.puzzle_emb_lr)

    return run, {"losses": [run() for _ in range(request["steps"])]}


def prepare_evaluate(folder: Path, request: dict) -> Prepared:
    """All supervision steps for every maze, as the reference evaluates."""
    model, net = for_inference(folder, request)
    inputs, labels = (tensor[: request["mazes"]] for tensor in rows(folder, model.config.seq_len))

    @torch.inference_mode()
    def run() -> torch.Tensor:
        answers = []
        for tokens in inputs.split(request["batch"]):
            x = model.embed(tokens, torch.zeros(len(tokens), dtype=torch.int64))
            z = model.initial(len(tokens))
            z = Latents(*(part.contiguous() for part in z))
            for _ in range(model.config.halt_max_steps * model.config.h_cycles):
                z = h_cycle(net, model.config, z, x)
            answers.append(model.logits(z.z_h).argmax(-1))
        return torch.cat(answers)

    exact = (run() == labels).all(-1).float().mean().item()
    return run, {"exact": exact, "steps": float(model.config.halt_max_steps)}


def draw(task: tuple[dict, int]) -> tuple[int, int, int]:
    """Mazes drawn, and the numbers of their walls and of their path cells, by one process."""
    request, seed = task
    generator = mazes.Generator(request["side"], request["min_path"], seed, request["share"])
    drawn = generator.take(request["mazes"])
    inputs, labels = (np.stack(tokens) for tokens in zip(*drawn))
    return len(drawn), int((inputs == mazes.WALL).sum()), int((labels == mazes.PATH).sum())


def prepare_generate(_folder: Path, request: dict) -> Prepared:
    """Mazes drawn by a process for each thread, each of them `mazes`."""
    threads = torch.get_num_threads()
    pool = multiprocessing.get_context("spawn").Pool(threads)
    seeds = iter(range(0, 1 << 30, threads))

    def run() -> list[tuple[int, int, int]]:
        first = next(seeds)
        return pool.map(draw, [(request, first + i) for i in range(threads)], chunksize=1)

    drawn, walls, path = (sum(column) for column in zip(*run()))
    return run, {"mazes": drawn, "walls": walls / drawn, "path": path / drawn}


def prepare_build(folder: Path, request: dict) -> Prepared:
    """A data set from CSV files, the training split in its eight orientations."""
    output = Path(request["output"])

    def run() -> None:
        shutil.rmtree(output, ignore_errors=True)
        mazes.build(folder / "csv", output, augment=True)

    run()
    return run, {}


def prepare_product(_folder: Path, request: dict) -> Prepared:
    """A product of two square matrices."""
    size = request["size"]
    a, b = (torch.rand(size, size).to(DTYPES[request["precision"]]) for _ in range(2))
    return lambda: a @ b, {"flops": 2.0 * size**3}


PREPARE = {
    "pass": prepare_pass,
    "train": prepare_train,
    "evaluate": prepare_evaluate,
    "generate": prepare_generate,
    "build": prepare_build,
    "product": prepare_product,
}


def difference(request: dict) -> dict:
    """How far two files of f32 values are apart."""
    a, b = (np.fromfile(path, np.float32) for path in request["files"])
    gaps = np.abs(a - b)
    return {"max": float(gaps.max()), "mean": float(gaps.mean()), "scale": float(np.abs(a).mean())}


def measure(run: Callable[[], object], seconds: float) -> list[float]:
    """Seconds of each of as many runs as fit, at least one."""
    times: list[float] = []
    while sum(times) < seconds:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return times


def answer(request: dict, prepared: dict[str, Callable[[], object]]) -> dict:
    match request["do"]:
        case "prepare":
            run, facts = PREPARE[request["work"]](Path(request["folder"]), request)
            prepared[request["name"]] = run
            return facts
        case "measure":
            return {"times": measure(prepared[request["name"]], request["seconds"])}
        case "forget":
            prepared.clear()
            torch._dynamo.reset()
            return {}
        case "difference":
            return difference(request)
        case unknown:
            raise ValueError(f"no such request: {unknown}")


def main() -> None:
    # Replies have this stream for themselves; what libraries print goes to standard error.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    print(
        json.dumps({"torch": torch.__version__, "capability": torch.backends.cpu.get_cpu_capability()}),
        file=replies,
    )
    prepared: dict[str, Callable[[], object]] = {}
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line), prepared)
        except Exception as error:  # Whatever it is, the other variants go on.
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies)


if __name__ == "__main__":
    main()

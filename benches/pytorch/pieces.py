"""The pieces of work that are compared, and how to tell that both sides do the same."""

import filecmp
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from peers import Peer

# What a side asks its peer to make ready, by the name of the variant.
Variants = dict[str, dict]
# What came out on both sides, by variant; says what it means in a phrase.
Agreement = Callable[[dict[str, dict], dict[str, dict]], str]

PRECISIONS = ("f32", "bf16")
# Of an evaluation.
LARGEST_BATCH = 32
# Most that means may differ by, in units of the mean size: more than rounding does, less than another network would.
TOLERANCE = {"f32": 1e-4, "bf16": 3e-2}
# Of exact accuracies after all steps: rounding tips some mazes over, in either direction.
ACCURACY_TOLERANCE = {"f32": 0.01, "bf16": 0.05}


class Disagreement(Exception):
    """The two sides do not do the same work."""


@dataclass(frozen=True)
class Piece:
    """Something that both sides do. A run of it deals with `items` mazes, unless a side says how many."""

    name: str
    ours: Variants
    theirs: Variants
    agreement: Agreement
    items: int = 1
    precision: str | None = None


def pieces(folder: Path, peer: Peer, threads: int, mazes: int) -> Iterator[Piece]:
    """All pieces; `folder` is for what comes out of them, `peer` compares files of numbers."""
    for precision in PRECISIONS:
        for batch in (1, 8):
            yield one_pass(folder, peer, "maze-hard", precision, batch)
        yield one_pass(folder, peer, "hrm-maze-hard", precision, 8)
    for model, batches in (
        ("maze-hard", (2, 8)),
        ("maze-hard-local", (4,)),
        ("maze-small", (64,)),
        ("hrm-maze-hard", (2,)),
    ):
        for precision in PRECISIONS:
            for batch in batches:
                yield training_step(model, precision, batch)
    yield evaluation("q", threads, mazes)
    yield evaluation("never", threads, mazes)
    yield generator(10, 12, mazes=4096, share=0.3)
    yield generator(30, 108, mazes=64, share=0.05)
    yield builder(folder)


def memory_pieces(mazes: int) -> Iterator[tuple[str, dict[str, Variants]]]:
    """Work whose memory is measured, by name: what each side runs in processes of their own."""
    for precision in PRECISIONS:
        request = {"work": "train", "model": "maze-hard", "precision": precision, "batch": 2, "steps": 2}
        theirs = {variant: request | {"variant": variant} for variant in ("eager", "compiled")}
        yield (
            f"memory of a training step, maze-hard, {precision}, batch 2",
            {"ours": {precision: request}, "theirs": theirs},
        )
    request = {
        "work": "evaluate",
        "model": "pretrained",
        "precision": "f32",
        "batch": LARGEST_BATCH,
        "mazes": mazes,
    }
    ours, theirs = request | {"halt": "q", "devices": 1}, request | {"variant": "eager"}
    yield f"memory of an evaluation, f32, batch {LARGEST_BATCH}", {"ours": {"f32": ours}, "theirs": {"eager": theirs}}


def one_pass(folder: Path, peer: Peer, model: str, precision: str, batch: int) -> Piece:
    """One pass of the network that updates `z_l`: the 7M network, or that of an HRM with twice as many layers."""
    is_hrm = model.startswith("hrm")

    def request(side: str, variant: str) -> dict:
        output = str(folder / f"{side}-{variant}.f32")
        return {
            "work": "pass",
            "model": model,
            "precision": precision,
            "batch": batch,
            "output": output,
            "variant": variant,
        }

    ours = {precision: request("ours", precision)}
    variants = ("eager", "compiled", "frozen") if is_hrm else ("eager", "compiled", "frozen", "nano-trm")
    theirs = {variant: request("theirs", variant) for variant in variants}

    def agreement(_ours: dict, found: dict) -> str:
        worst = {"max": 0.0, "mean": 0.0}
        for variant in found:
            gap = peer.ask("difference", files=[ours[precision]["output"], theirs[variant]["output"]])
            require(gap["mean"] <= TOLERANCE[precision] * gap["scale"], f"{variant}: outputs differ: {gap}")
            worst = max(worst, gap, key=lambda gap: gap["max"])
        return f"outputs differ by {worst['max']:.1e} at most, {worst['mean']:.1e} on average"

    name = f"pass, {model}, " if is_hrm else "pass, "
    return Piece(f"{name}{precision}, batch {batch}", ours, theirs, agreement, batch, precision)


def training_step(model: str, precision: str, batch: int) -> Piece:
    """Forward, backward, optimizer and moving average."""
    request = {"work": "train", "model": model, "precision": precision, "batch": batch, "steps": 2}
    theirs = {variant: request | {"variant": variant} for variant in ("eager", "compiled")}

    def agreement(ours: dict, theirs: dict) -> str:
        wanted = ours[precision]["losses"]
        gaps = [abs(a / b - 1) for facts in theirs.values() for a, b in zip(facts["losses"], wanted)]
        require(max(gaps) <= TOLERANCE[precision], f"losses differ: {ours} {theirs}")
        return f"losses of the first steps differ by {max(gaps):.1e} of {wanted[0]:.3f} at most"

    return Piece(
        f"training step, {model}, {precision}, batch {batch}",
        {precision: request},
        theirs,
        agreement,
        batch,
        precision,
    )


def evaluation(halt: str, threads: int, mazes: int) -> Piece:
    """The model that comes with trm on new mazes. PyTorch makes all steps, as the reference does."""
    request = {"work": "evaluate", "model": "pretrained", "mazes": mazes}
    ours = {
        f"{precision}, {devices} x {batch}": request
        | {"precision": precision, "devices": devices, "batch": batch, "halt": halt}
        for precision in PRECISIONS
        for devices in sorted({1, threads})
        for batch in (8, LARGEST_BATCH)
    }
    theirs = {
        f"{precision}, {variant}, {batch}": request
        | {"precision": precision, "variant": variant, "batch": batch}
        for precision in PRECISIONS
        for variant in ("eager", "frozen")
        for batch in (8, LARGEST_BATCH)
    }

    def agreement(ours: dict, theirs: dict) -> str:
        parts = []
        for precision in PRECISIONS:
            ours_, theirs_ = ([side[v] for v in side if v.startswith(precision)] for side in (ours, theirs))
            a, b = (statistics.mean(facts["exact"] for facts in side) for side in (ours_, theirs_))
            steps = (statistics.mean(facts["steps"] for facts in side) for side in (ours_, theirs_))
            require(
                halt == "q" or abs(a - b) <= ACCURACY_TOLERANCE[precision],
                f"{precision}: exact accuracy {a:.1%} and {b:.1%}",
            )
            parts.append(
                f"{precision} {a:.1%} and {b:.1%} exact in {' and '.join(f'{s:.1f}' for s in steps)} steps"
            )
        return ", ".join(parts)

    what = "halting early" if halt == "q" else "all steps"
    return Piece(f"evaluation, ours {what}", ours, theirs, agreement, mazes)


def generator(side: int, min_path: int, mazes: int, share: float) -> Piece:
    """New mazes with labels, on all cores."""
    request = {"work": "generate", "side": side, "min_path": min_path, "mazes": mazes}

    def agreement(ours: dict, theirs: dict) -> str:
        a, b = ours["rust"], theirs["numpy"]
        walls, path = (" and ".join(f"{facts[key]:.1f}" for facts in (a, b)) for key in ("walls", "path"))
        return f"{walls} walls, {path} cells on the path on average"

    return Piece(
        f"generator, side {side}, path {min_path}",
        {"rust": request},
        {"numpy": request | {"share": share}},
        agreement,
        mazes,
    )


def builder(folder: Path) -> Piece:
    """A data set from CSV files, with the eight orientations of the training mazes."""
    ours, theirs = (
        {"work": "build", "output": str(folder / f"built-by-{side}")} for side in ("ours", "theirs")
    )

    def agreement(_ours: dict, _theirs: dict) -> str:
        a, b = (Path(request["output"]) for request in (ours, theirs))
        names = [str(path.relative_to(a)) for path in a.rglob("*.npy")]
        same, *_ = filecmp.cmpfiles(a, b, names, shallow=False)
        require(len(same) == len(names) == 10, f"arrays differ: {set(names) - set(same)}")
        return "all arrays are the same, byte for byte"

    return Piece("data set builder", {"rust": ours}, {"plain": theirs}, agreement)


def require(holds: bool, problem: str) -> None:
    if not holds:
        raise Disagreement(problem)

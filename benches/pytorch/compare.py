#!/usr/bin/env python3
"""Compares the Rust crates with PyTorch on this machine: `python3 benches/pytorch/compare.py`.

Needs Python 3.11 or newer, a C++ compiler for `torch.compile`, and cargo. It makes an environment with PyTorch of its
own in target/pytorch, checks the PyTorch program against golden numbers where there are any, and lets both sides do the
same work in turns. README.md beside this file says what is measured and how.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

from peers import PeerError
from pieces import LARGEST_BATCH, PRECISIONS, Disagreement, memory_pieces, pieces
from report import Report, machine
from turns import Turns, say

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "pytorch"
GOLDEN = ROOT.parent / "shared" / "golden"
# The wheel asks for one version of Python and for a training framework of which its network needs nothing; both are
# passed over, and it is left out where that fails.
NANO_TRM = ["--no-deps", "--ignore-requires-python", "nano-trm==0.1.0"]


def main() -> None:
    options = parse_options()
    python = environment()
    check(python)
    peer, trm = (options.peer, options.trm) if options.peer else build()
    data = WORK / "data"
    turns = Turns([str(peer)], [str(python), str(HERE / "worker.py")], options.threads)
    say("writing models and data")
    turns.ours.ask("write", folder=str(data), mazes=options.mazes)
    torch = turns.theirs.about

    def chosen(name: str) -> bool:
        return not options.only or any(words in name for words in options.only)

    peaks = {precision: turns.peak(precision, options.seconds) for precision in PRECISIONS}
    results, problems = [], []
    for piece in pieces(WORK, turns.theirs, options.threads, options.mazes):
        if chosen(piece.name):
            try:
                results.append(turns.compare(piece, data, options.rounds, options.seconds))
            except (PeerError, Disagreement) as error:  # What was measured so far is worth keeping.
                problems.append(f"{piece.name}: {error}")
                say(problems[-1])
    turns.close()
    memory = [
        found
        for name, requests in memory_pieces(options.mazes)
        if chosen(name)
        for found in turns.memory(name, requests, data)
    ]
    starts = turns.solve(trm, python, data) if trm and chosen("solve") else []

    about = machine() | {"threads": options.threads} | torch
    about |= {"commit": commit(), "date": time.strftime("%Y-%m-%d %H:%M"), "rounds": options.rounds}
    report = Report(about, peaks, results, memory, starts, problems)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report.to_json(), indent=1) + "\n")
    print(report.to_text())
    say(f"written to {options.json}")
    raise SystemExit(bool(problems))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser.add_argument("--only", nargs="+", metavar="WORDS", help="only work with such words in its name")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side (%(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=3, help="of each turn; one run at least (%(default)s)"
    )
    parser.add_argument("--threads", type=int, default=threads, help="of both sides (%(default)s)")
    parser.add_argument(
        "--mazes", type=int, default=64, help="of an evaluation, in whole batches (%(default)s)"
    )
    parser.add_argument(
        "--json", type=Path, default=WORK / "report.json", help="where the figures go (%(default)s)"
    )
    parser.add_argument(
        "--peer", type=Path, metavar="PATH", help="the Rust side, built already; nothing is built"
    )
    parser.add_argument("--trm", type=Path, metavar="PATH", help="the command trm to go with it")
    options = parser.parse_args()
    options.mazes = -(-options.mazes // LARGEST_BATCH) * LARGEST_BATCH
    return options


def environment() -> Path:
    """The interpreter of an environment with all that is needed, made at the first call."""
    folder = WORK / "venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = (HERE / "requirements.txt").read_text()
    done = folder / "requirements.done"
    if done.exists() and done.read_text() == wanted:
        return python
    say(f"installing PyTorch in {folder}: some gigabytes")
    venv.create(folder, with_pip=True)
    install = [python, "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, "-r", HERE / "requirements.txt"], check=True)
    if subprocess.run([*install, *NANO_TRM]).returncode != 0:
        say("nano-trm cannot be installed; it is left out")
    done.write_text(wanted)
    return python


def check(python: Path) -> None:
    """Is the PyTorch program right? Only then is it worth being compared with."""
    if not GOLDEN.exists():
        say("NOT CHECKED: no golden numbers of the reference here (../shared/golden)")
        return
    say("checking the PyTorch program against golden numbers")
    subprocess.run([python, HERE / "check.py", GOLDEN], check=True, stdout=sys.stderr)


def build() -> tuple[Path, Path]:
    """Builds the Rust side and the command trm; returns both programs."""
    programs = []
    for target in (["-p", "trm-benches", "--bench", "peer"], ["-p", "trm-cli", "--bin", "trm"]):
        say(f"cargo build --release {' '.join(target)}")
        command = [
            "cargo",
            "build",
            "--release",
            "--locked",
            "--message-format=json-render-diagnostics",
            *target,
        ]
        messages = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
        found = [json.loads(line).get("executable") for line in messages.splitlines()]
        programs.append(Path(next(path for path in reversed(found) if path)))
    return programs[0], programs[1]


def commit() -> str:
    """The commit, with a plus where files were changed since."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")


if __name__ == "__main__":
    main()

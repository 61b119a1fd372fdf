"""Both sides do the same work in turns, so that what else happens on the machine happens to both."""

import json
import statistics
import sys
import time
from pathlib import Path

from peers import Peer, PeerError, cpu_seconds, machine_cpu_seconds, wall_time
from pieces import Disagreement, Piece
from report import Memory, Result, Start

# A maze for `trm solve`, of the side that the model that comes with trm takes.
MAZE = (
    "#      ###\n"
    "    ### # \n"
    "##  #     \n"
    "       ###\n"
    "  ## #  # \n"
    "#  S#     \n"
    " # #  #  #\n"
    "   #  #   \n"
    "### ##G  #\n"
    "   #  #   \n"
)


class Turns:
    """The two processes, and how to start more of their kind."""

    def __init__(self, ours: list[str], theirs: list[str], threads: int):
        self.commands = {"ours": ours, "theirs": theirs}
        self.environment = {name: str(threads) for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")}
        self.ours, self.theirs = self.start("ours"), self.start("theirs")

    def start(self, side: str) -> Peer:
        return Peer(self.commands[side], self.environment)

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()

    def peak(self, precision: str, seconds: float) -> dict[str, float]:
        """The most floating-point operations per second: ours in registers, theirs in a large matrix product."""
        rates = {}
        for side, peer, request in (
            ("registers", self.ours, {"work": "peak"}),
            ("product", self.theirs, {"work": "product", "size": 4096}),
        ):
            flops = peer.ask("prepare", name="peak", folder="", precision=precision, **request)["flops"]
            rates[side] = flops / min(peer.ask("measure", name="peak", seconds=seconds)["times"])
            peer.ask("forget")
        return rates

    def compare(self, piece: Piece, data: Path, rounds: int, seconds: float) -> Result:
        """Makes all variants of a piece ready, sees that they agree, and lets them run in turns."""
        try:
            return self.in_turns(piece, data, rounds, seconds)
        finally:
            self.ours.ask("forget")
            self.theirs.ask("forget")

    def in_turns(self, piece: Piece, data: Path, rounds: int, seconds: float) -> Result:
        say(f"{piece.name}: preparing")
        ours, failed = prepare(self.ours, piece.ours, data)
        theirs, failed_too = prepare(self.theirs, piece.theirs, data)
        failed |= failed_too
        if not ours or not theirs:
            raise PeerError(f"{piece.name}: {failed}")
        result = Result(piece, ours, theirs, piece.agreement(ours, theirs), failed)
        say(f"{piece.name}: {result.agreement}; measuring")
        for _ in range(rounds):
            for side, peer, variants in (("ours", self.ours, ours), ("theirs", self.theirs, theirs)):
                for variant in variants:
                    times, disturbance = measure(peer, variant, seconds)
                    result.add(side, variant, statistics.median(times), disturbance)
        return result

    def memory(self, name: str, requests: dict[str, dict], data: Path) -> list[Memory]:
        """The most memory that each side takes for a piece of work, in a process of its own."""
        found = []
        for side, request in requests.items():
            for variant, fields in request.items():
                say(f"{name}: {side}, {variant}")
                peer = self.start(side)
                peer.ask("prepare", name=name, folder=str(data), **fields)
                found.append(Memory(name, side, variant, peer.idle_memory, peer.close()))
        return found

    def solve(self, trm: Path, python: Path, data: Path, count: int = 10) -> list[Start]:
        """Seconds from the start of a process to its answer for one maze."""
        commands = {
            "ours": [str(trm), "solve", "--json", "--device", "cpu"],
            "theirs": [str(python), str(Path(__file__).with_name("solve.py")), str(data / "pretrained")],
        }
        times: dict[str, list[float]] = {side: [] for side in commands}
        answers: dict[str, str] = {}
        for turn in range(count + 1):
            say(f"solve: turn {turn} of {count}")
            for side, command in commands.items():
                seconds, answers[side] = wall_time(command, MAZE, self.environment)
                if turn > 0:  # The first one reads the files from the disk.
                    times[side].append(seconds)
        if len({str(json.loads(answer)["tokens"]) for answer in answers.values()}) > 1:
            raise Disagreement("solve: the answers differ")
        return [Start(side, statistics.median(values), values) for side, values in times.items()]


def measure(peer: Peer, name: str, seconds: float) -> tuple[list[float], float]:
    """The seconds of each run, and how many cores all other processes had on average meanwhile."""
    pid = peer.process.pid
    start, elsewhere = time.perf_counter(), machine_cpu_seconds() - cpu_seconds(pid)
    times = peer.ask("measure", name=name, seconds=seconds)["times"]
    elsewhere = machine_cpu_seconds() - cpu_seconds(pid) - elsewhere
    return times, max(0.0, elsewhere) / (time.perf_counter() - start)


def prepare(peer: Peer, variants: dict[str, dict], data: Path) -> tuple[dict[str, dict], dict[str, str]]:
    """What came out of each variant, and why the others do not run."""
    facts, failed = {}, {}
    for variant, request in variants.items():
        try:
            facts[variant] = peer.ask("prepare", name=variant, folder=str(data), **request)
        except PeerError as error:
            failed[variant] = str(error)
            say(f"{variant} does not run: {error}")
    return facts, failed


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

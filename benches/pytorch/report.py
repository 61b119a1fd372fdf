"""Figures of a comparison, and how they are shown."""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pieces import Piece


@dataclass
class Result:
    """How long a piece took on both sides; times are medians of a round, by variant, in the order of rounds."""

    piece: Piece
    our_facts: dict[str, dict]
    their_facts: dict[str, dict]
    agreement: str
    failed: dict[str, str]
    times: dict[str, dict[str, list[float]]] = field(default_factory=lambda: {"ours": {}, "theirs": {}})
    disturbances: list[float] = field(default_factory=list)

    def add(self, side: str, variant: str, seconds: float, disturbance: float) -> None:
        """Takes in a round, in which other processes had so many cores."""
        self.times[side].setdefault(variant, []).append(seconds)
        self.disturbances.append(disturbance)

    def facts(self, side: str, variant: str) -> dict:
        return (self.our_facts if side == "ours" else self.their_facts)[variant]

    def per_item(self, side: str, variant: str) -> list[float]:
        """Seconds for each of its items, by round."""
        items = self.facts(side, variant).get("mazes", self.piece.items)
        return [seconds / items for seconds in self.times[side][variant]]

    def best(self, side: str) -> str:
        """The variant with the lowest median."""
        return min(self.times[side], key=lambda variant: statistics.median(self.per_item(side, variant)))

    def ratios(self) -> list[float]:
        """How many times as long PyTorch's best variant takes as ours, by round."""
        ours, theirs = (self.per_item(side, self.best(side)) for side in ("ours", "theirs"))
        return [b / a for a, b in zip(ours, theirs)]

    def flops(self, side: str) -> float | None:
        """Floating-point operations per second in matrix products, where they were counted: the same for both sides."""
        counted = next(iter(self.our_facts.values())).get("flops")
        return counted and counted / statistics.median(self.times[side][self.best(side)])

    def variants(self) -> list[str]:
        """A line for each variant that ran or failed."""
        lines = [
            f"  {side}, {variant}: {statistics.median(self.per_item(side, variant)):.4g} s each"
            for side, times in self.times.items()
            for variant in times
        ]
        return lines + [f"  {variant} did not run: {reason}" for variant, reason in self.failed.items()]

    def to_json(self) -> dict:
        return {
            "name": self.piece.name,
            "items": self.piece.items,
            "best": {side: self.best(side) for side in self.times},
            "ratios": self.ratios(),
            "agreement": self.agreement,
            "facts": {"ours": self.our_facts, "theirs": self.their_facts},
            "failed": self.failed,
            "seconds": self.times,
            "disturbance": max(self.disturbances),
        }


@dataclass
class Memory:
    """Bytes that a process had at most, before and after its work."""

    name: str
    side: str
    variant: str
    idle: int | None
    peak: int


@dataclass
class Start:
    """Seconds from the start of a process to its answer."""

    side: str
    median: float
    seconds: list[float]


@dataclass
class Report:
    """All that was measured, and on what."""

    machine: dict
    peaks: dict[str, dict[str, float]]
    results: list[Result]
    memory: list[Memory]
    starts: list[Start]
    problems: list[str]

    def to_json(self) -> dict:
        return {
            "machine": self.machine,
            "peaks": self.peaks,
            "results": [result.to_json() for result in self.results],
            "memory": [asdict(memory) for memory in self.memory],
            "starts": [asdict(start) for start in self.starts],
            "problems": self.problems,
        }

    def to_text(self) -> str:
        """A table of what took part, and the rest in sentences."""
        lines = [", ".join(f"{key} {value}" for key, value in self.machine.items()), ""]
        for precision, rates in self.peaks.items():
            registers, product = (rates[kind] / 1e9 for kind in ("registers", "product"))
            each = f"{registers:.0f} GFLOP/s in registers, {product:.0f} in a large product of PyTorch's"
            lines.append(f"peak, {precision}: {each}")
        if self.results:
            lines += ["", *columns([HEADINGS, *(self.row(result) for result in self.results)]), ""]
        for result in self.results:
            lines += [f"{result.piece.name}: {result.agreement}", *result.variants()]
        for memory in self.memory:
            idle = f", {memory.idle / 1e6:.0f} MB of it before the work" if memory.idle else ""
            lines.append(f"{memory.name}, {memory.side}, {memory.variant}: {memory.peak / 1e6:.0f} MB{idle}")
        for start in self.starts:
            lines.append(f"solve, start to answer, {start.side}: {start.median:.3f} s")
        lines += [f"PROBLEM: {problem}" for problem in self.problems]
        disturbed = [result for result in self.results if max(result.disturbances) > DISTURBED]
        if disturbed:
            lines += [
                "",
                f"DISTURBED: other processes ran during {len(disturbed)} of {len(self.results)} pieces of work,",
            ]
            lines += ["which slows PyTorch down more than the crates. Repeat this when the machine is idle."]
        return "\n".join(lines)

    def row(self, result: Result) -> list[str]:
        """The cells of a line, as in `HEADINGS`."""
        ratios = result.ratios()
        speeds = [1 / statistics.median(result.per_item(side, result.best(side))) for side in result.times]
        rates = [result.flops(side) for side in result.times]
        share = ""
        if rates[0]:
            share = f"{rates[0] / max(self.peaks[result.piece.precision].values()):.0%}"
        return [
            result.piece.name,
            *(f"{speed:.4g}" for speed in speeds),
            result.best("theirs"),
            f"{statistics.median(ratios):.2f}",
            f"{min(ratios):.2f} to {max(ratios):.2f}",
            *(f"{rate / 1e9:.0f}" if rate else "" for rate in rates),
            share,
            f"{max(result.disturbances):.2f}",
        ]


# Cores that other processes may have on average before a measurement counts as disturbed.
DISTURBED = 0.1
HEADINGS = (
    "work, per second",
    "ours",
    "PyTorch",
    "its best",
    "ratio",
    "in rounds",
    "our GFLOP/s",
    "its GFLOP/s",
    "our share of peak",
    "cores taken by others",
)


def columns(rows: list[Sequence[str]]) -> list[str]:
    """Lines of a table: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]


def machine() -> dict:
    """The processor and the system."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(": ", 1)[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {"processor": model, "cores": os.cpu_count(), "system": platform.platform()}

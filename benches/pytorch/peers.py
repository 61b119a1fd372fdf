"""The two sides of a comparison as processes that answer JSON lines, one at a time."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

# Units of processor time per second in /proc.
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class PeerError(Exception):
    """A peer could not do what it was asked for."""


class Peer:
    """A process that does one request at a time and is idle in between."""

    def __init__(self, command: list[str], environment: dict[str, str]):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | environment
        )
        self.about = self.reply()
        # What the process takes before it has done anything.
        self.idle_memory = resident_peak(self.process.pid)

    def ask(self, do: str, **fields: Any) -> dict:
        """Sends a request and waits for the answer."""
        self.process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
        self.process.stdin.flush()
        return self.reply()

    def reply(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise PeerError(f"{self.process.args[-1]} ended with status {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer

    def close(self) -> int:
        """Ends the process; returns the most memory that it had, in bytes."""
        self.process.stdin.close()
        self.process.stdout.close()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_maxrss * (1 if os.uname().sysname == "Darwin" else 1024)


def resident_peak(pid: int) -> int | None:
    """The most memory that a process had so far, in bytes, where the system says it."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def cpu_seconds(pid: int) -> float:
    """Processor time that a process and its children have used so far; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS + sum(cpu_seconds(int(child)) for child in children)


def machine_cpu_seconds() -> float:
    """Processor time that all processes have used so far; 0 where the system does not say."""
    try:
        fields = [int(field) for field in Path("/proc/stat").read_text().split()[1:9]]
    except OSError:
        return 0.0
    idle, waiting = fields[3:5]
    return (sum(fields) - idle - waiting) / TICKS


def wall_time(command: list[str], text: str, environment: dict[str, str]) -> tuple[float, str]:
    """Seconds that a command takes from its start to its end, and what it says."""
    start = time.perf_counter()
    done = subprocess.run(
        command, input=text, env=os.environ | environment, check=True, text=True, stdout=subprocess.PIPE
    )
    return time.perf_counter() - start, done.stdout

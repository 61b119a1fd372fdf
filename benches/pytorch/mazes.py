"""Mazes without the Rust crates: a numpy generator of the same distribution, and a plain builder of data sets.

The distribution: a wall density uniform in 0.3 to 0.5, every cell a wall independently, S and G random free cells,
given that the shortest path has `min_path` cells or more. Grids are drawn and searched thousands at a time, a row of
each in one machine word.
"""

import csv
import json
from collections import deque
from pathlib import Path

import numpy as np

WALL, OPEN, START, GOAL, PATH = 1, 2, 3, 4, 5
TOKENS = np.zeros(128, np.uint8)
TOKENS[[ord(cell) for cell in "# SGo"]] = WALL, OPEN, START, GOAL, PATH
# Grids drawn at a time.
BLOCK = 4096


class Generator:
    """An endless stream of mazes with labels.

    A grid with a random S gives, on average, w / `share` mazes, where w is the share of its free cells that are far
    enough to be G. With `share` 1 that is drawing S and G blindly and throwing away what is too near. Below, it is
    importance sampling: frequencies stay in proportion to the distribution, fewer draws are thrown away, and the rare
    grids with w above `share` give several mazes.
    """

    def __init__(self, side: int, min_path: int, seed: int, share: float = 1.0):
        if side > 32:
            raise ValueError("a row must fit a word of 32 bits")
        self.side, self.distance, self.share = side, min_path + 1, share
        self.rng = np.random.default_rng(seed)
        self.ready: deque[tuple[np.ndarray, np.ndarray]] = deque()

    def take(self, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """The next mazes: inputs and labels, tokens `[side * side]` each."""
        while len(self.ready) < count:
            self.ready.extend(self.draw())
        return [self.ready.popleft() for _ in range(count)]

    def draw(self):
        """The mazes of one block of grids."""
        density = self.rng.uniform(0.3, 0.5, (BLOCK, 1, 1))
        free = self.rng.random((BLOCK, self.side, self.side)) >= density
        cells = free.reshape(BLOCK, -1)
        start = random_cell(self.rng, cells)
        far = self.far(free, start)
        others = cells.sum(1) - 1
        expected = far.sum(1) / np.maximum(others, 1) / self.share
        copies = np.floor(expected + self.rng.random(BLOCK)).astype(int)
        for grid in np.repeat(np.arange(BLOCK), copies):
            goal = self.rng.choice(np.flatnonzero(far[grid]))
            inputs = np.where(cells[grid], OPEN, WALL).astype(np.uint8)
            inputs[start[grid]], inputs[goal] = START, GOAL
            yield inputs, label(inputs, self.side)

    def far(self, free: np.ndarray, start: np.ndarray) -> np.ndarray:
        """The cells `distance` steps or more from the start, of grids `[grids, side, side]`; `[grids, side * side]`."""
        grids, side, _ = free.shape
        bits = np.left_shift(np.uint32(1), np.arange(side, dtype=np.uint32))
        # An empty row above and below spares the search the edges; shifted out of a row, a bit meets no free cell.
        open_ = np.zeros((grids, side + 2), np.uint32)
        open_[:, 1:-1] = (free * bits).sum(2, dtype=np.uint32)
        frontier = np.zeros_like(open_)
        frontier[np.arange(grids), start // side + 1] = bits[start % side]
        open_ &= ~frontier
        far = np.zeros((grids, side), np.uint32)
        alive = np.arange(grids)
        step = 0
        while len(alive):
            here = frontier[:, 1:-1]
            new = (here << 1 | here >> 1 | frontier[:, :-2] | frontier[:, 2:]) & open_[:, 1:-1]
            frontier[:, 1:-1] = new
            open_[:, 1:-1] &= ~new
            step += 1
            if step >= self.distance:
                far[alive] |= new
            if step % 8 == 0:
                going = new.any(1)
                alive, frontier, open_ = alive[going], frontier[going], open_[going]
        return ((far[:, :, None] & bits) != 0).reshape(grids, -1)


def random_cell(rng: np.random.Generator, cells: np.ndarray) -> np.ndarray:
    """A random true cell of each row of `[rows, cells]`."""
    return (rng.random(cells.shape) * cells).argmax(1)


def label(inputs: np.ndarray, side: int) -> np.ndarray:
    """The maze with the path of the rule: breadth-first from S, neighbours down, left, right, up."""
    tokens = inputs.tolist()
    start, goal = tokens.index(START), tokens.index(GOAL)
    parents = {start: start}
    queue = deque([start])
    while goal not in parents:
        cell = queue.popleft()
        row, column = divmod(cell, side)
        for inside, neighbour in (
            (row + 1 < side, cell + side),
            (column > 0, cell - 1),
            (column + 1 < side, cell + 1),
            (row > 0, cell - side),
        ):
            if inside and tokens[neighbour] != WALL and neighbour not in parents:
                parents[neighbour] = cell
                queue.append(neighbour)
    answer = inputs.copy()
    cell = parents[goal]
    while cell != start:
        answer[cell] = PATH
        cell = parents[cell]
    return answer


def dihedral(grid: np.ndarray) -> list[np.ndarray]:
    """The eight orientations of `[side, side]`, in the order of the reference's numbers."""
    turned = [np.rot90(grid, k) for k in range(4)]
    return [*turned, np.fliplr(grid), np.flipud(grid), grid.T, np.fliplr(turned[1])]


def build(source: Path, output: Path, augment: bool) -> None:
    """Makes a data set of `train.csv` and `test.csv`, in the layout of the reference; only `train` is augmented."""
    for split in ("train", "test"):
        inputs, labels, groups = [], [], [0]
        with (source / f"{split}.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                for grids, column in ((inputs, "question"), (labels, "answer")):
                    tokens = TOKENS[np.frombuffer(row[column].encode(), np.uint8)]
                    square = tokens.reshape(int(len(tokens) ** 0.5), -1)
                    turned = dihedral(square) if augment and split == "train" else [square]
                    grids.extend(grid.reshape(-1) for grid in turned)
                groups.append(len(inputs))
        save(output / split, np.stack(inputs), np.stack(labels), np.array(groups, np.int32))
    (output / "identifiers.json").write_text(json.dumps(["<blank>"]))


def save(folder: Path, inputs: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> None:
    """Writes a split: tokens `[rows, cells]`, and the first row of each group and the number of rows."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = len(inputs)
    arrays = {
        "inputs": inputs,
        "labels": labels,
        "puzzle_identifiers": np.zeros(rows, np.int32),
        "puzzle_indices": np.arange(rows + 1, dtype=np.int32),
        "group_indices": groups,
    }
    for field, array in arrays.items():
        np.save(folder / f"all__{field}.npy", array)
    metadata = {
        "pad_id": 0,
        "ignore_label_id": 0,
        "blank_identifier_id": 0,
        "vocab_size": 6,
        "seq_len": inputs.shape[1],
        "num_puzzle_identifiers": 1,
        "total_groups": len(groups) - 1,
        "mean_puzzle_examples": 1.0,
        "total_puzzles": len(groups) - 1,
        "sets": ["all"],
    }
    (folder / "dataset.json").write_text(json.dumps(metadata))

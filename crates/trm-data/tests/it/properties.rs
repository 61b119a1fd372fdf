//! Laws that hold for all grids, mazes and data sets, tried on random ones.

use proptest::collection::vec;
use proptest::prelude::*;
use trm_data::{Cell, Dataset, Grid, Maze, Metadata, Symmetry, judge, npy};

fn grids() -> impl Strategy<Value = Grid> {
    (1usize..9).prop_flat_map(|side| {
        vec(0usize..5, side * side).prop_map(move |cells| {
            Grid::new(side, cells.into_iter().map(|i| Cell::ALL[i]).collect()).expect("square")
        })
    })
}

/// Mazes with about as many walls as given, in tenths.
fn mazes(walls: u8) -> impl Strategy<Value = Maze> {
    (2usize..9).prop_flat_map(move |side| {
        let cells =
            vec((0u8..10).prop_map(move |n| if n < walls { Cell::Wall } else { Cell::Open }), side * side);
        (cells, any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(
            move |(mut cells, start, goal)| {
                let start = start.index(cells.len());
                let goal = (start + 1 + goal.index(cells.len() - 1)) % cells.len();
                (cells[start], cells[goal]) = (Cell::Start, Cell::Goal);
                Maze::new(Grid::new(side, cells).expect("square")).expect("maze")
            },
        )
    })
}

/// Whether some walk from start to goal uses each `o` once: by trying all.
fn walk_exists(answer: &Grid, at: usize, goal: usize, used: &mut Vec<bool>, left: usize) -> bool {
    let side = answer.side();
    let (row, column) = (at / side, at % side);
    let next: Vec<usize> = (0..side * side)
        .filter(|&to| (to / side).abs_diff(row) + (to % side).abs_diff(column) == 1)
        .collect();
    if left == 0 {
        return next.contains(&goal);
    }
    next.into_iter().filter(|&to| answer.cells()[to] == Cell::Path).any(|to| {
        if std::mem::replace(&mut used[to], true) {
            return false;
        }
        let found = walk_exists(answer, to, goal, used, left - 1);
        used[to] = false;
        found
    })
}

proptest! {
    /// Nothing is lost between the three forms of a grid.
    #[test]
    fn text_and_tokens_round_trip(grid in grids()) {
        prop_assert_eq!(&grid.to_string().parse::<Grid>().expect("lines"), &grid);
        prop_assert_eq!(&format!("{}\r\n", grid.to_string().replace('\n', "\r\n")).parse::<Grid>().expect("CRLF"), &grid);
        prop_assert_eq!(&Grid::from_flat_text(&grid.to_flat_text()).expect("flat"), &grid);
        prop_assert_eq!(&Grid::from_tokens(&grid.tokens()).expect("tokens"), &grid);
    }

    /// Any text or tokens give a grid or an error.
    #[test]
    fn any_text_and_tokens_are_survived(text in "[# SGo\r\nx\u{e9}]{0,40}", tokens in vec(0u8..8, 0..40)) {
        let _ = text.parse::<Grid>();
        let _ = text.parse::<Maze>();
        let _ = Grid::from_flat_text(&text);
        let _ = Maze::from_tokens(&tokens);
    }

    /// The eight symmetries are a group: each is undone by its inverse, and two after each other are one of the eight.
    #[test]
    fn symmetries_are_a_group(grid in grids()) {
        for a in Symmetry::ALL {
            prop_assert_eq!(&grid.apply(a).apply(a.inverse()), &grid);
            for b in Symmetry::ALL {
                let both = grid.apply(a).apply(b);
                prop_assert!(Symmetry::ALL.into_iter().any(|c| grid.apply(c) == both));
            }
        }
    }

    /// A label is an optimal path and the only exact answer, however the maze is turned; turning keeps the length.
    #[test]
    fn labels_are_optimal_paths(maze in mazes(3)) {
        let Some(label) = maze.solve() else { return Ok(()) };
        let verdict = judge(&maze, &label);
        prop_assert!(verdict.well_formed && verdict.valid_path && verdict.optimal && verdict.exact);
        prop_assert_eq!(Some(verdict.path_cells), maze.shortest_path_cells());
        for symmetry in Symmetry::ALL {
            let turned = judge(&maze.apply(symmetry), &label.apply(symmetry));
            prop_assert!(turned.optimal);
            prop_assert_eq!(maze.apply(symmetry).shortest_path_cells(), maze.shortest_path_cells());
        }
    }

    /// Several starts are labelled as each of them alone: the label is the union of theirs, and for one start it is the
    /// ordinary label.
    #[test]
    fn several_starts_are_labelled_as_each_alone(maze in mazes(3), picks in vec(any::<prop::sample::Index>(), 0..6)) {
        let Some(label) = maze.solve() else {
            prop_assert_eq!(maze.with_starts(&[]), None);
            return Ok(());
        };
        prop_assert_eq!(maze.with_starts(&[]), Some((maze.grid().clone(), label.clone())));
        let cells = maze.grid().cells();
        let steps = maze.steps_to_goal();
        prop_assert_eq!(steps[maze.start()], maze.shortest_path_cells().map(|cells| cells + 1));
        let open: Vec<usize> = (0..cells.len()).filter(|&i| cells[i] == Cell::Open).collect();
        let starts: Vec<usize> =
            if open.is_empty() { Vec::new() } else { picks.iter().map(|pick| open[pick.index(open.len())]).collect() };
        // Each start alone, in a maze of its own.
        let alone = |start: usize| {
            let mut cells = cells.to_vec();
            cells[maze.start()] = Cell::Open;
            cells[start] = Cell::Start;
            Maze::new(Grid::new(maze.side(), cells).expect("square")).expect("maze").solve()
        };
        let Some(labels) = starts.iter().map(|&start| alone(start)).collect::<Option<Vec<_>>>() else {
            prop_assert_eq!(maze.with_starts(&starts), None);
            return Ok(());
        };
        let mut union = maze.grid().cells().to_vec();
        for label in labels.iter().chain([&label]) {
            for (to, cell) in union.iter_mut().zip(label.cells()) {
                *to = if *cell == Cell::Path { Cell::Path } else { *to };
            }
        }
        starts.iter().chain([&maze.start()]).for_each(|&start| union[start] = Cell::Start);
        let (puzzle, several) = maze.with_starts(&starts).expect("all reach the goal");
        prop_assert_eq!(several.cells(), &union[..]);
        prop_assert_eq!(several.without_path(), puzzle);
    }

    /// No single wrong cell gets past the judge as an exact answer, nor as a malformed one taken for well formed.
    #[test]
    fn judge_rejects_mutations(maze in mazes(3), at in any::<prop::sample::Index>(), cell in 0usize..5) {
        let Some(label) = maze.solve() else { return Ok(()) };
        let mut cells = label.cells().to_vec();
        let at = at.index(cells.len());
        prop_assume!(cells[at] != Cell::ALL[cell]);
        cells[at] = Cell::ALL[cell];
        let verdict = judge(&maze, &Grid::new(label.side(), cells).expect("square"));
        let drawn = |cell| matches!(cell, Cell::Open | Cell::Path);
        prop_assert!(!verdict.exact && !verdict.optimal);
        prop_assert_eq!(verdict.well_formed, drawn(label.cells()[at]) && drawn(Cell::ALL[cell]));
    }

    /// The judge's quick search finds a walk through all `o` exactly when trying every walk does.
    #[test]
    fn judge_agrees_with_trying_every_walk(maze in mazes(0), drawn in vec(any::<bool>(), 64)) {
        prop_assume!(maze.side() <= 4);
        let draw = |(&cell, drawn)| if cell == Cell::Open && drawn { Cell::Path } else { cell };
        let cells = maze.grid().cells().iter().zip(drawn).map(draw).collect();
        let answer = Grid::new(maze.side(), cells).expect("square");
        let mut used = vec![false; answer.cells().len()];
        let wanted = walk_exists(&answer, maze.start(), maze.goal(), &mut used, answer.count(Cell::Path));
        prop_assert_eq!(judge(&maze, &answer).valid_path, wanted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Arrays come back as they were written.
    #[test]
    fn arrays_round_trip(vector in vec(any::<i32>(), 0..50), rows in vec(any::<[u8; 3]>(), 0..30)) {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("array.npy");
        npy::write_vector(&path, &vector).expect("written");
        prop_assert_eq!(npy::read_vector(&path).expect("read"), vector);
        npy::write_matrix(&path, rows.as_flattened(), 3).expect("written");
        prop_assert_eq!(npy::read_matrix(&path).expect("read"), (rows.as_flattened().to_vec(), [rows.len(), 3]));
    }

    /// A data set comes back as it was saved, whatever the puzzle, with the same fingerprint.
    #[test]
    fn data_sets_round_trip(groups in vec(vec((0i32..4, 1usize..3), 1..3), 0..5), token in 0u8..11) {
        let puzzles: Vec<(i32, usize)> = groups.iter().flatten().copied().collect();
        let rising = |lengths: Vec<usize>| {
            let sums = lengths.into_iter().scan(0, |sum, n| { *sum += n; Some(*sum) });
            std::iter::once(0).chain(sums).collect::<Vec<_>>()
        };
        let puzzle_indices = rising(puzzles.iter().map(|puzzle| puzzle.1).collect());
        let rows = puzzle_indices.last().copied().unwrap_or(0);
        let dataset = Dataset {
            metadata: Metadata {
                pad_id: 0,
                ignore_label_id: None,
                blank_identifier_id: 0,
                vocab_size: 11,
                seq_len: 5,
                num_puzzle_identifiers: 4,
                total_groups: groups.len(),
                mean_puzzle_examples: 1.25,
                total_puzzles: puzzles.len(),
                sets: vec!["all".to_owned()],
 unknown_keys: Vec::new(),
            },
            inputs: vec![token; rows * 5],
            labels: vec![10 - token; rows * 5],
            puzzle_identifiers: puzzles.iter().map(|puzzle| puzzle.0).collect(),
            group_indices: rising(groups.iter().map(Vec::len).collect()),
            puzzle_indices,
        };
        let folder = tempfile::tempdir().expect("folder");
        dataset.save(folder.path()).expect("saved");
        let loaded = Dataset::load(folder.path()).expect("loaded");
        prop_assert_eq!(loaded.fingerprint(), dataset.fingerprint());
        for row in 0..rows {
            let puzzle = dataset.puzzle_indices.iter().rposition(|&first| first <= row).expect("puzzle");
            prop_assert_eq!(loaded.puzzle_identifier(row), dataset.puzzle_identifiers[puzzle]);
        }
        prop_assert_eq!(loaded, dataset);
    }
}

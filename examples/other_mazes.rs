//! Mazes that a model was not trained on: of other kinds, and on boards of other sides. Prints a table of each in Markdown, and
//! draws the second.
//!
//! `cargo run --release --example other_mazes [COUNT] [SIDES] [PLOT.svg] [MODEL_DIR]`: COUNT mazes of each kind and side (50 if
//! left out), sides separated by commas (10,20,30,40,60 if left out; one maze of side 100 takes a core over a minute).
//! Without a model folder it takes the model that comes with `trm-model`, whose weights fit every side.

use std::{env, error::Error, fmt::Write, fs, path::Path, time::Instant};

use burn::backend::Flex;
use trm_data::{
    Cell, Generator, GeneratorConfig, Grid, Maze, judge_tokens,
    rng::{ChaCha8Rng, below, stream, unit},
};
use trm_model::{HaltRule, Puzzle, RunningBatch, Trm, TrmConfig, weights};

type Model = Trm<Flex>;
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Draws a maze of some kind.
type Draw = fn(&mut ChaCha8Rng) -> Maze;

/// Side of the mazes of other kinds.
const SIDE: usize = 30;
/// Supervision steps for each cell of a side: three times what Maze-Hard mazes take at side 30.
const STEPS_PER_SIDE: usize = 2;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let count = arguments.next().map_or(Ok(50), |count| count.parse())?;
    let sides = arguments.next().unwrap_or_else(|| "10,20,30,40,60".into());
    let sides = sides.split(',').map(str::parse).collect::<std::result::Result<Vec<usize>, _>>()?;
    let (path, folder) = (arguments.next(), arguments.next());
    let (config, state) = match folder {
        Some(folder) => weights::load_state(Path::new(&folder))?,
        None => weights::pretrained()?,
    };
    let model = Model::from_state(&config, &state, &Default::default())?;
    other_kinds(&model, count)?;
    let rows = other_sides(&model, count, &sides)?;
    Ok(path.map_or(Ok(()), |path| fs::write(path, plot(&rows)))?)
}

/// Prints how mazes of each kind come out.
fn other_kinds(model: &Model, count: usize) -> Result<()> {
    println!("| kind, side {SIDE} | exact | optimal | valid | claims an answer | steps |");
    println!("|---|---|---|---|---|---|");
    let kinds: [(&str, Draw); 7] = [
        ("perfect mazes: one path between any two cells", perfect),
        ("rooms with one door in each wall", rooms),
        ("open field: one cell in twenty a wall", |rng| scattered(rng, 0.05, |_| true)),
        ("no walls", |rng| scattered(rng, 0.0, |_| true)),
        ("Maze-Hard's walls, path of one cell", |rng| scattered(rng, 0.4, |length| length == Some(1))),
        ("Maze-Hard's walls, S beside G", |rng| scattered(rng, 0.4, |length| length == Some(0))),
        ("Maze-Hard's walls, no path", |rng| scattered(rng, 0.4, |length| length.is_none())),
    ];
    for (name, draw) in kinds {
        let mazes: Vec<Maze> =
            (0..count).map(|index| draw(&mut stream(b"examples", 0, index as u64))).collect();
        let Outcome { exact, optimal, valid, claims, steps, .. } = solve(model, &mazes)?;
        println!("| {name} | {exact:.1} % | {optimal:.1} % | {valid:.1} % | {claims:.1} % | {steps:.1} |");
    }
    println!();
    Ok(())
}

/// Prints how mazes of each side come out; gives the shares of optimal and exact answers.
fn other_sides(model: &Model, count: usize, sides: &[usize]) -> Result<Vec<Row>> {
    println!("| side | least path | exact | optimal | valid | steps | longest path | seconds a maze |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut rows = Vec::new();
    for &side in sides {
        // As long for their side as Maze-Hard's 108 cells at side 30.
        let least = side * 108 / 30;
        let mazes = Generator::new(GeneratorConfig::new(side, least, 7))?.next_batch(count);
        let mazes: Vec<Maze> = mazes.into_iter().map(|labelled| labelled.maze).collect();
        let longest = mazes.iter().filter_map(Maze::solve).map(|label| label.count(Cell::Path)).max();
        let Outcome { exact, optimal, valid, steps, seconds, .. } = solve(model, &mazes)?;
        println!(
            "| {side} | {least} | {exact:.1} % | {optimal:.1} % | {valid:.1} % | {steps:.1} | {} | {seconds:.2} |",
            longest.unwrap_or(0),
        );
        rows.push(Row { side, shares: [optimal, exact] });
    }
    Ok(rows)
}

/// A point of each line of the plot.
struct Row {
    side: usize,
    /// Optimal and exact answers, in percent.
    shares: [f64; 2],
}

/// How mazes came out: percentages, and means over the mazes.
#[derive(Default)]
struct Outcome {
    exact: f64,
    optimal: f64,
    valid: f64,
    /// Halted by `q_halt`, that is, the model holds its answer to be right.
    claims: f64,
    steps: f64,
    seconds: f64,
}

/// Solves mazes of one side, halting by `q_halt`.
fn solve(model: &Model, mazes: &[Maze]) -> Result<Outcome> {
    let side = mazes.first().map_or(1, Maze::side);
    let config = TrmConfig { seq_len: side * side, ..model.config().clone() };
    let max_steps = (STEPS_PER_SIDE * side).max(config.halt_max_steps);
    let mut batch = RunningBatch::new(model.clone().applied_as(&config)?, (20_000 / (side * side)).max(1));
    let tokens: Vec<Vec<u8>> = mazes.iter().map(|maze| maze.grid().tokens()).collect();
    let mut waiting = tokens.iter().enumerate();
    let (begun, share, mut outcome) = (Instant::now(), 100.0 / mazes.len() as f64, Outcome::default());
    loop {
        let admitted: Vec<Puzzle<'_>> = waiting
            .by_ref()
            .take(batch.free_places())
            .map(|(ticket, inputs)| Puzzle::new(ticket, inputs, HaltRule::QHalt, max_steps))
            .collect();
        batch.admit(&admitted)?;
        if batch.is_empty() {
            break;
        }
        let report = batch.step()?;
        let halted: Vec<usize> = (0..report.rows.len()).filter(|row| report.rows[*row].halted).collect();
        for (row, answer) in std::iter::zip(&halted, report.answers(&halted)?) {
            let row = report.rows[*row];
            let verdict = judge_tokens(&mazes[row.ticket], &answer);
            let add = |sum: &mut f64, holds: bool| *sum += if holds { share } else { 0.0 };
            add(&mut outcome.exact, verdict.exact);
            add(&mut outcome.optimal, verdict.optimal);
            add(&mut outcome.valid, verdict.valid_path);
            add(&mut outcome.claims, row.q_halt > 0.0);
            outcome.steps += row.step as f64 / mazes.len() as f64;
        }
    }
    outcome.seconds = begun.elapsed().as_secs_f64() / mazes.len() as f64;
    Ok(outcome)
}

/// An SVG of the shares of optimal and exact answers by side.
fn plot(rows: &[Row]) -> String {
    let [width, height, edge] = [520.0, 260.0, 40.0];
    let greatest = rows.iter().map(|row| row.side).max().unwrap_or(1).max(30);
    let x = |side: usize| edge + (side as f64 / greatest as f64) * (width - 2.0 * edge);
    let y = |percent: f64| height - edge - percent / 100.0 * (height - 2.0 * edge);
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' font-family='sans-serif' \
         font-size='12'><rect width='{width}' height='{height}' fill='white'/>"
    );
    let mut add = |part: std::fmt::Arguments<'_>| _ = svg.write_fmt(part);
    for percent in [0.0, 25.0, 50.0, 75.0, 100.0] {
        let (left, right, y) = (edge, width - edge, y(percent));
        add(format_args!("<path d='M{left} {y}H{right}' stroke='#ddd'/>"));
        add(format_args!("<text x='{}' y='{}' text-anchor='end'>{percent} %</text>", left - 4.0, y + 4.0));
    }
    for Row { side, .. } in rows {
        let y = height - edge + 16.0;
        add(format_args!("<text x='{}' y='{y}' text-anchor='middle'>{side}</text>", x(*side)));
    }
    let (middle, bottom) = (width / 2.0, height - 6.0);
    add(format_args!("<text x='{middle}' y='{bottom}' text-anchor='middle'>side of the maze</text>"));
    for (line, (name, colour)) in [("optimal path", "#1f77b4"), ("exact", "#d62728")].iter().enumerate() {
        let points = rows.iter().map(|row| [x(row.side), y(row.shares[line])]);
        let text: Vec<String> = points.clone().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
        let points_of_line = text.join(" ");
        add(format_args!(
            "<polyline points='{points_of_line}' fill='none' stroke='{colour}' stroke-width='2'/>"
        ));
        for [x, y] in points {
            add(format_args!("<circle cx='{x:.1}' cy='{y:.1}' r='3' fill='{colour}'/>"));
        }
        let (x, y) = (edge + 120.0 * line as f64, edge - 16.0);
        add(format_args!("<text x='{x}' y='{y}' fill='{colour}'>{name}</text>"));
    }
    // Sides up to here were trained.
    let x = x(30);
    let (top, bottom) = (edge, height - edge);
    add(format_args!("<path d='M{x} {top}V{bottom}' stroke='#999' stroke-dasharray='4'/>"));
    add(format_args!("<text x='{}' y='{}' fill='#666'>trained up to here</text>", x + 4.0, bottom - 6.0));
    svg + "</svg>\n"
}

/// A maze of these walls, with S and G on two open cells.
fn with_ends(rng: &mut ChaCha8Rng, walls: &[bool]) -> Option<Maze> {
    let open: Vec<usize> = (0..walls.len()).filter(|cell| !walls[*cell]).collect();
    let mut any = || open.get(below(rng, open.len() as u64) as usize).copied();
    let (start, goal) = (any()?, any()?);
    let mut cells: Vec<Cell> = walls.iter().map(|wall| if *wall { Cell::Wall } else { Cell::Open }).collect();
    (cells[start], cells[goal]) = (Cell::Start, Cell::Goal);
    Maze::new(Grid::new(SIDE, cells).ok()?).ok()
}

/// Draws until there is a maze that will do.
fn until(rng: &mut ChaCha8Rng, mut draw: impl FnMut(&mut ChaCha8Rng) -> Option<Maze>) -> Maze {
    loop {
        if let Some(maze) = draw(rng) {
            return maze;
        }
    }
}

/// Each cell is a wall with this probability; the path must have a length (in `o` cells; `None` without one) that will do.
fn scattered(rng: &mut ChaCha8Rng, density: f64, will_do: fn(Option<usize>) -> bool) -> Maze {
    until(rng, |rng| {
        let walls: Vec<bool> = (0..SIDE * SIDE).map(|_| unit(rng) < density).collect();
        let maze = with_ends(rng, &walls)?;
        let length = maze.solve().map(|label| label.count(Cell::Path));
        will_do(length).then_some(maze)
    })
}

/// Carved by a depth-first walk over every second cell.
fn perfect(rng: &mut ChaCha8Rng) -> Maze {
    let mut walls = vec![true; SIDE * SIDE];
    walls[0] = false;
    let mut trail = vec![(0_usize, 0_usize)];
    while let Some(&(row, column)) = trail.last() {
        let steps =
            [(2, 0), (-2, 0), (0, 2), (0, -2)].into_iter().filter_map(|(down, right): (isize, isize)| {
                let (row, column) = (row.checked_add_signed(down)?, column.checked_add_signed(right)?);
                (row < SIDE && column < SIDE && walls[row * SIDE + column]).then_some((row, column))
            });
        let steps: Vec<_> = steps.collect();
        if steps.is_empty() {
            trail.pop();
            continue;
        }
        let next = steps[below(rng, steps.len() as u64) as usize];
        walls[next.0 * SIDE + next.1] = false;
        walls[(row + next.0) / 2 * SIDE + (column + next.1) / 2] = false;
        trail.push(next);
    }
    until(rng, |rng| with_ends(rng, &walls))
}

/// Rooms of five by five cells with a wall between two of them, and a door in it.
fn rooms(rng: &mut ChaCha8Rng) -> Maze {
    const ROOM: usize = 6;
    let mut walls: Vec<bool> = (0..SIDE * SIDE)
        .map(|cell| cell / SIDE % ROOM == ROOM - 1 || cell % SIDE % ROOM == ROOM - 1)
        .collect();
    for wall in (ROOM - 1..SIDE - 1).step_by(ROOM) {
        for room in (0..SIDE).step_by(ROOM) {
            let mut place = || room + below(rng, ROOM as u64 - 1) as usize;
            let (along, across) = (place(), place());
            walls[wall * SIDE + along] = false;
            walls[across * SIDE + wall] = false;
        }
    }
    until(rng, |rng| with_ends(rng, &walls))
}

//! A run as one page of HTML, with everything in it: charts, samples, evaluations and the recipe.

mod axis;
mod board;
mod caption;
mod chart;
mod charts;
mod curve;
mod folder;
mod headline;
mod html;
mod maze;
mod samples;
mod table;

use std::path::Path;

use self::{
    folder::Folder,
    html::{escape, section},
};
use crate::{
    Result,
    figures::{count, duration},
};

/// Makes a report of the run in a folder, finished or not: a page of HTML that needs no other file.
///
/// # Errors
/// [`Error::File`](crate::Error::File) if the folder holds no run, or one of its files is damaged.
pub fn report(run_dir: &Path) -> Result<String> {
    Ok(page(&Folder::read(run_dir)?))
}

fn page(run: &Folder) -> String {
    let name = escape(&run.name);
    let steps = match run.total_steps {
        Some(total) => format!("{} of {} steps", count(run.last_step()), count(total)),
        None => format!("{} steps", count(run.last_step())),
    };
    let body = [
        format!(
            "<header><p class=\"kind\">Training run</p><h1>{name}</h1><p>{steps} in {}</p></header>\n",
            duration(run.seconds())
        ),
        headline::html(run),
        section("Curves", &charts::html(run)),
        samples::html(run),
        section("Evaluations", &table::html(run)),
        recipe(run),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{name}: {steps}</title>\n\
         <style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}</main>\n<script>\n{script}</script>\n</body>\n</html>\n",
        style = include_str!("page.css"),
        script = include_str!("page.js"),
        body = body.concat(),
    )
}

fn recipe(run: &Folder) -> String {
    let Some(recipe) = &run.recipe else { return String::new() };
    section("Recipe", &format!("<pre tabindex=\"0\">{}</pre>\n", escape(recipe.trim_end())))
}

//! The visualizer: files that the binary holds.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

use super::{
    Refusal,
    extract::{Path, Query},
};

/// What the page may load and do: its own files and the API, nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// The files of the page.
        pub const FILES: &[(&str, &[u8])] = &[$(($name, include_bytes!(concat!("../../page/", $name)))),*];
    };
}

files![
    "address.js",
    "api.js",
    "batch.js",
    "board-input.js",
    "board-view.js",
    "charts.js",
    "dom.js",
    "drawing.js",
    "export-gif.js",
    "export-svg.js",
    "fit.js",
    "frame.js",
    "games.js",
    "gif.js",
    "grid-keys.js",
    "grid-view.js",
    "history.js",
    "icon.svg",
    "index.html",
    "link.js",
    "main.js",
    "maze-game.js",
    "maze-verdict.js",
    "maze.js",
    "messages.js",
    "models.js",
    "page.css",
    "picture.js",
    "player.js",
    "samples.js",
    "share.js",
    "solver.js",
    "sources.js",
    "sse.js",
    "sudoku-game.js",
    "sudoku-input.js",
    "sudoku-verdict.js",
    "sudoku-view.js",
    "sudoku.js",
    "text-place.js",
    "theme.js",
    "thinking.js",
    "token-dialog.js",
    "undo.js",
    "verdict.js",
];

/// A file of the page. The browser asks again each time, and is told if nothing has changed.
fn file(name: &str, request: &HeaderMap) -> Result<Response, Refusal> {
    let found = FILES.iter().find(|(known, _)| *known == name);
    let (_, bytes) = found.ok_or_else(|| Refusal::not_found(format!("the page has no file {name:?}")))?;
    let kind = match name.rsplit_once('.') {
        Some((_, "html")) => "text/html; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let digest = Sha256::digest(bytes);
    let tag = format!("\"{}\"", digest[..12].iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let known = request.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { bytes.into_response() };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

/// The page, at the root.
pub async fn index(headers: HeaderMap) -> Result<Response, Refusal> {
    file("index.html", &headers)
}

/// The page.
#[utoipa::path(
    get, path = "/get_visualizer", tag = "page", security(()),
    responses((status = 200, content_type = "text/html", body = String), (status = 429, body = Refusal))
)]
pub async fn get_visualizer(headers: HeaderMap) -> Result<Response, Refusal> {
    file("index.html", &headers)
}

/// Which file.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AssetQuery {
    /// Its name.
    filename: String,
}

/// A file of the page.
#[utoipa::path(
    get, path = "/get_asset", tag = "page", security(()), params(AssetQuery),
    responses(
        (status = 200, content(
            (String = "text/html"), (String = "text/css"), (String = "text/javascript"), (String = "image/svg+xml")
        )),
        (status = 400, body = Refusal), (status = 404, body = Refusal), (status = 429, body = Refusal)
    )
)]
pub async fn get_asset(
    Query(AssetQuery { filename }): Query<AssetQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    file(&filename, &headers)
}

/// A file of the page, where the page looks for it.
pub async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    file(&name, &headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file of the folder is in the binary, and together they are as light as the page is to be.
    #[test]
    fn holds_the_whole_page() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/page");
        let entries = std::fs::read_dir(folder).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        assert_eq!(FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
        assert!(FILES.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < 300_000);
    }
}

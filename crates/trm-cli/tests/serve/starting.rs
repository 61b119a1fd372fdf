//! The page before it knows the server, and with what it keeps of it: the token, the models.

use std::fs;

use serde_json::json;
use tempfile::TempDir;
use thirtyfour::prelude::*;

use crate::{
    browser::{browse, click, evaluate, open, open_empty, screenshot, text, wait_for},
    served::{Served, two_models},
    support,
};

const READY: &str = "return document.documentElement.dataset.ready === 'true'";
const DONE: &str = "return document.body.dataset.state === 'done'";
const DIALOG: &str = "return document.querySelector('#token-dialog').open";

/// A server that wants the token `secret`.
fn closed() -> (TempDir, Served) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    fs::write(&file, "secret").expect("written");
    let served = Served::new(&["--token-file", support::text(&file)]);
    (folder, served)
}

/// Without the server's models nothing can be asked for, the way on is shown whatever is drawn, and what was drawn stays.
#[test]
fn slow_starts_again() {
    let (_folder, served) = closed();
    browse(1280, |driver| async move {
        driver.goto(served.url("/")).await?;
        wait_for(&driver, DIALOG).await?;
        click(&driver, "#token-cancel").await?;
        wait_for(&driver, READY).await?;
        let off = "return ['solve', 'fresh', 'new-maze', 'play'].filter(id => document.getElementById(id).disabled).length";
        assert_eq!(evaluate(&driver, off).await?, json!(4));
        click(&driver, "#board [data-row=\"3\"][data-column=\"3\"]").await?;
        let walls = "return document.querySelectorAll('#board [data-cell=wall]').length";
        assert_eq!(evaluate(&driver, walls).await?, json!(1));
        assert!(text(&driver, "#message").await?.contains("token"));
        assert_eq!(text(&driver, "#notice-actions").await?, "Try again");
        screenshot(&driver, "not-started.png").await?;

        click(&driver, "#notice-actions button").await?;
        wait_for(&driver, DIALOG).await?;
        let token = driver.find(By::Css("#token")).await?;
        token.send_keys("schl\u{fc}ssel").await?;
        click(&driver, "#token-send").await?;
        assert!(text(&driver, "#token-hint").await?.contains("ASCII"));
        token.clear().await?;
        token.send_keys("secret").await?;
        click(&driver, "#token-send").await?;
        wait_for(&driver, "return !document.querySelector('#solve').disabled").await?;
        assert_eq!(evaluate(&driver, off).await?, json!(0));
        assert_eq!(evaluate(&driver, walls).await?, json!(1), "what was drawn is still there");
        assert_eq!(text(&driver, "#message").await?, "");
        click(&driver, "#fresh").await?;
        wait_for(&driver, &format!("{walls} > 1")).await?;
        click(&driver, "#solve").await?;
        wait_for(&driver, DONE).await
    });
}

/// The time in which a token is looked for is not the server's, and where nothing can be stored the page works too.
#[test]
fn slow_waits_for_the_token() {
    let (_folder, served) = closed();
    browse(1280, |driver| async move {
        let source = "const real = setTimeout;\
                      window.setTimeout = (run, after, ...rest) => real(run, after === 60000 ? 300 : after, ...rest);\
                      Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('no', 'SecurityError'); } });";
        driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", json!({"source": source})).await?;
        driver.goto(served.url("/")).await?;
        wait_for(&driver, DIALOG).await?;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        driver.find(By::Css("#token")).await?.send_keys("secret" + Key::Enter).await?;
        wait_for(&driver, READY).await?;
        assert_eq!(text(&driver, "#message").await?, "");
        click(&driver, "#solve").await?;
        wait_for(&driver, DONE).await
    });
}

/// A link chooses the model too: the one that it names, or else the default.
#[test]
fn slow_links_choose_the_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let [a, b] = two_models(folder.path());
    let served = Served::new(&["--model", support::text(&a), "--model", support::text(&b)]);
    browse(1280, |driver| async move {
        open(&driver, &served.url("/")).await?;
        wait_for(&driver, "return location.hash.startsWith('#m=30.')").await?;
        let link = evaluate(&driver, "return location.hash").await?;
        let link = link.as_str().expect("a link");
        for (link, model) in [(format!("{link}&model=b"), "b"), (link.to_owned(), "a")] {
            evaluate(&driver, &format!("location.hash = '{link}'")).await?;
            let chosen = format!("return document.querySelector('#model').value === '{model}'");
            wait_for(&driver, &chosen).await?;
        }
        Ok(())
    });
}

/// Without a number of steps the model's own holds, and is told.
#[test]
fn slow_tells_the_models_own_steps() {
    let served = Served::new(&[]);
    browse(1280, |driver| async move {
        open_empty(&driver, &served.url("/")).await?;
        let watch = "document.querySelector('#max-steps').value = ''; window.told = [];\
                     const place = document.querySelector('#progress');\
                     new MutationObserver(() => window.told.push(place.textContent)).observe(place, { childList: true })";
        evaluate(&driver, watch).await?;
        click(&driver, "#solve").await?;
        wait_for(&driver, DONE).await?;
        let told = evaluate(&driver, "return window.told.join(', ')").await?;
        let told = told.as_str().expect("a text");
        assert!(told.contains("step 1 of at most 24") && !told.contains("null"), "{told}");
        Ok(())
    });
}

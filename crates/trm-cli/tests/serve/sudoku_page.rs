//! Sudokus on the page, as people use it.

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::{
    browser::{browse, click, evaluate, open, screenshot, serious_findings, text, wait_for},
    puzzles::{SUDOKU, untrained_sudoku},
    served::Served,
    support,
};

const DONE: &str = "return document.body.dataset.state === 'done'";
/// The digits on the board, a dot for an empty cell.
const DIGITS: &str =
    "[...document.querySelectorAll('#sudoku [role=gridcell]')].map(cell => cell.textContent || '.').join('')";

/// A server with the model for mazes that comes along in front, or without, and one for Sudokus.
fn served(folder: &std::path::Path, with_mazes: bool) -> Served {
    let sudoku = untrained_sudoku(folder);
    let maze = support::untrained(5, folder);
    let maze = if with_mazes { &["--model", support::text(&maze)][..] } else { &[] };
    Served::new(&[maze, &["--model", support::text(&sudoku)]].concat())
}

async fn digits(driver: &WebDriver) -> WebDriverResult<String> {
    Ok(evaluate(driver, &format!("return {DIGITS}")).await?.as_str().unwrap_or_default().to_owned())
}

async fn paste(driver: &WebDriver, sudoku: &str) -> WebDriverResult<()> {
    let script = "const data = new DataTransfer(); data.setData('text', arguments[0]);\
                  document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))";
    driver.execute(script, vec![json!(sudoku)]).await.map(drop)
}

async fn label(driver: &WebDriver, row: usize, column: usize) -> WebDriverResult<String> {
    let cell = format!("#sudoku [data-row=\"{row}\"][data-column=\"{column}\"]");
    Ok(driver.find(By::Css(cell)).await?.attr("aria-label").await?.unwrap_or_default())
}

/// A Sudoku is typed with keys and with the pad, its clashes are marked, and every change can be undone.
#[test]
fn slow_types_a_sudoku() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = served(folder.path(), false);
    browse(1280, |driver| async move {
        open(&driver, &served.url("/")).await?;
        wait_for(&driver, &format!("return /[1-9]/.test({DIGITS})")).await?;
        click(&driver, "#clear").await?;
        assert_eq!(digits(&driver).await?, ".".repeat(81));
        click(&driver, "#sudoku [data-row=\"1\"][data-column=\"1\"]").await?;
        let keys =
            "5".to_owned() + Key::Right + "3" + Key::Right + "8" + Key::Down + "8" + Key::Backspace + "0";
        driver.action_chain().send_keys(keys).perform().await?;
        assert_eq!(digits(&driver).await?, format!("538{}", ".".repeat(78)));
        assert_eq!(label(&driver, 1, 3).await?, "row 1, column 3, given 8");
        assert_eq!(label(&driver, 2, 3).await?, "row 2, column 3, empty");

        click(&driver, "#pad button:nth-child(8)").await?;
        let clashes = "return document.querySelectorAll('#sudoku [data-clash]').length";
        assert_eq!(evaluate(&driver, clashes).await?, json!(2));
        assert_eq!(label(&driver, 2, 3).await?, "row 2, column 3, given 8, clashes with another");
        assert_eq!(serious_findings(&driver).await?, Vec::<Value>::new());
        screenshot(&driver, "sudoku-clash.png").await?;
        click(&driver, "#solve").await?;
        wait_for(&driver, "return document.querySelector('#message').textContent.includes('the digit 8')")
            .await?;
        wait_for(&driver, "return document.querySelector('#sudoku [data-fault]') !== null").await?;
        click(&driver, "#undo").await?;
        assert_eq!(evaluate(&driver, clashes).await?, json!(0));
        click(&driver, "#redo").await?;
        assert_eq!(evaluate(&driver, clashes).await?, json!(2));
        click(&driver, "#pad button:last-child").await?;
        assert_eq!(evaluate(&driver, clashes).await?, json!(0));
        Ok(())
    });
}

/// A Sudoku is pasted and solved step by step; givens stay, answered digits are tinted, and the verdict says how it went.
#[test]
fn slow_pastes_and_solves_a_sudoku() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = served(folder.path(), false);
    browse(1280, |driver| async move {
        open(&driver, &served.url("/")).await?;
        paste(&driver, "12x").await?;
        wait_for(
            &driver,
            "return document.querySelector('#message').textContent.includes('3 cells are no Sudoku')",
        )
        .await?;
        paste(&driver, SUDOKU).await?;
        assert_eq!(digits(&driver).await?, SUDOKU);
        assert_eq!(text(&driver, "#message").await?, "");
        screenshot(&driver, "sudoku-asked.png").await?;

        click(&driver, "#think-on").await?;
        click(&driver, "#solve").await?;
        wait_for(&driver, DONE).await?;
        let verdict = text(&driver, "#verdict").await?;
        for said in ["Not solved", "of 81 cells are right", "3 of 3", "valid", "exact"] {
            assert!(verdict.contains(said), "{said}: {verdict}");
        }
        let tinted = "return [...document.querySelectorAll('#sudoku [data-cell=answer]')]\
                      .some(cell => Number(cell.style.getPropertyValue('--heat')) > 0)";
        assert_eq!(evaluate(&driver, tinted).await?, json!(true));
        assert_eq!(
            evaluate(&driver, "return Number(document.querySelector('#scrubber').max)").await?,
            json!(3)
        );
        assert_eq!(serious_findings(&driver).await?, Vec::<Value>::new());
        screenshot(&driver, "sudoku-solved.png").await?;
        click(&driver, "#difference").await?;
        wait_for(&driver, "return document.querySelector('#sudoku [data-mark=wrong]') !== null").await?;
        screenshot(&driver, "sudoku-difference.png").await?;

        driver.find(By::Css("#scrubber")).await?.send_keys(Key::Home).await?;
        assert_eq!(digits(&driver).await?, SUDOKU, "before the first step stands the question");
        // The lines of the text field are another way in.
        click(&driver, "#sudoku-write").await?;
        let script = "const t = document.querySelector('#sudoku-text'); t.value = t.value.replace('5', 'x')";
        evaluate(&driver, script).await?;
        click(&driver, "#sudoku-read").await?;
        wait_for(
            &driver,
            "return document.querySelector('#sudoku-error').textContent.includes('row 1, column 1')",
        )
        .await
    });
}

/// The model decides which puzzle is shown, a link brings both, and a fresh Sudoku has givens.
#[test]
fn slow_model_and_link_choose_the_puzzle() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = served(folder.path(), true);
    browse(1280, |driver| async move {
        open(&driver, &served.url("/")).await?;
        let shown = "return ['board', 'sudoku', 'pad', 'tools'].map(id => document.getElementById(id).offsetParent !== null)";
        assert_eq!(evaluate(&driver, shown).await?, json!([true, false, false, true]));
        let choose = |model: &str| {
            format!(
                "const m = document.querySelector('#model'); m.value = '{model}'; m.dispatchEvent(new Event('change'))"
            )
        };
        evaluate(&driver, &choose("sudoku")).await?;
        assert_eq!(evaluate(&driver, shown).await?, json!([false, true, true, false]));
        wait_for(&driver, &format!("return /[1-9]/.test({DIGITS})")).await?;
        wait_for(&driver, "return location.hash.startsWith('#s=')").await?;
        let drawn = digits(&driver).await?;
        click(&driver, "#fresh").await?;
        wait_for(&driver, &format!("return {DIGITS} !== '{drawn}'")).await?;
        let link = format!("#s={SUDOKU}");
        evaluate(&driver, &choose("model-5")).await?;
        assert_eq!(evaluate(&driver, shown).await?, json!([true, false, false, true]));
        evaluate(&driver, &format!("location.hash = '{link}'")).await?;
        wait_for(&driver, &format!("return {DIGITS} === '{SUDOKU}'")).await?;
        assert_eq!(
            evaluate(&driver, "return document.querySelector('#model').value").await?,
            json!("sudoku")
        );
        driver.refresh().await?;
        wait_for(&driver, &format!("return {DIGITS} === '{SUDOKU}'")).await
    });
}

/// On a narrow screen in the dark a Sudoku is in reach, pad and all, and contrasts hold.
#[test]
fn slow_sudoku_fits_a_phone_in_the_dark() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = served(folder.path(), false);
    browse(360, |driver| async move {
        let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
        driver.cdp().send_raw("Emulation.setEmulatedMedia", dark).await?;
        open(&driver, &served.url(&format!("/#s={SUDOKU}"))).await?;
        let wide = evaluate(&driver, "return document.documentElement.scrollWidth").await?;
        assert!(wide.as_u64() <= Some(360), "it scrolls sideways: {wide}");
        click(&driver, "#solve").await?;
        wait_for(&driver, DONE).await?;
        assert_eq!(serious_findings(&driver).await?, Vec::<Value>::new());
        screenshot(&driver, "sudoku-phone.png").await
    });
}

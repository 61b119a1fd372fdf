//! The page under different hands: keyboard, touch, a file that is dropped.

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::{
    browser::{browse, click, evaluate, open, open_empty, text, wait_for},
    served::Served,
};

const WALLS: &str = "return document.querySelectorAll('#board [data-cell=wall]').length";

async fn kind(driver: &WebDriver, row: usize, column: usize) -> WebDriverResult<Value> {
    let cell = format!("[data-row=\"{row}\"][data-column=\"{column}\"]");
    evaluate(driver, &format!("return document.querySelector('#board {cell}').dataset.cell")).await
}

/// Everything that a pointer draws, keys draw too, and what was drawn can be taken back.
#[test]
fn slow_draws_by_keyboard_and_takes_back() {
    let served = Served::new(&[]);
    browse(1280, |driver| async move {
        open_empty(&driver, &served.url("/")).await?;
        evaluate(&driver, "document.querySelector('#board [tabindex=\"0\"]').focus()").await?;
        let keys = async |keys: &[char]| -> WebDriverResult<()> {
            for key in keys {
                driver.active_element().await?.send_keys(key.to_string()).await?;
            }
            Ok(())
        };
        let (down, right) = ('\u{e015}', '\u{e014}');
        driver.active_element().await?.send_keys(Key::Control + Key::Home).await?;
        keys(&[down, down, 's', right, ' ', right, ' ', down, 'g', right, ' ']).await?;
        assert_eq!(kind(&driver, 3, 1).await?, json!("start"));
        assert_eq!(kind(&driver, 4, 3).await?, json!("goal"));
        assert_eq!(evaluate(&driver, WALLS).await?, json!(3));
        assert!(text(&driver, "#cursor").await?.contains("row 4, column 4: wall"));

        for _ in 0..2 {
            click(&driver, "#undo").await?;
        }
        assert_eq!(evaluate(&driver, WALLS).await?, json!(2));
        assert_ne!(kind(&driver, 4, 3).await?, json!("goal"), "the goal is back where it was");
        click(&driver, "#redo").await?;
        assert_eq!(kind(&driver, 4, 3).await?, json!("goal"));
        driver.find(By::Css("body")).await?.send_keys(Key::Control + "z").await?;
        assert_ne!(kind(&driver, 4, 3).await?, json!("goal"));

        click(&driver, "#clear").await?;
        assert_eq!(evaluate(&driver, WALLS).await?, json!(0));
        assert_eq!(kind(&driver, 3, 1).await?, json!("start"), "only walls are cleared");
        Ok(())
    });
}

/// A finger draws walls without scrolling the page, and places the goal with a tap.
#[test]
fn slow_draws_by_touch() {
    let served = Served::new(&[]);
    browse(360, |driver| async move {
        let cdp = driver.cdp();
        cdp.send_raw("Emulation.setTouchEmulationEnabled", json!({"enabled": true})).await?;
        open_empty(&driver, &served.url("/")).await?;
        evaluate(&driver, "document.querySelector('#board').scrollIntoView({block: 'center'})").await?;
        let board = "const b = document.querySelector('#board').getBoundingClientRect(); return [b.x, b.y, b.width / 10, scrollY]";
        let board = evaluate(&driver, board).await?;
        let [x, y, size, scrolled] = [0, 1, 2, 3].map(|index| board[index].as_f64().expect("a number"));
        let touch = async |kind: &str, at: Option<(f64, f64)>| {
            let points: Vec<Value> = at
                .into_iter()
                .map(|(row, column)| json!({"x": x + size * (column - 0.5), "y": y + size * (row - 0.5)}))
                .collect();
            let event = json!({"type": kind, "touchPoints": points});
            driver.cdp().send_raw("Input.dispatchTouchEvent", event).await
        };
        touch("touchStart", Some((3.0, 2.0))).await?;
        for row in [5.0, 8.0] {
            touch("touchMove", Some((row, 2.0))).await?;
        }
        touch("touchEnd", None).await?;
        wait_for(&driver, "return document.querySelectorAll('#board [data-cell=wall]').length === 6").await?;
        assert_eq!(evaluate(&driver, "return scrollY").await?.as_f64(), Some(scrolled), "the page stays");

        evaluate(&driver, "document.querySelector('#tool-goal').click()").await?;
        touch("touchStart", Some((6.0, 6.0))).await?;
        touch("touchEnd", None).await?;
        wait_for(
            &driver,
            "return document.querySelector('[data-row=\"6\"][data-column=\"6\"]').dataset.cell === 'goal'",
        )
        .await
    });
}

/// A file of several mazes is opened by dropping it; a broken one says where it is broken.
#[test]
fn slow_opens_dropped_files() {
    let served = Served::new(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("two.npy");
    // Walls are 1, open cells 2, start and goal 3 and 4.
    trm_data::npy::write_matrix(&path, &[3, 2, 1, 2, 2, 2, 1, 2, 4, 4, 2, 1, 2, 2, 2, 1, 2, 3], 9)
        .expect("written");
    let mazes = std::fs::read(path).expect("read");
    browse(1280, |driver| async move {
        open(&driver, &served.url("/")).await?;
        let drop = "const data = new DataTransfer(); data.items.add(new File([Uint8Array.from(arguments[0])], arguments[1]));\
                    for (const kind of ['dragover', 'drop'])\
                    document.querySelector('#board').dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: data}))";
        driver.execute(drop, vec![json!(mazes), json!("two.npy")]).await?;
        wait_for(&driver, "return document.querySelectorAll('#board [data-cell]').length === 9").await?;
        assert_eq!(kind(&driver, 1, 1).await?, json!("start"));
        assert!(text(&driver, "#pick-label").await?.contains("1 to 2"));
        let second = "const pick = document.querySelector('#pick'); pick.value = '2'; pick.dispatchEvent(new Event('input'))";
        evaluate(&driver, second).await?;
        assert_eq!(kind(&driver, 1, 1).await?, json!("goal"));

        driver.execute(drop, vec![json!(b"S??\n"), json!("broken.txt")]).await?;
        wait_for(
            &driver,
            "return document.querySelector('#text-error').textContent.startsWith('broken.txt: ')",
        )
        .await
    });
}

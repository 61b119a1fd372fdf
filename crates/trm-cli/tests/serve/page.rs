//! The page, as people use it.

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::{
    browser::{
        browse, click, evaluate, open, open_empty, read_text, screenshot, serious_findings, text, wait_for,
    },
    served::Served,
};

const DONE: &str = "return document.body.dataset.state === 'done'";

/// Kinds of all cells.
async fn cells(driver: &WebDriver) -> WebDriverResult<Value> {
    evaluate(driver, "return [...document.querySelectorAll('#board [data-cell]')].map(c => c.dataset.cell)")
        .await
}

/// A maze is drawn by dragging, solved, and its steps are gone through; every look at it passes the audit.
#[test]
fn slow_draws_solves_and_scrubs() {
    let served = Served::new(&[]);
    browse(1280, |driver| async move {
        open_empty(&driver, &served.url("/")).await?;
        assert_eq!(serious_findings(&driver).await?, Vec::<Value>::new());
        let cell = async |column: usize| {
            driver.find(By::Css(format!("#board [data-row=\"5\"][data-column=\"{column}\"]"))).await
        };
        cell(2).await?.scroll_into_view().await?;
        let drag = driver.action_chain().move_to_element_center(&cell(2).await?).click_and_hold();
        drag.move_to_element_center(&cell(9).await?).release().perform().await?;
        let walls = "return document.querySelectorAll('#board [data-cell=wall]').length";
        assert_eq!(evaluate(&driver, walls).await?, json!(8), "a drag draws a row of walls");

        click(&driver, "#solve").await?;
        wait_for(&driver, DONE).await?;
        let verdict = text(&driver, "#verdict").await?;
        assert!(verdict.contains("maze-30") && verdict.contains("of 24"), "{verdict}");
        assert_eq!(serious_findings(&driver).await?, Vec::<Value>::new());
        screenshot(&driver, "solved.png").await?;

        click(&driver, "#think-on").await?;
        click(&driver, "#solve").await?;
        wait_for(&driver, DONE).await?;
        let steps = evaluate(&driver, "return Number(document.querySelector('#scrubber').max)").await?;
        assert_eq!(steps, json!(24), "thinks on to the last step");
        driver.find(By::Css("#scrubber")).await?.send_keys(Key::Home).await?;
        let shown = "return document.querySelectorAll('#board [data-cell=path]').length";
        assert_eq!(evaluate(&driver, shown).await?, json!(0), "nothing is answered before the first step");
        driver.find(By::Css("#scrubber")).await?.send_keys(Key::End).await?;
        assert_ne!(evaluate(&driver, shown).await?, json!(0));
        Ok(())
    });
}

/// What is wrong is said where it is wrong, and nothing is left hanging.
#[test]
fn slow_says_what_is_wrong() {
    let served = Served::new(&[]);
    browse(1280, |driver| async move {
        open(&driver, &served.url("/")).await?;
        read_text(&driver, "S  \n x \n  G").await?;
        wait_for(&driver, "return document.querySelector('#text-error').textContent !== ''").await?;
        assert!(text(&driver, "#text-error").await?.contains("row 2, column 2"));
        let chosen = "const t = document.querySelector('#text'); return t.value.slice(t.selectionStart, t.selectionEnd)";
        assert_eq!(evaluate(&driver, chosen).await?, json!("x"));

        read_text(&driver, "[[3, 1],\n[2, x]]").await?;
        wait_for(&driver, "return document.querySelector('#text-error').textContent.includes('line 2')")
            .await?;
        assert_eq!(evaluate(&driver, chosen).await?, json!("x"), "the place in text that is no JSON");

        read_text(&driver, "S##\n###\n##G").await?;
        wait_for(&driver, "return document.querySelectorAll('#board [data-cell]').length === 9").await?;
        click(&driver, "#solve").await?;
        wait_for(&driver, DONE).await?;
        let verdict = text(&driver, "#verdict").await?;
        assert!(verdict.contains("There is no path from S to G here"), "{verdict}");
        assert!(verdict.contains("not 3"), "a side that the model has not seen: {verdict}");

        driver.goto(served.url("/#m=10.zz.1.2")).await?;
        driver.refresh().await?;
        wait_for(&driver, "return document.querySelector('#message').textContent !== ''").await?;
        assert_eq!(serious_findings(&driver).await?, Vec::<Value>::new());
        screenshot(&driver, "message.png").await
    });
}

/// The maze is in the address: whoever opens it sees the same. In between, the interactive docs show every operation.
#[test]
fn slow_links_share_a_maze() {
    let served = Served::new(&[]);
    browse(1280, |driver| async move {
        open(&driver, &served.url("/")).await?;
        wait_for(&driver, "return location.hash.startsWith('#m=30.')").await?;
        let (address, drawn) = (driver.current_url().await?, cells(&driver).await?);
        driver.goto(served.url("/docs/")).await?;
        wait_for(&driver, "return document.querySelectorAll('.opblock').length > 15").await?;
        screenshot(&driver, "docs.png").await?;
        driver.goto(address.as_str()).await?;
        wait_for(&driver, "return document.documentElement.dataset.ready === 'true'").await?;
        assert_eq!(cells(&driver).await?, drawn);
        Ok(())
    });
}

/// A batch is played, with its interval.
#[test]
fn slow_plays_a_batch() {
    let served = Served::new(&[]);
    browse(1280, |driver| async move {
        open(&driver, &served.url("/")).await?;
        let small = "document.querySelector('#play-count').value = 40; document.querySelector('#play-side').value = 10";
        evaluate(&driver, small).await?;
        click(&driver, "#play").await?;
        wait_for(
            &driver,
            "return document.querySelector('#play-interval-text').textContent.startsWith('40 of 40')",
        )
        .await?;
        wait_for(&driver, "return !document.querySelector('#play').hidden").await?;
        assert!(text(&driver, "#play-accuracy").await?.contains('%'));
        assert_eq!(serious_findings(&driver).await?, Vec::<Value>::new());
        screenshot(&driver, "batch.png").await
    });
}

/// On a narrow screen in the dark everything is in reach, and contrasts hold.
#[test]
fn slow_fits_a_phone_in_the_dark() {
    let served = Served::new(&[]);
    browse(360, |driver| async move {
        let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
        driver.cdp().send_raw("Emulation.setEmulatedMedia", dark).await?;
        open(&driver, &served.url("/")).await?;
        let wide = evaluate(&driver, "return document.documentElement.scrollWidth").await?;
        assert!(wide.as_u64() <= Some(360), "it scrolls sideways: {wide}");
        click(&driver, "#solve").await?;
        wait_for(&driver, DONE).await?;
        assert_eq!(serious_findings(&driver).await?, Vec::<Value>::new());
        let colour = evaluate(&driver, "return getComputedStyle(document.body).backgroundColor").await?;
        let channels: Vec<u32> = colour
            .as_str()
            .expect("a colour")
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|n| n.parse().ok())
            .collect();
        assert!(channels[..3].iter().all(|channel| *channel < 80), "{colour} is not dark");
        screenshot(&driver, "phone.png").await
    });
}

/// The page stays light, comes from the server alone, and is there in a second.
#[test]
fn slow_page_keeps_its_budget() {
    let served = Served::new(&[]);
    browse(1280, |driver| async move {
        open(&driver, &served.url("/")).await?;
        let script = "return performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))\
                      .map(e => [e.name, e.decodedBodySize])";
        let loaded = evaluate(&driver, script).await?;
        let loaded = loaded.as_array().expect("entries");
        let bytes: u64 = loaded.iter().map(|entry| entry[1].as_u64().expect("a size")).sum();
        assert!(bytes < 300_000, "{bytes} bytes");
        let own = served.url("/");
        assert!(
            loaded.iter().all(|entry| entry[0].as_str().expect("a name").starts_with(&own)),
            "{loaded:?}"
        );
        // The quickest of three: other tests may take the processor's time.
        let mut paint = f64::INFINITY;
        for _ in 0..3 {
            open(&driver, &own).await?;
            let script = "return performance.getEntriesByName('first-contentful-paint')[0].startTime";
            paint = paint.min(evaluate(&driver, script).await?.as_f64().expect("a time"));
        }
        assert!(paint < 1000.0, "first painted after {paint} ms");
        println!("{bytes} bytes, first painted after {paint} ms");
        Ok(())
    });
}

/// A saved maze comes back as it was, its name is text and no markup; a maze without a path is said to have none.
#[test]
fn slow_keeps_samples_and_knows_mazes_without_a_path() {
    let served = Served::new(&[]);
    browse(1280, |driver| async move {
        open(&driver, &served.url("/")).await?;
        let drawn = cells(&driver).await?;
        evaluate(&driver, "document.querySelector('#saved').open = true").await?;
        driver.find(By::Css("#save-name")).await?.send_keys("crossing <b>").await?;
        click(&driver, "#save").await?;
        wait_for(&driver, "return document.querySelectorAll('#saved-list button').length === 1").await?;
        assert!(text(&driver, "#saved-list").await?.contains("crossing <b>"));

        let empty = format!("{}\n", " ".repeat(10)).repeat(7);
        read_text(&driver, &format!("S#{}\n##{}\n{empty}{}G", " ".repeat(8), " ".repeat(8), " ".repeat(9)))
            .await?;
        wait_for(
            &driver,
            "return document.querySelector('[data-row=\"2\"][data-column=\"1\"]').dataset.cell === 'wall'",
        )
        .await?;
        click(&driver, "#solve").await?;
        wait_for(&driver, DONE).await?;
        let said = text(&driver, "#verdict").await? + &*text(&driver, "#message").await?;
        assert!(said.contains("no path"), "{said}");

        click(&driver, "#saved-list button").await?;
        let kinds = "[...document.querySelectorAll('#board [data-cell]')].map(c => c.dataset.cell)";
        let as_drawn = format!("return JSON.stringify({kinds}) === JSON.stringify({drawn})");
        wait_for(&driver, &as_drawn).await
    });
}

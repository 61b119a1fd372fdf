//! What is taken away from the page: pictures and animations, the picture of the README; and a page behind a token.

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::{
    browser::{browse, click, evaluate, open, read_text, screenshot, serious_findings, text, wait_for},
    served::Served,
};

const DONE: &str = "return document.body.dataset.state === 'done'";

/// The bytes of a file, once it has been downloaded.
async fn downloaded(folder: &Path, name: &str) -> Vec<u8> {
    let path = folder.join(name);
    for _ in 0..200 {
        if path.is_file() {
            return fs::read(path).expect("it can be read");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} was not downloaded");
}

/// Pictures and animations are what they claim to be, as the browser's own decoders read them: one frame per step.
#[test]
fn slow_downloads_pictures_and_animations() {
    let served = Served::new(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    browse(1280, |driver| async move {
        let allow = json!({"behavior": "allow", "downloadPath": folder.path()});
        driver.cdp().send_raw("Browser.setDownloadBehavior", allow).await?;
        open(&driver, &served.url("/")).await?;
        click(&driver, "#think-on").await?;
        click(&driver, "#solve").await?;
        wait_for(&driver, DONE).await?;

        click(&driver, "#download-png").await?;
        let png = downloaded(folder.path(), "maze-30.png").await;
        let size = "const done = arguments[1];\
                    createImageBitmap(new Blob([Uint8Array.from(arguments[0])])).then(p => done([p.width, p.height]), e => done(String(e)))";
        let size = driver.execute_async(size, vec![json!(png)]).await?;
        assert_eq!(*size.json(), json!([960, 960]));

        click(&driver, "#download-gif").await?;
        let gif = downloaded(folder.path(), "thinking-30.gif").await;
        let frames = "const done = arguments[1]; (async () => {\
                      const decoder = new ImageDecoder({data: Uint8Array.from(arguments[0]), type: 'image/gif'});\
                      await decoder.tracks.ready;\
                      const { frameCount, repetitionCount } = decoder.tracks.selectedTrack;\
                      const { image } = await decoder.decode({ frameIndex: frameCount - 1 });\
                      return [frameCount, repetitionCount === Infinity, image.displayWidth];\
                      })().then(done, e => done(String(e)))";
        let frames = driver.execute_async(frames, vec![json!(gif)]).await?;
        assert_eq!(*frames.json(), json!([25, true, 480]), "the maze and its 24 steps, for ever");

        click(&driver, "#download-svg").await?;
        let svg = String::from_utf8(downloaded(folder.path(), "thinking-30.svg").await).expect("text");
        let groups = "const svg = new DOMParser().parseFromString(arguments[0], 'image/svg+xml');\
                      return [svg.querySelectorAll('parsererror').length, svg.querySelectorAll('g').length, svg.querySelectorAll('script').length]";
        // Its style may be read only where the page's own rules do not hold.
        driver.goto("about:blank").await?;
        let groups = driver.execute(groups, vec![json!(svg)]).await?;
        assert_eq!(*groups.json(), json!([0, 24, 0]), "a group per step");
        Ok(())
    });
}

/// A page behind a token asks for it, says when it was wrong, and keeps it in its tab.
#[test]
fn slow_asks_for_the_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    fs::write(&file, "a-secret-of-some-length\n").expect("written");
    let served = Served::new(&["--token-file", file.to_str().expect("a path")]);
    browse(1280, |driver| async move {
        driver.goto(served.url("/")).await?;
        wait_for(&driver, "return document.querySelector('#token-dialog').open").await?;
        assert_eq!(serious_findings(&driver).await?, Vec::<Value>::new());
        let token = driver.find(By::Css("#token")).await?;
        token.send_keys("wrong").await?;
        click(&driver, "#token-send").await?;
        wait_for(&driver, "return document.querySelector('#token-hint').textContent.includes('refused')")
            .await?;
        token.send_keys("a-secret-of-some-length" + Key::Enter).await?;
        let ready = "return document.documentElement.dataset.ready === 'true'";
        wait_for(&driver, ready).await?;
        click(&driver, "#solve").await?;
        wait_for(&driver, DONE).await?;
        driver.refresh().await?;
        wait_for(&driver, ready).await?;
        let asked = evaluate(&driver, "return document.querySelector('#token-dialog').open").await?;
        assert_eq!(asked, json!(false), "it is kept");
        Ok(())
    });
}

/// A server that has gone is said to have gone, and the page can ask again.
#[test]
fn slow_notices_that_the_server_has_gone() {
    let mut served = Served::new(&[]);
    browse(1280, |driver| async move {
        open(&driver, &served.url("/")).await?;
        served.kill();
        // The request fails at once, and the browser's own complaint is no fault of the page.
        click(&driver, "#solve").await?;
        wait_for(&driver, "return document.body.dataset.state === 'failed'").await?;
        assert!(text(&driver, "#message").await?.contains("cannot be reached"));
        assert_eq!(text(&driver, "#notice-actions").await?, "Try again");
        driver.browser_log().await?;
        Ok(())
    });
}

/// The picture of the README: a maze with a long way, thought about to the last step.
#[test]
fn slow_pictures_the_page() {
    let served = Served::new(&[]);
    let maze = served.get("/new_maze?side=30&min_path=108&seed=1").json()["maze"].clone();
    browse(1280, |driver| async move {
        // Wide enough for both columns, tall enough for the curve below the board.
        let room = json!({"width": 1100, "height": 1180, "deviceScaleFactor": 1, "mobile": true});
        driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", room).await?;
        open(&driver, &served.url("/")).await?;
        read_text(&driver, &maze.to_string()).await?;
        wait_for(
            &driver,
            &format!(
                "return document.querySelectorAll('#board [data-cell=wall]').length === {}",
                walls(&maze)
            ),
        )
        .await?;
        evaluate(&driver, "document.querySelector('#text-fold').open = false; scrollTo(0, 0)").await?;
        click(&driver, "#think-on").await?;
        click(&driver, "#solve").await?;
        wait_for(&driver, DONE).await?;
        assert!(text(&driver, "#verdict").await?.contains("Exactly right."));
        let mark = "return document.querySelector('#confidence-chart text.halt').textContent";
        assert_eq!(evaluate(&driver, mark).await?, json!("would halt"));
        screenshot(&driver, "visualizer.png").await
    });
}

fn walls(maze: &Value) -> usize {
    let cells = maze.as_array().into_iter().flatten().filter_map(Value::as_array).flatten();
    cells.filter(|token| **token == json!(1)).count()
}

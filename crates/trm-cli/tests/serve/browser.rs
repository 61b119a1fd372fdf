//! A real browser: one session of Chromium, by way of its driver.

use std::{
    io::{BufRead, BufReader},
    panic::{AssertUnwindSafe, resume_unwind},
    path::Path,
    process::{Child, Command, Stdio},
};

use futures_util::FutureExt;
use serde_json::{Value, json};
use thirtyfour::{BrowserLogEntry, ChromiumLikeCapabilities, LoggingPrefsLogLevel, prelude::*};

use crate::support;

/// A browser with the page open.
pub struct Browser {
    pub driver: WebDriver,
    process: Child,
}

/// Runs a test in a browser of this width, unless there is none: then says so, loudly.
pub fn browse<F: Future<Output = WebDriverResult<()>>>(width: u32, test: impl FnOnce(WebDriver) -> F) {
    let found = ["/usr/bin/chromedriver", "/usr/lib/chromium/chromedriver"]
        .into_iter()
        .find(|path| Path::new(path).is_file());
    let Some(program) = found else {
        support::missing("browser", "no chromedriver; install the packages chromium and chromium-driver");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut browser = Browser::open(program, width).await;
        // A session that outlives its driver would try for two minutes to end itself.
        let done = AssertUnwindSafe(test(browser.driver.clone())).catch_unwind().await;
        let errors = browser.console_errors().await;
        browser.close().await;
        done.unwrap_or_else(|panic| resume_unwind(panic)).expect("the browser does as it is told");
        assert!(errors.is_empty(), "the console says: {errors:?}");
    });
}

impl Browser {
    async fn open(program: &str, width: u32) -> Self {
        // A driver ends at once where the port that it drew is taken on its second address.
        let (process, port) = (0..5).find_map(|_| start(program)).expect("chromedriver starts");
        let mut capabilities = DesiredCapabilities::chrome();
        let window = format!("--window-size={width},900");
        for argument in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            &window,
        ] {
            capabilities.add_arg(argument).expect("an argument");
        }
        capabilities.set_browser_log_level(LoggingPrefsLogLevel::All).expect("a level");
        let driver =
            WebDriver::new(&format!("http://127.0.0.1:{port}"), capabilities).await.expect("a session");
        // A window is never narrower than 500 points.
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", metrics).await.expect("a size");
        Self { driver, process }
    }

    /// What the console complained of. A refusal is written there too, by the browser itself.
    async fn console_errors(&mut self) -> Vec<String> {
        let logs = self.driver.browser_log().await;
        let complaint = |entry: BrowserLogEntry| {
            let ours =
                entry.level == "SEVERE" && !entry.message.contains("the server responded with a status of 4");
            ours.then_some(entry.message)
        };
        logs.expect("a log").into_iter().filter_map(complaint).collect()
    }

    async fn close(self) {
        // It may have ended already.
        let _ = self.driver.clone().quit().await;
    }
}

/// A driver and its port, unless it ends before it listens.
fn start(program: &str) -> Option<(Child, u16)> {
    let mut process = Command::new(program)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver can be run");
    let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
    let port = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_suffix('.')?.rsplit_once("successfully on port ")?.1.parse::<u16>().ok());
    if port.is_none() {
        process.wait().expect("it has ended");
    }
    Some((process, port?))
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Opens the page, and waits until it is ready.
pub async fn open(driver: &WebDriver, url: &str) -> WebDriverResult<()> {
    driver.goto(url).await?;
    wait_for(driver, "return document.documentElement.dataset.ready === 'true'").await
}

/// Opens the page with an empty maze of 10 by 10: the start in the first corner, the goal in the last.
pub async fn open_empty(driver: &WebDriver, url: &str) -> WebDriverResult<()> {
    open(driver, url).await?;
    let open_row = format!("{}\n", " ".repeat(10));
    read_text(driver, &format!("S{}{}{}G", &open_row[1..], open_row.repeat(8), " ".repeat(9))).await?;
    wait_for(
        driver,
        "const kinds = [...document.querySelectorAll('#board [data-cell]')].map(c => c.dataset.cell);\
         return kinds[0] === 'start' && kinds[99] === 'goal' && !kinds.includes('wall')",
    )
    .await
}

/// Waits until a script returns true.
pub async fn wait_for(driver: &WebDriver, script: &str) -> WebDriverResult<()> {
    for _ in 0..400 {
        if evaluate(driver, script).await? == json!(true) {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("waited in vain: {script}");
}

pub async fn evaluate(driver: &WebDriver, script: &str) -> WebDriverResult<Value> {
    Ok(driver.execute(script, vec![]).await?.json().clone())
}

pub async fn click(driver: &WebDriver, selector: &str) -> WebDriverResult<()> {
    driver.find(By::Css(selector)).await?.click().await
}

pub async fn text(driver: &WebDriver, selector: &str) -> WebDriverResult<String> {
    driver.find(By::Css(selector)).await?.text().await
}

/// Puts a text into the text field and reads it.
pub async fn read_text(driver: &WebDriver, maze: &str) -> WebDriverResult<()> {
    driver
        .execute(
            "document.querySelector('#text-fold').open = true; document.querySelector('#text').value = arguments[0];",
            vec![json!(maze)],
        )
        .await?;
    click(driver, "#read-text").await
}

/// Saves what is shown, where the variable TRM_SCREENSHOTS says.
pub async fn screenshot(driver: &WebDriver, name: &str) -> WebDriverResult<()> {
    match std::env::var_os("TRM_SCREENSHOTS") {
        Some(folder) => driver.screenshot(&Path::new(&folder).join(name)).await,
        None => Ok(()),
    }
}

/// What axe-core finds serious; the variable TRM_AXE names its script.
pub async fn serious_findings(driver: &WebDriver) -> WebDriverResult<Vec<Value>> {
    let Some(path) = std::env::var_os("TRM_AXE") else {
        support::missing("axe", "set TRM_AXE to axe.min.js of axe-core to audit the page");
        return Ok(Vec::new());
    };
    driver.execute(std::fs::read_to_string(path).expect("axe-core"), vec![]).await?;
    let script = "const done = arguments[arguments.length - 1]; axe.run().then(done, e => done(String(e)));";
    let report = driver.execute_async(script, vec![]).await?.json().clone();
    let findings = report["violations"].as_array().unwrap_or_else(|| panic!("axe says {report}"));
    let serious =
        |finding: &&Value| ["serious", "critical"].contains(&finding["impact"].as_str().unwrap_or_default());
    Ok(findings
        .iter()
        .filter(serious)
        .map(|finding| json!([finding["id"], finding["nodes"][0]["html"]]))
        .collect())
}

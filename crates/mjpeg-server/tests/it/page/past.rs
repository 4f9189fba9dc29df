//! The page goes back in time, and downloads clips.

use std::time::Duration;

use fantoccini::Client;
use tokio::time::sleep;

use super::{
    GATEWAY, Relay,
    browsing::{browser, click, no_violations, until, value},
};
use crate::browser::Driver;

const STREAM: &str = "\
[[streams]]
name = \"door\"
source = \"test:?size=320x180&fps=10\"
replay = \"10m\"
";

/// The past picture that is shown, or the image that plays.
const LAYER: &str = "document.querySelector('dialog.full .past')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bar_goes_back_in_time_in_chromium() {
    let relay = Relay::start(&[GATEWAY, STREAM].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    goes_back(&relay, &browser).await;
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[cfg(all(unix, feature = "cluster"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bar_goes_back_in_time_in_firefox() {
    let Some(driver) = Driver::start_firefox().await else {
        return;
    };
    let relay = Relay::start(&[GATEWAY, STREAM].concat(), 1);
    let browser = driver.firefox().await;
    goes_back(&relay, &browser).await;
    browser.close().await.unwrap();
}

async fn goes_back(relay: &Relay, browser: &Client) {
    let url = format!("http://{}/#door", relay.addr());
    browser.goto(&url).await.unwrap();
    // Some seconds are kept before somebody goes back.
    until(
        browser,
        "Number(document.querySelector('#past-time')?.min) < -4",
    )
    .await;
    let shows_live = format!("{LAYER}.hidden && document.querySelector('output').value === 'Live'");
    assert_eq!(value(browser, &shows_live).await, true);
    go_to(browser, -3.0).await;
    let age = format!("(Date.now() - Number({LAYER}.dataset.captured)) / 1000");
    let has_picture = format!("!{LAYER}.hidden && {LAYER}.querySelector('canvas').width > 0");
    until(browser, &has_picture).await;
    let shown = value(browser, &age).await.as_f64().unwrap();
    assert!((2.5..6.0).contains(&shown), "{shown}");
    // The same picture, however long it is shown.
    let captured = format!("{LAYER}.dataset.captured");
    let before = value(browser, &captured).await;
    sleep(Duration::from_millis(500)).await;
    assert_eq!(value(browser, &captured).await, before);
    // Moved faster than pictures come, it ends at the last place.
    for seconds in [-1.0, -3.5, -2.0] {
        go_to(browser, seconds).await;
    }
    until(browser, &format!("{age} < 3.2 && {age} > 1.7")).await;
    press(browser, "Play from here").await;
    until(
        browser,
        &format!("{LAYER}.querySelector('img').naturalWidth === 320"),
    )
    .await;
    until_viewers(relay, 1).await;
    press(browser, "Live").await;
    until(browser, &shows_live).await;
    until_viewers(relay, 0).await;
    // What the button downloads.
    let noted = "window.saved = null;
        document.addEventListener('click', (event) => {
          const link = event.target.closest('a[download]');
          if (link) { window.saved = link.href; event.preventDefault(); }
        }, true);";
    browser.execute(noted, vec![]).await.unwrap();
    go_to(browser, -1.0).await;
    press(browser, "Download clip").await;
    let saved = value(browser, "saved").await;
    let path = saved.as_str().unwrap().split_once("/door/").unwrap().1;
    assert!(path.starts_with("clip.mov?from=-31."), "{path}");
    assert!(path.contains("&to=-1."), "{path}");
    click(browser, "dialog.full button[aria-label=Close]").await;
}

/// Moves the bar to a time.
async fn go_to(browser: &Client, seconds: f64) {
    let script = format!(
        "const range = document.querySelector('#past-time');
         range.value = '{seconds}';
         range.dispatchEvent(new Event('input'));"
    );
    browser.execute(&script, vec![]).await.unwrap();
}

async fn press(browser: &Client, text: &str) {
    let script = format!(
        "[...document.querySelectorAll('.replay button')]
           .find((button) => button.textContent === '{text}').click()"
    );
    browser.execute(&script, vec![]).await.unwrap();
}

/// Waits until so many replays are on their way.
async fn until_viewers(relay: &Relay, count: usize) {
    for _ in 0..100 {
        let list = relay
            .ask("GET", "/api/v1/streams/door/viewers", "", "")
            .await;
        let text = String::from_utf8_lossy(&list.body).into_owned();
        if text.matches("\"replay\"").count() == count {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("there were never {count}");
}

//! A network that fails between the page and its relay.

use std::time::Duration;

use fantoccini::Client;
use mjpeg_testkit::{Camera, FlakyLink, Script, jpeg};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    GATEWAY, Relay,
    browsing::{browser, until, value},
    wall::{cameras, moves, tile},
};
use crate::browser::Driver;

/// Of a tile, as it shows it.
fn age(name: &str) -> String {
    format!("Number({}?.dataset.ageMs || NaN)", tile(name))
}

/// The page says that it is cut off, and no old picture passes for a new one.
async fn is_cut_off(browser: &Client) {
    let says = "message.textContent.includes('does not answer')
        && document.documentElement.classList.contains('cut-off')";
    until(browser, says).await;
    until(browser, &format!("{} > 5000", age("live"))).await;
    let faint = format!("{}.classList.contains('old')", tile("live"));
    until(browser, &faint).await;
}

/// All is as before, by itself. A picture is as old as it is: the only one of the camera `still`
/// came at this moment.
async fn is_back(browser: &Client, came: Instant) {
    until(
        browser,
        "message.textContent == '' && !document.documentElement.classList.contains('cut-off')",
    )
    .await;
    until(browser, "document.documentElement.dataset.wall == 'socket'").await;
    moves(browser, "live").await;
    until(browser, &format!("{} < 1000", age("live"))).await;
    let mut looks = 0;
    let is_true = |shown: &Value| {
        let true_ms = came.elapsed().as_secs_f64() * 1000.0;
        shown
            .as_f64()
            .is_some_and(|shown| (shown - true_ms).abs() < 2000.0)
    };
    loop {
        let shown = value(browser, &age("still")).await;
        if is_true(&shown) {
            return;
        }
        looks += 1;
        assert!(looks < 300, "{shown} ms, and not {:?}", came.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn page_says_that_it_is_cut_off_and_shows_true_ages_once_the_network_is_back() {
    let still = Camera::start(Script::frames([jpeg::numbered(1)])).await;
    let text = format!(
        "{}[[streams]]\nname = \"still\"\nsource = \"{}\"\nstall_limit = \"1h\"\n\
         placeholder = \"none\"\n",
        cameras(&["live"]),
        still.url()
    );
    let relay = Relay::start(&[GATEWAY, &text].concat(), 1);
    while relay
        .ask("GET", "/still/snapshot", "", "")
        .await
        .head
        .status
        != 200
    {}
    let came = Instant::now();
    let link = FlakyLink::start(relay.addr()).await;
    let driver = Driver::start();
    let browser = browser(&driver).await;
    browser
        .goto(&format!("http://{}/", link.addr()))
        .await
        .unwrap();
    is_back(&browser, came).await;
    link.reset();
    is_cut_off(&browser).await;
    link.restore();
    is_back(&browser, came).await;
    // Nobody is told that nothing passes any more.
    link.silence();
    is_cut_off(&browser).await;
    link.restore();
    is_back(&browser, came).await;
    browser.close().await.unwrap();
}

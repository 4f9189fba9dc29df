//! What axe-core finds: rules for people who do not see the page, or use no mouse.

use std::{fs, path::Path, process::Command};

use fantoccini::Client;
use serde_json::{Value, json};

use super::{
    GATEWAY, Relay, alice,
    browsing::{browser, until},
};
use crate::browser::Driver;

/// The script of axe-core, which npm fetches once.
fn script() -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("axe-{VERSION}"));
    let file = folder.join("node_modules/axe-core/axe.min.js");
    if !file.exists() {
        let package = format!("axe-core@{VERSION}");
        let status = Command::new("npm")
            .args([
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
            ])
            .arg("--prefix")
            .arg(&folder)
            .arg(package)
            .status();
        assert!(status.expect("npm runs").success(), "npm fetches axe-core");
    }
    fs::read_to_string(file).expect("the script")
}

/// The rules that the page breaks badly.
async fn serious(browser: &Client, axe: &str) -> Vec<Value> {
    browser
        .execute(axe, vec![])
        .await
        .expect("axe-core is loaded");
    let run = "const done = arguments[0];
        axe.run().then(({ violations }) => done(violations.map(
          ({ id, impact, nodes }) => [impact, id, nodes.map(({ html }) => html)])));";
    let found = browser.execute_async(run, vec![]).await.expect("it runs");
    let found = found.as_array().expect("a list").iter();
    let is_serious = |rule: &&Value| rule[0] == "serious" || rule[0] == "critical";
    found.filter(is_serious).cloned().collect()
}

#[tokio::test]
async fn nothing_keeps_anybody_from_using_the_page() {
    let axe = script();
    let streams = "[[streams]]\nname = \"door\"\nsource = \"test:?size=160x90&fps=5\"\n\
                   [[streams]]\nname = \"gone\"\nsource = \"tcp://127.0.0.1:1\"\n";
    let local = Relay::start(&[GATEWAY, streams].concat(), 1);
    let users = Relay::start(&[GATEWAY, streams, &*alice()].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    let wall = "document.querySelector('[data-stream=door]')?.dataset.frames > 0";
    let full = "document.querySelector('tbody tr') && document.querySelector('.events li time')";
    let pages = [
        (local.url().to_owned(), wall),
        (format!("{}#door", local.url()), full),
        (format!("{}door/view", local.url()), wall_of_view()),
        (
            format!("{}login", users.url()),
            "document.querySelector('#login')",
        ),
        (users.url().to_owned(), wall),
    ];
    for width in [1280, 320] {
        let metrics =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        driver
            .devtools(&browser, "Emulation.setDeviceMetricsOverride", metrics)
            .await;
        for scheme in ["light", "dark"] {
            let media =
                json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
            driver
                .devtools(&browser, "Emulation.setEmulatedMedia", media)
                .await;
            for (url, is_there) in &pages {
                // Else only the fragment would change.
                browser.goto("about:blank").await.unwrap();
                browser.goto(url).await.unwrap();
                until(&browser, is_there).await;
                let found = serious(&browser, &axe).await;
                assert_eq!(found, Vec::<Value>::new(), "{url} at {width} in {scheme}");
                let is_wide = "document.documentElement.scrollWidth <= innerWidth";
                until(&browser, is_wide).await;
            }
        }
    }
    browser.close().await.unwrap();
}

fn wall_of_view() -> &'static str {
    "document.querySelector('#view')?.dataset.frames > 0"
}

const VERSION: &str = "4.14.1";

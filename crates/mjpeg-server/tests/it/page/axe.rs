//! What axe-core finds: rules for people who do not see the page, or use no mouse.

use std::{fs, path::Path, process::Command};

use fantoccini::Client;
use serde_json::{Value, json};

use super::{
    GATEWAY, JSON, Relay, alice,
    browsing::{browser, until},
    dialogs::{open_here, press},
    text,
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
        for scheme in ["light", "dark"] {
            emulate(&driver, &browser, width, scheme).await;
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

#[tokio::test]
async fn nothing_keeps_anybody_from_using_the_dialogs() {
    let axe = script();
    let streams = "[[streams]]\nname = \"door\"\nsource = \"test:?size=160x90&fps=5\"\n";
    let relay = Relay::start(&[GATEWAY, streams].concat(), 1);
    let lapse = r#"{ "stream": "door", "every_s": 1, "title": "Shelf", "max_frames": 900 }"#;
    let started = relay.ask("POST", "/api/v1/timelapses", JSON, lapse).await;
    assert_eq!(started.head.status, 201, "{}", text(&started));
    let driver = Driver::start();
    let browser = browser(&driver).await;
    let run = async |script: &str| browser.execute(script, vec![]).await.expect("it runs");
    for (width, scheme) in [
        (1280, "light"),
        (320, "dark"),
        (1280, "dark"),
        (320, "light"),
    ] {
        emulate(&driver, &browser, width, scheme).await;
        for (module, call) in [
            ("forms", "openAdd()"),
            ("forms", "openEdit('door')"),
            ("share", "openShare('door')"),
            ("snippets", "openSnippets('door')"),
            ("recordings", "openRecordings({ stream: 'door' })"),
            ("session", "logInAgain()"),
        ] {
            browser.goto("about:blank").await.unwrap();
            browser.goto(relay.url()).await.unwrap();
            until(&browser, "document.querySelector('[data-stream=door]')").await;
            open_here(&browser, module, call).await;
            match module {
                "share" => {
                    // With its code, and the list of links.
                    press(&browser, "Make a link").await;
                    until(&browser, "document.querySelector('dialog .qr path')").await;
                    until(&browser, "document.querySelector('dialog td')").await;
                }
                "recordings" => {
                    // With a picture, and the form that starts another one.
                    let picture = "document.querySelector('.kept img')?.naturalWidth > 0";
                    until(&browser, picture).await;
                    run("document.querySelector('dialog details').open = true").await;
                }
                "forms" => {
                    run("document.querySelector('dialog details').open = true").await;
                    // With what is wrong.
                    let odd = "for (const field of document.querySelectorAll('dialog input')) {
                          if (field.type === 'text' && !field.value) field.value = 'a b';
                        }
                        const first = document.querySelector('dialog input');
                        first.dispatchEvent(new Event('input', { bubbles: true }));";
                    run(odd).await;
                    press(&browser, if call == "openAdd()" { "Add" } else { "Save" }).await;
                    until(
                        &browser,
                        "document.querySelector('dialog [aria-invalid=true]')",
                    )
                    .await;
                }
                _ => {}
            }
            let found = serious(&browser, &axe).await;
            assert_eq!(found, Vec::<Value>::new(), "{call} at {width} in {scheme}");
        }
    }
    browser.close().await.unwrap();
}

/// A window this wide, of somebody who likes this scheme.
async fn emulate(driver: &Driver, browser: &Client, width: u32, scheme: &str) {
    let metrics = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
    driver
        .devtools(browser, "Emulation.setDeviceMetricsOverride", metrics)
        .await;
    let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    driver
        .devtools(browser, "Emulation.setEmulatedMedia", media)
        .await;
}

fn wall_of_view() -> &'static str {
    "document.querySelector('#view')?.dataset.frames > 0"
}

const VERSION: &str = "4.14.1";

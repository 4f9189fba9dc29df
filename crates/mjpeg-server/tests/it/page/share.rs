//! The dialog in which links are made, in Chromium.

use std::time::Duration;

use mjpeg_testkit::Viewer;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    GATEWAY, Relay, alice,
    browsing::{browser, log_in_by_api, no_violations, type_into, until, value},
    dialogs::{CLOSED, field, open, press},
};
use crate::browser::{Driver, sees_a_moving_picture, serve_page};

fn relay() -> Relay {
    let closed =
        "[auth]\nanonymous = []\n[[streams]]\nname = \"door\"\nsource = \"test:?fps=20\"\n";
    Relay::start(&[GATEWAY, closed, &alice()].concat(), 1)
}

#[tokio::test]
async fn link_is_made_opened_by_somebody_else_and_revoked() {
    let relay = relay();
    let driver = Driver::start();
    let owner = browser(&driver).await;
    log_in_by_api(&owner, &relay).await;
    open(&owner, &relay, "share", "openShare('door')").await;
    let label = "Pictures per second at most";
    let id = value(&owner, &format!("{}.id", field(label))).await;
    let selector = format!("#{}", id.as_str().unwrap());
    type_into(&owner, &selector, "10").await;
    press(&owner, "Make a link").await;
    until(&owner, "document.querySelector('dialog .qr path')").await;
    let link = value(&owner, &format!("{}.value", field("Link"))).await;
    let link = link.as_str().expect("a link").to_owned();
    assert!(
        link.starts_with(&format!("{}door/stream?", relay.url())),
        "{link}"
    );
    // It is chosen already, to be copied.
    let chosen = value(&owner, "getSelection().toString()").await;
    assert_eq!(chosen, link.as_str());
    let row = "document.querySelector('dialog td:nth-child(2)').textContent";
    until(&owner, &format!("{row} === 'live, 10 fps'")).await;

    let other = browser(&driver).await;
    let page = serve_page(format!("<!doctype html><img crossorigin src='{link}'>")).await;
    other.goto(&page).await.unwrap();
    sees_a_moving_picture(&other).await;
    let path = link.strip_prefix(relay.url()).unwrap();
    let viewer = Viewer::open(relay.addr(), &format!("/{path}")).await;
    let mut viewer = viewer.expect("a response");
    viewer.next_frame().await.expect("a frame");

    press(&owner, "Revoke").await;
    until(
        &owner,
        "document.querySelector('dialog h3').textContent.includes('no links')",
    )
    .await;
    let ending = async { while let Ok(Some(_)) = viewer.next_frame().await {} };
    timeout(Duration::from_secs(5), ending)
        .await
        .expect("the response ends");
    let refused = relay.ask("GET", &format!("/{path}"), "", "").await;
    assert_eq!(refused.head.status, 401);
    other.goto(&page).await.unwrap();
    let image = "document.querySelector('img')";
    until(
        &other,
        &format!("{image}.complete && {image}.naturalWidth === 0"),
    )
    .await;
    no_violations(&owner).await;
    other.close().await.unwrap();
    owner.close().await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_a_link_is_said_and_links_of_others_are_not_listed() {
    let relay = relay();
    let driver = Driver::start();
    let browser = browser(&driver).await;
    log_in_by_api(&browser, &relay).await;
    open(&browser, &relay, "share", "openShare('door')").await;
    // No number field of a browser lets it through.
    let script = format!("{}.type = 'text'", field("Pictures per second at most"));
    browser.execute(&script, vec![]).await.unwrap();
    let id = value(
        &browser,
        &format!("{}.id", field("Pictures per second at most")),
    )
    .await;
    type_into(&browser, &format!("#{}", id.as_str().unwrap()), "-1").await;
    press(&browser, "Make a link").await;
    let wrong = super::dialogs::wrong("Pictures per second at most");
    until(&browser, &format!("{wrong}.includes('frames per second')")).await;
    assert_eq!(
        value(&browser, "document.querySelector('dialog td')").await,
        Value::Null
    );
    press(&browser, "✕").await;
    until(&browser, CLOSED).await;
    let made = "fetch('./api/v1/links', { method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ stream: 'door', valid_s: 60, action: 'snapshot' }) })
        .then((it) => window.made = it.status);";
    browser.execute(made, vec![]).await.unwrap();
    until(&browser, "window.made === 201").await;
    for (name, count) in [("door", 1), ("other", 0)] {
        super::dialogs::open_here(&browser, "share", &format!("openShare('{name}')")).await;
        until(&browser, "document.querySelector('dialog h3')").await;
        let rows = "document.querySelectorAll('dialog td:first-child').length";
        assert_eq!(value(&browser, rows).await, json!(count), "{name}");
        press(&browser, "✕").await;
        until(&browser, CLOSED).await;
    }
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

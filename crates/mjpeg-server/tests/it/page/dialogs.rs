//! The dialogs in which cameras are added and changed, in Chromium.

use std::fs;

use fantoccini::{Client, key::Key};
use mjpeg_testkit::{FakeHttpCamera, refused_addr};
use serde_json::{Value, json};

use super::{
    GATEWAY, LOOPBACK, Relay,
    browsing::{browser, click, no_violations, type_into, until, value},
    camera,
};
use crate::browser::Driver;

/// Opens the page, and a dialog by the function of a module that opens it.
pub(super) async fn open(browser: &Client, relay: &Relay, module: &str, call: &str) {
    browser.goto(relay.url()).await.unwrap();
    open_here(browser, module, call).await;
}

/// Opens a dialog in the page that is there.
pub(super) async fn open_here(browser: &Client, module: &str, call: &str) {
    let script = format!(
        "window.changes = 0;
         document.addEventListener('changed', () => window.changes++);
         import('./assets/{module}.js').then((module) => module.{call});"
    );
    browser.execute(&script, vec![]).await.unwrap();
    until(
        browser,
        "document.querySelector('dialog[open] :is(form, section)')",
    )
    .await;
}

/// An expression for the field with this label.
pub(super) fn field(label: &str) -> String {
    format!(
        "[...document.querySelectorAll('dialog label')]
           .find((label) => label.textContent === '{label}').control"
    )
}

/// An expression for what is wrong with that field, as a screen reader tells it.
pub(super) fn wrong(label: &str) -> String {
    format!(
        "(field => document.getElementById(field.getAttribute('aria-describedby').split(' ').pop())
           .textContent)({})",
        field(label)
    )
}

/// Enters a text into the field with this label.
pub(super) async fn enter(browser: &Client, label: &str, text: &str) {
    let script = format!("{}.id", field(label));
    let id = value(browser, &script).await;
    let selector = format!("#{}", id.as_str().expect("an id"));
    type_into(browser, &selector, text).await;
}

async fn choose(browser: &Client, label: &str, text: &str) {
    let script = format!(
        "const field = {};
         field.value = [...field.options].find((it) => it.text === '{text}').value;
         field.dispatchEvent(new Event('input', {{ bubbles: true }}));",
        field(label)
    );
    browser.execute(&script, vec![]).await.unwrap();
}

/// Clicks the button with this text.
pub(super) async fn press(browser: &Client, text: &str) {
    let script = format!(
        "const button = [...document.querySelectorAll('dialog button')]
           .find((it) => it.textContent === '{text}' && it.offsetParent);
         for (const old of document.querySelectorAll('.pressed')) old.classList.remove('pressed');
         button.classList.add('pressed');"
    );
    browser.execute(&script, vec![]).await.expect(text);
    click(browser, ".pressed").await;
}

pub(super) const CLOSED: &str = "!document.querySelector('dialog')";

async fn stream(relay: &Relay, name: &str) -> Value {
    let path = format!("/api/v1/streams/{name}");
    let answer = relay.ask("GET", &path, "", "").await;
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn relay(more: &str) -> Relay {
    Relay::start(&[GATEWAY, LOOPBACK, more].concat(), 1)
}

#[tokio::test]
async fn camera_is_added_and_what_is_wrong_is_said_before_that() {
    let camera = camera().await;
    let relay = relay("");
    let driver = Driver::start();
    let browser = browser(&driver).await;
    open(&browser, &relay, "forms", "openAdd()").await;
    assert_eq!(
        value(&browser, "document.activeElement.labels[0].textContent").await,
        "Name"
    );
    enter(&browser, "Source", "exec:ls").await;
    until(&browser, &format!("{}.includes('kind')", wrong("Source"))).await;
    until(
        &browser,
        &format!("{}.ariaInvalid === 'true'", field("Source")),
    )
    .await;
    // Nobody has been at this one yet.
    assert_eq!(value(&browser, &wrong("Name")).await, "");
    enter(&browser, "Name", "a b").await;
    until(&browser, &format!("{}.includes('1 to 64')", wrong("Name"))).await;
    click(&browser, "dialog summary").await;
    enter(&browser, "Stall limit", "5").await;
    enter(&browser, "Name", "yard").await;
    enter(&browser, "Source", &camera.url()).await;
    until(
        &browser,
        &format!("{}.includes('unit')", wrong("Stall limit")),
    )
    .await;
    for right in ["Name", "Source"] {
        until(&browser, &format!("{} === ''", wrong(right))).await;
    }
    let list = relay.ask("GET", "/api/v1/streams", "", "").await;
    assert!(!super::text(&list).contains("yard"));
    // What is wrong is found again, and shown, even where it was folded away.
    click(&browser, "dialog summary").await;
    press(&browser, "Add").await;
    until(&browser, "document.querySelector('dialog details').open").await;
    let focused = "document.activeElement.labels?.[0]?.textContent";
    until(&browser, &format!("{focused} === 'Stall limit'")).await;
    enter(&browser, "Stall limit", "5s").await;
    enter(&browser, "Max fps", "20").await;
    click(&browser, "dialog summary").await;
    press(&browser, "Add").await;
    until(&browser, CLOSED).await;
    assert_eq!(value(&browser, "changes").await, 1);
    let added = stream(&relay, "yard").await;
    let config = json!({ "source": camera.url(), "stall_limit": "5s", "max_fps": 20 });
    assert_eq!(
        (&added["config"], &added["origin"]),
        (&config, &"api".into())
    );
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn camera_that_does_not_answer_is_added_all_the_same_if_that_is_wanted() {
    let dead = refused_addr().await;
    let relay = relay("");
    let driver = Driver::start();
    let browser = browser(&driver).await;
    open(&browser, &relay, "forms", "openAdd()").await;
    press(&browser, "Add").await;
    until(
        &browser,
        &format!("{} && {}", wrong("Name"), wrong("Source")),
    )
    .await;
    enter(&browser, "Name", "yard").await;
    enter(&browser, "Source", &format!("tcp://{dead}")).await;
    press(&browser, "Add").await;
    let anyway = "Add it even if the camera does not answer now";
    until(
        &browser,
        &format!("document.activeElement === {}", field(anyway)),
    )
    .await;
    let problem = "document.querySelector('dialog .problem').textContent";
    until(&browser, &format!("{problem}.includes('all the same')")).await;
    browser
        .active_element()
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    press(&browser, "Add").await;
    until(&browser, CLOSED).await;
    assert_eq!(stream(&relay, "yard").await["config"]["start"], Value::Null);
    open_here(&browser, "forms", "openAdd()").await;
    enter(&browser, "Source", "test:").await;
    enter(&browser, "Name", "yard").await;
    until(&browser, &format!("{}.includes('taken')", wrong("Name"))).await;
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn camera_that_cannot_be_stored_is_added_for_this_run() {
    let relay = Relay::start_without_folder(&[GATEWAY, LOOPBACK].concat());
    let driver = Driver::start();
    let browser = browser(&driver).await;
    open(&browser, &relay, "forms", "openAdd()").await;
    enter(&browser, "Name", "yard").await;
    enter(&browser, "Source", "test:").await;
    until(
        &browser,
        &format!("{}.includes('no folder')", wrong("Keep this")),
    )
    .await;
    choose(&browser, "Keep this", "Only until the relay starts anew").await;
    until(&browser, &format!("!{}", wrong("Keep this"))).await;
    press(&browser, "Add").await;
    until(&browser, CLOSED).await;
    assert_eq!(stream(&relay, "yard").await["origin"], "run");
    browser.close().await.unwrap();
}

#[tokio::test]
async fn camera_that_sends_its_pictures_is_added_and_where_it_sends_them_is_shown() {
    let relay = relay("");
    let driver = Driver::start();
    let browser = browser(&driver).await;
    open(&browser, &relay, "forms", "openAdd()").await;
    let hint = "document.querySelector('dialog').textContent.includes('push:')";
    until(&browser, hint).await;
    enter(&browser, "Name", "phone").await;
    enter(&browser, "Source", "push:").await;
    press(&browser, "Add").await;
    until(&browser, CLOSED).await;
    browser
        .goto(&format!("{}#phone", relay.url()))
        .await
        .unwrap();
    browser.refresh().await.unwrap();
    let told = format!("{}phone/push", relay.url());
    let facts = "document.querySelector('dialog.full dl')?.textContent ?? ''";
    until(
        &browser,
        &format!("({facts}).includes('Pictures are sent to{told}')"),
    )
    .await;
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn password_that_is_masked_is_kept_and_sent_to_no_other_host() {
    let watched = FakeHttpCamera::saying("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    let relay = relay("");
    let source = watched
        .url("/video")
        .replace("http://", "http://me:hunter2@");
    let body = json!({ "name": "yard", "source": source, "start": "retry", "max_fps": 5 });
    let headers = format!("{}Origin: http://{}\r\n", super::JSON, relay.addr());
    let added = relay
        .ask("POST", "/api/v1/streams", &headers, &body.to_string())
        .await;
    assert_eq!(added.head.status, 201, "{}", super::text(&added));
    let driver = Driver::start();
    let browser = browser(&driver).await;
    open(&browser, &relay, "forms", "openEdit('yard')").await;
    let masked = watched.url("/video").replace("http://", "http://***@");
    assert_eq!(
        value(&browser, &format!("{}.value", field("Source"))).await,
        masked
    );
    assert_eq!(
        value(&browser, &format!("{}.value", field("Max fps"))).await,
        "5"
    );
    enter(&browser, "Source", "http://***@192.0.2.1/video").await;
    until(
        &browser,
        &format!("{}.includes('same scheme, host and port')", wrong("Source")),
    )
    .await;
    enter(&browser, "Source", &masked.replace("/video", "/other")).await;
    until(&browser, &format!("!{}", wrong("Source"))).await;
    enter(&browser, "Max fps", "").await;
    press(&browser, "Save").await;
    until(&browser, CLOSED).await;
    let changed = stream(&relay, "yard").await;
    assert_eq!(
        changed["config"],
        json!({ "source": masked.replace("/video", "/other") })
    );
    let stored = fs::read_to_string(relay.stored("yard")).unwrap();
    assert!(stored.contains("me:hunter2@") && stored.contains("/other"));
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn change_of_somebody_else_is_shown_and_not_overwritten() {
    let relay = relay("[[streams]]\nname = \"door\"\nsource = \"test:\"\nmax_viewers = 9\n");
    let driver = Driver::start();
    let browser = browser(&driver).await;
    open(&browser, &relay, "forms", "openEdit('door')").await;
    // It stands in a file.
    assert_eq!(
        value(&browser, &format!("{}.value", field("Keep this"))).await,
        "false"
    );
    assert!(
        value(&browser, "document.querySelector('dialog').textContent")
            .await
            .as_str()
            .unwrap()
            .contains("defined in a file")
    );
    let headers = format!("{}Origin: http://{}\r\n", super::JSON, relay.addr());
    let path = "/api/v1/streams/door?persist=false";
    let other = relay
        .ask("PATCH", path, &headers, r#"{"max_fps": 7}"#)
        .await;
    assert_eq!(other.head.status, 200);
    click(&browser, "dialog summary").await;
    enter(&browser, "Max viewers", "3").await;
    press(&browser, "Save").await;
    let notice = "document.querySelector('dialog .warning[role=alert]').textContent";
    until(&browser, &format!("{notice}.includes('Somebody else')")).await;
    assert_eq!(
        value(&browser, &format!("{}.value", field("Max fps"))).await,
        "7"
    );
    assert_eq!(
        value(&browser, &format!("{}.value", field("Max viewers"))).await,
        "9"
    );
    assert_eq!(stream(&relay, "door").await["config"]["max_viewers"], 9);
    click(&browser, "dialog summary").await;
    enter(&browser, "Max viewers", "3").await;
    press(&browser, "Save").await;
    until(&browser, CLOSED).await;
    let config = &stream(&relay, "door").await["config"];
    assert_eq!(
        (&config["max_viewers"], &config["max_fps"]),
        (&3.into(), &7.into())
    );
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn camera_is_paused_resumed_and_removed_after_a_question() {
    let camera = camera().await;
    let relay = relay("");
    let body = json!({ "name": "yard", "source": camera.url() }).to_string();
    let headers = format!("{}Origin: http://{}\r\n", super::JSON, relay.addr());
    relay.ask("POST", "/api/v1/streams", &headers, &body).await;
    let driver = Driver::start();
    let browser = browser(&driver).await;
    open(&browser, &relay, "forms", "openEdit('yard')").await;
    press(&browser, "Pause").await;
    until(&browser, "document.activeElement.textContent === 'Resume'").await;
    assert_eq!(stream(&relay, "yard").await["state"], "paused");
    press(&browser, "Resume").await;
    until(&browser, "document.activeElement.textContent === 'Pause'").await;
    for is_sure in [false, true] {
        press(&browser, "Remove").await;
        let asked = browser.get_alert_text().await.unwrap();
        assert!(asked.contains("Remove yard?"), "{asked}");
        match is_sure {
            false => browser.dismiss_alert().await.unwrap(),
            true => browser.accept_alert().await.unwrap(),
        }
        if !is_sure {
            assert_eq!(stream(&relay, "yard").await["name"], "yard");
        }
    }
    until(&browser, CLOSED).await;
    assert_eq!(stream(&relay, "yard").await["code"], "not_found");
    assert_eq!(value(&browser, "changes").await, 3);
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

/// What a screen reader and a keyboard need, and a narrow phone.
#[tokio::test]
async fn dialogs_have_labels_fit_a_phone_close_with_escape_and_return_the_focus() {
    let relay = relay("[[streams]]\nname = \"door\"\nsource = \"test:\"\n");
    let driver = Driver::start();
    let browser = browser(&driver).await;
    let phone = json!({ "width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": true });
    driver
        .devtools(&browser, "Emulation.setDeviceMetricsOverride", phone)
        .await;
    browser.goto(relay.url()).await.unwrap();
    let opener =
        "document.body.insertAdjacentHTML('beforeend', '<button id=starter>Open</button>')";
    browser.execute(opener, vec![]).await.unwrap();
    for (module, call) in [
        ("forms", "openAdd()"),
        ("forms", "openEdit('door')"),
        ("share", "openShare('door')"),
        ("snippets", "openSnippets('door')"),
    ] {
        browser.execute("starter.focus()", vec![]).await.unwrap();
        open_here(&browser, module, call).await;
        browser
            .execute(
                "for (const it of document.querySelectorAll('details')) it.open = true",
                vec![],
            )
            .await
            .unwrap();
        let unnamed = value(
            &browser,
            "[...document.querySelectorAll('dialog :is(input, select, textarea, button, pre)')]
               .filter((it) => !it.labels?.length && !it.ariaLabel && !it.textContent)
               .map((it) => it.outerHTML)",
        );
        assert_eq!(unnamed.await, json!([]), "{call}");
        let dangling = value(
            &browser,
            "[...document.querySelectorAll('dialog [aria-describedby]')]
               .flatMap((it) => it.getAttribute('aria-describedby').split(' '))
               .filter((id) => !document.getElementById(id))",
        );
        assert_eq!(dangling.await, json!([]), "{call}");
        let wide = value(
            &browser,
            "[...document.querySelectorAll('dialog, dialog :is(form, section, div, dl, input)')]
               .filter((it) => !it.matches('.scroll') && it.scrollWidth > it.clientWidth + 1)
               .filter((it) => !it.matches('input'))
               .map((it) => it.outerHTML.slice(0, 200))",
        );
        assert_eq!(wide.await, json!([]), "{call}");
        let focused = browser.active_element().await.unwrap();
        focused.send_keys(&Key::Escape.to_string()).await.unwrap();
        until(&browser, CLOSED).await;
        assert_eq!(
            value(&browser, "document.activeElement.id").await,
            "starter",
            "{call}"
        );
    }
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

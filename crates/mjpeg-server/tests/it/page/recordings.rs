//! The dialog of time-lapses and clips, in Chromium.

use fantoccini::Client;
use serde_json::Value;

use super::{
    GATEWAY, Relay, alice,
    browsing::{browser, log_in_by_api, no_violations, until, value},
    dialogs::{CLOSED, enter, open_here, press},
    text,
};
use crate::browser::Driver;

const STREAM: &str = "\
[[streams]]
name = \"door\"
source = \"test:?size=320x180&fps=10\"
replay = \"10m\"
";

/// The time-lapse or clip that is listed first.
const FIRST: &str = "document.querySelector('.kept > li')";

/// A button of it.
fn button(label: &str) -> String {
    format!("[...{FIRST}.querySelectorAll('button')].find((it) => it.textContent === '{label}')")
}

async fn click_first(browser: &Client, label: &str) {
    let script = format!("{}.click();", button(label));
    browser.execute(&script, vec![]).await.unwrap();
}

async fn said(browser: &Client, words: &str) {
    let said = "document.querySelector('dialog.recordings [role=status]').textContent";
    until(browser, &format!("{said}.includes('{words}')")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timelapse_is_started_shown_finished_and_deleted() {
    let relay = Relay::start(&[GATEWAY, STREAM].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    browser
        .goto(&format!("{}#door", relay.url()))
        .await
        .unwrap();
    let has_button = "[...document.querySelectorAll('dialog button')]
        .some((it) => it.textContent === 'Time-lapses' && it.offsetParent)";
    until(&browser, has_button).await;
    press(&browser, "Time-lapses").await;
    until(
        &browser,
        "document.querySelector('dialog.recordings details')",
    )
    .await;
    let summary = "document.querySelector('dialog.recordings summary').click();";
    browser.execute(summary, vec![]).await.unwrap();
    enter(&browser, "Title", "The shelf").await;
    let unit = "const unit = [...document.querySelectorAll('dialog label')]
          .find((label) => label.textContent === 'Unit').control;
        unit.value = '';
        unit.dispatchEvent(new Event('input', { bubbles: true }));";
    browser.execute(unit, vec![]).await.unwrap();
    enter(&browser, "Frames at most", "5").await;
    press(&browser, "Start").await;
    said(&browser, "running").await;
    until(
        &browser,
        &format!("{FIRST}.querySelector('h4').textContent === 'The shelf'"),
    )
    .await;
    let figures = format!("{FIRST}.querySelector('.figures').textContent");
    until(&browser, &format!("{figures}.startsWith('0 of 5 frames')")).await;

    for number in [1, 2] {
        click_first(&browser, "Take a picture now").await;
        until(
            &browser,
            &format!("{figures}.startsWith('{number} of 5 frames')"),
        )
        .await;
        said(&browser, "is kept").await;
        // The picture is the last one.
        let picture = format!("{FIRST}.querySelector('img')");
        until(&browser, &format!("{picture}.naturalWidth === 320")).await;
    }
    let progress = format!("{FIRST}.querySelector('progress').value");
    assert_eq!(value(&browser, &progress).await, 2);
    let movie = format!(
        "fetch({FIRST}.querySelector('a[download]').href).then((answer) => answer.arrayBuffer())
           .then((bytes) => (window.kind = new TextDecoder().decode(bytes.slice(4, 8))));"
    );
    browser.execute(&movie, vec![]).await.unwrap();
    // It is a MOV.
    until(&browser, "window.kind === 'ftyp'").await;

    click_first(&browser, "Finish").await;
    until(&browser, &format!("{FIRST}.dataset.state === 'ended'")).await;
    assert_eq!(
        value(&browser, &format!("{}.hidden", button("Finish"))).await,
        true
    );
    // Only what is really meant is deleted.
    for answer in ["false", "true"] {
        let confirm = format!("window.confirm = (text) => (window.asked = text, {answer});");
        browser.execute(&confirm, vec![]).await.unwrap();
        click_first(&browser, "Delete").await;
        until(&browser, "window.asked").await;
        if answer == "false" {
            assert_ne!(value(&browser, FIRST).await, Value::Null);
        }
    }
    until(&browser, &format!("!{FIRST}")).await;
    let list = relay.ask("GET", "/api/v1/timelapses", "", "").await;
    assert!(text(&list).contains("\"timelapses\":[]"), "{}", text(&list));
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clip_is_kept_and_guests_see_it_without_what_changes_it() {
    let guests = "[auth]\nanonymous = [\"view\", \"replay\"]\n";
    let relay = Relay::start(&[GATEWAY, guests, STREAM, &*alice()].concat(), 1);
    let driver = Driver::start();
    let owner = browser(&driver).await;
    log_in_by_api(&owner, &relay).await;
    owner.goto("about:blank").await.unwrap();
    owner.goto(&format!("{}#door", relay.url())).await.unwrap();
    until(
        &owner,
        "Number(document.querySelector('#past-time')?.min) < -3",
    )
    .await;
    let keep = "[...document.querySelectorAll('.replay button')]
          .find((it) => it.textContent === 'Keep on the relay')";
    until(&owner, &format!("{keep}.offsetParent")).await;
    owner
        .execute(&format!("{keep}.click()"), vec![])
        .await
        .unwrap();
    let kept = "document.querySelector('.replay [role=status]').textContent";
    until(
        &owner,
        &format!("/kept on the relay: \\d+ pictures/.test({kept})"),
    )
    .await;
    press(&owner, "Time-lapses").await;
    until(
        &owner,
        &format!("{FIRST} && {}.offsetParent", button("Delete")),
    )
    .await;
    no_violations(&owner).await;
    owner.close().await.unwrap();

    let guest = browser(&driver).await;
    guest.goto(relay.url()).await.unwrap();
    until(&guest, "document.querySelector('#recordings')").await;
    guest
        .execute("document.querySelector('#recordings').click()", vec![])
        .await
        .unwrap();
    until(
        &guest,
        &format!("{FIRST}?.querySelector('img').naturalWidth === 320"),
    )
    .await;
    let shown = "document.querySelectorAll('.kept button:not([hidden])').length";
    assert_eq!(value(&guest, shown).await, 0);
    press(&guest, "✕").await;
    until(&guest, CLOSED).await;
    guest.goto("about:blank").await.unwrap();
    guest.goto(&format!("{}#door", relay.url())).await.unwrap();
    until(&guest, "document.querySelector('.replay:not([hidden])')").await;
    assert_eq!(
        value(&guest, &format!("{keep}.offsetParent")).await,
        Value::Null
    );
    no_violations(&guest).await;
    guest.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_timelapse_is_said_at_its_field() {
    let relay = Relay::start(&[GATEWAY, STREAM].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    browser.goto(relay.url()).await.unwrap();
    open_here(&browser, "recordings", "openRecordings({ stream: 'door' })").await;
    until(&browser, "document.querySelector('dialog details')").await;
    browser
        .execute("document.querySelector('dialog summary').click();", vec![])
        .await
        .unwrap();
    let field = super::dialogs::field("Until");
    let past = format!("{field}.value = '2001-01-01T10:00';");
    browser.execute(&past, vec![]).await.unwrap();
    press(&browser, "Start").await;
    let wrong = super::dialogs::wrong("Until");
    until(&browser, &format!("{wrong}.includes('ahead')")).await;
    let focused = format!("document.activeElement === {field}");
    assert_eq!(value(&browser, &focused).await, true);
    assert_eq!(value(&browser, FIRST).await, Value::Null);
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

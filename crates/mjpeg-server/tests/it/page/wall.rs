//! The wall of cameras, in Chromium.

use std::time::Duration;

use fantoccini::{Client, Locator, key::Key};
use mjpeg_testkit::{Camera, Script, jpeg};
use serde_json::{Value, json};

use super::{
    GATEWAY, PASSWORD, Relay, alice,
    browsing::{browser, click, no_violations, type_into, until, value},
};
use crate::browser::{Driver, serve_page};

/// Streams of the test picture with these names.
pub(super) fn cameras(names: &[&str]) -> String {
    let stream = |name: &&str| {
        let source = "test:?size=160x90&fps=5";
        format!("[[streams]]\nname = \"{name}\"\nsource = \"{source}\"\n")
    };
    names.iter().map(stream).collect()
}

pub(super) async fn size(driver: &Driver, browser: &Client, width: u32, height: u32) {
    let command = "Emulation.setDeviceMetricsOverride";
    let metrics =
        json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
    driver.devtools(browser, command, metrics).await;
}

/// Runs this before the scripts of each page.
pub(super) async fn before(driver: &Driver, browser: &Client, source: &str) {
    let command = "Page.addScriptToEvaluateOnNewDocument";
    driver
        .devtools(browser, command, json!({ "source": source }))
        .await;
}

pub(super) fn tile(name: &str) -> String {
    format!("document.querySelector('[data-stream={name}]')")
}

/// An expression for whether something shows a picture.
pub(super) fn has_picture(scope: &str) -> String {
    format!(
        "[...{scope}?.querySelectorAll('.picture') ?? []].some((picture) =>
           picture.checkVisibility({{ visibilityProperty: true }})
           && (picture.naturalWidth || picture.tagName === 'CANVAS'))"
    )
}

/// A tile whose picture moves.
pub(super) async fn moves(browser: &Client, name: &str) {
    until(browser, &has_picture(&tile(name))).await;
    let frames = format!("Number({}?.dataset.frames)", tile(name));
    let now = value(browser, &frames).await;
    until(browser, &format!("{frames} > {now} + 1")).await;
}

/// How many watch a stream, as the API says.
pub(super) async fn viewers(relay: &Relay, name: &str) -> Value {
    let list = relay.ask("GET", "/api/v1/streams", "", "").await;
    let list: Value = serde_json::from_slice(&list.body).expect("JSON");
    let streams = list["streams"].as_array().expect("a list");
    let stream = streams.iter().find(|stream| stream["name"] == *name);
    stream.expect(name)["viewers"].clone()
}

pub(super) async fn until_viewers(relay: &Relay, name: &str, count: u64) {
    for _ in 0..300 {
        if viewers(relay, name).await == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} has {} viewers", viewers(relay, name).await);
}

pub(super) const SIXTEEN: [&str; 16] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p",
];

#[tokio::test]
async fn sixteen_cameras_fit_into_a_window_and_each_has_one_element() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&SIXTEEN)].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    size(&driver, &browser, 1600, 1200).await;
    browser.goto(relay.url()).await.unwrap();
    until(
        &browser,
        "document.querySelectorAll('[data-stream]').length == 16",
    )
    .await;
    for name in SIXTEEN {
        until(&browser, &has_picture(&tile(name))).await;
    }
    moves(&browser, "a").await;
    let is_inside = "[...document.querySelectorAll('[data-stream]')].every((tile) => {
        const { left, top, right, bottom, width } = tile.getBoundingClientRect();
        return left >= 0 && top >= 0 && right <= 1600 && bottom <= 1200 && width > 300;
      }) && document.documentElement.scrollHeight <= 1200";
    until(&browser, is_inside).await;
    let names = "[...document.querySelectorAll('[data-stream]')].map((t) => t.dataset.stream)";
    assert_eq!(value(&browser, names).await, json!(SIXTEEN));
    until(
        &browser,
        "document.querySelectorAll('[data-state=online]').length == 16",
    )
    .await;
    // The full view is another picture, but no other element of the stream.
    click(&browser, "[data-stream=c] .open").await;
    until(&browser, &has_picture("document.querySelector('dialog')")).await;
    assert_eq!(value(&browser, names).await, json!(SIXTEEN));
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn wall_without_a_socket_shows_streams_and_snapshots_and_leaves_a_connection_free() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&SIXTEEN[..8])].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    let source = "window.WebSocket = class { constructor() { throw new Error('none'); } };";
    before(&driver, &browser, source).await;
    size(&driver, &browser, 1600, 1200).await;
    browser.goto(relay.url()).await.unwrap();
    until(
        &browser,
        "document.documentElement.dataset.wall == 'images'",
    )
    .await;
    for name in &SIXTEEN[..8] {
        until(&browser, &has_picture(&tile(name))).await;
    }
    let streams = "[...document.querySelectorAll('[data-stream] img')]
        .filter((i) => /\\/stream\\?key=page-[0-9a-f]+&fps=10$/.test(i.src) && i.naturalWidth).length";
    assert_eq!(value(&browser, streams).await, 4);
    // A snapshot each few seconds.
    let second = format!("{}.dataset.frames > 1", tile("h"));
    until(&browser, &second).await;
    // Requests are still answered.
    let body = relay
        .ask("POST", "/api/v1/streams/h/pause", super::JSON, "{}")
        .await;
    assert_eq!(body.head.status, 204);
    until(
        &browser,
        &format!("{}.dataset.state == 'paused'", tile("h")),
    )
    .await;
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn only_what_is_in_sight_is_asked_for() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&SIXTEEN)].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    // One column, which is far longer than the window.
    size(&driver, &browser, 320, 500).await;
    browser.goto(relay.url()).await.unwrap();
    moves(&browser, "a").await;
    until_viewers(&relay, "a", 1).await;
    until_viewers(&relay, "p", 0).await;
    browser
        .execute("scrollTo(0, document.body.scrollHeight)", vec![])
        .await
        .unwrap();
    moves(&browser, "p").await;
    until_viewers(&relay, "p", 1).await;
    until_viewers(&relay, "a", 0).await;
    // The full view hides the wall.
    browser
        .execute(
            "document.querySelector('[data-stream=p] .open').click()",
            vec![],
        )
        .await
        .unwrap();
    until(&browser, &has_picture("document.querySelector('dialog')")).await;
    until_viewers(&relay, "o", 0).await;
    until_viewers(&relay, "p", 1).await;
    browser.close().await.unwrap();
    until_viewers(&relay, "p", 0).await;
}

#[tokio::test]
async fn kiosk_has_the_tiles_that_it_names_and_nothing_around_them() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&SIXTEEN[..4])].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    browser
        .goto(&format!("{}?tiles=c,a,c,nothing&fps=2", relay.url()))
        .await
        .unwrap();
    moves(&browser, "c").await;
    moves(&browser, "a").await;
    let names = "[...document.querySelectorAll('[data-stream]')].map((t) => t.dataset.stream)";
    assert_eq!(value(&browser, names).await, json!(["c", "a"]));
    let height = "document.querySelector('header').offsetHeight";
    assert_eq!(value(&browser, height).await, 0);
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn view_shows_one_camera_in_a_page_of_somebody_else() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&["door"])].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    let page = format!(
        "<!doctype html><iframe src='{}door/view'></iframe>",
        relay.url()
    );
    browser.goto(&serve_page(page).await).await.unwrap();
    browser.enter_frame(0).await.unwrap();
    moves(&browser, "door").await;
    assert_eq!(value(&browser, "document.title").await, "door");
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn keys_move_between_tiles_open_and_close_them_and_change_their_order() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&SIXTEEN[..3])].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    size(&driver, &browser, 1200, 600).await;
    browser.goto(relay.url()).await.unwrap();
    moves(&browser, "b").await;
    let focused = "document.activeElement.closest('[data-stream]')?.dataset.stream";
    let press = async |keys: &str| {
        let element = browser.active_element().await.unwrap();
        element.send_keys(keys).await.unwrap();
    };
    browser
        .execute("document.querySelector('.open').focus()", vec![])
        .await
        .unwrap();
    press(&Key::Right.to_string()).await;
    assert_eq!(value(&browser, focused).await, "b");
    press(&Key::Enter.to_string()).await;
    let title = "document.querySelector('dialog h2')?.textContent";
    until(&browser, &format!("{title} == 'b'")).await;
    press(&Key::Right.to_string()).await;
    until(&browser, &format!("{title} == 'c'")).await;
    press(&Key::Escape.to_string()).await;
    until(&browser, "!document.querySelector('dialog')").await;
    until(&browser, &format!("{focused} == 'c'")).await;
    let left = format!("{}{}", Key::Shift, Key::Left);
    press(&left).await;
    let names = "[...document.querySelectorAll('[data-stream]')].map((t) => t.dataset.stream)";
    assert_eq!(value(&browser, names).await, json!(["a", "c", "b"]));
    assert_eq!(value(&browser, focused).await, "c");
    // It is remembered.
    browser.refresh().await.unwrap();
    until(
        &browser,
        "document.querySelectorAll('[data-stream]').length == 3",
    )
    .await;
    assert_eq!(value(&browser, names).await, json!(["a", "c", "b"]));
    browser.close().await.unwrap();
}

#[tokio::test]
async fn groups_and_colours_are_remembered() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&SIXTEEN[..3])].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    browser.goto(relay.url()).await.unwrap();
    moves(&browser, "b").await;
    click(&browser, "[data-stream=b] .open").await;
    until(&browser, "document.querySelector('#group')").await;
    type_into(&browser, "#group", "house\t").await;
    browser
        .execute("document.querySelector('dialog').close()", vec![])
        .await
        .unwrap();
    let choose = "const choose = (label, value) => {
          const field = document.querySelector(`select[aria-label='${label}']`);
          field.value = value;
          field.dispatchEvent(new Event('change'));
        };
        choose('Group', 'house');
        choose('Colours', 'dark');";
    browser.execute(choose, vec![]).await.unwrap();
    let names = "[...document.querySelectorAll('[data-stream]')].map((t) => t.dataset.stream)";
    assert_eq!(value(&browser, names).await, json!(["b"]));
    let back = "getComputedStyle(document.body).backgroundColor";
    let dark = value(&browser, back).await;
    browser.refresh().await.unwrap();
    moves(&browser, "b").await;
    assert_eq!(value(&browser, names).await, json!(["b"]));
    assert_eq!(value(&browser, back).await, dark);
    browser
        .execute("localStorage.clear()", vec![])
        .await
        .unwrap();
    browser.refresh().await.unwrap();
    until(
        &browser,
        "document.querySelectorAll('[data-stream]').length == 3",
    )
    .await;
    assert_ne!(value(&browser, back).await, dark);
    browser.close().await.unwrap();
}

#[tokio::test]
async fn those_who_want_less_motion_get_a_picture_a_second() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&SIXTEEN[..2])].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    let noted = "window.sent = [];
        const { send } = WebSocket.prototype;
        WebSocket.prototype.send = function (data) {
          if (typeof data === 'string') sent.push(data);
          return send.call(this, data);
        };";
    before(&driver, &browser, noted).await;
    let asked = |fps: &str| {
        format!(
            "window.sent.concat([...document.images].map((i) => i.src))
               .some((it) => {fps})"
        )
    };
    browser.goto(relay.url()).await.unwrap();
    moves(&browser, "a").await;
    assert_eq!(
        value(
            &browser,
            &asked("it.includes('\"fps\":1') || it.endsWith('fps=1')")
        )
        .await,
        false
    );
    let media = json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
    driver
        .devtools(&browser, "Emulation.setEmulatedMedia", media)
        .await;
    until(
        &browser,
        &asked("it.includes('\"fps\":1') || it.endsWith('fps=1')"),
    )
    .await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn session_that_ends_stops_the_wall_until_somebody_logs_in_again() {
    let closed = "[auth]\nanonymous = []\n";
    let text = [GATEWAY, closed, &*cameras(&["door"]), &*alice()].concat();
    let relay = Relay::start(&text, 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    super::browsing::log_in(&browser, &relay).await;
    moves(&browser, "door").await;
    // Another tab logs out.
    let name = format!("mjpeg_session_{}", relay.addr().port());
    let cookie = browser.get_named_cookie(&name).await.unwrap();
    let headers = format!(
        "{}Cookie: {name}={}\r\nOrigin: http://{}\r\n",
        super::JSON,
        cookie.value(),
        relay.addr()
    );
    let ended = relay.ask("POST", "/logout", &headers, "{}").await;
    assert_eq!(ended.head.status, 204);
    until(&browser, "document.querySelector('dialog #login')").await;
    until(
        &browser,
        "document.documentElement.dataset.session == 'ended'",
    )
    .await;
    assert_eq!(
        value(
            &browser,
            "document.querySelector('dialog').textContent.includes('has ended')"
        )
        .await,
        true
    );
    type_into(&browser, "dialog #name", "alice").await;
    type_into(&browser, "dialog #password", PASSWORD).await;
    click(&browser, "dialog #login button").await;
    until(&browser, "!document.querySelector('dialog')").await;
    moves(&browser, "door").await;
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn controller_pauses_resumes_and_kicks_in_the_full_view() {
    let frames = (0..20).map(jpeg::numbered).collect();
    let camera = Camera::start(Script::live(frames, Duration::from_millis(50))).await;
    let stream = format!(
        "[[streams]]\nname = \"door\"\nsource = \"{}\"\n",
        camera.url()
    );
    let relay = Relay::start(&[GATEWAY, &stream].concat(), 1);
    let mut viewer = mjpeg_testkit::Viewer::open(relay.addr(), "/door/?key=somebody")
        .await
        .unwrap();
    viewer.next_frame().await.unwrap();
    let driver = Driver::start();
    let browser = browser(&driver).await;
    browser
        .goto(&format!("{}#door", relay.url()))
        .await
        .unwrap();
    until(&browser, &has_picture("document.querySelector('dialog')")).await;
    let button = async |text: &str| {
        let path = format!("//dialog//button[text()='{text}']");
        let found = browser.wait().for_element(Locator::XPath(&path)).await;
        found.expect(text).click().await.expect(text);
    };
    let state = "document.querySelector('dialog.full').dataset.state";
    button("Pause").await;
    until(&browser, &format!("{state} == 'paused'")).await;
    button("Resume").await;
    until(&browser, &format!("{state} == 'online'")).await;
    let events = "[...document.querySelectorAll('.events li')].map((e) => e.textContent).join()";
    until(&browser, &format!("/paused/.test({events})")).await;
    until(
        &browser,
        "document.querySelector('.spark polyline').getAttribute('points').length > 9",
    )
    .await;
    let row = "[...document.querySelectorAll('tbody tr')]
        .find((row) => row.textContent.includes('somebody'))";
    until(&browser, row).await;
    browser
        .execute(&format!("{row}.querySelector('button').click()"), vec![])
        .await
        .unwrap();
    while let Ok(Some(_)) = viewer.next_frame().await {}
    until(&browser, &format!("!({row})")).await;
    // What has changed is said.
    until(&browser, "said.textContent.includes('door')").await;
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn page_says_that_the_relay_does_not_answer_and_comes_back_with_it() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&["door"])].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    browser.goto(relay.url()).await.unwrap();
    moves(&browser, "door").await;
    let offline = |is: bool| json!({ "offline": is, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    driver.devtools(&browser, "Network.enable", json!({})).await;
    driver
        .devtools(&browser, "Network.emulateNetworkConditions", offline(true))
        .await;
    until(&browser, "message.textContent.includes('does not answer')").await;
    driver
        .devtools(&browser, "Network.emulateNetworkConditions", offline(false))
        .await;
    until(&browser, "message.textContent == ''").await;
    moves(&browser, "door").await;
    browser.close().await.unwrap();
}

//! What a person does with the page, in Chromium.

use std::time::Duration;

use fantoccini::{Client, Locator};
use mjpeg_testkit::FakeHttpCamera;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{GATEWAY, LOOPBACK, PASSWORD, Relay, alice, camera};
use crate::browser::Driver;

/// A browser that notes what its pages may not do.
pub(super) async fn browser(driver: &Driver) -> Client {
    let browser = driver.browser().await;
    let source = "window.violations = [];
        addEventListener('securitypolicyviolation', (event) => {
          violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
        });
        addEventListener('error', (event) => violations.push(`error ${event.message}`));
        addEventListener('unhandledrejection', ({ reason }) => violations.push(`${reason}`));";
    let command = "Page.addScriptToEvaluateOnNewDocument";
    driver
        .devtools(&browser, command, json!({ "source": source }))
        .await;
    browser
}

pub(super) async fn value(browser: &Client, expression: &str) -> Value {
    let script = format!("return {expression};");
    browser.execute(&script, vec![]).await.expect("it runs")
}

/// Waits until something is true in the page.
pub(super) async fn until(browser: &Client, expression: &str) {
    for _ in 0..300 {
        // The page may be about to be replaced.
        let script = format!("return Boolean({expression});");
        if browser
            .execute(&script, vec![])
            .await
            .is_ok_and(|is| is == true)
        {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    let page = browser.source().await;
    panic!("not in 15 seconds: {expression}\n{page:?}");
}

pub(super) async fn no_violations(browser: &Client) {
    assert_eq!(value(browser, "window.violations").await, json!([]));
}

pub(super) async fn type_into(browser: &Client, selector: &str, text: &str) {
    let field = browser.find(Locator::Css(selector)).await.expect(selector);
    field.clear().await.unwrap();
    field.send_keys(text).await.unwrap();
}

pub(super) async fn click(browser: &Client, selector: &str) {
    let element = browser.find(Locator::Css(selector)).await.expect(selector);
    element.click().await.expect(selector);
}

pub(super) async fn log_in(browser: &Client, relay: &Relay) {
    let login = format!("{}login", relay.url());
    browser.goto(&login).await.unwrap();
    type_into(browser, "#name", "alice").await;
    type_into(browser, "#password", PASSWORD).await;
    click(browser, "#login button").await;
    until(browser, "document.querySelector('#logout:not([hidden])')").await;
}

#[tokio::test]
async fn newcomer_logs_in_adds_a_camera_sees_it_removes_it_and_logs_out() {
    let camera = camera().await;
    let relay = Relay::start(&[GATEWAY, LOOPBACK, &*alice()].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    browser.goto(relay.url()).await.unwrap();
    until(&browser, "message.textContent.includes('no cameras')").await;
    assert_eq!(value(&browser, "adder.hidden").await, true);
    no_violations(&browser).await;

    click(&browser, "a[href=login]").await;
    until(&browser, "document.querySelector('#login')").await;
    // This machine is safe.
    until(&browser, "insecure.hidden").await;
    type_into(&browser, "#name", "alice").await;
    type_into(&browser, "#password", "wrong").await;
    click(&browser, "#login button").await;
    let wrong = "document.querySelector('.problem').textContent.includes('wrong')";
    until(&browser, wrong).await;
    no_violations(&browser).await;
    log_in(&browser, &relay).await;
    assert_eq!(value(&browser, "person.textContent").await, "alice");

    until(&browser, "!adder.hidden && adder.open").await;
    type_into(&browser, "#add #name", "login").await;
    type_into(&browser, "#source", "exec:ls").await;
    click(&browser, "#add button").await;
    let refused = "document.querySelector('#add .problem').textContent";
    until(&browser, &format!("{refused}.includes('kind')")).await;
    type_into(&browser, "#add #name", "yard").await;
    type_into(&browser, "#source", &camera.url()).await;
    click(&browser, "#add button").await;
    until(
        &browser,
        "document.querySelector('.card[data-state=online]')",
    )
    .await;
    assert_eq!(value(&browser, refused).await, "");
    assert_eq!(
        value(&browser, "document.querySelector('.name').textContent").await,
        "yard"
    );
    until(
        &browser,
        "document.querySelector('.picture').naturalWidth > 0",
    )
    .await;
    let first = value(&browser, "document.querySelector('.picture').src").await;
    let next = format!("document.querySelector('.picture').src != {first}");
    until(&browser, &next).await;

    click(&browser, ".pause").await;
    until(
        &browser,
        "document.querySelector('.card[data-state=paused]')",
    )
    .await;
    click(&browser, ".resume").await;
    until(
        &browser,
        "document.querySelector('.card[data-state=online]')",
    )
    .await;
    no_violations(&browser).await;
    for is_sure in [false, true] {
        click(&browser, ".remove").await;
        let asked = browser.get_alert_text().await.unwrap();
        assert!(asked.contains("Remove yard?"), "{asked}");
        match is_sure {
            false => browser.dismiss_alert().await.unwrap(),
            true => browser.accept_alert().await.unwrap(),
        }
        if !is_sure {
            until(
                &browser,
                "document.querySelector('.card[data-state=online]')",
            )
            .await;
            let list = relay.ask("GET", "/api/v1/streams", "", "").await;
            assert!(super::text(&list).contains("yard"));
        }
    }
    until(&browser, "!document.querySelector('.card')").await;

    click(&browser, "#logout").await;
    until(&browser, "document.querySelector('a[href=login]')").await;
    until(&browser, "message.textContent.includes('no cameras')").await;
    assert_eq!(value(&browser, "adder.hidden").await, true);
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn what_cameras_say_is_text_and_makes_no_element() {
    const HOSTILE: &str = "<img src=x onerror=violations.push(1)>";
    let answer =
        format!("HTTP/1.1 500 {HOSTILE}\r\nServer: {HOSTILE}\r\nContent-Length: 0\r\n\r\n");
    let saying = FakeHttpCamera::saying(answer);
    let program = format!("exec:sh -c \\\"echo '{HOSTILE}' >&2; exit 1\\\"");
    let streams = format!(
        "[[streams]]\nname = \"says\"\nsource = \"{}\"\n\
         [[streams]]\nname = \"runs\"\nsource = \"{program}\"\n",
        saying.url("/?x=%3Cimg%20src=x%20onerror=violations.push(1)%3E")
    );
    let relay = Relay::start(&[GATEWAY, &streams].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    browser.goto(relay.url()).await.unwrap();
    // Whoever is on this machine may control, as there are no users, and is told all.
    until(&browser, "document.body.textContent.includes('onerror')").await;
    until(&browser, "document.querySelectorAll('.card').length == 2").await;
    let images = value(
        &browser,
        "document.querySelectorAll('img:not(.picture)').length",
    )
    .await;
    assert_eq!(images, 0);
    click(&browser, "#adder summary").await;
    // What the relay says of a wrong request may repeat parts of it.
    type_into(&browser, "#source", HOSTILE).await;
    browser
        .execute("add.noValidate = true", vec![])
        .await
        .unwrap();
    type_into(&browser, "#add #name", HOSTILE).await;
    click(&browser, "#add button").await;
    until(
        &browser,
        "document.querySelector('#add .problem').textContent",
    )
    .await;
    let images = value(
        &browser,
        "document.querySelectorAll('img:not(.picture)').length",
    )
    .await;
    assert_eq!(images, 0);
    no_violations(&browser).await;
    // The list that is there without the script.
    let page = relay.ask("GET", "/", "", "").await;
    assert!(!super::text(&page).contains(HOSTILE));
    browser.close().await.unwrap();
}

#[tokio::test]
async fn policy_of_the_page_stops_scripts_and_styles_in_its_text() {
    let relay = Relay::start(&[GATEWAY, &*alice()].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    browser.goto(relay.url()).await.unwrap();
    let inject = "document.body.insertAdjacentHTML('beforeend',
        '<img src=x onerror=\"window.ran = true\"><style>a {}</style>');";
    browser.execute(inject, vec![]).await.unwrap();
    until(&browser, "violations.length >= 2").await;
    assert_eq!(value(&browser, "window.ran === undefined").await, true);
    browser.close().await.unwrap();
}

#[tokio::test]
async fn login_below_a_path_of_a_proxy_warns_where_others_can_read_along() {
    let base_path = "base_path = \"/cams\"\n";
    let relay = Relay::start(&[GATEWAY, base_path, &*alice()].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    // Leads to this machine, but browsers do not take it for a safe way.
    let url = format!("http://0.0.0.0:{}/cams/", relay.addr().port());
    browser.goto(&format!("{url}login")).await.unwrap();
    until(&browser, "!insecure.hidden").await;
    type_into(&browser, "#name", "alice").await;
    type_into(&browser, "#password", PASSWORD).await;
    click(&browser, "#login button").await;
    until(&browser, "document.querySelector('#logout:not([hidden])')").await;
    assert_eq!(browser.current_url().await.unwrap().as_str(), url);
    until(&browser, "message.textContent.includes('no cameras')").await;
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

//! What a person does with the page, in Chromium.

use std::time::Duration;

use fantoccini::{Client, Locator};
use mjpeg_testkit::{FakeHttpCamera, Viewer};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{GATEWAY, LOOPBACK, PASSWORD, Relay, alice, camera};
use crate::browser::Driver;

/// A browser that notes what its pages may not do.
pub(crate) async fn browser(driver: &Driver) -> Client {
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

pub(crate) async fn value(browser: &Client, expression: &str) -> Value {
    let script = format!("return {expression};");
    browser.execute(&script, vec![]).await.expect("it runs")
}

/// Waits until something is true in the page.
pub(crate) async fn until(browser: &Client, expression: &str) {
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

pub(crate) async fn no_violations(browser: &Client) {
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
    until(browser, "document.querySelector('#logout')").await;
}

/// Logs in without the page where people do.
pub(super) async fn log_in_by_api(browser: &Client, relay: &Relay) {
    browser.goto(relay.url()).await.unwrap();
    let script = format!(
        "fetch('./login', {{ method: 'POST', headers: {{ 'Content-Type': 'application/json' }},
           body: JSON.stringify({}) }}).then((answer) => window.loggedIn = answer.ok);",
        json!({ "name": "alice", "password": PASSWORD })
    );
    browser.execute(&script, vec![]).await.unwrap();
    until(browser, "window.loggedIn").await;
}

#[tokio::test]
async fn newcomer_logs_in_sees_a_camera_and_logs_out() {
    let camera = camera().await;
    let relay = Relay::start(&[GATEWAY, LOOPBACK, &*alice()].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    browser.goto(relay.url()).await.unwrap();
    until(&browser, "message.textContent.includes('no cameras')").await;
    until(&browser, "document.querySelector('a[href=login]')").await;
    assert_eq!(
        value(&browser, "document.querySelector('#add')").await,
        json!(null)
    );
    no_violations(&browser).await;

    click(&browser, "a[href=login]").await;
    until(&browser, "document.querySelector('#login')").await;
    // This machine is safe.
    assert_eq!(
        value(&browser, "document.querySelector('#insecure')").await,
        json!(null)
    );
    type_into(&browser, "#name", "alice").await;
    type_into(&browser, "#password", "wrong").await;
    click(&browser, "#login button").await;
    let wrong = "document.querySelector('.problem[role=alert]').textContent.includes('wrong')";
    until(&browser, wrong).await;
    no_violations(&browser).await;
    log_in(&browser, &relay).await;
    assert_eq!(value(&browser, "person.textContent").await, "alice");
    until(&browser, "document.querySelector('#add')").await;

    let add = format!(
        "fetch('api/v1/streams', {{
           method: 'POST',
           headers: {{ 'Content-Type': 'application/json' }},
           body: JSON.stringify({{ name: 'yard', source: '{}' }}),
         }}).then(() => document.dispatchEvent(new Event('changed')))",
        camera.url()
    );
    browser.execute(&add, vec![]).await.unwrap();
    until(
        &browser,
        "document.querySelector('.tile[data-state=online]')",
    )
    .await;
    assert_eq!(
        value(&browser, "document.querySelector('.name').textContent").await,
        "yard"
    );
    until(
        &browser,
        "document.querySelector('.tile').dataset.frames > 2",
    )
    .await;
    until(
        &browser,
        "/fps .* 1 viewer/.test(document.querySelector('.figures').textContent)",
    )
    .await;
    no_violations(&browser).await;

    click(&browser, "#logout").await;
    until(&browser, "document.querySelector('a[href=login]')").await;
    // Strangers may still see it.
    until(
        &browser,
        "document.querySelector('.tile[data-state=online]')",
    )
    .await;
    assert_eq!(
        value(&browser, "document.querySelector('#add')").await,
        json!(null)
    );
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
    until(&browser, "document.querySelectorAll('.tile').length == 2").await;
    let images = "document.querySelectorAll('img:not(.picture)').length";
    assert_eq!(value(&browser, images).await, 0);
    // The name and program of a viewer are its own words.
    let headers = [("User-Agent", HOSTILE)];
    let path = "/runs/?key=%3Cimg%20src=x%20onerror=violations.push(1)%3E";
    let _viewer = Viewer::open_with(relay.addr(), path, &headers)
        .await
        .unwrap();
    browser
        .goto(&format!("{}#runs", relay.url()))
        .await
        .unwrap();
    browser.refresh().await.unwrap();
    until(
        &browser,
        "document.querySelector('tbody')?.textContent.includes('onerror')",
    )
    .await;
    until(
        &browser,
        "document.querySelector('.events')?.textContent.includes('onerror')",
    )
    .await;
    until(
        &browser,
        "document.querySelector('.facts')?.textContent.includes('onerror')",
    )
    .await;
    assert_eq!(value(&browser, images).await, 0);
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
    until(&browser, "document.querySelector('#insecure')").await;
    type_into(&browser, "#name", "alice").await;
    type_into(&browser, "#password", PASSWORD).await;
    click(&browser, "#login button").await;
    until(&browser, "document.querySelector('#logout')").await;
    assert_eq!(browser.current_url().await.unwrap().as_str(), url);
    until(&browser, "message.textContent.includes('no cameras')").await;
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

//! What is shown stays so: a disconnected viewer, a page that is not seen, floods of events, and
//! names and addresses that are unlike others.

use fantoccini::Client;
use serde_json::{Value, json};

use super::{
    GATEWAY, Relay,
    browsing::{browser, click, no_violations, type_into, until, value},
    wall::{SIXTEEN, before, cameras, has_picture, moves, size, tile, until_viewers, viewers},
};
use crate::browser::Driver;

/// Disconnects all viewers of a stream.
async fn kick(relay: &Relay, name: &str) {
    let path = format!("/api/v1/streams/{name}/viewers");
    let list = relay.ask("GET", &path, "", "").await;
    let list: Value = serde_json::from_slice(&list.body).expect("JSON");
    for viewer in list["viewers"].as_array().expect("a list") {
        let path = format!("/api/v1/viewers/{}", viewer["id"].as_str().expect("an id"));
        let kicked = relay.ask("DELETE", &path, super::JSON, "").await;
        assert_eq!(kicked.head.status, 204);
    }
}

async fn run(browser: &Client, script: &str) {
    browser.execute(script, vec![]).await.expect("it runs");
}

/// Does what makes the page set its tiles anew: none of it asks for the stream `a`.
async fn stir(relay: &Relay, browser: &Client) {
    run(browser, "window.sent = [];").await;
    let choose = |fps: u8| {
        format!(
            "const field = document.querySelector(`select[aria-label='Pictures per second']`);
             field.value = '{fps}';
             field.dispatchEvent(new Event('change'));"
        )
    };
    for fps in [1, 2] {
        run(browser, &choose(fps)).await;
        until(browser, &format!("sent.at(-1)?.includes('\"fps\":{fps}')")).await;
    }
    run(browser, "scrollTo(0, document.body.scrollHeight)").await;
    until_viewers(relay, "p", 1).await;
    run(browser, "scrollTo(0, 0)").await;
    until_viewers(relay, "b", 1).await;
    for verb in ["pause", "resume"] {
        let path = format!("/api/v1/streams/b/{verb}");
        let done = relay.ask("POST", &path, super::JSON, "{}").await;
        assert_eq!(done.head.status, 204);
        let is = if verb == "pause" { "==" } else { "!=" };
        let state = format!("{}.dataset.state {is} 'paused'", tile("b"));
        until(browser, &state).await;
    }
    moves(browser, "b").await;
    let asked = "sent.filter((text) => text.includes('\"stream\":\"a\"'))";
    assert_eq!(value(browser, asked).await, json!([]));
    assert_eq!(viewers(relay, "a").await, 0);
    let says = format!("{}.textContent.includes('disconnected')", tile("a"));
    assert_eq!(value(browser, &says).await, true);
}

#[tokio::test]
async fn kicked_viewer_comes_back_with_a_click_and_with_nothing_else() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&SIXTEEN)].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    let noted = "window.sent = [];
        const { send } = WebSocket.prototype;
        WebSocket.prototype.send = function (data) {
          if (typeof data === 'string' && data.includes('tiles')) sent.push(data);
          return send.call(this, data);
        };";
    before(&driver, &browser, noted).await;
    size(&driver, &browser, 320, 500).await;
    browser.goto(relay.url()).await.unwrap();
    moves(&browser, "a").await;
    let says = format!("{}.textContent.includes('disconnected')", tile("a"));
    kick(&relay, "a").await;
    until(&browser, &says).await;
    stir(&relay, &browser).await;
    // In the full view, too, and then the tile is not asked for either.
    click(&browser, "[data-stream=a] .open").await;
    until(&browser, &has_picture("document.querySelector('dialog')")).await;
    until_viewers(&relay, "a", 1).await;
    kick(&relay, "a").await;
    let told = "document.querySelector('dialog .problem').textContent.includes('disconnected')";
    until(&browser, told).await;
    run(&browser, "document.querySelector('dialog').close()").await;
    until_viewers(&relay, "b", 1).await;
    stir(&relay, &browser).await;
    click(&browser, "[data-stream=a] .open").await;
    until(&browser, &has_picture("document.querySelector('dialog')")).await;
    run(&browser, "document.querySelector('dialog').close()").await;
    moves(&browser, "a").await;
    assert_eq!(value(&browser, &says).await, false);
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn kicked_view_comes_back_with_a_click_and_not_by_itself() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&["door"])].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    let faster = "window.retries = 0;
        const every = setInterval;
        window.setInterval = (act, ms) => every(() => {
          if (ms === 10_000) retries++;
          act();
        }, ms / 20);";
    before(&driver, &browser, faster).await;
    let url = format!("{}door/view", relay.url());
    browser.goto(&url).await.unwrap();
    moves(&browser, "door").await;
    kick(&relay, "door").await;
    let says = "document.querySelector('.note').textContent.includes('disconnected')";
    until(&browser, says).await;
    run(&browser, "window.retries = 0").await;
    until(&browser, "retries > 3").await;
    assert_eq!(value(&browser, says).await, true);
    assert_eq!(viewers(&relay, "door").await, 0);
    click(&browser, "#view").await;
    moves(&browser, "door").await;
    assert_eq!(value(&browser, says).await, false);
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

/// Without a socket, streams take its place.
#[tokio::test]
async fn kicked_viewer_of_a_plain_stream_comes_back_with_a_click_and_not_by_itself() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&["a", "b"])].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    let source = "window.WebSocket = class { constructor() { throw new Error('none'); } };";
    before(&driver, &browser, source).await;
    browser.goto(relay.url()).await.unwrap();
    until(
        &browser,
        "document.documentElement.dataset.wall == 'images'",
    )
    .await;
    // Not every browser tells of each picture.
    let shows = async |name| {
        until(&browser, &has_picture(&tile(name))).await;
        until_viewers(&relay, name, 1).await;
    };
    shows("a").await;
    shows("b").await;
    // A stream that ends for another reason is opened again.
    let cut = "document.querySelector('[data-stream=b] img').dispatchEvent(new Event('error'))";
    run(
        &browser,
        "window.was = document.querySelector('[data-stream=b] img').src",
    )
    .await;
    run(&browser, cut).await;
    until(
        &browser,
        "document.querySelector('[data-stream=b] img').src !== window.was",
    )
    .await;
    shows("b").await;
    kick(&relay, "a").await;
    let says = format!("{}.textContent.includes('disconnected')", tile("a"));
    until(&browser, &says).await;
    assert_eq!(viewers(&relay, "a").await, 0);
    // Longer than until a stream that has ended otherwise is opened again, and while the tiles are
    // set anew.
    for state in ["paused", "online", "paused", "online"] {
        let verb = if state == "paused" { "pause" } else { "resume" };
        let path = format!("/api/v1/streams/b/{verb}");
        let done = relay.ask("POST", &path, super::JSON, "{}").await;
        assert_eq!(done.head.status, 204);
        let now = format!("{}.dataset.state == '{state}'", tile("b"));
        until(&browser, &now).await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    assert_eq!(viewers(&relay, "a").await, 0);
    assert_eq!(value(&browser, &says).await, true);
    click(&browser, "[data-stream=a] .open").await;
    until(&browser, &has_picture("document.querySelector('dialog')")).await;
    until_viewers(&relay, "a", 1).await;
    run(&browser, "document.querySelector('dialog').close()").await;
    shows("a").await;
    assert_eq!(value(&browser, &says).await, false);
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn list_that_hangs_is_given_up_and_asked_for_again() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&["door"])].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    let hanging = "Object.assign(window, { hangs: false, hung: 0 });
        const get = fetch;
        window.fetch = (url, options) => {
          if (!hangs || !String(url).includes('/api/v1/streams?')) return get(url, options);
          hung++;
          return new Promise((_, fail) => {
            options.signal?.addEventListener('abort', () => fail(options.signal.reason));
          });
        };";
    before(&driver, &browser, hanging).await;
    browser.goto(relay.url()).await.unwrap();
    moves(&browser, "door").await;
    run(&browser, "hangs = true").await;
    until(&browser, "hung > 0").await;
    until(&browser, "message.textContent.includes('does not answer')").await;
    until(
        &browser,
        "document.documentElement.classList.contains('cut-off')",
    )
    .await;
    // It is asked for again and again.
    until(&browser, "hung > 1").await;
    run(&browser, "hangs = false").await;
    until(&browser, "message.textContent == ''").await;
    moves(&browser, "door").await;
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn page_that_is_not_seen_keeps_its_socket_as_long_as_pings_are_answered() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&["door"])].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    // Between two runs of a timer, 20 seconds pass by the page's clock.
    let late = "Object.defineProperty(document, 'hidden', { get: () => true });
        const [now, every] = [performance.now.bind(performance), setInterval];
        performance.now = () => now() * 20;
        window.setInterval = (act, ms) => every(act, ms / 5);
        Object.assign(window, { sockets: 0, pongs: 0, isMute: false });
        window.WebSocket = class extends WebSocket {
          constructor(...of) {
            super(...of);
            sockets++;
            this.addEventListener('message', ({ data }) => String(data).includes('pong') && pongs++);
          }
          send(data) {
            if (!isMute) super.send(data);
          }
        };";
    before(&driver, &browser, late).await;
    browser.goto(relay.url()).await.unwrap();
    until(&browser, "pongs > 3").await;
    assert_eq!(value(&browser, "sockets").await, 1);
    // A relay that does not answer is gone.
    run(&browser, "isMute = true").await;
    until(&browser, "sockets > 1").await;
    run(&browser, "isMute = false").await;
    until(
        &browser,
        "document.documentElement.dataset.wall == 'socket'",
    )
    .await;
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn flood_of_events_asks_for_one_list_at_a_time_and_not_too_often() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&["door"])].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    let counted = "Object.assign(window, { begun: [], open: 0, most: 0 });
        const get = fetch;
        window.fetch = async (url, options) => {
          if (!String(url).includes('/api/v1/streams?')) return get(url, options);
          begun.push(performance.now());
          window.most = Math.max(most, ++window.open);
          try {
            const answer = await get(url, options);
            await new Promise((wake) => setTimeout(wake, 200));
            return answer;
          } finally {
            window.open--;
          }
        };
        window.EventSource = class extends EventSource {
          constructor(...of) {
            super(...of);
            window.events = this;
          }
        };
        window.tell = (change) => {
          for (let id = 0; id < 50; id++) {
            const event = { id: `${change}${id}`, at: '2026-01-01T00:00:00Z', stream: 'door', change };
            events.dispatchEvent(new MessageEvent('stream', { data: JSON.stringify(event) }));
          }
        };";
    before(&driver, &browser, counted).await;
    browser.goto(relay.url()).await.unwrap();
    moves(&browser, "door").await;
    run(&browser, "window.before = begun.length; tell('frozen');").await;
    until(&browser, "begun.length > window.before").await;
    run(&browser, "tell('moving')").await;
    until(&browser, "begun.length > window.before + 1").await;
    run(&browser, "tell('source')").await;
    until(&browser, "begun.length > window.before + 2 && !open").await;
    assert_eq!(value(&browser, "most").await, 1);
    let close = "begun.filter((at, i) => at - begun[i - 1] < 490).length";
    assert_eq!(value(&browser, close).await, 0);
    // What is in the pictures is not in the list. One may be due by itself.
    run(&browser, "window.before = begun.length; tell('detected');").await;
    tokio::time::sleep(std::time::Duration::from_millis(2000)).await;
    let lists = value(&browser, "begun.length - window.before").await;
    assert!(lists.as_u64() <= Some(1), "{lists}");
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn address_that_names_nothing_opens_nothing() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&["door"])].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    browser.goto(&format!("{}#%", relay.url())).await.unwrap();
    moves(&browser, "door").await;
    assert_eq!(
        value(&browser, "document.querySelector('dialog')").await,
        Value::Null
    );
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn groups_know_cameras_alone_whatever_their_names() {
    let names = ["constructor", "__proto__"];
    let relay = Relay::start(&[GATEWAY, &*cameras(&names)].concat(), 1);
    let driver = Driver::start();
    let browser = browser(&driver).await;
    let group = "document.querySelector('#group')?.value";
    browser.goto(relay.url()).await.unwrap();
    for name in names {
        moves(&browser, name).await;
        let open = format!("[data-stream={name}] .open");
        click(&browser, &open).await;
        until(&browser, &format!("{group} === ''")).await;
        type_into(&browser, "#group", "house\t").await;
        close(&browser).await;
        browser.refresh().await.unwrap();
        moves(&browser, name).await;
        click(&browser, &open).await;
        until(&browser, &format!("{group} === 'house'")).await;
        close(&browser).await;
    }
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

/// Closes the full view and waits for the address to name it no longer: a page loaded before
/// would open it again.
async fn close(browser: &Client) {
    run(browser, "document.querySelector('dialog').close()").await;
    until(
        browser,
        "!document.querySelector('dialog') && !location.hash",
    )
    .await;
}

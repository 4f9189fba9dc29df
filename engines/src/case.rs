//! One way to show a stream, measured: who saw which picture when.

use std::{net::IpAddr, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
use fantoccini::Client;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    camera::{Camera, Sent, now_ms},
    engine::Engine,
    front::Front,
    relay::Relay,
    result::{Rate, Row},
};

/// How the stream comes to be shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum How {
    /// `<img>`, from the page's own origin: through a proxy.
    SameOrigin,
    /// `<img crossorigin>`, from the relay's origin.
    Crossorigin,
    /// A script that reads the multipart body, from the relay's origin.
    Fetch,
    /// The same, where the relay is told to give WebKit's `fetch` another type.
    FetchMixed,
    /// The stream's own URL, opened as a page.
    AddressBar,
}

impl How {
    /// The ways to measure in this engine.
    pub(crate) fn of(engine: Engine) -> Vec<Self> {
        let mut all = vec![
            Self::SameOrigin,
            Self::Crossorigin,
            Self::Fetch,
            Self::AddressBar,
        ];
        if engine == Engine::WebKitGtk {
            all.push(Self::FetchMixed);
        }
        all
    }

    /// What the relay is started with.
    pub(crate) fn relay_args(self) -> &'static [&'static str] {
        match self {
            Self::FetchMixed => &["--webkit-fetch-mixed"],
            _ => &[],
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SameOrigin => "`<img>`, same origin",
            Self::Crossorigin => "`<img crossorigin>`",
            Self::Fetch => "`fetch` parser",
            Self::FetchMixed => "`fetch` parser, `--webkit-fetch-mixed`",
            Self::AddressBar => "address bar",
        }
    }
}

/// What a page saw: a picture's number, and when, in milliseconds of the wall clock.
pub(crate) type Seen = (u16, f64);

/// A camera, a relay, a page's server: new for each case.
pub(crate) struct Stage {
    pub(crate) camera: Camera,
    relay: Relay,
    front: Front,
    query: String,
}

impl Stage {
    /// `query` is added to the stream's URL.
    pub(crate) async fn set(ip: IpAddr, program: &Path, how: How, query: &str) -> Result<Self> {
        let mut camera = Camera::bind(ip).await?;
        let relay = Relay::start(program, camera.addr()?, how.relay_args()).await?;
        camera.connected().await?;
        let front = Front::start(ip, relay.addr).await?;
        let query = query.to_owned();
        Ok(Self {
            camera,
            relay,
            front,
            query,
        })
    }

    /// Opens the stream, and returns when whatever shows it is there; gives the time when it began to ask for the stream, as [`Seen`] has it.
    /// `every`: how often the page looks; zero is each animation frame.
    pub(crate) async fn open(&self, client: &Client, how: How, every: Duration) -> Result<f64> {
        let Self {
            relay,
            front,
            query,
            ..
        } = self;
        let origin = match how {
            How::SameOrigin => front.addr,
            _ => relay.addr,
        };
        // Its own address each time, as a viewer's own browser: Firefox asks later for one that a page before has just shown.
        let n = fastrand::u32(..);
        let stream = format!("http://{origin}/stream?{query}&n={n}");
        let page = |how: &str| {
            let page = format!(
                "http://{}/page?how={how}&every={}",
                front.addr,
                every.as_millis()
            );
            // The last: it may hold ampersands of its own.
            format!("{page}#{stream}")
        };
        let url = match how {
            How::SameOrigin => page("img"),
            How::Crossorigin => page("cors"),
            How::Fetch | How::FetchMixed => page("fetch"),
            How::AddressBar => stream,
        };
        client.goto("about:blank").await?;
        // So that nothing is seen of the page before.
        until(client, "return location.href === 'about:blank' || null").await?;
        let going = now_ms();
        client.goto(&url).await?;
        if how == How::AddressBar {
            return Ok(going);
        }
        let opened = until(client, "return window.opened").await?;
        opened.as_f64().context("a time")
    }
}

/// Runs the script until it gives something. The driver does not wait for a page: a script may run in the one before, or be cut off with it.
async fn until(client: &Client, script: &str) -> Result<Value> {
    let mut last = Ok(Value::Null);
    for _ in 0..200 {
        last = client.execute(script, vec![]).await;
        match last {
            Ok(Value::Null) | Err(_) => sleep(Duration::from_millis(20)).await,
            Ok(value) => return Ok(value),
        }
    }
    last.context("the page does not load")?;
    bail!("the page does not load");
}

/// Collects for this long what the page sees, and the last error it tells. `every`: how often is looked where the page does not look itself.
pub(crate) async fn watch(
    client: &Client,
    how: How,
    length: Duration,
    every: Duration,
) -> Result<(Vec<Seen>, String)> {
    if how == How::AddressBar {
        return Ok((look(client, length, every).await, String::new()));
    }
    sleep(length).await;
    let took = client.execute("return take()", vec![]).await?;
    let seen = took["seen"].as_array().context("a list of what was seen")?;
    let seen = seen.iter().filter_map(seen_of).collect();
    Ok((seen, took["error"].as_str().unwrap_or_default().to_owned()))
}

/// As [`watch`], until something is seen, but not for longer than [`ALONE`].
async fn first(client: &Client, how: How) -> Result<(Vec<Seen>, String)> {
    let end = Instant::now() + ALONE;
    loop {
        let (seen, error) = watch(client, how, ALONE / 10, Duration::ZERO).await?;
        if !seen.is_empty() || Instant::now() >= end {
            return Ok((seen, error));
        }
    }
}

/// In the address bar there is no page of ours, and in some engines each picture is a document of its own: looks from outside, again and again.
async fn look(client: &Client, length: Duration, every: Duration) -> Vec<Seen> {
    let script = concat!(
        "const done = arguments[arguments.length - 1];\n",
        include_str!("read.js"),
        "readNumber(document.querySelector('img')).then(n => done([n, Date.now()]), () => done(null));"
    );
    let mut seen: Vec<Seen> = Vec::new();
    let end = Instant::now() + length;
    while Instant::now() < end {
        // A script that is cut off by the next document gets no answer, or an error.
        let looked = timeout(
            Duration::from_millis(500),
            client.execute_async(script, vec![]),
        )
        .await;
        let looked = looked.ok().and_then(Result::ok);
        match looked.as_ref().and_then(seen_of) {
            Some(new) if seen.last().is_none_or(|last| last.0 != new.0) => seen.push(new),
            Some(_) => {}
            None => sleep(Duration::from_millis(5)).await,
        }
        if !every.is_zero() {
            sleep(every).await;
        }
    }
    seen
}

fn seen_of(pair: &Value) -> Option<Seen> {
    let number = u16::try_from(pair[0].as_i64()?).ok()?;
    Some((number, pair[1].as_f64()?))
}

/// Measures one row: a first picture alone, a newcomer while the camera is silent, and these rates.
pub(crate) async fn measure(
    client: &Client,
    stage: &mut Stage,
    how: How,
    rates: &[(u32, Duration)],
) -> Result<Row> {
    stage.open(client, how, Duration::ZERO).await?;
    // For the request to be on its way and answered.
    sleep(Duration::from_millis(500)).await;
    let (watched, sent) = tokio::join!(first(client, how), stage.camera.send());
    let (seen, mut error) = watched?;
    let limit = ALONE.as_secs_f64() * 1000.0;
    let alone = delay(sent?, &seen).filter(|ms| *ms <= limit);
    let opened = stage.open(client, how, Duration::ZERO).await?;
    let (seen, _) = first(client, how).await?;
    let newcomer = seen.first().map(|(_, at)| at - opened);
    let mut measured = Vec::new();
    for &(fps, length) in rates {
        let (watched, sent) = tokio::join!(
            watch(
                client,
                how,
                length + Duration::from_secs(1) / fps + SETTLE,
                Duration::ZERO
            ),
            stage.camera.play(fps, length)
        );
        let (seen, wrong) = watched?;
        if !wrong.is_empty() {
            error = wrong;
        }
        let sent = sent?;
        let delays = sent.iter().filter_map(|sent| delay(*sent, &seen)).collect();
        measured.push(Rate::new(fps, sent.len(), delays));
    }
    Ok(Row {
        how,
        alone,
        newcomer,
        rates: measured,
        error,
    })
}

fn delay(sent: Sent, seen: &[Seen]) -> Option<f64> {
    let found = seen.iter().find(|(number, _)| *number == sent.number)?;
    Some(found.1 - sent.at_ms)
}

/// How long one picture may take to be shown when nothing comes after it.
const ALONE: Duration = Duration::from_secs(1);
/// How long after the last picture's interval is looked: one that is late by an interval is seen then.
const SETTLE: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_is_from_sending_to_the_first_sight() {
        let sent = Sent {
            number: 7,
            at_ms: 1000.0,
        };
        let seen = [(6, 990.0), (7, 1020.0), (8, 1030.0), (7, 1040.0)];
        assert_eq!(delay(sent, &seen), Some(20.0));
        assert_eq!(delay(sent, &seen[..1]), None);
    }
}

//! What a page saw, reported by the page itself or sampled from outside.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use fantoccini::Client;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::how::How;

/// A picture that a page saw: its number, and when, in milliseconds since 1970.
pub(crate) type Seen = (u16, f64);

/// Runs the script until it returns a value. The driver does not wait for a page to load, so a
/// script may still run in the previous page, or end with it.
pub(crate) async fn until(client: &Client, script: &str) -> Result<Value> {
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

/// Collects for this long what the page sees, and its last error. A page that does not sample
/// itself is sampled at intervals of `every`.
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
    let taken = client.execute("return take()", vec![]).await?;
    let seen = taken["seen"].as_array();
    let seen = seen.context("the page returns no list")?.iter();
    let error = taken["error"].as_str().unwrap_or_default();
    Ok((seen.filter_map(seen_of).collect(), error.to_owned()))
}

/// As [`watch`], but only until a picture is seen, and at most for [`ALONE`].
pub(crate) async fn first(client: &Client, how: How) -> Result<(Vec<Seen>, String)> {
    let end = Instant::now() + ALONE;
    loop {
        let (seen, error) = watch(client, how, ALONE / 10, Duration::ZERO).await?;
        if !seen.is_empty() || Instant::now() >= end {
            return Ok((seen, error));
        }
    }
}

/// Samples the page from outside. A stream opened in the address bar has no page of the kit, and in
/// some engines each of its pictures is a separate document.
async fn look(client: &Client, length: Duration, every: Duration) -> Vec<Seen> {
    let script = concat!(
        "const done = arguments[arguments.length - 1];\n",
        include_str!("read.js"),
        "readNumber(document.querySelector('img')).then(n => done([n, Date.now()]), () => done(null));"
    );
    let mut seen: Vec<Seen> = Vec::new();
    let end = Instant::now() + length;
    while Instant::now() < end {
        // A script that the next document interrupts returns nothing, or an error.
        let look = client.execute_async(script, vec![]);
        let looked = timeout(Duration::from_millis(500), look).await;
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

/// How long a picture may take to be shown if none follows it.
pub(crate) const ALONE: Duration = Duration::from_secs(1);

//! What a page saw, from the page itself or sampled from outside.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use fantoccini::Client;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::how::How;

/// What a page saw: a picture's number, and when, in milliseconds of the wall clock.
pub(crate) type Seen = (u16, f64);

/// Runs the script until it returns something. The driver does not wait for a page: a script may
/// run in the previous page, or end with it.
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

/// Collects for this long what the page sees, and its last error. `every` is how often a page is
/// sampled that does not do so itself.
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

/// As [`watch`], until something is seen, for [`ALONE`] at most.
pub(crate) async fn first(client: &Client, how: How) -> Result<(Vec<Seen>, String)> {
    let end = Instant::now() + ALONE;
    loop {
        let (seen, error) = watch(client, how, ALONE / 10, Duration::ZERO).await?;
        if !seen.is_empty() || Instant::now() >= end {
            return Ok((seen, error));
        }
    }
}

/// Samples the page from outside. In the address bar there is no page of the kit's, and in some
/// engines each picture is a document of its own.
async fn look(client: &Client, length: Duration, every: Duration) -> Vec<Seen> {
    let script = concat!(
        "const done = arguments[arguments.length - 1];\n",
        include_str!("read.js"),
        "readNumber(document.querySelector('img')).then(n => done([n, Date.now()]), () => done(null));"
    );
    let mut seen: Vec<Seen> = Vec::new();
    let end = Instant::now() + length;
    while Instant::now() < end {
        // A script that the next document interrupts gets no answer, or an error.
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

/// How long one picture may take to be shown when nothing comes after it.
pub(crate) const ALONE: Duration = Duration::from_secs(1);

//! Cameras that speak bad HTTP.

use std::{io, time::Duration};

use anyhow::{Result, ensure};
use futures_util::future::BoxFuture;

use super::steps::{Switch, last, secs, timed};
use crate::{
    camera::{Camera, Conn, STREAM, part_head},
    case::{Case, Findings, Needs, Run},
    rig::relay::RelayRig,
};

pub(super) const CASES: &[Case] = &[
    http(
        "http-401",
        "answers 401 with a challenge; the URL has no password",
        "",
        Run::Relay(|rig| Box::pin(answers(rig, UNAUTHORIZED, &["user name and password"]))),
    )
    .short(),
    http(
        "http-404",
        "answers 404",
        "",
        Run::Relay(|rig| Box::pin(answers(rig, NOT_FOUND, &["404"]))),
    ),
    http(
        "http-500",
        "answers 500",
        "",
        Run::Relay(|rig| Box::pin(answers(rig, BROKEN, &["500"]))),
    )
    .short(),
    http(
        "http-redirect-loop",
        "redirects to the same URL (302)",
        "",
        Run::Relay(|rig| Box::pin(answers(rig, REDIRECT, &["redirect"]))),
    )
    .short(),
    http(
        "http-gzip",
        "sends a body with Content-Encoding: gzip, which the relay has not asked for",
        "",
        Run::Relay(|rig| Box::pin(answers(rig, GZIP, &["gzip", "ncod"]))),
    ),
    http(
        "http-html",
        "sends a page (text/html) instead of a stream",
        "",
        Run::Relay(|rig| Box::pin(answers(rig, PAGE, &["text/html"]))),
    ),
    http(
        "http-endless-headers",
        "sends headers without end",
        "the relay gives up",
        Run::Relay(|rig| Box::pin(endless_headers(rig))),
    )
    .short(),
    http(
        "http-silent",
        "does not answer the request",
        "the relay gives up after 5 s",
        Run::Relay(|rig| Box::pin(silent(rig, b"", "did not answer within 5s", secs(5)))),
    ),
    http(
        "http-silent-after-head",
        "answers 200 and sends nothing more",
        "the relay gives up after 10 s",
        Run::Relay(|rig| Box::pin(silent(rig, STREAM, "sent nothing for 10s", secs(10)))),
    ),
    http(
        "http-wrong-lengths",
        "sends a Content-Length that is too short, too long, negative, or not a number",
        "its own viewers lose nothing either",
        Run::Relay(|rig| Box::pin(lies(rig, wrong_length))),
    )
    .short(),
    http(
        "http-boundary-lies",
        "uses other boundaries than it has announced, a new one for each picture",
        "its own viewers lose nothing either",
        Run::Relay(|rig| Box::pin(lies(rig, wrong_boundary))),
    )
    .short(),
];

const fn http(name: &'static str, injected: &'static str, holds: &'static str, run: Run) -> Case {
    Case::new(name, injected, holds, run).needs(Needs::Http)
}

/// Gives this answer to all requests until the relay reports the error, then is good.
async fn answers(rig: &mut RelayRig, answer: &'static [u8], words: &[&str]) -> Result<Findings> {
    until_reported(rig, words, secs(5), move |mut conn| {
        Box::pin(async move { conn.send(answer).await })
    })
    .await
}

async fn endless_headers(rig: &mut RelayRig) -> Result<Findings> {
    let words = ["head", "no connection within 5s"];
    until_reported(rig, &words, secs(10), |mut conn| {
        Box::pin(async move {
            conn.send(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                conn.send(b"X-More: and more and more and more\r\n").await?;
            }
        })
    })
    .await
}

/// Runs this fault on each connection until the last error contains one of the words, then is good.
async fn until_reported(
    rig: &mut RelayRig,
    words: &[&str],
    limit: Duration,
    fault: impl Fn(Conn) -> BoxFuture<'static, io::Result<()>> + Clone + Send + Sync + 'static,
) -> Result<Findings> {
    let good = Switch::default();
    let is_good = good.clone();
    let camera = Camera::start(move |_, mut conn: Conn| {
        let (is_good, fault) = (is_good.clone(), fault.clone());
        async move {
            conn.request().await?;
            if is_good.is_on() {
                return stream(conn, right_part).await;
            }
            fault(conn).await
        }
    })
    .await?;
    let mut watcher = rig.watched(&camera.http_url("/video"), &camera).await?;
    let error = rig.error_says(words, limit).await?;
    good.on();
    let took = timed(watcher.fresh(secs(20))).await?;
    // Few attempts have failed by then, so the backoff is 4 s at most.
    Ok(Findings::seen(error).recovered(took, secs(5)))
}

/// Is silent after this start of an answer. On the next connection it is good.
async fn silent(
    rig: &mut RelayRig,
    start: &'static [u8],
    words: &str,
    limit: Duration,
) -> Result<Findings> {
    let camera = Camera::start(move |n, mut conn: Conn| async move {
        conn.request().await?;
        if n > 0 {
            return stream(conn, right_part).await;
        }
        conn.send(start).await?;
        conn.silent().await
    })
    .await?;
    let source = format!("{}#answer_timeout=5s", camera.http_url("/video"));
    let addr = rig.stream(&source).await?;
    camera.wait_accepted(1, secs(5)).await?;
    let mut watcher = rig.watch(addr, &camera).await?;
    let took = timed(watcher.fresh(secs(30))).await?;
    let error = rig.error_says(&[words], secs(1)).await?;
    // The first backoff is 0.5 s at most.
    Ok(Findings::seen(error).recovered(took, limit + secs(2)))
}

/// Sends a good stream in which only the lines before the pictures are wrong.
async fn lies(rig: &mut RelayRig, part: Part) -> Result<Findings> {
    let camera = Camera::start(move |_, mut conn: Conn| async move {
        conn.request().await?;
        stream(conn, part).await
    })
    .await?;
    let mut watcher = rig.watched(&camera.http_url("/video"), &camera).await?;
    watcher.fresh(secs(10)).await?;
    last(5).await;
    let seen = watcher.seen();
    ensure!(seen.lost == 0, "{} of its own pictures lost", seen.lost);
    ensure!(seen.pictures > 50, "{} pictures arrived", seen.pictures);
    Ok(Findings::seen(format!(
        "{} pictures, none lost",
        seen.pictures
    )))
}

/// Returns the delimiter and the headers before a picture with this number and length.
type Part = fn(u32, usize) -> String;

async fn stream(mut conn: Conn, part: Part) -> io::Result<()> {
    conn.send(STREAM).await?;
    conn.parts(part).await
}

fn right_part(_: u32, length: usize) -> String {
    part_head(length)
}

fn wrong_length(number: u32, length: usize) -> String {
    match number % 4 {
        0 => part_head(length / 2),
        1 => part_head(length * 3),
        2 => part_head(-1),
        _ => part_head("many"),
    }
}

fn wrong_boundary(number: u32, length: usize) -> String {
    format!("\r\n--other{number}\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n")
}

pub(super) const UNAUTHORIZED: &[u8] =
    b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"camera\"\r\n\
      Content-Length: 0\r\n\r\n";
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
const BROKEN: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
const REDIRECT: &[u8] = b"HTTP/1.1 302 Found\r\nLocation: /video\r\nContent-Length: 0\r\n\r\n";
const GZIP: &[u8] = b"HTTP/1.1 200 OK\r\n\
      Content-Type: multipart/x-mixed-replace; boundary=pictures\r\n\
      Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03";
const PAGE: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>";

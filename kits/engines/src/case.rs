//! Measures one way to show a stream: when each picture was seen.

use std::{net::IpAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result};
use fantoccini::Client;
use kit::relay::{self, Relay};
use tokio::time::sleep;

use crate::{
    camera::{Camera, Sent, now_ms},
    front::Front,
    how::How,
    result::{Rate, Row},
    seen::{ALONE, Seen, first, until, watch},
};

/// A camera, a relay and the page's server, started for one case.
pub(crate) struct Stage {
    pub(crate) camera: Camera,
    relay: Relay,
    front: Front,
    query: String,
}

impl Stage {
    /// Starts them. `query` is added to the stream's URL.
    pub(crate) async fn set(ip: IpAddr, program: &Path, how: How, query: &str) -> Result<Self> {
        let mut camera = Camera::bind(ip)?;
        let mut command = Command::new(program);
        command
            .args(["--log", "error", "run", "--placeholder", "none", "--stream"])
            .arg(relay::stream("s", camera.addr()?, &ip.to_string()))
            .args(how.relay_args());
        let relay = Relay::start(&mut command).await?;
        camera.connected()?;
        let front = Front::start(ip, relay.addr).await?;
        let query = query.to_owned();
        Ok(Self {
            camera,
            relay,
            front,
            query,
        })
    }

    /// Opens the page that shows the stream. Returns the time at which the page requested the
    /// stream, on the clock of [`Seen`]. The page samples the picture at intervals of `every`; zero
    /// means at each animation frame.
    pub(crate) async fn open(&self, client: &Client, how: How, every: Duration) -> Result<f64> {
        let (front, query) = (self.front.addr, &self.query);
        let origin = match how {
            How::SameOrigin => front,
            _ => self.relay.addr,
        };
        // A new URL each time: Firefox delays the request for a URL that the previous page has just
        // shown.
        let n = fastrand::u32(..);
        let stream = format!("http://{origin}/stream?{query}&n={n}");
        let every = every.as_millis();
        // The stream's URL comes last because it may contain ampersands.
        let page = |how| format!("http://{front}/page?how={how}&every={every}#{stream}");
        let url = match how {
            How::SameOrigin => page("img"),
            How::Crossorigin => page("cors"),
            How::Fetch | How::FetchMixed => page("fetch"),
            How::AddressBar => stream,
        };
        client.goto("about:blank").await?;
        // Else the previous page could still be sampled.
        until(client, "return location.href === 'about:blank' || null").await?;
        let going = now_ms();
        client.goto(&url).await?;
        if how == How::AddressBar {
            return Ok(going);
        }
        let opened = until(client, "return window.opened").await?;
        opened.as_f64().context("the page has no opening time")
    }
}

/// Measures one row: a first picture alone, a new viewer while the camera is silent, and these
/// rates.
pub(crate) async fn measure(
    client: &Client,
    stage: &mut Stage,
    how: How,
    rates: &[(u32, Duration)],
) -> Result<Row> {
    stage.open(client, how, Duration::ZERO).await?;
    // Long enough for the response to begin.
    sleep(Duration::from_millis(500)).await;
    let (watched, sent) = tokio::join!(first(client, how), stage.camera.send());
    let (seen, mut error) = watched?;
    let limit = ALONE.as_secs_f64() * 1000.0;
    let alone = delay(sent?, &seen).filter(|ms| *ms <= limit);
    let opened = stage.open(client, how, Duration::ZERO).await?;
    let (seen, _) = first(client, how).await?;
    let new_viewer = seen.first().map(|(_, at)| at - opened);
    let mut measured = Vec::new();
    for &(fps, length) in rates {
        let watching = length + Duration::from_secs(1) / fps + SETTLE;
        let (watched, sent) = tokio::join!(
            watch(client, how, watching, Duration::ZERO),
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
        new_viewer,
        rates: measured,
        error,
    })
}

fn delay(sent: Sent, seen: &[Seen]) -> Option<f64> {
    let found = seen.iter().find(|(number, _)| *number == sent.number)?;
    Some(found.1 - sent.at_ms)
}

/// How long sampling continues after the last picture's interval, so that a picture that is late by
/// an interval is still seen.
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

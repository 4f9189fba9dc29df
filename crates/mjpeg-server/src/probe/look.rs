//! Looks at a camera within a time limit.

use std::{convert::Infallible, time::Duration};

use mjpeg_manager::{ProbeFailure, ProbeReport, SecondClient, mjpeg_ingest::Source};
use tokio::time::{Instant, interval};

use super::{
    clients::{FirstClient, OtherClient, both},
    progress::ProbeProgress,
};

/// Looks at a camera: with one client, then with a second one at the same time. Takes 15 s at most.
pub(super) async fn look(source: &Source, url: &str, progress: &ProbeProgress) -> ProbeReport {
    let work = async {
        let start = Instant::now();
        let mut first = FirstClient::new(source);
        first
            .run_until(start + FIRST_PICTURE, |client| {
                client.first_picture.is_some()
            })
            .await;
        let Some(began) = first.first_picture else {
            return ended(first, start, source);
        };
        // What comes rarely is looked at for longer.
        let last = start + WATCH_END;
        first.run_until(last.min(began + WATCH), |_| false).await;
        first
            .run_until(last, |client| client.evidence.tally.frames() > FEW)
            .await;
        // As long as no other client is there.
        first.evidence.watched = began.elapsed();
        // Who closes anyway tells nothing by closing.
        if !first.is_over && first.evidence.closes == 0 && dials(source) {
            first.evidence.second = second(&mut first, url, start).await;
        }
        ended(first, start, source)
    };
    tokio::select! {
        report = work => report,
        never = shown(progress) => match never {},
    }
}

/// What a second client gets, and what becomes of the first.
async fn second(first: &mut FirstClient, url: &str, start: Instant) -> SecondClient {
    let Ok(source) = url.parse() else {
        return SecondClient::NotTried;
    };
    let before = first.evidence.tally.clone();
    let fps = before.fps().unwrap_or_default();
    let closes = first.evidence.closes;
    let mut other = OtherClient::new(source);
    let begin = Instant::now();
    let end = (begin + TOGETHER).min(start + END);
    let frames = both(first, &mut other, end).await;
    // What is judged is what one client sees.
    let is_closed = first.evidence.closes > closes || first.is_over;
    first.evidence.closes = closes;
    first.evidence.failure = None;
    first.evidence.tally = before;
    let seconds = begin.elapsed().as_secs_f64();
    let during = frames as f64 / seconds;
    let has_enough = fps * seconds >= 3.0;
    match other {
        OtherClient { pictures: 1.., .. } if is_closed || (has_enough && frames == 0) => {
            SecondClient::TakesOver
        }
        OtherClient { pictures: 1.., .. } if has_enough && during < fps * 0.6 => {
            SecondClient::Slows {
                before: fps,
                during,
            }
        }
        OtherClient { pictures: 1.., .. } => SecondClient::Accepted,
        OtherClient {
            refusal: Some(error),
            ..
        } => SecondClient::Refused(error),
        // One that sends rarely may have been waited for in vain.
        _ if !has_enough => SecondClient::NotTried,
        _ if is_closed => SecondClient::TakesOver,
        _ => SecondClient::Silent,
    }
}

fn ended(mut first: FirstClient, start: Instant, source: &Source) -> ProbeReport {
    let evidence = &mut first.evidence;
    evidence.observed = source.observed();
    if first.first_picture.is_none() && evidence.failure.is_none() {
        evidence.failure = Some(ProbeFailure::silent(start.elapsed()));
    }
    ProbeReport::new(first.evidence)
}

/// Whether there is a camera that knows how many clients it has.
fn dials(source: &Source) -> bool {
    let source = source.to_string();
    let schemes = ["tcp:", "http:", "https:", "rtsp:", "rtsps:"];
    schemes.iter().any(|scheme| source.starts_with(scheme))
}

/// Shows how far it is, without end.
async fn shown(progress: &ProbeProgress) -> Infallible {
    let start = Instant::now();
    let mut ticks = interval(Duration::from_millis(500));
    loop {
        ticks.tick().await;
        let seconds = start.elapsed().as_secs();
        progress.show(&format!("looking at it, {seconds} s of at most 15 s"));
    }
}

/// How long the first picture may take.
const FIRST_PICTURE: Duration = Duration::from_secs(12);

/// For how long pictures are looked at after the first.
const WATCH: Duration = Duration::from_secs(4);

/// When that is over at the latest.
const WATCH_END: Duration = Duration::from_millis(12_500);

/// For how long there is a second client, and when that is over at the latest.
const TOGETHER: Duration = Duration::from_millis(2500);
const END: Duration = Duration::from_millis(14_700);

/// With no more pictures than this, a camera is looked at for longer.
const FEW: u64 = 3;

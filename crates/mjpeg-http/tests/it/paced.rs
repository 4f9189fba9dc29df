//! Rates and durations: what a viewer asks for, and what the server allows.

use std::time::Duration;

use mjpeg_fanout::Producer;
use mjpeg_http::StreamConfig;
use mjpeg_testkit::{Viewer, jpeg};
use tokio::time::{Instant, sleep};

use crate::{Served, publish};

const FRAME_BYTES: usize = 10_000;

/// Publishes at 50 frames per second, forever.
async fn camera(producer: &Producer) {
    let frame = jpeg::of_length(1, FRAME_BYTES);
    loop {
        publish(producer, frame.clone());
        sleep(Duration::from_millis(20)).await;
    }
}

/// When each frame arrived while watching this long, in milliseconds.
async fn arrivals(served: &Served, path: &str, watched: Duration) -> Vec<u128> {
    let mut viewer = Viewer::open(served.addr, path).await.unwrap();
    let start = Instant::now();
    let mut arrivals = Vec::new();
    while start.elapsed() < watched {
        let Some(frame) = viewer.next_frame().await.unwrap() else {
            break;
        };
        assert_eq!(frame, jpeg::of_length(1, FRAME_BYTES), "whole frames");
        arrivals.push(start.elapsed().as_millis());
    }
    arrivals
}

async fn count(config: StreamConfig, path: &str) -> usize {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, config);
    tokio::select! {
        () = camera(&producer) => unreachable!("a camera goes on"),
        arrivals = arrivals(&served, path, Duration::from_secs(2)) => arrivals.len(),
    }
}

/// Counts over two seconds. On a busy machine, fewer frames are possible, but not more.
#[tokio::test]
async fn viewer_gets_at_most_the_rate_it_asks_for() {
    let default = StreamConfig::default;
    let all = count(default(), "/").await;
    assert!(all > 40, "{all}");
    let five = count(default(), "/?fps=5").await;
    assert!((8..=12).contains(&five), "{five}");
    // 800 kbit/s are 100 kB/s: nine of these frames, which are a little longer.
    let by_bytes = count(default(), "/?kbps=800").await;
    assert!((15..=21).contains(&by_bytes), "{by_bytes}");
    let both = count(default(), "/?kbps=800&fps=2").await;
    assert!((3..=5).contains(&both), "{both}");
    let nonsense = count(default(), "/?fps=0&kbps=-1&fps=x").await;
    assert!(nonsense > 40, "{nonsense}");
}

#[tokio::test]
async fn servers_own_limit_holds_whatever_is_asked_for() {
    let limited = StreamConfig::default().with_max_fps(5.0).unwrap();
    for (path, least, most) in [("/", 8, 12), ("/?fps=100", 8, 12), ("/?fps=2", 3, 5)] {
        let frames = count(limited.clone(), path).await;
        assert!((least..=most).contains(&frames), "{path}: {frames}");
    }
    let limited = StreamConfig::default().with_max_kbps(800.0).unwrap();
    let frames = count(limited, "/?kbps=9999").await;
    assert!((15..=21).contains(&frames), "{frames}");
}

#[tokio::test]
async fn frames_of_a_limited_viewer_are_evenly_spaced() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let arrivals = tokio::select! {
        () = camera(&producer) => unreachable!("a camera goes on"),
        arrivals = arrivals(&served, "/?fps=4", Duration::from_secs(3)) => arrivals,
    };
    let mut gaps: Vec<_> = arrivals.windows(2).map(|w| w[1] - w[0]).collect();
    gaps.sort_unstable();
    // Not four at once each second. The median, because the machine may be busy at times.
    let median = gaps[gaps.len() / 2];
    assert!((230..=290).contains(&median), "{gaps:?}");
}

#[tokio::test]
async fn response_ends_after_the_time_asked_for_behind_a_whole_part() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_max_duration(Duration::from_secs(1));
    let served = Served::start(consumer, config);
    let start = Instant::now();
    for (path, asked_ms) in [
        ("/?max_duration=0.3", 300),
        ("/", 1000),
        ("/?max_duration=60", 1000),
    ] {
        let since = start.elapsed();
        let ended = async {
            let mut viewer = Viewer::open(served.addr, path).await.unwrap();
            // This viewer is strict: an end in the middle of a part would be an error.
            while viewer.next_frame().await.unwrap().is_some() {}
        };
        tokio::select! {
            () = camera(&producer) => unreachable!("a camera goes on"),
            () = ended => {}
        }
        let lasted = (start.elapsed() - since).as_millis();
        assert!(
            (asked_ms..asked_ms + 500).contains(&lasted),
            "{path}: {lasted}"
        );
    }
    assert_eq!(served.stats().duration_ends, 3);
}

/// The response ends even if no frame comes.
#[tokio::test]
async fn response_ends_in_silence_as_well() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let mut viewer = Viewer::open(served.addr, "/?max_duration=0.2")
        .await
        .unwrap();
    assert!(viewer.next_frame().await.unwrap().is_none());
}

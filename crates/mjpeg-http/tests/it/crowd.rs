//! A thousand viewers that take almost nothing, in groups at different frames.

use std::{collections::BTreeSet, fs, time::Duration};

use bytes::Bytes;
use mjpeg_http::StreamConfig;
use mjpeg_testkit::{Viewer, jpeg};
use tokio::{net::TcpStream, time::interval};

use crate::{Served, apart::has_files, assert_next, lagging::stuck, publish};

const FRAME: usize = 1_000_000;
const FRAMES: usize = 125;
const VIEWERS_PER_FRAME: usize = 8;
const VIEWERS: u64 = (FRAMES * VIEWERS_PER_FRAME) as u64;
/// Room for fifteen frames besides the newest.
const LIMIT: usize = 15 * FRAME + FRAME / 2;

/// The most memory this process has had so far.
fn most_memory_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kib.parse::<usize>().unwrap() << 10
}

/// Takes one byte per second from each viewer's connection.
async fn take_a_byte_each_second(viewers: &std::cell::RefCell<Vec<TcpStream>>) {
    const TURNS: usize = 10;
    let mut turns = interval(Duration::from_millis(100));
    for turn in 0.. {
        turns.tick().await;
        for viewer in viewers.borrow().iter().skip(turn % TURNS).step_by(TURNS) {
            // Viewers that were cut give an error, which is fine.
            let _ = viewer.try_read(&mut [0]);
        }
    }
}

#[tokio::test]
async fn thousand_viewers_at_a_byte_per_second_hold_no_more_than_they_may() {
    let name = "crowd::thousand_viewers_at_a_byte_per_second_hold_no_more_than_they_may";
    if !has_files(name, 3 * VIEWERS) {
        return;
    }
    let (producer, consumer) = mjpeg_fanout::channel();
    let patient = Duration::from_secs(3600);
    let config = StreamConfig::default()
        .with_max_inflight_bytes(LIMIT)
        .with_write_stall(patient)
        .with_max_frame_send_time(patient);
    let served = Served::start(consumer, config);
    let numbers = 8;
    let frames: Vec<Bytes> = (0..numbers).map(|n| jpeg::of_length(n, FRAME)).collect();
    let mut fast = Viewer::open(served.addr, "/?key=fast").await.unwrap();
    let slow = std::cell::RefCell::new(Vec::new());
    let before = most_memory_bytes();

    let crowd = async {
        for n in 0..FRAMES {
            publish(&producer, frames[n % frames.len()].clone());
            assert_next(&mut fast, n as u32 % numbers).await;
            for _ in 0..VIEWERS_PER_FRAME {
                let viewer = stuck(&served, &format!("/?key={n}")).await;
                slow.borrow_mut().push(viewer);
            }
            // All that remain are stuck in the frame that was the newest when they came.
            let at_frame = |stats: &crate::Counted| {
                stats.viewers + stats.in_flight_cuts == 1 + slow.borrow().len() as u64
            };
            served.until(at_frame).await;
            let held: BTreeSet<String> = served
                .service
                .viewers()
                .into_iter()
                .map(|viewer| viewer.key)
                .filter(|key| key != "fast" && *key != n.to_string())
                .collect();
            assert!(held.len() * FRAME <= LIMIT, "at frame {n}: {held:?}");
        }
    };
    tokio::select! {
        () = crowd => {}
        () = take_a_byte_each_second(&slow) => unreachable!("it goes on"),
    }

    let grown = most_memory_bytes() - before;
    // Besides the frames, a viewer takes some KiB at both ends. All frames together would take 125
    // MB.
    let most = LIMIT + 2 * FRAME + VIEWERS as usize * (20 << 10);
    assert!(grown < most, "{grown} bytes, of {most}");
    let stats = served.stats();
    let others = stats.write_stalls + stats.send_timeouts + stats.lag_cuts;
    assert_eq!((others, stats.listener.accept_errors), (0, 0), "{stats:?}");
    let newest = FRAMES - 16..FRAMES;
    for viewer in served.service.viewers() {
        if viewer.key == "fast" {
            assert_eq!((viewer.skipped, viewer.sent >= FRAMES as u64), (0, true));
        } else {
            assert!(newest.contains(&viewer.key.parse().unwrap()), "{viewer:?}");
            assert_eq!(viewer.sent, 1, "it hangs in its first: {viewer:?}");
        }
    }
    assert_eq!(stats.viewers, 1 + 16 * VIEWERS_PER_FRAME as u64);
    assert_eq!(stats.in_flight_cuts, VIEWERS + 1 - stats.viewers);
}

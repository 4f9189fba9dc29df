//! Tests through the public API.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod auto_traits;
mod bursts;
mod closing;
mod consumer;
mod demand;
mod histogram;
mod placeholder;
mod producer;
mod recorder;
#[cfg(feature = "ring")]
mod ring;
#[cfg(feature = "small")]
mod small;
mod status;

use std::time::SystemTime;

use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::{Consumer, Producer};
use mjpeg_testkit::jpeg;
use tokio::time::Instant;

fn frame(number: u32) -> Frame {
    Frame::parse(jpeg::numbered(number)).unwrap()
}

/// Received now by the monotonic clock, at the epoch by the wall clock.
fn stamp() -> Stamp {
    Stamp::new(SystemTime::UNIX_EPOCH, Instant::now().into_std())
}

fn publish(producer: &Producer, number: u32) -> u64 {
    producer.publish(frame(number), stamp())
}

async fn next_number(consumer: &mut Consumer) -> Option<u32> {
    Some(jpeg::number_of(consumer.next().await?.frame.bytes()).expect("a numbered frame"))
}

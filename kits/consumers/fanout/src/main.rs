//! Uses only mjpeg-fanout: publishes two frames and receives the newer one.

use std::time::{Instant, SystemTime};

use mjpeg_fanout::mjpeg_codec::{Frame, Stamp};

/// A grey picture of 8x8.
const JPEG: &[u8] = b"\xFF\xD8\xFF\xC0\x00\x0B\x08\x00\x08\x00\x08\x01\x01\x11\x00\
                      \xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00\x2A\xFF\xD9";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (producer, mut consumer) = mjpeg_fanout::channel();
    for _ in 0..2 {
        let frame = Frame::parse(JPEG).expect("one whole frame");
        producer.publish(frame, Stamp::new(SystemTime::now(), Instant::now()));
    }
    let published = consumer.next().await.expect("the producer lives");
    assert_eq!((published.seq, &published.frame.bytes()[..]), (2, JPEG));
    drop(producer);
    assert!(consumer.next().await.is_none());
}

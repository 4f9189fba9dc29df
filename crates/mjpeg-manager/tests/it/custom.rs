//! A source of the caller's own kind behind a stream.

use std::{
    io,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use futures_util::stream;
use mjpeg_codec::{Frame, Stamp};
use mjpeg_manager::{
    Manager, ManagerConfig, StreamSpec,
    mjpeg_ingest::{Connect, ConnectError, Connection, Source},
};
use mjpeg_testkit::jpeg;
use tokio::time::{Instant, sleep, timeout};

/// Captures a screen 50 times a second, and knows when it did: a second before it is read.
struct Screen;

const LATE: Duration = Duration::from_secs(1);

#[async_trait]
impl Connect for Screen {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let frames = stream::unfold(0, |number| async move {
            sleep(Duration::from_millis(20)).await;
            let stamp = Stamp::new(SystemTime::now(), Instant::now().into_std());
            let stamp = stamp.with_camera(stamp.received() - LATE);
            let frame = Frame::parse(jpeg::numbered(number)).map_err(io::Error::other);
            Some((frame.map(|frame| (frame, stamp)), number + 1))
        });
        Ok(Connection::frames(frames, "screen 1"))
    }
}

#[tokio::test]
async fn whole_frames_of_a_custom_source_reach_a_subscriber_with_their_times() {
    let manager = Manager::new(ManagerConfig::default());
    let source = Source::custom("screen:1", Screen);
    let spec = StreamSpec::new("door".parse().unwrap(), source);
    let info = manager.start(spec).await.unwrap();
    assert_eq!(info.source, "screen:1");
    let mut consumer = manager.subscribe("door").unwrap();
    let mut last = None;
    for _ in 0..5 {
        let next = timeout(Duration::from_secs(10), consumer.next()).await;
        let published = next.expect("in time").expect("the stream runs");
        let number = jpeg::number_of(published.frame.bytes());
        assert!(number > last, "{number:?} after {last:?}");
        last = number;
        let stamp = published.stamp;
        assert_eq!(stamp.camera(), Some(stamp.received() - LATE));
    }
    let info = manager.get("door").unwrap();
    assert_eq!(info.peer.as_deref(), Some("screen 1"));
    manager.shutdown().await;
}

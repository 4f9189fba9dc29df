//! Tests through the public API: the body under paused time, the listener over real sockets in real
//! time.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod accepting;
#[cfg(target_os = "linux")]
mod addresses;
mod admission;
mod answers;
#[cfg(target_os = "linux")]
mod apart;
mod body;
mod bursts;
mod changes;
mod counted;
#[cfg(target_os = "linux")]
mod crowd;
mod forwarded;
mod gates;
mod graceful;
mod half_closed;
#[cfg(feature = "http2")]
mod http2;
mod lagging;
mod layouts;
mod limits;
mod names;
mod paced;
#[cfg(feature = "replay")]
mod past;
mod ports;
mod raw;
mod replay;
#[cfg(feature = "small")]
mod small;
mod snapshots;
#[cfg(unix)]
mod transports;
mod uploads;
mod urls;
mod watching;
mod wire;

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::{Consumer, Producer};
use mjpeg_http::{
    BindError, Drained, Listener, ListenerConfig, ListenerHandle, ListenerStats, MjpegBody,
    ResponseBody, ResponseFuture, StreamConfig, StreamService, StreamStats, Transport, ViewerInfo,
    ViewerLimit,
};
use mjpeg_testkit::{Viewer, jpeg};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

fn publish(producer: &Producer, bytes: impl Into<bytes::Bytes>) {
    let frame = Frame::parse(bytes).expect("a frame");
    producer.publish(
        frame,
        Stamp::new(SystemTime::now(), Instant::now().into_std()),
    );
}

fn publish_number(producer: &Producer, number: u32) {
    publish(producer, jpeg::numbered(number));
}

/// Checks that a viewer gets this frame next and skips none. The previous frame may be repeated
/// first, if no other came in time.
async fn assert_next(viewer: &mut Viewer, number: u32) {
    loop {
        let frame = viewer.next_frame().await.unwrap().expect("not ended");
        let got = jpeg::number_of(&frame).expect("a numbered frame");
        if got + 1 != number {
            assert_eq!(got, number);
            return;
        }
    }
}

/// A listener for one stream on a free loopback port, serving in a task of its own.
struct Served {
    addr: SocketAddr,
    service: StreamService,
    monitor: ListenerHandle,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Drained>,
    grace: Duration,
}

/// The counters of a stream and its listener.
#[derive(Debug)]
struct Counted {
    stream: StreamStats,
    listener: ListenerStats,
}

impl std::ops::Deref for Counted {
    type Target = StreamStats;

    fn deref(&self) -> &StreamStats {
        &self.stream
    }
}

impl Served {
    fn start(consumer: Consumer, config: StreamConfig) -> Self {
        Self::start_on(consumer, config, ListenerConfig::default())
    }

    fn start_on(consumer: Consumer, config: StreamConfig, listener: ListenerConfig) -> Self {
        let addr = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(addr, listener).expect("a free port");
        Self::on(listener, StreamService::new(consumer, config))
    }

    fn on(listener: Listener, service: StreamService) -> Self {
        let addr = listener.local_addr().unwrap();
        let monitor = listener.handle();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(listener.serve(service.clone(), async {
            let _ = stopped.await;
        }));
        Self {
            addr,
            service,
            monitor,
            stop,
            task,
            grace: Duration::from_secs(5),
        }
    }

    fn stats(&self) -> Counted {
        Counted {
            stream: self.service.stats(),
            listener: self.monitor.stats(),
        }
    }

    /// Waits until the counters satisfy the condition.
    async fn until(&self, condition: impl Fn(&Counted) -> bool) {
        let waiting = async {
            while !condition(&self.stats()) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = timeout(Duration::from_secs(10), waiting).await;
        let stats = self.stats();
        assert!(in_time.is_ok(), "never happened: {stats:?}");
    }

    /// Ends the listener and the stream at once. Returns how many connections and viewers were cut.
    async fn stop(self) -> usize {
        self.stop.send(()).expect("still serving");
        let (listener, stream) = tokio::join!(self.task, self.service.drain(self.grace));
        listener.expect("no panic").cut + stream.cut
    }
}

#[test]
fn public_types_cross_threads() {
    fn send<T: Send + Unpin + 'static>() {}
    fn all<T: Send + Sync + Unpin + 'static>() {}
    send::<Transport>();
    all::<MjpegBody>();
    all::<ResponseBody>();
    all::<StreamService>();
    send::<Listener>();
    all::<ListenerConfig>();
    all::<StreamConfig>();
    all::<BindError>();
    all::<Drained>();
    all::<StreamStats>();
    all::<ListenerStats>();
    all::<ViewerInfo>();
    all::<ViewerLimit>();
    all::<ResponseFuture>();
}

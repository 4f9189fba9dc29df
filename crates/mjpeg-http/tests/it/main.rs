//! Tests through the public face: the body under paused time, the listener over real sockets in real time.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[cfg(target_os = "linux")]
mod addresses;
mod admission;
#[cfg(target_os = "linux")]
mod apart;
mod body;
#[cfg(target_os = "linux")]
mod crowd;
mod graceful;
mod lagging;
mod layouts;
mod limits;
mod paced;
mod replay;
mod snapshots;
mod urls;
mod wire;

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::{Consumer, Producer};
use mjpeg_http::{
    BindError, Ended, HttpConfig, Listener, MjpegBody, ResponseBody, ResponseFuture, Stats,
    StreamService, ViewerInfo, ViewerLimit,
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

/// Checks that a viewer gets this frame next, none being skipped. The one before may be repeated first, as it is where no other comes in time.
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

/// A listener on a free loopback port, serving in a task of its own.
struct Served {
    addr: SocketAddr,
    service: StreamService,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Ended>,
}

impl Served {
    fn start(consumer: Consumer, config: HttpConfig) -> Self {
        let listener =
            Listener::bind("127.0.0.1:0".parse().unwrap(), config.clone()).expect("a free port");
        Self::on(listener, StreamService::new(consumer, config))
    }

    fn on(listener: Listener, service: StreamService) -> Self {
        let addr = listener.local_addr();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(listener.serve(service.clone(), async {
            let _ = stopped.await;
        }));
        Self {
            addr,
            service,
            stop,
            task,
        }
    }

    /// Waits until the counters satisfy the condition.
    async fn until(&self, condition: impl Fn(&Stats) -> bool) {
        let waiting = async {
            while !condition(&self.service.stats()) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = timeout(Duration::from_secs(10), waiting).await;
        let stats = self.service.stats();
        assert!(in_time.is_ok(), "never happened: {stats:?}");
    }

    async fn stop(self) -> Ended {
        self.stop.send(()).expect("still serving");
        self.task.await.expect("no panic")
    }
}

#[test]
fn public_types_cross_threads() {
    fn send<T: Send + Unpin + 'static>() {}
    fn all<T: Send + Sync + Unpin + 'static>() {}
    send::<MjpegBody>();
    send::<ResponseBody>();
    all::<StreamService>();
    all::<Listener>();
    all::<HttpConfig>();
    all::<BindError>();
    all::<Ended>();
    all::<Stats>();
    all::<ViewerInfo>();
    all::<ViewerLimit>();
    send::<ResponseFuture>();
}

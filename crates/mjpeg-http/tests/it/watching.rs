//! Viewers whose frames another service sends.

use std::{sync::Arc, time::Duration};

use mjpeg_http::{
    Access, Action, Detach, Gate, Grant, Inquiry, Listener, ListenerConfig, StreamConfig,
    StreamService, StreamWatcher, WatchEnd, WatchRefusal, WatchRequest, WatchedFrame,
};
use mjpeg_testkit::jpeg;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::{Served, publish, publish_number};

fn wall() -> WatchRequest {
    WatchRequest::new("wall")
}

fn somebody() -> Inquiry {
    let mut inquiry = Inquiry::new(Action::Stream);
    inquiry.peer = Some(([192, 0, 2, 1], 5).into());
    inquiry
}

async fn watching(service: &StreamService, request: &WatchRequest) -> StreamWatcher {
    service.watch(somebody(), request).await.unwrap()
}

/// The newest frame, which is due.
fn taken(watcher: &mut StreamWatcher) -> WatchedFrame<bytes::Bytes> {
    let newest = watcher.newest().unwrap();
    let bytes = newest.frame.bytes().clone();
    watcher.take(&newest, bytes).unwrap()
}

/// The number of the next frame, and whether it is a repeat.
async fn next(watcher: &mut StreamWatcher) -> (u32, bool) {
    let due = timeout(Duration::from_secs(60), watcher.due()).await;
    due.expect("a frame in time").unwrap();
    let frame = taken(watcher);
    (jpeg::number_of(frame.form()).unwrap(), frame.is_repeat())
}

#[tokio::test(start_paused = true)]
async fn newest_frame_is_taken_and_what_was_missed_is_skipped() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::new(consumer, StreamConfig::default());
    let mut watcher = watching(&service, &wall()).await;
    publish_number(&producer, 1);
    assert_eq!(next(&mut watcher).await.0, 1);
    publish_number(&producer, 2);
    watcher.due().await.unwrap();
    // It is not sent yet when more come.
    (3..=5).for_each(|number| publish_number(&producer, number));
    assert_eq!(next(&mut watcher).await, (5, false));
    let stats = service.stats();
    assert_eq!((stats.parts, stats.skipped, stats.viewers), (2, 3, 1));
    let [viewer] = &*service.viewers() else {
        panic!("one viewer");
    };
    assert_eq!(
        (viewer.protocol, viewer.sent, viewer.skipped),
        ("wall", 2, 3)
    );
    drop(watcher);
    assert_eq!(service.stats().viewers, 0);
}

#[tokio::test(start_paused = true)]
async fn frames_are_not_copied() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::new(consumer.clone(), StreamConfig::default());
    let mut watcher = watching(&service, &wall()).await;
    publish_number(&producer, 1);
    watcher.due().await.unwrap();
    let frame = taken(&mut watcher);
    let published = consumer.latest().unwrap();
    assert_eq!(frame.form().as_ptr(), published.frame.bytes().as_ptr());
}

#[tokio::test(start_paused = true)]
async fn last_frame_is_repeated_at_the_keepalive() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::new(consumer, StreamConfig::default());
    publish_number(&producer, 1);
    producer.set_status(mjpeg_fanout::Status::Online);
    let mut watcher = watching(&service, &wall()).await;
    assert_eq!(next(&mut watcher).await, (1, false));
    let since = Instant::now();
    assert_eq!(next(&mut watcher).await, (1, true));
    assert_eq!(since.elapsed(), Duration::from_secs(5));
    // A newcomer's first frame is old by then.
    assert_eq!(
        next(&mut watching(&service, &wall()).await).await,
        (1, true)
    );
}

#[tokio::test(start_paused = true)]
async fn rate_is_the_lowest_of_what_is_asked_configured_and_granted() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_max_fps(10.0).unwrap();
    let service = StreamService::builder(consumer).config(config);
    let service = service.gate(Arc::new(AtMost(5.0))).build();
    let mut watcher = watching(&service, &wall()).await;
    let mut interval = async |fps: Option<f64>| {
        watcher.set_fps(fps);
        for number in [1, 2] {
            publish_number(&producer, number);
            next(&mut watcher).await;
        }
        publish_number(&producer, 3);
        let since = Instant::now();
        next(&mut watcher).await;
        since.elapsed().as_millis()
    };
    for (fps, expected) in [(None, 200), (Some(20.0), 200), (Some(2.0), 500)] {
        let interval = interval(fps).await;
        assert!(interval.abs_diff(expected) <= 2, "{fps:?}: {interval}");
    }
}

/// Admits everybody, at this rate.
struct AtMost(f64);

#[async_trait::async_trait]
impl Gate for AtMost {
    async fn decide(&self, inquiry: &Inquiry) -> Access {
        assert_eq!(inquiry.action, Action::Stream);
        Access::Allow(Grant::default().with_max_fps(self.0))
    }
}

/// Admits whoever says so, until that is taken back.
#[derive(Default)]
struct Switch {
    is_closed: std::sync::atomic::AtomicBool,
    until: Option<Duration>,
}

#[async_trait::async_trait]
impl Gate for Switch {
    async fn decide(&self, _: &Inquiry) -> Access {
        if self.is_closed.load(std::sync::atomic::Ordering::Relaxed) {
            let refusal = http::Response::builder().status(403);
            return Access::deny(refusal.body("No.\n".into()).unwrap());
        }
        let mut grant = Grant::default();
        grant.until = self.until.map(|time| Instant::now().into_std() + time);
        Access::Allow(grant)
    }
}

#[tokio::test(start_paused = true)]
async fn viewer_whose_service_has_decided_by_itself_passes_the_limits_only() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let gate = Arc::new(Switch::default());
    gate.is_closed
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let config = StreamConfig::default().with_max_viewers(1);
    let service = StreamService::builder(consumer).config(config);
    let service = service.gate(gate as _).build();
    let request = wall().without_gate();
    let watcher = watching(&service, &request).await;
    assert_eq!(service.recheck().await.ended, 0);
    assert_eq!(service.viewers().len(), 1);
    let mut other = somebody();
    other.peer = Some(([192, 0, 2, 2], 5).into());
    let refused = service.watch(other, &request).await;
    assert!(matches!(refused, Err(WatchRefusal::Full(_))));
    drop(watcher);
    let refused = service.watch(somebody(), &wall()).await;
    assert!(matches!(refused, Err(WatchRefusal::Denied(_))));
}

#[tokio::test(start_paused = true)]
async fn every_end_is_told_while_waiting_and_while_a_frame_is_on_its_way() {
    for is_on_its_way in [false, true] {
        let (producer, consumer) = mjpeg_fanout::channel();
        let gate = Arc::new(Switch::default());
        let service = StreamService::builder(consumer);
        let service = service.gate(Arc::clone(&gate) as _).build();
        publish_number(&producer, 1);
        let end = async |mut watcher: StreamWatcher, cause: &dyn Fn()| {
            next(&mut watcher).await;
            let ending = async {
                match is_on_its_way {
                    true => watcher.ended().await,
                    false => watcher.due().await.unwrap_err(),
                }
            };
            let (end, ()) = tokio::join!(ending, async {
                sleep(Duration::from_millis(1)).await;
                cause();
            });
            end
        };
        let watcher = watching(&service, &wall()).await;
        let id = service.viewers()[0].id;
        let kicked = end(watcher, &|| assert!(service.kick(id))).await;
        assert_eq!(kicked, WatchEnd::Kicked);

        let watcher = watching(&service, &wall()).await;
        let (denied, ()) = tokio::join!(end(watcher, &|| ()), async {
            sleep(Duration::from_millis(2)).await;
            gate.is_closed
                .store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(service.recheck().await.ended, 1);
        });
        assert_eq!(denied, WatchEnd::Denied);
        let refused = service.watch(somebody(), &wall()).await;
        assert!(matches!(refused, Err(WatchRefusal::Denied(_))));
        gate.is_closed
            .store(false, std::sync::atomic::Ordering::Relaxed);

        let watcher = watching(&service, &wall()).await;
        assert_eq!(end(watcher, &|| service.close()).await, WatchEnd::Closed);
        let refused = service.watch(somebody(), &wall()).await;
        assert!(matches!(refused, Err(WatchRefusal::Closed)));
    }
}

#[tokio::test(start_paused = true)]
async fn grant_and_longest_duration_end_it() {
    let soon = Duration::from_secs(3);
    let longest = StreamConfig::default().with_max_duration(soon);
    for (gate, config, expected) in [
        (Some(soon), StreamConfig::default(), WatchEnd::Expired),
        (None, longest, WatchEnd::Duration),
    ] {
        for is_on_its_way in [false, true] {
            let (_producer, consumer) = mjpeg_fanout::channel();
            let gate = Switch {
                until: gate,
                ..Switch::default()
            };
            let service = StreamService::builder(consumer).config(config.clone());
            let service = service.gate(Arc::new(gate)).build();
            let mut watcher = watching(&service, &wall()).await;
            let since = Instant::now();
            let end = match is_on_its_way {
                true => watcher.ended().await,
                false => watcher.due().await.unwrap_err(),
            };
            assert_eq!(end, expected);
            assert!(since.elapsed() <= soon + Duration::from_millis(2));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn limits_on_viewers_hold() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_max_viewers(2);
    let config = config.with_max_viewers_per_address(1);
    let service = StreamService::new(consumer, config);
    let mut first = watching(&service, &wall()).await;
    // It takes the place of the one from its address.
    let _second = watching(&service, &wall()).await;
    assert_eq!(first.due().await, Err(WatchEnd::Replaced));
    let mut other = somebody();
    other.peer = Some(([192, 0, 2, 2], 5).into());
    let _third = service.watch(other.clone(), &wall()).await.unwrap();
    other.peer = Some(([192, 0, 2, 3], 5).into());
    match service.watch(other, &wall()).await {
        Err(WatchRefusal::Full(reason)) => assert!(reason.contains("may have 2"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn old_frames_in_flight_end_those_who_hold_them() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let frame = jpeg::of_length(1, 100_000);
    let config = StreamConfig::default().with_max_inflight_bytes(250_000);
    let service = StreamService::new(consumer, config);
    let mut held = Vec::new();
    for _ in 0..4 {
        publish(&producer, frame.clone());
        let mut watcher = watching(&service, &wall()).await;
        watcher.due().await.unwrap();
        let taken = taken(&mut watcher);
        held.push((watcher, taken));
    }
    assert_eq!(service.stats().in_flight_cuts, 1);
    let (mut oldest, _frame) = held.remove(0);
    assert_eq!(oldest.ended().await, WatchEnd::InFlight);
    let (mut next, _frame) = held.remove(0);
    assert!(timeout(Duration::from_secs(9), next.ended()).await.is_err());
}

#[tokio::test]
async fn drain_waits_for_watchers_and_counts_those_that_stay() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::new(consumer, StreamConfig::default());
    let mut watcher = watching(&service, &wall()).await;
    let ending = async {
        assert_eq!(watcher.ended().await, WatchEnd::Closed);
        drop(watcher);
    };
    let (drained, ()) = tokio::join!(service.drain(Duration::from_secs(10)), ending);
    assert_eq!(drained.cut, 0);
    let (_producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::new(consumer, StreamConfig::default());
    let _stays = watching(&service, &wall()).await;
    assert_eq!(service.drain(Duration::from_millis(50)).await.cut, 1);
}

/// A service that upgrades every connection to an echo, and keeps it if told to.
#[derive(Clone)]
struct Echo {
    keeps: bool,
}

impl tower_service::Service<http::Request<hyper::body::Incoming>> for Echo {
    type Response = http::Response<http_body_util::Empty<bytes::Bytes>>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<hyper::body::Incoming>) -> Self::Future {
        let detach = request.extensions_mut().remove::<Detach>().unwrap();
        let keeps = self.keeps;
        tokio::spawn(async move {
            let upgraded = hyper::upgrade::on(request).await.unwrap();
            if keeps {
                detach.detach();
            }
            let mut io = hyper_util::rt::TokioIo::new(upgraded);
            let mut byte = [0];
            while io.read_exact(&mut byte).await.is_ok() {
                if io.write_all(&byte).await.is_err() {
                    break;
                }
            }
        });
        let response = http::Response::builder().status(101);
        let response = response
            .header("connection", "upgrade")
            .header("upgrade", "echo");
        let response = response.body(http_body_util::Empty::new()).unwrap();
        std::future::ready(Ok(response))
    }
}

#[tokio::test]
async fn connection_that_a_fallback_keeps_outlives_its_listener() {
    for keeps in [false, true] {
        let (_producer, consumer) = mjpeg_fanout::channel();
        let config = ListenerConfig::default().with_grace(Duration::from_millis(200));
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), config).unwrap();
        let service = StreamService::new(consumer, StreamConfig::default());
        let served = Served::on(listener.with_fallback(Echo { keeps }), service);
        let mut client = TcpStream::connect(served.addr).await.unwrap();
        let request =
            b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
        client.write_all(request).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        let echo = async |client: &mut TcpStream| {
            client.write_all(b"x").await?;
            client.read_u8().await
        };
        assert_eq!(echo(&mut client).await.unwrap(), b'x');
        let monitor = served.monitor.clone();
        let since = Instant::now();
        let Served { stop, task, .. } = served;
        drop(stop);
        let cut = task.await.unwrap().cut;
        assert_eq!(
            (cut, echo(&mut client).await.is_ok()),
            (usize::from(!keeps), keeps)
        );
        if keeps {
            assert!(
                since.elapsed() < Duration::from_millis(150),
                "it waits for nothing"
            );
            assert_eq!(monitor.stats().connections, 1, "it is counted");
            drop(client);
        }
        let none = async {
            while monitor.stats().connections > 0 {
                sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(Duration::from_secs(5), none)
            .await
            .expect("it has ended");
    }
}

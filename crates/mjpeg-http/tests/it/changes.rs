//! Limits, grants and placeholders that change while viewers watch.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use http::{Request, Response};
use http_body_util::BodyExt;
use mjpeg_codec::{Frame, Stamp};
use mjpeg_http::{
    Access, CorsPolicy, Gate, Grant, Inquiry, Listener, ListenerConfig, Peer, ResponseBody,
    StreamConfig, StreamService, ViewerLimit,
};
use mjpeg_testkit::{Viewer, jpeg};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tower_service::Service as _;

use crate::{Served, publish_number, raw::RawClient};

async fn watch(service: &StreamService, ip: [u8; 4]) -> Response<ResponseBody> {
    let mut request = Request::get("/stream").body(()).unwrap();
    request.extensions_mut().insert(Peer::from((ip, 4000)));
    let response = service.clone().call(request).await.unwrap();
    assert_eq!(response.status(), 200);
    response
}

#[tokio::test]
async fn shared_limit_stays_right_when_viewers_are_replaced_after_a_change() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let one = StreamConfig::default().with_max_viewers(1);
    let limit = ViewerLimit::new(10);
    let limited = one.clone().with_viewer_limit(limit.clone());
    let ann = [192, 0, 2, 1];

    let service = StreamService::new(consumer.clone(), one.clone());
    let first = watch(&service, ann).await;
    service.configure(limited.clone());
    let second = watch(&service, ann).await;
    drop((first, second));
    assert_eq!(limit.viewers(), 0);
    let third = watch(&service, ann).await;
    assert_eq!(limit.viewers(), 1);
    service.configure(one);
    let fourth = watch(&service, ann).await;
    drop((third, fourth));
    assert_eq!(limit.viewers(), 0);
}

/// Grants until this time, or does not decide any more.
#[derive(Default)]
struct Until {
    time: Mutex<Option<std::time::Instant>>,
    hangs: Mutex<bool>,
    fails: Mutex<bool>,
}

#[async_trait]
impl Gate for Until {
    async fn decide(&self, _: &Inquiry) -> Access {
        if *self.hangs.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        if *self.fails.lock().unwrap() {
            return Access::Undecided;
        }
        let mut grant = Grant::default();
        grant.until = *self.time.lock().unwrap();
        Access::Allow(grant)
    }
}

impl Until {
    fn end_soon(&self) {
        let soon = Instant::now() + Duration::from_millis(300);
        *self.time.lock().unwrap() = Some(soon.into_std());
    }
}

fn guarded(gate: &Arc<Until>) -> (mjpeg_fanout::Producer, StreamService) {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_gate_timeout(Duration::from_millis(200));
    let builder = StreamService::builder(consumer).config(config);
    (producer, builder.gate(Arc::clone(gate) as _).build())
}

fn serve(service: StreamService) -> Served {
    let addr = "127.0.0.1:0".parse().unwrap();
    Served::on(
        Listener::bind(addr, ListenerConfig::default()).unwrap(),
        service,
    )
}

/// No frame comes that would wake it.
#[tokio::test]
async fn recheck_that_shortens_a_grant_ends_an_idle_viewer() {
    let gate = Arc::<Until>::default();
    let (_producer, service) = guarded(&gate);
    let mut body = watch(&service, [192, 0, 2, 1]).await.into_body();
    let mounted = tokio::spawn(async move { while body.frame().await.is_some() {} });
    let served = serve(service);
    let mut client = RawClient::new(TcpStream::connect(served.addr).await.unwrap());
    client.get("/stream", "").await;
    client.head().await;
    served.until(|stats| stats.viewers == 2).await;
    gate.end_soon();
    assert_eq!(served.service.recheck().await.ended, 0);
    let ended = timeout(
        Duration::from_secs(4),
        served.until(|stats| stats.viewers == 0),
    );
    ended.await.expect("within a second or so");
    mounted.await.unwrap();
    assert_eq!(served.stats().kicked, 2);
}

#[tokio::test]
async fn viewers_stay_while_the_gate_does_not_decide() {
    let gate = Arc::<Until>::default();
    let (producer, service) = guarded(&gate);
    let served = serve(service);
    publish_number(&producer, 1);
    let mut viewer = Viewer::open(served.addr, "/").await.unwrap();
    viewer.next_frame().await.unwrap().unwrap();
    *gate.hangs.lock().unwrap() = true;
    let rechecked = served.service.recheck().await;
    assert_eq!((rechecked.ended, rechecked.undecided), (0, 1));
    assert_eq!(served.stats().gate_timeouts, 1);
    publish_number(&producer, 2);
    crate::assert_next(&mut viewer, 2).await;
    // It says itself that it cannot.
    *gate.hangs.lock().unwrap() = false;
    *gate.fails.lock().unwrap() = true;
    let rechecked = served.service.recheck().await;
    assert_eq!((rechecked.ended, rechecked.undecided), (0, 1));
    publish_number(&producer, 3);
    crate::assert_next(&mut viewer, 3).await;
    let new = Viewer::open(served.addr, "/").await.unwrap();
    assert_eq!(new.head().status, 503);
    assert_eq!(served.stats().gate_timeouts, 1, "that was no timeout");
}

async fn until_frame(viewer: &mut Viewer, number: u32) {
    loop {
        let frame = viewer.next_frame().await.unwrap().expect("not ended");
        if jpeg::number_of(&frame) == Some(number) {
            return;
        }
    }
}

/// It shows the last frame once more, which is older than the viewer allows frames to be late.
#[tokio::test]
async fn removed_placeholder_cuts_no_viewer() {
    let (producer, consumer) = mjpeg_fanout::channel();
    publish_number(&producer, 1);
    let served = Served::start(consumer, StreamConfig::default());
    let mut viewer = Viewer::open(served.addr, "/stream?max_lag=1")
        .await
        .unwrap();
    viewer.next_frame().await.unwrap().unwrap();
    sleep(Duration::from_millis(1500)).await;
    let stamp = Stamp::new(SystemTime::now(), Instant::now().into_std());
    producer.set_placeholder(Frame::parse(jpeg::numbered(7)).unwrap(), stamp);
    producer.show_placeholder();
    until_frame(&mut viewer, 7).await;
    producer.clear_placeholder();
    until_frame(&mut viewer, 1).await;
    sleep(Duration::from_millis(300)).await;
    let stats = served.stats();
    assert_eq!((stats.lag_cuts, stats.viewers), (0, 1));
}

/// Nobody is slow: each part of the newest frame is as new as the others.
#[tokio::test]
async fn parts_for_other_origins_do_not_count_as_older_frames() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let origins = ["http://a.example", "http://b.example"];
    let config = StreamConfig::default()
        .with_max_inflight_bytes(0)
        .with_cors(CorsPolicy::listed(origins).unwrap());
    let served = Served::start(consumer, config);
    let mut viewers = Vec::new();
    for origin in origins {
        let mut viewer = RawClient::new(TcpStream::connect(served.addr).await.unwrap());
        let headers = format!("Origin: {origin}\r\n");
        viewer.get("/stream?advance_headers=1", &headers).await;
        viewer.head().await;
        viewers.push(viewer);
    }
    served.until(|stats| stats.viewers == 2).await;
    for number in 1..20 {
        publish_number(&producer, number);
        for viewer in &mut viewers {
            viewer.until(&jpeg::numbered(number)).await;
        }
    }
    assert_eq!(served.stats().in_flight_cuts, 0);
}

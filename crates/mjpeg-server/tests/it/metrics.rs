//! The figures of a relay: that they are right, complete, documented, and understood by Prometheus.

mod counters;
pub(crate) mod exposition;
pub(crate) mod pages;
mod prometheus;
mod relay;

use std::time::Duration;

use bytes::Bytes;
use mjpeg_manager::{
    HttpOutlet, Manager, ManagerConfig, StreamSpec, StreamState, mjpeg_codec::Frame,
    mjpeg_codec::Stamp, mjpeg_http::ListenerStats,
};
use mjpeg_server::Metrics;
use mjpeg_testkit::{Script, Step, jpeg, request};
use tokio::time::Instant;

use crate::metrics::{
    exposition::{Exposition, Kind},
    relay::{TestRelay, live, until},
};

/// What Prometheus 2 sends.
const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0,\
                            application/openmetrics-text;version=0.0.1;q=0.75,\
                            text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

#[tokio::test]
async fn each_client_gets_the_format_that_it_asks_for() {
    let relay = TestRelay::start(live()).await;
    let get = async |accept: &str| {
        let raw = format!(
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\n{accept}Connection: close\r\n\r\n"
        );
        let response = request(relay.metrics, raw).await.unwrap();
        let kind = response.head.header("content-type").unwrap().to_owned();
        (kind, String::from_utf8(response.body.to_vec()).unwrap())
    };
    let (kind, text) = get("").await;
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    assert!(text.contains("\n# TYPE mjpeg_stream_frames_total counter\n"));
    assert!(text.contains("\n# TYPE mjpeg_build_info gauge\n"));
    assert!(!text.contains("# EOF"));

    let (kind, text) = get(&format!("Accept: {OPEN_METRICS}\r\n")).await;
    assert_eq!(
        kind,
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(text.contains("\n# TYPE mjpeg_stream_frames counter\n"));
    assert!(text.contains("\nmjpeg_stream_frames_total{stream=\"door\"} "));
    assert!(text.ends_with("\n# EOF\n"));
    relay.shutdown().await;
}

#[tokio::test]
async fn figures_are_those_of_the_streams() {
    let frames: Vec<Bytes> = (0..6).map(jpeg::numbered).collect();
    let mut steps: Vec<Step> = frames.iter().cloned().map(Step::Send).collect();
    steps.insert(5, Step::Send(Bytes::from_static(b"no picture at all")));
    steps.push(Step::Stall);
    let mut relay = TestRelay::start(Script::new(steps)).await;
    let frame_bytes: usize = frames.iter().map(|frame| frame.len()).sum();
    until("all frames", async || {
        relay.scrape().value("mjpeg_stream_frames_total", "door") == 6.0
    })
    .await;
    let received = relay.viewer.next_part().await.unwrap();
    assert!(received.is_some());

    let figures = relay.scrape();
    let door = |name| figures.value(name, "door");
    assert_eq!(door("mjpeg_stream_up"), 1.0);
    assert_eq!(door("mjpeg_stream_resting"), 0.0);
    assert_eq!(
        door("mjpeg_stream_received_bytes_total"),
        (frame_bytes + 17) as f64
    );
    assert_eq!(door("mjpeg_stream_frame_bytes_total"), frame_bytes as f64);
    let garbage = [("stream", "door"), ("reason", "garbage")];
    assert_eq!(figures.get("mjpeg_stream_discarded_total", &garbage), 1.0);
    assert_eq!(
        figures.get("mjpeg_stream_discarded_bytes_total", &garbage),
        17.0
    );
    assert!(door("mjpeg_stream_last_frame_timestamp_seconds") > 1.7e9);
    assert_eq!(door("mjpeg_stream_frame_interval_seconds_count"), 5.0);
    let above = [("stream", "door"), ("le", "+Inf")];
    assert_eq!(
        figures.get("mjpeg_stream_frame_interval_seconds_bucket", &above),
        5.0
    );
    assert_eq!(door("mjpeg_stream_viewers"), 1.0);
    assert!(door("mjpeg_stream_frames_sent_total") >= 1.0);
    assert!(door("mjpeg_stream_sent_bytes_total") > frames[0].len() as f64);
    assert!(door("mjpeg_stream_frame_age_seconds_count") >= 1.0);

    assert_eq!(figures.value("mjpeg_stream_up", "yard"), 0.0);
    assert_eq!(figures.value("mjpeg_stream_resting", "yard"), 0.0);
    assert_eq!(figures.value("mjpeg_stream_up", "attic"), 0.0);
    assert_eq!(figures.value("mjpeg_stream_resting", "attic"), 1.0);
    assert!(
        figures
            .find(
                "mjpeg_stream_last_frame_timestamp_seconds",
                &[("stream", "yard")]
            )
            .is_none(),
        "no frame has come"
    );

    assert_eq!(figures.get("mjpeg_streams", &[]), 3.0);
    assert_eq!(figures.get("mjpeg_viewers", &[]), 1.0);
    assert_eq!(figures.get("mjpeg_viewers_limit", &[]), 20_000.0);
    let port = [("listener", "door"), ("stream", "door")];
    assert_eq!(figures.get("mjpeg_listener_connections", &port), 1.0);
    assert_eq!(figures.get("mjpeg_listener_requests_total", &port), 1.0);
    let gateway = [("listener", "main")];
    assert_eq!(figures.get("mjpeg_listener_accepted_total", &gateway), 0.0);
    assert!(figures.get("process_open_fds", &[]) > 5.0);
    relay.shutdown().await;
}

#[tokio::test]
async fn nothing_in_the_figures_is_of_one_viewer_or_names_an_address() {
    let relay = TestRelay::start(live()).await;
    until("a frame is sent", async || {
        relay
            .scrape()
            .value("mjpeg_stream_frames_sent_total", "door")
            > 0.0
    })
    .await;
    let figures = relay.scrape();
    for sample in figures.samples() {
        for (label, value) in &sample.labels {
            let known = [
                "stream", "listener", "store", "reason", "result", "status", "le", "version",
            ];
            assert!(known.contains(&&**label), "{sample:?}");
            assert!(!value.contains("127.0.0.1"), "{sample:?}");
        }
    }
    relay.shutdown().await;
}

#[tokio::test]
async fn label_values_are_escaped() {
    let http = HttpOutlet::default();
    let manager = Manager::with_outlets(ManagerConfig::default(), [http.factory()]);
    let metrics = Metrics::new(manager, http);
    let name = "a\\b\"c\nd";
    for accept in ["", OPEN_METRICS] {
        let listeners = [(name.to_owned(), ListenerStats::default())];
        let answer = metrics.respond(Some(accept), listeners);
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        let line = r#"mjpeg_listener_accepted_total{listener="a\\b\"c\nd",stream=""} 0"#;
        assert!(text.lines().any(|found| found == line), "{accept}: {text}");
    }
}

#[tokio::test]
async fn answers_on_their_way_are_bounded() {
    let http = HttpOutlet::default();
    let manager = Manager::with_outlets(ManagerConfig::default(), [http.factory()]);
    let metrics = Metrics::new(manager, http);
    let get = || metrics.clone().respond(None, []);
    let mut on_their_way: Vec<_> = (0..4).map(|_| get().into_body()).collect();
    assert_eq!(get().status(), 503);
    on_their_way.pop();
    let answer = get();
    assert_eq!(answer.status(), 200);
    let figures = Exposition::parse(std::str::from_utf8(answer.body()).unwrap());
    assert_eq!(figures.get("mjpeg_scrapes_refused_total", &[]), 1.0);
}

#[tokio::test]
async fn counters_are_named_and_described_as_prometheus_wants_it() {
    let relay = TestRelay::start(live()).await;
    for family in relay.scrape().families() {
        let is_counter = family.kind == Kind::Counter;
        assert_eq!(
            is_counter,
            family.name.ends_with("_total"),
            "{}",
            family.name
        );
        let help = &family.help;
        assert!(help.ends_with('.') && !help.contains("  "), "{help}");
        let of_family = |name: &str| {
            let rest = name.strip_prefix(&*family.name);
            rest.is_some_and(|rest| ["", "_bucket", "_sum", "_count"].contains(&rest))
        };
        assert!(family.samples.iter().all(|sample| of_family(&sample.name)));
    }
    relay.shutdown().await;
}

/// Resident memory of this process, in KiB.
#[cfg(target_os = "linux")]
fn resident_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn scrapes_of_200_streams_keep_no_memory() {
    let http = HttpOutlet::default();
    let config = ManagerConfig::default().with_max_streams(200);
    let manager = Manager::with_outlets(config, [http.factory()]);
    let frame = Frame::parse(jpeg::numbered(1)).unwrap();
    let stamp = Stamp::new(std::time::SystemTime::now(), Instant::now().into_std());
    let mut publishers = Vec::new();
    for number in 0..200 {
        let name = format!("camera-{number}").parse().unwrap();
        let spec = StreamSpec::fed(name).with_listen(([127, 0, 0, 1], 0).into());
        let publisher = manager.start_fed(spec).await.unwrap();
        publisher.publish(frame.clone(), stamp).unwrap();
        publishers.push(publisher);
    }
    let online = |state: &StreamState| *state == StreamState::Online;
    manager.wait_for("camera-199", online).await.unwrap();
    let metrics = Metrics::new(manager.clone(), http);
    let mut times = Vec::new();
    let mut scrape = |count: usize| {
        for _ in 0..count {
            let since = Instant::now();
            let answer = metrics.respond(Some(OPEN_METRICS), []);
            times.push(since.elapsed());
            assert!(answer.body().len() > 1_000_000);
        }
        resident_kib()
    };
    // The allocator keeps what it has needed once.
    let before = scrape(50);
    let kept = scrape(100) - before;
    times.sort_unstable();
    println!(
        "200 streams: median {:?}, kept {kept} KiB in 100 scrapes",
        times[75]
    );
    // A hundred answers would be 128 MB.
    assert!(kept < 8192, "kept {kept} KiB");
    let report = tokio::time::timeout(Duration::from_secs(20), manager.shutdown()).await;
    assert_eq!(report.unwrap().stopped, 200);
}

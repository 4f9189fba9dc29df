//! Snapshots: which picture, when, and with which headers.

use std::time::{Duration, SystemTime};

use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::{Producer, Status};
use mjpeg_http::StreamConfig;
use mjpeg_testkit::{Response, jpeg, request};
use tokio::time::{Instant, sleep};

use crate::{Served, publish_number};

const WAIT: Duration = Duration::from_millis(300);

fn served() -> (Producer, Served) {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_snapshot_wait(WAIT);
    (producer, Served::start(consumer, config))
}

async fn ask(served: &Served, query: &str, headers: &str) -> Response {
    let asked =
        format!("GET /snapshot{query} HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n");
    let response = request(served.addr, asked).await.unwrap();
    let origin = response.head.header("access-control-allow-origin");
    assert_eq!(origin, Some("*"));
    response
}

#[track_caller]
fn is_picture(response: &Response, number: u32) {
    assert_eq!(response.head.status, 200);
    assert_eq!(response.head.header("content-type"), Some("image/jpeg"));
    let length = response.body.len().to_string();
    assert_eq!(response.head.header("content-length"), Some(&length[..]));
    assert_eq!(response.body, jpeg::numbered(number));
}

/// Publishes a frame after a while, well before the wait ends.
async fn meanwhile<T>(producer: &Producer, number: u32, asking: impl Future<Output = T>) -> T {
    let (answer, ()) = tokio::join!(asking, async {
        sleep(WAIT / 5).await;
        publish_number(producer, number);
    });
    answer
}

#[tokio::test]
async fn latest_picture_comes_at_once_with_what_is_known_of_it() {
    let (producer, served) = served();
    producer.set_status(Status::Online);
    publish_number(&producer, 1);
    publish_number(&producer, 2);
    let response = ask(&served, "", "").await;
    is_picture(&response, 2);
    let told = |name| response.head.header(name);
    let tag = told("etag").unwrap();
    assert_eq!(tag, format!("\"{:016x}-2\"", producer.epoch()));
    assert_eq!((told("age"), told("x-online")), (Some("0"), Some("true")));
    assert!(told("cache-control").unwrap().contains("no-store"));
    let stamp: f64 = told("x-timestamp").unwrap().parse().unwrap();
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    assert!((now.as_secs_f64() - stamp).abs() < 60.0);
    let date = httpdate::parse_http_date(told("last-modified").unwrap()).unwrap();
    let since = date.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(since.as_secs(), stamp as u64);
    assert_eq!(served.stats().snapshots, 1);
}

#[tokio::test]
async fn head_tells_type_and_length_without_the_picture() {
    let (producer, served) = served();
    producer.set_status(Status::Online);
    publish_number(&producer, 1);
    let asked = "HEAD /snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let response = request(served.addr, asked).await.unwrap();
    assert_eq!(response.head.header("content-type"), Some("image/jpeg"));
    let length = jpeg::numbered(1).len().to_string();
    assert_eq!(response.head.header("content-length"), Some(&length[..]));
    assert!(response.body.is_empty());
}

#[tokio::test]
async fn who_has_it_is_told_so() {
    let (producer, served) = served();
    producer.set_status(Status::Online);
    publish_number(&producer, 1);
    let first = ask(&served, "", "").await;
    let tag = first.head.header("etag").unwrap().to_owned();
    for tags in [&tag[..], &format!("\"x\", W/{tag}"), "*"] {
        let again = ask(&served, "", &format!("If-None-Match: {tags}\r\n")).await;
        assert_eq!(again.head.status, 304, "{tags}");
        assert_eq!(again.head.header("etag"), Some(&tag[..]));
        assert!(again.body.is_empty());
    }
    assert_eq!(served.stats().snapshots_not_modified, 3);
    publish_number(&producer, 2);
    let newer = ask(&served, "", &format!("If-None-Match: {tag}\r\n")).await;
    is_picture(&newer, 2);
    // The same number of an earlier run means another picture.
    let (producer, served) = self::served();
    producer.set_status(Status::Online);
    publish_number(&producer, 7);
    let other = ask(&served, "", &format!("If-None-Match: {tag}\r\n")).await;
    is_picture(&other, 7);
}

#[tokio::test]
async fn fresh_waits_for_a_picture_captured_after_the_request() {
    let (producer, served) = served();
    producer.set_status(Status::Online);
    for query in ["?fresh=1", "?fresh", "?max_delay=0"] {
        publish_number(&producer, 1);
        let response = meanwhile(&producer, 2, ask(&served, query, "")).await;
        is_picture(&response, 2);
    }
    let late = ask(&served, "?fresh=1", "").await;
    assert_eq!(late.head.status, 503);
    assert_eq!(late.head.header("retry-after"), Some("1"));
    assert_eq!(served.stats().snapshots_unavailable, 1);
}

#[tokio::test]
async fn picture_older_than_allowed_is_not_given() {
    let (producer, served) = served();
    producer.set_status(Status::Online);
    publish_number(&producer, 1);
    sleep(WAIT / 2).await;
    is_picture(&ask(&served, "?max_age=60", "").await, 1);
    is_picture(&ask(&served, "?max_delay=60000", "").await, 1);
    for query in ["?max_age=0.05", "?max_delay=50"] {
        let since = Instant::now();
        assert_eq!(ask(&served, query, "").await.head.status, 503, "{query}");
        assert!(since.elapsed() >= WAIT);
    }
    let newer = meanwhile(&producer, 2, ask(&served, "?max_age=0.05", "")).await;
    is_picture(&newer, 2);
}

#[tokio::test]
async fn long_poll_waits_for_another_picture() {
    let (producer, served) = served();
    producer.set_status(Status::Online);
    publish_number(&producer, 1);
    let epoch = producer.epoch();
    let had = format!("?after={epoch:016x}-1");
    let next = meanwhile(&producer, 2, ask(&served, &had, "")).await;
    is_picture(&next, 2);
    // A missed picture comes at once. So does any picture after a number not reached yet, or a tag
    // of another run.
    for query in [
        had.clone(),
        format!("?after=%22{epoch:016x}-1%22"),
        format!("?after={epoch:016x}-900"),
        format!("?after={:016x}-2", epoch ^ 1),
        "?after=nonsense".to_owned(),
    ] {
        let since = Instant::now();
        is_picture(&ask(&served, &query, "").await, 2);
        assert!(since.elapsed() < WAIT / 2, "{query}");
    }
    let none = ask(&served, &format!("?after={epoch:016x}-2"), "").await;
    assert_eq!(none.head.status, 503);
}

#[tokio::test]
async fn client_may_wait_longer_or_not_at_all() {
    let (producer, served) = served();
    producer.set_status(Status::Online);
    publish_number(&producer, 1);
    let since = Instant::now();
    assert_eq!(ask(&served, "?fresh=1&wait=0", "").await.head.status, 503);
    assert!(since.elapsed() < WAIT / 2);
    let asking = ask(&served, "?fresh=1&wait=10", "");
    let (answer, ()) = tokio::join!(asking, async {
        sleep(2 * WAIT).await;
        publish_number(&producer, 2);
    });
    is_picture(&answer, 2);
}

#[tokio::test]
async fn last_picture_of_a_camera_that_is_away_says_so() {
    let (producer, served) = served();
    producer.set_status(Status::Online);
    publish_number(&producer, 1);
    producer.set_status(Status::Offline);
    let since = Instant::now();
    sleep(Duration::from_millis(1100)).await;
    let response = ask(&served, "", "").await;
    assert!(since.elapsed() >= Duration::from_millis(1100) + WAIT);
    is_picture(&response, 1);
    assert_eq!(response.head.header("x-online"), Some("false"));
    assert_eq!(response.head.header("age"), Some("1"));
    // The camera comes back during the wait.
    let back = async {
        producer.set_status(Status::Online);
        ask(&served, "", "").await
    };
    is_picture(&back.await, 1);
    producer.set_status(Status::Offline);
    let newer = meanwhile(&producer, 2, ask(&served, "", "")).await;
    is_picture(&newer, 2);
}

#[tokio::test]
async fn before_the_first_picture_there_is_none() {
    let (producer, served) = served();
    let none = ask(&served, "", "").await;
    assert_eq!(none.head.status, 503);
    assert_eq!(none.body, "The camera has sent no picture yet.\n");
    let demand = producer.demand();
    let (first, ()) = tokio::join!(ask(&served, "", ""), async {
        // A waiting request counts as demand.
        while demand.now() == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        publish_number(&producer, 1);
    });
    is_picture(&first, 1);
    assert_eq!(demand.now(), 0);
}

#[tokio::test]
async fn one_connection_takes_many_pictures() {
    let (producer, served) = served();
    producer.set_status(Status::Online);
    publish_number(&producer, 1);
    let asked = "GET /snapshot HTTP/1.1\r\nHost: x\r\n\r\n".repeat(4)
        + "GET /snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let mut stream = tokio::net::TcpStream::connect(served.addr).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, asked.as_bytes())
        .await
        .unwrap();
    let mut received = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut received)
        .await
        .unwrap();
    let picture = jpeg::numbered(1);
    let found = received.windows(picture.len()).filter(|w| *w == picture);
    assert_eq!(found.count(), 5);
    assert_eq!(served.stats().listener.accepted, 1);
}

fn placeholder(producer: &Producer, number: u32) {
    let frame = Frame::parse(jpeg::numbered(number)).unwrap();
    producer.set_placeholder(
        frame,
        Stamp::new(SystemTime::now(), Instant::now().into_std()),
    );
}

#[tokio::test]
async fn placeholder_is_given_only_where_there_is_no_picture_at_all() {
    let (producer, served) = served();
    producer.set_status(Status::Offline);
    placeholder(&producer, 100);
    let response = ask(&served, "", "").await;
    is_picture(&response, 100);
    assert_eq!(response.head.header("x-online"), Some("false"));
    assert_eq!(response.head.header("etag"), None, "it has no number");
    let any = ask(&served, "", "If-None-Match: *\r\n").await;
    assert_eq!(any.head.status, 200, "so nobody can have it");
    for strict in ["?fresh=1", "?max_age=60", "?after=x"] {
        assert_eq!(ask(&served, strict, "").await.head.status, 503, "{strict}");
    }
    publish_number(&producer, 1);
    producer.show_placeholder();
    is_picture(&ask(&served, "", "").await, 1);
    // A placeholder that comes during the wait does not satisfy the request.
    let (response, ()) = tokio::join!(ask(&served, "?fresh=1", ""), async {
        sleep(WAIT / 5).await;
        placeholder(&producer, 101);
        producer.show_placeholder();
        sleep(WAIT / 5).await;
        publish_number(&producer, 2);
    });
    is_picture(&response, 2);
}

/// The next picture is as young as any can be.
#[tokio::test]
async fn no_age_means_the_next_picture() {
    let (producer, served) = served();
    producer.set_status(Status::Online);
    for query in ["?max_age=0", "?max_age=0.0", "?max_age=0.000001"] {
        publish_number(&producer, 1);
        let response = meanwhile(&producer, 2, ask(&served, query, "")).await;
        is_picture(&response, 2);
    }
    assert_eq!(ask(&served, "?max_age=0", "").await.head.status, 503);
}

/// Programs that ask as fast as they can get each picture once.
#[tokio::test]
async fn stream_may_want_fresh_pictures_for_requests_that_say_nothing() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default()
        .with_snapshot_wait(WAIT)
        .with_snapshot_fresh(true);
    let served = Served::start(consumer, config);
    producer.set_status(Status::Online);
    publish_number(&producer, 1);
    is_picture(&meanwhile(&producer, 2, ask(&served, "", "")).await, 2);
    assert_eq!(ask(&served, "", "").await.head.status, 503);
    for own in ["?fresh=0", "?max_age=60", "?after=x"] {
        is_picture(&ask(&served, own, "").await, 2);
    }
}

/// Programs that look only at the status notice that the camera is dead.
#[tokio::test]
async fn stream_may_limit_the_age_for_requests_that_say_nothing() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default()
        .with_snapshot_wait(WAIT)
        .with_snapshot_max_age(WAIT);
    let served = Served::start(consumer, config);
    producer.set_status(Status::Online);
    publish_number(&producer, 1);
    is_picture(&ask(&served, "", "").await, 1);
    producer.set_status(Status::Offline);
    placeholder(&producer, 100);
    sleep(WAIT).await;
    assert_eq!(ask(&served, "", "").await.head.status, 503);
    is_picture(&ask(&served, "?max_age=60", "").await, 1);
    let any = ask(&served, "?fresh=0", "").await;
    is_picture(&any, 1);
    assert_eq!(any.head.header("x-online"), Some("false"));
}

/// A camera that is read on demand and needs longer than the usual wait.
#[tokio::test]
async fn snapshot_waits_for_a_camera_that_is_being_connected() {
    let (producer, served) = served();
    placeholder(&producer, 100);
    publish_number(&producer, 1);
    producer.retire();
    producer.set_status(Status::Idle);
    let connecting = async |to: Option<u32>| {
        sleep(WAIT / 3).await;
        producer.set_status(Status::Starting);
        sleep(2 * WAIT).await;
        match to {
            Some(number) => {
                publish_number(&producer, number);
                producer.set_status(Status::Online);
            }
            None => producer.set_status(Status::Offline),
        }
    };
    let (response, ()) = tokio::join!(ask(&served, "", ""), connecting(Some(2)));
    is_picture(&response, 2);
    assert_eq!(response.head.header("x-online"), Some("true"));
    // It could not be connected: the picture of the visit before says what it is.
    producer.retire();
    producer.set_status(Status::Idle);
    let (response, ()) = tokio::join!(ask(&served, "", ""), connecting(None));
    is_picture(&response, 2);
    assert_eq!(response.head.header("x-online"), Some("false"));
    // Others do not wait longer.
    for status in [Status::Connecting, Status::Offline] {
        producer.set_status(status);
        let since = Instant::now();
        ask(&served, "", "").await;
        assert!(since.elapsed() < 3 * WAIT, "{status}");
    }
}

#[tokio::test]
async fn snapshot_of_a_camera_that_is_being_connected_has_a_limit_and_is_no_placeholder() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default()
        .with_snapshot_wait(WAIT)
        .with_snapshot_connect_wait(3 * WAIT);
    let served = Served::start(consumer, config);
    placeholder(&producer, 100);
    for status in [Status::Idle, Status::Starting, Status::Connecting] {
        producer.set_status(status);
        let since = Instant::now();
        let response = ask(&served, "", "").await;
        assert_eq!(response.head.status, 503, "{status}");
        let longer = status != Status::Connecting;
        assert_eq!(since.elapsed() >= 3 * WAIT, longer, "{status}");
    }
    // What a request says itself holds.
    producer.set_status(Status::Starting);
    let since = Instant::now();
    assert_eq!(ask(&served, "?wait=0", "").await.head.status, 503);
    assert!(since.elapsed() < WAIT);
    producer.set_status(Status::Offline);
    let dead = ask(&served, "", "").await;
    is_picture(&dead, 100);
    assert_eq!(dead.head.header("x-placeholder"), Some("true"));
    assert_eq!(dead.head.header("x-online"), Some("false"));
}

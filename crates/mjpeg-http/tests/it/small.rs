//! Snapshots at an eighth of their size.

use std::time::Duration;

use http::Request;
use mjpeg_codec::{Frame, small::SmallPicture};
use mjpeg_fanout::{Producer, Status};
use mjpeg_http::{StreamConfig, StreamService};
use mjpeg_testkit::{Response, jpeg, request};
use tokio::{join, time::advance};
use tower_service::Service as _;

use crate::{Served, publish};

fn served(jpeg: impl Into<bytes::Bytes>) -> (Producer, Served) {
    let (producer, consumer) = mjpeg_fanout::channel();
    producer.set_status(Status::Online);
    publish(&producer, jpeg);
    (producer, Served::start(consumer, StreamConfig::default()))
}

async fn ask(served: &Served, query: &str, headers: &str) -> Response {
    let asked =
        format!("GET /snapshot{query} HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n");
    request(served.addr, asked).await.unwrap()
}

#[tokio::test]
async fn snapshot_at_an_eighth_of_its_size_is_a_picture_of_its_own() {
    let whole = jpeg::sized(1, 640, 480);
    let (producer, served) = served(whole.clone());
    for query in ["?scale=8", "?scale=eighth", "?fresh=0&scale=8&x"] {
        let response = ask(&served, query, "").await;
        assert_eq!(response.head.status, 200);
        assert_eq!(response.head.header("x-scale"), Some("8"));
        assert_eq!(response.head.header("content-type"), Some("image/jpeg"));
        let tag = format!("\"{:016x}-1-eighth\"", producer.epoch());
        assert_eq!(response.head.header("etag"), Some(&tag[..]));
        let small = Frame::parse(response.body).unwrap();
        assert_eq!((small.width(), small.height()), (80, 60));
        let frame = Frame::parse(whole.clone()).unwrap();
        let expected = SmallPicture::from_frame(&frame).unwrap().encode();
        assert_eq!(*small.bytes(), expected);
    }
    // Nothing else changes anything.
    for query in ["", "?scale=1", "?scale=", "?scale=16", "?scale=-8"] {
        let response = ask(&served, query, "").await;
        assert_eq!(response.head.header("x-scale"), None);
        assert_eq!(response.body, whole);
    }
}

#[tokio::test]
async fn pages_of_other_origins_may_read_the_scale() {
    let (_producer, served) = served(jpeg::numbered(1));
    let response = ask(&served, "?scale=8", "Origin: http://elsewhere\r\n").await;
    let mut headers = response.head.headers.iter();
    assert!(headers.any(|(name, value)| {
        name.eq_ignore_ascii_case("access-control-expose-headers") && value.contains("X-Scale")
    }));
}

#[tokio::test]
async fn frame_without_a_small_picture_is_sent_whole() {
    let mut lossless = jpeg::numbered(1).to_vec();
    let sof = lossless.windows(2).position(|pair| pair == [0xFF, 0xC0]);
    lossless[sof.unwrap() + 1] = 0xC3;
    let (producer, served) = served(lossless.clone());
    let response = ask(&served, "?scale=8", "").await;
    assert_eq!(response.head.status, 200);
    assert_eq!(response.head.header("x-scale"), Some("1"));
    let tag = format!("\"{:016x}-1\"", producer.epoch());
    assert_eq!(response.head.header("etag"), Some(&tag[..]));
    assert_eq!(response.body, lossless);
}

#[tokio::test]
async fn tags_of_small_pictures_are_known_again() {
    let (producer, served) = served(jpeg::numbered(1));
    let small = format!("\"{:016x}-1-eighth\"", producer.epoch());
    let whole = format!("\"{:016x}-1\"", producer.epoch());
    for (query, has, status) in [
        ("?scale=8", &small, 304),
        ("?scale=8", &whole, 200),
        ("", &small, 200),
        ("", &whole, 304),
    ] {
        let response = ask(&served, query, &format!("If-None-Match: {has}\r\n")).await;
        assert_eq!(response.head.status, status, "{query} {has}");
    }
    // A long poll for the picture after this one finds none.
    let tag = small.trim_matches('"');
    let query = format!("?scale=8&wait=0.1&after={tag}");
    assert_eq!(ask(&served, &query, "").await.head.status, 503);
    publish(&producer, jpeg::numbered(2));
    assert_eq!(ask(&served, &query, "").await.head.status, 200);
}

#[tokio::test(start_paused = true)]
async fn age_is_that_of_when_the_small_picture_is_sent() {
    let (producer, consumer) = mjpeg_fanout::channel();
    producer.set_status(Status::Online);
    publish(&producer, jpeg::sized(1, 2560, 1920));
    let mut service = StreamService::builder(consumer).build();
    let asked = Request::get("/snapshot?scale=8").body(String::new());
    // Making it takes several turns.
    let passing = advance(Duration::from_secs(7));
    let (answer, ()) = join!(service.call(asked.unwrap()), passing);
    let answer = answer.unwrap();
    assert_eq!(answer.headers()["x-scale"], "8");
    assert_eq!(answer.headers()["age"], "7");
}

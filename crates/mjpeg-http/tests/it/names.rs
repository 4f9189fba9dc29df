//! How the streams of a port are named in URLs.

use std::collections::BTreeMap;

use mjpeg_fanout::{Producer, Status};
use mjpeg_http::{Listener, ListenerConfig, StreamConfig, StreamService, Streams};
use mjpeg_testkit::{jpeg, request};
use tokio::net::TcpStream;

use crate::{publish_number, raw::RawClient};

/// Streams in the order in which they were given, none of them the default.
struct Ordered(
    Vec<(&'static str, StreamService)>,
    BTreeMap<&'static str, &'static str>,
);

impl Streams for Ordered {
    fn find(&self, name: &str) -> Option<StreamService> {
        let name = self.1.get(name).copied().unwrap_or(name);
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, stream)| stream.clone())
    }

    fn nth(&self, index: usize) -> Option<StreamService> {
        self.0.get(index).map(|(_, stream)| stream.clone())
    }
}

/// `yard` shows picture 1, and `door`, also called `webcam`, picture 2.
fn yard_and_door() -> (Ordered, [Producer; 2]) {
    let (yard_in, yard) = mjpeg_fanout::channel();
    let (door_in, door) = mjpeg_fanout::channel();
    for (producer, number) in [(&yard_in, 1), (&door_in, 2)] {
        producer.set_status(Status::Online);
        publish_number(producer, number);
    }
    let service = |consumer| StreamService::new(consumer, StreamConfig::default());
    let streams = vec![("yard", service(yard)), ("door", service(door))];
    let aliases = BTreeMap::from([("webcam", "door")]);
    (Ordered(streams, aliases), [yard_in, door_in])
}

fn bind(base_path: &str) -> Listener {
    let config = ListenerConfig::default().with_base_path(base_path).unwrap();
    Listener::bind("127.0.0.1:0".parse().unwrap(), config).unwrap()
}

#[tokio::test]
async fn streams_are_found_however_displays_and_proxies_write_their_urls() {
    let (streams, _producers) = yard_and_door();
    let listener = bind("/cams");
    let addr = listener.local_addr().unwrap();
    let serving = tokio::spawn(listener.serve(streams, std::future::pending()));
    let (yard, door) = (Ok(1), Ok(2));
    for (path, shown) in [
        ("/door/snapshot", door),
        ("/webcam/?action=snapshot", door),
        ("//door//snapshot/", door),
        ("/yard/?action=snapshot_1", yard),
        ("/cams/yard/snapshot", yard),
        ("//cams//yard//snapshot", yard),
        ("/?action=snapshot_0", yard),
        ("/cams/?action=snapshot_1&1608856928650", door),
        ("/api/frame.jpeg?src=door", door),
        ("/api/frame.jpeg?src=webcam&w=640", door),
        ("/cams/api//frame.jpeg/?src=yard", yard),
        ("/?action=snapshot_2", Err(404)),
        ("/api/frame.jpeg?src=attic", Err(404)),
        ("/attic/snapshot", Err(404)),
        // None is the default.
        ("/snapshot", Err(404)),
        ("/?action=snapshot", Err(404)),
    ] {
        let asked = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let response = request(addr, asked).await.unwrap();
        let got = match response.head.status {
            200 => Ok(jpeg::number_of(&response.body).unwrap()),
            other => Err(other),
        };
        assert_eq!(got, shown, "{path}");
    }
    serving.abort();
}

/// A display that first asks for a picture, by a URL of go2rtc.
#[tokio::test]
async fn each_way_to_name_a_stream_takes_the_fast_path_as_a_second_request() {
    let (streams, [_yard, door]) = yard_and_door();
    let watched = streams.0[1].1.clone();
    let listener = bind("/cams");
    let addr = listener.local_addr().unwrap();
    let serving = tokio::spawn(listener.serve(streams, std::future::pending()));
    let tasks = || {
        let metrics = tokio::runtime::Handle::current().metrics();
        metrics.num_alive_tasks()
    };
    let without_viewers = tasks();
    let mut number = 2;
    let mut viewers = Vec::new();
    for path in [
        "/door/stream",
        "/webcam/?action=stream",
        "/?action=stream_1",
        "/api/stream.mjpeg?src=door",
        "//cams//door//stream/",
    ] {
        let mut viewer = RawClient::new(TcpStream::connect(addr).await.unwrap());
        for first in ["/api/frame.jpeg?src=door", "/nothing"] {
            viewer.get(first, "").await;
            viewer.answer().await;
        }
        viewer.get(path, "").await;
        let head = viewer.head().await;
        assert!(head.starts_with("HTTP/1.0 200 OK"), "{path}: {head}");
        viewer.until(&jpeg::numbered(number)).await;
        number += 1;
        publish_number(&door, number);
        viewer.until(&jpeg::numbered(number)).await;
        viewers.push(viewer);
    }
    assert_eq!(watched.viewers().len(), viewers.len());
    // One task for all of them: no connection is left with hyper.
    assert_eq!(tasks(), without_viewers + 1);
    serving.abort();
}

#[tokio::test]
async fn base_path_changes_for_the_next_request_of_a_connection() {
    let (streams, _producers) = yard_and_door();
    let listener = bind("/old");
    let (addr, handle) = (listener.local_addr().unwrap(), listener.handle());
    let serving = tokio::spawn(listener.serve(streams, std::future::pending()));
    let mut client = RawClient::new(TcpStream::connect(addr).await.unwrap());
    client.get("/old/door/snapshot", "").await;
    assert_eq!(client.answer().await.1, jpeg::numbered(2));
    let config = ListenerConfig::default().with_base_path("/new").unwrap();
    handle.configure(config.clone());
    assert_eq!(*handle.config(), config);
    client.get("/old/door/snapshot", "").await;
    assert!(client.answer().await.0.starts_with("HTTP/1.1 404"));
    client.get("/new/door/snapshot", "").await;
    assert_eq!(client.answer().await.1, jpeg::numbered(2));
    serving.abort();
}

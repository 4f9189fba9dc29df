//! Proxies that send all viewers of a stream to one node, with the snippets of docs/cluster.md.

use std::{collections::BTreeSet, time::Duration};

use mjpeg_testkit::{Camera, Script, jpeg, request};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::{PATIENCE, Plant, PlantNode, camera, stream, terminal::blocks};
use crate::proxies::{
    curl::{Server, Stream},
    proxy::{CADDY, HAPROXY, NGINX, Proxy, Running},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_sends_all_viewers_of_a_stream_to_one_node() {
    check(&Proxy {
        replaced: &[("listen 80;", "listen PLAIN;")],
        ..NGINX
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn haproxy_sends_all_viewers_of_a_stream_to_one_node() {
    check(&Proxy {
        replaced: &[("bind :80\n", "bind PLAIN\n")],
        ..HAPROXY
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caddy_sends_all_viewers_of_a_stream_to_one_node() {
    check(&Proxy {
        replaced: &[(":80 {\n", "http://:PLAIN_PORT {\nbind 127.0.0.1\n")],
        around: "{
                admin off
                auto_https off
                storage file_system FOLDER
            }
            SNIPPET",
        ..CADDY
    })
    .await;
}

async fn check(proxy: &Proxy) {
    if !proxy.is_installed() {
        return;
    }
    let Some(plant) = Plant::new() else { return };
    let live = camera().await;
    let still = Camera::start(Script::frames([jpeg::numbered(7)])).await;
    // The still picture is never repeated, so it arrives at once or not at all.
    let still = stream("still", &still)
        + "stall_limit = '1h'\nkeepalive = '1h'\nsnapshot_wait = '0s'\nplaceholder = 'none'\n";
    let others = OTHERS.map(|name| {
        format!("[[streams]]\nname = \"{name}\"\nsource = \"test:\"\non_demand = true\n")
    });
    let streams = [stream("live", &live), still, others.concat()].concat();
    let mut nodes = Vec::from(["a", "b", "c"].map(|name| plant.start(name, &streams)));
    for node in &nodes {
        for name in ["live", "still"] {
            shows(node, name).await;
        }
    }
    let proxy = in_front_of(proxy, &nodes);

    let mut viewers = Vec::new();
    for _ in 0..6 {
        viewers.push(picture(&proxy, "live").0);
    }
    let at = place(&nodes, "live", 6).await;
    // Its only frame is not held back until there are more.
    assert_eq!(picture(&proxy, "still").1, 7);
    let mut places = BTreeSet::new();
    for name in OTHERS {
        let _viewer = open(&proxy, name);
        places.insert(place(&nodes, name, 1).await);
    }
    assert!(places.len() > 1, "all streams come to one node: {places:?}");
    page_is_at_one_node(&proxy, &nodes).await;

    nodes.remove(at).server.end_by("KILL");
    let since = Instant::now();
    let (viewer, _) = picture(&proxy, "live");
    let taken = since.elapsed();
    assert!(taken < Duration::from_secs(5), "after {taken:?}");
    viewers = vec![viewer];
    for _ in 0..3 {
        viewers.push(picture(&proxy, "live").0);
    }
    place(&nodes, "live", 4).await;
    // Whether or not the node that was killed had the camera.
    let first = number(&mut viewers[0]);
    while number(&mut viewers[0]) == first {}
}

/// Whatever is of no stream comes to the same node, which knows who has logged in.
async fn page_is_at_one_node(proxy: &Running, nodes: &[PlantNode]) {
    let requests = async || {
        let mut counts = Vec::new();
        for node in nodes {
            let figures = String::from_utf8(node.ask("/metrics").await.unwrap()).unwrap();
            let mut lines = figures.lines();
            let count = lines.find_map(|line| {
                let (_, count) = line
                    .strip_prefix("mjpeg_listener_requests_total{")?
                    .rsplit_once(' ')?;
                count.parse::<u64>().ok()
            });
            counts.push(count.expect("a gateway"));
        }
        counts
    };
    let before = requests().await;
    let paths = ["/", "/login", "/assets/page.css", "/api/v1/streams"];
    for path in paths.iter().cycle().take(10 * paths.len()) {
        let asked = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        request(proxy.plain, asked).await.expect("an answer");
    }
    let after = requests().await;
    let came = after
        .iter()
        .zip(before)
        .map(|(after, before)| after - before);
    // Besides, the proxy may ask how a node is.
    assert!(came.max() >= Some(40), "{after:?}");
}

/// Runs the proxy with its snippet, in front of these nodes.
fn in_front_of(proxy: &Proxy, nodes: &[PlantNode]) -> Running {
    let language = match proxy.name {
        "caddy" => "caddyfile",
        name => name,
    };
    let snippet = blocks("Path routing", language).remove(0);
    let mut snippet = proxy.replaced(snippet + "\n");
    for (node, port) in nodes.iter().zip(8081..) {
        let printed = format!("127.0.0.1:{port}");
        assert_eq!(snippet.matches(&printed).count(), 1, "{snippet}");
        snippet = snippet.replace(&printed, &node.server.addr(0).to_string());
    }
    proxy.run(&snippet, &[])
}

/// Opens a stream through the proxy, and returns it and the number of its first picture.
fn picture(proxy: &Running, stream: &str) -> (Stream, u32) {
    let mut viewer = open(proxy, stream);
    let number = number(&mut viewer);
    (viewer, number)
}

fn open(proxy: &Running, stream: &str) -> Stream {
    let mut viewer = Server::plain(proxy.plain).watch(&[&format!("/{stream}/stream")]);
    let head = viewer.head();
    assert!(head.contains(" 200"), "{head}");
    viewer
}

/// The number of the next picture of the camera: no placeholder.
fn number(viewer: &mut Stream) -> u32 {
    loop {
        if let Some(number) = jpeg::number_of(&viewer.picture().1) {
            return number;
        }
    }
}

/// Waits until a node has a picture of a stream.
async fn shows(node: &PlantNode, stream: &str) {
    let shown = async {
        while node.ask(&format!("/{stream}/snapshot")).await.is_none() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let what = format!("{} shows {stream}", node.name);
    timeout(PATIENCE, shown).await.expect(&what);
}

/// Waits until there are as many viewers of a stream; they are at one node. Returns which.
async fn place(nodes: &[PlantNode], stream: &str, count: usize) -> usize {
    let placed = async {
        loop {
            let mut at = Vec::new();
            for node in nodes {
                at.push(viewers(node, stream).await);
            }
            if at.iter().sum::<usize>() == count {
                return at;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let at = timeout(PATIENCE, placed).await.expect("as many viewers");
    let one = at.iter().position(|viewers| *viewers == count);
    one.unwrap_or_else(|| panic!("viewers of {stream} at the nodes: {at:?}"))
}

/// How many viewers a node has; other nodes that read the stream from it are none.
async fn viewers(node: &PlantNode, stream: &str) -> usize {
    let path = format!("/api/v1/streams/{stream}/viewers");
    let body = node.ask(&path).await.expect("the stream is there");
    let listed: Value = serde_json::from_slice(&body).expect("JSON");
    let listed = listed["viewers"].as_array().expect("a list");
    let people = listed.iter().filter(|one| one["protocol"] != "cluster");
    people.count()
}

const OTHERS: [&str; 8] = [
    "alley", "barn", "cellar", "dock", "entry", "field", "gate", "hall",
];

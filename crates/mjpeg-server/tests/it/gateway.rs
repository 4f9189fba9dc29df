//! Gateways: one port for all streams, with what stands beside them.

use std::{net::SocketAddr, time::Duration};

use mjpeg_manager::{
    HttpOutlet, ManagerConfig, StartMode, StreamSpec,
    mjpeg_http::{ListenAddress, ListenerConfig},
};
use mjpeg_server::{GatewayAddress, GatewayConfig, Gateways, Relay, Routes, ServeSet};
use mjpeg_testkit::{Camera, Response, Script, Viewer, jpeg, refused_addr, request};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::{folder::Folder, process::Server};

fn live() -> Script {
    let frames = (0..20).map(jpeg::numbered).collect();
    Script::live(frames, Duration::from_millis(20))
}

fn loopback(name: &str) -> GatewayConfig {
    let any = "127.0.0.1:0".parse().unwrap();
    GatewayConfig::new(name, GatewayAddress::Tcp(any))
}

/// A stream without a port of its own.
fn stream(name: &str, camera: impl std::fmt::Display) -> StreamSpec {
    let spec = StreamSpec::parse(name, &format!("tcp://{camera}")).unwrap();
    spec.with_mode(StartMode::Retry)
}

/// The relay of these streams with this gateway, and its address.
async fn relay(specs: Vec<StreamSpec>, gateway: GatewayConfig) -> (Relay, SocketAddr) {
    let order = specs.iter().map(|spec| spec.name().clone());
    let mut routes = Routes::new(order);
    for spec in &specs {
        routes = routes.with_alias(format!("cam-{}", spec.name()), spec.name().clone());
    }
    let relay = Relay::with_gateways(
        specs,
        ManagerConfig::default(),
        HttpOutlet::default(),
        Gateways::new([gateway], routes),
    );
    let relay = relay.await.unwrap();
    let addr = address(&relay, 0);
    (relay, addr)
}

fn address(relay: &Relay, gateway: usize) -> SocketAddr {
    match relay.gateway_addresses().nth(gateway).unwrap().1 {
        ListenAddress::Tcp(addr) => addr,
        other => panic!("{other}"),
    }
}

async fn ask(addr: SocketAddr, method: &str, path: &str, headers: &str) -> Response {
    let asked = format!("{method} {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
    let response = timeout(Duration::from_secs(10), request(addr, asked)).await;
    response.expect("the answer ends").unwrap()
}

async fn get(addr: SocketAddr, path: &str) -> Response {
    ask(addr, "GET", path, "Host: 127.0.0.1\r\n").await
}

fn text(response: &Response) -> &str {
    std::str::from_utf8(&response.body).unwrap()
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// Sees that this many frames in a row skip none.
async fn watch(viewer: &mut Viewer, frames: u32) {
    let mut last = None;
    for _ in 0..frames {
        let next = timeout(Duration::from_secs(10), viewer.next_frame()).await;
        let frame = next.unwrap().unwrap().expect("not ended");
        let number = jpeg::number_of(&frame).unwrap();
        // A slow machine makes repeats.
        let follows = last.is_none_or(|last| number == last || number == (last + 1) % 20);
        assert!(follows, "{last:?}, {number}");
        last = Some(number);
    }
}

/// Waits until the stream has pictures.
async fn online(relay: &Relay, name: &str) {
    let is_online = |state: &mjpeg_manager::StreamState| state.as_str() == "online";
    let online = relay.manager().wait_for(name, is_online);
    timeout(Duration::from_secs(10), online)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn every_way_to_a_stream_shows_all_its_frames() {
    let (yard, door) = (Camera::start(live()).await, Camera::start(live()).await);
    let specs = vec![stream("yard", yard.addr()), stream("door", door.addr())];
    let base_path = ListenerConfig::default().with_base_path("/cams").unwrap();
    let gateway = loopback("main")
        .with_default("door".parse().ok())
        .with_listener(base_path);
    let (relay, addr) = relay(specs, gateway).await;
    let (at_door, at_yard) = ("door", "yard");
    let mut viewers = Vec::new();
    for (path, name) in [
        ("/door/", at_door),
        ("/yard/?action=stream", at_yard),
        ("/cam-yard/stream", at_yard),
        ("//door//stream/", at_door),
        ("/cams/yard/stream.mjpg", at_yard),
        ("/stream", at_door),
        ("/?action=stream", at_door),
        ("/cams/?action=stream", at_door),
        ("/?action=stream_0", at_yard),
        ("/?action=stream_1", at_door),
        ("/api/stream.mjpeg?src=yard", at_yard),
        ("/cams/api/stream.mjpeg?src=cam-door", at_door),
    ] {
        let before = relay.http().viewers(name).len();
        viewers.push(Viewer::open(addr, path).await.unwrap());
        assert_eq!(relay.http().viewers(name).len(), before + 1, "{path}");
    }
    for viewer in &mut viewers {
        watch(viewer, 10).await;
    }
    for (path, location) in [("/door", "./door/"), ("/cams/yard?x", "./yard/?x")] {
        let response = get(addr, path).await;
        assert_eq!(response.head.status, 308, "{path}");
        assert_eq!(response.head.header("location"), Some(location));
    }
    relay.shutdown().await;
}

#[tokio::test]
async fn stream_without_a_name_is_the_only_one_or_none() {
    let (yard, door) = (Camera::start(live()).await, Camera::start(live()).await);
    let (one, addr) = relay(vec![stream("door", door.addr())], loopback("main")).await;
    let mut viewer = Viewer::open(addr, "/stream").await.unwrap();
    watch(&mut viewer, 3).await;
    one.manager()
        .start(stream("yard", yard.addr()))
        .await
        .unwrap();
    let response = get(addr, "/stream").await;
    assert_eq!(response.head.status, 404);
    let list = "Nothing here. The streams are at /door/ /yard/\n";
    assert_eq!(text(&response), list);
    let response = get(addr, "/?action=stream_2").await;
    assert_eq!((response.head.status, text(&response)), (404, list));
    watch(&mut viewer, 3).await;
}

#[tokio::test]
async fn api_tells_strangers_states_and_rates_and_nothing_else() {
    let camera = Camera::start(live()).await;
    let dead = refused_addr().await;
    let specs = vec![stream("yard", dead), stream("door", camera.addr())];
    let (relay, addr) = relay(specs, loopback("main")).await;
    let mut viewer = Viewer::open(addr, "/door/").await.unwrap();
    watch(&mut viewer, 5).await;
    let response = get(addr, "/api/v1/streams").await;
    assert_eq!(
        response.head.header("content-type"),
        Some("application/json")
    );
    assert_eq!(
        response.head.header("x-content-type-options"),
        Some("nosniff")
    );
    assert_eq!(response.head.header("access-control-allow-origin"), None);
    let listed = body(&response);
    let streams = listed["streams"].as_array().unwrap();
    let named: Vec<&str> = streams
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["yard", "door"], "in order");
    let door = &streams[1];
    assert_eq!(
        (&door["state"], &door["viewers"]),
        (&json!("online"), &json!(1))
    );
    assert!(door["frames"].as_u64() >= Some(5) && door["bytes"].as_u64() > Some(100));
    let keys: Vec<&String> = door.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "bytes", "fps", "frames", "name", "replay_s", "state", "viewers"
        ]
    );
    for secret in [
        "tcp:",
        "127.0.0.1",
        &camera.addr().port().to_string(),
        "peer",
    ] {
        assert!(
            !text(&response).contains(secret),
            "{secret}: {}",
            text(&response)
        );
    }

    let health = get(addr, "/api/v1/streams/door/health").await;
    assert_eq!(
        (health.head.status, body(&health)),
        (200, json!({"state": "online"}))
    );
    let offline = relay
        .manager()
        .wait_for("yard", |s| s.as_str() == "offline");
    timeout(Duration::from_secs(10), offline)
        .await
        .unwrap()
        .unwrap();
    let health = get(addr, "//api/v1/streams/cam-yard/health/").await;
    assert_eq!(health.head.status, 503);
    assert_eq!(
        health.head.header("content-type"),
        Some("application/problem+json")
    );
    let problem = body(&health);
    assert_eq!(
        (&problem["code"], &problem["status"]),
        (&json!("offline"), &json!(503))
    );
    assert!(problem["detail"].as_str().unwrap().starts_with("offline: "));
    assert!(!text(&health).contains("127.0.0.1"), "{}", text(&health));

    let head = ask(addr, "HEAD", "/api/v1/streams", "Host: localhost\r\n").await;
    assert_eq!((head.head.status, head.body.len()), (200, 0));
    let missing = get(addr, "/api/v1/streams/attic/health").await;
    assert_eq!(
        (missing.head.status, &body(&missing)["code"]),
        (404, &json!("not_found"))
    );
    let missing = get(addr, "/api/v1/config").await;
    assert_eq!(
        (missing.head.status, &body(&missing)["code"]),
        (404, &json!("not_found"))
    );
    for (method, path) in [
        ("POST", "/api/v1/streams"),
        ("DELETE", "/"),
        ("PUT", "/readyz"),
    ] {
        let refused = ask(addr, method, path, "Host: localhost\r\n").await;
        assert_eq!(refused.head.status, 405, "{method} {path}");
        let allowed = refused.head.header("allow").unwrap().replace(' ', "");
        assert_eq!(allowed, "GET,HEAD");
        assert_eq!(body(&refused)["code"], json!("method_not_allowed"));
    }
    // The camera that is offline is no reason to restart the relay.
    for path in ["/healthz", "/readyz"] {
        let probe = get(addr, path).await;
        assert_eq!((probe.head.status, text(&probe)), (200, "ok\n"), "{path}");
    }
}

#[tokio::test]
async fn page_links_to_the_streams_and_loads_nothing_from_elsewhere() {
    let camera = Camera::start(live()).await;
    let base_path = ListenerConfig::default().with_base_path("/cams").unwrap();
    let gateway = loopback("main").with_listener(base_path);
    let (relay, addr) = relay(vec![stream("door", camera.addr())], gateway).await;
    online(&relay, "door").await;
    for path in ["/", "/?", "/cams/", "//"] {
        let page = get(addr, path).await;
        assert_eq!(page.head.status, 200, "{path}");
        assert_eq!(
            page.head.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        let policy = page.head.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; "),
            "{policy}"
        );
        assert!(policy.ends_with("; frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.head.header("x-content-type-options"), Some("nosniff"));
        assert!(
            text(&page).contains("<a href=\"door/\">door</a>"),
            "{}",
            text(&page)
        );
        assert!(text(&page).contains(": online"), "{}", text(&page));
    }
    let moved = get(addr, "/cams").await;
    assert_eq!(moved.head.status, 308);
    assert_eq!(moved.head.header("location"), Some("./cams/"));
}

#[tokio::test]
async fn page_and_api_are_only_for_hosts_that_are_ours() {
    let camera = Camera::start(live()).await;
    let gateway = loopback("main").with_hosts(["cams.example.org"]);
    let (relay, addr) = relay(vec![stream("door", camera.addr())], gateway).await;
    online(&relay, "door").await;
    let paths = ["/", "/api/v1/streams", "/api/v1/streams/door/health"];
    for host in ["cams.example.org", "localhost:80", "[::1]:8080", "10.0.0.1"] {
        for path in paths {
            let response = ask(addr, "GET", path, &format!("Host: {host}\r\n")).await;
            assert_eq!(response.head.status, 200, "{host} {path}");
        }
    }
    for host in ["evil.example", "cams.example.org.evil.example"] {
        let headers = format!("Host: {host}\r\n");
        for path in paths {
            let refused = ask(addr, "GET", path, &headers).await;
            assert_eq!(refused.head.status, 421, "{host} {path}");
            assert_eq!(body(&refused)["code"], json!("misdirected_request"));
        }
        // Streams and probes are for everybody; the names of streams are not.
        for path in ["/door/snapshot", "/healthz", "/readyz"] {
            let response = ask(addr, "GET", path, &headers).await;
            assert_eq!(response.head.status, 200, "{host} {path}");
        }
        let missing = ask(addr, "GET", "/attic", &headers).await;
        assert_eq!(
            (missing.head.status, text(&missing)),
            (404, "Nothing here.\n")
        );
    }
}

#[tokio::test]
async fn what_is_served_decides_which_urls_there_are() {
    let camera = Camera::start(live()).await;
    let serve = |streams, page| {
        let mut serve = ServeSet::default();
        (serve.streams, serve.page) = (streams, page);
        loopback("main").with_serve(serve)
    };
    let (mut relay, _) = relay(vec![stream("door", camera.addr())], serve(true, true)).await;
    online(&relay, "door").await;
    let of_streams = [
        "/door/snapshot",
        "/snapshot",
        "/?action=snapshot",
        "/api/frame.jpeg?src=door",
    ];
    let of_page = [
        "/login",
        "/assets/page.js",
        "/",
        "/api/v1/streams",
        "/api/v1/streams/door/health",
    ];
    for (streams, page) in [(true, true), (true, false), (false, true), (false, false)] {
        // The address is the same, so this is the same port.
        let gateways = Gateways::new([serve(streams, page)], Routes::default());
        relay.set_gateways(gateways).await.unwrap();
        let addr = address(&relay, 0);
        for (paths, is_there) in [(&of_streams[..], streams), (&of_page, page)] {
            for path in paths {
                let status = get(addr, path).await.head.status;
                let expected = if is_there { 200 } else { 404 };
                assert_eq!(status, expected, "{path} with {streams}, {page}");
            }
        }
        let links = text(&get(addr, "/").await).contains("<a href=\"door/\"");
        assert_eq!(links, streams && page, "with {streams}, {page}");
        assert_eq!(get(addr, "/readyz").await.head.status, 200);
    }
}

#[tokio::test]
async fn gateways_come_and_go_without_their_viewers() {
    let camera = Camera::start(live()).await;
    let (mut relay, first) = relay(vec![stream("door", camera.addr())], loopback("first")).await;
    let free = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    let second = GatewayConfig::new("second", GatewayAddress::Tcp(free));
    let mut at_first = Viewer::open(first, "/door/").await.unwrap();
    watch(&mut at_first, 3).await;

    let set = |gateways: Vec<GatewayConfig>| Gateways::new(gateways, Routes::default());
    let both = vec![loopback("first"), second.clone()];
    relay.set_gateways(set(both)).await.unwrap();
    assert_eq!(address(&relay, 0), first, "it stays open");
    let mut at_second = Viewer::open(free, "/door/").await.unwrap();
    watch(&mut at_second, 3).await;

    // One that cannot be opened: nothing changes.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = GatewayAddress::Tcp(taken.local_addr().unwrap());
    let _held = std::net::TcpListener::bind(match taken {
        GatewayAddress::Tcp(addr) => addr,
        _ => unreachable!(),
    });
    let failing = vec![GatewayConfig::new("third", taken), loopback("fourth")];
    let errors = relay.set_gateways(set(failing)).await.unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(
        (&*errors[0].name, errors[0].code()),
        ("third", "port_in_use")
    );
    let names: Vec<String> = relay.gateway_addresses().map(|(name, _)| name).collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(get(first, "/readyz").await.head.status, 200);
    assert_eq!(get(free, "/readyz").await.head.status, 200);

    relay.set_gateways(set(vec![second])).await.unwrap();
    // The port is free at once, and its viewers stay.
    drop(std::net::TcpListener::bind(first).unwrap());
    watch(&mut at_first, 10).await;
    relay.set_gateways(set(vec![])).await.unwrap();
    assert!(tokio::net::TcpStream::connect(free).await.is_err());
    watch(&mut at_second, 10).await;
    let report = relay.shutdown().await;
    assert!(report.cut.is_empty(), "{report:?}");
    while at_first.next_frame().await.unwrap().is_some() {}
    while at_second.next_frame().await.unwrap().is_some() {}
}

#[tokio::test]
async fn start_fails_as_a_whole_and_says_which_gateway_is_at_fault() {
    let camera = Camera::start(live()).await;
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = GatewayAddress::Tcp(held.local_addr().unwrap());
    let missing = GatewayAddress::Inherited("http".into());
    let gateways = vec![
        GatewayConfig::new("main", taken),
        GatewayConfig::new("unit", missing),
        loopback("fine"),
    ];
    let failed = Relay::with_gateways(
        [stream("door", camera.addr())],
        ManagerConfig::default(),
        HttpOutlet::default(),
        Gateways::new(gateways, Routes::default()),
    );
    let error = failed.await.unwrap_err();
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[1].contains("\"main\"") && lines[1].ends_with("(port_in_use)"),
        "{text}"
    );
    assert!(
        lines[2].contains("\"unit\"") && lines[2].contains("named \"http\""),
        "{text}"
    );
    sleep(Duration::from_millis(50)).await;
    assert_eq!(camera.connections(), 0, "the camera was not bothered");
}

#[cfg(unix)]
#[tokio::test]
async fn gateway_on_a_unix_socket_serves_streams_and_api() {
    use std::os::unix::fs::PermissionsExt;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixStream,
    };

    let camera = Camera::start(live()).await;
    let path = std::env::temp_dir().join(format!("mjpeg-gateway-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let gateway = GatewayConfig::new(
        "socket",
        GatewayAddress::Unix {
            path: path.clone(),
            mode: Some(0o660),
        },
    );
    let relay = Relay::with_gateways(
        [stream("door", camera.addr())],
        ManagerConfig::default(),
        HttpOutlet::default(),
        Gateways::new([gateway], Routes::default()),
    );
    let mut relay = relay.await.unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    assert_eq!(relay.urls().count(), 0, "no browser opens it");
    let mut client = UnixStream::connect(&path).await.unwrap();
    // The stream is the second request of its connection.
    let both =
        b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\nGET /door/stream HTTP/1.1\r\nHost: x\r\n\r\n";
    client.write_all(both).await.unwrap();
    let mut received = Vec::new();
    let is_there = |received: &[u8], part: &[u8]| received.windows(part.len()).any(|w| w == part);
    let reading = async {
        while !is_there(&received, &jpeg::numbered(7)) {
            client.read_buf(&mut received).await.unwrap();
        }
    };
    timeout(Duration::from_secs(10), reading).await.unwrap();
    assert!(received.starts_with(b"HTTP/1.1 200 OK"));
    assert!(is_there(&received, b"HTTP/1.0 200 OK\r\n"));
    assert_eq!(relay.http().viewers("door").len(), 1);

    // Another mode is the same socket.
    let gateway = |mode| {
        let (path, mode) = (path.clone(), Some(mode));
        let address = GatewayAddress::Unix { path, mode };
        Gateways::new([GatewayConfig::new("socket", address)], Routes::default())
    };
    relay.set_gateways(gateway(0o600)).await.unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let last = received.len();
    while received.len() < last + 1000 {
        client.read_buf(&mut received).await.unwrap();
    }
    relay.shutdown().await;
    assert!(!path.exists());
}

/// The first gateway is a socket that systemd would open, the second a Unix socket.
#[cfg(unix)]
#[tokio::test]
async fn gateways_of_a_configuration_file_are_opened() {
    use std::{
        os::{fd::OwnedFd, unix::fs::PermissionsExt},
        process::Command,
    };

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixStream,
    };

    let (door, yard) = (Camera::start(live()).await, Camera::start(live()).await);
    let folder = Folder::new();
    let socket = folder.path().join("http.sock");
    let file = folder.write(
        "mjpeg.toml",
        format!(
            "[[listen]]
            name = 'main'
            fd = 'http'
            default = 'yard'
            base_path = '/cams'
            hosts = ['cams.example.org']
            [[listen]]
            unix = '{}'
            mode = '0600'
            serve = ['streams']
            [[streams]]
            name = 'yard'
            source = '{}'
            [[streams]]
            name = 'door'
            source = '{}'
            aliases = ['webcam']
            max_viewers = 0",
            socket.display(),
            yard.url(),
            door.url(),
        ),
    );
    let inherited = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = inherited.local_addr().unwrap();
    // The shell makes it descriptor 4, behind one that is no socket.
    let script = "exec 4<&0 3</dev/null </dev/null
        LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=null:http exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_mjpeg-server")]);
    command.args(["run", "--config"]).arg(file);
    command.stdin(OwnedFd::from(inherited));
    let server = Server::of(command, 3);
    let main = format!("http://{addr}/");
    let urls = ["", "yard/", "door/"].map(|path| format!("{main}{path}"));
    assert_eq!(server.urls, urls);

    for path in ["/stream", "/yard/", "/cams/?action=stream_0"] {
        let mut viewer = Viewer::open(addr, path).await.unwrap();
        watch(&mut viewer, 5).await;
    }
    // The stream's own limit.
    for path in ["/webcam/", "/?action=stream_1"] {
        let viewer = Viewer::open(addr, path).await.unwrap();
        assert_eq!(viewer.head().status, 503, "{path}");
    }
    let host = "Host: cams.example.org\r\n";
    assert_eq!(ask(addr, "GET", "/cams/", host).await.head.status, 200);

    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for (path, status) in [
        ("/yard/snapshot", "200 OK"),
        ("/api/v1/streams", "404 Not Found"),
    ] {
        let mut client = UnixStream::connect(&socket).await.unwrap();
        let asked = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        client.write_all(asked.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        let head = format!("HTTP/1.1 {status}\r\n");
        assert!(
            answer.starts_with(head.as_bytes()),
            "{}",
            answer.escape_ascii()
        );
    }
}

#[tokio::test]
async fn metrics_are_there_where_they_are_served_and_for_this_machine_only() {
    let camera = Camera::start(live()).await;
    let with_metrics = |mut gateway: GatewayConfig| {
        let mut serve = gateway.serve();
        serve.metrics = true;
        gateway = gateway.with_serve(serve);
        gateway
    };
    let everywhere = GatewayAddress::Tcp("0.0.0.0:0".parse().unwrap());
    let specs = [stream("door", camera.addr())];
    let gateways = [
        with_metrics(loopback("local")),
        with_metrics(GatewayConfig::new("everywhere", everywhere)),
        loopback("none"),
    ];
    let relay = Relay::with_gateways(
        specs,
        ManagerConfig::default(),
        HttpOutlet::default(),
        Gateways::new(gateways, Routes::default()),
    );
    let relay = relay.await.unwrap();
    online(&relay, "door").await;

    let answer = get(address(&relay, 0), "/metrics").await;
    assert_eq!(answer.head.status, 200);
    let figures = text(&answer);
    assert!(
        figures.contains("\nmjpeg_stream_up{stream=\"door\"} 1\n"),
        "{figures}"
    );
    let requests = "\nmjpeg_listener_requests_total{listener=\"local\",stream=\"\"} 1\n";
    assert!(figures.contains(requests), "{figures}");

    let port = address(&relay, 1).port();
    let refused = get(([127, 0, 0, 1], port).into(), "/metrics").await;
    assert_eq!(refused.head.status, 403);
    assert_eq!(body(&refused)["code"], "forbidden");
    assert_eq!(get(address(&relay, 2), "/metrics").await.head.status, 404);
    relay.shutdown().await;
}

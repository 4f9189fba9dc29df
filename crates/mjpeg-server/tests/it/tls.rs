//! TLS: real clients, certificates that are replaced, and peers that speak something else.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::Stdio,
    sync::Arc,
    time::{Duration, SystemTime},
};

use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::Producer;
use mjpeg_server::{
    GatewayAddress, GatewayConfig, Gateways, Relay, Routes, Tls, TlsError, TlsFiles,
    mjpeg_manager::{
        HttpOutlet, ManagerConfig, StartMode, StreamSpec,
        mjpeg_http::{
            ListenAddress, Listener, ListenerConfig, ListenerHandle, StreamConfig, StreamService,
        },
    },
};
use mjpeg_testkit::{Camera, Script, Viewer, jpeg};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::{
    browser,
    cert::{Directory, make},
};

/// A stream on a port with TLS.
struct Served {
    addr: SocketAddr,
    tls: Arc<Tls>,
    service: StreamService,
    monitor: ListenerHandle,
    producer: Producer,
    serving: JoinHandle<()>,
}

impl Served {
    fn start(files: TlsFiles, config: ListenerConfig) -> Self {
        let (producer, consumer) = mjpeg_fanout::channel();
        let service = StreamService::new(consumer, StreamConfig::default());
        let tls = Arc::new(Tls::load(files).unwrap());
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), config).unwrap();
        let listener = listener.with_wrap(Arc::clone(&tls) as _);
        let (addr, monitor) = (listener.local_addr().unwrap(), listener.handle());
        let streams = service.clone();
        let serving = tokio::spawn(async move {
            listener.serve(streams, std::future::pending()).await;
        });
        Self {
            addr,
            tls,
            service,
            monitor,
            producer,
            serving,
        }
    }

    fn publish(&self, bytes: impl Into<bytes::Bytes>) {
        let frame = Frame::parse(bytes).expect("a frame");
        let stamp = Stamp::new(SystemTime::now(), Instant::now().into_std());
        self.producer.publish(frame, stamp);
    }

    async fn until(&self, condition: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !condition(self) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = timeout(Duration::from_secs(20), waiting).await;
        assert!(in_time.is_ok(), "{:?}", self.monitor.stats());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn files(directory: &Directory) -> TlsFiles {
    TlsFiles::new(directory.join("cert.pem"), directory.join("key.pem"))
}

/// A relay with a new certificate, and where that is.
fn start(name: &str) -> (Directory, Served) {
    let directory = Directory::new(name);
    make(&directory, &[]);
    let served = Served::start(files(&directory), ListenerConfig::default());
    (directory, served)
}

async fn connect(
    served: &Served,
    certificate: &Path,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    connect_to(served.addr, certificate, protocol).await
}

/// Connects to `localhost` at this address, trusting one certificate.
pub(crate) async fn connect_to(
    addr: SocketAddr,
    certificate: &Path,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    connect_as("localhost", addr, certificate, protocol).await
}

/// Connects to a host of this name at this address, trusting one certificate.
pub(crate) async fn connect_as(
    host: &'static str,
    addr: SocketAddr,
    certificate: &Path,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(certificate).unwrap())
        .unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    // Small, so that a viewer that reads nothing is noticed soon.
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(64 << 10)?;
    let stream = socket.connect(addr).await?;
    let name = ServerName::try_from(host).unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// Watches over HTTP/1.1.
struct TlsViewer {
    stream: TlsStream<TcpStream>,
    received: Vec<u8>,
}

impl TlsViewer {
    async fn start(served: &Served, certificate: &Path) -> Self {
        let stream = connect(served, certificate, b"http/1.1").await.unwrap();
        Self::of(stream, "/stream").await
    }

    async fn of(mut stream: TlsStream<TcpStream>, path: &str) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut viewer = Self {
            stream,
            received: Vec::new(),
        };
        let head = viewer.until(b"\r\n\r\n").await;
        assert!(head.starts_with(b"HTTP/1.0 200"), "{}", head.escape_ascii());
        viewer
    }

    async fn until(&mut self, end: &[u8]) -> Vec<u8> {
        let reading = async {
            let mut searched = 0;
            loop {
                let rest = &self.received[searched..];
                if let Some(at) = rest.windows(end.len()).position(|w| w == end) {
                    return self.received.drain(..searched + at + end.len()).collect();
                }
                searched = self.received.len().saturating_sub(end.len());
                let n = self.stream.read_buf(&mut self.received).await.unwrap();
                assert!(n > 0, "it ended");
            }
        };
        timeout(Duration::from_secs(20), reading)
            .await
            .expect("it comes in time")
    }

    /// Reads a whole part, and returns its frame.
    async fn frame(&mut self) -> Vec<u8> {
        let head = String::from_utf8(self.until(b"\r\n\r\n").await).unwrap();
        let (_, length) = head.split_once("Content-Length: ").expect(&head);
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        while self.received.len() < length {
            assert!(self.stream.read_buf(&mut self.received).await.unwrap() > 0);
        }
        self.received.drain(..length).collect()
    }

    /// Expects this frame next; the one before may be repeated first.
    async fn expect(&mut self, number: u32) {
        loop {
            let got = jpeg::number_of(&self.frame().await).unwrap();
            if got + 1 != number {
                assert_eq!(got, number);
                return;
            }
        }
    }
}

#[tokio::test]
async fn viewer_over_http1_gets_whole_frames_and_a_slow_one_skips() {
    let (directory, served) = start("http1");
    let certificate = directory.join("cert.pem");
    let frames: Vec<_> = (0..=20).map(|n| jpeg::of_length(n, 300_000)).collect();
    served.publish(frames[1].clone());
    let mut quick = TlsViewer::start(&served, &certificate).await;
    let mut slow = TlsViewer::start(&served, &certificate).await;
    for number in 1..20 {
        assert_eq!(quick.frame().await, frames[number]);
        served.publish(frames[number + 1].clone());
    }
    quick.expect(20).await;
    // What it has begun to take, then the newest.
    let mut seen = Vec::new();
    while seen.last() != Some(&20) {
        let frame = slow.frame().await;
        let number = jpeg::number_of(&frame).unwrap() as usize;
        assert!(
            frame == frames[number],
            "{number} is not as it was published"
        );
        seen.push(number);
    }
    assert!(seen.len() < 8 && seen.is_sorted(), "{seen:?}");
}

#[tokio::test]
async fn curl_reads_the_stream_over_http1_and_http2() {
    let (directory, served) = start("curl");
    served.publish(jpeg::numbered(7));
    for (version, shown) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let curl = |path: &str, more: &[&str]| {
            let mut command = tokio::process::Command::new("curl");
            let port = served.addr.port();
            command
                .args(["--silent", "--show-error", version, "--cacert"])
                .arg(directory.join("cert.pem"))
                .args(more)
                .arg(format!("https://localhost:{port}{path}"))
                .stdin(Stdio::null())
                .kill_on_drop(true);
            async move { command.output().await.expect("curl runs") }
        };
        let spoken = ["--write-out", "%{http_version}", "--output", "/dev/null"];
        let spoken = curl("/snapshot", &spoken).await;
        assert_eq!(String::from_utf8_lossy(&spoken.stdout), shown, "{spoken:?}");
        let snapshot = curl("/snapshot", &[]).await;
        assert_eq!(snapshot.stdout, jpeg::numbered(7));
        let watched = curl("/stream?max_duration=0.3", &[]).await;
        let parts = |bytes: &[u8]| bytes.windows(9).filter(|w| w == b"boundaryd").count();
        assert!(parts(&watched.stdout) >= 2, "{watched:?}");
        assert!(watched.status.success(), "{:?}", watched.status);
    }
}

#[tokio::test]
async fn ten_cameras_worth_of_streams_share_a_connection_of_http2() {
    let (directory, served) = start("http2");
    served.publish(jpeg::numbered(1));
    let stream = connect(&served, &directory.join("cert.pem"), b"h2")
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (requests, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut bodies = Vec::new();
    for _ in 0..10 {
        let request = http::Request::get("https://localhost/stream")
            .body(())
            .unwrap();
        let mut requests = requests.clone().ready().await.unwrap();
        let (response, _) = requests.send_request(request, true).unwrap();
        bodies.push(response.await.unwrap().into_body());
    }
    assert_eq!(served.service.viewers().len(), 10);
    for number in 1..20 {
        let wanted = jpeg::numbered(number);
        for body in &mut bodies {
            let mut received = Vec::new();
            while !received.windows(wanted.len()).any(|w| w == wanted) {
                let data = timeout(Duration::from_secs(10), body.data()).await;
                let data = data.expect("in time").expect("it goes on").unwrap();
                body.flow_control().release_capacity(data.len()).unwrap();
                received.extend_from_slice(&data);
            }
        }
        served.publish(jpeg::numbered(number + 1));
    }
    assert_eq!(served.monitor.stats().connections, 1);
    drop((bodies, requests));
    connection.await.unwrap().unwrap();
}

/// More than the six connections that browsers open to a server over HTTP/1.
#[tokio::test]
async fn chromium_shows_twelve_streams_over_one_connection() {
    let (_directory, served) = start("chromium");
    let frames: Vec<_> = (0..30).map(|n| jpeg::sized(n, 640, 480)).collect();
    let mut img = String::new();
    for n in 0..12 {
        img += &format!(
            "<img crossorigin width=160 src='https://localhost:{}/stream?key={n}'>",
            served.addr.port()
        );
    }
    let page = browser::serve_page(format!("<!doctype html>{img}")).await;
    let publish = async {
        for frame in frames.iter().cycle() {
            served.publish(frame.clone());
            sleep(Duration::from_millis(50)).await;
        }
    };
    let driver = browser::Driver::start();
    let watch = async {
        let browser = driver.browser().await;
        browser.goto(&page).await.unwrap();
        browser::sees_a_moving_picture(&browser).await;
        let count = "return [...document.images].filter(img => img.naturalWidth == 640).length";
        let all_shown = async {
            while browser.execute(count, vec![]).await.unwrap() != 12 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        let in_time = timeout(Duration::from_secs(20), all_shown).await;
        let viewers = served.service.viewers().len();
        assert!(in_time.is_ok(), "{viewers} viewers");
        // Browsers may open some more ahead of need, before they know that it is HTTP/2.
        let connections = served.monitor.stats().connections;
        assert!(viewers == 12 && connections < 6, "{viewers} {connections}");
        browser.close().await.unwrap();
    };
    tokio::select! {
        () = publish => unreachable!("it is endless"),
        () = watch => {}
    }
}

#[tokio::test]
async fn certificate_is_replaced_under_a_running_viewer() {
    let (directory, served) = start("replaced");
    let old = directory.join("old.pem");
    fs::copy(directory.join("cert.pem"), &old).unwrap();
    let before = served.tls.fingerprint();
    served.publish(jpeg::numbered(1));
    let mut viewer = TlsViewer::start(&served, &old).await;
    viewer.expect(1).await;
    let printed = make(&directory, &["--force"]);
    served
        .until(|served| served.tls.fingerprint() != before)
        .await;
    assert!(printed.contains(&served.tls.fingerprint()), "{printed}");
    // The same connection goes on.
    for number in 2..5 {
        served.publish(jpeg::numbered(number));
        viewer.expect(number).await;
    }
    // A new one gets the new certificate.
    assert!(connect(&served, &old, b"http/1.1").await.is_err());
    let mut new = TlsViewer::start(&served, &directory.join("cert.pem")).await;
    new.expect(4).await;
    assert_eq!(served.service.viewers().len(), 2);
}

/// Without a socket, so that the clock may be stopped.
#[tokio::test(start_paused = true)]
async fn unusable_new_certificate_leaves_the_old_one_and_is_reported_once() {
    let directory = Directory::new("unusable");
    make(&directory, &[]);
    let certificate = directory.join("cert.pem");
    let old = fs::read(&certificate).unwrap();
    let tls = Tls::load(files(&directory)).unwrap();
    let fingerprint = tls.fingerprint();
    let logged = crate::log::capture();
    for (times, new) in [(1, "not a certificate"), (2, "nor is this")] {
        fs::write(&certificate, new).unwrap();
        sleep(Duration::from_secs(60)).await;
        let text = logged.text();
        assert_eq!(
            logged.count("holds no certificate in PEM format"),
            times,
            "{text}"
        );
        assert_eq!(logged.count("the one before stays"), times, "{text}");
        assert_eq!(tls.fingerprint(), fingerprint);
    }
    // Nor is a key without its certificate used.
    let other = Directory::new("unusable-other");
    make(&other, &[]);
    fs::write(&certificate, &old).unwrap();
    fs::copy(other.join("key.pem"), directory.join("key.pem")).unwrap();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(logged.count("does not belong to"), 1, "{}", logged.text());
    assert_eq!(tls.fingerprint(), fingerprint);
    fs::copy(other.join("cert.pem"), &certificate).unwrap();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(logged.count("certificate replaced"), 1, "{}", logged.text());
    assert_ne!(tls.fingerprint(), fingerprint);
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named_with_the_reason() {
    let directory = Directory::new("reasons");
    make(&directory, &[]);
    let other = Directory::new("reasons-other");
    make(&other, &[]);
    let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    let put = |name: &str, text: &[u8]| {
        let path = directory.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let empty = put("empty.pem", b"");
    let damaged = put(
        "damaged.pem",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let locked = put(
        "locked.pem",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let odd = put(
        "odd.pem",
        b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
    );
    let huge = put("huge.pem", &vec![b'x'; (1 << 20) + 1]);
    let missing = directory.join("missing.pem");
    for (files, file, reason) in [
        ((&missing, &key), &missing, "cannot read"),
        ((&certificate, &missing), &missing, "cannot read"),
        ((&empty, &key), &empty, "holds no certificate"),
        ((&key, &key), &key, "holds no certificate"),
        ((&damaged, &key), &damaged, "damaged"),
        ((&certificate, &empty), &empty, "holds no private key"),
        (
            (&certificate, &certificate),
            &certificate,
            "holds no private key",
        ),
        ((&certificate, &locked), &locked, "passphrase"),
        ((&certificate, &odd), &odd, "damaged or of a kind"),
        ((&huge, &key), &huge, "larger than"),
        (
            (&other.join("cert.pem"), &key),
            &key,
            "does not belong to the certificate in",
        ),
    ] {
        let error: TlsError = Tls::load(TlsFiles::new(files.0, files.1)).unwrap_err();
        let text = error.to_string();
        let file = file.display().to_string();
        assert!(text.contains(&file) && text.contains(reason), "{text}");
        assert!(!format!("{error:?}").contains("c2VjcmV0"), "{error:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn key_that_everybody_may_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;

    let directory = Directory::new("exposed");
    make(&directory, &[]);
    let logged = crate::log::capture();
    Tls::load(files(&directory)).unwrap();
    assert_eq!(logged.count("may read the key"), 0);
    let mode = fs::Permissions::from_mode(0o604);
    fs::set_permissions(directory.join("key.pem"), mode).unwrap();
    Tls::load(files(&directory)).unwrap();
    assert_eq!(logged.count("may read the key"), 1, "{}", logged.text());
}

#[tokio::test]
async fn plain_http_is_closed_at_once_with_one_clear_line() {
    let (_directory, served) = start("plain");
    let logged = crate::log::capture();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(served.addr).await.unwrap();
        let request = b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut received = Vec::new();
        let closing = stream.read_to_end(&mut received);
        let _ = timeout(Duration::from_secs(5), closing)
            .await
            .expect("it is closed");
        assert!(received.len() < 20, "{}", received.escape_ascii());
    }
    served
        .until(|served| served.monitor.stats().handshake_errors == 3)
        .await;
    assert_eq!(logged.count("use https://"), 1, "{}", logged.text());
}

#[tokio::test]
async fn handshake_that_never_ends_is_closed_and_counted() {
    let directory = Directory::new("endless");
    make(&directory, &[]);
    let config = ListenerConfig::default().with_header_timeout(Duration::from_millis(300));
    let served = Served::start(files(&directory), config);
    let mut silent = TcpStream::connect(served.addr).await.unwrap();
    // The beginning of a record, and no more.
    silent.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
    let mut received = Vec::new();
    let closing = silent.read_to_end(&mut received);
    let _ = timeout(Duration::from_secs(5), closing)
        .await
        .expect("it is closed");
    served
        .until(|served| served.monitor.stats().handshake_timeouts == 1)
        .await;
    assert_eq!(served.monitor.stats().connections, 0);
}

/// A gateway of the program begins to speak TLS, takes another certificate, and stops, while one
/// viewer of each kind watches.
#[tokio::test]
async fn gateway_changes_its_tls_under_running_viewers() {
    let (directory, other) = (Directory::new("gateway"), Directory::new("gateway-other"));
    make(&directory, &[]);
    make(&other, &[]);
    let camera = Camera::start(Script::live(
        (0..20).map(jpeg::numbered).collect(),
        Duration::from_millis(20),
    ))
    .await;
    let spec = StreamSpec::parse("door", &camera.url()).unwrap();
    let spec = spec.with_mode(StartMode::Retry);
    let gateway = |tls: Option<TlsFiles>| {
        let address = GatewayAddress::Tcp(([127, 0, 0, 1], 0).into());
        let config = GatewayConfig::new("main", address).with_tls(tls);
        Gateways::new([config], Routes::default())
    };
    let (config, http) = (ManagerConfig::default(), HttpOutlet::default());
    let relay = Relay::with_gateways([spec], config, http, gateway(None));
    let mut relay = relay.await.unwrap();
    let (_, ListenAddress::Tcp(addr)) = relay.gateway_addresses().next().unwrap() else {
        panic!("not TCP")
    };
    assert!(relay.urls().all(|url| url.starts_with("http://")));
    let mut plain = Viewer::open(addr, "/door/stream").await.unwrap();
    plain.next_frame().await.unwrap();

    relay
        .set_gateways(gateway(Some(files(&directory))))
        .await
        .unwrap();
    assert!(relay.urls().all(|url| url.starts_with("https://")));
    let (old, new) = (directory.join("cert.pem"), other.join("cert.pem"));
    let stream = connect_to(addr, &old, b"http/1.1");
    let mut secure = TlsViewer::of(stream.await.unwrap(), "/door/stream").await;
    secure.frame().await;

    let nothing = TlsFiles::new(directory.join("none.pem"), directory.join("none.pem"));
    let refused = relay
        .set_gateways(gateway(Some(nothing)))
        .await
        .unwrap_err();
    assert_eq!(refused[0].code(), "invalid_spec");
    relay
        .set_gateways(gateway(Some(files(&other))))
        .await
        .unwrap();
    let with_old = connect_to(addr, &old, b"http/1.1");
    assert!(with_old.await.is_err(), "the old certificate is gone");
    let with_new = connect_to(addr, &new, b"http/1.1");
    drop(with_new.await.unwrap());

    relay.set_gateways(gateway(None)).await.unwrap();
    drop(Viewer::open(addr, "/door/stream").await.unwrap());
    for _ in 0..3 {
        plain.next_frame().await.unwrap().expect("goes on");
        secure.frame().await;
    }
    relay.shutdown().await;
}

//! The wall socket of the program.

mod cost;
mod example;

use std::{fs, path::Path, sync::Arc, time::Duration};

use mjpeg_testkit::{Camera, Script, WallClient, WallMessage, jpeg, request};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::{
    cert::{Directory, make},
    folder::Folder,
    process::Server,
};

fn live() -> Script {
    let frames = (0..20).map(jpeg::numbered).collect();
    Script::live(frames, Duration::from_millis(20))
}

/// A relay with a gateway that has a page, and these cameras.
struct Relay {
    server: Server,
    folder: Folder,
    file: String,
}

impl Relay {
    fn start(text: &str) -> Self {
        let folder = Folder::new();
        let file = folder.write("mjpeg.toml", text);
        let server = Server::start(&["run", "-c", &file], 1);
        Self {
            server,
            folder,
            file,
        }
    }

    /// Writes the file anew, and has it read.
    fn reload(&mut self, text: &str) {
        fs::write(&self.file, text).unwrap();
        self.server.signal("HUP");
    }

    async fn wall(&self) -> WallClient {
        WallClient::open(self.server.addr(0), &[]).await.unwrap()
    }
}

fn stream(name: &str, camera: &Camera) -> String {
    let url = camera.url();
    format!("[[streams]]\nname = \"{name}\"\nsource = \"{url}\"\nstart = \"retry\"\n")
}

const LISTEN: &str = "[[listen]]\nname = \"main\"\naddress = \"127.0.0.1:0\"\n";

/// The next text about this tile that has a code, or is a state of its stream.
async fn told<T>(client: &mut WallClient<T>, tile: u16, state: &str) -> Value
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        match client.next().await.unwrap() {
            WallMessage::Text(text) => {
                let said: Value = serde_json::from_str(&text).unwrap();
                if said["tile"] == tile && said["state"] == state {
                    return said;
                }
            }
            WallMessage::Picture(picture) => client.ack(&picture).await.unwrap(),
            WallMessage::Closed(code) => panic!("closed with {code:?}"),
        }
    }
}

#[tokio::test]
async fn reload_keeps_the_wall_and_ends_the_tiles_that_are_gone() {
    let (door, yard) = (Camera::start(live()).await, Camera::start(live()).await);
    let both = [LISTEN, &stream("door", &door), &stream("yard", &yard)].concat();
    let mut relay = Relay::start(&both);
    let mut client = relay.wall().await;
    client.show(&["door", "yard"]).await.unwrap();
    told(&mut client, 0, "online").await;
    let door = stream("door", &door);
    let fewer = [LISTEN, "[defaults]\nkeepalive = \"2s\"\n", &door].concat();
    relay.reload(&fewer);
    let ended = told(&mut client, 1, "ended").await;
    assert_eq!(ended["code"], "not_found");
    for _ in 0..20 {
        assert_eq!(client.painted().await.unwrap().tile, 0);
    }
    // The gateway moves to another port; the wall stays.
    let moved = LISTEN.replace("127.0.0.1:0", "127.0.0.2:0");
    relay.reload(&[&moved, "[defaults]\nkeepalive = \"2s\"\n", &door].concat());
    relay.server.stderr_until("gateway closed");
    let addr = relay.server.addr(0);
    let refused = async { while TcpStream::connect(addr).await.is_ok() {} };
    timeout(Duration::from_secs(5), refused)
        .await
        .expect("it is closed");
    // Longer than the grace of a listener.
    let painting = async {
        loop {
            client.painted().await.unwrap();
        }
    };
    let ended = timeout(Duration::from_secs(6), painting).await;
    assert!(ended.is_err(), "pictures go on");
}

#[tokio::test]
async fn end_of_the_program_is_told_and_takes_no_longer() {
    let camera = Camera::start(live()).await;
    let mut relay = Relay::start(&[LISTEN, &stream("door", &camera)].concat());
    let mut client = relay.wall().await;
    client.show(&["door"]).await.unwrap();
    client.painted().await.unwrap();
    // One that does not read.
    let mut silent = relay.wall().await;
    silent.show(&["door"]).await.unwrap();
    let code = async {
        loop {
            if let WallMessage::Closed(code) = client.next().await.unwrap() {
                return code;
            }
        }
    };
    let ending = tokio::task::spawn_blocking(move || (relay.server.end_by("TERM"), relay.folder));
    let (code, ended) = tokio::join!(code, ending);
    let ((status, took), _folder) = ended.unwrap();
    assert_eq!(code, Some(1001));
    assert!(status.success());
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[tokio::test]
async fn refused_walls_are_counted_by_what_was_full() {
    let camera = Camera::start(live()).await;
    let gateway = LISTEN.to_owned()
        + "serve = [\"streams\", \"page\", \"metrics\"]\ntrusted_proxies = [\"127.0.0.1\"]\n";
    let limits = "max_walls = 2\nmax_walls_per_address = 1\n";
    let relay = Relay::start(&[limits, &gateway, &stream("door", &camera)].concat());
    let mut open = Vec::new();
    for (address, is_open) in [
        ("192.0.2.1", true),
        ("192.0.2.1", false),
        ("192.0.2.2", true),
        ("192.0.2.3", false),
        ("192.0.2.1", false),
    ] {
        let from = [("X-Forwarded-For", address)];
        let mut client = WallClient::open(relay.server.addr(0), &from).await.unwrap();
        match client.next().await.unwrap() {
            WallMessage::Text(text) => assert!(is_open && text.contains("welcome"), "{text}"),
            WallMessage::Closed(code) => assert_eq!((is_open, code), (false, Some(1013))),
            WallMessage::Picture(picture) => panic!("{picture:?}"),
        }
        open.push(client);
    }
    let asked = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let figures = request(relay.server.addr(0), asked).await.unwrap();
    let text = String::from_utf8(figures.body.to_vec()).unwrap();
    for line in [
        "mjpeg_walls 2",
        "mjpeg_walls_limit 2",
        "mjpeg_walls_refused_total{reason=\"address_full\"} 1",
        "mjpeg_walls_refused_total{reason=\"relay_full\"} 2",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
}

#[tokio::test]
async fn wall_is_served_over_tls() {
    let camera = Camera::start(live()).await;
    let certificates = Directory::new("wall");
    make(&certificates, &[]);
    let path = |name: &str| certificates.join(name).to_str().unwrap().to_owned();
    let tls = format!(
        "tls = {{ certificate = \"{}\", key = \"{}\" }}\n",
        path("cert.pem"),
        path("key.pem")
    );
    let relay = Relay::start(&[LISTEN, &tls, &stream("door", &camera)].concat());
    let addr = relay.server.addr(0);
    let stream = TcpStream::connect(addr).await.unwrap();
    let stream = connected(stream, Path::new(&path("cert.pem"))).await;
    let url = format!("wss://localhost:{}/api/v1/wall", addr.port());
    let mut client = WallClient::over(stream, &url, &[]).await.unwrap();
    client.show(&["door"]).await.unwrap();
    for _ in 0..20 {
        let picture = client.painted().await.unwrap();
        let number = jpeg::number_of(&picture.bytes).unwrap();
        assert_eq!(picture.bytes, jpeg::numbered(number));
    }
}

async fn connected(
    stream: TcpStream,
    certificate: &Path,
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(certificate).unwrap();
    roots.add(certificate).unwrap();
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.unwrap()
}

#[tokio::test]
async fn tile_of_a_stream_that_is_not_for_them_is_as_one_that_is_not_there() {
    let (door, yard) = (Camera::start(live()).await, Camera::start(live()).await);
    let hash = mjpeg_auth::hash_password("wonderland");
    let user = |name: &str, streams: &str| {
        format!(
            "[[users]]\nname = \"{name}\"\npassword_hash = \"{hash}\"\nstreams = [\"{streams}\"]\n"
        )
    };
    let users = [
        "[auth]\nanonymous = []\n",
        &user("ann", "door"),
        &user("bob", "*"),
    ]
    .concat();
    let cameras = [stream("door", &door), stream("yard", &yard)].concat();
    let mut relay = Relay::start(&[LISTEN, &users, &cameras].concat());
    let addr = relay.server.addr(0);
    // A stranger may open the wall, as the page and the events, and sees nothing there.
    let mut stranger = WallClient::open(addr, &[]).await.unwrap();
    stranger.show(&["door", "none"]).await.unwrap();
    for tile in [0, 1] {
        let refused = told(&mut stranger, tile, "refused").await;
        assert_eq!(refused["code"], "not_found");
    }
    // ann:wonderland, bob:wonderland
    let [ann, bob] = ["Basic YW5uOndvbmRlcmxhbmQ=", "Basic Ym9iOndvbmRlcmxhbmQ="];
    let mut ann = WallClient::open(addr, &[("authorization", ann)])
        .await
        .unwrap();
    ann.show(&["door", "yard", "none"]).await.unwrap();
    let refused = told(&mut ann, 1, "refused").await;
    let none = told(&mut ann, 2, "refused").await;
    assert_eq!(refused["code"], "not_found");
    assert_eq!(
        (&refused["code"], &refused["detail"]),
        (&none["code"], &none["detail"])
    );
    assert_eq!(ann.painted().await.unwrap().tile, 0);
    let mut bob = WallClient::open(addr, &[("authorization", bob)])
        .await
        .unwrap();
    bob.show(&["door", "yard"]).await.unwrap();
    told(&mut bob, 0, "online").await;
    told(&mut bob, 1, "online").await;
    // He loses the right to one of them.
    let users = users.replace("\"*\"", "\"yard\"");
    relay.reload(&[LISTEN, &users, &cameras].concat());
    let ended = timeout(Duration::from_secs(3), told(&mut bob, 0, "ended")).await;
    assert_eq!(ended.expect("soon")["code"], "forbidden");
    assert_eq!(bob.painted().await.unwrap().tile, 1);
}

#[tokio::test]
async fn figures_of_the_wall_are_among_the_metrics() {
    let camera = Camera::start(live()).await;
    let listen = format!("{LISTEN}serve = [\"streams\", \"page\", \"metrics\"]\n");
    let relay = Relay::start(&[&listen, &*stream("door", &camera)].concat());
    let mut client = relay.wall().await;
    client.show(&["door", "none"]).await.unwrap();
    for _ in 0..10 {
        client.painted().await.unwrap();
    }
    let addr = relay.server.addr(0);
    let scrape = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = request(addr, scrape.to_owned()).await.unwrap();
    let text = str::from_utf8(&answer.body).unwrap();
    for line in [
        "mjpeg_walls 1",
        "mjpeg_walls_limit 200",
        "mjpeg_wall_tiles 1",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}: {text}");
    }
    let sent = text
        .lines()
        .find_map(|line| line.strip_prefix("mjpeg_wall_frames_sent_total "));
    assert!(sent.unwrap().parse::<u64>().unwrap() >= 10);
}

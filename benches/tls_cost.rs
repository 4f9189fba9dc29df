//! What TLS and HTTP/2 cost per delivered frame, beside plain HTTP.
//!
//! A process of its own publishes frames and serves them through `mjpeg_http::Listener`; there is
//! no camera. The viewers are tasks of this process and read everything. The kinds of connection
//! take turns, and each turn gives the server's CPU time per delivered frame.

use std::{
    env,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use mjpeg_codec::{Frame, Stamp};
use mjpeg_server::{
    Tls, TlsFiles,
    mjpeg_manager::mjpeg_http::{Listener, ListenerConfig, StreamConfig, StreamService},
};
use mjpeg_testkit::jpeg;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    runtime::{Builder, Runtime},
    task::JoinSet,
    time::{Duration, Instant, interval, sleep},
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

use crate::fanout::proc::Process;

/// How viewers connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Http1,
    /// With this many viewers on each connection.
    Http2(usize),
}

/// `tls_cost [ROUNDS [SECONDS]]`, or `tls_cost serve …` for the process that serves.
pub fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let outcome = match args.first().map(String::as_str) {
        Some("serve") => serve(&args[1..]),
        _ => measure(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Publishes frames of this size and serves them; with a directory, over TLS.
fn serve(args: &[String]) -> Result<()> {
    let bytes: usize = args.first().context("no size")?.parse()?;
    let frames: Vec<_> = (0..FPS).map(|n| jpeg::of_length(n, bytes)).collect();
    runtime()?.block_on(async {
        let (producer, consumer) = mjpeg_fanout::channel();
        let service = StreamService::new(consumer, StreamConfig::default());
        let mut listener = Listener::bind("127.0.0.1:0".parse()?, ListenerConfig::default())?;
        if let Some(directory) = args.get(1) {
            listener = listener.with_wrap(Arc::new(Tls::load(files(Path::new(directory)))?));
        }
        println!("{}", listener.local_addr().context("a TCP port")?);
        let publishing = async {
            let mut ticks = interval(Duration::from_secs(1) / FPS);
            for frame in frames.iter().cycle() {
                ticks.tick().await;
                let stamp = Stamp::new(SystemTime::now(), Instant::now().into_std());
                producer.publish(Frame::parse(frame.clone())?, stamp);
            }
            Ok(())
        };
        tokio::select! {
            outcome = publishing => outcome,
            _ = listener.serve(service, std::future::pending()) => Ok(()),
        }
    })
}

fn measure(args: &[String]) -> Result<()> {
    let number = |at: usize, default| args.get(at).map_or(Ok(default), |text| text.parse());
    let (rounds, seconds) = (number(0, 5)?, number(1, 5)?);
    let directory = env::temp_dir().join(format!("mjpeg-tls-cost-{}", std::process::id()));
    std::fs::create_dir(&directory)?;
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    std::fs::write(directory.join("cert.pem"), made.cert.pem())?;
    std::fs::write(directory.join("key.pem"), made.signing_key.serialize_pem())?;
    println!(
        "| frames | viewers | connections | CPU per frame | ratio to plain | memory per viewer |"
    );
    println!("|---|---|---|---|---|---|");
    for (bytes, viewers) in CASES {
        let mut runs = vec![Vec::new(); KINDS.len()];
        for _ in 0..rounds {
            for (kind, runs) in KINDS.iter().zip(&mut runs) {
                let window = Duration::from_secs(seconds);
                runs.push(run(*kind, bytes, viewers, window, &directory)?);
            }
        }
        let plain: Vec<f64> = runs[0].iter().map(|run| run.us_per_frame).collect();
        for (kind, runs) in KINDS.iter().zip(&runs) {
            let mut ratios: Vec<f64> = runs
                .iter()
                .zip(&plain)
                .map(|(r, p)| r.us_per_frame / p)
                .collect();
            let mut costs: Vec<f64> = runs.iter().map(|run| run.us_per_frame).collect();
            let mut memory: Vec<f64> = runs.iter().map(|run| run.kib_per_viewer).collect();
            let mut delivered: Vec<f64> = runs.iter().map(|run| run.delivered).collect();
            let [cost, ratio] = [&mut costs, &mut ratios].map(|values| median(values));
            let (low, high) = (ratios[0], ratios[ratios.len() - 1]);
            println!(
                "| {} kB | {viewers} | {} | {cost:.1} us | {ratio:.2} ({low:.2} to {high:.2}) | {:.0} KiB |",
                bytes / 1000,
                kind.text(),
                median(&mut memory),
            );
            let delivered = median(&mut delivered);
            if delivered < 0.99 {
                eprintln!("{kind:?}: only {:.1} % were delivered", 100.0 * delivered);
            }
        }
    }
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

/// Sorts the values and takes the middle one.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[derive(Clone, Copy)]
struct Figures {
    us_per_frame: f64,
    kib_per_viewer: f64,
    /// Of the frames that were published, by viewer.
    delivered: f64,
}

/// The serving process. Killed when dropped.
struct Server(Child, SocketAddr);

impl Server {
    fn start(kind: Kind, bytes: usize, directory: &Path) -> Result<Self> {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(env::current_exe()?);
        command.arg("serve").arg(bytes.to_string());
        if kind != Kind::Plain {
            command.arg(directory);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().context("taskset")?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("piped")?;
        BufReader::new(stdout).read_line(&mut line)?;
        Ok(Self(
            child,
            line.trim().parse().context("the server's address")?,
        ))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(
    kind: Kind,
    bytes: usize,
    viewers: usize,
    window: Duration,
    directory: &Path,
) -> Result<Figures> {
    let server = Server::start(kind, bytes, directory)?;
    let process = Process(server.0.id());
    let size = jpeg::of_length(0, bytes).len() as f64;
    runtime()?.block_on(async {
        let before = process.rss_kib()?;
        let received = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        let per_connection = match kind {
            Kind::Http2(viewers) => viewers,
            Kind::Plain | Kind::Http1 => 1,
        };
        for _ in 0..viewers / per_connection {
            let stream = TcpStream::connect(server.1).await?;
            let counter = Arc::clone(&received);
            match kind {
                Kind::Plain => drop(tasks.spawn(watch(stream, counter))),
                Kind::Http1 => {
                    let stream = encrypted(stream, directory, b"http/1.1").await?;
                    tasks.spawn(watch(stream, counter));
                }
                Kind::Http2(viewers) => {
                    let stream = encrypted(stream, directory, b"h2").await?;
                    tasks.spawn(watch_http2(stream, viewers, counter));
                }
            }
        }
        sleep(Duration::from_secs(1)).await;
        let (cpu, count, begun) = (
            process.cpu()?,
            received.load(Ordering::Relaxed),
            Instant::now(),
        );
        sleep(window).await;
        let cpu = process.cpu()?.since(cpu);
        let count = received.load(Ordering::Relaxed) - count;
        let published = begun.elapsed().as_secs_f64() * f64::from(FPS);
        if let Some(ended) = tasks.try_join_next() {
            bail!("a viewer ended: {ended:?}");
        }
        let frames = count as f64 / size;
        ensure!(frames > 0.0, "nothing was delivered");
        Ok(Figures {
            us_per_frame: cpu.run_ns as f64 / 1000.0 / frames,
            kib_per_viewer: process.rss_kib()?.saturating_sub(before) as f64 / viewers as f64,
            delivered: frames / published / viewers as f64,
        })
    })
}

async fn watch<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    received: Arc<AtomicU64>,
) -> Result<()> {
    stream
        .write_all(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let n = stream.read(&mut buffer).await?;
        ensure!(n > 0, "the stream ended");
        received.fetch_add(n as u64, Ordering::Relaxed);
    }
}

async fn watch_http2(
    stream: TlsStream<TcpStream>,
    viewers: usize,
    received: Arc<AtomicU64>,
) -> Result<()> {
    // As large as browsers have them.
    let mut builder = h2::client::Builder::new();
    builder
        .initial_window_size(4 << 20)
        .initial_connection_window_size(16 << 20);
    let (requests, connection) = builder.handshake::<_, Bytes>(stream).await?;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { connection.await.context("the connection") });
    for _ in 0..viewers {
        let request = http::Request::get("https://localhost/stream").body(())?;
        let (response, _) = requests
            .clone()
            .ready()
            .await?
            .send_request(request, true)?;
        let (mut body, received) = (response.await?.into_body(), Arc::clone(&received));
        tasks.spawn(async move {
            while let Some(data) = body.data().await {
                let n = data?.len();
                body.flow_control().release_capacity(n)?;
                received.fetch_add(n as u64, Ordering::Relaxed);
            }
            bail!("the stream ended")
        });
    }
    tasks.join_next().await.context("there is one")??
}

async fn encrypted(
    stream: TcpStream,
    directory: &Path,
    protocol: &[u8],
) -> Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(files(directory).certificate)?)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let name = ServerName::try_from("localhost")?;
    Ok(TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?)
}

fn files(directory: &Path) -> TlsFiles {
    let path = |name: &str| -> PathBuf { directory.join(name) };
    TlsFiles::new(path("cert.pem"), path("key.pem"))
}

impl Kind {
    fn text(self) -> String {
        match self {
            Self::Plain => "plain".into(),
            Self::Http1 => "TLS, HTTP/1.1".into(),
            Self::Http2(1) => "TLS, HTTP/2".into(),
            Self::Http2(viewers) => format!("TLS, HTTP/2, {viewers} viewers on each"),
        }
    }
}

const KINDS: [Kind; 4] = [Kind::Plain, Kind::Http1, Kind::Http2(1), Kind::Http2(10)];

/// Bytes of a frame, and viewers.
const CASES: [(usize, usize); 2] = [(20_000, 200), (100_000, 50)];

const FPS: u32 = 30;

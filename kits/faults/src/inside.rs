//! The relay under test, assembled as the program does it. It also answers questions that the
//! program does not, such as how many tasks there are.
//!
//! A question is a line of JSON on standard input, and the answer is one on standard output.

use std::{
    env,
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    thread,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use mjpeg_server::mjpeg_manager::{
    HttpOutlet, Manager, ManagerConfig, Placeholder, StartMode, StreamSpec, StreamState,
    mjpeg_codec::SplitterConfig,
    mjpeg_http::{ListenerConfig, StreamConfig},
    mjpeg_ingest::{Backoff, Connect, ConnectError, Connection, IngestConfig, Source},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
    runtime::{Builder, Handle},
    sync::mpsc,
};

/// A question to the relay.
#[derive(Serialize, Deserialize)]
pub(crate) enum Question {
    /// Starts a stream. The answer contains its address.
    Start(Start),
    /// Starts a stream of the camera at this address, whose reader panics when the camera sends
    /// [`PANIC`].
    StartPanicking { name: String, camera: SocketAddr },
    /// Stops a stream.
    Stop(String),
    /// The figures of a stream, for [`Status`](crate::subject::Status).
    Status(String),
    /// How many tasks there are.
    Tasks,
    /// The time of the wall clock.
    Clock,
}

/// A stream to start, on a free port of all interfaces.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) name: String,
    /// The cameras, the preferred one first.
    pub(crate) urls: Vec<String>,
    /// Whether pictures are checked for damage.
    pub(crate) check: bool,
    /// If set, the relay connects on demand, and stays connected for this long afterwards.
    pub(crate) linger: Option<Duration>,
}

impl Start {
    /// A stream with one camera.
    pub(crate) fn of(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            urls: vec![url.into()],
            ..Self::default()
        }
    }
}

/// Answers questions until standard input ends, then shuts the relay down.
pub(crate) fn main() -> Result<()> {
    // As `mjpeg-server run` does by default.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (lines, mut asked) = mpsc::unbounded_channel();
    // Tokio's reader would use threads that come and go, and cases count threads.
    thread::spawn(move || {
        let lines_in = io::stdin().lines().map_while(Result::ok);
        lines_in.for_each(|line| drop(lines.send(line)));
    });
    runtime.block_on(async {
        let (config, http) = config();
        let manager = Manager::with_outlets(config, [http.factory()]);
        while let Some(line) = asked.recv().await {
            let answer = answer(&manager, &http, &line).await;
            let answer = answer.unwrap_or_else(|error| json!({"error": format!("{error:#}")}));
            writeln!(io::stdout(), "{answer}").context("the suite no longer reads the answers")?;
        }
        manager.shutdown().await;
        Ok(())
    })
}

/// The program's defaults, without the protection that the variable [`WITHOUT`] names.
fn config() -> (ManagerConfig, HttpOutlet) {
    let (manager, http) = (ManagerConfig::default(), HttpOutlet::default());
    let ingest = IngestConfig::default();
    match env::var(WITHOUT).as_deref() {
        Ok("write-stall") => {
            let stream = StreamConfig::default().with_write_stall(NEVER);
            let http = HttpOutlet::new(stream.with_max_frame_send_time(NEVER));
            let listener = ListenerConfig::default().with_write_stall(NEVER);
            (manager, http.with_listener(listener))
        }
        Ok("header-timeout") => {
            let listener = ListenerConfig::default().with_header_timeout(NEVER);
            (manager, http.with_listener(listener))
        }
        Ok("stall-limit") => (manager.with_ingest(ingest.with_stall_limit(NEVER)), http),
        Ok("frame-limit") => {
            let splitter = SplitterConfig::default().with_max_frame_bytes(1 << 30);
            (manager.with_ingest(ingest.with_splitter(splitter)), http)
        }
        Ok("backoff") => {
            let one = Duration::from_millis(1);
            let none = Backoff::try_new(one, one).unwrap_or_default();
            (manager.with_ingest(ingest.with_backoff(none)), http)
        }
        _ => (manager, http),
    }
}

async fn answer(manager: &Manager, http: &HttpOutlet, line: &str) -> Result<Value> {
    Ok(match serde_json::from_str(line)? {
        Question::Start(stream) => start(manager, spec(stream)?).await?,
        Question::StartPanicking { name, camera } => {
            let source = Source::custom("panics", Panics(camera));
            start(manager, StreamSpec::new(name.parse()?, source)).await?
        }
        Question::Stop(name) => {
            manager.stop(&name).await?;
            json!({})
        }
        Question::Status(name) => status(manager, http, &name)?,
        Question::Tasks => json!({"tasks": Handle::current().metrics().num_alive_tasks()}),
        Question::Clock => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
            json!({"unix_s": now.as_secs()})
        }
    })
}

fn spec(stream: Start) -> Result<StreamSpec> {
    let mut spec = StreamSpec::fed(stream.name.parse()?).with_check(stream.check);
    for url in stream.urls {
        spec = spec.with_fallback(url.parse()?);
    }
    Ok(match stream.linger {
        Some(linger) => spec.with_on_demand(linger),
        None => spec,
    })
}

async fn start(manager: &Manager, spec: StreamSpec) -> Result<Value> {
    let spec = spec
        .with_mode(StartMode::Retry)
        .with_placeholder(Placeholder::Drawn)
        .with_listen((Ipv4Addr::UNSPECIFIED, 0).into());
    let started = manager.start(spec).await;
    let info = started.map_err(|error| anyhow::anyhow!("{}: {}", error.code(), error.chain()))?;
    if env::var(WITHOUT).is_ok_and(|what| what == "cleaning-up") {
        std::mem::forget(std::net::TcpListener::bind("127.0.0.1:0"));
        tokio::spawn(std::future::pending::<()>());
    }
    Ok(json!({"listen": info.listen}))
}

fn status(manager: &Manager, http: &HttpOutlet, name: &str) -> Result<Value> {
    let info = manager.get(name)?;
    let port = http.listener_stats(name).unwrap_or_default();
    let http = http.stats(name).unwrap_or_default();
    let discarded: u64 = info.discarded.values().map(|tally| tally.count).sum();
    let retry_in = match info.state {
        StreamState::Offline { retry_at, .. } | StreamState::Failed { retry_at, .. } => {
            retry_at.duration_since(SystemTime::now()).ok()
        }
        _ => None,
    };
    Ok(json!({
        "state": info.state.as_str(),
        "retry_in_ms": retry_in.map(|time| time.as_millis() as u64),
        "frames": info.frames,
        "size": info.size,
        "discarded": discarded,
        "too_large": info.discarded.get("too_large").map_or(0, |tally| tally.count),
        "reconnects": info.reconnects,
        "panics": info.panics,
        "last_error": info.last_error.map(|error| error.message),
        "connections": port.connections,
        "viewers": http.viewers,
        "write_stalls": http.write_stalls,
        "send_timeouts": http.send_timeouts,
        "in_flight_cuts": http.in_flight_cuts,
        "header_timeouts": port.header_timeouts,
        "bad_requests": port.bad_requests,
        "accept_errors": port.accept_errors,
    }))
}

/// Whether this build has `http://` sources.
pub(crate) fn knows_http() -> bool {
    "http://127.0.0.1:1/".parse::<Source>().is_ok()
}

/// A source whose reader panics when the camera sends [`PANIC`].
struct Panics(SocketAddr);

#[async_trait]
impl Connect for Panics {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let stream = TcpStream::connect(self.0).await;
        let stream = stream.map_err(|error| ConnectError::Other(Box::new(error)))?;
        Ok(Connection::bytes(PanicReader(stream), self.0.to_string()))
    }
}

struct PanicReader(TcpStream);

impl AsyncRead for PanicReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.0).poll_read(cx, buf);
        assert!(
            !buf.filled()[before..].ends_with(PANIC),
            "injected by the fault suite"
        );
        read
    }
}

/// The environment variable that names the protection that the relay lacks.
pub(crate) const WITHOUT: &str = "MJPEG_FAULTS_WITHOUT";
/// Its possible values.
pub(crate) const LACKS: [&str; 6] = [
    "write-stall",
    "header-timeout",
    "stall-limit",
    "frame-limit",
    "backoff",
    "cleaning-up",
];
const NEVER: Duration = Duration::from_secs(24 * 3600);
/// The bytes that make [`Panics`] panic.
pub(crate) const PANIC: &[u8] = b"\0panic\0";

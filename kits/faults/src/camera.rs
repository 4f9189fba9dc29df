//! Simulated cameras. A function says what a camera does on a connection. Pictures are numbered
//! across all connections.

use std::{
    fmt::Display,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

use crate::{sequence::Sequence, undisturbed, wait};

/// A camera that serves all its connections until it is dropped.
pub(crate) struct Camera {
    pub(crate) addr: SocketAddr,
    pub(crate) sequence: Arc<Sequence>,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Camera {
    /// Listens on a free port of loopback. `serve` gets each connection and its number, from 0.
    pub(crate) async fn start<F>(serve: impl Fn(usize, Conn) -> F + Send + 'static) -> Result<Self>
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        Self::with(Sequence::default(), serve).await
    }

    /// As [`Self::start`], with these pictures.
    pub(crate) async fn with<F>(
        sequence: impl Into<Arc<Sequence>>,
        serve: impl Fn(usize, Conn) -> F + Send + 'static,
    ) -> Result<Self>
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Self::on(listener, sequence, serve)
    }

    /// As [`Self::with`], on this listener.
    pub(crate) fn on<F>(
        listener: TcpListener,
        sequence: impl Into<Arc<Sequence>>,
        serve: impl Fn(usize, Conn) -> F + Send + 'static,
    ) -> Result<Self>
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let sequence = sequence.into();
        let addr = listener.local_addr()?;
        let accepted = Arc::new(AtomicUsize::new(0));
        let (own_sequence, count) = (Arc::clone(&sequence), Arc::clone(&accepted));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((stream, _)) = accepted else {
                            // Too many files are open. Some will be closed.
                            sleep(Duration::from_millis(20)).await;
                            continue;
                        };
                        let n = count.fetch_add(1, Ordering::Relaxed);
                        // An error means that the relay has hung up.
                        connections.spawn(serve(n, Conn::over(stream, &own_sequence)));
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self {
            addr,
            sequence,
            accepted,
            task,
        })
    }

    /// Starts a camera without a fault, which faults of the suite do not delay.
    pub(crate) async fn good() -> Result<Self> {
        undisturbed::run(Self::start(|_, conn| conn.live())).await?
    }

    /// Starts a camera that sends pictures at this interval.
    pub(crate) async fn steady(sequence: Sequence, every: Duration) -> Result<Self> {
        Self::with(sequence, move |_, mut conn: Conn| async move {
            conn.pictures(every, Duration::MAX, |_, _| String::new())
                .await
        })
        .await
    }

    pub(crate) fn url(&self) -> String {
        format!("tcp://{}", self.addr)
    }

    /// As [`Self::url`], for a camera that speaks HTTP.
    pub(crate) fn http_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// How many connections it has accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Waits until it has accepted this many connections.
    pub(crate) async fn wait_accepted(&self, count: usize, limit: Duration) -> Result<()> {
        let what = format!("{count} connections from the relay");
        wait::until(what, limit, async || {
            Ok((self.accepted() >= count).then_some(()))
        })
        .await
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A connection from the relay.
pub(crate) struct Conn {
    pub(crate) stream: TcpStream,
    pub(crate) sequence: Arc<Sequence>,
}

impl Conn {
    /// Uses this connection.
    pub(crate) fn over(stream: TcpStream, sequence: &Arc<Sequence>) -> Self {
        // An error means that the relay has hung up, so the next write fails too.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            sequence: Arc::clone(sequence),
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    pub(crate) async fn picture(&mut self) -> io::Result<()> {
        let (_, picture) = self.sequence.next();
        self.send(&picture).await
    }

    /// Sends pictures at the usual rate until the relay hangs up.
    pub(crate) async fn live(mut self) -> io::Result<()> {
        self.live_for(Duration::MAX).await
    }

    /// As [`Self::live`], for this long.
    pub(crate) async fn live_for(&mut self, time: Duration) -> io::Result<()> {
        self.pictures(INTERVAL, time, |_, _| String::new()).await
    }

    /// As [`Self::live`]. Before each picture it sends what `before` returns for the picture's
    /// number and length.
    pub(crate) async fn parts(mut self, before: fn(u32, usize) -> String) -> io::Result<()> {
        self.pictures(INTERVAL, Duration::MAX, before).await
    }

    async fn pictures(
        &mut self,
        every: Duration,
        time: Duration,
        before: fn(u32, usize) -> String,
    ) -> io::Result<()> {
        let since = Instant::now();
        let mut ticks = interval(every);
        // A late picture delays those after it: of two that arrive at once, the relay may show only
        // the newer.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while since.elapsed() < time {
            ticks.tick().await;
            let (number, picture) = self.sequence.next();
            let before = before(number, picture.len());
            self.send(&[before.as_bytes(), &picture].concat()).await?;
        }
        Ok(())
    }

    /// Sends nothing, and waits until the relay hangs up.
    pub(crate) async fn silent(mut self) -> io::Result<()> {
        let mut ignored = [0; 1024];
        while self.stream.read(&mut ignored).await? > 0 {}
        Ok(())
    }

    /// Resets the connection.
    pub(crate) fn reset(self) -> io::Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
    }

    /// Sends an answer with a body of this type.
    pub(crate) async fn answer(&mut self, kind: &str, body: &[u8]) -> io::Result<()> {
        let head = ok_head(kind, body.len());
        self.send(&[head.as_bytes(), body].concat()).await
    }

    /// Reads the head of a request.
    pub(crate) async fn request(&mut self) -> io::Result<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            let read = timeout(Duration::from_secs(10), self.stream.read(&mut byte)).await??;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            head.push(byte[0]);
        }
        Ok(String::from_utf8_lossy(&head).into_owned())
    }
}

/// The head of an answer with a body of this type and length.
pub(crate) fn ok_head(kind: &str, length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n")
}

/// An address of loopback that nothing listens on.
pub(crate) fn free_addr() -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}

/// The delimiter and the headers before a picture of this length, behind [`STREAM`].
pub(crate) fn part_head(length: impl Display) -> String {
    format!("\r\n--pictures\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n")
}

/// The head of an answer that is a multipart stream.
pub(crate) const STREAM: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=pictures\r\n\r\n";
/// 25 pictures a second.
pub(crate) const INTERVAL: Duration = Duration::from_millis(40);

//! Cameras of the suite. A function decides what one does on a connection; pictures are numbered
//! through all connections.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use mjpeg_testkit::jpeg;
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

/// A camera that serves all connections until dropped.
pub(crate) struct Camera {
    pub(crate) addr: SocketAddr,
    pub(crate) reel: Arc<Reel>,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Camera {
    /// Listens on a free port of loopback. `serve` gets each connection with its number, from 0.
    pub(crate) async fn start<F>(
        serve: impl Fn(usize, Line) -> F + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        Self::with(Reel::default(), serve).await
    }

    /// As [`Self::start`], with these pictures.
    pub(crate) async fn with<F>(
        reel: Reel,
        serve: impl Fn(usize, Line) -> F + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Self::on(listener, Arc::new(reel), serve)
    }

    /// As [`Self::start`], with this listener and these pictures.
    pub(crate) fn on<F>(
        listener: TcpListener,
        reel: Arc<Reel>,
        serve: impl Fn(usize, Line) -> F + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let addr = listener.local_addr()?;
        let accepted = Arc::new(AtomicUsize::new(0));
        let (own_reel, count) = (Arc::clone(&reel), Arc::clone(&accepted));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((stream, _)) = accepted else {
                            // Too many open files: others will be closed.
                            sleep(Duration::from_millis(20)).await;
                            continue;
                        };
                        let _ = stream.set_nodelay(true);
                        let n = count.fetch_add(1, Ordering::Relaxed);
                        let line = Line { stream, reel: Arc::clone(&own_reel) };
                        // An error means that the relay has hung up.
                        connections.spawn(serve(n, line));
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self {
            addr,
            reel,
            accepted,
            task,
        })
    }

    /// A camera without a fault.
    pub(crate) async fn good() -> io::Result<Self> {
        Self::start(|_, line| line.live()).await
    }

    pub(crate) fn url(&self) -> String {
        format!("tcp://{}", self.addr)
    }

    /// How many connections there have been.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Waits for so many connections.
    pub(crate) async fn wait_accepted(&self, count: usize, limit: Duration) -> anyhow::Result<()> {
        let since = Instant::now();
        while self.accepted() < count {
            anyhow::ensure!(
                since.elapsed() < limit,
                "the relay came {} times within {limit:?}, not {count} times",
                self.accepted()
            );
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Pictures with consecutive numbers.
pub(crate) struct Reel {
    template: Bytes,
    sent: AtomicU32,
}

impl Default for Reel {
    fn default() -> Self {
        Self::of(jpeg::of_length(0, PICTURE_BYTES))
    }
}

impl Reel {
    /// Pictures with the content of this one.
    pub(crate) fn of(template: Bytes) -> Self {
        Self {
            template,
            sent: AtomicU32::new(0),
        }
    }

    /// The next picture, and its number.
    pub(crate) fn next(&self) -> (u32, Bytes) {
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        (number, numbered(&self.template, number))
    }

    /// The first half of the next picture.
    pub(crate) fn half(&self) -> Bytes {
        let (_, picture) = self.next();
        picture.slice(..picture.len() / 2)
    }

    /// The last number given out.
    pub(crate) fn last(&self) -> u32 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// The same picture with this number for [`jpeg::number_of`], which reads the first comment.
pub(crate) fn numbered(template: &[u8], number: u32) -> Bytes {
    jpeg::with_segment(template, COM, format!("n={number:010}").as_bytes())
}

/// A connection from the relay.
pub(crate) struct Line {
    pub(crate) stream: TcpStream,
    pub(crate) reel: Arc<Reel>,
}

impl Line {
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    pub(crate) async fn picture(&mut self) -> io::Result<()> {
        let (_, picture) = self.reel.next();
        self.send(&picture).await
    }

    /// Sends pictures at the usual rate until the relay hangs up.
    pub(crate) async fn live(mut self) -> io::Result<()> {
        self.live_for(Duration::MAX).await
    }

    /// Sends pictures at the usual rate for this long.
    pub(crate) async fn live_for(&mut self, time: Duration) -> io::Result<()> {
        let since = Instant::now();
        let mut ticks = interval(INTERVAL);
        // Late pictures are not made up for: of two at once, a relay shows only the newer.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while since.elapsed() < time {
            ticks.tick().await;
            self.picture().await?;
        }
        Ok(())
    }

    /// Says nothing until the relay hangs up.
    pub(crate) async fn silent(mut self) -> io::Result<()> {
        let mut waste = [0; 1024];
        while self.stream.read(&mut waste).await? > 0 {}
        Ok(())
    }

    /// Breaks the connection off.
    pub(crate) fn reset(self) -> io::Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
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

/// 25 pictures a second.
pub(crate) const INTERVAL: Duration = Duration::from_millis(40);
/// Small enough that a viewer's socket holds a second of them: only the relay can lose one.
const PICTURE_BYTES: usize = 4 << 10;
const COM: u8 = 0xfe;

//! Cameras of the suite. A function decides what a camera does on a connection. Pictures are
//! numbered through all connections.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

use crate::{sequence::Sequence, undisturbed};

/// A camera that serves all connections until dropped.
pub(crate) struct Camera {
    pub(crate) addr: SocketAddr,
    pub(crate) sequence: Arc<Sequence>,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Camera {
    /// Listens on a free port of loopback. `serve` gets each connection with its number, from 0.
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

    /// As [`Self::with`], with this listener.
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
                            // There are too many open files. Others will be closed.
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

    /// A camera without a fault. Faults do not delay it.
    pub(crate) async fn good() -> Result<Self> {
        undisturbed::run(Self::start(|_, conn| conn.live())).await?
    }

    pub(crate) fn url(&self) -> String {
        format!("tcp://{}", self.addr)
    }

    /// As [`Self::url`], for a camera that speaks HTTP.
    pub(crate) fn http_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// How many connections there have been.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Waits for so many connections.
    pub(crate) async fn wait_accepted(&self, count: usize, limit: Duration) -> Result<()> {
        let since = Instant::now();
        while self.accepted() < count {
            ensure!(
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

/// A connection from the relay.
pub(crate) struct Conn {
    pub(crate) stream: TcpStream,
    pub(crate) sequence: Arc<Sequence>,
}

impl Conn {
    /// Over a connection of the caller's.
    pub(crate) fn over(stream: TcpStream, sequence: &Arc<Sequence>) -> Self {
        // An error means that the relay has hung up, which the next write tells.
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

    /// Sends pictures at the usual rate for this long.
    pub(crate) async fn live_for(&mut self, time: Duration) -> io::Result<()> {
        let since = Instant::now();
        let mut ticks = interval(INTERVAL);
        // A late picture is left out: of two that come at once, a relay may show only the newer.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while since.elapsed() < time {
            ticks.tick().await;
            self.picture().await?;
        }
        Ok(())
    }

    /// Sends nothing until the relay hangs up.
    pub(crate) async fn silent(mut self) -> io::Result<()> {
        let mut waste = [0; 1024];
        while self.stream.read(&mut waste).await? > 0 {}
        Ok(())
    }

    /// Breaks the connection off.
    pub(crate) fn reset(self) -> io::Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
    }

    /// Answers a request with a body of this type.
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

/// 25 pictures a second.
pub(crate) const INTERVAL: Duration = Duration::from_millis(40);

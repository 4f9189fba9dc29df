//! Viewers of all kinds, which come and go.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

/// A number of viewers. They leave when this is dropped.
pub(super) struct Crowd {
    served: Arc<AtomicU64>,
    _viewers: JoinSet<()>,
}

impl Crowd {
    /// Starts this many viewers. Each visits random streams, with pauses of at most `pause`.
    pub(super) fn gather(
        addrs: &[SocketAddr],
        count: usize,
        pause: Duration,
        mut random: Rng,
    ) -> Self {
        let served = Arc::new(AtomicU64::new(0));
        let mut viewers = JoinSet::new();
        for _ in 0..count {
            let (served, addrs) = (Arc::clone(&served), addrs.to_vec());
            let mut random = random.fork();
            viewers.spawn(async move {
                // They do not all start at once.
                sleep(Duration::from_millis(random.u64(..10_000))).await;
                loop {
                    let addr = addrs[random.usize(..addrs.len())];
                    let life = Duration::from_millis(random.u64(200..40_000));
                    // The relay cuts a bad viewer, which sees an error.
                    let _ = timeout(life, watch(addr, &mut random)).await;
                    served.fetch_add(1, Ordering::Relaxed);
                    sleep(pause.mul_f64(random.f64())).await;
                }
            });
        }
        Self {
            served,
            _viewers: viewers,
        }
    }

    /// How many visits there have been.
    pub(super) fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }
}

/// Watches, well or badly, until the caller cancels it.
async fn watch(addr: SocketAddr, random: &mut Rng) -> io::Result<()> {
    let mut stream = TcpStream::connect(addr).await?;
    let kind = random.u8(..10);
    let path = if kind == 0 { "/snapshot" } else { "/" };
    let request = format!("GET {path} HTTP/1.1\r\nHost: relay\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut buffer = vec![0; 64 << 10];
    match kind {
        // Never reads.
        1 => std::future::pending().await,
        // Reads slowly.
        2 => {
            while stream.read(&mut buffer[..500]).await? > 0 {
                sleep(Duration::from_millis(random.u64(..500))).await;
            }
        }
        // Resets the connection.
        3 => {
            let length = random.usize(1..buffer.len());
            stream.read_exact(&mut buffer[..length]).await?;
            SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        }
        // Closes its sending side.
        4 => {
            stream.shutdown().await?;
            while stream.read(&mut buffer).await? > 0 {}
        }
        _ => while stream.read(&mut buffer).await? > 0 {},
    }
    Ok(())
}

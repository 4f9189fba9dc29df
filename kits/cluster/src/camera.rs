//! Cameras that note every connection, from its accept to its close.

mod journal;

pub(crate) use journal::{Journal, Mode};

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use bytes::Bytes;
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
    time::Instant,
};

/// A camera that sends the newest picture over each of its connections until it is dropped.
pub(crate) struct Camera {
    pub(crate) addr: SocketAddr,
    pub(crate) journal: Arc<Journal>,
    task: JoinHandle<()>,
}

impl Camera {
    /// Serves this listener. Its connections are noted in this journal, which may be that of a
    /// camera before.
    pub(crate) fn on(
        listener: StdListener,
        pictures: watch::Receiver<Bytes>,
        journal: Arc<Journal>,
    ) -> Result<Self> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(serve(listener, pictures, Arc::clone(&journal)));
        Ok(Self {
            addr,
            journal,
            task,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("tcp://{}", self.addr)
    }

    /// Ends: the listener and all connections are closed.
    pub(crate) fn unplug(&self) {
        self.task.abort();
        self.journal.close_all(Instant::now(), "unplugged");
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, pictures: watch::Receiver<Bytes>, journal: Arc<Journal>) {
    // Dropped with this future, which ends all connections.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, peer)) = accepted else {
                    continue;
                };
                let (kick, kicked) = oneshot::channel();
                let Some(number) = journal.accept(peer.ip(), Instant::now(), kick) else {
                    reset(&stream);
                    continue;
                };
                let (pictures, journal) = (pictures.clone(), Arc::clone(&journal));
                connections.spawn(async move {
                    let why = connection(stream, pictures, kicked).await;
                    journal.close(number, Instant::now(), why);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Sends pictures until the relay hangs up, or another takes its place. Returns how it ended.
async fn connection(
    mut stream: TcpStream,
    mut pictures: watch::Receiver<Bytes>,
    kicked: oneshot::Receiver<()>,
) -> String {
    let socket = SockRef::from(&stream);
    // If these fail, the connection has ended, and the next write fails too.
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_tcp_user_timeout(Some(USER_TIMEOUT));
    let (mut read, mut write) = stream.split();
    let feed = async {
        // A number comes over one connection only: what was made before this one is not for it.
        pictures.mark_unchanged();
        loop {
            if pictures.changed().await.is_err() {
                return Ok(());
            }
            let bytes = pictures.borrow_and_update().clone();
            write.write_all(&bytes).await?;
        }
    };
    let hung_up = async {
        let mut ignored = [0; 256];
        while read.read(&mut ignored).await? > 0 {}
        io::Result::Ok(())
    };
    let ended: io::Result<()> = tokio::select! {
        biased;
        Ok(()) = kicked => {
            reset(&stream);
            return "kicked".to_owned();
        }
        ended = hung_up => ended,
        ended = feed => ended,
    };
    match ended {
        Ok(()) => "closed by the relay".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Lets the drop of the stream reset the connection.
fn reset(stream: &TcpStream) {
    // If it fails, the connection has ended already.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// A connection whose relay acknowledges nothing for this long counts as closed.
const USER_TIMEOUT: Duration = Duration::from_secs(20);

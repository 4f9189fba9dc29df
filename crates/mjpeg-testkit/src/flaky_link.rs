//! A network between a client and a server that fails.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A TCP port on 127.0.0.1 that leads to a server, as long as the network lets it.
///
/// Dropping it resets all connections.
pub struct FlakyLink {
    addr: SocketAddr,
    state: watch::Sender<LinkState>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkState {
    /// Bytes pass.
    Up,
    /// No byte passes, and neither side is told: a cable that was pulled.
    Silent,
    /// Every connection is reset, and each new one: a router that has forgotten them.
    Resetting,
}

impl FlakyLink {
    /// Opens a link to this server, which works.
    ///
    /// # Panics
    ///
    /// If no port of 127.0.0.1 can be listened on.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("some port of 127.0.0.1 can be listened on");
        let addr = listener.local_addr().expect("it is bound");
        let state = watch::Sender::new(LinkState::Up);
        let task = tokio::spawn(accept(listener, server, state.subscribe()));
        Self { addr, state, task }
    }

    /// Where clients connect.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Lets bytes pass. What was held up by a silence goes on.
    pub fn restore(&self) {
        self.state.send_replace(LinkState::Up);
    }

    /// Lets no byte pass, and tells nobody. Connections can be made.
    pub fn silence(&self) {
        self.state.send_replace(LinkState::Silent);
    }

    /// Resets all connections, and those that are made until the link is restored.
    pub fn reset(&self) {
        self.state.send_replace(LinkState::Resetting);
    }
}

impl Drop for FlakyLink {
    fn drop(&mut self) {
        self.state.send_replace(LinkState::Resetting);
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, state: watch::Receiver<LinkState>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(carry(client, server, state.clone()));
    }
}

/// Carries one connection until either side ends it, or it is reset.
async fn carry(client: TcpStream, server: SocketAddr, mut state: watch::Receiver<LinkState>) {
    let resetting = async |mut state: watch::Receiver<LinkState>| {
        // The sender lives until all are reset.
        let _ = state.wait_for(|now| *now == LinkState::Resetting).await;
    };
    // Dropping a socket with this resets its connection.
    reset_at_drop(&client);
    if *state.borrow_and_update() == LinkState::Resetting {
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    reset_at_drop(&server);
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let both = async {
        // If one has failed, the other has nobody left.
        let _ = tokio::try_join!(
            pass(from_client, to_server, state.clone()),
            pass(from_server, to_client, state.clone()),
        );
    };
    tokio::select! {
        () = both => {}
        () = resetting(state.clone()) => {}
    }
}

fn reset_at_drop(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<LinkState>,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let is_up = state.wait_for(|now| *now == LinkState::Up).await;
        is_up.map_err(io::Error::other)?;
        // What has come when the link falls silent waits in the kernel.
        let read = tokio::select! {
            read = from.read(&mut buffer) => read?,
            changed = state.changed() => {
                changed.map_err(io::Error::other)?;
                continue;
            }
        };
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
    }
}

//! A camera that plays a script to everyone who connects, over real TCP on the loopback.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::connection::{Connection, Shared, lock};
use crate::http_camera::Plan;
use crate::script::Script;

/// A camera on 127.0.0.1 that plays a [`Script`] on each connection. What clients send is read and thrown away.
///
/// A client that has closed its sending side counts as gone, and its connection is closed. Dropping the camera ends it
/// too, but only [`shutdown`](Self::shutdown) tells when that is done.
#[derive(Debug)]
pub struct Camera {
    addr: SocketAddr,
    pub(crate) shared: Arc<Shared>,
    stop: watch::Sender<()>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Camera {
    /// Starts a camera on a free port that plays the same script on every connection.
    ///
    /// # Panics
    ///
    /// If no port of 127.0.0.1 can be listened on.
    ///
    /// # Cancel safety
    ///
    /// Cancelled, there is no camera.
    pub async fn start(script: Script) -> Self {
        Self::start_with(move |_| script.clone()).await
    }

    /// Starts a camera on a free port that asks `scripts` what to play, by the connection's index: 0, 1, 2 and so on.
    ///
    /// # Panics
    ///
    /// If no port of 127.0.0.1 can be listened on.
    ///
    /// # Cancel safety
    ///
    /// Cancelled, there is no camera.
    pub async fn start_with(scripts: impl Fn(usize) -> Script + Send + Sync + 'static) -> Self {
        let plan = move |index| Plan::Play(scripts(index));
        Self::listen((Ipv4Addr::LOCALHOST, 0).into(), plan)
            .expect("some port of 127.0.0.1 can be listened on")
    }

    /// Starts a camera at `addr`, which may have been another camera's until just now.
    ///
    /// # Errors
    ///
    /// If `addr` cannot be listened on, say because somebody does.
    ///
    /// # Cancel safety
    ///
    /// Cancelled, there is no camera.
    pub async fn start_at(addr: SocketAddr, script: Script) -> io::Result<Self> {
        Self::listen(addr, move |_| Plan::Play(script.clone()))
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its address as a source URL: `tcp://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("tcp://{}", self.addr)
    }

    /// How many connections it has accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        *self.shared.accepted.borrow()
    }

    /// How many connections are open now. A connection that either side has closed before the call does not count.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.count_open()
    }

    /// The most connections that were ever open at once. A client that closes one before it opens the next keeps this
    /// at 1, however fast it is.
    #[must_use]
    pub fn most_open(&self) -> usize {
        self.shared.most_open.load(Ordering::SeqCst)
    }

    /// How many bytes it has handed to the kernel, over all connections.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.shared.bytes_sent.load(Ordering::SeqCst)
    }

    /// Waits until it has accepted at least `count` connections, counted from its start.
    ///
    /// # Panics
    ///
    /// If that takes more than 30 seconds.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only waits.
    pub async fn wait_connections(&self, count: usize) {
        let mut accepted = self.shared.accepted.subscribe();
        let waited = timeout(CONNECTIONS_LIMIT, accepted.wait_for(|now| *now >= count)).await;
        assert!(
            waited.is_ok(),
            "the camera waited {CONNECTIONS_LIMIT:?} for {count} connections and got {}",
            self.connections()
        );
    }

    /// Closes all present connections in order (FIN) and goes on accepting. [`open`](Self::open) is 0 when it returns.
    pub fn hang_up(&self) {
        self.shared.hang_up();
    }

    /// Stops accepting and closes everything. When it returns the port is free: a connect is refused, a bind works.
    ///
    /// # Panics
    ///
    /// If the function given to [`start_with`](Self::start_with) has panicked, with its panic.
    ///
    /// # Cancel safety
    ///
    /// Cancelled, the camera still ends, but nobody is told when.
    pub async fn shutdown(&self) {
        self.stop.send_replace(());
        let task = lock(&self.task).take();
        if let Some(task) = task
            && let Err(error) = task.await
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }

    pub(crate) fn listen(
        addr: SocketAddr,
        plans: impl Fn(usize) -> Plan + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let socket = match addr {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        // Connections of a camera before us may still linger in TIME_WAIT there.
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        let listener = socket.listen(1024)?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(accept(listener, Arc::clone(&shared), plans, stopped));
        Ok(Self {
            addr,
            shared,
            stop,
            task: Mutex::new(Some(task)),
        })
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        // The connections' tasks are in a set that the aborted task owns.
        if let Some(task) = lock(&self.task).take() {
            task.abort();
        }
    }
}

async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    plans: impl Fn(usize) -> Plan + Send + Sync + 'static,
    mut stopped: watch::Receiver<()>,
) {
    let mut tasks = JoinSet::new();
    loop {
        let stream = tokio::select! {
            biased;
            _ = stopped.changed() => break,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => {
                    // Out of file descriptors, or a client that left in the queue: others may still come.
                    sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
        };
        // Each step of a script should be on its way when the step is over. An error means that the client left.
        let _ = stream.set_nodelay(true);
        let index = *shared.accepted.borrow();
        let plan = plans(index);
        let connection = Connection::enter(index, stream, &plan, &shared);
        shared.accepted.send_replace(index + 1);
        tasks.spawn(connection.serve(plan));
    }
    drop(listener);
    tasks.shutdown().await;
}

const CONNECTIONS_LIMIT: Duration = Duration::from_secs(30);

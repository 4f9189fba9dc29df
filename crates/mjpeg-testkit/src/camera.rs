//! A camera that plays a script on each connection, over real TCP on the loopback.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::connection::{CameraConnection, CameraState, lock};
use crate::plan::Plan;
use crate::script::Script;

/// A camera on 127.0.0.1 that plays a [`Script`] on each connection. It reads what clients send,
/// and discards it.
///
/// A client that has closed its sending side counts as gone, and its connection is closed. Dropping
/// the camera stops it too, but only [`shutdown`](Self::shutdown) tells when that is done.
#[derive(Debug)]
pub struct Camera {
    addr: SocketAddr,
    pub(crate) state: Arc<CameraState>,
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
    /// If the future is dropped, no camera runs.
    pub async fn start(script: Script) -> Self {
        Self::start_with(move |_| script.clone()).await
    }

    /// Starts a camera on a free port that calls `scripts` with the index of each connection (0, 1,
    /// 2 and so on) and plays the result.
    ///
    /// # Panics
    ///
    /// If no port of 127.0.0.1 can be listened on.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, no camera runs.
    pub async fn start_with(scripts: impl Fn(usize) -> Script + Send + Sync + 'static) -> Self {
        let plan = move |index| Plan::Play(scripts(index));
        Self::listen((Ipv4Addr::LOCALHOST, 0).into(), plan)
            .expect("some port of 127.0.0.1 can be listened on")
    }

    /// Starts a camera at `addr`, which may have been another camera's until just now.
    ///
    /// # Errors
    ///
    /// If `addr` cannot be listened on, for example because it is in use.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, no camera runs.
    pub async fn start_at(addr: SocketAddr, script: Script) -> io::Result<Self> {
        Self::listen(addr, move |_| Plan::Play(script.clone()))
    }

    /// The address that the camera listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The camera's address as a source URL: `tcp://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("tcp://{}", self.addr)
    }

    /// How many connections the camera has accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        *self.state.accepted.borrow()
    }

    /// How many connections are open now. A connection that either side has closed before the call
    /// does not count.
    #[must_use]
    pub fn open(&self) -> usize {
        self.state.count_open()
    }

    /// The largest number of connections that were open at once. A client that closes one before it
    /// opens the next keeps this at 1, however fast it is.
    #[must_use]
    pub fn most_open(&self) -> usize {
        self.state.most_open.load(Ordering::SeqCst)
    }

    /// How many bytes the camera has handed to the kernel, over all connections.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.state.bytes_sent.load(Ordering::SeqCst)
    }

    /// Waits until the camera has accepted at least `count` connections since its start.
    ///
    /// # Panics
    ///
    /// If that takes more than 30 seconds.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn wait_connections(&self, count: usize) {
        let mut accepted = self.state.accepted.subscribe();
        let waited = timeout(CONNECTIONS_LIMIT, accepted.wait_for(|now| *now >= count)).await;
        assert!(
            waited.is_ok(),
            "the camera waited {CONNECTIONS_LIMIT:?} for {count} connections and got {}",
            self.connections()
        );
    }

    /// Closes all open connections gracefully (FIN) and keeps accepting new ones.
    /// [`open`](Self::open) is 0 when this returns.
    pub fn hang_up(&self) {
        self.state.hang_up();
    }

    /// Stops accepting and closes all connections. When it returns, the port is free: a connect is
    /// refused, a bind succeeds.
    ///
    /// # Panics
    ///
    /// With the panic of the function given to [`start_with`](Self::start_with), if it panicked.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the camera still stops, but at an unknown time.
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
        // Connections of an earlier camera may still be in TIME_WAIT at this address.
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        let listener = socket.listen(1024)?;
        let addr = listener.local_addr()?;
        let state = Arc::new(CameraState::default());
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(accept(listener, Arc::clone(&state), plans, stopped));
        Ok(Self {
            addr,
            state,
            stop,
            task: Mutex::new(Some(task)),
        })
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        // The aborted task owns the set of the connections' tasks, which end with it.
        if let Some(task) = lock(&self.task).take() {
            task.abort();
        }
    }
}

async fn accept(
    listener: TcpListener,
    state: Arc<CameraState>,
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
                    // Out of file descriptors, or the client left the queue: keep accepting.
                    sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
        };
        // The bytes of a step are to be sent before the next step. An error means that the client
        // has left.
        let _ = stream.set_nodelay(true);
        let index = *state.accepted.borrow();
        let plan = plans(index);
        let connection = CameraConnection::open(index, stream, &plan, &state);
        state.accepted.send_replace(index + 1);
        tasks.spawn(connection.serve(plan));
    }
    drop(listener);
    tasks.shutdown().await;
}

const CONNECTIONS_LIMIT: Duration = Duration::from_secs(30);

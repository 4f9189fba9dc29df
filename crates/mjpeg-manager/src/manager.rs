//! The registry of running streams.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use mjpeg_fanout::Consumer;
use mjpeg_ingest::Source;
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};
use tracing::{debug, field::display, info};

use crate::{
    Change, Error, Events, ManagerConfig, StreamInfo, StreamName, StreamSpec, event::Herald,
    running::Running,
};

/// Runs streams by name. Cheap to clone; all clones are one manager. See the [contract](crate#contract).
///
/// Its methods must be called within a tokio runtime.
#[derive(Clone, Debug)]
pub struct Manager {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: ManagerConfig,
    table: Mutex<Table>,
    /// Set under the table's lock, so that no start slips in after it.
    shut_down: watch::Sender<bool>,
    /// Told whenever a name that was busy no longer is.
    freed: Notify,
    herald: Herald,
}

type Table = BTreeMap<StreamName, Entry>;

#[derive(Debug)]
enum Entry {
    /// Being started or stopped: the name is taken, but there is no stream to see.
    Busy,
    Running(Box<Running>),
}

/// What [`Manager::shutdown`] did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// How many streams were stopped.
    pub stopped: usize,
    /// Those of them that did not end by themselves in time.
    pub cut: Vec<Cut>,
    /// Names whose start or stop, begun by another call, had not ended in time.
    pub unfinished: Vec<StreamName>,
}

/// What had to be aborted of a stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cut {
    /// The stream.
    pub name: StreamName,
    /// How many viewers' connections were cut.
    pub connections: usize,
    /// Whether even a task of the stream had not ended after that and was left to end by itself.
    pub task: bool,
}

impl Manager {
    /// Makes a manager that runs nothing yet.
    pub fn new(config: ManagerConfig) -> Self {
        let inner = Inner {
            config,
            table: Mutex::default(),
            shut_down: watch::Sender::new(false),
            freed: Notify::new(),
            herald: Herald::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Starts a stream: takes its port, connects to its camera as its [mode](StreamSpec::mode) wants, and serves it.
    ///
    /// # Errors
    ///
    /// All of [`Error`] but `NotFound`. A failed start leaves nothing behind, and the name is free again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future undoes the start.
    pub async fn start(&self, spec: StreamSpec) -> Result<StreamInfo, Error> {
        let reserved = self.reserve(&spec.name)?;
        let limit = self.inner.config.start_timeout;
        let starting = async {
            let herald = self.inner.herald.clone();
            let started = Running::start(spec, &self.inner.config, herald);
            let started = timeout(limit, started).await;
            started.unwrap_or(Err(Error::StartTimeout { after: limit }))
        };
        let running = tokio::select! {
            biased;
            () = self.shut_down() => return Err(Error::ShutDown),
            started = self.in_time(starting) => started??,
        };
        let info = running.info();
        if let Err(running) = reserved.fill(running) {
            running.stop().await;
            return Err(Error::ShutDown);
        }
        let listen = info.listen.map(display);
        info!(stream = %info.name, source = %info.source, listen, "stream started");
        self.inner.herald.tell(&info.name, Change::Started);
        Ok(info)
    }

    /// Stops a stream: ends its viewers' responses, frees its port and hangs up on its camera. When it returns, all that has happened.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::CallTimeout`] if it does not end in time, by itself or cut. It is cut off then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts the stream off without waiting for its end.
    pub async fn stop(&self, name: &str) -> Result<(), Error> {
        let (running, busy) = self.take(name)?;
        let cut = self.in_time(running.stop()).await?;
        info!(stream = name, cut, "stream stopped");
        self.inner.herald.tell(&busy.name, Change::Stopped);
        Ok(())
    }

    /// Reads one stream.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub fn get(&self, name: &str) -> Result<StreamInfo, Error> {
        self.with(name, Running::info)
    }

    /// Reads all streams, by name. Streams that are just being started or stopped are not among them.
    pub fn list(&self) -> Vec<StreamInfo> {
        let running = |entry: &Entry| match entry {
            Entry::Running(running) => Some(running.info()),
            Entry::Busy => None,
        };
        self.table().values().filter_map(running).collect()
    }

    /// Disconnects a stream's camera until [`resume`](Self::resume). Viewers keep their picture. Nothing here waits: the stream's state tells when
    /// it is done.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub fn pause(&self, name: &str) -> Result<(), Error> {
        self.with(name, |running| running.control().pause())
    }

    /// Connects the camera of a paused stream again, at once. Does nothing to others.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub fn resume(&self, name: &str) -> Result<(), Error> {
        self.with(name, |running| running.control().resume())
    }

    /// Tries an offline camera now and not at the end of its backoff. Does nothing to others.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub fn retry_now(&self, name: &str) -> Result<(), Error> {
        self.with(name, |running| running.control().retry_now())
    }

    /// Gives a running stream other sources, the preferred one first. Its viewers stay, and get the frames of the new ones.
    ///
    /// Nothing here waits: the stream's state tells how it goes.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::InvalidSpec`] when there are none.
    pub fn set_sources(
        &self,
        name: &str,
        sources: impl IntoIterator<Item = Source>,
    ) -> Result<(), Error> {
        let sources: Vec<Source> = sources.into_iter().collect();
        if sources.is_empty() {
            return Err(Error::InvalidSpec("a stream needs a source".into()));
        }
        self.with(name, |running| running.set_sources(sources))
    }

    /// Subscribes to what happens to all streams from now on.
    pub fn events(&self) -> Events {
        self.inner.herald.listen()
    }

    /// Subscribes to a stream's frames, beside its viewers.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub fn subscribe(&self, name: &str) -> Result<Consumer, Error> {
        self.with(name, Running::consumer)
    }

    /// Reads the HTTP counters of a stream; `None` if it has no port.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    #[cfg(feature = "listener")]
    pub fn http_stats(&self, name: &str) -> Result<Option<mjpeg_http::Stats>, Error> {
        self.with(name, Running::http_stats)
    }

    /// Reads who is watching a stream over its HTTP port, and what each was sent; nobody if it has none.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    #[cfg(feature = "listener")]
    pub fn viewers(&self, name: &str) -> Result<Vec<mjpeg_http::ViewerInfo>, Error> {
        self.with(name, Running::viewers)
    }

    /// Stops all streams at once and starts no more; starts in progress fail with [`Error::ShutDown`]. Viewers' responses have
    /// the [grace](ManagerConfig::shutdown_grace) to end (5 s), then they are cut; the report says which.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts off what has not ended yet.
    pub async fn shutdown(&self) -> ShutdownReport {
        let limit = self.inner.config.shutdown_grace + CUT_TIME;
        let stopping = self.take_all().into_iter().map(async |(name, running)| {
            let ended = timeout(limit, running.stop()).await;
            self.inner.herald.tell(&name, Change::Stopped);
            Cut {
                name,
                connections: *ended.as_ref().unwrap_or(&0),
                task: ended.is_err(),
            }
        });
        // Calls in progress elsewhere end by themselves: a start is told, a stop has limits of its own.
        let (ended, _in_time) = tokio::join!(join_all(stopping), timeout(limit, self.none_busy()));
        let stopped = ended.len();
        let cut: Vec<Cut> = ended
            .into_iter()
            .filter(|cut| cut.connections > 0 || cut.task)
            .collect();
        let unfinished: Vec<StreamName> = self.table().keys().cloned().collect();
        debug!(stopped, ?cut, ?unfinished, "manager shut down");
        ShutdownReport {
            stopped,
            cut,
            unfinished,
        }
    }

    fn reserve(&self, name: &StreamName) -> Result<Busy<'_>, Error> {
        let mut table = self.table();
        if *self.inner.shut_down.borrow() {
            return Err(Error::ShutDown);
        }
        if table.contains_key(name) {
            return Err(Error::AlreadyExists { name: name.clone() });
        }
        table.insert(name.clone(), Entry::Busy);
        Ok(Busy {
            manager: self,
            name: name.clone(),
        })
    }

    /// Takes a running stream out; its name stays taken until the guard goes.
    fn take(&self, name: &str) -> Result<(Box<Running>, Busy<'_>), Error> {
        let mut table = self.table();
        let found = table.get_key_value(name).map(|(name, _)| name.clone());
        let not_found = || Error::NotFound { name: name.into() };
        let name = found.ok_or_else(not_found)?;
        match table.insert(name.clone(), Entry::Busy) {
            Some(Entry::Running(running)) => Ok((
                running,
                Busy {
                    manager: self,
                    name,
                },
            )),
            _ => Err(not_found()),
        }
    }

    /// Takes all running streams out, and lets nothing more in.
    fn take_all(&self) -> Vec<(StreamName, Box<Running>)> {
        let mut table = self.table();
        self.inner.shut_down.send_replace(true);
        let mut taken = Vec::new();
        for (name, entry) in std::mem::take(&mut *table) {
            match entry {
                Entry::Running(running) => taken.push((name, running)),
                Entry::Busy => {
                    table.insert(name, Entry::Busy);
                }
            }
        }
        taken
    }

    /// Waits until the manager is shut down.
    async fn shut_down(&self) {
        // An error is impossible: the sender lives as long as `self`.
        let _ = self
            .inner
            .shut_down
            .subscribe()
            .wait_for(|&shut_down| shut_down)
            .await;
    }

    /// Waits until no name is busy.
    async fn none_busy(&self) {
        loop {
            let freed = self.inner.freed.notified();
            if !self
                .table()
                .values()
                .any(|entry| matches!(entry, Entry::Busy))
            {
                return;
            }
            freed.await;
        }
    }

    fn with<T>(&self, name: &str, read: impl FnOnce(&Running) -> T) -> Result<T, Error> {
        match self.table().get(name) {
            Some(Entry::Running(running)) => Ok(read(running)),
            _ => Err(Error::NotFound { name: name.into() }),
        }
    }

    async fn in_time<T>(&self, call: impl Future<Output = T>) -> Result<T, Error> {
        let after = self.inner.config.call_timeout;
        timeout(after, call)
            .await
            .map_err(|_| Error::CallTimeout { after })
    }

    /// Held briefly, never across a wait.
    fn table(&self) -> MutexGuard<'_, Table> {
        // Every step under this lock leaves the table whole.
        self.inner
            .table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds a name while its stream is started or stopped, and frees it when that is over, however it ends.
struct Busy<'a> {
    manager: &'a Manager,
    name: StreamName,
}

impl Busy<'_> {
    /// Puts the stream in its place, unless the manager was shut down meanwhile.
    fn fill(&self, running: Running) -> Result<(), Box<Running>> {
        let running = Box::new(running);
        let mut table = self.manager.table();
        if *self.manager.inner.shut_down.borrow() {
            return Err(running);
        }
        table.insert(self.name.clone(), Entry::Running(running));
        Ok(())
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut table = self.manager.table();
        if matches!(table.get(&self.name), Some(Entry::Busy)) {
            table.remove(&self.name);
            self.manager.inner.freed.notify_waiters();
        }
    }
}

/// What a task gets to notice that it was aborted. Only one that blocks its thread needs longer.
const CUT_TIME: Duration = Duration::from_secs(1);

//! A viewer of a node.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use mjpeg_testkit::{ReceivedPart, Viewer, jpeg};
use tokio::{
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{
    pictures::Made,
    seen::{Arrival, Part, Seen},
};

/// Watches a stream of a node until dropped.
pub(crate) struct Watcher {
    seen: watch::Receiver<Seen>,
    made: Arc<Made>,
    task: JoinHandle<()>,
}

impl Watcher {
    /// Connects. It calls itself a relay, so that it is told of epochs and sequences.
    pub(crate) async fn open(addr: SocketAddr, path: &str, made: &Arc<Made>) -> Result<Self> {
        let connect = timeout(CONNECT_LIMIT, TcpStream::connect(addr)).await;
        let stream = connect.context("the node does not accept")??;
        stream.set_nodelay(true)?;
        let id = format!("{:016x}", fastrand::u64(..));
        let viewer = Viewer::ask(stream, path, &[("X-Mjpeg-Via", &id)]).await?;
        let status = viewer.head().status;
        ensure!(status == 200, "{addr}{path} answers {status}");
        let (sender, seen) = watch::channel(Seen::default());
        Ok(Self {
            seen,
            made: Arc::clone(made),
            task: tokio::spawn(read(viewer, Arc::clone(made), sender)),
        })
    }

    /// What it has seen so far.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Whether its response has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.look(|seen| seen.ended.is_some())
    }

    /// Reads what it has seen so far.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.borrow())
    }

    /// Waits for a picture that was made then or later.
    pub(crate) async fn made_after(&self, then: Instant, limit: Duration) -> Result<Arrival> {
        self.first(|seen| seen.first_made_after(then), limit).await
    }

    /// Waits for a picture of a later epoch than this.
    pub(crate) async fn later_epoch(&self, epoch: u64, limit: Duration) -> Result<Arrival> {
        let first = self.first(|seen| seen.first_of_later_epoch(epoch), limit);
        let what = || format!("no picture of a later epoch than {epoch}");
        first.await.with_context(what)
    }

    /// Waits until `find` finds a picture.
    async fn first(
        &self,
        find: impl Fn(&Seen) -> Option<Arrival>,
        limit: Duration,
    ) -> Result<Arrival> {
        let mut seen = self.seen.clone();
        let there = seen.wait_for(|seen| seen.ended.is_some() || find(seen).is_some());
        let Ok(there) = timeout(limit, there).await else {
            bail!("no new picture at a viewer within {limit:?}");
        };
        let there = there?;
        match find(&there) {
            Some(arrival) => Ok(arrival),
            None => bail!(
                "a response ended: {}",
                there.ended.as_deref().unwrap_or_default()
            ),
        }
    }

    /// Waits for a picture that is made from now on.
    pub(crate) async fn fresh(&self, limit: Duration) -> Result<Arrival> {
        self.made_after(Instant::now(), limit).await
    }

    pub(crate) fn longest_gap(&self, from: Instant, to: Instant) -> Duration {
        self.look(|seen| seen.longest_gap(from, to, &self.made))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(mut viewer: Viewer, made: Arc<Made>, sender: watch::Sender<Seen>) {
    let ended = loop {
        match viewer.next_part().await {
            Ok(Some(part)) => {
                let part = part_of(&part, Instant::now());
                sender.send_modify(|seen| seen.take(part, &made));
            }
            Ok(None) => break "in order".to_owned(),
            // Nothing comes from a node that stands still.
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {}
            Err(error) => break error.to_string(),
        }
    };
    sender.send_modify(|seen| seen.ended = Some(ended));
}

fn part_of(part: &ReceivedPart, at: Instant) -> Part {
    let number = |name| part.header(name).and_then(|value| value.parse().ok());
    Part {
        at,
        number: jpeg::number_of(&part.body),
        id: number("X-Epoch").zip(number("X-Seq")),
    }
}

const CONNECT_LIMIT: Duration = Duration::from_secs(5);

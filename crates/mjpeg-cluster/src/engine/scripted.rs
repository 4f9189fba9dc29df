//! An engine in memory that loses answers, falls silent and comes back, for tests in virtual time.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{
    engine::{
        Engine, EngineChanges, EngineImage, KeyWatch,
        error::EngineError,
        lease::LeaseId,
        memory::MemoryStore,
        record::EngineKey,
        transaction::{CommitVerdict, KeyEdit, Transaction},
    },
    node::{Call, CallAnswer},
};

/// The engine that all nodes share.
#[derive(Clone)]
pub(crate) struct ScriptedEngine {
    store: Arc<Mutex<MemoryStore>>,
    lease: Duration,
    revisions: watch::Sender<u64>,
    restored: watch::Sender<u64>,
    /// Its clock stands still.
    stopped: Arc<AtomicBool>,
    /// How many transactions it was asked for.
    commits: Arc<AtomicU64>,
    /// How often it was asked for anything.
    calls: Arc<AtomicU64>,
}

/// How one node reaches it.
#[derive(Clone)]
pub(crate) struct ScriptedLink {
    engine: ScriptedEngine,
    cut: watch::Sender<bool>,
    /// Whose answers are lost.
    lost: Arc<Mutex<Chosen>>,
    /// Which calls are refused.
    refused: Arc<Mutex<Chosen>>,
    /// Only the watch is cut.
    deaf: watch::Sender<bool>,
    /// No watch begins.
    blind: Arc<AtomicBool>,
}

/// Some calls of a node.
type Chosen = fn(&Call) -> bool;

impl ScriptedEngine {
    /// Starts it. Leases end by themselves.
    pub(crate) fn start(lease: Duration) -> Self {
        let engine = Self {
            store: Arc::default(),
            lease,
            revisions: watch::Sender::new(0),
            restored: watch::Sender::new(0),
            stopped: Arc::default(),
            commits: Arc::default(),
            calls: Arc::default(),
        };
        let expiring = engine.clone();
        tokio::spawn(async move {
            loop {
                sleep(Duration::from_millis(20)).await;
                if !expiring.stopped.load(Ordering::Relaxed) {
                    expiring.touch(|store, now| store.expire(now));
                }
            }
        });
        engine
    }

    pub(crate) fn link(&self) -> ScriptedLink {
        ScriptedLink {
            engine: self.clone(),
            cut: watch::Sender::new(false),
            lost: Arc::new(Mutex::new(|_| false)),
            refused: Arc::new(Mutex::new(|_| false)),
            deaf: watch::Sender::new(false),
            blind: Arc::default(),
        }
    }

    /// Stops it: leases do not end.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Lets it run again. All leases have their whole length, as etcd does it.
    pub(crate) fn resume(&self) {
        self.stopped.store(false, Ordering::Relaxed);
        let lease = self.lease;
        self.touch(|store, now| store.extend(lease, now));
    }

    /// How many transactions it was asked for.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// How often it was asked for anything.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Edits it by hand, all at once.
    pub(crate) fn edit(&self, edits: impl IntoIterator<Item = KeyEdit>) {
        let transaction = edits
            .into_iter()
            .fold(Transaction::new(), Transaction::then);
        let call = Call::Commit(transaction);
        let lease = self.lease;
        self.touch(|store, now| store.execute(&call, lease, now));
    }

    pub(crate) fn image(&self) -> EngineImage {
        self.touch(|store, _| store.image())
    }

    /// What it has at present.
    pub(crate) fn backup(&self) -> MemoryStore {
        self.touch(|store, _| store.clone())
    }

    /// Puts a backup in its place. All watches end.
    pub(crate) fn restore(&self, backup: MemoryStore) {
        self.restored.send_modify(|times| *times += 1);
        self.touch(|store, _| *store = backup);
    }

    /// Lets its revision be at least this one and the next.
    pub(crate) fn advance(&self, revision: u64) {
        self.touch(|store, _| store.advance(revision + 1));
    }

    /// Whether there is such a key.
    pub(crate) fn has(&self, key: &EngineKey) -> bool {
        self.touch(|store, _| store.has(key))
    }

    fn touch<R>(&self, act: impl FnOnce(&mut MemoryStore, Instant) -> R) -> R {
        let mut store = self.store.lock().unwrap();
        let done = act(&mut store, Instant::now());
        self.revisions.send_replace(store.revision);
        done
    }
}

impl ScriptedLink {
    pub(crate) fn cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }

    pub(crate) fn cut_watch(&self, cut: bool) {
        self.deaf.send_replace(cut);
    }

    pub(crate) fn lose_answers(&self, lose: bool) {
        self.lose(if lose { |_| true } else { |_| false });
    }

    /// Loses the answers of some calls.
    pub(crate) fn lose(&self, which: Chosen) {
        *self.lost.lock().unwrap() = which;
    }

    /// Lets the engine refuse some calls.
    pub(crate) fn refuse(&self, which: Chosen) {
        *self.refused.lock().unwrap() = which;
    }

    /// Lets no watch begin.
    pub(crate) fn refuse_watches(&self, refuse: bool) {
        self.blind.store(refuse, Ordering::Relaxed);
    }

    async fn reached(&self) {
        let mut cut = self.cut.subscribe();
        cut.wait_for(|cut| !cut).await.expect("the sender is here");
    }

    async fn call(&self, call: Call) -> CallAnswer {
        if *self.cut.borrow() {
            // A network that swallows everything. What was sent then does not arrive later.
            return pending().await;
        }
        self.engine.calls.fetch_add(1, Ordering::Relaxed);
        if let Call::Commit(_) = call {
            self.engine.commits.fetch_add(1, Ordering::Relaxed);
        }
        let lease = self.engine.lease;
        let chosen = |which: &Mutex<Chosen>| (*which.lock().unwrap())(&call);
        let answer = match chosen(&self.refused) {
            true => CallAnswer::Failed { answered: true },
            false => self
                .engine
                .touch(|store, now| store.execute(&call, lease, now)),
        };
        sleep(Duration::from_millis(2)).await;
        if *self.cut.borrow() || chosen(&self.lost) {
            return pending().await;
        }
        answer
    }
}

#[async_trait]
impl Engine for ScriptedLink {
    async fn grant(&self, _: Duration) -> Result<LeaseId, EngineError> {
        match self.call(Call::Grant).await {
            CallAnswer::Granted(lease) => Ok(lease),
            _ => Err(refused()),
        }
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<bool, EngineError> {
        match self.call(Call::KeepAlive(lease)).await {
            CallAnswer::KeptAlive(alive) => Ok(alive),
            _ => Err(refused()),
        }
    }

    async fn revoke(&self, lease: LeaseId) -> Result<(), EngineError> {
        self.call(Call::Revoke(lease)).await;
        Ok(())
    }

    async fn commit(&self, transaction: &Transaction) -> Result<CommitVerdict, EngineError> {
        match self.call(Call::Commit(transaction.clone())).await {
            CallAnswer::Verdict(verdict) => Ok(verdict),
            _ => Err(refused()),
        }
    }

    async fn read(&self) -> Result<EngineImage, EngineError> {
        self.reached().await;
        self.engine.calls.fetch_add(1, Ordering::Relaxed);
        Ok(self.engine.touch(|store, _| store.image()))
    }

    async fn watch(&self, revision: u64) -> Result<Box<dyn KeyWatch>, EngineError> {
        if self.blind.load(Ordering::Relaxed) {
            return Err(refused());
        }
        Ok(Box::new(ScriptedWatch {
            link: self.clone(),
            revisions: self.engine.revisions.subscribe(),
            restored: self.engine.restored.subscribe(),
            told: revision,
        }))
    }
}

struct ScriptedWatch {
    link: ScriptedLink,
    revisions: watch::Receiver<u64>,
    restored: watch::Receiver<u64>,
    told: u64,
}

#[async_trait]
impl KeyWatch for ScriptedWatch {
    async fn next(&mut self) -> Result<EngineChanges, EngineError> {
        loop {
            self.link.reached().await;
            let mut deaf = self.link.deaf.subscribe();
            let hears = deaf.wait_for(|deaf| !deaf);
            drop(hears.await.expect("the sender is here"));
            if self
                .restored
                .has_changed()
                .expect("the sender is in the link")
            {
                return Err(refused());
            }
            self.revisions.borrow_and_update();
            let told = self.told;
            let next = self
                .link
                .engine
                .touch(|store, _| store.after(told).cloned());
            if let Some(changes) = next {
                self.told = changes.revision;
                return Ok(changes);
            }
            tokio::select! {
                newer = self.revisions.wait_for(|revision| *revision > told) => {
                    newer.expect("the sender is in the link");
                }
                _ = self.restored.changed() => return Err(refused()),
            }
        }
    }
}

fn refused() -> EngineError {
    EngineError::Refused("the lease is gone".into())
}

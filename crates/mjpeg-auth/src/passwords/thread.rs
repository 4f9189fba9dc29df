//! The thread that hashes passwords.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

use crate::hash::{HashMemory, SharedHash};

/// A thread of low priority that hashes one password after another. It is started when it is
/// needed, and ends when it has had nothing to do for a while: while threads share a table of open
/// files, each frame that is written costs the kernel more. It ends as well when this is dropped.
#[derive(Default)]
pub(crate) struct PasswordThread {
    jobs: Mutex<Option<SyncSender<Verification>>>,
    hashed: Arc<AtomicU64>,
}

struct Verification {
    password: String,
    hash: SharedHash,
    answer: oneshot::Sender<bool>,
}

impl PasswordThread {
    /// Whether this is the password of this hash; `None` if that cannot be found out now.
    ///
    /// Cancel safe: if it has not begun, nothing is hashed.
    pub(crate) async fn verify(&self, password: &str, hash: &SharedHash) -> Option<bool> {
        // Twice: the thread may have ended at this moment.
        for _ in 0..2 {
            let (answer, answered) = oneshot::channel();
            self.send(Verification {
                password: password.into(),
                hash: Arc::clone(hash),
                answer,
            })?;
            if let Ok(is_right) = answered.await {
                return Some(is_right);
            }
        }
        None
    }

    /// How many passwords were hashed.
    pub(crate) fn hashed(&self) -> u64 {
        self.hashed.load(Ordering::Relaxed)
    }

    /// Gives a job to the thread, and starts one if there is none.
    fn send(&self, job: Verification) -> Option<()> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let job = match &*jobs {
            Some(sender) => match sender.try_send(job) {
                Ok(()) => return Some(()),
                Err(TrySendError::Full(_)) => return None,
                Err(TrySendError::Disconnected(job)) => job,
            },
            None => job,
        };
        let (sender, receiver) = sync_channel(MOST_JOBS);
        let hashed = Arc::clone(&self.hashed);
        let named = thread::Builder::new().name("passwords".into());
        named.spawn(move || run(&receiver, &hashed)).ok()?;
        jobs.insert(sender).try_send(job).ok()
    }
}

fn run(jobs: &Receiver<Verification>, hashed: &AtomicU64) {
    // On Linux, this is of the calling thread only. It may be forbidden; then hashing competes with
    // serving.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICENESS);
    let mut memory = HashMemory::default();
    while let Ok(job) = jobs.recv_timeout(IDLE) {
        // Whoever asked may have given up.
        if !job.answer.is_closed() {
            let is_right = memory.matches(&job.password, &job.hash);
            hashed.fetch_add(1, Ordering::Relaxed);
            let _ = job.answer.send(is_right);
        }
    }
}

/// How long the thread waits for another password.
const IDLE: Duration = Duration::from_secs(5);

/// Callers take turns; more than one job is there only when one was given up.
const MOST_JOBS: usize = 8;

#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

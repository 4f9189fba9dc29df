//! The thread that hashes passwords.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use tokio::sync::oneshot;

use crate::passwords::{SharedHash, hash};

/// A thread of low priority that hashes one password after another. It is started by the first
/// one, and ends when this is dropped.
#[derive(Default)]
pub(crate) struct PasswordThread {
    jobs: Mutex<Option<SyncSender<Job>>>,
    hashed: Arc<AtomicU64>,
}

struct Job {
    password: String,
    hash: SharedHash,
    answer: oneshot::Sender<bool>,
}

impl PasswordThread {
    /// Whether this is the password of this hash; `None` if that cannot be found out now.
    ///
    /// Cancel safe: if it has not begun, nothing is hashed.
    pub(crate) async fn verify(&self, password: &str, hash: &SharedHash) -> Option<bool> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            password: password.into(),
            hash: Arc::clone(hash),
            answer,
        };
        self.sender()?.try_send(job).ok()?;
        answered.await.ok()
    }

    /// How many passwords were hashed.
    pub(crate) fn hashed(&self) -> u64 {
        self.hashed.load(Ordering::Relaxed)
    }

    fn sender(&self) -> Option<SyncSender<Job>> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*jobs {
            return Some(sender.clone());
        }
        let (sender, receiver) = sync_channel(MOST_JOBS);
        let hashed = Arc::clone(&self.hashed);
        let named = thread::Builder::new().name("passwords".into());
        named.spawn(move || run(&receiver, &hashed)).ok()?;
        Some(jobs.insert(sender).clone())
    }
}

fn run(jobs: &Receiver<Job>, hashed: &AtomicU64) {
    // On Linux, this is of the calling thread only. It may be forbidden; then hashing competes with
    // serving.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICENESS);
    for job in jobs {
        // Whoever asked may have given up.
        if !job.answer.is_closed() {
            let is_right = hash::matches(&job.password, &job.hash);
            hashed.fetch_add(1, Ordering::Relaxed);
            let _ = job.answer.send(is_right);
        }
    }
}

/// Callers take turns; more than one job is there only when one was given up.
const MOST_JOBS: usize = 8;

#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

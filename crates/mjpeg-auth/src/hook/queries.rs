//! Asking the hook: each question once, and few at a time.

use std::{
    collections::HashMap,
    mem,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ring::hmac;
use tokio::{
    sync::{OnceCell, Semaphore, SemaphorePermit},
    time::Instant,
};

use crate::{
    digest::random,
    hook::{
        AuthHook, HOOK_RECHECK_INTERVAL, HookAnswer, HookQuestion, HookStats,
        answers::{KeptAnswers, QuestionTag},
        pause::Pause,
    },
};

/// Asks the hook, and remembers what it answers.
pub(crate) struct HookQueries {
    /// Random per process: what is remembered of questions tells nothing without it.
    key: hmac::Key,
    state: Mutex<QueryState>,
    requests: Semaphore,
    rechecks: Semaphore,
    allowed: AtomicU64,
    denied: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
}

struct QueryState {
    hook: Option<Arc<dyn AuthHook>>,
    allowed: KeptAnswers,
    denied: KeptAnswers,
    /// Questions that are being asked.
    asking: HashMap<QuestionTag, Arc<OnceCell<HookAnswer>>>,
    /// How many are being asked for each address.
    of_address: HashMap<IpAddr, usize>,
    pause: Pause,
}

/// For what a question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookPurpose {
    /// A new request, from this address, if it is one that counts.
    Request(Option<IpAddr>),
    /// Somebody who is watching because the hook allowed it. They wait for their turn, so that
    /// nobody ends because many are asked about.
    Recheck,
}

impl HookQueries {
    pub(crate) fn new() -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &random::<32>()),
            state: Mutex::new(QueryState {
                hook: None,
                allowed: KeptAnswers::new(ALLOWED_KEPT, MOST_KEPT),
                denied: KeptAnswers::new(DENIED_KEPT, MOST_KEPT),
                asking: HashMap::new(),
                of_address: HashMap::new(),
                pause: Pause::default(),
            }),
            requests: Semaphore::new(MOST_REQUESTS),
            rechecks: Semaphore::new(MOST_RECHECKS),
            allowed: AtomicU64::new(0),
            denied: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Replaces the hook, and forgets what the one before answered.
    pub(crate) fn set(&self, hook: Option<Arc<dyn AuthHook>>) {
        let mut state = self.state();
        state.hook = hook;
        state.allowed.clear();
        state.denied.clear();
        state.asking.clear();
        state.pause = Pause::default();
    }

    pub(crate) fn is_set(&self) -> bool {
        self.state().hook.is_some()
    }

    pub(crate) fn stats(&self) -> HookStats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        HookStats {
            allowed: read(&self.allowed),
            denied: read(&self.denied),
            failed: read(&self.failed),
            refused: read(&self.refused),
        }
    }

    /// Stands for a question in what is remembered.
    pub(crate) fn tag(&self, question: &HookQuestion) -> QuestionTag {
        let HookQuestion {
            user,
            token,
            address,
            stream,
            right,
        } = question;
        let address = address.map(|address| address.to_string());
        let texts = [user.as_deref(), token.as_deref(), address.as_deref()];
        let mut signed = hmac::Context::with_key(&self.key);
        for text in texts
            .into_iter()
            .chain([Some(&**stream), Some(right.name())])
        {
            // The length makes it unambiguous where each ends.
            let len = text.map_or(u64::MAX, |text| text.len() as u64);
            signed.update(&len.to_be_bytes());
            signed.update(text.unwrap_or_default().as_bytes());
        }
        let tag = signed.sign();
        tag.as_ref().try_into().expect("SHA-256 has 32 bytes")
    }

    /// KeptAnswers a question: as the hook did lately, else as it does now. Without a hook, it is
    /// denied.
    ///
    /// Cancel safe: another one who waits for the same answer asks in place of this one.
    pub(crate) async fn ask(&self, question: &HookQuestion, purpose: HookPurpose) -> HookAnswer {
        let tag = self.tag(question);
        let (hook, query) = {
            let mut state = self.state();
            let Some(hook) = state.hook.clone() else {
                return HookAnswer::Deny;
            };
            // For viewers, an answer that expires before the next recheck is asked for again now.
            let margin = match purpose {
                HookPurpose::Request(_) => Duration::ZERO,
                HookPurpose::Recheck => HOOK_RECHECK_INTERVAL,
            };
            let now = Instant::now();
            if state.allowed.has(&tag, now, margin) {
                return HookAnswer::Allow;
            }
            if state.denied.has(&tag, now, Duration::ZERO) {
                return HookAnswer::Deny;
            }
            let cell = Arc::clone(state.asking.entry(tag).or_default());
            let query = SharedQuery {
                queries: self,
                tag,
                cell,
            };
            (hook, query)
        };
        let asking = || async {
            let answer = self.ask_hook(&hook, question, purpose).await;
            self.remember(&hook, tag, answer)
        };
        *query.cell.get_or_init(asking).await
    }

    async fn ask_hook(
        &self,
        hook: &Arc<dyn AuthHook>,
        question: &HookQuestion,
        purpose: HookPurpose,
    ) -> Option<HookAnswer> {
        let _place = self.place(purpose).await?;
        if !self.state().pause.admits(Instant::now()) {
            return None;
        }
        Some(hook.ask(question).await)
    }

    /// A place among the questions that are asked; `None` if there is none.
    async fn place(&self, purpose: HookPurpose) -> Option<QueryPlace<'_>> {
        let (permit, address) = match purpose {
            HookPurpose::Recheck => (self.rechecks.acquire().await.ok()?, None),
            HookPurpose::Request(address) => (self.requests.try_acquire().ok()?, address),
        };
        if let Some(address) = address {
            let mut state = self.state();
            let count = state.of_address.entry(address).or_default();
            if *count == MOST_OF_ADDRESS {
                return None;
            }
            *count += 1;
        }
        Some(QueryPlace {
            queries: self,
            address,
            _permit: permit,
        })
    }

    /// Counts and remembers an answer; `None` if the question was not asked.
    fn remember(
        &self,
        hook: &Arc<dyn AuthHook>,
        tag: QuestionTag,
        answer: Option<HookAnswer>,
    ) -> HookAnswer {
        let count = match answer {
            Some(HookAnswer::Allow) => &self.allowed,
            Some(HookAnswer::Deny) => &self.denied,
            Some(HookAnswer::Failed | HookAnswer::Unreachable) => &self.failed,
            None => &self.refused,
        };
        count.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        let is_current = state.hook.as_ref().is_some_and(|it| Arc::ptr_eq(it, hook));
        let now = Instant::now();
        match answer {
            // Nothing of a hook that was replaced in the meantime.
            _ if !is_current => {}
            Some(HookAnswer::Allow) => state.allowed.insert(tag, now),
            Some(HookAnswer::Deny) => {
                state.allowed.remove(&tag);
                state.denied.insert(tag, now);
            }
            Some(HookAnswer::Failed | HookAnswer::Unreachable) | None => {}
        }
        match answer {
            Some(HookAnswer::Unreachable) if is_current => state.pause.unanswered(now),
            Some(_) if is_current => state.pause.answered(),
            _ => {}
        }
        answer.unwrap_or(HookAnswer::Failed)
    }

    /// Nothing that is done under the lock can panic.
    fn state(&self) -> MutexGuard<'_, QueryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that is being asked, for one of those who wait for its answer.
struct SharedQuery<'a> {
    queries: &'a HookQueries,
    tag: QuestionTag,
    cell: Arc<OnceCell<HookAnswer>>,
}

impl Drop for SharedQuery<'_> {
    fn drop(&mut self) {
        let mut state = self.queries.state();
        // Given back under the lock: of two who end at the same time, the later one is the last.
        let cell = mem::take(&mut self.cell);
        let known = state.asking.get(&self.tag);
        let is_it = known.is_some_and(|known| Arc::ptr_eq(known, &cell));
        // The table has one, too.
        let is_last = Arc::strong_count(&cell) == 2;
        if is_it && (is_last || cell.initialized()) {
            state.asking.remove(&self.tag);
        }
        drop(cell);
    }
}

/// A place among the questions that are asked.
struct QueryPlace<'a> {
    queries: &'a HookQueries,
    address: Option<IpAddr>,
    _permit: SemaphorePermit<'a>,
}

impl Drop for QueryPlace<'_> {
    fn drop(&mut self) {
        let Some(address) = self.address else {
            return;
        };
        let mut state = self.queries.state();
        if let Some(count) = state.of_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                state.of_address.remove(&address);
            }
        }
    }
}

const ALLOWED_KEPT: Duration = Duration::from_secs(60);
const DENIED_KEPT: Duration = Duration::from_secs(5);

/// How many allowances are remembered, and how many denials: about 1 MB each.
const MOST_KEPT: usize = 10_000;

/// How many questions are asked at once for new requests.
const MOST_REQUESTS: usize = 32;
/// How many of them for one address.
const MOST_OF_ADDRESS: usize = 8;
/// How many are asked at once about viewers.
const MOST_RECHECKS: usize = 8;

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::Barrier,
        task::{Context, Waker},
        thread,
    };

    use async_trait::async_trait;

    use super::*;
    use crate::Right;

    /// Never answers.
    struct SilentHook;

    #[async_trait]
    impl AuthHook for SilentHook {
        async fn ask(&self, _: &HookQuestion) -> HookAnswer {
            pending().await
        }
    }

    #[test]
    fn nothing_is_left_of_those_who_end_at_the_same_time() {
        let queries = HookQueries::new();
        queries.set(Some(Arc::new(SilentHook)));
        let question = HookQuestion {
            user: None,
            token: None,
            address: None,
            stream: "door".into(),
            right: Right::View,
        };
        let purpose = HookPurpose::Request(None);
        let (begin, end) = (Barrier::new(2), Barrier::new(2));
        let wait = || {
            let mut left = 0;
            for _ in 0..40_000 {
                begin.wait();
                let mut asking = Box::pin(queries.ask(&question, purpose));
                let polled = asking
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()));
                assert!(polled.is_pending());
                end.wait();
                drop(asking);
                begin.wait();
                left += queries.state().asking.len();
            }
            left
        };
        let left = thread::scope(|scope| {
            let waiting = [(); 2].map(|()| scope.spawn(wait));
            waiting.map(|waiting| waiting.join().expect("no panic"))
        });
        assert_eq!(left, [0, 0]);
    }
}

//! The memory that several rings share.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A limit on the memory of several [rings](crate::ReplayRing) together. Clones share one limit.
///
/// When it is reached, the ring that holds the most memory drops its oldest frames.
#[derive(Clone)]
pub struct RingMemory {
    shared: Arc<MemoryShared>,
}

struct MemoryShared {
    most: AtomicUsize,
    used: AtomicUsize,
    rings: Mutex<Vec<Weak<dyn HoldsMemory>>>,
}

/// A ring that may have to free some of its memory.
pub(crate) trait HoldsMemory: Send + Sync {
    /// Drops the oldest frames, all those that share a segment. Returns whether there were any.
    fn evict(&self) -> bool;

    /// Returns how much memory it holds.
    fn held(&self) -> &Arc<RingBytes>;
}

/// How many bytes a ring keeps allocated.
#[derive(Debug, Default)]
pub(crate) struct RingBytes(AtomicUsize);

/// Some memory. It is given back when the last user drops the ticket.
#[derive(Debug)]
pub(crate) struct MemoryTicket {
    bytes: AtomicUsize,
    memory: Arc<MemoryShared>,
    held: Arc<RingBytes>,
}

impl RingMemory {
    /// Makes a limit of this many bytes.
    pub fn new(max_bytes: usize) -> Self {
        Self {
            shared: Arc::new(MemoryShared {
                most: AtomicUsize::new(max_bytes),
                used: AtomicUsize::new(0),
                rings: Mutex::default(),
            }),
        }
    }

    /// Replaces the limit. If the new one is lower, memory is freed as new frames come.
    pub fn set_max_bytes(&self, max_bytes: usize) {
        self.shared.most.store(max_bytes, Ordering::Release);
    }

    /// Returns the limit, in bytes.
    pub fn max_bytes(&self) -> usize {
        self.shared.most.load(Ordering::Acquire)
    }

    /// Returns how many bytes all rings keep allocated, including frames that readers still hold.
    pub fn used_bytes(&self) -> usize {
        self.shared.used.load(Ordering::Acquire)
    }

    pub(crate) fn add(&self, ring: Weak<dyn HoldsMemory>) {
        let mut rings = self.rings();
        rings.retain(|ring| ring.strong_count() > 0);
        rings.push(ring);
    }

    /// Takes some memory for a ring. If too little is left, the ring that holds the most frees
    /// some. Returns `None` if readers hold all of it, or if the limit is lower than `bytes`.
    pub(super) fn take(&self, bytes: usize, held: &Arc<RingBytes>) -> Option<MemoryTicket> {
        while !self.try_take(bytes) {
            let rings: Vec<_> = self.rings().iter().filter_map(Weak::upgrade).collect();
            // Counts the request as already held: of two equal rings, the one that asks frees.
            let with_these = |ring: &Arc<dyn HoldsMemory>| {
                let asks = Arc::ptr_eq(ring.held(), held);
                ring.held().now() + if asks { bytes } else { 0 }
            };
            let mut rings: Vec<_> = rings.iter().map(|it| (with_these(it), it)).collect();
            rings.sort_unstable_by_key(|(held, _)| std::cmp::Reverse(*held));
            if !rings.iter().any(|(_, ring)| ring.evict()) {
                return None;
            }
        }
        held.0.fetch_add(bytes, Ordering::AcqRel);
        Some(MemoryTicket {
            bytes: AtomicUsize::new(bytes),
            memory: Arc::clone(&self.shared),
            held: Arc::clone(held),
        })
    }

    fn try_take(&self, bytes: usize) -> bool {
        let most = self.max_bytes();
        let fits = |used: usize| used.checked_add(bytes).filter(|used| *used <= most);
        let used = &self.shared.used;
        used.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits)
            .is_ok()
    }

    fn rings(&self) -> std::sync::MutexGuard<'_, Vec<Weak<dyn HoldsMemory>>> {
        let rings = self.shared.rings.lock();
        rings.unwrap_or_else(PoisonError::into_inner)
    }
}

impl RingBytes {
    pub(crate) fn now(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

impl MemoryTicket {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Gives back all but this much.
    pub(crate) fn shrink_to(&self, bytes: usize) {
        let before = self.bytes.fetch_min(bytes, Ordering::AcqRel);
        self.give_back(before.saturating_sub(bytes));
    }

    fn give_back(&self, bytes: usize) {
        self.memory.used.fetch_sub(bytes, Ordering::AcqRel);
        self.held.0.fetch_sub(bytes, Ordering::AcqRel);
    }
}

impl Drop for MemoryTicket {
    fn drop(&mut self) {
        self.give_back(self.bytes());
    }
}

impl fmt::Debug for RingMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingMemory")
            .field("max_bytes", &self.max_bytes())
            .field("used_bytes", &self.used_bytes())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MemoryShared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryShared")
            .field("used", &self.used)
            .finish_non_exhaustive()
    }
}

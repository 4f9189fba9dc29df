//! The orders of the frames of all streams, and what they have left out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mjpeg_ingest::FrameOrder;

/// The orders that are in use.
#[derive(Default)]
pub(crate) struct Orders(Mutex<OrderTable>);

#[derive(Default)]
struct OrderTable {
    next: u64,
    used: Vec<UsedOrder>,
    /// How many frames those that are not used any more have left out.
    refused: u64,
    /// The latest epoch of theirs.
    epoch: u64,
}

struct UsedOrder {
    id: u64,
    order: FrameOrder,
    /// How many it had left out before.
    before: u64,
}

/// Counts an order for as long as it lives.
pub(crate) struct OrderUse {
    orders: Arc<Orders>,
    id: u64,
}

impl Orders {
    pub(crate) fn add(self: &Arc<Self>, order: FrameOrder) -> OrderUse {
        let mut table = self.table();
        let id = table.next;
        table.next += 1;
        let before = order.refused();
        table.used.push(UsedOrder { id, order, before });
        OrderUse {
            orders: Arc::clone(self),
            id,
        }
    }

    /// How many frames were left out.
    pub(crate) fn refused(&self) -> u64 {
        let table = self.table();
        table.refused + table.used.iter().map(UsedOrder::refused).sum::<u64>()
    }

    /// The latest epoch of which a frame was accepted.
    pub(crate) fn latest_epoch(&self) -> u64 {
        let table = self.table();
        let latest = table.used.iter().map(UsedOrder::epoch).max();
        latest.unwrap_or(0).max(table.epoch)
    }

    fn table(&self) -> MutexGuard<'_, OrderTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UsedOrder {
    fn refused(&self) -> u64 {
        self.order.refused().saturating_sub(self.before)
    }

    fn epoch(&self) -> u64 {
        self.order.last().map_or(0, |id| id.epoch)
    }
}

impl Drop for OrderUse {
    fn drop(&mut self) {
        let mut table = self.orders.table();
        if let Some(at) = table.used.iter().position(|used| used.id == self.id) {
            let used = table.used.swap_remove(at);
            table.refused += used.refused();
            table.epoch = table.epoch.max(used.epoch());
        }
    }
}

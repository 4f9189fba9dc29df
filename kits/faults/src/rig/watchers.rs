//! Healthy viewers of an undamaged stream.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;

use crate::{cpu_waits::CpuWaits, sequence::Sequence, watcher::Watcher};

/// Opens healthy viewers of a stream, and waits until all have received a new picture.
pub(crate) async fn watchers(
    count: usize,
    addr: SocketAddr,
    sequence: &Arc<Sequence>,
    cpu_waits: &Arc<CpuWaits>,
) -> Result<Vec<Watcher>> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(Watcher::open(addr, sequence, cpu_waits).await?);
    }
    let next = sequence.last() + 1;
    for watcher in &mut all {
        watcher.reach(next, FIRST_PICTURE).await?;
    }
    Ok(all)
}

/// How many healthy viewers an undamaged stream has by default.
pub(crate) const WATCHERS: usize = 2;
const FIRST_PICTURE: Duration = Duration::from_secs(10);

//! Healthy viewers of an undamaged stream.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;

use crate::{cpu_waits::CpuWaits, sequence::Sequence, watcher::Watcher};

/// Opens the healthy viewers of a stream, and waits until each has seen a picture.
pub(super) async fn watchers(
    addr: SocketAddr,
    sequence: &Arc<Sequence>,
    cpu_waits: &Arc<CpuWaits>,
) -> Result<Vec<Watcher>> {
    let mut all = Vec::new();
    for _ in 0..WATCHERS {
        let mut watcher = Watcher::open(addr, sequence, cpu_waits).await?;
        watcher.fresh(FIRST_PICTURE).await?;
        all.push(watcher);
    }
    Ok(all)
}

/// How many healthy viewers each undamaged stream has.
pub(super) const WATCHERS: usize = 2;
pub(super) const FIRST_PICTURE: Duration = Duration::from_secs(10);

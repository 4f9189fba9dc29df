//! Finding the addresses of a name.

use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
};

use tokio::{sync::Semaphore, task::spawn_blocking};

/// Resolves a name.
///
/// The system's resolver blocks its thread, for minutes if its servers do not answer, and cannot be
/// cancelled. So the look-ups of all cameras together have a limited number of threads, and those
/// that were given up count until they have ended.
pub(super) async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![(ip, port).into()]);
    }
    #[cfg(test)]
    if let Some(addresses) = made_up::addresses(host) {
        return Ok(addresses);
    }
    let permit = LOOK_UPS.acquire().await.map_err(io::Error::other)?;
    let host = host.to_owned();
    let looked_up = spawn_blocking(move || {
        let _permit = permit;
        (&*host, port).to_socket_addrs().map(Iterator::collect)
    });
    looked_up.await?
}

/// The name look-ups of this process at one time.
static LOOK_UPS: Semaphore = Semaphore::const_new(32);

/// Names that exist for one test, on its thread.
#[cfg(test)]
pub(super) mod made_up {
    use std::{cell::RefCell, collections::HashMap, net::SocketAddr};

    thread_local! {
        static NAMES: RefCell<HashMap<String, Vec<SocketAddr>>> = RefCell::default();
    }

    pub(crate) fn name(name: &str, addresses: &[SocketAddr]) {
        NAMES.with_borrow_mut(|names| names.insert(name.into(), addresses.into()));
    }

    pub(super) fn addresses(name: &str) -> Option<Vec<SocketAddr>> {
        NAMES.with_borrow(|names| names.get(name).cloned())
    }
}

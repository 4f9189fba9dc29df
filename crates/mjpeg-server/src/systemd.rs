//! What the service manager passes to the process, and is told by it.

use std::io;
#[cfg(unix)]
use std::{os::fd::OwnedFd, sync::OnceLock};

/// Takes over the sockets that this process inherited for it (`LISTEN_FDS`), so that the programs
/// that it starts do not. Call it once, before there are other threads.
#[cfg(unix)]
pub(crate) fn take_sockets() {
    // In the order of the descriptors.
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut passed = listenfd::ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..passed.len() {
        let name = names.next().unwrap_or_default().to_owned();
        // An error means that it is a socket of another kind, which stays where it is.
        let tcp = passed.take_tcp_listener(index).ok().flatten();
        let unix = passed.take_unix_listener(index).ok().flatten();
        let socket = tcp.map(OwnedFd::from).or(unix.map(OwnedFd::from));
        sockets.extend(socket.map(|socket| (name, socket)));
    }
    // An error means that it was called before.
    let _ = SOCKETS.set(sockets);
}

/// Returns a copy of the first inherited socket of this name.
///
/// # Errors
///
/// If there is none.
#[cfg(unix)]
pub(crate) fn socket(name: &str) -> io::Result<OwnedFd> {
    let mut sockets = SOCKETS.get().into_iter().flatten();
    match sockets.find(|(known, _)| known == name) {
        // The original is kept: a gateway may be closed and opened again.
        Some((_, socket)) => socket.try_clone(),
        None => {
            let text = format!("the process has inherited no listening socket named {name:?}");
            Err(io::Error::new(io::ErrorKind::NotFound, text))
        }
    }
}

/// The names of the inherited sockets.
#[cfg(unix)]
pub(crate) fn socket_names() -> impl Iterator<Item = &'static str> {
    let sockets = SOCKETS.get().into_iter().flatten();
    sockets.map(|(name, _)| name.as_str())
}

/// Tells the service manager that the relay serves. Does nothing without one.
pub(crate) fn serves() {
    #[cfg(unix)]
    tell(&[sd_notify::NotifyState::Ready]);
}

/// Tells the service manager that the configuration is being read again, until
/// [`serves`](self::serves) tells that it is in effect (`Type=notify-reload`). Does nothing without
/// one.
pub(crate) fn reloads() {
    #[cfg(unix)]
    {
        let now = sd_notify::NotifyState::monotonic_usec_now().ok();
        let states = [Some(sd_notify::NotifyState::Reloading), now];
        tell(&states.into_iter().flatten().collect::<Vec<_>>());
    }
}

/// Tells the service manager that the relay is ending. Does nothing without one.
pub(crate) fn ends() {
    #[cfg(unix)]
    tell(&[sd_notify::NotifyState::Stopping]);
}

#[cfg(unix)]
fn tell(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}

#[cfg(unix)]
static SOCKETS: OnceLock<Vec<(String, OwnedFd)>> = OnceLock::new();

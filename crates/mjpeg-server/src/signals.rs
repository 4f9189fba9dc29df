//! Signals that end the process, or make it read its configuration again.

use std::io;

use tokio::signal;

/// SIGINT, SIGTERM and SIGHUP, or Ctrl-C on other systems.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: signal::unix::Signal,
    #[cfg(unix)]
    terminate: signal::unix::Signal,
    /// The terminal was closed, or the service manager asks for a reload. `None` if whoever started
    /// the program wants it to go on when the terminal is closed, as `nohup` does.
    #[cfg(unix)]
    hangup: Option<signal::unix::Signal>,
    #[cfg(unix)]
    hangup_reloads: bool,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    End,
    Reload,
}

impl Signals {
    /// Listens for the signals, which from now on no longer end the process by themselves. SIGHUP
    /// asks for a reload if the program has what to reload; then it is never ignored, since it ends
    /// nothing.
    #[cfg(unix)]
    pub(crate) fn listen(hangup_reloads: bool) -> io::Result<Self> {
        use signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: match is_hangup_ignored() && !hangup_reloads {
                true => None,
                false => Some(signal(SignalKind::hangup())?),
            },
            hangup_reloads,
        })
    }

    /// Listens for the signals, which from now on no longer end the process by themselves.
    #[cfg(not(unix))]
    pub(crate) fn listen(_hangup_reloads: bool) -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for one of the signals.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> Asked {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Asked::End,
            _ = self.terminate.recv() => Asked::End,
            _ = hangup => match self.hangup_reloads {
                true => Asked::Reload,
                false => Asked::End,
            },
        }
    }

    /// Waits for one of the signals.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> Asked {
        self.end().await;
        Asked::End
    }

    /// Waits for a signal that ends the process. One that asks for a reload is kept for
    /// [`next`](Self::next); several are one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    #[cfg(unix)]
    pub(crate) async fn end(&mut self) {
        if !self.hangup_reloads {
            self.next().await;
            return;
        }
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Waits for a signal that ends the process.
    #[cfg(not(unix))]
    pub(crate) async fn end(&mut self) {
        if signal::ctrl_c().await.is_err() {
            // Signals are not available: run until killed.
            std::future::pending::<()>().await;
        }
    }
}

/// Whether SIGHUP was ignored when the program started. Known on Linux only (proc_pid_status(5)).
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Signal 1 is the lowest bit.
    mask.is_some_and(|mask| mask & 1 != 0)
}

//! What changes a relay while it runs.

use std::future::pending;

use crate::{
    control::{ControlRequest, editor::Editor},
    relay::Relay,
    reload::Reloader,
    systemd,
};

/// What changes a relay that was started with a configuration.
pub(super) struct Configurable {
    pub(super) reloader: Reloader,
    pub(super) editor: Editor,
}

/// A change that is wanted.
pub(super) enum Wanted {
    Reload,
    Request(ControlRequest),
}

impl Configurable {
    /// Waits until the files have changed, or the API asks for something.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn wanted(&mut self) -> Wanted {
        tokio::select! {
            () = self.reloader.changed() => Wanted::Reload,
            request = self.editor.next() => match request {
                Some(request) => Wanted::Request(request),
                None => pending().await,
            },
        }
    }

    /// Makes a change.
    ///
    /// # Cancel safety
    ///
    /// As [`Relay::change`].
    pub(super) async fn change(&mut self, wanted: Wanted, relay: &mut Relay) {
        match wanted {
            Wanted::Reload => {
                systemd::reloads();
                // It has logged why, if it failed.
                let _ = self.reloader.reload(relay).await;
                self.editor.tell(self.reloader.running());
                systemd::serves();
            }
            Wanted::Request(request) => {
                self.editor.answer(request, &mut self.reloader, relay).await;
            }
        }
    }
}

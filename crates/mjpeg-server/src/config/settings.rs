//! The settings of a relay.

use mjpeg_manager::{HttpOutlet, ManagerConfig, StreamSpec};

/// Everything that a relay is started with.
pub(crate) struct Settings {
    pub(crate) specs: Vec<StreamSpec>,
    pub(crate) manager: ManagerConfig,
    pub(crate) http: HttpOutlet,
}

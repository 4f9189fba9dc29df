//! Keys of the control API.

use mjpeg_manager::mjpeg_ingest::DialPolicy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::KEEP;
use crate::config::value::{network::NetworkValue, text::TextValue};

/// What the API may do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ControlKeys {
    /// The kinds of sources that the API may set. Kinds that start programs, open files, read
    /// webcams or listen at ports are left out: whoever may use the API could then do that on this
    /// machine. `push` does none of it: it takes what users with that right send to a gateway.
    #[schemars(length(max = 16), extend("x-reload" = KEEP))]
    pub(crate) sources: Vec<String>,

    /// Networks of this machine or its link, such as `127.0.0.0/8`, that sources set by the API may
    /// reach all the same.
    #[schemars(length(max = 256), extend("x-reload" = KEEP))]
    pub(crate) allow: Vec<TextValue<NetworkValue>>,

    /// The most streams that the API may have added. One more is answered `503`.
    #[schemars(extend("x-least" = 0, "x-reload" = KEEP))]
    pub(crate) max_streams: u32,

    /// Let the API give a stream a port of its own.
    #[schemars(extend("x-reload" = KEEP))]
    pub(crate) listen: bool,
}

impl ControlKeys {
    /// Which addresses sources set by the API may connect to.
    pub(crate) fn dial_policy(&self) -> DialPolicy {
        DialPolicy::restricted().with_allowed(self.allow.iter().map(|network| network.0.0))
    }
}

impl Default for ControlKeys {
    fn default() -> Self {
        Self {
            sources: ["tcp", "http", "https", "rtsp", "rtsps", "test", "push"]
                .map(Into::into)
                .into(),
            allow: Vec::new(),
            max_streams: 256,
            listen: false,
        }
    }
}

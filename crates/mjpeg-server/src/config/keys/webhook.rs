//! Keys of a webhook.

use mjpeg_manager::StreamName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KEEP, auth::EVERY_STREAM};
use crate::config::value::{choice::EventWord, secret_text::SecretText, text::TextValue};

/// A URL that events are sent to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WebhookKeys {
    /// What the webhook is called in logs and metrics: 1 to 64 letters, digits, `_` or `-`. A
    /// webhook with another name is a new one, and events that wait for the old one are lost.
    #[schemars(extend(
        "x-default" = "`webhook1`, `webhook2`, … in the order of the file",
        "x-example" = "phone",
        "x-reload" = KEEP
    ))]
    pub(crate) name: Option<TextValue<StreamName>>,

    /// The URL to which events are sent: `http://…` or `https://…`. It may hold a login, and
    /// `${env:…}`, `${file:…}` and `${credential:…}` as the URL of a source. After a reload,
    /// waiting events go to the new URL.
    #[schemars(extend(
        "x-required" = true,
        "x-example" = "https://hooks.example/mjpeg",
        "x-reload" = KEEP
    ))]
    pub(crate) url: Option<SecretText>,

    /// The key that signs each request, best 32 random bytes as text (`openssl rand -hex 32`). It
    /// may come from `${env:…}`, `${file:…}` or `${credential:…}`.
    #[schemars(extend(
        "x-required" = true,
        "x-example" = "${file:/etc/mjpeg-server/webhook.secret}",
        "x-reload" = KEEP
    ))]
    pub(crate) secret: Option<SecretText>,

    /// Which events are sent: a new state of a camera (`"connecting"`, `"online"`, `"stalled"`,
    /// `"offline"`, `"idle"`, `"paused"`, `"ended"`, `"failed"`), its picture (`"frozen"`,
    /// `"moving"`, `"detected"`, `"cleared"`), another source (`"source"`), a clip that was kept
    /// (`"clip_ready"`), and the stream itself (`"started"`, `"reconfigured"`, `"stopped"`).
    #[schemars(length(min = 1, max = 17), extend("x-reload" = KEEP))]
    pub(crate) events: Vec<EventWord>,

    /// The streams whose events are sent. `"*"` means all, also those that are added later.
    #[schemars(length(min = 1, max = 4096), extend("x-reload" = KEEP))]
    pub(crate) streams: Vec<String>,
}

impl Default for WebhookKeys {
    fn default() -> Self {
        Self {
            name: None,
            url: None,
            secret: None,
            events: EventWord::ALL.into(),
            streams: vec![EVERY_STREAM.into()],
        }
    }
}

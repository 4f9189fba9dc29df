//! Keys of users and rights.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RIGHTS;
use crate::config::value::{
    choice::RightWord, secret_text::SecretText, text::TextValue, time::Time,
};

/// What holds for all users, and for those who are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct AuthKeys {
    /// What somebody without credentials may do: `"view"`, `"replay"`, `"push"`, `"metrics"`. Never
    /// `"control"`. Nothing asks for `"replay"` and `"push"` yet: there are no recordings, and no
    /// pictures that clients send.
    #[schemars(length(max = 5), extend("x-reload" = RIGHTS))]
    pub(crate) anonymous: Vec<RightWord>,

    /// Trust the user's name that a reverse proxy puts into `Remote-User`. Only `trusted_proxies`
    /// of a listener are believed.
    #[schemars(extend("x-reload" = RIGHTS))]
    pub(crate) remote_user: bool,

    /// A URL that is asked whether somebody may view, push or replay what neither `anonymous` nor
    /// the users allow: `http://…` or `https://…`, which may hold a login and `${env:…}`,
    /// `${file:…}` and `${credential:…}`. It is sent JSON with `user`, `token`, `address`, `stream`
    /// and `action`. An answer of 2xx allows it, for a minute; one of 4xx denies it, for five
    /// seconds. Anything else, and no answer in time, denies it too, but ends nobody who is
    /// watching. It never decides about control and metrics.
    #[schemars(extend("x-example" = "https://auth.example/mjpeg", "x-reload" = RIGHTS))]
    pub(crate) hook: Option<SecretText>,

    /// How long the hook is waited for.
    #[schemars(extend("x-least" = "100ms", "x-most" = "4s", "x-reload" = RIGHTS))]
    pub(crate) hook_timeout: Time,
}

impl Default for AuthKeys {
    fn default() -> Self {
        Self {
            anonymous: vec![RightWord::View, RightWord::Replay],
            remote_user: false,
            hook: None,
            hook_timeout: Time::from_secs(2),
        }
    }
}

/// Somebody who can log in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct UserKeys {
    /// The user's name: 1 to 64 characters, none of them `:` or a control character.
    #[schemars(extend("x-required" = true, "x-example" = "alice", "x-reload" = RIGHTS))]
    pub(crate) name: Option<TextValue<UserName>>,

    /// The hash of the password, as `mjpeg-server hash-password` prints it.
    #[schemars(extend("x-example" = "$argon2id$v=19$m=19456,t=2,p=1$…", "x-reload" = RIGHTS))]
    pub(crate) password_hash: Option<SecretText>,

    /// The hash of a token (`Authorization: Bearer`), as `mjpeg-server hash-password --token`
    /// prints it.
    #[schemars(extend("x-example" = "sha256:…", "x-reload" = RIGHTS))]
    pub(crate) token_hash: Option<SecretText>,

    /// The SHA-256 fingerprint of the user's client certificate, for listeners with
    /// `tls = { client_certificates = true }`. Whoever has its key is the user, also when it has
    /// expired.
    #[schemars(extend("x-example" = "AB:CD:…", "x-reload" = RIGHTS))]
    pub(crate) certificate: Option<String>,

    /// What the user may do: `"view"`, `"replay"`, `"push"`, `"control"`, `"metrics"`. Nothing asks
    /// for `"replay"` and `"push"` yet.
    #[schemars(length(max = 5), extend("x-reload" = RIGHTS))]
    pub(crate) may: Vec<RightWord>,

    /// The streams that the user may see and control. `"*"` is all, also those that are added
    /// later, and the right to add and remove some.
    #[schemars(length(max = 4096), extend("x-reload" = RIGHTS))]
    pub(crate) streams: Vec<String>,
}

impl Default for UserKeys {
    fn default() -> Self {
        Self {
            name: None,
            password_hash: None,
            token_hash: None,
            certificate: None,
            may: vec![RightWord::View, RightWord::Replay],
            streams: vec![EVERY_STREAM.into()],
        }
    }
}

/// Stands for all streams.
pub(crate) const EVERY_STREAM: &str = "*";

/// A user's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UserName(pub(crate) String);

impl FromStr for UserName {
    type Err = NotAUserName;

    fn from_str(text: &str) -> Result<Self, NotAUserName> {
        let is_plain = |c: char| !c.is_control() && c != ':';
        let is_name = !text.is_empty() && text.chars().count() <= 64 && text.chars().all(is_plain);
        match is_name {
            true => Ok(Self(text.into())),
            false => Err(NotAUserName),
        }
    }
}

impl std::fmt::Display for UserName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a user's name has 1 to 64 characters, none of them `:` or a control character")]
pub(crate) struct NotAUserName;

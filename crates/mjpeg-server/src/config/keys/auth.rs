//! Keys of users and rights.

use std::{path::PathBuf, str::FromStr};

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
    /// `"control"`. With `"push"`, everybody may send pictures to streams whose source is `push:`.
    /// `"replay"` is to see what streams keep of the past, their clips and their time-lapses.
    #[schemars(length(max = 5), extend("x-reload" = RIGHTS))]
    pub(crate) anonymous: Vec<RightWord>,

    /// Trust the user's name that a reverse proxy puts into `Remote-User`, if the proxy is in
    /// `trusted_proxies` of the listener.
    #[schemars(extend("x-reload" = RIGHTS))]
    pub(crate) remote_user: bool,

    /// The URL that the relay asks whether somebody may view, push or replay a stream, where
    /// neither `anonymous` nor the users allow it: `http://…` or `https://…`. It may hold a login,
    /// and `${env:…}`, `${file:…}` and `${credential:…}`. The relay sends JSON with `user`,
    /// `token`, `address`, `stream` and `action`. An answer of 2xx allows it for a minute; one of
    /// 4xx denies it for five seconds. Anything else, and no answer in time, denies it too, but
    /// disconnects nobody who is watching. The hook never decides about control and metrics.
    #[schemars(extend("x-example" = "https://auth.example/mjpeg", "x-reload" = RIGHTS))]
    pub(crate) hook: Option<SecretText>,

    /// How long the relay waits for the hook's answer.
    #[schemars(extend("x-least" = "100ms", "x-most" = "4s", "x-reload" = RIGHTS))]
    pub(crate) hook_timeout: Time,

    /// Accept JSON Web Tokens of an identity provider (`Authorization: Bearer`) that are signed by
    /// RS256, ES256 or EdDSA. Write these keys below `[auth.jwt]`.
    #[schemars(extend("x-reload" = RIGHTS))]
    pub(crate) jwt: Option<JwtSection>,
}

/// Which tokens are accepted, and where the keys are that they are signed with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct JwtSection {
    /// The provider, as the tokens name it (`iss`), to the letter. Must be set.
    #[schemars(extend("x-example" = "https://login.example.com/", "x-reload" = RIGHTS))]
    pub(crate) issuer: String,

    /// The audience that a token must name (`aud`), alone or among others. Must be set, because the
    /// provider signs tokens for others, too.
    #[schemars(extend("x-example" = "cameras", "x-reload" = RIGHTS))]
    pub(crate) audience: String,

    /// The URL of the provider's public keys (JWKS): `https://…`, or `http://…` on this machine.
    /// The relay reads them every 5 minutes, and when a token's key is not among them, but then at
    /// most every 30 seconds. While it cannot read them, it keeps the old ones. Either this or
    /// `jwks_file` must be set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "x-example" = "https://login.example.com/.well-known/jwks.json",
        "x-reload" = RIGHTS
    ))]
    pub(crate) jwks: Option<String>,

    /// A file with the keys, such as `/etc/mjpeg-server/jwks.json`, which the relay reads as often.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-reload" = RIGHTS))]
    pub(crate) jwks_file: Option<PathBuf>,

    /// The claim that names what the bearer may do: a list of the words of `may`, or a text in
    /// which spaces separate them. Other words are ignored. Without it, the bearer may do what
    /// `anonymous` says. Default `may`.
    #[serde(default = "rights_claim")]
    #[schemars(extend("x-example" = "scope", "x-reload" = RIGHTS))]
    pub(crate) rights_claim: String,

    /// The claim that names the streams for which these rights hold, in the same forms. Without it,
    /// and with `"*"`, they hold for all. Default `streams`.
    #[serde(default = "streams_claim")]
    #[schemars(extend("x-example" = "cameras", "x-reload" = RIGHTS))]
    pub(crate) streams_claim: String,

    /// By how much clocks may differ: a token is valid this long before its `nbf` and after its
    /// `exp`. At most 5 minutes. Default 30 s.
    #[serde(default = "leeway")]
    #[schemars(extend("x-example" = "10s", "x-reload" = RIGHTS))]
    pub(crate) leeway: Time,
}

fn rights_claim() -> String {
    "may".into()
}

fn streams_claim() -> String {
    "streams".into()
}

fn leeway() -> Time {
    Time::from_secs(30)
}

impl Default for AuthKeys {
    fn default() -> Self {
        Self {
            anonymous: vec![RightWord::View, RightWord::Replay],
            remote_user: false,
            hook: None,
            hook_timeout: Time::from_secs(2),
            jwt: None,
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
    /// `tls = { client_certificates = true }`. Whoever has the private key counts as the user, even
    /// when the certificate has expired.
    #[schemars(extend("x-example" = "AB:CD:…", "x-reload" = RIGHTS))]
    pub(crate) certificate: Option<String>,

    /// What the user may do: `"view"`, `"replay"`, `"push"`, `"control"`, `"metrics"`. `"push"` is
    /// to send pictures to streams whose source is `push:`. `"replay"` is to see what streams keep
    /// of the past, their clips and their time-lapses.
    #[schemars(length(max = 5), extend("x-reload" = RIGHTS))]
    pub(crate) may: Vec<RightWord>,

    /// The streams that the user may see and control. `"*"` means all, also those that are added
    /// later. Only with it can a user who has `"control"` add and remove streams.
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

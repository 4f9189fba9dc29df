//! Decides who may see and do what with Motion-JPEG streams over HTTP: users, rights, logins,
//! sessions and signed links.
//!
//! This crate stands beside the data path of a Motion-JPEG relay. [`Auth`] is a
//! [`Gate`](mjpeg_http::Gate) for the streams that `mjpeg-http` serves, and answers the same
//! questions for other services, such as pages and an API. It knows neither cameras nor
//! configuration files: a stream is a name to it.
//!
//! ```
//! use std::sync::Arc;
//!
//! use mjpeg_auth::{Auth, AuthConfig, Right, Rights, User, hash_password};
//! use mjpeg_http::{StreamService, mjpeg_fanout};
//!
//! let alice = User::new("alice")?
//!     .with_password_hash(&hash_password("correct horse battery staple"))?
//!     .with_rights(Rights::of([Right::View]));
//! let config = AuthConfig::default().with_anonymous(Rights::NONE).with_user(alice);
//! let auth = Auth::new(config)?;
//! let (producer, consumer) = mjpeg_fanout::channel();
//! let garage = StreamService::builder(consumer)
//!     .name("garage")
//!     .gate(Arc::new(auth.clone()))
//!     .build();
//! // … serve `garage`; `auth.replace(…)` changes the settings while it runs …
//! # Ok::<(), mjpeg_auth::InvalidAuth>(())
//! ```
//!
//! # Who may do what
//!
//! * A stranger may do what [`AuthConfig::with_anonymous`] says: by default, view and replay.
//! * A user may do the same, and besides what their [rights](User::with_rights) are for, with the
//!   [streams](User::with_streams) that they are for. Streams that are added later are covered only
//!   by `*`.
//! * A stream with a [list of viewers](AuthConfig::with_view) is closed to strangers. Those in the
//!   list take their place.
//! * What is not about a single stream, such as creating one or reading the metrics, needs `*`.
//! * Watching a stream, its snapshots and its state need [`Right::View`]. The page has no right of
//!   its own: it is where one logs in.
//!
//! # What those are told who may not
//!
//! | who asks | for a stream that they may not see, or that does not exist | for something else |
//! |---|---|---|
//! | somebody with wrong credentials | `401` | `401` |
//! | somebody who sent too many | `429` with `Retry-After` | the same |
//! | a stranger | `404`; `401` if strangers may view nothing | `401` |
//! | a user | `404` | `403` |
//!
//! So the answer never tells whether a stream exists, provided that the owner of the listener
//! answers requests for unknown names with [`Auth::refuse_unknown`]. A program that has credentials
//! sends them without being asked, or finds at least one stream closed to all strangers.
//!
//! A `401` asks for `Basic` or `Bearer`, except where a page's script sent the request
//! (`Sec-Fetch-Mode` other than `navigate`, `Sec-Fetch-Dest: empty`, `X-Requested-With`, or our
//! cookie): the browser would show a dialog.
//!
//! # Passwords and tokens
//!
//! A password is hashed by argon2id with 19 MiB, which takes tens of milliseconds. It happens on a
//! thread of its own and of low priority (Linux), one at a time, at most ten a second. A login that
//! was verified is remembered for five minutes after its last use, as a MAC under a key that is
//! random per process; a recheck of viewers hashes nothing unless the password has changed.
//!
//! Wrong passwords make their address (IPv6: the network of 64 bits) wait, and the user whom they
//! were for; longer each time, up to a limit. Who waits is answered `429` before anything is
//! hashed. An unknown name is treated like a wrong password in all of this. [`AuthLimits`] has the
//! numbers. Each wrong password is logged: `login failed peer="…" user="…"`.
//!
//! Tokens are for programs. They are random ([`new_token`]), and looked up by their digest.
//!
//! With the feature `jwt`, a [token of an identity provider](JwtConfig) says itself whose it is and
//! what they may do. Viewers who were admitted by one end when it expires.
//!
//! # Sessions
//!
//! [`Auth::login`] checks a name and a password from a login page and returns the cookie. The
//! session ends after twelve hours, at [logout](Auth::logout), when the password changes, or when
//! the user is removed. Sessions are not kept on disk.
//!
//! Who changes something must besides make sure that a page of their own asked for it (`Origin`):
//! browsers send cookies by themselves. [`Who::means`] tells what proved who somebody is. For the
//! past of a stream, the cookie of a request by a page of another origin does not count.
//!
//! # Hook
//!
//! An [`AuthHook`] decides about what the settings do not allow already: who may view, push or
//! replay a stream. It is given to [`Auth::set_hook`], which says when it is asked. Never about
//! control and metrics, and it takes nothing away from what the settings allow.
//!
//! # Links
//!
//! A [signed link](Links) opens one stream to everybody who has its URL, for a while.
//!
//! # What it leaves to its owner
//!
//! * Whether there is control at all on a port, and that loopback or a Unix socket needs no user.
//! * `Host` and `Origin` checks, the login page, the log of changes.
//! * [`StreamService::recheck`](mjpeg_http::StreamService::recheck) after settings or links have
//!   changed.
//! * To cut `sig=` of links from what is logged.
//! * A proxy in front that asks for passwords of its own must remove `Authorization` from what it
//!   passes on: here, its passwords are wrong.
//!
//! # Features
//!
//! `jwt`: JSON Web Tokens, signed by RS256, ES256 or EdDSA.

mod auth;
mod config;
mod digest;
mod error;
mod hash;
mod hook;
#[cfg(feature = "jwt")]
mod jwt;
mod links;
mod passwords;
mod requests;
mod rules;
mod sessions;
mod tokens;

pub use auth::{
    Auth, AuthStats, LoginSession,
    who::{Means, Who},
};
#[cfg(feature = "jwt")]
pub use config::jwt::JwtConfig;
pub use config::{
    AuthConfig,
    invalid::InvalidAuth,
    limits::AuthLimits,
    rights::{Right, Rights, UnknownRight},
    streams::StreamSet,
    user::User,
};
#[cfg(feature = "jwt")]
pub use error::InvalidJwtKeys;
pub use error::{LinkError, LoginError};
pub use hash::hash_password;
pub use hook::{AuthHook, HOOK_RECHECK_INTERVAL, HookAnswer, HookQuestion, HookStats};
#[cfg(feature = "jwt")]
pub use jwt::keys::JwtKeys;
pub use links::{
    Links,
    link::{Link, LinkAction, LinkSpec, SignedLink, UnknownLinkAction},
};
/// Re-exported because its types occur in this crate's API, so that versions agree.
#[doc(no_inline)]
pub use mjpeg_http;
pub use tokens::{hash_token, new_token};

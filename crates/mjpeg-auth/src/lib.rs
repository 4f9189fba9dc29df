#![doc = include_str!("../README.md")]

mod auth;
mod config;
mod digest;
mod error;
mod links;
mod passwords;
mod policy;
mod requests;
mod sessions;
mod tokens;

pub use auth::{
    Auth, AuthStats, LoginSession,
    who::{Means, Who},
};
pub use config::{
    AuthConfig,
    invalid::InvalidAuth,
    limits::AuthLimits,
    rights::{Right, Rights, UnknownRight},
    streams::StreamSet,
    user::User,
};
pub use error::{LinkError, LoginError};
pub use links::{
    Links,
    link::{Link, LinkAction, LinkSpec, SignedLink, UnknownLinkAction},
};
/// Re-exported because its types occur in this crate's API, so that versions agree.
#[doc(no_inline)]
pub use mjpeg_http;
pub use passwords::hash::hash_password;
pub use tokens::{hash_token, new_token};

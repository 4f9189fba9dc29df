//! Why a camera that speaks HTTP sends no images.

use std::{error::Error as StdError, io, time::Duration};

use crate::duration::format_duration;

use super::relay::RelayError;

/// Why a camera that speaks HTTP sends no images. The camera or its URL is at fault. (Feature
/// `http`.)
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The status is not one of success (2xx).
    #[error("the camera answers {code} {reason}{}", advice(*code))]
    Status {
        /// The status code.
        code: u16,
        /// The meaning of that code; empty if it is not registered.
        reason: &'static str,
    },
    /// The camera requires a login, and none was given.
    #[error(
        "the camera asks for a user name and password; they are given in its URL: \
         http://USER:PASSWORD@HOST/PATH"
    )]
    LoginNeeded,
    /// The camera refuses the user name or the password.
    #[error(
        "the camera refuses the user name or the password; next try in {} (login_retry), \
         as many cameras lock an account after a few refusals; {RETRY_NOW}",
        format_duration(*retry_in)
    )]
    LoginRefused {
        /// How long until the next login is tried.
        retry_in: Duration,
    },
    /// The camera knows the login, or has locked it, and refuses the pictures.
    #[error(
        "the camera answers {code} {reason} to this login, which may be locked, or not allowed to \
         see the pictures; next try in {} (login_retry); {RETRY_NOW}",
        format_duration(*retry_in)
    )]
    LoginForbidden {
        /// The status code.
        code: u16,
        /// The meaning of that code; empty if it is not registered.
        reason: &'static str,
        /// How long until the next login is tried.
        retry_in: Duration,
    },
    /// The camera, or somebody in its place, asks for the password itself, although it has asked
    /// for a Digest login before, which does not show it.
    #[error(
        "the camera asked for a Digest login before, and now for the password itself (Basic), \
         which is not given; next try in {} (login_retry); if the camera was set up \
         anew, start the stream again",
        format_duration(*retry_in)
    )]
    LoginDowngraded {
        /// How long until the next login is tried.
        retry_in: Duration,
    },
    /// The camera requires a login by something other than Basic or Digest, or its challenge is
    /// malformed.
    #[error(
        "the camera asks for a login in a way that is not understood ({0}); known are Basic and \
         Digest"
    )]
    UnknownLogin(String),
    /// A redirect led to another address, which requires a login. Ours is for the camera in the
    /// URL only.
    #[error(
        "the camera redirects to {to}, which asks for a user name and password; if it may have \
         them, write the source with that address"
    )]
    LoginElsewhere {
        /// Where the redirect led.
        to: String,
    },
    /// The camera redirects too often.
    #[error("the camera redirects more than {0} times (max_redirects)")]
    TooManyRedirects(usize),
    /// A redirect leads back to an address that redirected before.
    #[error("the camera redirects in a circle")]
    RedirectLoop,
    /// A redirect leads from https to http, which anyone in between can read.
    #[error(
        "the camera redirects from https to {to}, which is not encrypted; if that is meant, write \
         the source with that address"
    )]
    RedirectToPlain {
        /// Where it leads.
        to: String,
    },
    /// A redirect leads to something other than HTTP.
    #[error("the camera redirects to {0}, which is not an http:// or https:// address")]
    BadRedirect(String),
    /// The source is a relay that must not be read.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The response holds no images.
    #[error(
        "the camera sends {0}, which is neither a multipart stream nor a JPEG picture; the URL \
         must be that of the stream or picture, not of a page around it"
    )]
    ContentType(String),
    /// The response is compressed, although the request forbids it.
    #[error("the camera sends its pictures compressed ({0}), which is not understood")]
    ContentEncoding(String),
    /// An answer held no whole picture.
    #[error("the camera's answer ({0}) holds no whole picture")]
    NoPicture(String),
    /// The camera is connected, but its answer took longer than the answer timeout.
    #[error("the camera is connected, but did not answer within {after:?} (answer_timeout)")]
    AnswerTimedOut {
        /// The answer timeout.
        after: Duration,
    },
    /// The answer of a polled camera began, but its picture did not come.
    #[error(
        "the camera began to answer, but sent no whole picture within {after:?} (set by \
         stall_limit)"
    )]
    PictureTimedOut {
        /// How long it took.
        after: Duration,
    },
    /// The head of the response is too long.
    #[error("the head of the camera's answer is longer than {limit} bytes (max_head_bytes)")]
    HeadTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The camera sent too many informational heads, such as `100 Continue`.
    #[error(
        "the camera sent more than {limit} informational heads (1xx) and no answer \
         (max_informational_heads)"
    )]
    TooManyInformational {
        /// The limit.
        limit: usize,
    },
    /// The response is not HTTP/1.
    #[error("the camera's answer is not HTTP as it should be")]
    BadResponse(#[source] Box<dyn StdError + Send + Sync>),
    /// The camera closed the connection before the announced end of the response.
    #[error("the camera closed the connection before its answer was complete")]
    CutShort,
    /// The connection broke.
    #[error("the connection to the camera broke")]
    Broken(#[source] io::Error),
    /// The certificate does not prove that this is the camera.
    #[error("the camera's certificate {problem}; {advice}")]
    Certificate {
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// The camera's encryption is too old.
    #[error(
        "the camera's encryption is too old: {problem}; update the camera's firmware or turn on \
         TLS 1.2 in its settings, use http:// in a network that you trust, or put a proxy such as \
         stunnel between"
    )]
    OldTls {
        /// What it offers, and why that is refused.
        problem: &'static str,
    },
    /// The TLS handshake failed for a reason other than the certificate.
    #[error("no encrypted connection to the camera")]
    Tls(#[source] io::Error),
    /// The certificates to trust cannot be used.
    #[error("the certificates to trust (ca) cannot be read")]
    Authorities(#[from] AuthoritiesError),
    /// A redirect leads to https, and this build lacks the feature `tls`.
    #[error("the camera redirects to https, and this program was built without it")]
    TlsNotBuilt,
}

impl HttpError {
    /// As [`Error::retry_in`](crate::Error::retry_in).
    pub fn retry_in(&self) -> Option<Duration> {
        match self {
            Self::LoginRefused { retry_in }
            | Self::LoginForbidden { retry_in, .. }
            | Self::LoginDowngraded { retry_in } => Some(*retry_in),
            _ => None,
        }
    }
}

const RETRY_NOW: &str = "`retry_now` and a changed source try at once";

/// Why the certificates to trust cannot be used. (Feature `http`.)
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthoritiesError {
    /// This machine has no certificates of authorities.
    #[error(
        "this machine has no certificates of authorities (on Debian: the package ca-certificates)"
    )]
    NoneInstalled,
    /// The text is not PEM.
    #[error(transparent)]
    BadPem(Box<dyn StdError + Send + Sync>),
    /// The text contains no usable certificate.
    #[error("there is no certificate in PEM form that can be understood")]
    NoCertificate,
}

/// Says what to do about a status.
fn advice(code: u16) -> &'static str {
    match code {
        403 => ": this user may not see the pictures, or this machine",
        404 | 410 => ": the path in its URL leads nowhere",
        429 | 503 => ": it may have too many viewers",
        500..600 => ": it has trouble of its own",
        _ => "",
    }
}

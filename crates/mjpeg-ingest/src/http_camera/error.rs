//! Why a camera that speaks HTTP gives no pictures.

use std::{error::Error as StdError, io};

use hyper::StatusCode;

/// Why a camera that speaks HTTP gives no pictures. The camera is at fault, or the URL that leads to it. (Feature `http`.)
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// It answers with another status than 200.
    #[error("the camera answers {code} {reason}{}", advice(*code))]
    Status {
        /// The status code.
        code: u16,
        /// What that code means; empty for one that is not registered.
        reason: &'static str,
    },
    /// It wants to know who asks.
    #[error(
        "the camera asks for a user name and password; they are given in its URL: http://USER:PASSWORD@HOST/PATH"
    )]
    LoginNeeded,
    /// It does not take the user name or the password.
    #[error("the camera refuses the user name or the password")]
    LoginRefused,
    /// It asks for a login in a way that is neither Basic nor Digest, or not as these are asked for.
    #[error(
        "the camera asks for a login in a way that is not understood ({0}); known are Basic and Digest"
    )]
    UnknownLogin(String),
    /// A redirect led elsewhere, and there a login is asked for; the one that was given is only for the camera in the URL.
    #[error(
        "the camera redirects to {to}, which asks for a user name and password; if it may have them, write the source with that address"
    )]
    LoginElsewhere {
        /// Where the redirect led.
        to: String,
    },
    /// It redirects more often than is followed.
    #[error("the camera redirects more than {0} times")]
    TooManyRedirects(usize),
    /// It redirects to where it has redirected from.
    #[error("the camera redirects in a circle")]
    RedirectLoop,
    /// It redirects from https to http, where anybody could listen.
    #[error(
        "the camera redirects from https to {to}, which is not encrypted; if that is meant, write the source with that address"
    )]
    RedirectToPlain {
        /// Where it redirects to.
        to: String,
    },
    /// It redirects to something that is not an address of HTTP.
    #[error("the camera redirects to {0}, which is not an http:// or https:// address")]
    BadRedirect(String),
    /// It sends something else than pictures.
    #[error(
        "the camera sends {0}, which is neither a multipart stream nor a JPEG picture; the URL must be that of the stream or picture, not of a page around it"
    )]
    ContentType(String),
    /// It compresses what it sends, although it is asked not to.
    #[error("the camera sends its pictures compressed ({0}), which is not understood")]
    ContentEncoding(String),
    /// The head of its answer does not end.
    #[error("the head of the camera's answer is longer than {limit} bytes")]
    HeadTooLarge {
        /// The most bytes that are read of it.
        limit: usize,
    },
    /// Its answer is not HTTP/1.
    #[error("the camera's answer is not HTTP as it should be: {0}")]
    BadAnswer(#[source] Box<dyn StdError + Send + Sync>),
    /// It closed the connection before its answer was complete, by the length that it had given.
    #[error("the camera closed the connection before its answer was complete")]
    CutShort,
    /// The connection broke.
    #[error("the connection to the camera broke: {0}")]
    Broken(#[source] io::Error),
    /// The certificate does not show that this is the camera.
    #[error("the camera's certificate {problem}; {advice}")]
    Certificate {
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// There is no encrypted connection, for another reason than the certificate.
    #[error("no encrypted connection to the camera: {0}")]
    Tls(#[source] io::Error),
    /// The certificates to trust are of no use.
    #[error("the certificates to trust (ca) cannot be read: {0}")]
    Authorities(String),
    /// It redirects to https, and this build cannot do that.
    #[error("the camera redirects to https, and this program was built without it")]
    TlsNotBuilt,
}

impl HttpError {
    pub(super) fn status(code: StatusCode) -> Self {
        Self::Status {
            code: code.as_u16(),
            reason: code.canonical_reason().unwrap_or_default(),
        }
    }
}

impl HttpError {
    /// What hyper says, in our words. No `From`: hyper is no part of the public API.
    pub(super) fn of(error: hyper::Error) -> Self {
        // A client's hyper has no other way to tell this one (`is_parse_too_large` is the server's).
        if error.is_parse() && error.to_string().contains("too large") {
            return Self::HeadTooLarge {
                limit: super::link::MAX_HEAD_BYTES,
            };
        }
        if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            return Self::CutShort;
        }
        let Some(source) = error.source() else {
            return Self::BadAnswer(Box::new(error));
        };
        match source.downcast_ref::<io::Error>() {
            Some(io) if io.kind() == io::ErrorKind::UnexpectedEof => Self::CutShort,
            // What hyper says of chunks that are none.
            Some(io) if io.kind() == io::ErrorKind::InvalidInput || io.get_ref().is_some() => {
                Self::BadAnswer(io.to_string().into())
            }
            Some(io) => Self::Broken(io.kind().into()),
            None => Self::BadAnswer(Box::new(error)),
        }
    }
}

/// What to do about a status.
fn advice(code: u16) -> &'static str {
    match code {
        403 => ": this user may not see the pictures, or this machine",
        404 | 410 => ": the path in its URL leads nowhere",
        429 | 503 => ": it may have too many viewers",
        500..600 => ": it has trouble of its own",
        _ => "",
    }
}

/// A text from the network, as far as people should see it.
pub(super) fn shown(text: &[u8]) -> String {
    const SHOWN_BYTES: usize = 100;
    let text = &text[..text.len().min(SHOWN_BYTES)];
    crate::redact::redacted(&text.escape_ascii().to_string())
}

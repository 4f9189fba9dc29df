//! CORS: which other origins' scripts may read a stream.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};
use mjpeg_codec::multipart::AllowOrigin;

/// Which pages of other origins may read a stream and its snapshots with scripts, or draw them on a
/// canvas. Showing them in an `<img>` is always possible.
///
/// One rendered part serves all viewers of a policy; a policy that names several origins costs one
/// for each origin that is watching.
///
/// ```
/// use mjpeg_http::{CorsPolicy, StreamConfig};
///
/// # fn main() -> Result<(), mjpeg_http::InvalidOrigin> {
/// let policy = CorsPolicy::listed(["https://page.example", "http://192.0.2.7:8080"])?;
/// let config = StreamConfig::default().with_cors(policy);
/// # let _ = config;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorsPolicy(Policy);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Policy {
    #[default]
    Any,
    Nobody,
    Listed(Arc<[AllowOrigin]>),
}

impl CorsPolicy {
    /// Admits every origin: `Access-Control-Allow-Origin: *`. The default. Browsers then hide the
    /// answer from scripts that send credentials.
    pub const ANY: Self = Self(Policy::Any);

    /// Admits no other origin.
    pub const NOBODY: Self = Self(Policy::Nobody);

    /// Admits these origins, at most 64. Each is `scheme://host` or `scheme://host:port`.
    ///
    /// # Errors
    ///
    /// [`InvalidOrigin::NotAnOrigin`] for a text that cannot be an origin;
    /// [`InvalidOrigin::TooMany`] for more than 64.
    pub fn listed<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidOrigin> {
        let only = |origin: &str| {
            let has_scheme = origin.contains("://") && !origin.ends_with('/');
            AllowOrigin::only(origin)
                .filter(|_| has_scheme && origin != "*")
                .ok_or_else(|| InvalidOrigin::NotAnOrigin {
                    text: origin.escape_default().take(LONGEST_SHOWN).collect(),
                })
        };
        let origins: Vec<_> = origins.into_iter().map(only).collect::<Result<_, _>>()?;
        if origins.len() > MOST_ORIGINS {
            return Err(InvalidOrigin::TooMany { most: MOST_ORIGINS });
        }
        Ok(Self(Policy::Listed(origins.into())))
    }

    /// Which origin the answer to a request with these headers admits.
    pub(crate) fn allowed(&self, headers: &HeaderMap) -> AllowOrigin {
        match &self.0 {
            Policy::Any => AllowOrigin::ANY,
            Policy::Nobody => AllowOrigin::NOBODY,
            Policy::Listed(origins) => {
                let origin = headers.get(header::ORIGIN).and_then(|o| o.to_str().ok());
                let listed = origins.iter().find(|one| one.as_str() == origin);
                listed.cloned().unwrap_or(AllowOrigin::NOBODY)
            }
        }
    }

    /// Whether the answer depends on the request's origin, which caches must be told.
    pub(crate) fn varies(&self) -> bool {
        matches!(self.0, Policy::Listed(_))
    }
}

/// Why a [`CorsPolicy`] could not be made; the caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOrigin {
    /// The text is not `scheme://host` or `scheme://host:port`.
    #[error("{text:?} is not an origin; write scheme://host or scheme://host:port")]
    NotAnOrigin {
        /// The text, at most its first 80 characters.
        text: String,
    },
    /// There are too many origins.
    #[error("there may be at most {most} origins")]
    TooMany {
        /// The most that are accepted.
        most: usize,
    },
}

/// The value of `Access-Control-Allow-Origin`, if there is one.
pub(crate) fn header_value(origin: &AllowOrigin) -> Option<HeaderValue> {
    HeaderValue::try_from(origin.as_str()?).ok()
}

/// The value of `Access-Control-Allow-Headers`: `*`, or the names that the preflight asks for where
/// `Authorization` is one of them, which `*` does not cover (Fetch, 4.8).
///
/// What is no name is left out. A list that is too long is not repeated.
pub(crate) fn asked_headers(request: &HeaderMap) -> HeaderValue {
    let any = HeaderValue::from_static("*");
    let asked = request.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let lists = asked.iter().filter_map(|names| names.to_str().ok());
    let names = lists.flat_map(|names| names.split(',')).map(str::trim);
    let names: Vec<_> = names
        .filter(|name| is_token(name))
        .take(MOST_ASKED)
        .collect();
    let needs_names = names
        .iter()
        .any(|name| name.eq_ignore_ascii_case("authorization"));
    let echoed = names.join(", ");
    if !needs_names || echoed.len() > LONGEST_ASKED_BYTES {
        return any;
    }
    HeaderValue::try_from(echoed).unwrap_or(any)
}

/// Whether a text is a token (RFC 9110, 5.6.2).
fn is_token(text: &str) -> bool {
    let is_tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(is_tchar)
}

/// The longest list of header names that a preflight is answered with.
const LONGEST_ASKED_BYTES: usize = 1024;
const MOST_ASKED: usize = 64;

/// Each may cost a rendered copy of the newest frame.
const MOST_ORIGINS: usize = 64;

const LONGEST_SHOWN: usize = 80;

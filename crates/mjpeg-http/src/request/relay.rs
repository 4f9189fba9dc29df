//! Requests of other relays.

use http::HeaderMap;
use mjpeg_codec::multipart::{RelayId, VIA, Via};

/// The relays that a request names; `None` if it is not a relay's.
pub(crate) fn via(headers: &HeaderMap) -> Option<Via> {
    headers.get(VIA)?.to_str().ok()?.parse().ok()
}

/// Whether frames would come back to this relay, or pass through too many.
pub(crate) fn is_loop(headers: &HeaderMap) -> bool {
    via(headers).is_some_and(|via| via.contains(RelayId::of_this_process()) || via.is_too_long())
}

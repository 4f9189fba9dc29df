//! What a failure is called.

use mjpeg_ingest::Error as IngestError;
#[cfg(feature = "http")]
use mjpeg_ingest::{ConnectError, HttpError};

/// Names a failure.
pub(super) fn code(error: &IngestError) -> &'static str {
    #[cfg(feature = "http")]
    if let Some(error) = http_error(error) {
        match error {
            HttpError::LoginNeeded => return "login_needed",
            HttpError::LoginRefused { .. } | HttpError::LoginForbidden { .. } => {
                return "login_refused";
            }
            HttpError::UnknownLogin(_) => return "unknown_login",
            HttpError::Certificate { .. } => return "certificate",
            HttpError::OldTls { .. } => return "old_tls",
            HttpError::Status { .. } => return "status",
            HttpError::ContentType(_) => return "no_pictures",
            HttpError::ContentEncoding(_) => return "compressed",
            _ => {}
        }
    }
    error.reason().as_str()
}

#[cfg(feature = "http")]
fn http_error(error: &IngestError) -> Option<&HttpError> {
    let error = match error {
        IngestError::Connect(error) => error,
        IngestError::Source(error) => error.downcast_ref::<ConnectError>()?,
        _ => return None,
    };
    match error {
        ConnectError::Http(error) => Some(error),
        _ => None,
    }
}

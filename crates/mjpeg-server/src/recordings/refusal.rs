//! Why something was refused.

use mjpeg_control::{Error, ErrorCode};
use mjpeg_timelapse::Error as StoreError;

pub(super) fn missing() -> Error {
    Error::new(ErrorCode::NotFound, "there is no such clip or time-lapse")
}

/// What the API answers if the store refuses something.
pub(super) fn refusal(error: StoreError) -> Error {
    let code = match &error {
        StoreError::InvalidId | StoreError::NoJob | StoreError::NoFrame { .. } => {
            ErrorCode::NotFound
        }
        StoreError::InvalidSetting { .. } | StoreError::Movie(_) => ErrorCode::InvalidSpec,
        StoreError::Quota { .. } | StoreError::DiskFull(_) | StoreError::TooManyJobs => {
            ErrorCode::StorageFull
        }
        StoreError::Ended
        | StoreError::JobFull { .. }
        | StoreError::FrameLength { .. }
        | StoreError::BatchLength { .. } => ErrorCode::NotPossible,
        StoreError::InUse { .. } => ErrorCode::NotPersistent,
        _ => ErrorCode::Internal,
    };
    Error::new(code, text(&error))
}

/// The error with what caused it.
pub(super) fn text(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

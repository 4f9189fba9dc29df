//! What could not be done, as the API says it.

use mjpeg_control::{Error, ErrorCode, Violation};
use mjpeg_manager::Error as ManagerError;

use crate::{
    config::report::{Level, Listed, Report},
    relay::StartError,
    reload::ReloadError,
};

/// Why a stream was not changed.
pub(super) fn failed_edit(error: &ReloadError) -> Error {
    match error {
        ReloadError::Invalid(report) => {
            let listed = report.listed(Level::Error);
            let code = report.codes().find_map(ErrorCode::from_word);
            let code = code.unwrap_or(ErrorCode::InvalidSpec);
            let detail = match &*listed {
                [only] => only.message().to_owned(),
                _ => "the stream cannot be set like this".into(),
            };
            // The text that was read is one that nobody has written.
            let violation = |listed: &Listed| {
                let violation = Violation::new(listed.message());
                match listed.key() {
                    Some(key) => violation.with_key(key),
                    None => violation,
                }
            };
            let violations = listed.iter().map(violation);
            violations.fold(Error::new(code, detail), Error::with_violation)
        }
        ReloadError::Start(error) => not_started(error),
    }
}

/// Why the configuration was not reloaded.
pub(super) fn failed_reload(error: &ReloadError) -> Error {
    match error {
        ReloadError::Invalid(report) => invalid(report),
        ReloadError::Start(error) => not_started(error),
    }
}

fn invalid(report: &Report) -> Error {
    let violation = |listed: &Listed| {
        let violation = Violation::new(listed.message());
        let violation = match listed.place() {
            Some((file, line, column)) => violation.with_place(file, line as u64, column as u64),
            None => violation,
        };
        match listed.key() {
            Some(key) => violation.with_key(key),
            None => violation,
        }
    };
    let detail = "the configuration has errors; nothing has changed";
    let listed = report.listed(Level::Error);
    let violations = listed.iter().map(violation);
    violations.fold(
        Error::new(ErrorCode::InvalidSpec, detail),
        Error::with_violation,
    )
}

/// Why a stream whose camera must be there was not started.
pub(super) fn failed_start(error: &ManagerError) -> Error {
    let code = ErrorCode::from_word(error.code());
    Error::new(
        code.unwrap_or(ErrorCode::Internal),
        error.chain().to_string(),
    )
}

fn not_started(error: &StartError) -> Error {
    let of_stream = error.errors.first().map(|(_, error)| error.code());
    let of_gateway = error.gateways.first().map(|error| error.code());
    let code = of_stream.or(of_gateway).and_then(ErrorCode::from_word);
    let lines: Vec<String> = error.lines().collect();
    Error::new(code.unwrap_or(ErrorCode::Internal), lines.join("; "))
}

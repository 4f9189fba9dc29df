//! All cases.

mod bytes;
mod camera;
mod http;
mod link;
mod process;
mod requests;
mod steps;
mod viewer;

use crate::case::Case;

/// All cases, in the order of the table.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    [
        camera::CASES,
        bytes::CASES,
        link::CASES,
        http::CASES,
        viewer::CASES,
        requests::CASES,
        process::CASES,
    ]
    .into_iter()
    .flatten()
}

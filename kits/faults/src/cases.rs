//! All cases.

mod bytes;
mod camera;
mod control;
mod http;
mod link;
mod log;
mod odd;
mod process;
mod programs;
mod push;
mod rates;
mod requests;
mod rtsp;
mod secrets;
mod sizes;
mod snapshots;
mod steps;
mod uploads;
mod viewer;
mod wall;
mod webcam;
mod work;

use crate::case::Case;

/// All cases, in the order of the table.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    [
        camera::CASES,
        odd::CASES,
        bytes::CASES,
        rates::CASES,
        sizes::CASES,
        work::CASES,
        link::CASES,
        http::CASES,
        rtsp::CASES,
        webcam::CASES,
        programs::CASES,
        push::CASES,
        secrets::CASES,
        viewer::CASES,
        wall::CASES,
        uploads::CASES,
        snapshots::CASES,
        requests::CASES,
        process::CASES,
        log::CASES,
        control::CASES,
    ]
    .into_iter()
    .flatten()
}

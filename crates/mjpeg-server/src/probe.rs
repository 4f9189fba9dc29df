//! `mjpeg-server probe`: says what a camera is, what is wrong, and how to relay it.

mod clients;
mod configuration;
mod look;
mod progress;
pub(crate) mod text;

use std::{
    io::{self, Read, Write},
    process::ExitCode,
};

use clap::error::ErrorKind;
use mjpeg_control::probe_json;
use mjpeg_manager::{ProbeVerdict, mjpeg_ingest::Source};
use serde_json::Value;
use tokio::runtime::Builder;

use self::{configuration::configuration, look::look, progress::ProbeProgress};
use crate::{
    cli::{Cli, probe::Probe},
    secrets::{self, expanded, masked, masked_json},
};

/// Looks at a camera, and says what was found. The exit code is 1 if it cannot be relayed. Exits
/// with code 2 if the URL is not understood.
pub(crate) fn run(args: &Probe) -> ExitCode {
    let written = match args.url.as_str() {
        "-" => from_stdin().unwrap_or_else(|error| fail(&format!("cannot read the URL: {error}"))),
        url => url.to_owned(),
    };
    let url = expanded(&written).unwrap_or_else(|error| fail(&format!("{error:#}")));
    let source: Source = url
        .parse()
        .unwrap_or_else(|error| fail(&format!("{error}")));
    if source.is_passive() {
        fail(
            "a camera connects to such a source by itself: add the stream to a relay, and use \
             \"mjpeg-server ctl probe NAME\"",
        );
    }
    remember_password(&url);
    let progress = ProbeProgress::new(&source);
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| fail(&format!("cannot start: {error}")));
    let report = runtime.block_on(look(&source, &url, &progress));
    // Does not wait for name look-ups, which may hang in the system's resolver.
    runtime.shutdown_background();
    progress.clear();
    let mut json = probe_json(&report);
    if report.verdict != ProbeVerdict::NotRelayable {
        json["configuration"] = configuration(&source, &written, &report).into();
    }
    let printed = match args.json {
        true => masked_json(json.to_string().as_bytes())
            .and_then(|text| serde_json::from_str(&text).ok())
            .map_or_else(
                || format!("{json:#}\n"),
                |json: Value| format!("{json:#}\n"),
            ),
        false => masked(text::rendered(&json)),
    };
    // The reader may have seen enough and closed the pipe.
    let _ = io::stdout().lock().write_all(printed.as_bytes());
    match report.verdict {
        ProbeVerdict::NotRelayable => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// Says what is wrong with the command line, which may hold a password that is not repeated.
fn fail(message: &str) -> ! {
    Cli::fail(ErrorKind::ValueValidation, masked(message.to_owned()))
}

fn from_stdin() -> io::Result<String> {
    let mut text = String::new();
    io::stdin()
        .lock()
        .take(MOST_URL_BYTES)
        .read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Lets nothing show the password of a URL, such as a camera that sends it back.
fn remember_password(url: &str) {
    let login = url.split_once("://").map(|(_, rest)| rest);
    let login = login.and_then(|rest| rest.split(['/', '?', '#']).next()?.rsplit_once('@'));
    let Some((_, password)) = login.and_then(|(login, _)| login.split_once(':')) else {
        return;
    };
    secrets::remember(password);
    let decoded = percent_encoding::percent_decode_str(password);
    secrets::remember(&decoded.decode_utf8_lossy());
}

/// The longest URL, in bytes.
const MOST_URL_BYTES: u64 = 64 << 10;

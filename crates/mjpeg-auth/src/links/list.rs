//! The key and the links on disk.

use std::{
    io::ErrorKind,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    digest::random,
    error::LinkError,
    links::{
        files::{Existing, Folder, io_error},
        link::{Link, LinkSpec},
    },
};

/// Reads the key, or makes one if there is none.
pub(crate) fn read_or_make_key(folder: &Folder) -> Result<[u8; 32], LinkError> {
    if folder.read(KEY, KEY_BYTES)?.is_none() {
        match folder.write(KEY, &random::<32>(), Existing::Keep) {
            // Another process was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            written => written.map_err(|error| io_error(KEY, error))?,
        }
    }
    let key = folder.read(KEY, KEY_BYTES)?.unwrap_or_default();
    key.try_into().map_err(|_| LinkError::Untrusted {
        file: KEY,
        problem: "it is no key of 32 bytes",
    })
}

/// Reads the links: one in each line, in the form of a query.
pub(crate) fn read(folder: &Folder) -> Result<Vec<Link>, LinkError> {
    let Some(bytes) = folder.read(LIST, MOST_BYTES)? else {
        return Ok(Vec::new());
    };
    let links = String::from_utf8(bytes).ok().and_then(|text| {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(parse).collect::<Option<Vec<_>>>()
    });
    links.ok_or(LinkError::Untrusted {
        file: LIST,
        problem: "it has a line that is no link",
    })
}

pub(crate) fn write(folder: &Folder, links: &[Link]) -> Result<(), LinkError> {
    let mut text = String::from("# Signed links that are valid. Written by the program.\n");
    for link in links {
        let mut line = form_urlencoded::Serializer::new(String::new());
        line.append_pair("link", link.id());
        line.append_pair("stream", link.stream());
        line.append_pair("action", link.action().name());
        line.append_pair("expires", &link.expires_unix().to_string());
        if let Some(fps) = link.max_fps() {
            line.append_pair("fps", &fps.to_string());
        }
        text.push_str(&line.finish());
        text.push('\n');
    }
    let written = folder.write(LIST, text.as_bytes(), Existing::Replace);
    written.map_err(|error| io_error(LIST, error))
}

fn parse(line: &str) -> Option<Link> {
    let [mut id, mut stream, mut action, mut expires, mut fps] = [const { None }; 5];
    for (name, value) in form_urlencoded::parse(line.as_bytes()) {
        let place = match &*name {
            "link" => &mut id,
            "stream" => &mut stream,
            "action" => &mut action,
            "expires" => &mut expires,
            "fps" => &mut fps,
            _ => return None,
        };
        *place = Some(value.into_owned());
    }
    let expires: SystemTime =
        UNIX_EPOCH.checked_add(Duration::from_secs(expires?.parse().ok()?))?;
    let mut spec = LinkSpec::new(stream?, action?.parse().ok()?, expires);
    if let Some(fps) = fps {
        spec = spec.with_max_fps(fps.parse().ok()?);
    }
    Link::kept(id?, spec).ok()
}

const KEY: &str = "link.key";
const LIST: &str = "links";
const KEY_BYTES: u64 = 32;

/// A thousand links, each with a long name that has to be written in percent.
const MOST_BYTES: u64 = 4 << 20;

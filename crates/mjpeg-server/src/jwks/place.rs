//! Where keys are.

use std::{fs::File, io::Read, path::PathBuf, time::Duration};

use mjpeg_auth::JwtKeys;

use crate::{
    background::in_background,
    outbound::{get::get, url::OutboundUrl},
};

/// Whose keys, and where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeySource {
    pub(crate) issuer: String,
    pub(crate) place: KeyPlace,
}

/// Where keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyPlace {
    Url(OutboundUrl),
    File(PathBuf),
}

impl KeyPlace {
    /// Reads the keys.
    ///
    /// # Errors
    ///
    /// What is wrong, for the log.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe; a file is read to its end in any case.
    pub(crate) async fn read(&self) -> Result<JwtKeys, String> {
        let json = match self {
            Self::Url(url) => {
                let got = get(url, MOST_BYTES, ANSWER_TIME).await;
                got.map_err(|error| format!("{url}: {}", error.chain()))?
            }
            Self::File(path) => {
                let file = path.clone();
                let read = in_background(move || {
                    let mut bytes = Vec::new();
                    // One more than may be, so that the keys say that they are too large.
                    let mut file = File::open(file)?.take(MOST_BYTES as u64 + 1);
                    file.read_to_end(&mut bytes)?;
                    std::io::Result::Ok(bytes)
                });
                let read = read.await;
                read.map_err(|error| format!("{}: {error}", path.display()))?
                    .into()
            }
        };
        JwtKeys::parse(&json).map_err(|error| error.to_string())
    }
}

const MOST_BYTES: usize = 64 << 10;
const ANSWER_TIME: Duration = Duration::from_secs(10);

//! Which certificates are trusted.

use std::path::PathBuf;

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::source::url::path_text;

/// Which certificates are trusted.
#[derive(Clone, Default, PartialEq, Eq)]
pub(in crate::source) enum Trust {
    /// Those of the authorities that this machine trusts.
    #[default]
    System,
    /// These, and no others.
    Pem(Bytes),
    /// Those in this file, and no others.
    File(PathBuf),
    /// Any.
    Anybody,
}

impl Trust {
    /// Reads an option of a URL. `None` if it is another one, or cannot have its value.
    pub(in crate::source) fn of_option(option: &str) -> Option<Self> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        if name == "ca-pem" && !value.is_empty() {
            let pem: Vec<u8> = percent_decode_str(value).collect();
            return Some(Self::Pem(pem.into()));
        }
        let value = percent_decode_str(value).decode_utf8().ok()?;
        match (name, &*value) {
            ("insecure", "") => Some(Self::Anybody),
            ("ca", path) if path.starts_with('/') || cfg!(windows) => Some(Self::File(path.into())),
            _ => None,
        }
    }

    /// Writes it as an option of a URL; `None` if it is the default.
    pub(in crate::source) fn option(&self) -> Option<String> {
        Some(match self {
            Self::System => return None,
            Self::Anybody => "insecure".into(),
            // The delimiter of options is encoded, too.
            Self::File(path) => format!("ca={}", path_text(path).replace('&', "%26")),
            Self::Pem(pem) => format!("ca-pem={}", percent_encode(pem, NON_ALPHANUMERIC)),
        })
    }

    /// Writes it for people.
    pub(in crate::source) fn shown(&self) -> Option<String> {
        match self {
            Self::File(path) => Some(format!("ca={}", path.display())),
            Self::Pem(_) => Some("ca-pem=***".into()),
            Self::System | Self::Anybody => self.option(),
        }
    }
}

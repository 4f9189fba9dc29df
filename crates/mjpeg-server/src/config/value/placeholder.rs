//! What viewers see where there is no picture.

use std::{convert::Infallible, fmt, path::PathBuf, str::FromStr};

/// `drawn`, `none` or the path of a JPEG file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum PlaceholderChoice {
    None,
    #[default]
    Drawn,
    File(PathBuf),
}

impl FromStr for PlaceholderChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "none" => Self::None,
            "drawn" => Self::Drawn,
            path => Self::File(path.into()),
        })
    }
}

impl fmt::Display for PlaceholderChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Drawn => f.write_str("drawn"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

//! Differences as lines, for the log and for people.

use std::fmt;

use mjpeg_manager::mjpeg_ingest::escaped;
use serde_json::Value;

use super::{ChangeKind, Difference, ItemChange, KeyChange, Subject};
use crate::config::{schema::key::as_toml, settings::ListenAt};

impl ItemChange {
    pub(super) fn lines(&self) -> Vec<String> {
        let sign = match self.change {
            ChangeKind::Added => "+",
            ChangeKind::Removed => "-",
            ChangeKind::Changed => "~",
        };
        let what = match self.what {
            Subject::Process => "",
            Subject::Listen => " listen",
            Subject::Defaults => " defaults",
            Subject::Stream => " stream",
            Subject::Auth => " auth",
            Subject::User => " user",
            Subject::Control => " control",
            Subject::Webhook => " webhook",
            Subject::Cluster => " cluster",
            Subject::Order => " the order of the streams",
        };
        let mut line = format!("{sign}{what}");
        if let Some(name) = &self.name {
            line += &format!(" {name}");
        }
        if let Some(at) = &self.at {
            line += &format!(": {at}");
        }
        let colon = if self.what == Subject::Process {
            ""
        } else {
            ":"
        };
        let lines = match self.keys.is_empty() {
            true => vec![line],
            false => {
                let keys = self.keys.iter();
                keys.map(|key| format!("{line}{colon} {key}")).collect()
            }
        };
        // A path may hold anything.
        let plain = |line: String| escaped(&line).into_owned();
        lines.into_iter().map(plain).collect()
    }
}

impl fmt::Display for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Value| match value {
            Value::Null => "not set".to_owned(),
            value => as_toml(value),
        };
        let (key, new) = (&self.key, shown(&self.new));
        match (self.is_within, &*self.key) {
            (true, "placeholder") => write!(f, "{key} {new} is another picture")?,
            (true, _) => write!(f, "{key} {new}: *** changed")?,
            (false, _) => write!(f, "{key} {} -> {new}", shown(&self.old))?,
        }
        match &*self.reload {
            "restart" => f.write_str(" (restart)"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Display for ListenAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(addr) => addr.fmt(f),
            Self::Unix { path, .. } => write!(f, "unix:{}", path.display()),
            Self::Fd(name) => write!(f, "fd:{name}"),
        }
    }
}

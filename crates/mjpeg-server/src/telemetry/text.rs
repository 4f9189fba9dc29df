//! Lines for people.

use std::fmt;

use mjpeg_manager::mjpeg_ingest::escaped;
use serde_json::Value;
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FormatFields, format::Writer},
};

use super::fields::LogFields;

/// Writes a message and the fields after it as `NAME=VALUE`. Whatever a camera, a program or a
/// viewer has put into a value: it is one line, and steers no terminal.
pub(super) struct TextFields;

impl<'writer> FormatFields<'writer> for TextFields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        for (at, (name, value)) in LogFields::of(&fields).0.into_iter().enumerate() {
            if at > 0 {
                writer.write_char(' ')?;
            }
            if name != "message" {
                write!(writer, "{name}=")?;
            }
            match value {
                Value::String(text) => writer.write_str(&escaped(&text))?,
                value => write!(writer, "{value}")?,
            }
        }
        Ok(())
    }
}

//! Lines for programs.

use std::{borrow::Cow, fmt};

use mjpeg_manager::mjpeg_ingest::escaped;
use serde_json::{Deserializer, Map, Value};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::{LookupSpan, Scope},
};

use super::fields::LogFields;
use crate::secrets::masked;

/// Writes each event as a JSON object: [`HEAD`], then the fields of the spans around it and its
/// own, by name. An inner field beats an outer one of the same name.
pub(super) struct JsonEvents;

/// Writes the fields of a span as a JSON object. What is recorded later is another one after it.
pub(super) struct JsonFields;

impl<S, N> FormatEvent<S, N> for JsonEvents
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Map::new();
        let spans = context.event_scope().map(Scope::from_root);
        for span in spans.into_iter().flatten() {
            let extensions = span.extensions();
            let Some(recorded) = extensions.get::<FormattedFields<N>>() else {
                continue;
            };
            let objects = Deserializer::from_str(recorded).into_iter::<Map<String, Value>>();
            fields.extend(objects.map_while(Result::ok).flatten());
        }
        let own = LogFields::of(event).0.into_iter();
        fields.extend(own.map(|(name, value)| (name.into(), value)));
        let metadata = event.metadata();
        let message = fields.remove("message").unwrap_or_else(|| "".into());
        writer.write_str(&object(
            [metadata.level().as_str(), metadata.target()],
            message,
            fields,
        ))?;
        writer.write_char('\n')
    }
}

impl<'writer> FormatFields<'writer> for JsonFields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let fields = LogFields::of(&fields).0.into_iter();
        let fields: Map<_, _> = fields.map(|(name, value)| (name.into(), value)).collect();
        write!(writer, "{}", Value::Object(fields))
    }
}

/// Writes a line that is no event: it is there whatever the filter is.
pub(crate) fn line(
    level: &str,
    target: &str,
    message: &str,
    (name, value): (&str, Value),
) -> String {
    let value = match value {
        Value::String(text) => masked(text).into(),
        value => value,
    };
    let fields = Map::from_iter([(name.to_owned(), value)]);
    object([level, target], message.into(), fields)
}

fn object([level, target]: [&str; 2], message: Value, fields: Map<String, Value>) -> String {
    let mut time = String::new();
    // Writing to a `String` does not fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut time));
    let mut line = String::from("{");
    let head = [time.into(), level.into(), target.into(), message];
    let mut member = |name: &str, value: Value| {
        if line.len() > 1 {
            line.push(',');
        }
        line += &format!("{}:{value}", Value::from(name));
    };
    for (name, value) in HEAD.into_iter().zip(head) {
        member(name, value);
    }
    for (name, value) in fields {
        match HEAD.contains(&&*name) {
            // Another crate's field. No name occurs twice.
            true => member(&format!("{name}_"), value),
            false => member(&name, value),
        }
    }
    line.push('}');
    plain(&line)
}

/// Escapes what JSON allows in a text but steers a terminal or hides there.
fn plain(line: &str) -> String {
    let is_plain = |text: &str| matches!(escaped(text), Cow::Borrowed(_));
    if is_plain(line) {
        return line.into();
    }
    let mut out = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        match is_plain(c.encode_utf8(&mut [0; 4])) {
            true => out.push(c),
            // JSON escapes UTF-16.
            false => out.extend(
                c.encode_utf16(&mut [0; 2])
                    .iter()
                    .map(|unit| format!("\\u{unit:04x}")),
            ),
        }
    }
    out
}

/// What each line has, in this order.
const HEAD: [&str; 4] = ["time", "level", "target", "message"];

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing::{field::Empty, info, info_span, subscriber::with_default};
    use tracing_subscriber::{fmt::layer, layer::SubscriberExt, registry};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged, without the time.
    fn logged(log: impl FnOnce()) -> String {
        let written = Written::default();
        let to = written.clone();
        let lines = layer()
            .with_writer(move || to.clone())
            .fmt_fields(JsonFields)
            .event_format(JsonEvents);
        with_default(registry().with(lines), log);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        let (time, rest) = text.split_once(",\"level\":").unwrap();
        assert!(time.starts_with("{\"time\":\"2"), "{time}");
        rest.trim_end().to_owned()
    }

    const HEAD_OF_TEST: &str =
        r#""INFO","target":"mjpeg_server::telemetry::json::tests","message""#;

    #[test]
    fn values_keep_their_types() {
        let error = io::Error::other(io::Error::other("cause"));
        let error: &(dyn std::error::Error + 'static) = &error;
        let line = logged(|| {
            info!(
                n = 1,
                below = -1,
                half = 0.5,
                yes = true,
                none = None::<u64>,
                text = "a \"b\"",
                debug = ?Some(1),
                error,
                "what"
            );
        });
        let fields = concat!(
            r#":"what","below":-1,"debug":"Some(1)","error":"cause","half":0.5,"n":1,"#,
            r#""text":"a \"b\"","yes":true}"#
        );
        assert_eq!(line, format!("{HEAD_OF_TEST}{fields}"));
    }

    #[test]
    fn fields_of_spans_are_included_and_no_name_occurs_twice() {
        let line = logged(|| {
            let outer = info_span!("outer", stream = "a", viewer = 1, later = Empty);
            let _outer = outer.enter();
            outer.record("later", "x");
            let inner = info_span!("inner", viewer = 2, peer = "p");
            let _inner = inner.enter();
            info!(peer = "q", time = 3, level = "high", "what");
        });
        let fields = concat!(
            r#":"what","later":"x","level_":"high","peer":"q","stream":"a","time_":3,"#,
            r#""viewer":2}"#
        );
        assert_eq!(line, format!("{HEAD_OF_TEST}{fields}"));
    }

    #[test]
    fn message_is_a_text_also_where_there_is_none() {
        assert_eq!(
            logged(|| info!(n = 1)),
            format!(r#"{HEAD_OF_TEST}:"","n":1}}"#)
        );
    }

    #[test]
    fn what_steers_a_terminal_is_escaped_and_means_the_same() {
        let said = "\u{1b}[2J\u{9b}\u{202e}\u{7f}\u{e0001}\n\"\\é";
        let line = logged(|| info!(said, "what"));
        let fields = r#":"what","said":"\u001b[2J\u009b\u202e\u007f\udb40\udc01\n\"\\é"}"#;
        assert_eq!(line, format!("{HEAD_OF_TEST}{fields}"));
        let object: Value = serde_json::from_str(&format!("{{\"level\":{line}")).unwrap();
        assert_eq!(object["said"], said);
    }
}

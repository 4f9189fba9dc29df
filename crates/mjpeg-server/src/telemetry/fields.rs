//! The fields of an event or a span, without secrets.

use std::{error::Error, fmt, iter};

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;

use crate::secrets::masked;

/// The fields in the order of the event, the message first if there is one. Secrets in them are
/// masked: here, because quoting and escaping would hide them.
#[derive(Default)]
pub(super) struct LogFields(pub(super) Vec<(&'static str, Value)>);

impl LogFields {
    pub(super) fn of(recorded: &impl RecordFields) -> Self {
        let mut fields = Self::default();
        recorded.record(&mut fields);
        fields
    }

    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.push((field.name(), value.into()));
    }
}

impl Visit for LogFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, masked(value.into()));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let causes = iter::successors(value.source(), |cause| (*cause).source());
        text.extend(causes.map(|cause| format!(": {cause}")));
        self.add(field, masked(text));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, masked(format!("{value:?}")));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }
}

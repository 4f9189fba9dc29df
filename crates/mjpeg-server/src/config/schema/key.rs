//! One key.

use std::fmt;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{
    Deserialize, Deserializer as AnyDeserializer, Serialize,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value};
use toml::de::{DeTable, Deserializer, Error};

/// A key, and what its declaration says of it.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) schema: Map<String, Value>,
    accepts: fn(toml::Spanned<DeTable<'_>>) -> Result<(), Error>,
}

impl Key {
    /// Lists the keys that a type declares, in their order.
    ///
    /// # Panics
    ///
    /// If the type is no struct of plain values.
    pub(crate) fn of<T: Default + Serialize + DeserializeOwned + JsonSchema>() -> Vec<Self> {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
        let mut schema = settings.into_generator().into_root_schema_for::<T>();
        // The properties of a schema are sorted by name.
        let declared = serde_json::to_string(&T::default()).expect("plain values");
        let Names(names) = serde_json::from_str(&declared).expect("a struct");
        let mut schema_of = |name: &str| {
            let properties = schema.get_mut("properties")?.as_object_mut()?;
            match properties.remove(name)? {
                Value::Object(schema) => Some(schema),
                _ => None,
            }
        };
        let keys = names.into_iter().filter_map(|name| {
            Some(Self {
                schema: schema_of(&name)?,
                name,
                accepts: |table| T::deserialize(Deserializer::from(table)).map(|_| ()),
            })
        });
        keys.collect()
    }

    /// Checks a table that holds this key alone.
    ///
    /// # Errors
    ///
    /// When the value is not of the key's type. The error may quote the value.
    pub(crate) fn accepts(&self, table: toml::Spanned<DeTable<'_>>) -> Result<(), Error> {
        (self.accepts)(table)
    }

    /// What the key means, as one paragraph.
    pub(crate) fn doc(&self) -> String {
        let doc = self.text("description").unwrap_or_default();
        doc.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What kind of value the key has, in Markdown.
    pub(crate) fn kind(&self) -> String {
        let items = self.schema.get("items").and_then(Value::as_object);
        match items {
            Some(items) => format!("list of {}s", kind_of(items).unwrap_or("text")),
            None if self.members().is_some() => "table".into(),
            None => kind_of(&self.schema).unwrap_or("text").into(),
        }
    }

    /// The built-in default as TOML.
    pub(crate) fn default(&self) -> Option<String> {
        let default = self.schema.get("default")?;
        (!default.is_null()).then(|| as_toml(default))
    }

    /// What holds where the key has no value.
    pub(crate) fn default_text(&self) -> Option<&str> {
        self.text("x-default")
    }

    /// A value to show for a key without a default, as TOML.
    pub(crate) fn example(&self) -> Option<String> {
        self.schema.get("x-example").map(as_toml)
    }

    /// What a reload does.
    pub(crate) fn reload(&self) -> &str {
        self.text("x-reload").unwrap_or_default()
    }

    /// Whether the API may set the key.
    pub(crate) fn api(&self) -> bool {
        self.flag("x-api")
    }

    /// Whether there must be a value.
    pub(crate) fn is_required(&self) -> bool {
        self.flag("x-required")
    }

    /// Whether values may hold secrets.
    pub(crate) fn is_secret(&self) -> bool {
        let items = self.schema.get("items").and_then(Value::as_object);
        let is_secret = |schema: &Map<String, Value>| schema.contains_key("x-secret");
        is_secret(&self.schema) || items.is_some_and(is_secret)
    }

    /// The keys of a table within, with their schemas.
    pub(crate) fn members(&self) -> Option<&Map<String, Value>> {
        let own = self.schema.get("properties");
        // An optional table is "any of the table and null".
        let any = self.schema.get("anyOf").and_then(Value::as_array);
        let within = any
            .into_iter()
            .flatten()
            .find_map(|one| one.get("properties"));
        own.or(within).and_then(Value::as_object)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.schema.get(name).and_then(Value::as_str)
    }

    fn flag(&self, name: &str) -> bool {
        self.schema.get(name).and_then(Value::as_bool) == Some(true)
    }
}

/// The names of a struct's fields, in their order.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: AnyDeserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyFields;
        impl<'de> Visitor<'de> for KeyFields {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a struct")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = fields.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(KeyFields)
    }
}

fn kind_of(schema: &Map<String, Value>) -> Option<&str> {
    let named = schema.get("x-type").and_then(Value::as_str);
    named.or_else(|| match schema.get("type")?.as_str()? {
        "string" => Some("text"),
        "boolean" => Some("`true` or `false`"),
        "integer" => Some("whole number"),
        other => Some(other),
    })
}

/// Writes a value of the declarations, which are no tables, as TOML.
pub(crate) fn as_toml(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(as_toml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::String(text) => toml::Value::from(&**text).to_string(),
        other => other.to_string(),
    }
}

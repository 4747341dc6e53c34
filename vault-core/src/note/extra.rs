//! Fields that this version does not know: kept as they came, in their order, number formats included.

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A JSON value kept as text, without line breaks, so that it fits a JSON line.
#[derive(Debug, Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Keeps a value.
    ///
    /// # Errors
    /// Whatever keeps the value from being JSON; never for a `Value`.
    pub fn from_value(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// Shows the JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Reads the text as a value; null if it nests deeper than a reader allows.
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if !raw.get().contains(['\n', '\r']) {
            return Ok(Self(raw));
        }
        let one_line = without_line_breaks(raw.get());
        RawValue::from_string(one_line)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// Drops line breaks, which JSON allows between values only, so that strings are untouched.
fn without_line_breaks(json: &str) -> String {
    json.chars().filter(|c| !matches!(c, '\n' | '\r')).collect()
}

/// The unknown fields of one object, in their order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extra(Vec<(String, RawJson)>);

impl Extra {
    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Finds a field by its name.
    pub fn get(&self, name: &str) -> Option<&RawJson> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// Adds a field at the end, false if the name is there already.
    pub fn push(&mut self, name: &str, value: RawJson) -> bool {
        let fresh = self.get(name).is_none();
        if fresh {
            self.0.push((name.to_owned(), value));
        }
        fresh
    }

    /// Puts a field in the place of the one of its name, else at the end.
    pub fn put(&mut self, name: &str, value: RawJson) {
        match self.0.iter_mut().find(|(n, _)| n == name) {
            Some((_, kept)) => *kept = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Takes a field out by its name.
    pub fn take(&mut self, name: &str) -> Option<RawJson> {
        let at = self.0.iter().position(|(n, _)| n == name)?;
        Some(self.0.remove(at).1)
    }

    /// Goes through the fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v))
    }
}

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Extra {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Extra;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Extra, A::Error> {
                let mut extra = Extra::default();
                while let Some((name, value)) = map.next_entry::<String, RawJson>()? {
                    if !extra.push(&name, value) {
                        return Err(serde::de::Error::custom(format!("`{name}` is there twice")));
                    }
                }
                Ok(extra)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

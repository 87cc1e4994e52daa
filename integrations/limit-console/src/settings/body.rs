//! The body of a request for a change: JSON, with errors in words of our own.

use crate::error::ApiError;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use std::fmt;

/// The most characters of a wrong value that an error repeats.
const REPEATED: usize = 40;

/// The fields of a JSON object, in its order. The values are texts, so that an error repeats what was sent.
pub(super) struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    pub(super) fn from_json(json: &[u8]) -> Result<Self, ApiError> {
        serde_json::from_slice(json).map_err(|error| match error.classify() {
            Category::Data => {
                refused("the body is JSON, but no object: expected `{ \"name\": … }`")
            }
            Category::Syntax | Category::Eof | Category::Io => {
                let (line, column) = (error.line(), error.column());
                let text = format!(
                    "the body is not JSON: see line {line}, column {column}. \
                     Numbers there have decimal digits only, such as 12 or 0.05"
                );
                ApiError::new(StatusCode::BAD_REQUEST, text)
            }
        })
    }

    /// Checks that there are no other fields than these, and none twice.
    pub(super) fn check_names(&self, known: &[&str]) -> Result<(), ApiError> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
                let (name, known) = (shortened(name), known.join(", "));
                return Err(refused(format!("unknown field `{name}`, expected one of {known}")));
            }
            if self.0[..index].iter().any(|(other, _)| other == name) {
                return Err(refused(format!("`{name}` is there twice")));
            }
        }
        Ok(())
    }

    /// Returns the value of a field. `null` stands for no value.
    pub(super) fn get(&self, name: &str) -> Option<&RawValue> {
        let field = self.0.iter().find(|(field, _)| field == name);
        field.map(|(_, json)| &**json).filter(|json| json.get() != "null")
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// Returns the body, if it came whole and is said to be JSON.
pub(super) fn whole(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Bytes, ApiError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json"))
    {
        let text = "the body must be JSON, with the header `Content-Type: application/json`";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    body.map_err(|rejection| {
        let text = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "the body is too large",
            _ => "the body did not come whole",
        };
        ApiError::new(rejection.status(), text)
    })
}

/// A field has another value than it can have.
pub(super) fn unexpected(field: &str, json: &RawValue, expected: &str) -> ApiError {
    refused(format!("`{field}`: `{}`, expected {expected}", repeated(json)))
}

/// Repeats a wrong value, or the beginning of a long one.
pub(super) fn repeated(json: &RawValue) -> String {
    shortened(json.get())
}

pub(super) fn refused(text: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, text)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(REPEATED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

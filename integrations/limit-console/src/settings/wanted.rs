//! The changes that a request wants.

use super::body::{self, Fields};
use super::value;
use crate::error::ApiError;
use axum::extract::ConnectInfo;
use axum::http::Extensions;
use limit_runtime::Limiter;
use limit_runtime::settings::{SettingKind, SettingValues};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// The changes that a request wants. In JSON it is an object with a field for each [`SettingKind`], beside the
/// fields here.
pub(crate) struct Wanted {
    pub(super) name: String,
    by: Option<String>,
    /// The values that are to be set while running.
    pub(super) values: SettingValues,
    /// The limits of single keys, by their texts. `None` takes one back.
    pub(super) key_limits: BTreeMap<String, Option<usize>>,
    /// The settings whose value that was set while running is to be taken back.
    pub(super) unset: Vec<SettingKind>,
    pub(super) paused: Option<bool>,
    pub(super) reset: bool,
}

impl Wanted {
    /// Reads the body of a request. All errors are in the API's own words.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, ApiError> {
        let fields = Fields::from_json(json)?;
        fields.check_names(&Field::all().map(Field::name).collect::<Vec<_>>())?;
        let name = fields.get(Field::Name.name()).map(|name| text("name", name)).transpose()?;
        let mut wanted = Self {
            name: name.ok_or_else(|| body::refused("`name` is missing: it says which limiter"))?,
            by: None,
            values: SettingValues::default(),
            key_limits: BTreeMap::new(),
            unset: Vec::new(),
            paused: None,
            reset: false,
        };
        for (field, json) in
            Field::all().filter_map(|field| Some((field, fields.get(field.name())?)))
        {
            match field {
                Field::Name => {}
                Field::By => wanted.by = Some(text(field.name(), json)?),
                Field::Setting(kind) => {
                    let set = wanted.values.set(kind, value::read(kind, json)?);
                    set.map_err(|error| body::refused(error.to_string()))?;
                }
                Field::KeyLimits => wanted.key_limits = key_limits(field.name(), json)?,
                Field::Unset => wanted.unset = settings(json)?,
                Field::Paused => wanted.paused = Some(switch(field.name(), json)?),
                Field::Reset => wanted.reset = switch(field.name(), json)?,
            }
        }
        wanted.check()?;
        Ok(wanted)
    }

    /// Checks that no two fields contradict each other, and that there is something to change.
    fn check(&self) -> Result<(), ApiError> {
        let Self { values, key_limits, unset, paused, reset, .. } = self;
        let is_nothing = values.is_empty() && key_limits.is_empty() && unset.is_empty();
        if *reset && (!is_nothing || paused.is_some()) {
            return Err(body::refused("`reset` takes all back, and goes with no other setting"));
        }
        let is_meant = |kind| values.get(kind).is_some() || unset.contains(&kind);
        if is_meant(SettingKind::Limit) && paused.is_some() {
            return Err(body::refused("`paused` is about the limit: it does not go with `limit`"));
        }
        if let Some(kind) = unset.iter().find(|kind| values.get(**kind).is_some()) {
            return Err(body::refused(format!("`{kind}` cannot be both set and taken back")));
        }
        if is_nothing && !reset && paused.is_none() {
            let settings = SettingKind::ALL.iter().map(|kind| format!("`{kind}`, "));
            let all = settings.collect::<String>() + "`key_limits`, `unset`, `paused` or `reset`";
            return Err(body::refused(format!("nothing is to be changed: give one of {all}")));
        }
        Ok(())
    }

    /// Returns the author: the name that the request gives, and the address if that is known.
    pub(super) fn author(&self, extensions: &Extensions) -> Result<String, ApiError> {
        const LONGEST: usize = 64;
        let by = self.by.as_deref().map(str::trim).filter(|by| !by.is_empty());
        if by.is_some_and(|by| by.chars().count() > LONGEST || by.chars().any(is_no_text)) {
            return Err(body::refused(format!("`by`: at most {LONGEST} characters, in one line")));
        }
        let from = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(from)| from.ip());
        Ok(match (by, from) {
            (Some(by), Some(from)) => format!("{by} ({from})"),
            (Some(by), None) => by.to_owned(),
            (None, Some(from)) => format!("console ({from})"),
            (None, None) => "console".to_owned(),
        })
    }
}

/// A field of the JSON object.
#[derive(Clone, Copy)]
enum Field {
    Name,
    By,
    Setting(SettingKind),
    KeyLimits,
    Unset,
    Paused,
    Reset,
}

impl Field {
    /// Lists all fields.
    fn all() -> impl Iterator<Item = Self> {
        let settings = SettingKind::ALL.iter().copied().map(Self::Setting);
        [Self::Name, Self::By].into_iter().chain(settings).chain([
            Self::KeyLimits,
            Self::Unset,
            Self::Paused,
            Self::Reset,
        ])
    }

    fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::By => "by",
            Self::Setting(kind) => kind.name(),
            Self::KeyLimits => "key_limits",
            Self::Unset => "unset",
            Self::Paused => "paused",
            Self::Reset => "reset",
        }
    }
}

fn text(field: &str, json: &RawValue) -> Result<String, ApiError> {
    String::deserialize(json).map_err(|_| body::unexpected(field, json, "a text"))
}

fn switch(field: &str, json: &RawValue) -> Result<bool, ApiError> {
    bool::deserialize(json).map_err(|_| body::unexpected(field, json, "`true` or `false`"))
}

fn key_limits(field: &str, json: &RawValue) -> Result<BTreeMap<String, Option<usize>>, ApiError> {
    let limits = BTreeMap::<String, Option<usize>>::deserialize(json).ok();
    let is_limit = |limit: &Option<usize>| limit.is_none_or(|limit| limit <= Limiter::MAX_LIMIT);
    limits.filter(|limits| limits.values().all(is_limit)).ok_or_else(|| {
        let most = Limiter::MAX_LIMIT;
        let expected = format!(
            "an object with a limit for each key, a whole number from 0 to {most}, or `null` to take it back"
        );
        body::unexpected(field, json, &expected)
    })
}

fn settings(json: &RawValue) -> Result<Vec<SettingKind>, ApiError> {
    let names = Vec::<String>::deserialize(json).unwrap_or_default();
    let kinds: Option<Vec<_>> = names.iter().map(|name| SettingKind::from_name(name)).collect();
    kinds.filter(|kinds| !kinds.is_empty()).ok_or_else(|| {
        let all = SettingKind::ALL.iter().map(|kind| format!("\"{kind}\""));
        let all = all.collect::<Vec<_>>().join(", ");
        body::unexpected("unset", json, &format!("a list of some of {all}"))
    })
}

/// Returns whether a character ends a line, or changes the order in which a text is read.
fn is_no_text(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

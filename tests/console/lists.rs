//! The console knows every setting, every kind of refusal, every event and every source: so do its API, the
//! description of that, and the page.

use crate::stream::Stream;
use crate::support::{Console, post};
use axum::http::StatusCode;
use limit_runtime::settings::{SettingKind, SettingValue, ValueType};
use limit_runtime::{AdaptiveCause, EventKind, Limiter, RejectedKind, Source, find};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

/// The differences between lists that say the same: what to add, or to take away, and where.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    /// Compares the names that stand somewhere with those that belong there.
    fn compare(
        &mut self,
        place: &dyn Display,
        found: impl IntoIterator<Item = String>,
        expected: impl IntoIterator<Item = String>,
    ) {
        let found: BTreeSet<_> = found.into_iter().collect();
        let expected: BTreeSet<_> = expected.into_iter().collect();
        let missing = expected.difference(&found).map(|name| format!("{place}: add `{name}`"));
        let surplus = found.difference(&expected).map(|name| format!("{place}: remove `{name}`"));
        self.0.extend(missing.chain(surplus));
    }

    #[track_caller]
    fn assert_none(self) {
        assert!(self.0.is_empty(), "{:#?}", self.0);
    }
}

fn settings() -> impl Iterator<Item = String> {
    SettingKind::ALL.iter().map(|kind| kind.name().to_owned())
}

fn refusals() -> impl Iterator<Item = String> {
    RejectedKind::ALL.iter().map(|kind| kind.as_str().to_owned())
}

fn sources() -> impl Iterator<Item = String> {
    Source::ALL.iter().map(|source| source.as_str().to_owned())
}

/// The reasons for which a limit that adapts changes.
fn causes() -> impl Iterator<Item = String> {
    AdaptiveCause::ALL.iter().map(ToString::to_string)
}

fn events() -> impl Iterator<Item = String> {
    EventKind::ALL.iter().map(|kind| match kind {
        EventKind::Rejected(reason) => format!("rejected:{reason}"),
        kind => kind.as_str().to_owned(),
    })
}

/// The names of fields that are also in a list.
fn with(list: impl Iterator<Item = String>, others: &[&str]) -> Vec<String> {
    list.chain(others.iter().map(|name| (*name).to_owned())).collect()
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|text| text.as_str().map(ToOwned::to_owned)).collect()
}

fn fields(object: &Value) -> Vec<String> {
    object.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

#[tokio::test]
async fn description_has_every_setting_refusal_event_and_source() {
    let description = Console::read_only().get("/openapi.json").await.json();
    let mut differences = Differences::default();
    let at = |path: &str| {
        let path = format!("/components/schemas/{path}");
        let found = description.pointer(&path).unwrap_or_else(|| panic!("no {path}"));
        (format!("openapi.json, {path}"), found.clone())
    };

    for path in [
        "Rejected",
        "History/properties/rejected",
        "Figures/properties/rejected",
        "Figures/properties/shadowed/properties/rejected",
    ] {
        let (place, schema) = at(path);
        differences.compare(&place, fields(&schema["properties"]), refusals());
        differences.compare(&format!("{place}/required"), texts(&schema["required"]), refusals());
    }
    let (place, schema) = at("Settings");
    // The range is part of the limit.
    let in_force = || with(settings(), &["range"]);
    differences.compare(&place, fields(&schema["properties"]), in_force());
    differences.compare(&format!("{place}/required"), texts(&schema["required"]), in_force());
    let (place, wanted) = at("Wanted/properties");
    let all = with(settings(), &["name", "by", "key_limits", "unset", "paused", "reset"]);
    differences.compare(&place, fields(&wanted), all);
    for path in ["Change/properties/setting/enum", "NamedChange/properties/setting/enum"] {
        let (place, list) = at(path);
        differences.compare(
            &place,
            texts(&list),
            with(settings(), &["key_limit", "total", "closed"]),
        );
    }
    let (place, list) = at("Events/properties/events/items/properties/kind/enum");
    differences.compare(&place, texts(&list), events());
    for path in ["Detail/properties/settable/items/enum", "Wanted/properties/unset/items/enum"] {
        let (place, list) = at(path);
        differences.compare(&place, texts(&list), settings());
    }
    for path in [
        "Limiter/properties/source/enum",
        "Change/properties/source/enum",
        "NamedChange/properties/source/enum",
    ] {
        let (place, list) = at(path);
        differences.compare(&place, texts(&list), sources());
    }
    let (place, schema) = at("Adapted");
    differences.compare(&place, fields(&schema["properties"]), causes());
    differences.compare(&format!("{place}/required"), texts(&schema["required"]), causes());
    for path in [
        "Adaptive/properties/last_change/oneOf/1/properties/reason/enum",
        "AdaptiveFigures/properties/last_change/enum",
    ] {
        let (place, list) = at(path);
        differences.compare(&place, texts(&list), causes());
    }
    for kind in SettingKind::ALL {
        let schema = &wanted[kind.name()];
        let expected: &[&str] = match kind.value_type() {
            ValueType::Count { .. } => &["integer"],
            ValueType::CountOrRange { .. } => &["integer", "string"],
            ValueType::Duration => &["number"],
            ValueType::DurationOrNever => &["number", "string"],
            ValueType::Switch => &["boolean"],
            other => panic!("say here how JSON has {other}"),
        };
        let place = format!("openapi.json, the type of Wanted/{kind}");
        let schemas =
            schema["oneOf"].as_array().map_or(std::slice::from_ref(schema), Vec::as_slice);
        let types = schemas.iter().filter_map(|schema| schema["type"].as_str());
        let expected = expected.iter().map(|name| (*name).to_owned());
        differences.compare(&place, types.map(ToOwned::to_owned), expected);
        let (place, list) = at(&format!("Settings/properties/{kind}/properties/source/enum"));
        differences.compare(&place, texts(&list), sources());
    }
    differences.assert_none();
}

#[tokio::test]
async fn page_has_every_refusal_with_a_colour_and_words_for_every_source_and_reason() {
    let script = Console::read_only().get("/format.js").await.body;
    let constant = |start: &str, end: char| {
        let (_, rest) = script.split_once(start).unwrap_or_else(|| panic!("no {start}"));
        rest.split_once(end).expect("its end").0.to_owned()
    };
    // `const REASONS = ['name', …];`
    let reasons = constant("const REASONS = [", ']');
    let reasons = reasons.split(',').map(|reason| reason.trim().trim_matches('\'').to_owned());
    // `const SOURCES = { name: 'words', … };`
    let words = constant("const SOURCES = {", '}');
    let words = words.split("',").filter_map(|field| field.split_once(": '"));
    let words = words.map(|(name, _)| name.trim().to_owned());
    let mut differences = Differences::default();
    differences.compare(&"format.js, REASONS", reasons, refusals());
    differences.compare(&"format.js, SOURCES", words, sources());
    // `const CHANGES = { name: ['what', 'why'], … };`
    let script = Console::read_only().get("/adaptive.js").await.body;
    let (_, rest) = script.split_once("const CHANGES = {").expect("the list");
    let (changes, _) = rest.split_once("};").expect("its end");
    let changes = changes.lines().filter_map(|line| line.split_once(": ["));
    let changes = changes.map(|(name, _)| name.trim().to_owned());
    differences.compare(&"adaptive.js, CHANGES", changes, causes());
    // A refusal is a class, whose colour is `--ink`. Another rule may give a class its colour too.
    let style = Console::read_only().get("/console.css").await.body;
    let coloured = style.split('}').filter_map(|rule| {
        let (class, ink) = rule.trim().split_once(" { --ink: var(")?;
        let colour = ink.strip_suffix(");")?;
        // The light set and the dark set.
        let sets = style.matches(&format!(" {colour}: ")).count();
        (sets == 2).then(|| class.trim_start_matches('.').to_owned())
    });
    let coloured = coloured.filter(|class| refusals().any(|reason| reason == *class));
    differences.compare(&"console.css, colours", coloured, refusals());
    differences.assert_none();
}

#[tokio::test]
async fn page_has_a_colour_of_its_own_for_every_refusal_in_both_themes() {
    let css = Console::read_only().get("/console.css").await.body;
    let (light, rest) = css.split_once("@media (prefers-color-scheme: dark)").expect("two themes");
    let (dark, rules) = rest.split_once("\n}\n").expect("the end of the dark theme");
    let colour = |theme: &str, kind: &str| {
        let (_, value) = theme.split_once(&format!("--{}: #", kind.replace('_', "-")))?;
        value.split_once(';').map(|(colour, _)| colour.to_owned())
    };
    let mut differences = Differences::default();
    let with_rule = refusals().filter(|kind| {
        rules.contains(&format!(".{kind} {{ --ink: var(--{}); }}", kind.replace('_', "-")))
    });
    differences.compare(&"console.css, rules", with_rule, refusals());
    for (name, theme) in [("light", light), ("dark", dark)] {
        let coloured: Vec<_> =
            refusals().filter_map(|kind| Some((colour(theme, &kind)?, kind))).collect();
        let colours: BTreeSet<_> = coloured.iter().map(|(colour, _)| colour).collect();
        assert_eq!(colours.len(), coloured.len(), "two kinds have one colour: {coloured:?}");
        let kinds = coloured.into_iter().map(|(_, kind)| kind);
        differences.compare(&format!("console.css, {name} theme"), kinds, refusals());
    }
    differences.assert_none();
}

/// A value of a setting, in JSON, as it is set, and as the log has it.
fn example(kind: SettingKind) -> (Value, SettingValue, &'static str) {
    match kind.value_type() {
        ValueType::Count { .. } => (json!(3), SettingValue::Count(3), "3"),
        ValueType::CountOrRange { .. } => {
            (json!("4..=200"), SettingValue::Range { low: 4, high: 200 }, "4..=200")
        }
        ValueType::Duration | ValueType::DurationOrNever => {
            (json!(1.5), SettingValue::Duration(Duration::from_millis(1500)), "1.5s")
        }
        ValueType::Switch => {
            let on = kind != SettingKind::Enabled;
            (json!(on), SettingValue::Switch(on), if on { "on" } else { "off" })
        }
        other => panic!("say here how JSON has {other}"),
    }
}

#[tokio::test]
async fn every_setting_can_be_changed_and_is_logged_and_shown() {
    // The two support all settings, and none of their own values is an example.
    let limiter = Limiter::new("lists::settings", 5).max_waiting(9);
    let keyed = Limiter::new("lists::of_keys", 5).max_waiting(9).keyed();
    drop((limiter.acquire().await, keyed.key(1).acquire().await));
    let console = Console::writable();
    for &kind in SettingKind::ALL {
        let is_of_keys = kind == SettingKind::MaxWaitingTotal;
        let name = if is_of_keys { "lists::of_keys" } else { "lists::settings" };
        let handle = find(name).expect("it has been used");
        let (value, setting, words) = example(kind);
        let changes = console.set(json!({"name": name, kind.name(): value})).await.json();
        let changes = changes["changes"].clone();
        assert_eq!(changes.as_array().map(Vec::len), Some(1), "{changes:#}");
        let told = ["setting", "to", "source"].map(|field| changes[0][field].clone());
        assert_eq!(told, [kind.name(), words, "live"]);
        assert_eq!(handle.live_values().get(kind), Some(setting));
        let shown = console.get(&format!("/api/limiter?name={name}")).await.json();
        assert_eq!(shown["snapshot"]["settings"][kind.name()]["source"], "live", "{kind}");
        // `null` leaves a setting as it is.
        let wanted = json!({"name": name, kind.name(): null, "reset": true});
        console.set(wanted).await.json();
        assert!(handle.live_values().is_empty());
    }
}

#[tokio::test]
async fn unknown_field_is_refused_with_the_list_of_all_fields() {
    let console = Console::writable();
    let refused = console.ask(post(r#"{"limt": 3}"#.to_owned())).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let settings: Vec<_> = settings().map(|name| format!("`{name}`")).collect();
    let settings = settings.join(", ");
    let fields = format!("`name`, `by`, {settings}, `key_limits`, `unset`, `paused`, `reset`");
    assert_eq!(refused.error(), format!("unknown field `limt`, expected one of {fields}"));
    let nothing = console.ask(post(r#"{"name": "nobody"}"#.to_owned())).await;
    let expected = format!(
        "nothing is to be changed: give one of {settings}, `key_limits`, `unset`, `paused` or `reset`"
    );
    assert_eq!(nothing.error(), expected);
}

#[tokio::test]
async fn refusals_are_events_with_their_kind() {
    let limiter = Limiter::new("lists::refusals", 1).max_waiting(0);
    let permit = limiter.acquire().await;
    let console = Console::read_only();
    let mut stream = Stream::open(&console, "/api/events?name=lists::refusals").await;
    limiter.acquire().await.expect_err("none may wait");
    limiter.close();
    limiter.acquire().await.expect_err("it is closed");
    let (_, events) = stream.next().await;
    let kinds = events["events"].as_array().expect("a list").iter().map(|event| &event["kind"]);
    assert!(kinds.eq(["rejected:queue_full", "rejected:closed"]), "{events:#}");
    drop(permit);
}

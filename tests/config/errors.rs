//! Configurations that are wrong: each is refused whole, and the error has its position.

use crate::{apply, limit, turn};
use limit_config::{Config, ConfigError, ConfigErrorKind};
use limit_runtime::settings::SettingKind;
use limit_runtime::{Limiter, Source};

#[track_caller]
fn error(toml: &str) -> ConfigError {
    Config::from_toml(toml).expect_err("it is wrong")
}

#[test]
#[expect(clippy::too_many_lines, reason = "they are the lines of one table")]
fn what_is_wrong_is_told_with_line_and_column() {
    for (toml, place, message) in [
        ("[a]\nlimt = 3", (2, 1), "unknown field `limt`, expected one of `limit`, `max_waiting`"),
        ("[a]\nlimit = -1", (2, 9), "`limit` is -1: write a whole number from 0 (which pauses) to"),
        ("[a]\nlimit = 2147483648", (2, 9), "`limit` is 2147483648: write a whole number from 0"),
        (
            "[a]\nlimit = \"3\"",
            (2, 9),
            "`limit` is the text \"3\" and not the number 3: write a whole number from 0",
        ),
        ("[a]\nlimit = \"4..200\"", (2, 9), "`4..200` is no range: write `..=` between the ends"),
        ("[a]\nlimit = \"0..=9\"", (2, 9), "`0..=9` is no range: the lower end is at least 1"),
        ("[a]\nlimit = \"9..=4\"", (2, 9), "`9..=4` is no range: write the lower end first"),
        (
            "[a]\nlimit = \"4..=2147483648\"",
            (2, 9),
            "`limit` is \"4..=2147483648\": write a whole number from 0",
        ),
        ("[a]\nlimit = \"4..=x\"", (2, 9), "or a range such as \"4..=200\""),
        ("[a]\nlimit = 3.5", (2, 9), "`limit` is 3.5: write a whole number from 0"),
        ("[a]\nlimit = 1e3", (2, 9), "`limit` is 1000.0: write a whole number from 0"),
        ("[a]\nlimit = true", (2, 9), "`limit` is true: write a whole number from 0"),
        ("[a]\nlimit = [3]", (2, 9), "`limit` is a list: write a whole number from 0"),
        ("[a]\nlimit = { low = 3 }", (2, 9), "`limit` is a table or a date: write a whole number"),
        (
            "[a]\n\n  max_waiting = -1",
            (3, 17),
            "`max_waiting` is -1: write a whole number of calls, from 0",
        ),
        ("[a]\nmax_waiting = 0.5", (2, 15), "`max_waiting` is 0.5: write a whole number of calls"),
        (
            "[a]\nmax_waiting = \"9\"",
            (2, 15),
            "`max_waiting` is the text \"9\" and not the number 9: write a whole number of calls",
        ),
        (
            "[a]\nmax_wait = 50",
            (2, 12),
            "`max_wait` is the number 50: write a span of time with its unit, such as \"50ms\"",
        ),
        ("[a]\nmax_wait = 0.5", (2, 12), "`max_wait` is the number 0.5: write a span of time"),
        ("[a]\nmax_wait = \"50\"", (2, 12), "`max_wait` is \"50\": write a span of time with its"),
        ("[a]\nmax_wait = \"soon\"", (2, 12), "`max_wait` is \"soon\": write a span of time with"),
        (
            "[a]\nclaim_within = 1",
            (2, 16),
            "`claim_within` is the number 1: write a span of time above zero with its",
        ),
        (
            "[a]\nclaim_within = \"0s\"",
            (2, 16),
            "`claim_within` is \"0s\": write a span of time above zero",
        ),
        ("[a]\nclaim_within = \"Never\"", (2, 16), "such as \"50ms\" or \"1m 30s\", or \"never\""),
        ("[a]\nenabled = 1", (2, 11), "`enabled` is the number 1: write `true` or `false`"),
        ("[a]\n order = 1", (2, 2), "`order` cannot be in a file: it is set in the code"),
        (
            "[a]\nkey = \"tenant\"",
            (2, 7),
            "`key` is \"tenant\": the option `key` is set in the code",
        ),
        (
            "[a]\nkey = 3",
            (2, 7),
            "a table `key` has limits of single keys, such as `key.\"acme\" = 10`",
        ),
        ("[a.key]\nacme = -1", (2, 8), "`key.\"acme\"` is -1: write a whole number from 0"),
        ("[a.key]\nacme = \"4..=9\"", (2, 8), "`key.\"acme\"` is \"4..=9\": write a whole number"),
        ("[a]\nkey.\"b c\" = 2147483648", (2, 13), "`key.\"b c\"` is 2147483648: write"),
        ("[a.key]\nacme = 1\nacme = 2", (3, 1), "duplicate key"),
        ("[a]\nlimit = 1\nlimit = 2", (3, 1), "duplicate key"),
        ("[a]\nlimit = 1\n[a]\nlimit = 2", (3, 2), "duplicate key"),
        ("\"ä\" = { limit = -1 }", (1, 17), "`limit` is -1: write"),
        ("a = 3", (1, 5), "integer `3`, expected a table of settings"),
        ("limit = 3", (1, 9), "integer `3`, expected a table of settings"),
        ("[[a]]\nlimit = 3", (1, 1), "sequence, expected a table of settings"),
        ("[a.b]\nlimit = 3", (1, 4), "unknown field `b`"),
        ("\u{feff}[a]\r\nlimit = 3\r\nlimt = 3", (3, 1), "unknown field `limt`"),
        ("\u{feff}a = 3", (1, 5), "integer `3`, expected a table of settings"),
        ("[a]\nlimit = 18446744073709551616", (2, 9), "`limit` is 18446744073709551616: write"),
        ("[a]\nlimit = -18446744073709551616", (2, 9), "`limit` is -18446744073709551616: write"),
        (
            "[a]\nlimit = 1_000_000_000_000_000_000_000_000_000_000_000_000_000_000",
            (2, 9),
            "`limit` is 1000000000000000000000000000000000000000000: write",
        ),
        ("[a]\nmax_waiting = 4294967295", (2, 15), "`max_waiting` is 4294967295: write a"),
        ("[a]\nmax_wait = \"-1s\"", (2, 12), ": write a span of time with its"),
        ("[a]\nmax_wait = \"99999999999999y\"", (2, 12), ": write a span of time with its"),
        (
            "# first\n[a]\nmax_waiting = 0\nmax_wait = \"1s\"",
            (2, 1),
            "`max_wait` cannot stand beside `max_waiting = 0`",
        ),
        (
            "[a]\nenabled = false\nshadow = true",
            (1, 1),
            "`shadow` cannot stand beside `enabled = false`",
        ),
    ] {
        let error = error(toml);
        let told = error.to_string();
        let (line, column) = place;
        assert!(told.starts_with(&format!("{line}:{column}: ")), "{toml:?}: {told}");
        assert_eq!((error.line(), error.column()), (Some(line), Some(column)));
        assert!(told.contains(message), "{toml:?}: {told}");
    }
}

#[test]
fn all_settings_are_told_to_those_who_write_an_unknown_one() {
    let names: Vec<_> = SettingKind::ALL.iter().map(|kind| format!("`{kind}`")).collect();
    let told = format!("2:1: unknown field `limt`, expected one of {}", names.join(", "));
    assert_eq!(error("[a]\nlimt = 3").to_string(), told);
}

#[test]
fn each_option_of_the_attribute_is_a_setting_or_told_to_belong_in_the_code() {
    // The list of the macro, which no crate exports: `name: "order", example: …`.
    let macros = include_str!("../../limit-macros/src/args/options.rs");
    let names = macros.lines().filter_map(|line| {
        line.trim_start().strip_prefix("name: \"")?.split_once('"').map(|(name, _)| name)
    });
    let names: Vec<_> = names.collect();
    assert!(names.contains(&"order") && names.contains(&"max_wait"), "{names:?}");
    for name in names.into_iter().filter(|name| SettingKind::from_name(name).is_none()) {
        // A table of this name has the limits of single keys.
        if name == "key" {
            continue;
        }
        let told = error(&format!("[a]\n{name} = 3")).to_string();
        assert_eq!(told, format!("2:1: `{name}` cannot be in a file: it is set in the code"));
    }
}

#[test]
fn a_name_that_needs_quotes_and_has_none_is_told_with_them() {
    for (toml, written, path) in [
        ("[a::b]\nlimit = 3", "[\"a::b\"]", ""),
        ("[b]\nlimit = 3\n\n  [ payments* ] # all", "[\"payments*\"]", ""),
        ("[a.b]\nlimit = 3", "[\"a.b\"]", "[\"a::b\"]"),
        ("[a.b::c-*]\nlimit = 3", "[\"a.b::c-*\"]", "[\"a::b::c-*\"]"),
        ("[a..b]\nlimit = 3", "[\"a..b\"]", ""),
        ("\u{feff}[\u{e4}]", "[\"\u{e4}\"]", ""),
    ] {
        let told = error(toml).to_string();
        let hint = format!("; write the name in quotes: `{written}`");
        let end = match path {
            "" => hint,
            path => format!("{hint} (a function's name has `::`: `{path}`)"),
        };
        assert!(told.ends_with(&end), "{toml:?}: {told}");
    }
    for toml in ["[a]\n[a]", "[[a]]", "[a", "[\"a::b\"]\n[\"a::b\"]", "[\"a::b\"]\nlimit = no"] {
        let told = error(toml).to_string();
        assert!(!told.contains("quotes:"), "{toml:?}: {told}");
    }
}

#[test]
fn a_setting_that_is_in_no_table_is_told_where_it_belongs() {
    let end = "`limit` is a setting: it belongs in a limiter's table, such as `[\"name\"]`";
    let told = error("limit = 3\n[a]\nmax_waiting = 1").to_string();
    assert!(told.starts_with("1:9: ") && told.ends_with(end), "{told}");
    let told = serde_json::from_str::<Config>(r#"{ "limit": 3 }"#).expect_err("it is wrong");
    assert!(told.to_string().contains(end), "{told}");
    let told = error("a = 3").to_string();
    assert!(told.ends_with("a table of settings, such as `limit`"), "{told}");
}

#[test]
fn an_error_has_a_kind_and_is_shown_with_it() {
    let _turn = turn();
    let unfit = Limiter::new("errors-kind", 1);
    let _ = unfit.snapshot();
    let unsupported = Config::from_toml("[errors-kind]\nmax_wait = \"1s\"").expect("it is TOML");
    let missing = Config::watch("/there/is/no/such/file").start().expect_err("it is not there");
    for (error, kind) in [
        (error("[a"), ConfigErrorKind::Parse),
        (unsupported.apply().expect_err("it does not fit"), ConfigErrorKind::Unsupported),
        (missing, ConfigErrorKind::Read),
        (Config::watch("").start().expect_err("it is no path"), ConfigErrorKind::Watch),
    ] {
        assert_eq!(error.kind(), kind);
        let shown = format!("ConfigError {{ kind: {kind:?}, message: {error} }}");
        assert_eq!(format!("{error:?}"), shown);
    }
}

#[test]
fn other_formats_are_held_to_the_same() {
    for (json, message) in [
        (r#"{ "a": { "limit": 1 }, "a": { "max_waiting": 1 } }"#, "duplicate name `a`"),
        (r#"{ "a": [1, null, null, null, null] }"#, "sequence, expected a table of settings"),
        (r#"{ "a": null }"#, "null, expected a table of settings"),
        ("[]", "sequence, expected tables of settings by limiter name"),
        (r#"{ "a": { "limit": 1, "limit": 2 } }"#, "duplicate field `limit`"),
        (r#"{ "a": { "limit": 1e3 } }"#, "`limit` is 1000.0: write a whole number"),
        (
            r#"{ "a": { "max_waiting": "9" } }"#,
            "`max_waiting` is the text \"9\" and not the number 9",
        ),
        (r#"{ "a": { "enabled": "on" } }"#, "`enabled` is \"on\": write `true` or `false`"),
        (r#"{ "a": { "max_wait": 5 } }"#, "`max_wait` is the number 5: write a span of time"),
    ] {
        let error = serde_json::from_str::<Config>(json).expect_err("it is wrong").to_string();
        assert!(error.contains(message), "{json}: {error}");
        assert!(error.contains(" at line 1 column "), "{json}: {error}");
    }
}

#[test]
fn the_largest_and_the_smallest_are_right() {
    let toml = "[a]\nlimit = 2147483647\nmax_waiting = 4294967294\nmax_wait = \"0s\"\n[b]\nlimit = 0\n\
                max_waiting = 0";
    Config::from_toml(toml).expect("it is right");
}

#[test]
fn of_a_configuration_with_something_wrong_nothing_is_applied() {
    let _turn = turn();
    let right = Limiter::new("errors-right", 1);
    let unfit = Limiter::new("errors-unfit", 1);
    let _ = (right.snapshot(), unfit.snapshot());
    apply("[errors-right]\nlimit = 2");
    let toml = "[errors-right]\nlimit = 3\n\n[errors-unfit]\nlimit = 5\nmax_waiting = 4\n";
    let config = Config::from_toml(toml).expect("it is well-formed");
    let error = config.apply().expect_err("it does not fit");
    assert_eq!((error.line(), error.column()), (Some(6), Some(1)));
    assert!(
        error
            .to_string()
            .starts_with("6:1: `max_waiting` cannot be set for concurrency limit `errors-unfit`"),
        "{error}"
    );
    assert_eq!(limit(&right.snapshot().settings), (2, Source::File), "as it was");
    assert_eq!(limit(&unfit.snapshot().settings), (1, Source::Attribute));
    let later = Limiter::new("errors-unfit-later", 1);
    assert_eq!(limit(&later.snapshot().settings), (1, Source::Attribute));
}

#[test]
fn a_setting_that_does_not_fit_is_told_where_the_pattern_has_it() {
    let _turn = turn();
    let unfit = Limiter::new("errors-pattern-1", 1);
    let _ = unfit.snapshot();
    let toml = "[\"errors-pattern-*\"]\nmax_wait = \"1s\"\n[errors-pattern-1]\nlimit = 3\n";
    let error = Config::from_toml(toml).expect("it is well-formed").apply().unwrap_err();
    assert_eq!((error.line(), error.column()), (Some(2), Some(1)));
}

#[test]
fn of_several_names_that_have_a_setting_which_does_not_fit_the_closest_is_told() {
    let _turn = turn();
    let unfit = Limiter::new("errors-several-1", 1);
    let _ = unfit.snapshot();
    let toml = "[\"errors-several-*\"]\nmax_wait = \"1s\"\n[errors-several-1]\nmax_wait = \"2s\"\n";
    let error = Config::from_toml(toml).expect("it is well-formed").apply().unwrap_err();
    assert_eq!((error.line(), error.column()), (Some(4), Some(1)));
}

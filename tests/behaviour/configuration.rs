//! Limits from the environment. Each test sets variables for a process of its own, because a change
//! in a process with threads is not sound.

mod by_name;

use limit_runtime::{Limiter, Snapshot, concurrency_limit, find};
use limit_tests::figures::assert_all_free;
use limit_tests::programs::is_alone_with;
use std::ffi::OsStr;
use std::process::Command;

const VARIABLE: &str = "LIMIT_BEHAVIOUR";

/// Runs `part` in a process with the variable set to `value`, or not set.
fn with_variable(test: &str, value: Option<&OsStr>, part: fn()) {
    let prepare = |command: &mut Command| {
        command.env_remove(VARIABLE);
        if let Some(value) = value {
            command.env(VARIABLE, value);
        }
    };
    if is_alone_with(&format!("configuration::{test}"), prepare) {
        part();
    }
}

/// Runs `part` in a process with these variables.
fn with_variables(test: &str, variables: &[(&str, &str)], part: fn()) {
    let prepare = |command: &mut Command| {
        command.envs(variables.iter().copied());
    };
    if is_alone_with(&format!("configuration::{test}"), prepare) {
        part();
    }
}

#[concurrency_limit(3, name = "configuration-attribute", env = "LIMIT_BEHAVIOUR")]
async fn attribute() {}

#[concurrency_limit(lazily(), name = "configuration-lazy", env = "LIMIT_BEHAVIOUR")]
async fn expression() {}

fn lazily() -> usize {
    3
}

static LIMITER: Limiter = Limiter::new("configuration-limiter", 3).env("LIMIT_BEHAVIOUR");

/// Uses all three limiters and returns their snapshots.
fn snapshots() -> [Snapshot; 3] {
    assert!(tokio_test::task::spawn(attribute()).poll().is_ready());
    assert!(tokio_test::task::spawn(expression()).poll().is_ready());
    drop(LIMITER.try_acquire());
    ["attribute", "lazy", "limiter"].map(|name| {
        let limiter = find(&format!("configuration-{name}")).expect("it has been used");
        let snapshot = limiter.snapshot();
        assert_eq!(limiter.limit(), Some(snapshot.total.limit));
        snapshot
    })
}

fn assert_limit(limit: usize) {
    for snapshot in snapshots() {
        assert_eq!((snapshot.total.limit, snapshot.warnings.len()), (limit, 0), "{snapshot}");
    }
    assert_all_free(&LIMITER);
}

#[test]
fn without_the_variable_the_limit_is_the_one_in_the_code() {
    with_variable("without_the_variable_the_limit_is_the_one_in_the_code", None, || {
        assert_limit(3);
    });
}

#[test]
fn the_variable_replaces_the_limit() {
    for value in ["7", " 7\n", "007"] {
        with_variable("the_variable_replaces_the_limit", Some(value.as_ref()), || assert_limit(7));
    }
}

#[test]
fn a_limit_set_while_running_replaces_the_variables() {
    let test = "a_limit_set_while_running_replaces_the_variables";
    with_variable(test, Some("7".as_ref()), || {
        LIMITER.set_limit(2);
        assert_eq!(LIMITER.limit(), Some(2));
        assert_all_free(&LIMITER);
    });
}

/// The variable's value is wrong: nothing panics, and the snapshots contain a warning.
fn assert_warned() {
    let value = std::env::var_os(VARIABLE).expect("it is set");
    let expected = format!(
        "environment variable `{VARIABLE}` is {:?}, which is not a whole number from 1 up; \
         the limit is 3 instead",
        value.to_string_lossy(),
    );
    for snapshot in snapshots() {
        assert_eq!(snapshot.total.limit, 3);
        assert_eq!(snapshot.warnings, [expected.as_str()]);
        assert!(snapshot.to_string().ends_with(&format!("  ! {expected}")), "{snapshot}");
    }
    for snapshot in snapshots() {
        assert_eq!(snapshot.warnings.len(), 1, "it is told once");
    }
    assert_all_free(&LIMITER);
}

#[test]
fn a_variable_that_is_no_limit_shows_in_the_snapshot() {
    let test = "a_variable_that_is_no_limit_shows_in_the_snapshot";
    for value in ["0", "-1", "abc", "", "3.5", "1e3", "0x10"] {
        with_variable(test, Some(value.as_ref()), assert_warned);
    }
}

#[test]
fn a_variable_above_the_largest_limit_is_taken_down_to_it() {
    let test = "a_variable_above_the_largest_limit_is_taken_down_to_it";
    for value in ["2147483648", "99999999999999999999999"] {
        with_variable(test, Some(value.as_ref()), || {
            for snapshot in snapshots() {
                assert_eq!(snapshot.total.limit, Limiter::MAX_LIMIT);
                assert!(snapshot.warnings.is_empty(), "{snapshot}");
            }
        });
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_shows_in_the_snapshot() {
    use std::os::unix::ffi::OsStrExt;

    let test = "a_variable_that_is_not_unicode_shows_in_the_snapshot";
    with_variable(test, Some(OsStr::from_bytes(b"\xff3")), assert_warned);
}

//! The variable `LIMIT_<NAME>`, beside a file and without one. A test sets variables in a process of its own.

use crate::{apply, limit, turn};
use limit_runtime::{Limiter, Source};
use std::process::Command;

const PART: &str = "CONFIG_TEST_PART";

/// Runs `part` in a process that has these variables.
fn with_variables(test: &str, variables: &[(&str, &str)], part: fn()) {
    if std::env::var_os(PART).is_some() {
        return part();
    }
    let program = std::env::current_exe().expect("the test knows its program");
    let test = format!("environment::{test}");
    let mut command = Command::new(program);
    command.env(PART, "1").envs(variables.iter().copied());
    let output = command.args([&test, "--exact", "--nocapture"]).output();
    let output = output.expect("the test can run itself");
    let (told, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}{complaint}");
    assert!(told.contains("1 passed"), "{told}");
}

#[test]
fn the_variable_of_the_name_is_heard_before_the_file() {
    let test = "the_variable_of_the_name_is_heard_before_the_file";
    with_variables(test, &[("LIMIT_SHOP_CHARGE", "6")], || {
        let _turn = turn();
        let limiter = Limiter::new("shop::charge", 1);
        assert_eq!(limit(&limiter.snapshot().settings), (6, Source::Environment));
        let applied = apply("[\"shop::charge\"]\nlimit = 3");
        assert_eq!(
            applied.to_string(),
            "shop::charge: limit 3 is not in force: a variable of the environment is stronger\n"
        );
        assert_eq!(limit(&limiter.snapshot().settings), (6, Source::Environment));
        assert_eq!(limiter.limit(), Some(6));
        limiter.set_limit(9);
        assert_eq!(limit(&limiter.snapshot().settings), (9, Source::Live));
        limiter.reset();
        assert_eq!(limiter.limit(), Some(6));
    });
}

#[test]
fn the_variable_that_the_code_names_is_heard_before_that_of_the_name() {
    let test = "the_variable_that_the_code_names_is_heard_before_that_of_the_name";
    with_variables(test, &[("LIMIT_RENDER", "6"), ("MAX_RENDERS", "7")], || {
        let limiter = Limiter::new("render", 1).env("MAX_RENDERS");
        assert_eq!(limit(&limiter.snapshot().settings), (7, Source::Environment));
    });
}

#[test]
fn a_variable_that_the_code_and_the_name_mean_is_read_once() {
    let test = "a_variable_that_the_code_and_the_name_mean_is_read_once";
    with_variables(test, &[("LIMIT_SAME", "many")], || {
        let limiter = Limiter::new("same", 2).env("LIMIT_SAME");
        drop(limiter.try_acquire());
        let warnings = limiter.snapshot().warnings;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    });
}

#[test]
fn a_name_without_letters_of_ascii_has_no_variable() {
    let test = "a_name_without_letters_of_ascii_has_no_variable";
    with_variables(test, &[("LIMIT", "6"), ("LIMIT_", "6")], || {
        let limiter = Limiter::new("\u{e4}\u{f6}", 2);
        assert_eq!(limit(&limiter.snapshot().settings), (2, Source::Attribute));
    });
}

#[test]
fn a_limit_from_a_variable_counts_as_a_change_whoever_names_it() {
    let test = "a_limit_from_a_variable_counts_as_a_change_whoever_names_it";
    with_variables(test, &[("LIMIT_COUNTED", "6"), ("OTHER", "7")], || {
        let changes = |limiter: &Limiter| limiter.snapshot().limit_changes.environment;
        assert_eq!(changes(&Limiter::new("counted", 2)), 1);
        assert_eq!(changes(&Limiter::new("other", 2).env("OTHER")), 1);
        assert_eq!(changes(&Limiter::new("the-same", 7).env("OTHER")), 0);
        assert_eq!(changes(&Limiter::new("not-set", 2).env("NOBODY")), 0);
    });
}

#[test]
fn a_variable_that_is_no_limit_is_told_and_not_used() {
    let test = "a_variable_that_is_no_limit_is_told_and_not_used";
    with_variables(test, &[("LIMIT_WRONG", "many")], || {
        let limiter = Limiter::new("wrong", 2);
        assert_eq!(limit(&limiter.snapshot().settings), (2, Source::Attribute));
        assert_eq!(
            limiter.snapshot().warnings,
            ["environment variable `LIMIT_WRONG` is \"many\", which is not a whole number from 1 \
              up; it is not used"]
        );
    });
}

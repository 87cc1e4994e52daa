//! Variables `LIMIT_<NAME>`. Each test sets them for a process of its own.

use crate::{apply, limit, turn};
use limit_runtime::{Limiter, Source};
use limit_tests::programs::is_alone_with;
use std::process::Command;

/// Runs `part` in a process with these variables.
fn with_variables(test: &str, variables: &[(&str, &str)], part: fn()) {
    let set = |command: &mut Command| {
        command.envs(variables.iter().copied());
    };
    if is_alone_with(&format!("environment::{test}"), set) {
        part();
    }
}

#[test]
fn the_variable_of_the_name_is_heard_before_the_file() {
    let test = "the_variable_of_the_name_is_heard_before_the_file";
    with_variables(test, &[("LIMIT_SHOP_CHARGE", "6")], || {
        let _turn = turn();
        let limiter = Limiter::new("shop::charge", 1);
        assert_eq!(limit(&limiter.snapshot().settings), (6, Source::Environment));
        apply("[\"shop::charge\"]\nlimit = 3");
        assert_eq!(limit(&limiter.snapshot().settings), (6, Source::Environment));
        assert_eq!(limiter.limit(), 6);
        limiter.set_limit(9);
        assert_eq!(limit(&limiter.snapshot().settings), (9, Source::Live));
        limiter.reset();
        assert_eq!(limiter.limit(), 6);
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
        assert_eq!(Limiter::new("\u{e4}\u{f6}", 2).limit(), 2);
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
        assert_eq!(limiter.limit(), 2);
        assert_eq!(
            limiter.snapshot().warnings,
            ["environment variable `LIMIT_WRONG` is \"many\", which is not a whole number from 1 \
              up; it is not used"]
        );
    });
}

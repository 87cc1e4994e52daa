//! `LIMIT_<NAME>`: the variable that overrides the limit of the limiter with that name.

use super::with_variables;
use limit_runtime::{KeyedLimiter, Limiter, Scope, Setting, Source, concurrency_limit, find};
use limit_tests::figures::assert_all_free;
use limit_tests::polling::{at_once, permit};
use std::panic::catch_unwind;

fn limit<E: limit_runtime::Admission, K>(limiter: &Limiter<E, K>) -> (usize, Source) {
    let Setting { value, source, .. } = limiter.snapshot().settings.limit;
    (value, source)
}

#[concurrency_limit(3)]
async fn limited() {}

#[test]
fn every_limiter_has_a_variable() {
    let variables = [
        ("LIMIT_BY_NAME_STATIC", "4"),
        ("LIMIT_BY_NAME_INSTANCE_7", "5"),
        ("LIMIT_BY_NAME_PROCESS", "6"),
        ("LIMIT_BY_NAME_KEYS", "7"),
        ("LIMIT_BEHAVIOUR_CONFIGURATION_BY_NAME_LIMITED", "8"),
    ];
    with_variables("by_name::every_limiter_has_a_variable", &variables, || {
        static STATIC: Limiter = Limiter::new("by_name::static", 1);
        static KEYS: KeyedLimiter = Limiter::new("by name (keys)", 1).keyed();

        assert_eq!(limit(&STATIC), (4, Source::Environment));
        assert_all_free(&STATIC);
        let instance = Limiter::named(format!("by-name/Instance {}", 7), 1).max_waiting(2);
        assert_eq!(limit(&instance), (5, Source::Environment));
        let process = Limiter::new("--by.name..process--", 1).scope(Scope::Process);
        assert_eq!(limit(&process), (6, Source::Environment));
        assert_eq!(limit(&KEYS), (7, Source::Environment));
        let held: Vec<_> = (0..7).map(|_| at_once(KEYS.key('a').acquire())).collect();
        KEYS.key('a').try_acquire().expect_err("seven are in use");
        drop(held);

        at_once(limited());
        let function = find(concat!(module_path!(), "::limited")).expect("it is in use");
        assert_eq!(function.settings().limit.source, Source::Environment);
        assert_eq!(function.limit(), Some(8));
    });
}

#[test]
fn an_expression_that_a_variable_overrides_is_not_evaluated() {
    let test = "by_name::an_expression_that_a_variable_overrides_is_not_evaluated";
    with_variables(test, &[("LIMIT_BY_NAME_LAZY", "2")], || {
        static LIMITER: Limiter =
            Limiter::lazy("by-name-lazy", || unreachable!("it is overridden"));

        assert_eq!(LIMITER.limit(), None, "nobody has used it");
        drop([permit(&LIMITER), permit(&LIMITER)]);
        assert_eq!(LIMITER.limit(), Some(2));
        assert_all_free(&LIMITER);
    });
}

#[test]
fn a_change_while_running_overrides_the_variable_until_it_is_taken_back() {
    let test = "by_name::a_change_while_running_overrides_the_variable_until_it_is_taken_back";
    with_variables(test, &[("LIMIT_BY_NAME_LIVE", "6")], || {
        let limiter = Limiter::new("by-name-live", 1);
        limiter.set_limit(9);
        assert_eq!(limit(&limiter), (9, Source::Live));
        limiter.reset();
        assert_eq!(limit(&limiter), (6, Source::Environment));
        assert_eq!(limiter.limit(), Some(6));
        let changes = limiter.snapshot().limit_changes;
        assert_eq!((changes.file, changes.environment, changes.live), (0, 1, 2));
    });
}

#[test]
fn the_variable_that_the_code_names_is_heard_before_that_of_the_name() {
    let test = "by_name::the_variable_that_the_code_names_is_heard_before_that_of_the_name";
    let variables =
        [("LIMIT_BY_NAME_BOTH", "6"), ("BY_NAME_OTHER", "7"), ("LIMIT_BY_NAME_WRONG", "8")];
    with_variables(test, &variables, || {
        let both = Limiter::new("by-name-both", 1).env("BY_NAME_OTHER");
        assert_eq!(limit(&both), (7, Source::Environment));
        assert_eq!(both.snapshot().limit_changes.environment, 1);
        let not_set = Limiter::new("by-name-both", 1).env("BY_NAME_NOBODY");
        drop(both);
        assert_eq!(limit(&not_set), (6, Source::Environment));
        // The variable that the code names is no limit: that of the name holds, and the other is told.
        let no_limit = Limiter::new("by-name-wrong", 1).env("CARGO_PKG_NAME");
        assert_eq!(limit(&no_limit), (8, Source::Environment));
        drop(permit(&no_limit));
        let told = no_limit.snapshot().warnings;
        let [warning] = &*told else { panic!("{told:?}") };
        assert!(warning.ends_with("; the limit is 8 instead"), "{warning}");
    });
}

#[test]
fn a_variable_that_is_no_limit_is_told_once_and_not_used() {
    let test = "by_name::a_variable_that_is_no_limit_is_told_once_and_not_used";
    let variables = [("LIMIT_BY_NAME_MANY", "many"), ("LIMIT_BY_NAME_SAME", "0")];
    with_variables(test, &variables, || {
        let limiter = Limiter::new("by-name-many", 2);
        drop(permit(&limiter));
        assert_eq!(limit(&limiter), (2, Source::Attribute));
        let expected = "environment variable `LIMIT_BY_NAME_MANY` is \"many\", which is not a whole \
                    number from 1 up; it is not used";
        assert_eq!(limiter.snapshot().warnings, [expected]);

        let same = Limiter::new("by-name-same", 2).env("LIMIT_BY_NAME_SAME");
        drop(permit(&same));
        let told = same.snapshot().warnings;
        assert_eq!(told.len(), 1, "code and name mean the same variable: {told:?}");
    });
}

#[test]
fn a_limiter_that_was_given_a_number_has_a_variable_with_it() {
    let test = "by_name::a_limiter_that_was_given_a_number_has_a_variable_with_it";
    with_variables(test, &[("LIMIT_BY_NAME_TWICE_2", "6")], || {
        let both = [Limiter::new("by-name-twice", 1), Limiter::new("by-name-twice", 1)];
        assert_eq!(both.each_ref().map(limit), [(1, Source::Attribute), (6, Source::Environment)]);
    });
}

#[test]
fn a_name_without_letters_or_digits_of_ascii_has_no_variable() {
    let test = "by_name::a_name_without_letters_or_digits_of_ascii_has_no_variable";
    with_variables(test, &[("LIMIT", "6"), ("LIMIT_", "6")], || {
        for name in ["\u{e4}\u{f6}", "", "::"] {
            assert_eq!(limit(&Limiter::new(name, 2)), (2, Source::Attribute), "{name:?}");
        }
    });
}

#[test]
fn a_limit_from_a_variable_counts_as_a_change_unless_it_is_the_codes() {
    let test = "by_name::a_limit_from_a_variable_counts_as_a_change_unless_it_is_the_codes";
    with_variables(test, &[("LIMIT_BY_NAME_COUNTED", "6")], || {
        for (made, changes) in [(2, 1), (6, 0)] {
            let limiter = Limiter::new("by-name-counted", made);
            assert_eq!(limit(&limiter), (6, Source::Environment));
            assert_eq!(limiter.snapshot().limit_changes.environment, changes);
        }
    });
}

#[test]
fn the_variable_is_in_force_for_the_very_first_call() {
    let test = "by_name::the_variable_is_in_force_for_the_very_first_call";
    with_variables(test, &[("LIMIT_BY_NAME_FIRST", "1")], || {
        let limiter = Limiter::new("by-name-first", 5);
        let held = permit(&limiter);
        limiter.try_acquire().expect_err("there is one");
        drop(held);
        // An expression that panics before the variable is read would be evaluated here.
        let lazy = catch_unwind(|| drop(permit(&Limiter::lazy("by-name-first", || panic!()))));
        assert!(lazy.is_err(), "the name is taken: the other limiter has a number");
        drop(limiter);
        drop(permit(&Limiter::lazy("by-name-first", || panic!("not needed"))));
    });
}

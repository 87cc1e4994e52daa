//! Looking at a limiter that nobody has used: it has no side effects.

use limit_runtime::{Limiter, Source, concurrency_limit, find, limiters};
use limit_tests::polling::permit;
use limit_tests::programs::is_alone_with;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Looks at a limiter in each way that uses nothing.
fn look(limiter: &Limiter) -> (String, Option<usize>) {
    let shown = format!("{limiter:?}");
    assert!(shown.contains(limiter.name()), "{shown}");
    (limiter.name().to_owned(), limiter.limit())
}

#[test]
fn a_limiter_that_was_only_looked_at_is_not_on_the_list() {
    let limiter = Limiter::new("looking-list", 3);
    for _ in 0..2 {
        assert_eq!(look(&limiter), ("looking-list".to_owned(), Some(3)));
    }
    assert!(find("looking-list").is_none());
    assert!(limiters().iter().all(|limiter| limiter.name() != "looking-list"));
    assert_eq!(limiter.snapshot().total.limit, 3);
    assert!(find("looking-list").is_some(), "a snapshot is a use");
}

#[test]
fn a_limiter_that_was_only_looked_at_takes_no_name_from_another() {
    let looked_at = Limiter::new("looking-name", 1);
    look(&looked_at);
    let used = Limiter::new("looking-name", 2);
    drop(permit(&used));
    assert_eq!((used.name(), looked_at.name()), ("looking-name", "looking-name"));
    assert!(used.snapshot().warnings.is_empty());
    drop(permit(&looked_at));
    assert_eq!((used.name(), looked_at.name()), ("looking-name", "looking-name#2"));
}

#[test]
fn a_call_that_nobody_polls_uses_no_limiter() {
    #[concurrency_limit(1, name = "looking-unpolled-function")]
    async fn limited() {}

    let limiter = Limiter::new("looking-unpolled", 1);
    drop((limiter.acquire(), limiter.acquire_many(1), limited()));
    assert!(find("looking-unpolled").is_none());
    assert!(find("looking-unpolled-function").is_none());
}

#[test]
fn looking_reads_no_variable() {
    let prepare = |command: &mut std::process::Command| {
        command.env("LIMIT_LOOKING_VARIABLE", "7").env("LIMIT_LOOKED_AT", "8");
    };
    if !is_alone_with("looking::looking_reads_no_variable", prepare) {
        return;
    }
    for (limiter, limit) in [
        (Limiter::new("looking variable", 3), 7),
        (Limiter::new("looking-named", 3).env("LIMIT_LOOKED_AT"), 8),
    ] {
        assert_eq!(look(&limiter).1, Some(3), "that of the code");
        let settings = limiter.snapshot().settings;
        assert_eq!((settings.limit.value, settings.limit.source), (limit, Source::Environment));
        assert_eq!(look(&limiter).1, Some(limit), "from the first use on");
    }
}

#[test]
fn looking_runs_no_expression() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);

    let limiter = Limiter::lazy("looking-lazy", || RUNS.fetch_add(1, Ordering::SeqCst) + 5);
    assert_eq!(look(&limiter).1, None);
    let handle = {
        assert_eq!(limiter.snapshot().total.limit, 0, "nobody has needed it");
        find("looking-lazy").expect("a snapshot is a use")
    };
    assert_eq!((look(&limiter).1, handle.limit()), (None, None));
    assert_eq!(RUNS.load(Ordering::SeqCst), 0);

    limiter.set_limit(2);
    assert_eq!((look(&limiter).1, handle.limit()), (Some(2), Some(2)));
    limiter.reset();
    assert_eq!((look(&limiter).1, handle.limit()), (None, None));
    assert_eq!(RUNS.load(Ordering::SeqCst), 0, "nobody needs it yet");

    drop(permit(&limiter));
    assert_eq!((look(&limiter).1, handle.limit()), (Some(5), Some(5)));
    assert_eq!(RUNS.load(Ordering::SeqCst), 1);
}

#[test]
fn an_expression_may_look_at_the_limiter_that_it_is_for() {
    static LIMITER: Limiter = Limiter::lazy("looking-at-itself", || {
        assert_eq!((LIMITER.name(), LIMITER.limit()), ("looking-at-itself", None));
        LIMITER.snapshot().total.limit + 2
    });

    drop([permit(&LIMITER), permit(&LIMITER)]);
    assert_eq!(LIMITER.limit(), Some(2));
}

#[test]
fn a_limiter_that_was_only_looked_at_can_still_be_given_options() {
    let limiter = Limiter::new("looking-setters", 1);
    look(&limiter);
    let limiter = limiter.max_waiting(3).max_wait(Duration::from_secs(1)).priority(2);
    let settings = limiter.snapshot().settings;
    assert_eq!(settings.max_waiting.value, Some(3));
    assert_eq!(settings.max_wait.value, Some(Duration::from_secs(1)));
}

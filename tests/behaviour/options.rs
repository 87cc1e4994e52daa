//! The options of the attribute. The files that are named after policies test the same policies
//! through [`Limiter`]. The tests here show that the attribute passes every option on, and test the
//! options that only the attribute has: `on_reject`, `permit` and `blocking`.

mod blocking;
mod io_errors;
mod keys;
mod permits;
mod refusals;
mod waiting;

use limit_runtime::{Figures, Limiter, Rejected, RejectedKind, concurrency_limit};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_test::assert_ready;
use tokio_test::task::{self, Spawn};

/// Returns the figures of a function's own limiter.
fn figures(name: &str) -> Figures {
    limit_runtime::find(name).expect("the limiter is in use").snapshot().total
}

/// Returns how many permits are out.
fn in_use(limiter: &Limiter) -> usize {
    limiter.snapshot().total.in_use
}

/// Polls a call once and asserts that it has not ended, because it runs its body.
#[track_caller]
fn in_its_body<F: Future>(future: F) -> Spawn<F> {
    let mut call = task::spawn(future);
    assert!(call.poll().is_pending());
    call
}

#[test]
fn a_call_that_is_not_enabled_is_let_in_whatever_the_limit_and_counted() {
    #[concurrency_limit(1, enabled = enabled, name = "options-enabled")]
    async fn limited(enabled: bool) {
        std::future::pending::<()>().await;
    }

    let mut inside = [task::spawn(limited(true)), task::spawn(limited(false))];
    for call in &mut inside {
        assert!(call.poll().is_pending());
    }
    let total = figures("options-enabled");
    assert_eq!((total.in_use, total.waiting, total.admitted_at_once), (1, 0, 2));
    let mut waiter = task::spawn(limited(true));
    assert!(waiter.poll().is_pending());
    assert_eq!(figures("options-enabled").waiting, 1);
}

#[test]
fn a_call_that_is_not_enabled_is_not_refused() {
    #[concurrency_limit(1, max_waiting = 0, weight = weight, enabled = weight != 9)]
    async fn limited(weight: u32) -> Result<u32, Rejected> {
        Ok(weight)
    }

    assert_eq!(assert_ready!(task::spawn(limited(9)).poll()).unwrap(), 9);
    let rejected = assert_ready!(task::spawn(limited(8)).poll()).unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::TooHeavy);
}

#[test]
fn a_limit_in_shadow_neither_waits_nor_refuses_and_counts_what_it_would_have_done() {
    #[concurrency_limit(2, shadow, max_waiting = 1, weight = weight, name = "options-shadow")]
    async fn limited(weight: u32) -> u32 {
        tokio::task::yield_now().await;
        weight
    }

    let mut calls: Vec<_> = [1, 1, 1, 1, 3].into_iter().map(|w| task::spawn(limited(w))).collect();
    for call in &mut calls {
        assert!(call.poll().is_pending(), "it is in its body");
    }
    let total = figures("options-shadow");
    assert_eq!((total.admitted_at_once, total.waiting), (5, 0));
    let shadowed = total.shadowed;
    assert_eq!(shadowed.waited, 1);
    assert_eq!((shadowed.rejected.queue_full, shadowed.rejected.too_heavy), (1, 1));
    for (call, weight) in calls.iter_mut().zip([1, 1, 1, 1, 3]) {
        assert_eq!(assert_ready!(call.poll()), weight);
    }
    assert_eq!(figures("options-shadow").in_use, 0);
}

#[test]
fn the_arguments_of_options_are_evaluated_on_the_first_poll_in_the_order_written() {
    static LIMITER: Limiter = Limiter::new("options-order-of-evaluation", 9);

    fn next(counter: &AtomicUsize, expected: usize) -> usize {
        assert_eq!(counter.fetch_add(1, Ordering::Relaxed), expected);
        expected
    }

    #[concurrency_limit(
        priority = u8::try_from(next(counter, 0)).unwrap(),
        weight = u32::try_from(next(counter, 1)).unwrap(),
        limiter = { next(counter, 2); &LIMITER },
        enabled = next(counter, 3) == 3,
        max_wait = std::time::Duration::from_secs(next(counter, 4) as u64)
    )]
    async fn limited(counter: &AtomicUsize) -> Option<usize> {
        Some(next(counter, 5))
    }

    let counter = AtomicUsize::new(0);
    let mut call = task::spawn(limited(&counter));
    assert_eq!(counter.load(Ordering::Relaxed), 0, "nothing before the first poll");
    assert_eq!(assert_ready!(call.poll()), Some(5));
}

#[test]
fn an_existing_limiter_that_is_off_can_be_on_for_a_call_with_its_weight() {
    static LIMITER: Limiter = Limiter::new("options-off", 4).enabled(false);

    #[concurrency_limit(limiter = LIMITER, weight = 3, enabled = on)]
    async fn limited(on: bool) -> Option<usize> {
        Some(LIMITER.snapshot().total.in_use)
    }

    assert_eq!(assert_ready!(task::spawn(limited(true)).poll()), Some(3));
    assert_eq!(assert_ready!(task::spawn(limited(false)).poll()), Some(0));
}

#[test]
fn every_option_has_an_example_in_the_guide_and_a_line_in_the_readme() {
    let list = include_str!("../../limit-macros/src/args/options.rs");
    let guide = include_str!("../../limit-runtime/src/guide/options.rs");
    let readme = include_str!("../../README.md");
    let (text, _) = readme.split_once(" make calls refusable").expect("the sentence");
    let (_, refusing) = text.rsplit_once("Only").expect("its start");

    let mut missing = Vec::new();
    for row in list.split("\n        name: \"").skip(1) {
        let (name, rule) = row.split_once('"').expect("the end of the name");
        let is_word = |text: &str| {
            text.split(|c| c != '_' && !char::is_alphanumeric(c)).any(|word| word == name)
        };
        // Examples are tests: one that uses the option shows that the limiter has its setter.
        let is_use = |line: &str| line.contains("concurrency_limit(") && is_word(line);
        let heading = format!("`{name}`\n");
        let mut sections = guide.split("\n//! ## ").filter_map(|text| text.strip_prefix(&heading));
        if !sections.any(|section| section.lines().any(is_use)) {
            missing.push(format!("a section of `{name}` with an example in guide/options.rs"));
        }
        if ![" = ", "` |"].iter().any(|end| readme.contains(&format!("\n| `{name}{end}"))) {
            missing.push(format!("a line for `{name}` in the README's table"));
        }
        if is_word(refusing) != rule.split("\n    }").next().expect("it").contains("CanRefuse") {
            missing.push(format!("the README's sentence on refusals is wrong about `{name}`"));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

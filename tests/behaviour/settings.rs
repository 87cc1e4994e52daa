//! Settings that change while the program runs, and their sources.

mod sources;
mod values;

use limit_runtime::{
    KeyedLimiter, Limiter, Rejected, RejectedKind, Setting, Source, concurrency_limit, find,
};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, permit, refused, served, waiter};
use limit_tests::runtimes::one_thread;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::Instant;
use tokio_test::{assert_ready, task};

const MS: Duration = Duration::from_millis(1);

fn of<T: Copy>(setting: Setting<T>) -> (T, Source) {
    (setting.value, setting.source)
}

#[test]
fn a_snapshot_says_what_is_in_force_and_who_has_set_it() {
    let limiter =
        Limiter::new("settings-snapshot", 3).max_waiting(7).max_wait(5 * MS).claim_within(2 * MS);
    let settings = limiter.snapshot().settings;
    assert_eq!(of(settings.limit), (3, Source::Attribute));
    assert_eq!(of(settings.max_waiting), (Some(7), Source::Attribute));
    assert_eq!(of(settings.max_wait), (Some(5 * MS), Source::Attribute));
    assert_eq!(of(settings.claim_within), (Some(2 * MS), Source::Attribute));
    assert_eq!(of(settings.enabled), (true, Source::Attribute));
    assert_eq!(of(settings.shadow), (false, Source::Attribute));

    limiter.set_limit(4);
    limiter.set_max_waiting(8);
    limiter.set_max_wait(6 * MS);
    limiter.set_claim_within(3 * MS);
    limiter.set_enabled(false);
    limiter.set_shadow(true).expect("it was not made one");
    let settings = limiter.snapshot().settings;
    assert_eq!(of(settings.limit), (4, Source::Live));
    assert_eq!(of(settings.max_waiting), (Some(8), Source::Live));
    assert_eq!(of(settings.max_wait), (Some(6 * MS), Source::Live));
    assert_eq!(of(settings.claim_within), (Some(3 * MS), Source::Live));
    assert_eq!(of(settings.enabled), (false, Source::Live));
    assert_eq!(of(settings.shadow), (true, Source::Live));
    assert_eq!(limiter.snapshot().limit_changes.live, 1);

    limiter.reset();
    let settings = limiter.snapshot().settings;
    assert_eq!(of(settings.limit), (3, Source::Attribute));
    assert_eq!(of(settings.max_waiting), (Some(7), Source::Attribute));
    assert_eq!(of(settings.max_wait), (Some(5 * MS), Source::Attribute));
    assert_eq!(of(settings.claim_within), (Some(2 * MS), Source::Attribute));
    assert_eq!(of(settings.enabled), (true, Source::Attribute));
    assert_eq!(of(settings.shadow), (false, Source::Attribute));
    assert_eq!(limiter.snapshot().limit_changes.live, 2);

    let plain = Limiter::new("settings-plain", 3).snapshot().settings;
    assert_eq!((plain.max_waiting.value, plain.max_wait.value), (None, None));
    assert_eq!(plain.claim_within.value, Some(Duration::from_secs(1)));
}

#[test]
fn the_time_to_claim_a_grant_can_be_set_for_each_limiter_and_be_none() {
    let (plain, keyed) =
        (Limiter::new("settings-claim", 1), Limiter::new("settings-claim-keyed", 1).keyed());
    let shadow = Limiter::new("settings-claim-shadow", 1).claim_within(2 * MS).shadow();
    assert_eq!(of(shadow.snapshot().settings.claim_within), (Some(2 * MS), Source::Attribute));
    keyed.set_claim_within(Duration::MAX);
    assert_eq!(of(keyed.snapshot().settings.claim_within), (None, Source::Live));
    plain.set_claim_within(Duration::ZERO);
    let least = Some(Duration::from_nanos(1));
    assert_eq!(of(plain.snapshot().settings.claim_within), (least, Source::Live));
    let handle = find("settings-claim").expect("it is in use");
    handle.set_claim_within(4 * MS);
    assert_eq!(of(handle.settings().claim_within), (Some(4 * MS), Source::Live));
    handle.reset();
    assert_eq!(handle.settings().claim_within.value, Some(Duration::from_secs(1)));
    let never = Limiter::new("settings-claim-never", 1).claim_within(Duration::MAX);
    assert_eq!(of(never.snapshot().settings.claim_within), (None, Source::Attribute));
}

#[test]
fn the_time_to_claim_a_grant_stands_in_an_attribute_beside_all_others() {
    const TIME: Duration = Duration::from_millis(7);

    #[concurrency_limit(1, claim_within = "2m", scope = process, max_waiting = 1, name = "claim-1")]
    async fn literal() -> Option<()> {
        Some(())
    }
    #[concurrency_limit(1, claim_within = TIME, key = key, total = 2, per = "1ms", name = "claim-2")]
    async fn constant(key: u8) -> u8 {
        key
    }
    #[concurrency_limit(1, order = lifo, claim_within = never, shadow, name = "claim-3")]
    async fn never() {}
    #[concurrency_limit(1, scope = fleet, claim_within = "3s", priority = 1, name = "claim-4")]
    async fn fleet() {}
    #[concurrency_limit(1, blocking, claim_within = "4s", enabled = false, name = "claim-5")]
    fn blocking() {}

    one_thread().block_on(async {
        literal().await.expect("it is free");
        assert_eq!(constant(1).await, 1);
        never().await;
        fleet().await;
        blocking().await;
    });
    let of_name = |name| find(name).expect("it is in use").settings().claim_within.value;
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let all = ["claim-1", "claim-2", "claim-3", "claim-4", "claim-5"].map(of_name);
    assert_eq!(all, [seconds(120), Some(TIME), None, seconds(3), seconds(4)]);
}

#[test]
fn a_bound_that_is_changed_holds_for_the_calls_that_come() {
    let limiter = Limiter::new("settings-max-waiting", 1).max_waiting(2);
    let held = limiter.try_acquire().expect("a permit is free");
    let mut first = waiter(limiter.acquire());
    let mut second = waiter(limiter.acquire());
    limiter.set_max_waiting(1);
    assert!(!first.is_woken() && !second.is_woken(), "who waits goes on waiting");
    let mut refused = task::spawn(limiter.acquire());
    assert_eq!(assert_ready!(refused.poll()).unwrap_err().kind(), RejectedKind::QueueFull);
    limiter.set_max_waiting(3);
    let third = waiter(limiter.acquire());
    drop(held);
    drop(served(&mut first));
    drop(served(&mut second));
    drop(third);
    let total = limiter.snapshot().total;
    assert_eq!((total.in_use, total.waiting, total.rejected.queue_full), (0, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_changed_holds_for_calls_that_begin_to_wait() {
    let limiter = Limiter::new("settings-max-wait", 1).max_wait(10 * MS);
    let _held = limiter.try_acquire().expect("a permit is free");
    let waited = async || {
        let start = Instant::now();
        let kind = limiter.acquire().await.unwrap_err().kind();
        (kind, start.elapsed())
    };
    let before = waited();
    let mut before = task::spawn(before);
    assert!(before.poll().is_pending());
    limiter.set_max_wait(30 * MS);
    assert_eq!(before.await, (RejectedKind::TimedOut, 10 * MS), "it had begun to wait before");
    assert_eq!(waited().await, (RejectedKind::TimedOut, 30 * MS));
    limiter.set_max_wait(Duration::ZERO);
    assert_eq!(waited().await, (RejectedKind::NoPermits, Duration::ZERO));
    let start = Instant::now();
    let said = limiter.acquire().max_wait(5 * MS).weight(1).await;
    assert_eq!(said.unwrap_err().kind(), RejectedKind::TimedOut);
    assert_eq!(start.elapsed(), 5 * MS, "what a call says itself holds");
    limiter.reset();
    assert_eq!(waited().await, (RejectedKind::TimedOut, 10 * MS));
}

#[tokio::test(start_paused = true)]
async fn a_span_in_an_attribute_can_be_changed_and_an_expression_cannot() {
    #[concurrency_limit(1, max_wait = "10ms", name = "settings-span")]
    async fn span() -> Result<(), Rejected> {
        std::future::pending().await
    }

    #[concurrency_limit(1, max_wait = wait, name = "settings-expression")]
    async fn expression(wait: Duration) -> Result<(), Rejected> {
        std::future::pending().await
    }

    let mut held = (task::spawn(span()), task::spawn(expression(MS)));
    assert!(held.0.poll().is_pending() && held.1.poll().is_pending());
    let handle = find("settings-span").expect("it has been used");
    handle.set_max_wait(30 * MS).expect("its calls can be refused");
    let start = Instant::now();
    assert_eq!(span().await.unwrap_err().waited(), 30 * MS);
    handle.set_max_waiting(0).expect("its calls can be refused");
    assert_eq!(span().await.unwrap_err().kind(), RejectedKind::QueueFull);
    assert_eq!(start.elapsed(), 30 * MS);

    let handle = find("settings-expression").expect("it has been used");
    let unsupported = handle.set_max_wait(30 * MS).unwrap_err();
    assert_eq!((unsupported.limiter(), unsupported.setting()), ("settings-expression", "max_wait"));
    assert_eq!(expression(7 * MS).await.unwrap_err().waited(), 7 * MS);
}

#[test]
fn what_does_not_fit_a_limiter_is_an_error_and_changes_nothing() {
    let plain = Limiter::new("settings-unsupported", 1);
    let before = plain.snapshot();
    let handle = find("settings-unsupported").expect("it has been used");
    let error = handle.set_max_waiting(3).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`max_waiting` cannot be set for concurrency limit `settings-unsupported`: its calls cannot \
         be told that they are refused; give the attribute `max_waiting` or `max_wait`, or make the \
         limiter with one of them"
    );
    assert_eq!(handle.set_max_wait(MS).unwrap_err().setting(), "max_wait");
    assert_eq!(plain.snapshot(), before);

    let shadow = Limiter::new("settings-shadow-made", 1).max_waiting(0).shadow();
    let _first = shadow.try_acquire().expect("a shadow refuses nobody");
    assert_eq!(shadow.set_shadow(false).unwrap_err().setting(), "shadow");
    shadow.set_shadow(true).expect("it is one");
    let mut second = task::spawn(shadow.acquire());
    drop(assert_ready!(second.poll()));
}

#[test]
fn a_limit_that_does_not_hold_lets_everybody_in_who_waits_and_who_comes() {
    let limiter = Limiter::new("settings-enabled", 1);
    let held = permit(&limiter);
    let mut waits = waiter(limiter.acquire());
    limiter.set_enabled(false);
    let let_in = served(&mut waits);
    assert_figures(&limiter, 1, 0);
    let more = [permit(&limiter), permit(&limiter)];
    assert_figures(&limiter, 1, 0);
    assert_eq!(total(&limiter).admitted_at_once, 4, "they are counted");
    limiter.set_enabled(true);
    let mut waits = waiter(limiter.acquire());
    drop((let_in, more));
    assert_waits(&mut waits);
    drop(held);
    drop(served(&mut waits));
    assert_all_free(&limiter);
}

#[test]
fn a_shadow_lets_everybody_in_and_back_in_force_waits_for_what_is_over() {
    let limiter = Limiter::new("settings-shadow", 1).max_waiting(1);
    let held = limiter.try_acquire().expect("a permit is free");
    let mut waits = waiter(limiter.acquire());
    limiter.set_shadow(true).expect("it was not made one");
    let let_in = served(&mut waits).expect("a shadow refuses nobody");
    let mut none = task::spawn(limiter.acquire());
    let none = assert_ready!(none.poll()).expect("a shadow refuses nobody");
    let total = limiter.snapshot().total;
    assert_eq!((total.in_use, total.shadowed.waited), (2, 1));
    assert_eq!(total.shadowed.rejected.queue_full, 1);
    limiter.set_shadow(false).expect("it was not made one");
    let mut waits = waiter(limiter.acquire());
    drop((held, none));
    assert!(!waits.is_woken(), "one too many is still out");
    drop(let_in);
    drop(served(&mut waits).expect("it is admitted"));
    let total = limiter.snapshot().total;
    assert_eq!((total.in_use, total.waiting, total.rejected.total()), (0, 0, 0));
}

#[test]
fn with_keys_a_shadow_and_a_limit_that_does_not_hold_let_all_of_them_in() {
    let limiter: KeyedLimiter = Limiter::new("settings-keyed", 1).keyed().total(2);
    for shadow in [true, false] {
        let held = [1, 2].map(|key| limiter.key(key).try_acquire().expect("a permit is free"));
        let mut calls = [1, 2, 3].map(|key| waiter(limiter.key(key).acquire()));
        let set = |on| {
            if shadow {
                limiter.set_shadow(on).expect("it was not made one");
            } else {
                limiter.set_enabled(!on);
            }
        };
        set(true);
        let permits: Vec<_> = calls.iter_mut().map(served).collect();
        set(false);
        assert!(limiter.key(1).try_acquire().is_err());
        drop((held, permits));
        let total = limiter.snapshot().total;
        assert_eq!((total.in_use, total.waiting, total.keys), (0, 0, 0));
    }
}

#[test]
fn settings_hold_for_all_runtimes_those_alive_and_those_to_come() {
    static LIMITER: Limiter<Rejected> = Limiter::new("settings-runtimes", 1).max_waiting(5);
    let kind = || {
        let held = LIMITER.try_acquire().expect("a permit is free");
        let mut call = task::spawn(LIMITER.acquire());
        let polled = call.poll();
        drop(held);
        polled.map(|result| result.map(drop).map_err(|rejected| rejected.kind()))
    };
    let alive = one_thread();
    assert!(alive.block_on(async { kind() }).is_pending());
    LIMITER.set_max_waiting(0);
    let refused = Err(RejectedKind::QueueFull);
    assert_eq!(assert_ready!(alive.block_on(async { kind() })), refused);
    assert_eq!(assert_ready!(one_thread().block_on(async { kind() })), refused);
    LIMITER.set_enabled(false);
    assert_eq!(assert_ready!(alive.block_on(async { kind() })), Ok(()));
    assert_eq!(assert_ready!(one_thread().block_on(async { kind() })), Ok(()));
    LIMITER.reset();
    assert!(alive.block_on(async { kind() }).is_pending());
}

#[test]
fn a_limit_that_was_found_out_is_in_force_again_after_a_reset() {
    static LIMITER: Limiter = Limiter::lazy("settings-lazy", || 3);
    drop(LIMITER.try_acquire().expect("a permit is free"));
    LIMITER.set_limit(8);
    assert_eq!((LIMITER.limit(), total(&LIMITER).limit), (Some(8), 8));
    LIMITER.reset();
    assert_eq!((LIMITER.limit(), total(&LIMITER).limit), (Some(3), 3));
    assert_all_free(&LIMITER);
}

#[test]
fn a_limit_set_to_what_it_is_counts_as_no_change() {
    let limiter = Limiter::new("settings-same", 1);
    limiter.set_limit(2);
    limiter.set_limit(2);
    limiter.set_limit(3);
    let changes = limiter.snapshot().limit_changes;
    assert_eq!((changes.file, changes.environment, changes.live), (0, 0, 2));

    let limiter = Limiter::new("settings-same-as-made", 3);
    limiter.set_limit(3);
    assert_eq!(of(limiter.snapshot().settings.limit), (3, Source::Live));
    limiter.reset();
    assert_eq!(limiter.snapshot().limit_changes.live, 0);
}

/// Returns the limit of a runtime, from the refusal of a call that wants more.
fn limit_in(runtime: &Runtime, limiter: &Limiter) -> usize {
    runtime.block_on(async { refused(limiter.acquire_many(1_000)).limit() })
}

#[test]
fn after_a_reset_each_runtime_has_the_limit_that_it_found_out() {
    static NEXT: AtomicUsize = AtomicUsize::new(3);
    static LIMITER: Limiter =
        Limiter::lazy("settings-lazy-each", || NEXT.fetch_add(1, Ordering::Relaxed));
    let (first, second, third) = (one_thread(), one_thread(), one_thread());
    let limit = |runtime: &Runtime| limit_in(runtime, &LIMITER);
    assert_eq!([limit(&first), limit(&second)], [3, 4]);
    LIMITER.set_limit(8);
    assert_eq!([limit(&first), limit(&third)], [8, 8]);
    LIMITER.reset();
    assert_eq!([limit(&first), limit(&second), limit(&third)], [3, 4, 4]);
    let handle = find("settings-lazy-each").expect("it has been used");
    assert_eq!((handle.limit(), total(&LIMITER).limit), (Some(4), 4));
}

#[test]
fn a_limit_that_was_set_before_it_was_found_out_is_found_out_at_a_reset() {
    static LIMITER: Limiter = Limiter::lazy("settings-lazy-late", || 0);
    LIMITER.set_limit(8);
    drop(LIMITER.try_acquire().expect("a permit is free"));
    LIMITER.reset();
    assert_eq!((LIMITER.limit(), total(&LIMITER).limit), (Some(0), 0));
    assert!(LIMITER.try_acquire().is_err());
    let warnings = LIMITER.snapshot().warnings;
    assert_eq!(warnings, ["the limit is 0: every call waits until it is raised"]);
    LIMITER.set_limit(1);
    LIMITER.reset();
    assert_eq!(LIMITER.snapshot().warnings.len(), 1, "it is told once");
}

#[test]
fn a_runtime_that_has_found_nothing_out_has_not_what_one_before_it_found() {
    static NEXT: AtomicUsize = AtomicUsize::new(3);
    static LIMITER: Limiter =
        Limiter::lazy("settings-lazy-before", || NEXT.fetch_add(1, Ordering::Relaxed));
    let limit = |runtime: &Runtime| limit_in(runtime, &LIMITER);
    let (first, second) = (one_thread(), one_thread());
    assert_eq!([limit(&first), limit(&second)], [3, 4]);
    drop(first);
    LIMITER.set_limit(8);
    // Several limiters, because one of them reuses the storage of the first.
    let later = [(); 16].map(|()| one_thread());
    for runtime in &later {
        runtime.block_on(async { drop(LIMITER.try_acquire()) });
    }
    LIMITER.reset();
    for runtime in &later {
        assert_eq!(limit(runtime), 4, "the last that was found out");
    }
}

#[test]
fn an_expression_is_not_evaluated_before_the_first_use() {
    static EVALUATED: AtomicUsize = AtomicUsize::new(0);
    static LIMITER: Limiter =
        Limiter::lazy("settings-lazy-unused", || EVALUATED.fetch_add(1, Ordering::Relaxed) + 1);
    LIMITER.set_limit(8);
    LIMITER.reset();
    assert_eq!((EVALUATED.load(Ordering::Relaxed), LIMITER.limit()), (0, None));
    drop(LIMITER.try_acquire().expect("a permit is free"));
    assert_eq!((EVALUATED.load(Ordering::Relaxed), LIMITER.limit()), (1, Some(1)));
}

#[test]
fn a_handle_changes_what_its_limiter_does_as_long_as_there_is_one() {
    let limiter = Limiter::new("settings-handle", 1).max_waiting(1);
    let before = limiter.snapshot().settings;
    let handle = find("settings-handle").expect("it has been used");
    handle.set_limit(4);
    handle.set_max_waiting(8).expect("its calls can be refused");
    handle.set_max_wait(6 * MS).expect("its calls can be refused");
    handle.set_claim_within(3 * MS);
    handle.set_enabled(false);
    handle.set_shadow(true).expect("it was not made one");
    let settings = limiter.snapshot().settings;
    assert_eq!(of(settings.limit), (4, Source::Live));
    assert_eq!(of(settings.max_waiting), (Some(8), Source::Live));
    assert_eq!(of(settings.max_wait), (Some(6 * MS), Source::Live));
    assert_eq!(of(settings.claim_within), (Some(3 * MS), Source::Live));
    assert_eq!(of(settings.enabled), (false, Source::Live));
    assert_eq!(of(settings.shadow), (true, Source::Live));
    handle.reset();
    assert_eq!(limiter.snapshot().settings, before);
    drop(limiter);
    handle.set_limit(9);
    assert_eq!((handle.limit(), handle.snapshot().settings), (Some(1), before));
}

#[tokio::test(start_paused = true)]
async fn the_longest_span_replaces_a_shorter_one() {
    let limiter = Limiter::new("settings-longest", 1).max_wait(10 * MS);
    let held = limiter.try_acquire().expect("a permit is free");
    limiter.set_max_wait(Duration::MAX);
    let mut call = task::spawn(limiter.acquire());
    assert!(call.poll().is_pending());
    tokio::time::advance(Duration::from_secs(1_000_000)).await;
    assert!(call.poll().is_pending());
    drop(held);
    drop(assert_ready!(call.poll()).expect("it is admitted"));
}

#[test]
fn what_is_left_to_calls_that_have_no_limit_is_not_shown_as_one() {
    let limiter = Limiter::new("settings-disabled", 1).enabled(false);
    limiter.set_enabled(true);
    let _permits = [permit(&limiter), permit(&limiter)];
    assert_eq!(of(limiter.snapshot().settings.enabled), (false, Source::Attribute));
    limiter.set_enabled(false);
    assert_eq!(of(limiter.snapshot().settings.enabled), (false, Source::Live));
}

#[test]
fn a_closed_limiter_lets_calls_in_while_it_is_not_enabled() {
    let limiter = Limiter::new("settings-closed", 1).max_waiting(5);
    limiter.close();
    assert!(limiter.try_acquire().is_err());
    limiter.set_enabled(false);
    drop(limiter.try_acquire().expect("the limit does not hold"));
    limiter.set_enabled(true);
    assert_eq!(limiter.try_acquire().unwrap_err().kind(), RejectedKind::Closed);
}

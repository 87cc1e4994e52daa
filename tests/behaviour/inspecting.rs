//! The module `inspect`: what an exporter of one's own can rely on.

mod keys;
mod ongoing;
mod stalled;

use limit_runtime::inspect::{
    self, Counters, DroppedName, KeyReading, LimiterReading, RuntimeReading,
};
use limit_runtime::{
    KeyedLimiter, Limiter, LimiterHandle, Rejected, RejectedKind, Scope, Source, concurrency_limit,
    find,
};
use limit_tests::polling::{at_once, let_in, permit, refused, served, waiter};
use limit_tests::runtimes::{one_thread, workers};
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::advance;
use tokio_test::{assert_pending, assert_ready, task};

const MS: Duration = Duration::from_millis(1);

/// Returns the handle of a limiter that is in use.
fn handle(name: &str) -> LimiterHandle {
    find(name).expect("it is in use")
}

fn read(name: &str) -> LimiterReading {
    inspect::read(&handle(name))
}

/// Returns the counters of a name that no limiter has any more.
fn dropped(name: &str) -> Option<DroppedName> {
    inspect::inventory().dropped.into_iter().find(|dropped| &*dropped.name == name)
}

/// Adds up the parts of a reading.
fn sum(parts: &[RuntimeReading]) -> Counters {
    let mut sum = Counters::default();
    for part in parts {
        sum.add(&part.counters);
    }
    sum
}

/// Returns what of the counters can be compared.
fn counts(counters: &Counters) -> (u64, u64, u64, u64, usize) {
    (
        counters.admitted_at_once,
        counters.admitted_after_waiting(),
        counters.cancelled,
        counters.rejected.total(),
        counters.most_waiting,
    )
}

/// Makes one call of each sort: admitted at once, after waiting, cancelled, and refused.
fn call_each(limiter: &Limiter<Rejected>) {
    let held = let_in(limiter.acquire());
    let mut waits = waiter(limiter.acquire());
    drop(waiter(limiter.acquire()));
    limiter.try_acquire().expect_err("no permit is free");
    drop(held);
    drop(served(&mut waits).expect("it is admitted"));
}

#[tokio::test(start_paused = true)]
async fn a_reading_has_the_figures_of_a_snapshot_and_whole_histograms() {
    let limiter = Limiter::new("inspecting-figures", 2).max_waiting(9).scope(Scope::Process);
    let held = (let_in(limiter.acquire()), let_in(limiter.acquire()));
    let mut waits = waiter(limiter.acquire());
    let behind = waiter(limiter.acquire());
    advance(30 * MS).await;
    drop(held.0);
    let late = served(&mut waits).expect("it is admitted");
    refused(limiter.acquire().weight(3));
    limiter.set_limit(1);
    limiter.close();
    let (reading, snapshot) = (read("inspecting-figures"), limiter.snapshot());
    assert_eq!(&*reading.name, "inspecting-figures");
    assert_eq!((reading.scope, reading.settings), (Scope::Process, snapshot.settings));
    assert!(reading.is_closed && !reading.is_dropped && !reading.is_keyed);
    let usage = reading.usage;
    assert_eq!((usage.limit, usage.in_use, usage.waiting, usage.keys), (1, 2, 0, 0));
    let counters = &reading.totals.counters;
    assert_eq!(counts(counters), (2, 1, 0, 2, 2));
    assert_eq!(counters.rejected, snapshot.total.rejected);
    let waits = counters.waits().expect("a call has waited");
    assert_eq!((waits.count(), waits.total()), (1, 30 * MS));
    assert_eq!(waits.times(), snapshot.total.wait);
    assert_eq!(reading.totals.limit_changes.by(Source::Live), 1);
    assert!(reading.inherited.is_none());
    drop((held.1, late, behind));
    assert_eq!(read("inspecting-figures").usage.in_use, 0);
}

#[test]
fn counters_of_a_name_go_on_when_a_limiter_is_dropped_and_another_takes_the_name() {
    let name = "inspecting-name";
    let mut ids = Vec::new();
    for round in 1..=4 {
        let limiter = Limiter::new(name, 1).max_waiting(5);
        drop(limiter.snapshot());
        if round > 1 {
            let reading = read(name);
            let inherited = reading.inherited.as_ref().expect("others had the name");
            assert_eq!(
                counts(&inherited.counters),
                (round - 1, round - 1, round - 1, round - 1, 2)
            );
            assert_eq!(counts(&reading.totals.counters), counts(&inherited.counters));
            assert_eq!(inherited.limit_changes.live, round - 1);
            assert_eq!(counts(&sum(&reading.by_runtime)), (0, 0, 0, 0, 0), "its own alone");
        }
        assert!(dropped(name).is_none(), "each name is there once");
        call_each(&limiter);
        limiter.set_limit(2);
        let last = handle(name);
        let reading = inspect::read(&last);
        assert_eq!(counts(&reading.totals.counters), (round, round, round, round, 2));
        let mut own = reading.totals.counters.clone();
        if let Some(inherited) = &reading.inherited {
            own.subtract(&inherited.counters);
        }
        assert_eq!(counts(&own), counts(&sum(&reading.by_runtime)));
        assert_eq!(limiter.snapshot().total.admitted_at_once, 1, "a snapshot is of one limiter");
        assert!(!ids.contains(&reading.id));
        ids.push(reading.id);
        drop(limiter);

        let gone = dropped(name).expect("its counters are kept");
        assert_eq!(counts(&gone.totals.counters), counts(&reading.totals.counters));
        assert_eq!(gone.totals.limit_changes, reading.totals.limit_changes);
        let stale = inspect::read(&last);
        assert!(stale.is_dropped && stale.id == reading.id);
        assert_eq!(counts(&stale.totals.counters), counts(&reading.totals.counters));
        assert_eq!((stale.usage.in_use, stale.live_runtimes), (0, 0));
    }
}

#[test]
fn a_handle_of_a_dropped_limiter_does_not_read_the_next_one() {
    let name = "inspecting-stale";
    let limiter = Limiter::new(name, 1).max_waiting(5);
    call_each(&limiter);
    let stale = handle(name);
    let (held, id) = (let_in(limiter.acquire()), inspect::read(&stale).id);
    drop(limiter);
    let next = Limiter::new(name, 1).max_waiting(5);
    call_each(&next);
    next.set_limit(3);
    let _next_held = let_in(next.acquire());
    for _ in 0..2 {
        let reading = inspect::read(&stale);
        assert!(reading.is_dropped && reading.id == id);
        assert_eq!(counts(&reading.totals.counters), (2, 1, 1, 1, 2));
    }
    drop(held);
    let reading = read(name);
    assert!(!reading.is_dropped && reading.id != id);
    assert_eq!((reading.usage.in_use, reading.settings.limit.value), (1, 3));
    // Each has admitted two at once: while `held` was out, nothing of it was lost or counted twice.
    assert_eq!(reading.totals.counters.admitted_at_once, 2 + 2);
}

#[test]
fn counters_go_on_when_a_runtime_ends_and_pass_to_the_part_of_those_that_ended() {
    static LIMITER: Limiter<Rejected> = Limiter::new("inspecting-runtimes", 1).max_waiting(5);
    let name = "inspecting-runtimes";

    let [first, second] = [one_thread(), one_thread()];
    first.block_on(async { call_each(&LIMITER) });
    second.block_on(async {
        call_each(&LIMITER);
        call_each(&LIMITER);
    });
    // The call outside of a runtime counts for the process, whose number is 0.
    call_each(&LIMITER);
    let before = read(name);
    let [process, one, two, ended] = &before.by_runtime[..] else { panic!("{before:?}") };
    assert_eq!((process.runtime, ended.runtime), (Some(0), None));
    assert!(one.runtime > Some(0) && two.runtime > one.runtime);
    let live = inspect::live_runtimes();
    assert!(
        [process, one, two].iter().all(|part| part.runtime.is_some_and(|it| live.contains(&it)))
    );
    let each = [process, one, two, ended].map(|part| part.counters.admitted_at_once);
    assert_eq!(each, [1, 1, 2, 0]);
    assert_eq!(counts(&sum(&before.by_runtime)), counts(&before.totals.counters));
    assert_eq!((before.live_runtimes, before.capacity, before.usage.limit), (3, 3, 1));

    let ended_number = one.runtime.expect("it lives");
    let held = first.block_on(async { let_in(LIMITER.acquire()) });
    assert_eq!(read(name).by_runtime[1].usage.in_use, 1);
    drop(first);
    let after = read(name);
    assert!(!inspect::live_runtimes().contains(&ended_number));
    let [process, two, ended] = &after.by_runtime[..] else { panic!("{after:?}") };
    assert_eq!([process, two, ended].map(|part| part.counters.admitted_at_once), [1, 2, 2]);
    assert_eq!(counts(&sum(&after.by_runtime)), counts(&after.totals.counters));
    assert_eq!(after.totals.counters.admitted_at_once, 5);
    assert_eq!((after.live_runtimes, after.capacity), (2, 2));
    assert_eq!((ended.usage.limit, ended.usage.in_use, after.usage.in_use), (0, 1, 1));
    drop((held, second));
    let after = read(name);
    assert_eq!((after.usage.in_use, after.totals.counters.admitted_at_once), (0, 5));
    assert_eq!(after.by_runtime.len(), 2, "the process, and those that have ended");
}

#[test]
fn totals_never_go_back_while_runtimes_and_limiters_come_and_go() {
    use std::sync::atomic::{AtomicBool, Ordering};

    static DONE: AtomicBool = AtomicBool::new(false);
    let name = "inspecting-never-back";

    let calls = std::thread::spawn(move || {
        for _ in 0..40 {
            let limiter = Arc::new(Limiter::new(name, 2));
            let runtime = workers(2);
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let limiter = Arc::clone(&limiter);
                    runtime.spawn(async move {
                        let _permit = limiter.acquire().await;
                        tokio::task::yield_now().await;
                    })
                })
                .collect();
            runtime.block_on(limit_tests::runtimes::join(tasks));
            drop(runtime);
        }
        DONE.store(true, Ordering::SeqCst);
    });
    let admitted =
        |counters: &Counters| counters.admitted_at_once + counters.admitted_after_waiting();
    let mut last = 0;
    let mut look = || {
        let inventory = inspect::inventory();
        let alive = inventory.limiters.iter().find(|limiter| limiter.name() == name);
        let gone = inventory.dropped.iter().find(|dropped| &*dropped.name == name);
        assert!(alive.is_none() || gone.is_none(), "each name is there once");
        let now = match (alive, gone) {
            (Some(limiter), _) => admitted(&inspect::read(limiter).totals.counters),
            (None, Some(gone)) => admitted(&gone.totals.counters),
            (None, None) => 0,
        };
        assert!(now >= last, "{now} after {last}");
        last = now;
    };
    while !DONE.load(Ordering::SeqCst) {
        look();
    }
    calls.join().expect("no panic");
    look();
    assert_eq!(last, 40 * 20);
}

#[test]
fn an_inventory_has_limiters_in_use_and_the_last_dropped_names_first() {
    let names = |prefix: &str| -> (Vec<String>, Vec<String>) {
        let inspect::Inventory { limiters, dropped, .. } = inspect::inventory();
        let of_ours = |name: &str| name.starts_with(prefix).then(|| name.to_owned());
        (
            limiters.iter().filter_map(|limiter| of_ours(limiter.name())).collect(),
            dropped.iter().filter_map(|dropped| of_ours(&dropped.name)).collect(),
        )
    };
    let prefix = "inspecting-inventory-";
    let of = |name: &str| Limiter::named(format!("{prefix}{name}"), 1);
    let unused = of("unused");
    assert_eq!(unused.limit(), Some(1));
    let [one, two, idle] = [of("one"), of("two"), of("idle")];
    drop((permit(&one), permit(&two), idle.snapshot()));
    let mut limiters = names(prefix).0;
    limiters.sort();
    assert_eq!(limiters, ["idle", "one", "two"].map(|name| format!("{prefix}{name}")));
    drop((one, idle, unused));
    drop(two);
    let (limiters, dropped) = names(prefix);
    assert!(limiters.is_empty());
    assert_eq!(
        dropped,
        ["two", "one"].map(|name| format!("{prefix}{name}")),
        "`idle` counted nothing"
    );
    let again = of("one");
    drop(again.snapshot());
    assert_eq!(names(prefix).1, [format!("{prefix}two")]);
    drop(again);
    assert_eq!(names(prefix).1, ["one", "two"].map(|name| format!("{prefix}{name}")));
}

#[test]
fn an_expression_that_nobody_has_needed_reads_as_no_permits_and_is_not_run() {
    let limiter = Limiter::lazy("inspecting-lazy", || unreachable!("reading runs no code"));
    drop(limiter.snapshot());
    let reading = read("inspecting-lazy");
    assert_eq!((reading.usage.limit, reading.live_runtimes), (0, 0));
    assert_eq!(handle("inspecting-lazy").limit(), None);
}

#[test]
fn a_warning_is_counted_in_a_reading() {
    let both = [Limiter::new("inspecting-warned", 1), Limiter::new("inspecting-warned", 1)];
    drop(both.each_ref().map(permit));
    assert_eq!((read("inspecting-warned").warnings, read("inspecting-warned#2").warnings), (0, 1));
}

#[test]
fn the_busiest_keys_have_the_most_waiters_then_the_most_permits_in_all_runtimes() {
    static LIMITER: KeyedLimiter = Limiter::new("inspecting-keys", 3).keyed();

    let [first, second] = [one_thread(), one_thread()];
    let take = |key: &'static str, calls: usize| -> Vec<_> {
        (0..calls).map(|_| at_once(LIMITER.key(key).acquire())).collect()
    };
    let here = first.block_on(async {
        (take("quiet", 1), take("both", 3), take("b-held", 2), take("a-held", 2))
    });
    let mut calls = Vec::new();
    let there = second.block_on(async {
        let held = (take("both", 3), take("waits", 1));
        calls.push(waiter(LIMITER.key("both").acquire().weight(1)));
        calls.push(waiter(LIMITER.key("waits").acquire().weight(3)));
        held
    });
    first.block_on(async { calls.push(waiter(LIMITER.key("both").acquire().weight(1))) });
    let limiter = handle("inspecting-keys");
    let busiest = |most| -> Vec<(String, usize, usize)> {
        let figures = |key: KeyReading| (key.name, key.in_use, key.waiting);
        inspect::busiest_keys(&limiter, most).into_iter().map(figures).collect()
    };
    let expected =
        [("both", 6, 2), ("waits", 1, 1), ("a-held", 2, 0), ("b-held", 2, 0), ("quiet", 1, 0)];
    let expected = expected.map(|(name, in_use, waiting)| (name.to_owned(), in_use, waiting));
    assert_eq!(busiest(10), expected);
    assert_eq!(busiest(2), expected[..2]);
    assert!(busiest(0).is_empty());
    let reading = inspect::read(&limiter);
    assert!(reading.is_keyed);
    assert_eq!((reading.usage.in_use, reading.usage.waiting, reading.usage.keys), (12, 3, 6));
    drop((calls, there, here));
    assert!(busiest(10).is_empty());

    let plain = Limiter::new("inspecting-no-keys", 1);
    let _held = permit(&plain);
    assert!(inspect::busiest_keys(&handle("inspecting-no-keys"), 10).is_empty());
}

#[test]
fn keys_of_a_limiter_that_was_dropped_are_nobodys() {
    let limiter: KeyedLimiter = Limiter::new("inspecting-keys-dropped", 1).keyed();
    let held = at_once(limiter.key(7).acquire());
    let stale = handle("inspecting-keys-dropped");
    assert_eq!(inspect::busiest_keys(&stale, 1)[0].name, "7");
    drop(limiter);
    assert!(inspect::busiest_keys(&stale, 1).is_empty());
    drop(held);
}

#[test]
fn every_change_of_a_setting_is_told_once_for_all_since_the_last_time() {
    let limiter = Limiter::new("inspecting-changes", 1).max_waiting(1);
    limiter.set_limit(2);
    let handle = handle("inspecting-changes");
    let mut changes = [handle.changes(), handle.changes()];
    let mut told = |expected: bool| {
        for one in &mut changes {
            let mut next = task::spawn(one.changed());
            assert_eq!(next.poll().is_ready(), expected);
        }
    };
    told(false);
    limiter.set_limit(3);
    limiter.set_limit(4);
    told(true);
    told(false);
    let setters: [fn(&LimiterHandle); 7] = [
        |handle| handle.set_max_waiting(2).expect("it can be refused"),
        |handle| handle.set_max_wait(MS).expect("it can be refused"),
        |handle| handle.set_enabled(false),
        |handle| handle.set_shadow(true).expect("it was not made one"),
        LimiterHandle::reset,
        |handle| handle.close().expect("it can be refused"),
        LimiterHandle::reopen,
    ];
    for set in setters {
        set(&handle);
        told(true);
        told(false);
    }
    // Calls change no setting.
    drop(let_in(limiter.acquire()));
    drop(handle.snapshot());
    told(false);
}

#[test]
fn a_task_that_waits_for_a_change_is_woken_and_loses_none_if_it_gives_up() {
    let limiter = Limiter::new("inspecting-changes-woken", 1);
    drop(permit(&limiter));
    let handle = handle("inspecting-changes-woken");
    let mut changes = handle.changes();
    let mut waits = task::spawn(changes.changed());
    assert_pending!(waits.poll());
    limiter.set_limit(2);
    assert!(waits.is_woken());
    // It is dropped before it was polled again.
    drop(waits);
    let mut waits = task::spawn(changes.changed());
    assert_ready!(waits.poll());
    drop(waits);
    let mut waits = task::spawn(changes.changed());
    assert_pending!(waits.poll());
    handle.set_limit(3);
    assert!(waits.is_woken());
    assert_ready!(waits.poll());
}

#[test]
fn two_functions_of_one_default_name_are_told_with_their_places() {
    struct First;
    struct Second;
    impl First {
        #[concurrency_limit(1)]
        async fn limited() {}
    }
    impl Second {
        #[concurrency_limit(1)]
        async fn limited() {}
    }

    at_once(First::limited());
    let name = concat!(module_path!(), "::limited");
    assert!(inspect::namesakes(&handle(name)).is_none());
    at_once(Second::limited());
    let places = [name.to_owned(), format!("{name}#2")].map(|name| {
        let places = inspect::namesakes(&handle(&name)).expect("both are told");
        places.map(Location::line)
    });
    assert_eq!(places[0], places[1]);
    assert!(places[0][0] < places[0][1]);
}

#[test]
fn counters_that_are_taken_away_leave_none_below_zero() {
    let limiter = Limiter::new("inspecting-subtract", 1).max_waiting(5);
    call_each(&limiter);
    let before = read("inspecting-subtract").totals.counters;
    call_each(&limiter);
    limiter.try_acquire_many(2).expect_err("there is one");
    let after = read("inspecting-subtract").totals.counters;
    let mut since = after.clone();
    since.subtract(&before);
    assert_eq!(counts(&since), (1, 1, 1, 2, 2));
    assert_eq!(since.rejected.get(RejectedKind::TooHeavy), 1);
    assert!(!since.is_zero());
    let mut less = before.clone();
    less.subtract(&after);
    assert_eq!(counts(&less), (0, 0, 0, 0, 2));
}

#[test]
fn grants_that_were_taken_back_are_added_and_taken_away_like_other_counts() {
    let taken_back = |count| {
        let mut counters = Counters::default();
        counters.taken_back = count;
        counters
    };
    let mut sum = taken_back(3);
    assert!(!sum.is_zero() && taken_back(0).is_zero());
    sum.add(&taken_back(4));
    assert_eq!(sum.taken_back, 7);
    sum.subtract(&taken_back(5));
    assert_eq!(sum.taken_back, 2);
    sum.subtract(&taken_back(5));
    assert_eq!(sum.taken_back, 0, "no count is below zero");
}

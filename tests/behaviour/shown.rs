//! Snapshots as people see them: `Display`.

use limit_runtime::{Figures, KeyedLimiter, Limiter, Scope, Share, Snapshot};
use limit_tests::polling::{permit, served, waiter};
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The figures of a limiter that was never used, by the name `shown`. Tests run at the same time, so
/// the limiter itself has a name of its own.
fn snapshot() -> Snapshot {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut snapshot = Limiter::named(format!("shown-{number}"), 1).snapshot();
    snapshot.name = String::from("shown");
    snapshot
}

fn shown(change: impl FnOnce(&mut Snapshot)) -> String {
    let mut snapshot = snapshot();
    change(&mut snapshot);
    snapshot.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_two_lines() {
    let limiter = Limiter::new("shown-two-lines", 10).max_waiting(2);
    let held = [(); 10].map(|()| permit_of(&limiter));
    let mut waits = waiter(limiter.acquire());
    let waits_on = waiter(limiter.acquire());
    assert!(limiter.acquire().await.is_err(), "the queue is full");
    tokio::time::advance(Duration::from_micros(20_147)).await;
    drop(held);
    drop(served(&mut waits).expect("it is admitted"));
    drop(waits_on);
    let _held = permit_of(&limiter);
    assert_eq!(
        format!("\n{}", limiter.snapshot()),
        "
shown-two-lines          runtime  in use    1/10   waiting    0 (most    2)  rejected    1
  admitted       11 +      1 waited p50 20.1ms p90 20.1ms p99 20.1ms max 20.1ms  cancelled     1"
    );
}

fn permit_of(limiter: &Limiter<limit_runtime::Rejected>) -> limit_runtime::Permit {
    limiter.try_acquire().expect("a permit is free")
}

#[test]
fn snapshots_below_one_another_make_a_table() {
    let small = Limiter::new("shown-small", 1);
    let large = Limiter::new("shown-with-a-name-longer-than-others", 1000).scope(Scope::Process);
    let held = permit(&small);
    drop((0..12).map(|_| waiter(small.acquire())).collect::<Vec<_>>());
    drop((0..300).map(|_| permit(&large)).collect::<Vec<_>>());
    let shown = [small.snapshot().to_string(), large.snapshot().to_string()];
    drop(held);
    let [first, second] = shown.each_ref().map(|shown| shown.lines().rev().take(2));
    let words = [
        "in use",
        "/",
        "waiting",
        "(most",
        "rejected",
        "admitted",
        "+",
        "waited",
        "p50",
        "p90",
        "p99",
        "max",
        "cancelled",
    ];
    for (first, second) in first.zip(second) {
        let columns = |line: &str| words.map(|word| line.find(word));
        assert_eq!(columns(first), columns(second), "\n{}\n{}", shown[0], shown[1]);
        assert_eq!(first.chars().count(), second.chars().count());
    }
    assert!(words.iter().all(|word| shown[0].contains(word)), "{}", shown[0]);
}

#[test]
fn waits_that_nobody_had_are_dashes() {
    let text = snapshot().to_string();
    assert!(
        text.contains("+      0 waited p50      – p90      – p99      – max      –  "),
        "{text}"
    );
}

#[test]
fn a_long_name_stands_whole_on_a_line_of_its_own() {
    let name = "payments::gateway::settlement::charge_the_card";
    let text = shown(|snapshot| snapshot.name = name.to_owned());
    let lines: Vec<_> = text.lines().collect();
    assert_eq!((lines[0], lines.len()), (name, 3));
    assert!(lines[1].starts_with("                         runtime  in use "), "{text}");
}

#[test]
fn the_limit_is_shown_for_each_key_or_runtime_and_a_shadows_figures_below() {
    let text = shown(|snapshot| {
        snapshot.total.keys = 999;
        snapshot.total.shadowed.waited = 3;
        snapshot.total.shadowed.rejected.queue_full = 4;
    });
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].contains(" in use    0/1 × 999 keys "), "{text}");
    assert_eq!(lines[2], "  would wait 3, be rejected 4");
}

#[test]
fn with_a_total_the_permits_are_shown_against_it_and_the_limit_of_each_key_beside_it() {
    let in_use = |keys: usize, runtimes: usize| {
        let text = shown(|snapshot| {
            (snapshot.total.in_use, snapshot.total.limit) = (7, 3);
            (snapshot.total.total, snapshot.total.keys) = (Some(12), keys);
            let limiter = Limiter::named(format!("shown-total-{keys}-{runtimes}"), 1);
            let held = permit(&limiter);
            let runtime = limiter.snapshot().runtimes[0].clone();
            snapshot.runtimes = vec![runtime; runtimes];
            drop(held);
        });
        let line = text.lines().next().unwrap_or_default();
        line.split("in use")
            .nth(1)
            .and_then(|rest| rest.split("waiting").next())
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    assert_eq!(in_use(5, 1), "7/12 (3 × 5 keys)");
    assert_eq!(in_use(1, 1), "7/12 (3 × 1 key)");
    assert_eq!(in_use(0, 1), "7/12 (3 a key)");
    assert_eq!(in_use(5, 2), "7/12 × 2 runtimes (3 × 5 keys)");
}

#[test]
fn grants_that_were_taken_back_are_shown_below_if_there_are_any() {
    let lines = |taken_back: u64, shadowed: u64| {
        let text = shown(|snapshot| {
            snapshot.total.taken_back = taken_back;
            snapshot.total.shadowed.waited = shadowed;
        });
        text.lines().skip(2).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert!(lines(0, 0).is_empty());
    assert_eq!(lines(12, 0), ["  taken back 12"]);
    assert_eq!(lines(12, 3), ["  taken back 12  would wait 3, be rejected 0"]);
}

#[test]
fn each_warning_is_a_line() {
    let long = "long ".repeat(50);
    let text = shown(|snapshot| snapshot.warnings = vec!["first".to_owned(), long.clone()]);
    assert_eq!(text.lines().skip(2).collect::<Vec<_>>(), ["  ! first", &format!("  ! {long}")]);
}

#[test]
fn each_share_is_a_line() {
    static API: Limiter = Limiter::new("shown-shares", 10)
        .shares(&[Share::new("live", 60), Share::new("batch", 20).at_most(50)]);
    let _held = API.share("live").try_acquire().expect("all are free");
    let text = API.snapshot().to_string();
    assert_eq!(
        text.lines().skip(2).collect::<Vec<_>>(),
        [
            "  share live             in use    1 (guaranteed    6, at most   10) waiting    0",
            "  share batch            in use    0 (guaranteed    2, at most    5) waiting    0",
            "  share rest             in use    0 (guaranteed    2, at most   10) waiting    0",
        ]
    );
}

#[test]
fn the_first_limits_of_single_keys_are_a_line() {
    let limiter: KeyedLimiter = Limiter::new("shown-key-limits", 2).keyed();
    let lines = || {
        let text = limiter.snapshot().to_string();
        text.lines().skip(2).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert!(lines().is_empty());
    for key in 0..10 {
        limiter.set_key_limit(key, Some(20)).expect("it has keys");
    }
    assert_eq!(
        lines(),
        ["  limits of keys: 0 20, 1 20, 2 20, 3 20, 4 20, 5 20, 6 20, 7 20, and 2 more"]
    );
}

#[test]
fn a_limit_that_adapts_has_a_line() {
    static API: Limiter = Limiter::adaptive("shown-adaptive", 4..=100);
    let _held = API.try_acquire().expect("all are free");
    let text = API.snapshot().to_string();
    let line = text.lines().nth(2).expect("a third line");
    assert!(line.starts_with("  adapts 4..=100, limit "), "{text}");
}

#[test]
fn a_billion_calls_fit_in_two_lines() {
    let text = shown(|snapshot| {
        let total = &mut snapshot.total;
        (total.in_use, total.limit, total.waiting) = (1_000, 1_000, 9_999);
        (total.admitted_at_once, total.admitted_after_waiting) = (1_000_000_000, 999_999);
        total.cancelled = 99_999;
    });
    assert_eq!(text.lines().count(), 2, "{text}");
}

/// Figures of any number of digits.
fn figure() -> impl Strategy<Value = u64> {
    (0..64_u32, any::<u64>()).prop_map(|(bits, figure)| figure >> bits)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_of_figures_is_longer_than_100_columns(
        name in "[a-z:]{0,60}",
        counts in prop::array::uniform11(figure()),
        waits in prop::array::uniform4((figure(), 0..1_000_000_000_u32)),
    ) {
        let mut snapshot = snapshot();
        snapshot.name.clone_from(&name);
        let total: &mut Figures = &mut snapshot.total;
        let size = |index: usize| usize::try_from(counts[index]).unwrap_or(usize::MAX);
        (total.limit, total.in_use, total.waiting) = (size(0), size(1), size(2));
        (total.keys, total.most_waiting) = (size(3), size(4));
        total.total = (counts[10] % 2 == 0).then_some(size(10));
        (total.admitted_at_once, total.admitted_after_waiting) = (counts[5], counts[6]);
        (total.cancelled, total.rejected.timed_out) = (counts[7], counts[8]);
        total.shadowed.waited = counts[9] / 2;
        let waits = waits.map(|(seconds, nanoseconds)| Duration::new(seconds, nanoseconds));
        [total.wait.p50, total.wait.p90, total.wait.p99, total.wait.max] = waits;
        let text = snapshot.to_string();
        for line in text.lines() {
            prop_assert!(line == name || line.chars().count() <= 100, "{text}");
            prop_assert!(line == name || line.trim_end() == line, "{text}");
        }
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
        prop_assert!(digits(&text) >= digits(&format!("{}{}", counts[5], counts[7])), "{text}");
    }
}

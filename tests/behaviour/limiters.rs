//! Limiters that come and go: names, handles and snapshots.

mod dropped;
mod names;

use limit_runtime::{Figures, Limiter, Scope, concurrency_limit, find, limiters};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{permit, served, waiter};

#[test]
fn a_second_limiter_of_one_name_is_numbered_and_says_so() {
    let first = Limiter::new("limiters-same-name", 1);
    let second = Limiter::new("limiters-same-name", 2);
    let third = Limiter::named(String::from("limiters-same-name"), 3);
    for limiter in [&first, &second, &third] {
        assert_eq!(limiter.name(), "limiters-same-name", "before the first use");
    }
    for limiter in [&first, &second, &third] {
        drop(permit(limiter));
    }
    let names = [first.name(), second.name(), third.name()];
    assert_eq!(names, ["limiters-same-name", "limiters-same-name#2", "limiters-same-name#3"]);
    assert!(first.snapshot().warnings.is_empty());
    assert_eq!(
        second.snapshot().warnings,
        ["another limiter is named `limiters-same-name`; this one is `limiters-same-name#2`"]
    );
    assert_eq!(find("limiters-same-name#3").expect("it is in use").limit(), Some(3));

    let held = permit(&second);
    let other = permit(&second);
    let rejected = second.try_acquire().unwrap_err();
    assert_eq!(rejected.limiter(), "limiters-same-name#2");
    drop((held, other));
}

#[test]
fn two_functions_that_ask_for_one_name_do_not_share() {
    mod one {
        #[super::concurrency_limit(1, name = "limiters-two-functions")]
        pub(super) async fn limited() {
            std::future::pending::<()>().await;
        }
    }
    mod two {
        #[super::concurrency_limit(1, name = "limiters-two-functions")]
        pub(super) async fn limited() {
            std::future::pending::<()>().await;
        }
    }

    let _inside = (waiter(one::limited()), waiter(two::limited()));
    for name in ["limiters-two-functions", "limiters-two-functions#2"] {
        let snapshot = find(name).expect("it is in use").snapshot();
        assert_eq!((snapshot.total.in_use, snapshot.total.waiting), (1, 0));
    }
}

#[test]
fn a_dropped_limiters_name_is_free_again() {
    for _ in 0..3 {
        let limiter = Limiter::new("limiters-name-again", 1);
        assert_eq!(limiter.name(), "limiters-name-again");
        assert!(limiter.snapshot().warnings.is_empty());
        drop(limiter);
        assert!(find("limiters-name-again").is_none());
    }
}

#[test]
fn a_limiter_is_listed_from_its_first_use_until_it_is_dropped() {
    let listed = || -> Vec<String> {
        let names = limiters().into_iter().map(|limiter| limiter.name().to_owned());
        names.filter(|name| name.starts_with("limiters-listed")).collect()
    };
    let one = Limiter::new("limiters-listed-1", 1);
    let two = Limiter::named(format!("limiters-listed-{}", 2), 2).scope(Scope::Process);
    assert!(listed().is_empty());
    drop(two.try_acquire());
    assert_eq!(listed(), ["limiters-listed-2"]);
    drop(one.try_acquire());
    let mut both = listed();
    both.sort();
    assert_eq!(both, ["limiters-listed-1", "limiters-listed-2"]);
    let found = find("limiters-listed-2").expect("it is in use");
    assert_eq!((found.limit(), found.snapshot().scope), (Some(2), Scope::Process));
    assert_eq!(found.snapshot(), two.snapshot());
    drop(two);
    assert_eq!(listed(), ["limiters-listed-1"]);
    drop(one);
    assert!(listed().is_empty());
    assert!(find("limiters-listed").is_none(), "a part of a name is not a name");
}

#[test]
fn a_functions_limiter_is_found_under_its_path() {
    #[concurrency_limit(4)]
    async fn found_by_path() {}

    assert!(tokio_test::task::spawn(found_by_path()).poll().is_ready());
    let name = concat!(module_path!(), "::found_by_path");
    assert_eq!(find(name).expect("it is in use").limit(), Some(4));
}

#[test]
fn a_handle_changes_the_limit_and_shows_the_figures() {
    let limiter = Limiter::new("limiters-handle", 1);
    let held = permit(&limiter);
    let mut waiting = waiter(limiter.acquire());
    let handle = find("limiters-handle").expect("it is in use");
    handle.set_limit(2);
    assert_eq!((handle.limit(), limiter.limit()), (Some(2), Some(2)));
    assert_eq!(handle.snapshot().total.in_use, 2);
    drop((served(&mut waiting), held));
    assert!(format!("{handle:?}").contains("limiters-handle"));
    drop(waiting);
    assert_all_free(&limiter);
}

#[test]
fn a_permit_outlives_its_limiter() {
    let mut kept = Vec::new();
    for round in 0..20 {
        let limiter = Limiter::new("limiters-outlived", 3);
        assert_eq!(total(&limiter), new_with_limit(3), "round {round}: figures of another limiter");
        kept.push(permit(&limiter));
        let held = [permit(&limiter), permit(&limiter)];
        let mut waiting = waiter(limiter.acquire());
        drop(held);
        kept.push(served(&mut waiting));
        assert_figures(&limiter, 2, 0);
        drop(waiting);
        drop(limiter);
        if round % 3 == 0 {
            kept.clear();
        }
        if round % 4 == 0 {
            kept.truncate(1);
        }
    }
    let last = Limiter::new("limiters-outlived", 3);
    assert_all_free(&last);
    drop(kept);
    assert_all_free(&last);
}

fn new_with_limit(limit: usize) -> Figures {
    let mut figures = Figures::default();
    (figures.limit, figures.capacity) = (limit, Some(limit));
    figures
}

#[test]
fn a_new_limiter_shows_nothing_of_those_before_it() {
    for round in 1..=100 {
        let limiter = Limiter::new("limiters-nothing-left", round);
        assert_eq!(limiter.limit(), Some(round));
        assert_eq!(total(&limiter), new_with_limit(round));
        let permits: Vec<_> = (0..round).map(|_| permit(&limiter)).collect();
        drop(waiter(limiter.acquire()));
        limiter.try_acquire().unwrap_err();
        limiter.set_limit(1);
        drop(permits);
        limiter.set_limit(5);
        assert_all_free(&limiter);
    }
}

#[test]
fn a_handle_of_a_dropped_limiter_shows_the_last_figures_and_changes_nothing() {
    let limiter = Limiter::new("limiters-dropped", 2);
    let held = permit(&limiter);
    drop(waiter(limiter.acquire_many(2)));
    let handle = find("limiters-dropped").expect("it is in use");
    let last = limiter.snapshot().total;
    drop(limiter);
    assert_eq!(handle.snapshot().total, last);
    handle.set_limit(9);
    assert_eq!((handle.limit(), handle.name()), (Some(2), "limiters-dropped"));

    // The handle does not touch the limiter that has its slot now.
    let others: Vec<_> =
        (0..20).map(|n| Limiter::named(format!("limiters-after-{n}"), 1)).collect();
    others.iter().for_each(assert_all_free);
    handle.set_limit(9);
    drop(held);
    others.iter().for_each(assert_all_free);
    assert_eq!(handle.snapshot().total, last);
    assert!(handle.snapshot().runtimes.is_empty());
}

#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn a_snapshot_survives_json() {
    use limit_runtime::Snapshot;

    let limiter = Limiter::new("limiters-json", 2).scope(Scope::Process);
    let twin = Limiter::new("limiters-json", 2);
    for limiter in [&limiter, &twin] {
        let held = [permit(limiter), permit(limiter)];
        let mut waiting = waiter(limiter.acquire());
        tokio::time::advance(std::time::Duration::from_micros(1_234_567)).await;
        drop(held);
        let admitted = served(&mut waiting);
        let snapshot = limiter.snapshot();
        assert!(snapshot.total.wait.count == 1 && snapshot.runtimes.len() == 1);
        let json = serde_json::to_string(&snapshot).expect("a snapshot is plain data");
        assert_eq!(serde_json::from_str::<Snapshot>(&json).expect("its own text"), snapshot);
        drop(admitted);
    }
    let json = serde_json::to_value(limiter.snapshot()).expect("a snapshot is plain data");
    assert_eq!((&json["name"], &json["scope"]), (&"limiters-json".into(), &"process".into()));
    assert_eq!(json["total"]["limit"], 2);
    let warnings = twin.snapshot().warnings;
    let json = serde_json::to_value(twin.snapshot()).expect("a snapshot is plain data");
    assert_eq!(json["warnings"][0], *warnings[0]);
}

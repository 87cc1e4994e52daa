//! Limits of single keys.

use limit_runtime::settings::{SettingValues, SettingsSource, install};
use limit_runtime::{KeyedLimiter, Limiter, Rejected, RejectedKind, Scope, Source, find};
use limit_tests::figures::total;
use limit_tests::polling::{assert_waits, at_once, let_in, refused, served, waiter};
use limit_tests::runtimes::one_thread;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;

/// Returns how many permits of a key can be out.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a key is shorter to write than a reference to it"
)]
fn most<T: Hash + Eq + Clone + Send + 'static>(limiter: &KeyedLimiter, key: T) -> usize {
    let take = || limiter.key(key.clone()).try_acquire().ok();
    std::iter::from_fn(take).take(100).collect::<Vec<_>>().len()
}

#[test]
fn a_key_has_its_own_limit_in_place_of_that_of_each() {
    let limiter = Limiter::new("own-limits", 2).keyed();
    for (limit, expected) in [(Some(5), 5), (Some(1), 1), (Some(0), 0), (None, 2)] {
        limiter.set_key_limit("acme", limit).unwrap();
        assert_eq!(most(&limiter, "acme"), expected);
        assert_eq!(most(&limiter, "other"), 2);
        assert_eq!(total(&limiter).keys, 0, "the keys have come and gone");
    }
    limiter.set_key_limit("acme", Some(7)).unwrap();
    limiter.set_limit(3);
    assert_eq!((most(&limiter, "acme"), most(&limiter, "other")), (7, 3));
    limiter.reset();
    assert_eq!((most(&limiter, "acme"), most(&limiter, "other")), (2, 2));
}

#[test]
fn a_key_is_known_by_its_text_or_by_its_value_if_it_has_none() {
    let limiter = Limiter::new("own-types", 1).keyed();
    limiter.set_key_limit("7", Some(3)).unwrap();
    assert_eq!(most(&limiter, "7"), 3);
    assert_eq!(most(&limiter, String::from("7")), 3);
    assert_eq!(most(&limiter, Arc::<str>::from("7")), 3);
    assert_eq!((most(&limiter, 7_u64), most(&limiter, 7_i8)), (3, 3));
    assert_eq!((most(&limiter, "8"), most(&limiter, 8_u64)), (1, 1));
    limiter.set_key_limit("10.0.0.1".parse::<IpAddr>().unwrap(), Some(4)).unwrap();
    assert_eq!(most(&limiter, "10.0.0.1".parse::<IpAddr>().unwrap()), 4);

    limiter.set_key_limit((1_u8, "a"), Some(5)).unwrap();
    limiter.set_key_limit(Some(2_u8), Some(6)).unwrap();
    assert_eq!((most(&limiter, (1_u8, "a")), most(&limiter, (1_u16, "a"))), (5, 1));
    assert_eq!((most(&limiter, Some(2_u8)), most(&limiter, Some(3_u8))), (6, 1));
    limiter.set_key_limit((1_u8, "a"), None).unwrap();
    assert_eq!((most(&limiter, (1_u8, "a")), most(&limiter, Some(2_u8))), (1, 6));
    limiter.set_key_limit(7_u32, None).unwrap();
    assert_eq!(most(&limiter, "7"), 1, "the text is the same");
    let shown = limiter.snapshot().key_limits;
    let shown: Vec<_> = shown.iter().map(|it| (it.key.split(' ').next(), it.limit)).collect();
    assert_eq!(shown, [(Some("10.0.0.1"), 4), (Some("core::option::Option<u8>"), 6)]);
}

#[test]
fn calls_that_wait_are_admitted_at_once_when_the_limit_of_their_key_is_raised() {
    let limiter = Limiter::new("own-raised", 1).keyed().total(9);
    let held = [1, 2].map(|key| at_once(limiter.key(key).acquire()));
    let mut waiting = [1, 1, 1].map(|key| waiter(limiter.key(key).acquire()));
    let mut other = waiter(limiter.key(2).acquire());
    limiter.set_key_limit(1, Some(3)).unwrap();
    let first = served(&mut waiting[0]);
    let second = served(&mut waiting[1]);
    assert_waits(&mut waiting[2]);
    assert_waits(&mut other);
    limiter.set_key_limit(1, None).unwrap();
    drop((first, second));
    assert_waits(&mut waiting[2]);
    drop(held);
    drop((served(&mut waiting[2]), served(&mut other)));
    assert_eq!(total(&limiter).keys, 0);
}

#[test]
fn a_paused_key_goes_on_when_its_limit_is_taken_back_and_others_are_not_kept() {
    let limiter = Limiter::new("own-paused", 2).keyed().total(2);
    limiter.set_key_limit('a', Some(0)).unwrap();
    assert_eq!(
        limiter.key('a').try_acquire().unwrap_err().to_string(),
        "concurrency limit `own-paused` reached: the limit of this key is 0 (paused), 0 waiting"
    );
    let mut waiting = waiter(limiter.key('a').acquire());
    let others = [(); 2].map(|()| at_once(limiter.key('b').acquire()));
    assert_eq!(total(&limiter).waiting, 1);
    drop(others);
    assert_waits(&mut waiting);
    limiter.set_key_limit('a', None).unwrap();
    drop(served(&mut waiting));
}

#[test]
fn a_limit_of_zero_says_that_calls_of_keys_with_limits_of_their_own_go_on() {
    let limiter = Limiter::lazy("own-zero", || 0).keyed();
    limiter.set_key_limit("acme", Some(2)).unwrap();
    assert_eq!((most(&limiter, "acme"), most(&limiter, "other")), (2, 0));
    let expected =
        "the limit is 0: every call of a key without a limit of its own waits until it is raised";
    assert_eq!(limiter.snapshot().warnings, [expected]);
}

#[test]
fn a_call_may_weigh_as_much_as_the_limit_of_its_key() {
    let limiter = Limiter::new("own-heavy", 2).keyed().max_waiting(9);
    limiter.set_key_limit("big", Some(8)).unwrap();
    limiter.set_key_limit("small", Some(1)).unwrap();
    drop(let_in(limiter.key("big").acquire().weight(8)));
    for (key, weight, limit) in [("big", 9, 8), ("small", 2, 1), ("other", 3, 2)] {
        let rejected = refused(limiter.key(key).acquire().weight(weight));
        assert_eq!((rejected.kind(), rejected.limit()), (RejectedKind::TooHeavy, limit));
        assert_eq!(
            rejected.to_string().contains("the limit of this key is"),
            key != "other",
            "{rejected}"
        );
    }
    assert_eq!(total(&limiter).keys, 0);
    let _held = let_in(limiter.key("big").acquire());
    let mut waiting = waiter(limiter.key("big").acquire().weight(8));
    limiter.set_key_limit("big", Some(7)).unwrap();
    assert_eq!(served(&mut waiting).unwrap_err().kind(), RejectedKind::TooHeavy);
    let rejected = limiter.key("big").try_acquire_many(7).unwrap_err();
    assert_eq!(
        (rejected.kind(), rejected.limit(), rejected.in_use()),
        (RejectedKind::NoPermits, 7, 1)
    );
}

#[test]
fn the_limit_holds_in_runtimes_that_are_there_and_in_later_ones() {
    static LIMITER: KeyedLimiter = Limiter::new("own-runtimes", 1).keyed();
    let early = one_thread();
    early.block_on(async { drop(LIMITER.key("acme").acquire().await) });
    find("own-runtimes").unwrap().set_key_limit("acme", Some(4)).unwrap();
    for runtime in [early, one_thread()] {
        assert_eq!(runtime.block_on(async { most(&LIMITER, "acme") }), 4);
        assert_eq!(runtime.block_on(async { most(&LIMITER, "other") }), 1);
    }
}

#[test]
fn many_keys_in_use_get_limits_while_calls_come_and_go() {
    static LIMITER: KeyedLimiter = Limiter::new("own-many", 1).scope(Scope::Process).keyed();
    // More than are looked at under one lock.
    let held: Vec<_> = (0..5_000_u32).map(|key| LIMITER.key(key).try_acquire().unwrap()).collect();
    let mut waiting: Vec<_> =
        (0..5_000_u32).map(|key| waiter(LIMITER.key(key).acquire())).collect();
    let threads: Vec<_> = (0..2)
        .map(|_| {
            std::thread::spawn(|| {
                for key in (0..5_000_u32).chain(5_000..20_000) {
                    drop(LIMITER.key(key).try_acquire());
                }
            })
        })
        .collect();
    for key in [0, 31, 32, 2_047, 2_048, 4_999_u32] {
        LIMITER.set_key_limit(key, Some(2)).unwrap();
        drop(served(&mut waiting[key as usize]));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(total(&LIMITER).waiting, 5_000 - 6);
    drop((held, waiting));
    assert_eq!(total(&LIMITER).keys, 0);
}

#[test]
fn a_limiter_without_keys_and_one_of_a_fleet_do_not_have_them() {
    let plain = Limiter::new("own-none", 1);
    let fleet = Limiter::new("own-fleet", 1).scope(Scope::Fleet).keyed();
    drop((plain.try_acquire(), fleet.key("a").try_acquire()));
    for name in ["own-none", "own-fleet"] {
        let error = find(name).unwrap().set_key_limit("a", Some(2)).unwrap_err();
        assert_eq!((error.limiter(), error.setting()), (name, "key"));
    }
    assert!(
        fleet.set_key_limit("a", Some(2)).unwrap_err().to_string().contains("its scope is fleet")
    );
    assert!(fleet.snapshot().key_limits.is_empty());
}

#[test]
fn a_text_that_no_key_can_have_is_told() {
    let limiter = Limiter::new("own-misfit", 1).keyed();
    let warnings = || limiter.snapshot().warnings;
    let handle = {
        drop(limiter.snapshot());
        find("own-misfit").unwrap()
    };
    for text in ["acme", "07", "-1", "12"] {
        handle.set_key_limit(text, Some(2)).unwrap();
    }
    assert!(warnings().is_empty(), "no key has come, so their types are not known");
    drop(limiter.key(1_u32).try_acquire());
    let told = |text: &str| {
        format!("the limit of the key `{text}` has no effect: no key of type `u32` has this text")
    };
    let misfits: BTreeSet<_> = ["acme", "07", "-1"].map(told).into();
    assert_eq!(warnings().into_iter().collect::<BTreeSet<_>>(), misfits);
    drop(limiter.key("any").try_acquire());
    assert!(warnings().is_empty(), "a text can be any");
}

/// The limits of the installed source, by limiter.
static FILE: Mutex<Vec<(&str, &str, usize)>> = Mutex::new(Vec::new());

#[derive(Clone)]
struct Table;

impl SettingsSource for Table {
    fn values(&self, _: &str) -> SettingValues {
        SettingValues::default()
    }

    fn key_limits(&self, limiter: &str) -> Vec<(String, usize)> {
        let all = FILE.lock().unwrap();
        let own = all.iter().filter(|(name, ..)| *name == limiter);
        own.map(|&(_, key, limit)| (key.to_owned(), limit)).collect()
    }

    fn key_origin(&self, _: &str, key: &str) -> Option<String> {
        Some(format!("table, {key}"))
    }
}

#[test]
fn a_source_gives_limits_which_a_change_while_running_overrides() {
    let limiter = Limiter::new("own-source", 1).keyed();
    drop(limiter.snapshot());
    let put = |limits: &[(&'static str, &'static str, usize)]| {
        *FILE.lock().unwrap() = limits.to_vec();
        install(Table)
    };
    put(&[
        ("own-source", "a", 3),
        ("own-source", "b", 4),
        ("own-late", "a", 5),
        ("own-wrong", "a", 6),
    ])
    .unwrap();
    assert_eq!((most(&limiter, "a"), most(&limiter, "b")), (3, 4));
    assert_eq!(limiter.snapshot().limit_changes.file, 2);
    limiter.set_key_limit("a", Some(7)).unwrap();
    assert_eq!((most(&limiter, "a"), most(&limiter, "b")), (7, 4));
    let shown: Vec<_> = limiter.snapshot().key_limits;
    let shown: Vec<_> = shown.iter().map(|it| (&*it.key, it.limit, it.source)).collect();
    assert_eq!(shown, [("a", 7, Source::Live), ("b", 4, Source::File)]);
    assert_eq!(limiter.snapshot().limit_changes.live, 1);
    limiter.set_key_limit("a", None).unwrap();
    assert_eq!(most(&limiter, "a"), 3);

    let late = Limiter::new("own-late", 1).keyed();
    assert_eq!(most(&late, "a"), 5, "used for the first time after the source was installed");
    let wrong = Limiter::new("own-wrong", 1);
    assert_eq!(
        wrong.snapshot().warnings,
        [
            "table, a: the limit of a key cannot be set for concurrency limit `own-wrong`: it has no keys: its limit holds \
             for all calls; make the limiter `.keyed()`, or give the attribute `key = …`"
        ]
    );
    let error = put(&[("own-wrong", "a", 6)]).unwrap_err();
    assert_eq!(error.limiter(), "own-wrong");
    assert_eq!(most(&limiter, "b"), 4, "nothing was changed");
    put(&[("own-source", "a", 3)]).unwrap();
    assert_eq!((most(&limiter, "a"), most(&limiter, "b")), (3, 1));
    put(&[]).unwrap();
    assert!(limiter.snapshot().key_limits.is_empty());
}

/// A key that looks at the limiter when it is dropped.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Looks(u8);

static LOOKED_AT: KeyedLimiter = Limiter::new("own-foreign", 1).keyed();

impl Drop for Looks {
    fn drop(&mut self) {
        drop(LOOKED_AT.snapshot());
    }
}

#[test]
fn keys_of_limits_that_are_taken_back_are_dropped_under_no_lock() {
    LOOKED_AT.set_key_limit(Looks(1), Some(2)).unwrap();
    assert_eq!(most(&LOOKED_AT, Looks(1)), 2);
    LOOKED_AT.set_key_limit(Looks(1), Some(3)).unwrap();
    let held = LOOKED_AT.key(Looks(1)).try_acquire().unwrap();
    LOOKED_AT.set_key_limit(Looks(2), Some(3)).unwrap();
    LOOKED_AT.set_key_limit(Looks(1), None).unwrap();
    drop(held);
    LOOKED_AT.reset();
    assert!(LOOKED_AT.snapshot().key_limits.is_empty());
}

/// A key whose `Eq` panics at times.
#[derive(Clone, Debug)]
struct Odd(u32);

thread_local! {
    /// Another test may have all limits looked at, and is not to hear of it.
    static PANICS: Cell<bool> = const { Cell::new(false) };
}

impl PartialEq for Odd {
    fn eq(&self, other: &Self) -> bool {
        assert!(!(self.0 == 2 && other.0 == 2 && PANICS.get()), "an odd key");
        self.0 == other.0
    }
}

impl Eq for Odd {}

impl Hash for Odd {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[test]
fn a_key_whose_comparison_panics_keeps_no_other_from_its_permits() {
    let limiter = Limiter::new("own-odd", 1).max_waiting(9).keyed();
    let held = [1, 2].map(|number| let_in(limiter.key(Odd(number)).acquire()));
    let mut waits = waiter(limiter.key(Odd(1)).acquire());
    limiter.set_key_limit(Odd(2), Some(3)).unwrap();
    PANICS.set(true);
    catch_unwind(AssertUnwindSafe(|| limiter.set_key_limit(Odd(1), Some(2)))).unwrap_err();
    PANICS.set(false);
    drop((served(&mut waits).unwrap(), held));
    assert_eq!((total(&limiter).in_use, total(&limiter).keys), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_a_key_is_not_the_pace_of_its_calls() {
    const MS: Duration = Duration::from_millis(1);
    for is_own in [true, false] {
        let limiter: &'static KeyedLimiter<Rejected> = Box::leak(Box::new(
            Limiter::named(format!("own-pace-{is_own}"), 1)
                .max_wait(Duration::from_secs(2))
                .early()
                .keyed(),
        ));
        let set_limit = |limit| {
            if is_own {
                limiter.set_key_limit("k", Some(limit)).unwrap();
            } else {
                limiter.set_limit(limit);
            }
        };
        set_limit(1);
        for _ in 0..400 {
            tokio::spawn(async {
                let _permit = limiter.key("k").acquire().max_wait(Duration::MAX).await?;
                sleep(10 * MS).await;
                Ok::<_, Rejected>(())
            });
        }
        let rejected = || refused(limiter.key("k").acquire()).kind();
        sleep(105 * MS).await;
        assert_eq!(rejected(), RejectedKind::WouldTimeOut, "389 are before it, 10 ms each");
        // No call comes meanwhile that could see the pause.
        set_limit(0);
        sleep(600_000 * MS).await;
        set_limit(1);
        sleep(25 * MS).await;
        let mut waits = waiter(limiter.key("k").acquire());
        sleep(200 * MS).await;
        assert_waits(&mut waits);
        assert_eq!(rejected(), RejectedKind::WouldTimeOut, "it is known again");
        // How long a pause takes is not.
        set_limit(0);
        drop(waiter(limiter.key("k").acquire()));
    }
}

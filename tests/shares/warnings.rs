//! The warnings in snapshots and in the log.

use crate::log::{heard, until_heard};
use crate::{Joined, TIMES, limiter, message};
use limit_fleet::message::Times;
use limit_fleet::{MemoryStore, message::Renewal};
use limit_tests::watchdog::until;

#[test]
fn a_process_that_wants_more_than_another_warns_until_they_agree() {
    let store = MemoryStore::new();
    let mut joined = Joined::to(store.clone());
    let limiter = limiter("warnings-limit", 5);
    let _held = limiter.blocking_acquire();
    // The other process must not fall silent meanwhile.
    let mut seq = 0;
    let mut other_wants = |limit: u32, say: &Joined| {
        seq += 1;
        say.say(&store, "warnings-limit", &TIMES, &Renewal { seq, ..message(1, limit) });
    };
    let warning = "this process wants a limit of 5 over the fleet, and another one wants 3: the smallest holds; \
                   give all processes the same limit";
    until("it warns", || {
        other_wants(3, &joined);
        limiter.snapshot().warnings == [warning]
    });
    assert_eq!(until_heard("another one wants 3").len(), 1, "it is logged once");
    until("it does not warn any more", || {
        other_wants(5, &joined);
        limiter.snapshot().warnings.is_empty()
    });
    until("it warns again", || {
        other_wants(3, &joined);
        limiter.snapshot().warnings == [warning]
    });
    joined.leave();
    assert_eq!(limiter.snapshot().warnings, [""; 0], "it is in no fleet any more");
}

#[test]
fn a_limit_that_the_ledger_has_not_raised_yet_is_no_disagreement() {
    let store = MemoryStore::new();
    let joined = Joined::to(store.clone());
    let limiter = limiter("warnings-raised", 2);
    let _held = limiter.blocking_acquire();
    // The other process speaks all the time. So the ledger has just worked out the limit when this one raises it.
    let mut seq = 0;
    let mut until_in_force = |limit: usize| {
        until("it is in force", || {
            seq += 1;
            let message = message(1, u32::try_from(limit).expect("small"));
            joined.say(&store, "warnings-raised", &TIMES, &Renewal { seq, ..message });
            crate::ledger("warnings-raised").is_some_and(|it| (it.limit, it.nodes) == (limit, 2))
        });
    };
    for limit in 2..6 {
        limiter.set_limit(limit);
        until_in_force(limit);
    }
    assert_eq!(heard("another one wants"), []);
    assert_eq!(limiter.snapshot().warnings, [""; 0]);
}

#[test]
fn a_process_with_another_lease_warns_and_gets_nothing() {
    let store = MemoryStore::new();
    let joined = Joined::to(store.clone());
    let others = Times { ttl: 6_000_000, hold: 0 };
    joined.say(&store, "warnings-lease", &others, &message(1, 5));
    let limiter = limiter("warnings-lease", 5);
    assert!(limiter.try_acquire().is_err());
    let mut call = tokio_test::task::spawn(limiter.acquire());
    assert!(call.poll().is_pending());
    let warning = "this process leases for 1s, and the fleet for 6s: it gets no permits; \
                   give all processes the same `lease`";
    until("it warns", || limiter.snapshot().warnings == [warning]);
    assert!(!call.is_woken());
    assert_eq!(until_heard("the same `lease`").len(), 1, "it is logged once");
}

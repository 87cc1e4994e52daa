//! Calls whose grants are taken back, at made-up times.

use super::super::watch::Watched;
use super::super::{Came, Entered, Held, KeySource, NewBinding, Semaphore, Unserved, Waiter};
use crate::policy::{Order, Policy, Request};
use crate::rejected::RejectedKind;
use crate::semaphore::Hashed;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

const WITHIN: Duration = Duration::from_secs(3600);

const KEYED: Policy = Policy { keyed: true, total: 1, ..Policy::PLAIN };

/// A semaphore and its watcher.
struct Stage {
    semaphore: &'static Semaphore,
    watched: Watched,
    now: Instant,
}

impl Stage {
    fn new(policy: Policy, limit: u32) -> Self {
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        Self::bind(semaphore, policy, limit)
    }

    fn bind(semaphore: &'static Semaphore, policy: Policy, limit: u32) -> Self {
        let bound =
            semaphore.bind(NewBinding { claim_within: WITHIN, ..NewBinding::of(&policy, limit) });
        bound.expect("it is the first").wake();
        semaphore.serve_all();
        Self { semaphore, watched: Watched::new(semaphore), now: Instant::now() }
    }

    fn enter(&self, weight: u32, priority: u8) -> Entered {
        let request = Request { weight, priority, ..Request::ONE };
        self.semaphore.enter(request, None, Ok(Waker::noop()), &mut Came::default(), || true)
    }

    fn join(&self, weight: u32, priority: u8) -> Waiter {
        queued(self.enter(weight, priority))
    }

    fn enter_key(&self, key: u8) -> Entered {
        let key = hashed(key);
        let key = Some(&key as &dyn KeySource);
        self.semaphore.enter(Request::ONE, key, Ok(Waker::noop()), &mut Came::default(), || true)
    }

    fn join_key(&self, key: u8) -> Waiter {
        queued(self.enter_key(key))
    }

    fn hold(&self, weight: u32) -> Held {
        self.semaphore.try_acquire(weight, || true).expect("they are free")
    }

    /// Lets the time pass within which grants are to be claimed.
    fn take_back(&mut self) {
        self.watched.look(self.now);
        self.now += WITHIN;
        self.watched.look(self.now);
    }

    fn set_limit(&self, limit: u32) {
        self.semaphore.set_limit(limit).wake();
        self.semaphore.serve_all();
    }

    fn usage(&self) -> (usize, usize) {
        let usage = self.semaphore.read(&mut Vec::new()).usage;
        (usage.in_use, usage.waiting)
    }
}

fn hashed(key: u8) -> Hashed<u8> {
    Hashed { hash: u64::from(key), weight: 0, key }
}

fn queued(entered: Entered) -> Waiter {
    match entered {
        Entered::Queued(waiter) => waiter,
        other => panic!("{other:?}"),
    }
}

fn poll(waiter: &mut Waiter) -> Poll<Result<Held, Unserved>> {
    waiter.poll(Waker::noop(), || Duration::ZERO)
}

/// Returns the permits of a call, if it has been handed them.
fn served(waiter: &mut Waiter) -> Option<Held> {
    match poll(waiter) {
        Poll::Ready(Ok(held)) => Some(held),
        Poll::Pending => None,
        other @ Poll::Ready(Err(_)) => panic!("{other:?}"),
    }
}

fn refused_as(waiter: &mut Waiter) -> RejectedKind {
    match poll(waiter) {
        Poll::Ready(Err(Unserved::Refused(refusal))) => refusal.kind,
        other => panic!("{other:?}"),
    }
}

/// More calls wait than there are slots that stay. The last to be served gives the chunk of its slot back.
#[test]
fn a_call_that_joins_does_not_look_at_slots_that_are_gone() {
    let mut stage = Stage::new(Policy::PLAIN, 1);
    let mut held = stage.hold(1);
    let mut waiters: Vec<_> = (0..1_089).map(|_| stage.join(1, 0)).collect();
    let mut last = waiters.pop().expect("there are some");
    for mut waiter in waiters {
        drop(held);
        held = served(&mut waiter).expect("its turn");
    }
    stage.watched.look(stage.now);
    drop(stage.join(1, 0));
    drop(held);
    drop(served(&mut last).expect("its turn"));
    let held = stage.hold(1);
    drop(stage.join(1, 0));
    drop(held);
    assert_eq!(stage.usage(), (0, 0));
}

#[test]
fn a_call_that_is_too_heavy_when_it_comes_back_is_refused() {
    for is_lowered_while_away in [false, true] {
        let mut stage = Stage::new(Policy::PLAIN, 2);
        let held = stage.hold(2);
        let (mut absent, mut next) = (stage.join(2, 0), stage.join(1, 0));
        drop(held);
        if !is_lowered_while_away {
            stage.set_limit(1);
        }
        stage.take_back();
        stage.set_limit(1);
        drop(served(&mut next).expect("it has what it wants"));
        assert_eq!(refused_as(&mut absent), RejectedKind::TooHeavy);
        let free = stage.enter(1, 0);
        assert!(matches!(free, Entered::Admitted(_)), "it stands in nobody's way");
    }
}

#[test]
fn a_call_that_is_back_is_first_also_when_the_others_get_priorities() {
    let mut stage = Stage::new(Policy::PLAIN, 1);
    let held = stage.hold(1);
    let (mut absent, mut next) = (stage.join(1, 0), stage.join(1, 0));
    drop(held);
    stage.take_back();
    let held = served(&mut next).expect("it has the permit");
    assert!(served(&mut absent).is_none());
    let mut urgent = stage.join(1, 9);
    drop(held);
    assert!(served(&mut urgent).is_none());
    assert!(served(&mut absent).is_some());
}

#[test]
fn no_more_grants_are_taken_back_than_others_want() {
    let mut stage = Stage::new(Policy::PLAIN, 10);
    let held: Vec<_> = (0..10).map(|_| stage.hold(1)).collect();
    let mut absent: Vec<_> = (0..10).map(|_| stage.join(1, 0)).collect();
    drop(held);
    let mut next = stage.join(1, 0);
    stage.take_back();
    let reading = stage.semaphore.read(&mut Vec::new());
    assert_eq!(reading.current.taken_back, 1);
    let held = served(&mut next);
    assert!(served(&mut absent[0]).is_none(), "the first to come was the first to lose it");
    let others: Vec<_> = absent[1..].iter_mut().map(|call| served(call).is_some()).collect();
    assert_eq!(others, [true; 9]);
    drop(held);
}

#[test]
fn with_the_newest_first_a_full_queue_refuses_the_call_that_is_away() {
    let policy = Policy { order: Order::Lifo, max_waiting: 1, ..Policy::PLAIN };
    let mut stage = Stage::new(policy, 1);
    let held = stage.hold(1);
    let mut absent = stage.join(1, 0);
    drop(held);
    let mut next = stage.join(1, 0);
    stage.take_back();
    let held = served(&mut next).expect("it has the permit");
    let mut newest = stage.join(1, 0);
    assert_eq!(refused_as(&mut absent), RejectedKind::Evicted);
    drop(held);
    assert!(served(&mut newest).is_some());
}

/// It has been handed permits before, and stands before all others.
#[test]
fn a_call_that_is_away_or_back_does_not_give_way_to_a_higher_one() {
    for is_back in [false, true] {
        let mut stage = Stage::new(Policy { max_waiting: 1, ..Policy::PLAIN }, 1);
        let held = stage.hold(1);
        let mut absent = stage.join(1, 0);
        drop(held);
        let mut next = stage.join(1, 0);
        stage.take_back();
        let held = served(&mut next).expect("its turn");
        if is_back {
            assert!(served(&mut absent).is_none());
        }
        let Entered::Refused(refusal) = stage.enter(1, 9) else { panic!("the queue is full") };
        assert_eq!(refusal.kind, RejectedKind::QueueFull);
        drop(held);
        drop(served(&mut absent).expect("its turn"));
        assert_eq!(stage.usage(), (0, 0));
    }
}

#[test]
fn calls_that_give_up_early_one_after_the_other_do_not_keep_the_grant_for_ever() {
    let mut stage = Stage::new(Policy::PLAIN, 1);
    let held = stage.hold(1);
    let _absent = stage.join(1, 0);
    drop(held);
    let served = (0..10).any(|_| {
        let mut next = stage.join(1, 0);
        stage.watched.look(stage.now);
        stage.now += WITHIN / 2;
        let is_served = served(&mut next).is_some();
        drop(next);
        stage.now += WITHIN / 2;
        stage.watched.look(stage.now);
        is_served
    });
    assert!(served);
}

#[test]
fn most_waiting_counts_calls_that_are_away() {
    let mut stage = Stage::new(Policy::PLAIN, 2);
    let (first, _second) = (stage.hold(1), stage.hold(1));
    let _absent = stage.join(1, 0);
    drop(first);
    let _next = stage.join(2, 0);
    stage.take_back();
    let reading = stage.semaphore.read(&mut Vec::new());
    assert_eq!((reading.usage.waiting, reading.current.most_waiting), (2, 2));
}

#[test]
fn a_call_of_a_key_that_is_back_is_before_the_other_keys() {
    let mut stage = Stage::new(KEYED, 1);
    let Entered::Admitted(held) = stage.enter_key(0) else { panic!("it is free") };
    let mut absent = stage.join_key(1);
    let (mut next, mut last) = (stage.join_key(2), stage.join_key(3));
    drop(held);
    stage.take_back();
    let held = served(&mut next).expect("it has the permit");
    assert!(served(&mut absent).is_none());
    drop(held);
    assert!(served(&mut last).is_none());
    drop(served(&mut absent).expect("it is first"));
    assert!(served(&mut last).is_some());
}

#[test]
fn a_key_whose_call_is_away_is_forgotten_with_the_call_however_it_ends() {
    let ends: [fn(&Stage, Waiter); 6] = [
        |_, absent| drop(absent),
        |stage, mut absent| {
            stage.semaphore.close().wake();
            assert_eq!(refused_as(&mut absent), RejectedKind::Closed);
        },
        |stage, mut absent| {
            stage.semaphore.dismiss_all();
            assert!(matches!(poll(&mut absent), Poll::Ready(Err(Unserved::Retry))));
        },
        |_, mut absent| drop(absent.time_out(|| Duration::ZERO)),
        |stage, absent| {
            stage.semaphore.dismiss_all();
            drop(absent);
        },
        |stage, absent| {
            stage.semaphore.close().wake();
            drop(absent);
        },
    ];
    for end in ends {
        let mut stage = Stage::new(KEYED, 1);
        let Entered::Admitted(held) = stage.enter_key(1) else { panic!("it is free") };
        let (absent, mut next) = (stage.join_key(1), stage.join_key(1));
        drop(held);
        stage.take_back();
        drop(served(&mut next));
        assert_eq!(stage.semaphore.read(&mut Vec::new()).usage.keys, 1, "that of the call");
        end(&stage, absent);
        let usage = stage.semaphore.read(&mut Vec::new()).usage;
        assert_eq!((usage.keys, usage.waiting, usage.in_use), (0, 0, 0));
    }
}

#[cfg(feature = "fleet")]
mod fleet {
    use super::super::super::LeasingStart;
    use super::super::super::status::{GRANTED, REFUSED, status};
    use super::{KEYED, Stage, hashed, refused_as, served};
    use crate::policy::Policy;
    use crate::rejected::RejectedKind;
    use crate::semaphore::Semaphore;
    use crate::sync::Ordering;
    use std::task::Waker;
    use std::time::Duration;

    /// Makes a leased semaphore with keys and a total of one.
    fn stage() -> Stage {
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        let start = LeasingStart { has_whole: true, has_agent: true, unavailable: false };
        semaphore.begin_leasing(Waker::noop(), start).wake();
        let stage = Stage::bind(semaphore, Policy { max_waiting: 999, ..KEYED }, 1);
        grant(&stage, None);
        stage
    }

    fn grant(stage: &Stage, key: Option<u8>) {
        let far = Duration::from_secs(1 << 30);
        let key = key.map(hashed);
        let key = key.as_ref().map(|key| key as &dyn super::KeySource);
        stage.semaphore.grant(key, 1, far, None).wake();
        stage.semaphore.serve_all();
    }

    /// Ends the lease of a key whose fleet cannot be reached.
    fn lose(stage: &Stage, key: u8) {
        stage.semaphore.lapse(Some(&hashed(key))).wake();
        stage.semaphore.set_unavailable(Some(&hashed(key)), true).wake();
        stage.semaphore.serve_all();
    }

    #[test]
    fn a_call_that_comes_back_to_a_key_that_is_unavailable_is_refused() {
        let mut stage = stage();
        let (mut first, mut absent, mut next) =
            (stage.join_key(0), stage.join_key(1), stage.join_key(2));
        for key in 0..3 {
            grant(&stage, Some(key));
        }
        drop(served(&mut first).expect("the first"));
        lose(&stage, 1);
        stage.take_back();
        drop(served(&mut next).expect("it has the permit"));
        assert_eq!(refused_as(&mut absent), RejectedKind::Unavailable);
    }

    /// The waiter has seen its grant and looks at its leases. Meanwhile the grant was taken back, the call refused and
    /// its key forgotten.
    #[test]
    fn a_look_at_the_leases_of_a_key_that_is_gone_does_nothing() {
        let mut stage = stage();
        let mut waiters: Vec<_> = (0..100).map(|key| stage.join_key(key)).collect();
        let mut next = stage.join_key(0);
        grant(&stage, Some(99));
        grant(&stage, Some(0));
        let absent = waiters.pop().expect("that of key 99");
        assert_eq!(status(absent.status.load(Ordering::Relaxed)), GRANTED);
        stage.take_back();
        lose(&stage, 99);
        assert_eq!(status(absent.status.load(Ordering::Relaxed)), REFUSED);
        drop(waiters);
        drop(served(&mut next));
        drop(next);
        for key in 1..100 {
            stage.semaphore.release_lease(&hashed(key));
        }
        assert!(stage.semaphore.look_after_wait(absent.slot).is_some(), "the claim fails");
    }
}

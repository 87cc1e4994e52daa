//! Leases: grants, lapses and deadlines against calls, permits that come back, and waiters.

use super::{Call, Without, acquire, model};
use crate::policy::Policy;
use crate::semaphore::{Held, LeasingStart, NewBinding, Semaphore};
use loom::future::block_on;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

/// Counts how often the agent is woken.
struct Agent(AtomicUsize);

impl Wake for Agent {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Returns a leased semaphore that is bound, and its agent, who has looked once.
fn leased() -> (&'static Semaphore, Arc<Agent>) {
    let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
    let agent = Arc::new(Agent(AtomicUsize::new(0)));
    let start = LeasingStart { has_whole: true, has_agent: true, unavailable: false };
    semaphore.begin_leasing(&Waker::from(Arc::clone(&agent)), start).wake();
    semaphore.bind(NewBinding::of(&Policy::PLAIN, 0)).expect("it is the first").wake();
    let _ = semaphore.load(None, None);
    agent.0.store(0, Ordering::SeqCst);
    (semaphore, agent)
}

fn grant(semaphore: &'static Semaphore, permits: u32, deadline: u64) {
    semaphore.grant(None, permits, Duration::from_micros(deadline), None).wake();
    semaphore.serve_all();
}

fn lapse(semaphore: &'static Semaphore) {
    semaphore.lapse(None).wake();
    semaphore.serve_all();
}

/// Sets the clock, which begins at 1.
fn set_clock(semaphore: &'static Semaphore, time: u64) {
    semaphore.lease.clock.store(time, Ordering::SeqCst);
}

/// Makes a call that enters again as often as it is told to.
fn call(semaphore: &'static Semaphore) -> Held {
    loop {
        match block_on(Call { is_of_fleet: true, ..acquire(semaphore, 1) }) {
            Ok(held) => return held,
            Err(without) => assert_eq!(without, Without::Retry),
        }
    }
}

fn running(semaphore: &'static Semaphore) -> u32 {
    semaphore.load(None, None).running
}

#[test]
fn a_call_that_the_agent_has_not_counted_is_not_let_in() {
    model(|| {
        let (semaphore, _) = leased();
        grant(semaphore, 1, 10);
        let caller = thread::spawn(move || semaphore.try_acquire_leased(1, || true));
        let load = semaphore.load(None, Some(0));
        let held = caller.join().unwrap();
        assert_eq!(load.running > 0, held.is_some());
    });
}

#[test]
fn after_a_lapse_only_calls_are_let_in_that_have_been_counted() {
    model(|| {
        let (semaphore, _) = leased();
        grant(semaphore, 1, 10);
        let caller = thread::spawn(move || semaphore.try_acquire_leased(1, || true));
        set_clock(semaphore, 10);
        lapse(semaphore);
        let counted = running(semaphore);
        let held = caller.join().unwrap();
        assert!(held.is_none() || counted > 0);
        drop(held);
        assert_eq!(running(semaphore), 0);
    });
}

#[test]
fn a_call_that_took_its_permit_before_a_lapse_is_no_part_of_a_later_share() {
    model(|| {
        let (semaphore, _) = leased();
        grant(semaphore, 1, 10);
        let caller = thread::spawn(move || semaphore.try_acquire_leased(1, || true));
        lapse(semaphore);
        grant(semaphore, 0, 20);
        // It may have looked before the lapse. Then it runs on without a lease.
        let permits = caller.join().unwrap().map(Held::into_permits);
        assert!(permits.is_none_or(|permits| !permits.is_valid()));
    });
}

#[test]
fn a_call_after_the_deadline_is_not_let_in_whoever_notices_first() {
    model(|| {
        let (semaphore, _) = leased();
        grant(semaphore, 1, 10);
        set_clock(semaphore, 10);
        let late = || semaphore.try_acquire_leased(1, || true);
        let other = thread::spawn(move || semaphore.try_acquire_leased(1, || true).is_none());
        assert!(late().is_none());
        assert!(other.join().unwrap());
        assert_eq!(running(semaphore), 0);
        grant(semaphore, 1, 20);
        assert!(late().is_some());
    });
}

#[test]
fn a_renewal_against_late_calls_loses_nobody_and_lets_no_more_in_than_the_share() {
    model(|| {
        let (semaphore, _) = leased();
        grant(semaphore, 1, 10);
        set_clock(semaphore, 10);
        let inside = Arc::new(AtomicUsize::new(0));
        let run = move |inside: &AtomicUsize| {
            let held = call(semaphore);
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "the share is 1");
            inside.fetch_sub(1, Ordering::SeqCst);
            drop(held);
        };
        let other = {
            let inside = Arc::clone(&inside);
            thread::spawn(move || run(&inside))
        };
        grant(semaphore, 1, 20);
        run(&inside);
        other.join().unwrap();
        assert_eq!(running(semaphore), 0);
    });
}

#[test]
fn a_waiter_is_not_lost_when_its_lease_lapses_before_it_looks() {
    model(|| {
        let (semaphore, _) = leased();
        set_clock(semaphore, 10);
        let waiter = thread::spawn(move || drop(call(semaphore)));
        grant(semaphore, 1, 5);
        grant(semaphore, 1, 20);
        waiter.join().unwrap();
        assert_eq!(running(semaphore), 0);
    });
}

#[test]
fn a_call_that_waits_has_woken_the_agent_or_is_served_by_its_grant() {
    model(|| {
        let (semaphore, agent) = leased();
        let waiter = thread::spawn(move || drop(call(semaphore)));
        // The agent looks once by itself, and then as often as it is woken.
        let look = || {
            let load = semaphore.load(None, None);
            grant(semaphore, load.running + load.waiting, 10);
            load.waiting > 0
        };
        if !look() {
            while agent.0.swap(0, Ordering::SeqCst) == 0 {
                thread::yield_now();
            }
            look();
        }
        waiter.join().unwrap();
        assert_eq!(running(semaphore), 0);
    });
}

#[test]
fn a_permit_that_comes_back_to_a_lowered_share_is_counted_or_wakes_the_agent() {
    model(|| {
        let (semaphore, agent) = leased();
        grant(semaphore, 1, 10);
        let held = semaphore.try_acquire_leased(1, || true).expect("it is free");
        let releaser = thread::spawn(move || drop(held));
        let load = semaphore.load(None, Some(0));
        releaser.join().unwrap();
        assert!(load.running == 0 || agent.0.load(Ordering::SeqCst) > 0);
        assert_eq!(running(semaphore), 0);
    });
}

#[test]
fn whoever_watches_a_lease_hears_that_it_is_lost() {
    model(|| {
        let (semaphore, _) = leased();
        grant(semaphore, 1, 10);
        let held = semaphore.try_acquire_leased(1, || true).expect("it is free");
        let watcher = thread::spawn(move || {
            let permits = held.into_permits();
            let mut watcher = None;
            block_on(poll_fn(|context| permits.poll_lost(&mut watcher, context)));
            permits
        });
        lapse(semaphore);
        grant(semaphore, 1, 20);
        let mut permits = watcher.join().unwrap();
        assert!(!permits.is_valid(), "this is another lease");
        permits.give_back();
        assert_eq!(running(semaphore), 0);
    });
}

//! The first calls of a limiter, made on several threads at once.

use crate::foreign_wakers::Inline;
use limit_runtime::{Acquire, Limiter, Permit, RejectedKind, Scope};
use limit_tests::figures::{assert_all_free, total};
use limit_tests::polling::{assert_waits, served, waiter};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio_test::task::{Spawn, spawn};
use tokio_test::{assert_pending, assert_ready};

const THREADS: usize = 4;

/// Polls one call on each of four threads at the same time.
fn poll_at_once<T: Send>(poll: impl Fn() -> Poll<T> + Sync) -> Vec<Poll<T>> {
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    poll()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no call panics")).collect()
    })
}

#[test]
fn first_calls_that_find_permits_are_all_let_in_at_once() {
    for round in 0..500 {
        let name = format!("first-use-{round}");
        let limiter = Limiter::named(name, THREADS).max_waiting(0);
        let polled = poll_at_once(|| spawn(limiter.acquire()).poll());
        assert!(polled.iter().all(|polled| matches!(polled, Poll::Ready(Ok(_)))), "{polled:?}");
        drop(polled);
        let figures = total(&limiter);
        assert_eq!((figures.admitted_at_once, figures.most_waiting), (THREADS as u64, 0));
    }
}

#[test]
fn first_calls_need_no_timer_although_they_may_not_wait_for_ever() {
    let runtime = Builder::new_multi_thread().worker_threads(THREADS).build();
    let runtime = runtime.expect("a runtime without a timer can be made");
    for round in 0..500 {
        let name = format!("first-use-no-timer-{round}");
        let limiter = Limiter::named(name, THREADS).max_wait(Duration::from_secs(1));
        let polled = poll_at_once(|| {
            let _entered = runtime.enter();
            spawn(limiter.acquire()).poll()
        });
        assert!(polled.iter().all(|polled| matches!(polled, Poll::Ready(Ok(_)))), "{polled:?}");
    }
}

/// A limit whose expression blocks until the test lets it end.
struct Slow {
    asked: Barrier,
    found: Barrier,
    fails: AtomicBool,
}

impl Slow {
    const fn new() -> Self {
        Self { asked: Barrier::new(2), found: Barrier::new(2), fails: AtomicBool::new(false) }
    }

    fn evaluate(&self) -> usize {
        self.asked.wait();
        self.found.wait();
        assert!(!self.fails.load(Ordering::SeqCst), "meant to");
        2
    }

    /// Runs a closure while another thread makes the first call, which evaluates the limit.
    fn meanwhile(&self, first: impl FnOnce() + Send, run: impl FnOnce()) {
        thread::scope(|scope| {
            let first = scope.spawn(first);
            self.asked.wait();
            // The expression ends even if an assertion fails.
            let result = catch_unwind(AssertUnwindSafe(run));
            self.found.wait();
            // The thread panics if the expression does.
            let _ = first.join();
            result.unwrap_or_else(|panic| resume_unwind(panic));
        });
    }
}

#[test]
fn to_wait_for_the_limit_is_not_to_wait_for_a_permit() {
    static LIMIT: Slow = Slow::new();
    // No call may wait, and there is neither a timer nor a runtime.
    let limiter = Limiter::lazy("first-use-slow", || LIMIT.evaluate())
        .max_waiting(0)
        .max_wait(Duration::from_secs(1));
    let mut calls: Vec<_> = (0..3).map(|_| spawn(limiter.acquire())).collect();
    let mut gives_up = spawn(limiter.acquire());
    LIMIT.meanwhile(
        || drop(spawn(limiter.acquire()).poll()),
        || {
            for call in &mut calls {
                assert!(call.poll().is_pending());
            }
            assert_pending!(gives_up.poll());
            let figures = total(&limiter);
            assert_eq!((figures.in_use, figures.waiting, figures.rejected.total()), (0, 0, 0));
            assert_eq!(figures.most_waiting, 0);
            drop(gives_up);
        },
    );
    assert!(calls.iter().all(Spawn::is_woken));
    let first = assert_ready!(calls[0].poll()).expect("a permit is free");
    let second = assert_ready!(calls[1].poll()).expect("a permit is free");
    let refused = assert_ready!(calls[2].poll()).expect_err("nobody may wait for a permit");
    assert_eq!((refused.kind(), refused.waited()), (RejectedKind::QueueFull, Duration::ZERO));
    drop((first, second));
    let figures = total(&limiter);
    assert_eq!(figures.admitted_at_once, 3, "with the first, which has evaluated the limit");
    assert_eq!((figures.admitted_after_waiting, figures.most_waiting), (0, 0));
    assert_eq!(figures.cancelled, 0, "it did not wait for a permit");
}

#[test]
fn a_call_with_no_time_to_wait_waits_for_the_limit_all_the_same() {
    static LIMIT: Slow = Slow::new();
    let limiter = Limiter::lazy("first-use-no-time", || LIMIT.evaluate()).max_wait(Duration::ZERO);
    let mut call = spawn(limiter.acquire());
    LIMIT.meanwhile(|| drop(spawn(limiter.acquire()).poll()), || assert_pending!(call.poll()));
    assert!(call.is_woken());
    drop(assert_ready!(call.poll()).expect("a permit is free"));
}

#[test]
fn calls_of_keys_wait_for_the_limit_and_are_let_in() {
    static LIMIT: Slow = Slow::new();
    let limiter = Limiter::lazy("first-use-keyed", || LIMIT.evaluate()).keyed();
    let mut calls = [1, 1, 2].map(|key| spawn(limiter.key(key).acquire()));
    let first = || drop(spawn(limiter.key(3).acquire()).poll());
    LIMIT.meanwhile(first, || {
        for call in &mut calls {
            assert_pending!(call.poll());
        }
        assert_eq!((total(&limiter).waiting, total(&limiter).keys), (0, 0));
    });
    assert!(calls.iter().all(Spawn::is_woken));
    let permits = calls.each_mut().map(|call| assert_ready!(call.poll()));
    assert_eq!(total(&limiter).keys, 2);
    drop(permits);
}

#[test]
fn a_limit_that_is_set_while_another_is_found_out_holds() {
    static LIMIT: Slow = Slow::new();
    let limiter = Limiter::lazy("first-use-set", || LIMIT.evaluate());
    LIMIT.meanwhile(|| drop(spawn(limiter.acquire()).poll()), || limiter.set_limit(1));
    assert_all_free(&limiter);
    assert_eq!(total(&limiter).limit, 1);
}

/// A call that cannot wait for the first call evaluates the expression too, and may be quicker.
#[test]
fn the_limit_that_is_known_first_holds_for_all() {
    static LIMIT: Slow = Slow::new();
    static IS_FIRST: AtomicBool = AtomicBool::new(true);
    let limiter = Limiter::lazy("first-use-twice", || {
        if IS_FIRST.swap(false, Ordering::SeqCst) { LIMIT.evaluate() } else { 1 }
    })
    .keyed();
    let mut held = None;
    LIMIT.meanwhile(
        || assert_pending!(spawn(limiter.key("tenant").acquire()).poll()),
        || held = limiter.key("tenant").try_acquire().ok(),
    );
    assert_eq!(limiter.limit(), Some(1));
    assert_eq!((total(&limiter).in_use, total(&limiter).keys), (1, 1));
    limiter.key("tenant").try_acquire().expect_err("the one permit of the key is out");
    drop(held.expect("it was free"));
    assert_eq!((total(&limiter).in_use, total(&limiter).keys), (0, 0));
}

#[test]
fn those_who_waited_for_a_limit_that_panicked_ask_again() {
    static LIMIT: Slow = Slow::new();
    let limiter = Limiter::lazy("first-use-panics", || LIMIT.evaluate());
    let mut call = spawn(limiter.acquire());
    LIMIT.fails.store(true, Ordering::SeqCst);
    LIMIT.meanwhile(|| drop(spawn(limiter.acquire()).poll()), || assert_pending!(call.poll()));
    assert!(call.is_woken());
    LIMIT.fails.store(false, Ordering::SeqCst);
    let permit = thread::scope(|scope| {
        let polled = scope.spawn(|| call.poll());
        LIMIT.asked.wait();
        LIMIT.found.wait();
        assert_ready!(polled.join().expect("the expression does not panic any more"))
    });
    drop(permit);
    drop(call);
    assert_all_free(&limiter);
}

#[test]
fn whoever_drains_while_the_limit_is_found_out_is_told_when_the_last_permit_comes_back() {
    static LIMIT: Slow = Slow::new();
    let limiter = Limiter::lazy("first-use-drained", || LIMIT.evaluate()).keyed();
    let mut call = spawn(limiter.key(1).acquire());
    let mut drain = spawn(limiter.drain());
    LIMIT.meanwhile(
        || drop(spawn(limiter.key(3).acquire()).poll()),
        || {
            assert_pending!(call.poll());
            assert_pending!(drain.poll(), "a call waits for the limit");
        },
    );
    assert!(drain.is_woken(), "nobody waits for the limit any more");
    let permit = assert_ready!(call.poll());
    assert_pending!(drain.poll(), "a permit is out");
    drop(permit);
    assert!(drain.is_woken());
    assert_ready!(drain.poll());
    assert_eq!(total(&limiter).keys, 0, "it is keyed all the same");
}

#[test]
fn a_call_that_has_waited_elsewhere_is_not_refused_while_it_waits_for_the_limit() {
    static LIMIT: Slow = Slow::new();
    static IS_FIRST: AtomicBool = AtomicBool::new(true);
    let paused = || Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtimes = [(); 2].map(|()| paused().expect("a runtime can be made"));
    let limiter = Limiter::lazy("first-use-moved", || {
        if IS_FIRST.swap(false, Ordering::SeqCst) { 1 } else { LIMIT.evaluate() }
    })
    .max_wait(Duration::from_secs(1));
    let [first, second] = runtimes;
    let mut call = spawn(limiter.acquire());
    let held = first.block_on(async {
        let held = assert_ready!(spawn(limiter.acquire()).poll()).expect("a permit is free");
        assert_pending!(call.poll());
        held
    });
    drop(first);
    assert!(call.is_woken(), "its runtime has ended");
    LIMIT.meanwhile(
        || {
            let _entered = second.enter();
            drop(spawn(limiter.acquire()).poll());
        },
        || {
            second.block_on(async {
                // Before and after the timer of the call has fired, if it has a timer.
                for _ in 0..2 {
                    assert_pending!(call.poll());
                    tokio::time::sleep(Duration::from_secs(10)).await;
                }
                assert_pending!(call.poll());
            });
        },
    );
    second.block_on(async {
        drop(assert_ready!(call.poll()).expect("a permit is free"));
    });
    drop(held);
}

#[test]
fn of_two_evaluations_the_one_that_was_quicker_is_shown() {
    static LIMIT: Slow = Slow::new();
    static IS_FIRST: AtomicBool = AtomicBool::new(true);
    let limiter = Limiter::lazy("first-use-quicker", || {
        if IS_FIRST.swap(false, Ordering::SeqCst) { LIMIT.evaluate() + 5 } else { 2 }
    });
    LIMIT.meanwhile(
        || drop(spawn(limiter.acquire()).poll()),
        // This call cannot wait for the first one, and is quicker.
        || drop(limiter.try_acquire().expect("a permit is free")),
    );
    let handle = limit_runtime::find("first-use-quicker").expect("it is in use");
    let snapshot = limiter.snapshot();
    assert_eq!([snapshot.settings.limit.value, snapshot.total.limit], [2; 2]);
    assert_eq!([limiter.limit(), handle.limit()], [Some(2); 2]);
    handle.set_limit(1);
    handle.reset();
    assert_eq!(limiter.limit(), Some(2));
    assert_all_free(&limiter);
}

#[test]
fn a_failed_evaluation_puts_nobody_out_of_the_queue() {
    /// More calls than one batch of wakes has.
    const MANY: usize = 100;
    static LIMIT: Slow = Slow::new();
    static FAILS: AtomicBool = AtomicBool::new(true);
    static LIMITER: Limiter = Limiter::lazy("first-use-failed", || {
        if FAILS.swap(false, Ordering::SeqCst) {
            LIMIT.evaluate();
        }
        1
    });
    static FIRST: Mutex<Option<Permit>> = Mutex::new(None);
    static NEXT: Mutex<Option<Spawn<Acquire<'static>>>> = Mutex::new(None);

    let mut waiting = Vec::new();
    let mut inline = None;
    LIMIT.fails.store(true, Ordering::SeqCst);
    LIMIT.meanwhile(
        || drop(spawn(LIMITER.acquire()).poll()),
        || {
            // This call is woken first and binds; another call queues behind it.
            inline = Some(Inline::start(async {
                *FIRST.lock().expect("nobody panics") = Some(LIMITER.acquire().await);
                let mut next = spawn(LIMITER.acquire());
                assert_pending!(next.poll());
                *NEXT.lock().expect("nobody panics") = Some(next);
            }));
            waiting.extend((0..MANY).map(|_| waiter(LIMITER.acquire())));
        },
    );
    assert!(waiting.iter().all(Spawn::is_woken), "they are to ask again");
    drop((waiting, inline));
    let mut next = NEXT.lock().expect("nobody panics").take().expect("it waits");
    let mut last = waiter(LIMITER.acquire());
    assert_waits(&mut next);
    drop(FIRST.lock().expect("nobody panics").take());
    drop(served(&mut next));
    drop(served(&mut last));
}

#[test]
fn expressions_that_wait_for_each_other_panic_and_do_not_hang() {
    static BOTH: Barrier = Barrier::new(2);
    static ONE: Limiter = Limiter::lazy("first-use-one", || asks(&OTHER)).scope(Scope::Process);
    static OTHER: Limiter = Limiter::lazy("first-use-other", || asks(&ONE)).scope(Scope::Process);

    fn asks(limiter: &'static Limiter) -> usize {
        static COME: AtomicUsize = AtomicUsize::new(0);
        // The first two calls are on two threads.
        if COME.fetch_add(1, Ordering::SeqCst) < 2 {
            BOTH.wait();
        }
        usize::from(spawn(limiter.acquire()).poll().is_ready())
    }

    let threads = [&ONE, &OTHER].map(|limiter| {
        thread::spawn(move || catch_unwind(|| drop(spawn(limiter.acquire()).poll())))
    });
    for thread in threads {
        let panic = thread.join().expect("it catches its panic").expect_err("it panics");
        let message = panic.downcast_ref::<String>().expect("it says why");
        assert!(message.contains("uses the limiter itself"), "{message}");
    }
}

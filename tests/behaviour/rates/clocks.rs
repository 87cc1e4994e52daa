//! Rates whose calls use several clocks: the clocks of paused runtimes, and the real one.

use super::{MINUTE, MS, SECOND};
use limit_runtime::{Limiter, Permit, Rejected, Scope};
use limit_tests::figures::assert_figures;
use limit_tests::polling::{permit, ready, served, waiter};
use limit_tests::runtimes::paused;
use limit_tests::watchdog::until;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::yield_now;
use tokio::time::{Instant, advance, sleep, timeout};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn permits_of_a_clock_that_is_ahead_keep_nobody_waiting_for_longer_than_a_window() {
    static LIMITER: Limiter = Limiter::new("rate-ahead", 2).per(MINUTE).scope(Scope::Process);

    let (ahead, behind) = (paused(), paused());
    ahead.block_on(async {
        advance(HOUR).await;
        drop((permit(&LIMITER), permit(&LIMITER)));
    });
    behind.block_on(async {
        let begin = Instant::now();
        for _ in 0..4 {
            drop(timeout(10 * MINUTE, LIMITER.acquire()).await.expect("a window has ended"));
        }
        assert!(begin.elapsed() <= 2 * MINUTE, "{:?}", begin.elapsed());
    });
}

/// The calls wait already when the permits begin to cool, and expect a permit that comes back
/// earlier.
#[test]
fn permits_that_come_back_on_a_clock_that_is_ahead_keep_nobody_waiting_for_longer_than_a_window() {
    static LIMITER: Limiter = Limiter::new("rate-ahead-later", 2).per(MINUTE).scope(Scope::Process);

    let (ahead, behind) = (paused(), paused());
    let held = ahead.block_on(async {
        advance(HOUR).await;
        permit(&LIMITER)
    });
    behind.block_on(async {
        drop(permit(&LIMITER));
        let begin = Instant::now();
        let mut waiting: Vec<_> =
            (0..2).map(|number| (number, waiter(LIMITER.acquire()))).collect();
        sleep(SECOND).await;
        {
            let _context = ahead.enter();
            drop(held);
        }
        let mut permits = Vec::new();
        while !waiting.is_empty() {
            sleep(SECOND).await;
            permits.extend(ready(&mut waiting));
            assert!(begin.elapsed() <= MINUTE + 2 * SECOND, "{} wait", waiting.len());
        }
    });
}

/// The same as the two tests above, in real time. It shows that no call waits for an hour, not how
/// long a call waits.
#[test]
fn a_call_in_real_time_waits_for_no_paused_clock() {
    static LIMITER: Limiter = Limiter::new("rate-real", 1).per(MS).scope(Scope::Process);

    let ahead = paused();
    ahead.block_on(async {
        advance(HOUR).await;
        drop(permit(&LIMITER));
    });
    limit_tests::runtimes::one_thread().block_on(async {
        let call = timeout(MINUTE, LIMITER.acquire()).await;
        drop(call.expect("the window has ended"));
    });
    ahead.block_on(async { drop(permit(&LIMITER)) });
    let tried = || LIMITER.try_acquire().map(drop);
    until("a window has ended, outside any runtime", || tried().is_ok());
}

/// A clock other than the clock of the starts counts for nothing, neither when a snapshot is taken
/// nor when a permit comes back.
#[test]
fn a_window_of_a_paused_clock_does_not_end_by_the_real_one() {
    static LIMITER: Limiter<Rejected> = Limiter::new("rate-outside", 3).per(MS).max_waiting(1);

    let runtime = paused();
    let context = runtime.enter();
    let held = [LIMITER.try_acquire().unwrap(), LIMITER.try_acquire().unwrap()];
    drop(LIMITER.try_acquire().unwrap());
    let mut waiting = Some(waiter(LIMITER.acquire().weight(3)));
    thread::scope(|scope| {
        scope.spawn(|| {
            let begin = std::time::Instant::now();
            until("the window would be over, if the clock were that of here", || {
                assert_eq!(LIMITER.snapshot().total.in_use, 2);
                begin.elapsed() > 2 * MS
            });
            drop(held);
            assert_figures(&LIMITER, 0, 1);
        });
    });
    assert!(!waiting.as_ref().unwrap().is_woken());
    drop(waiting.take());
    LIMITER.try_acquire().unwrap_err();
    drop(context);
    runtime.block_on(async {
        LIMITER.try_acquire().unwrap_err();
        advance(MS).await;
        let all: Vec<_> = (0..3).map(|_| LIMITER.try_acquire().unwrap()).collect();
        drop(all);
        // A call that waits there is woken, because there is a window to wait for.
        let mut held = None;
        sleep(MS).await;
        held.replace([(); 3].map(|()| LIMITER.try_acquire().unwrap()));
        let mut waiting = waiter(LIMITER.acquire());
        yield_now().await;
        thread::scope(|scope| scope.spawn(|| drop(held.take())).join().unwrap());
        sleep(MS).await;
        yield_now().await;
        drop(served(&mut waiting).unwrap());
    });
}

/// In real time a permit may come back on any runtime.
#[test]
fn a_permit_held_for_longer_than_the_window_comes_back_at_once_from_outside_too() {
    static LIMITER: Limiter = Limiter::new("rate-real-outside", 1).per(MS);

    let runtime = limit_tests::runtimes::one_thread();
    let _context = runtime.enter();
    for from_outside in [false, true] {
        let held = permit(&LIMITER);
        let begin = std::time::Instant::now();
        until("the window is over", || begin.elapsed() > 2 * MS);
        let mut waiting = waiter(LIMITER.acquire());
        if from_outside {
            thread::scope(|scope| scope.spawn(|| drop(held)).join().unwrap());
        } else {
            drop(held);
        }
        drop(served(&mut waiting));
        let begin = std::time::Instant::now();
        until("the window is over", || begin.elapsed() > 2 * MS);
    }
}

/// tokio's own thread-locals are gone by then, and its clock cannot be read if any clock was ever
/// paused.
#[test]
fn a_permit_is_given_back_and_refused_in_a_thread_locals_destructor() {
    static LIMITER: Limiter = Limiter::new("rate-destructor", 1).per(MINUTE).scope(Scope::Process);

    struct AtTheEnd {
        permit: Option<Permit>,
        told: Option<Sender<(bool, bool, bool)>>,
    }

    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            let context = Handle::try_current().expect_err("the thread has no runtime");
            let permit = self.permit.take();
            let given_back = catch_unwind(AssertUnwindSafe(|| drop(permit)));
            let refused = catch_unwind(|| drop(LIMITER.try_acquire().unwrap_err()));
            let told = (context.is_thread_local_destroyed(), given_back.is_ok(), refused.is_ok());
            self.told.take().unwrap().send(told).unwrap();
        }
    }

    thread_local! {
        static LAST: RefCell<AtTheEnd> =
            const { RefCell::new(AtTheEnd { permit: None, told: None }) };
    }

    paused().block_on(async { advance(MS).await });
    let (tell, told) = channel();
    thread::spawn(move || {
        // Made before tokio's thread-locals, so that it is dropped after them.
        LAST.with(|last| last.borrow_mut().told = Some(tell));
        Handle::try_current().unwrap_err();
        LAST.with(|last| last.borrow_mut().permit = Some(permit(&LIMITER)));
    })
    .join()
    .unwrap();
    assert_eq!(told.recv().unwrap(), (true, true, true));
    assert_figures(&LIMITER, 0, 0);
}

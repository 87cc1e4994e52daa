//! Calls that wait for a window to end are served when a runtime ends, a waker panics, a call
//! moves, or a snapshot is taken.

use super::{MINUTE, MS, SECOND};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use limit_runtime::{Limiter, Scope};
use limit_tests::figures::assert_figures;
use limit_tests::polling::{permit, ready, served, waiter};
use limit_tests::programs::is_alone;
use limit_tests::runtimes::paused;
use limit_tests::watchdog::until;
use std::future::Future;
use std::panic::panic_any;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::{LocalSet, yield_now};
use tokio::time::{Instant, advance, sleep, timeout};

/// A waker that runs a closure.
struct Runs<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for Runs<F> {
    fn wake(self: Arc<Self>) {
        self.0();
    }
}

fn runs(wake: impl Fn() + Send + Sync + 'static) -> Waker {
    Waker::from(Arc::new(Runs(wake)))
}

/// Advances the paused clock from code that is not async.
fn pass(time: Duration) {
    let _ = pin!(advance(time)).poll(&mut Context::from_waker(Waker::noop()));
}

/// Polls a call with this waker, and asserts that it waits.
#[track_caller]
fn waits<F: Future>(call: Pin<&mut F>, waker: &Waker) {
    assert!(call.poll(&mut Context::from_waker(waker)).is_pending(), "the call waits");
}

/// The window of the second permit ends while the first waiter is being woken, and a snapshot is the
/// first to see it.
#[tokio::test(start_paused = true)]
async fn a_snapshot_keeps_nobody_waiting() {
    static LIMITER: Limiter = Limiter::new("rate-snapshot", 2).per(MINUTE);

    drop(permit(&LIMITER));
    advance(SECOND).await;
    drop(permit(&LIMITER));
    let mut first = pin!(LIMITER.acquire());
    waits(
        first.as_mut(),
        &runs(|| {
            pass(2 * SECOND);
            assert_figures(&LIMITER, 1, 1);
        }),
    );
    let second = async { drop(LIMITER.acquire().await) };
    assert!(timeout(10 * MINUTE, second).await.is_ok(), "two windows have ended: one for each");
}

/// No reading serves a call: the call that watches the clock does.
#[test]
fn a_snapshot_serves_nobody_and_takes_nothing_from_those_who_are_served() {
    static LIMITER: Limiter = Limiter::new("rate-snapshot-outside", 1).per(MS);

    let runtime = paused();
    let mut waiting = {
        let _context = runtime.enter();
        drop(permit(&LIMITER));
        waiter(LIMITER.acquire())
    };
    let begin = std::time::Instant::now();
    until("the window would be over, if the clock were that of here", || {
        assert_figures(&LIMITER, 0, 1);
        begin.elapsed() > 2 * MS
    });
    assert!(!waiting.is_woken());
    runtime.block_on(async {
        advance(MS).await;
        yield_now().await;
        drop(served(&mut waiting));
    });
}

/// A task whose destructor blocks: it reports when it has begun, and waits until it may go on.
fn slow_to_drop() -> (impl Future<Output = ()> + Send, Receiver<()>, Sender<()>) {
    struct Slow(Sender<()>, std::sync::Mutex<Receiver<()>>);

    impl Drop for Slow {
        fn drop(&mut self) {
            self.0.send(()).expect("the test waits for it");
            self.1.lock().unwrap().recv().expect("the test lets it go on");
        }
    }

    let (tell, is_dropped) = channel();
    let (go_on, goes_on) = channel();
    let slow = Slow(tell, std::sync::Mutex::new(goes_on));
    let task = async move {
        let _slow = slow;
        std::future::pending::<()>().await;
    };
    (task, is_dropped, go_on)
}

/// The runtime that ends drops its guard, then a task whose drop blocks, and only then the call
/// that watched the clock. Meanwhile the next runtime has taken the semaphore. The test needs a
/// process of its own, in which no other ended runtime has a semaphore to be taken.
#[test]
fn what_is_left_of_an_ended_runtime_does_not_touch_the_next() {
    static LIMITER: Limiter = Limiter::new("rate-late-end", 1).per(MINUTE);

    if !is_alone("rates::watching::what_is_left_of_an_ended_runtime_does_not_touch_the_next") {
        return;
    }

    let (first, second) = (paused(), paused());
    let (task, is_dropped, go_on) = slow_to_drop();
    let gone = {
        let _context = first.enter();
        drop(permit(&LIMITER));
        first.spawn(task);
        waiter(LIMITER.acquire())
    };
    let ends = thread::spawn(move || drop(first));
    is_dropped.recv().expect("the task is dropped");
    assert!(gone.is_woken(), "its runtime is not the one that it waits on any more");
    drop(gone);
    second.block_on(async {
        let begin = Instant::now();
        drop(permit(&LIMITER));
        let calls: Vec<_> = (0..3)
            .map(|_| {
                tokio::spawn(async move {
                    drop(LIMITER.acquire().await);
                    begin.elapsed()
                })
            })
            .collect();
        sleep(SECOND).await;
        assert_eq!(LIMITER.snapshot().runtimes.len(), 1, "the second has what the first had");
        let last = waiter(LIMITER.acquire());
        go_on.send(()).unwrap();
        ends.join().unwrap();
        assert!(!last.is_woken(), "whoever watches for it is still there");
        drop(last);
        let mut ended = Vec::new();
        for call in calls {
            let call = timeout(10 * MINUTE, call).await;
            ended.push(call.expect("somebody watches the clock").unwrap());
        }
        assert_eq!(ended, [MINUTE, 2 * MINUTE, 3 * MINUTE]);
    });
}

#[test]
fn a_call_in_a_stream_that_moves_on_is_served_when_its_first_runtime_has_ended() {
    static LIMITER: Limiter =
        Limiter::new("rate-stream-moves", 1).per(MINUTE).scope(Scope::Process);

    let (first, second) = (paused(), paused());
    let mut calls = FuturesUnordered::new();
    first.block_on(async {
        drop(permit(&LIMITER));
        calls.push(LIMITER.acquire());
        assert!(timeout(SECOND, calls.next()).await.is_err());
    });
    drop(first);
    second.block_on(async {
        let served = timeout(2 * MINUTE, calls.next()).await;
        drop(served.expect("the window has ended").expect("there is a call"));
    });
}

#[test]
fn a_call_in_a_local_set_that_moves_on_is_served_when_its_first_runtime_has_ended() {
    static LIMITER: Limiter = Limiter::new("rate-local-moves", 1).per(MINUTE).scope(Scope::Process);

    let (first, second) = (paused(), paused());
    let local = LocalSet::new();
    let call = local.spawn_local(async { drop(LIMITER.acquire().await) });
    local.block_on(&first, async {
        drop(permit(&LIMITER));
        sleep(SECOND).await;
    });
    drop(first);
    local.block_on(&second, async {
        timeout(2 * MINUTE, call).await.expect("the window has ended").unwrap();
    });
}

/// A thousand calls move to three runtimes: the first and the last call to runtimes of their own,
/// all others to one.
#[test]
fn all_who_move_on_are_served() {
    const CALLS: usize = 1_000;
    static LIMITER: Limiter =
        Limiter::new("rate-many-move", CALLS).per(MINUTE).scope(Scope::Process);

    let began_on = paused();
    let mut homes: Vec<_> = (0..3).map(|_| (paused(), FuturesUnordered::new())).collect();
    began_on.block_on(async {
        drop((0..CALLS).map(|_| permit(&LIMITER)).collect::<Vec<_>>());
        for (home, calls) in [(0, 1), (1, CALLS - 2), (2, 1)] {
            let waiting = &mut homes[home].1;
            (0..calls).for_each(|_| waiting.push(LIMITER.acquire()));
            assert!(timeout(SECOND, waiting.next()).await.is_err());
        }
    });
    drop(began_on);
    for home in [0, 2, 1] {
        let (runtime, waiting) = &mut homes[home];
        runtime.block_on(async {
            while !waiting.is_empty() {
                drop(timeout(2 * MINUTE, waiting.next()).await.expect("the window has ended"));
            }
        });
    }
    assert_figures(&LIMITER, 0, 0);
}

/// Without a timer no call can watch the clock; a call that tried would wake itself again and
/// again.
#[test]
fn a_call_on_a_runtime_that_ends_waits_quietly() {
    static LIMITER: Limiter = Limiter::new("rate-closing", 1).per(MINUTE).scope(Scope::Process);
    static WOKEN: AtomicUsize = AtomicUsize::new(0);

    let (first, second) = (paused(), paused());
    let ended = first.handle().clone();
    drop(first);
    second.block_on(async { drop(permit(&LIMITER)) });
    let mut calls: Vec<_> = (0..2).map(|_| Box::pin(LIMITER.acquire())).collect();
    {
        let _context = ended.enter();
        let waker = runs(|| {
            WOKEN.fetch_add(1, Ordering::Relaxed);
        });
        for _ in 0..3 {
            for call in &mut calls {
                waits(call.as_mut(), &waker);
            }
        }
    }
    assert_eq!(WOKEN.load(Ordering::Relaxed), 0);
    // A call that comes on another runtime watches the clock for all.
    second.block_on(async {
        let begin = Instant::now();
        let last = tokio::spawn(async { drop(LIMITER.acquire().await) });
        sleep(MINUTE + MS).await;
        assert_eq!(WOKEN.load(Ordering::Relaxed), 1);
        calls.clear();
        last.await.unwrap();
        assert_eq!(begin.elapsed(), MINUTE + MS);
    });
}

#[tokio::test(start_paused = true)]
async fn a_waker_that_panics_keeps_nobody_waiting() {
    let limiter = Arc::new(Limiter::new("rate-waker-panics", 2).per(MINUTE));
    drop((permit(&limiter), permit(&limiter)));
    let begin = Instant::now();
    let mut first = Box::pin(limiter.acquire());
    waits(first.as_mut(), &runs(|| panic!("in a waker")));
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move {
                drop(limiter.acquire().await);
                begin.elapsed()
            })
        })
        .collect();
    yield_now().await;
    let last = waiter(limiter.acquire());
    let mut ended = Vec::new();
    for call in calls {
        assert!(!last.is_woken(), "whoever watches goes on");
        ended.push(timeout(10 * MINUTE, call).await.expect("it is served").unwrap());
    }
    // The first call has been handed one of the two permits, and keeps it.
    assert_eq!(ended, [MINUTE, 2 * MINUTE, 3 * MINUTE]);
}

/// The payload of the panic panics when it is dropped.
#[tokio::test(start_paused = true)]
async fn a_waker_that_panics_with_what_panics_when_dropped_keeps_nobody_waiting() {
    struct Worse;

    impl Drop for Worse {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }

    let limiter = Limiter::new("rate-panics-twice", 2).per(MINUTE);
    drop((permit(&limiter), permit(&limiter)));
    let mut first = Box::pin(limiter.acquire());
    waits(first.as_mut(), &runs(|| panic_any(Worse)));
    let mut waiting = waiter(limiter.acquire());
    let not_yet = waiter(limiter.acquire());
    sleep(MINUTE).await;
    yield_now().await;
    drop(served(&mut waiting));
    assert!(!not_yet.is_woken(), "whoever watches goes on");
    drop((first, not_yet));
}

#[test]
fn each_runtime_watches_for_itself_while_another_does_not_run() {
    static LIMITER: Limiter =
        Limiter::new("rate-idle-runtime", 2).per(MINUTE).scope(Scope::Process);

    let (idle, runs) = (paused(), paused());
    let waiting = {
        let _context = idle.enter();
        drop((permit(&LIMITER), permit(&LIMITER)));
        waiter(LIMITER.acquire())
    };
    runs.block_on(async {
        let call = async { drop(LIMITER.acquire().await) };
        assert!(timeout(10 * MINUTE, call).await.is_ok(), "two windows have ended");
    });
    assert!(waiting.is_woken());
}

#[test]
fn a_runtime_that_ends_takes_no_others_watcher_with_it() {
    for ends in 0..3 {
        let limiter = Limiter::named("rate-other-ends", 1).per(MINUTE).scope(Scope::Process);
        let mut runtimes: Vec<_> = (0..3).map(|_| paused()).collect();
        runtimes[0].block_on(async { drop(permit(&limiter)) });
        // Each runtime has a call that waits.
        let mut waiting: Vec<_> = runtimes
            .iter()
            .map(|runtime| {
                let _context = runtime.enter();
                waiter(limiter.acquire())
            })
            .collect();
        drop(runtimes.remove(ends));
        drop(waiting.remove(ends));
        for (runtime, mut call) in runtimes.into_iter().zip(waiting) {
            runtime.block_on(async {
                sleep(2 * MINUTE).await;
                yield_now().await;
                drop(served(&mut call));
            });
        }
    }
}

/// A runtime that does not run serves no call when the window is over. Another call takes the
/// permits back, and has to hand them out.
#[test]
fn a_call_that_takes_permits_back_hands_them_to_those_who_wait() {
    static LIMITER: Limiter = Limiter::new("rate-taker", 1).per(MINUTE).scope(Scope::Process);

    let runtime = paused();
    let _context = runtime.enter();
    drop(permit(&LIMITER));
    let mut waiting = waiter(LIMITER.acquire());
    pass(MINUTE);
    LIMITER.try_acquire().unwrap_err();
    drop(served(&mut waiting));
}

/// A call that gives a permit back, or is cancelled, hands them out too.
#[test]
fn a_permit_that_comes_back_takes_those_along_whose_window_is_over() {
    static LIMITER: Limiter = Limiter::new("rate-giver", 3).per(MINUTE).scope(Scope::Process);

    let runtime = paused();
    let _context = runtime.enter();
    drop((permit(&LIMITER), permit(&LIMITER)));
    let held = permit(&LIMITER);
    let mut waiting: Vec<_> = (0..4).map(|number| (number, waiter(LIMITER.acquire()))).collect();
    pass(MINUTE);
    drop(held);
    assert_eq!(ready(&mut waiting).len(), 3);
    drop(waiting);
}

/// No task stays behind to watch the clock once no call waits or the limiter is dropped.
#[tokio::test(start_paused = true)]
async fn nobody_watches_for_a_limiter_that_is_gone_or_that_nobody_waits_for() {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let limiter = Limiter::new("rate-gone", 1).per(MINUTE);
    drop(permit(&limiter));
    let before = tasks();
    let waiting = waiter(limiter.acquire());
    yield_now().await;
    assert_eq!(tasks(), before + 1, "it sleeps");
    drop(waiting);
    drop(limiter);
    yield_now().await;
    assert_eq!(tasks(), before);

    let limiter = Limiter::new("rate-gone", 1).per(MINUTE);
    drop(permit(&limiter));
    let waiting = waiter(limiter.acquire());
    let also_waiting = waiter(limiter.acquire());
    assert_eq!(tasks(), before + 1, "one for all");
    drop((waiting, also_waiting));
    sleep(MINUTE).await;
    yield_now().await;
    assert_eq!(tasks(), before);
    // A task watches the clock again for the next call.
    drop(permit(&limiter));
    let begin = Instant::now();
    drop(timeout(10 * MINUTE, limiter.acquire()).await.expect("somebody watches"));
    assert_eq!(begin.elapsed(), MINUTE);
}

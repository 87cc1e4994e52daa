//! Events of the `tracing` feature.
//!
//! These tests are a program of their own, in which every test starts to listen before it uses a
//! limiter. `tracing` asks once for the whole process whether a subscriber is interested in an
//! event.

use limit_runtime::{Limiter, concurrency_limit};
use limit_tests::log::{Listener, Told};
use limit_tests::polling::{permit, served, waiter};
use limit_tests::runtimes::one_thread;
use limit_tests::watchdog::until;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::Duration;
use tracing::{Event, Level, Metadata};

thread_local! {
    /// An action of the listener on this thread, for each event.
    static CALLS: Cell<Option<fn()>> = const { Cell::new(None) };
}

static TOLD: Mutex<Vec<Told>> = Mutex::new(Vec::new());

fn lock() -> MutexGuard<'static, Vec<Told>> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The targets of all events, with the limiter.
static TARGETS: Mutex<BTreeSet<(String, &str)>> = Mutex::new(BTreeSet::new());

fn lock_targets() -> MutexGuard<'static, BTreeSet<(String, &'static str)>> {
    TARGETS.lock().unwrap_or_else(PoisonError::into_inner)
}

const PANICS: &str = "the subscriber panics";

/// Keeps an event, and panics if its message says so.
fn keep(event: &Event<'_>) {
    let told = Told::read(event);
    lock_targets().insert((told.field("limiter").to_owned(), event.metadata().target()));
    let panics = told.field("message").contains(PANICS);
    lock().push(told);
    if let Some(calls) = CALLS.get() {
        calls();
    }
    assert!(!panics, "{PANICS}");
}

fn told<const N: usize>(level: Level, fields: [(&'static str, &str); N]) -> Told {
    Told { level, fields: fields.map(|(name, value)| (name, value.to_owned())).into() }
}

/// The events of one limiter.
struct About(&'static str);

/// Starts to listen.
fn listen(limiter: &'static str) -> About {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| {
        let is_ours = |metadata: &Metadata<'_>| metadata.target().starts_with("limit_runtime");
        let listener = Listener::new(is_ours, keep);
        tracing::subscriber::set_global_default(listener).expect("it is the first");
    });
    About(limiter)
}

impl About {
    /// Takes the events that have come since the last call.
    fn take(&self) -> Vec<Told> {
        let mut told = lock();
        let ours = |told: &Told| told.field("limiter") == self.0;
        let (ours, others) = std::mem::take(&mut *told).into_iter().partition(ours);
        *told = others;
        ours
    }

    /// Asserts that all events about the limiter so far have the documented target.
    #[track_caller]
    fn assert_one_target(&self) {
        let targets = lock_targets();
        let ours = targets.iter().filter(|(limiter, _)| limiter == self.0);
        assert_eq!(ours.map(|(_, target)| *target).collect::<Vec<_>>(), ["limit_runtime"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_says_so_and_says_how_long_when_it_is_admitted() {
    let listener = listen("events-waits");
    let limiter = Limiter::new("events-waits", 1);
    let held = permit(&limiter);
    assert_eq!(listener.take(), [], "a call that does not wait says nothing");

    let mut call = waiter(limiter.acquire());
    let name = ("limiter", "events-waits");
    let waits = told(Level::DEBUG, [name, ("message", "call waits for a permit")]);
    assert_eq!(listener.take(), std::slice::from_ref(&waits));
    assert!(call.poll().is_pending());
    assert_eq!(listener.take(), [], "it says so once");

    tokio::time::advance(Duration::from_millis(25)).await;
    drop(held);
    assert_eq!(listener.take(), []);
    drop(served(&mut call));
    let admitted = told(Level::DEBUG, [name, ("message", "call is admitted"), ("waited", "25ms")]);
    assert_eq!(listener.take(), [admitted]);

    let held = permit(&limiter);
    drop(waiter(limiter.acquire()));
    drop(held);
    assert_eq!(listener.take(), [waits], "a call that gives up was not admitted");
    listener.assert_one_target();
}

#[test]
fn a_call_whose_runtime_ends_while_it_waits_is_admitted_elsewhere_and_says_so() {
    static LIMITER: Limiter = Limiter::new("events-moved", 1);

    let listener = listen("events-moved");
    let first = one_thread();
    let (held, mut call) = first.block_on(async { (permit(&LIMITER), waiter(LIMITER.acquire())) });
    drop(first);
    assert!(call.is_woken());
    let admitted = one_thread().block_on(async { call.poll().is_ready() });
    assert!(admitted, "the other runtime has permits of its own");
    drop(held);
    let told: Vec<_> =
        listener.take().into_iter().map(|told| told.fields["message"].clone()).collect();
    assert_eq!(told, ["call waits for a permit", "call is admitted"]);
}

#[test]
fn a_subscriber_may_queue_on_the_limiter_of_which_it_is_told() {
    static LIMITER: Limiter = Limiter::new("events-subscriber-calls", 1);

    let listener = listen("events-subscriber-calls");
    let held = permit(&LIMITER);
    CALLS.set(Some(|| drop(waiter(LIMITER.acquire()))));
    let mut call = waiter(LIMITER.acquire());
    assert_eq!(listener.take().len(), 1, "what the subscriber does itself is not told");
    CALLS.set(None);
    drop(held);
    drop(served(&mut call));
    assert_eq!(LIMITER.snapshot().total.cancelled, 1, "the subscriber's own call");
}

#[test]
fn a_name_that_is_taken_is_a_warning() {
    let listener = listen("events-name#2");
    let first = Limiter::new("events-name", 1);
    let second = Limiter::new("events-name", 2);
    drop((permit(&first), permit(&second), permit(&second)));
    let text = "another limiter is named `events-name`; this one is `events-name#2`";
    let warning = told(Level::WARN, [("limiter", "events-name#2"), ("message", text)]);
    assert_eq!(listener.take(), [warning]);
}

#[test]
fn a_limit_of_zero_is_a_warning() {
    fn zero() -> usize {
        0
    }

    #[concurrency_limit(zero(), name = "events-zero")]
    async fn limited() {}

    let listener = listen("events-zero");
    drop(waiter(limited()));
    let text = "the limit is 0: every call waits until it is raised";
    let warning = told(Level::WARN, [("limiter", "events-zero"), ("message", text)]);
    assert!(listener.take().contains(&warning));
}

/// This test needs a variable that is set and is not a limit: cargo sets this one.
#[test]
fn a_variable_that_is_no_limit_is_an_error() {
    let listener = listen("events-variable");
    let limiter = Limiter::new("events-variable", 3).env("CARGO_PKG_NAME");
    drop((permit(&limiter), permit(&limiter)));
    let text = "environment variable `CARGO_PKG_NAME` is \"limit-tests\", which is not a whole \
                number from 1 up; the limit is 3 instead";
    let error = told(Level::ERROR, [("limiter", "events-variable"), ("message", text)]);
    assert_eq!(listener.take(), [error]);
    listener.assert_one_target();
}

#[cfg(feature = "task")]
#[tokio::test]
async fn a_subscriber_that_panics_takes_no_output_along() {
    use limit_runtime::task::{OnDrop, Pool};

    let _listener = listen("events-pool");
    let limiter = std::sync::Arc::new(Limiter::new("events-pool", 2));
    let pool = Pool::over(&limiter).on_drop(OnDrop::Detach);
    let task = pool.spawn(async { panic!("{PANICS}") }).await;
    let panicked: Result<(), _> = task.await;
    assert!(panicked.unwrap_err().is_panic());
    let (end, ended) = tokio::sync::oneshot::channel();
    let last = pool.spawn(ended).await;
    // The last task of the pool reports the panic that nobody has taken.
    drop(pool);
    end.send(7).expect("the task waits for it");
    assert_eq!(last.await.expect("the subscriber's panic is not the task's"), Ok(7));
    assert!(lock().iter().any(|told| told.fields["message"].contains(PANICS)), "it was told");
    limit_tests::figures::assert_all_free(&limiter);
}

#[test]
fn a_subscriber_that_parks_takes_no_wake_up_from_a_thread_that_waits() {
    static LIMITER: Limiter = Limiter::new("events-parks", 1);
    static PARKS: AtomicBool = AtomicBool::new(false);
    static MAY_GO_ON: AtomicBool = AtomicBool::new(false);

    let _about = listen("events-parks");
    let held = permit(&LIMITER);
    let thread = thread::spawn(|| {
        CALLS.set(Some(|| {
            if LIMITER.snapshot().total.waiting == 1 {
                PARKS.store(true, Ordering::SeqCst);
                // The wake-up may come here, as it would in a log whose queue is full.
                thread::park();
                until("the test goes on", || MAY_GO_ON.load(Ordering::SeqCst));
            }
        }));
        drop(LIMITER.blocking_acquire());
    });
    until("the subscriber parks", || PARKS.load(Ordering::SeqCst));
    drop(held);
    // The log's own wake-up, if the permit's has not come by the same way.
    thread.thread().unpark();
    MAY_GO_ON.store(true, Ordering::SeqCst);
    until("the thread has its permit", || thread.is_finished());
    thread.join().expect("it does not panic");
}

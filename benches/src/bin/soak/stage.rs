//! The state that all scenarios of a round share: limiters, phases and runtimes.
//!
//! A round has four phases. At first everything happens. Then changes end and calls go on for a
//! moment: a waiter that a change has left behind must get on without another change. Then no new
//! calls are made, and the calls under way come to their ends. At last nothing happens any more,
//! and the limiters are checked.

use crate::account::Account;
use crate::call::Held;
use crate::random::Random;
use crate::request::Scope;
use crate::spec::Spec;
use crate::subject::Subject;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// The shared state of a round. Code that holds it may make calls.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    /// Limiters that all scenarios may use.
    shared: Vec<Arc<Subject>>,
    /// The limiters that exist until the check at the end.
    kept: Mutex<Vec<Arc<Subject>>>,
    /// The accounts of all limiters of the round, dropped ones included.
    accounts: Mutex<Vec<Arc<Account>>>,
    changes_are_over: AtomicBool,
    calls_are_over: AtomicBool,
    is_over: AtomicBool,
    /// The permits that outlive the code which has taken them.
    lingering: Mutex<Vec<Held>>,
}

/// The number of the next runtime.
static RUNTIMES: AtomicU64 = AtomicU64::new(1);

impl Stage {
    pub(crate) fn new(random: &mut Random) -> Self {
        const SHARED: u32 = 4;

        let mut stage = Self::default();
        for number in 0..SHARED {
            let timed = number % 2 == 0;
            let spec = Spec::any(random, timed);
            stage.shared.push(stage.subject(&format!("shared-{number}"), spec));
        }
        stage
    }

    /// Makes a limiter that is checked at the end of the round.
    pub(crate) fn subject(&self, name: &str, spec: Spec) -> Arc<Subject> {
        let subject = Arc::new(self.short_lived(name, spec));
        lock(&self.kept).push(Arc::clone(&subject));
        subject
    }

    /// Makes a limiter that its scenario drops before the end of the round.
    pub(crate) fn short_lived(&self, name: &str, spec: Spec) -> Subject {
        let subject = Subject::new(name, spec);
        lock(&self.accounts).push(Arc::clone(&subject.account));
        subject
    }

    pub(crate) fn shared(&self) -> &[Arc<Subject>] {
        &self.shared
    }

    /// Returns one of the shared limiters. Without a timer, it is one that needs none.
    pub(crate) fn any_shared(&self, random: &mut Random, timer: bool) -> &Arc<Subject> {
        loop {
            let subject = random.pick(&self.shared);
            if timer || !subject.spec.is_timed() {
                return subject;
            }
        }
    }

    /// Returns the limiters that are checked at the end.
    pub(crate) fn subjects(&self) -> Vec<Arc<Subject>> {
        lock(&self.kept).clone()
    }

    /// Returns the accounts of all limiters that have calls or permits.
    pub(crate) fn live_accounts(&self) -> Vec<Arc<Account>> {
        let accounts = lock(&self.accounts);
        accounts.iter().filter(|account| account.live() > 0).cloned().collect()
    }

    /// Returns `true` while limiters may be changed.
    pub(crate) fn may_change(&self) -> bool {
        !self.changes_are_over.load(Relaxed)
    }

    pub(crate) fn end_changes(&self) {
        self.changes_are_over.store(true, SeqCst);
    }

    /// Returns `true` while new calls may be made.
    pub(crate) fn may_call(&self) -> bool {
        !self.calls_are_over.load(Relaxed)
    }

    pub(crate) fn end_calls(&self) {
        self.calls_are_over.store(true, SeqCst);
    }

    /// Keeps a permit for some milliseconds, independent of the code that has taken it.
    pub(crate) fn linger(&self, held: Held) {
        lock(&self.lingering).push(held);
    }

    /// Gives lingering permits back until the round is over.
    pub(crate) fn release_the_lingering(&self) {
        while !self.is_over.load(Relaxed) {
            std::thread::sleep(Duration::from_millis(2));
            let lingering = std::mem::take(&mut *lock(&self.lingering));
            drop(lingering);
        }
    }

    pub(crate) fn end(&self) {
        self.is_over.store(true, SeqCst);
    }

    /// Waits for a duration, or until no new calls may be made.
    pub(crate) fn sleep(&self, duration: Duration) {
        const STEP: Duration = Duration::from_millis(5);

        let end = Instant::now() + duration;
        while self.may_call() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(STEP));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for all tasks. The panic hook reports a panic that no scenario has provoked.
pub(crate) async fn wait_for_all(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        drop(task.await);
    }
}

/// A runtime with its number.
#[derive(Debug)]
pub(crate) struct Numbered {
    pub(crate) runtime: Runtime,
    pub(crate) scope: Scope,
}

impl Numbered {
    /// Makes a runtime on the thread that drives it.
    pub(crate) fn one_thread() -> Self {
        Self::build(Builder::new_current_thread())
    }

    /// Makes a runtime with threads of its own.
    pub(crate) fn workers(workers: usize) -> Self {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(workers);
        Self::build(builder)
    }

    fn build(mut builder: Builder) -> Self {
        let runtime = builder.enable_time().build().expect("a runtime can be made");
        Self { runtime, scope: Scope::Runtime(RUNTIMES.fetch_add(1, Relaxed)) }
    }

    /// Makes a runtime of either kind.
    pub(crate) fn any(random: &mut Random) -> Self {
        if random.one_in(2) { Self::one_thread() } else { Self::workers(2) }
    }
}

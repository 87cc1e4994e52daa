//! The switch, and the hooks by which the recorder tells `diagnostics`.

use super::agent::Agent;
use super::info::Info;
use super::site::{Arrival, PollPoint};
use super::slot::Record;
use once_cell::sync::OnceCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;
use std::time::Instant;

/// `true` while calls are recorded. Relaxed: no other data depends on it.
static RECORDING: AtomicBool = AtomicBool::new(false);

/// The hook for calls that end. See [`on_end`].
pub(super) static ON_END: OnceCell<OnEnd> = OnceCell::new();

/// A hook for calls that end. It gets the call and its agent, and whether the log has reported the call, while the
/// permits are still out: until they are back, no other limiter has the number. The result is run when they
/// are back.
pub(crate) type OnEnd = fn(Info, Agent, bool) -> Box<dyn FnOnce()>;

/// Switches recording on or off from now on.
pub(crate) fn record(on: bool) {
    RECORDING.store(on, Ordering::Relaxed);
}

#[inline]
pub(crate) fn is_recording() -> bool {
    RECORDING.load(Ordering::Relaxed)
}

/// Sets the hook for calls that end, unless there is one. It is called for samples and for calls
/// that the log has reported.
pub(crate) fn on_end(hook: OnEnd) {
    ON_END.get_or_init(|| hook);
}

/// Hooks for each record that begins and that ends. Only debug builds call them.
#[derive(Debug)]
pub(crate) struct Hooks {
    /// It gets a record that has begun, and when its call has come to the limiter.
    pub(crate) begin: fn(Record, Arrival),
    /// It gets the number of a record that is about to end.
    pub(crate) end: fn(u64),
}

static HOOKS: OnceCell<Hooks> = OnceCell::new();

/// Sets the hooks for records that begin and end, unless there are some.
pub(crate) fn on_each(hooks: Hooks) {
    HOOKS.get_or_init(|| hooks);
}

/// Returns the hooks, in debug builds if there are some.
#[inline]
pub(super) fn hooks() -> Option<&'static Hooks> {
    if cfg!(debug_assertions) { HOOKS.get() } else { None }
}

impl PollPoint {
    /// Notes where a future is polled, while calls are recorded. `gives_up` says whether the call waits for no longer
    /// than a time.
    #[inline]
    pub(crate) fn note(&mut self, context: &Context<'_>, gives_up: impl FnOnce() -> bool) {
        if is_recording() {
            *self = Self::measure(context, self.arrival.next(gives_up));
        }
    }
}

/// A hook for grants that were taken back. It gets the number of the semaphore, and the slots of the calls, each with a
/// time at which the call waited.
pub(crate) type OnTakenBack = fn(usize, &[(u32, Instant)]);

static ON_TAKEN_BACK: OnceCell<OnTakenBack> = OnceCell::new();

/// Sets the hook for grants that were taken back, unless there is one.
pub(crate) fn on_taken_back(hook: OnTakenBack) {
    ON_TAKEN_BACK.get_or_init(|| hook);
}

/// Calls the hook for grants that were taken back, while calls are recorded. The caller holds no lock.
pub(crate) fn tell_of_taken_back(semaphore: usize, calls: &[(u32, Instant)]) {
    if let Some(hook) = ON_TAKEN_BACK.get().filter(|_| is_recording()) {
        hook(semaphore, calls);
    }
}

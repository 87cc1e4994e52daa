//! One limiter's life from its first use on: its name and index, its semaphores in each runtime,
//! its settings, and its figures.
//!
//! [`Core`](core::Core) is a limiter as the code makes it. A `const` can make one, and it costs
//! nothing until its first use. The first use adds an [`Engine`] to the list of limiters (the
//! module `catalog`). Handles share the engine.
//!
//! Lock order: the list of limiters, the engine's state, the list of runtimes, a semaphore. Foreign
//! code runs under none of these locks. Foreign code is a limit's expression, a waker, a key's
//! `Drop`, or a subscriber of `tracing`.

mod adapting;
mod binding;
pub(crate) mod catalog;
#[cfg(any(feature = "inspect", feature = "task"))]
pub(crate) mod changed;
pub(crate) mod core;
pub(crate) mod definition;
mod drain;
mod environment;
mod first_use;
#[cfg(feature = "fleet")]
pub(crate) mod fleet;
#[cfg(not(feature = "fleet"))]
#[path = "engine/fleet/off.rs"]
mod fleet;
#[cfg(feature = "inspect")]
mod history;
#[cfg(not(feature = "inspect"))]
#[path = "engine/history/off.rs"]
mod history;
#[cfg(feature = "inspect")]
mod inspect;
pub(crate) mod install;
mod key_limits;
mod limits_of_keys;
mod max_wait;
mod numbers;
mod readings;
#[cfg(feature = "diagnostics")]
pub(crate) mod records;
mod settings;
mod shares;
#[cfg(feature = "inspect")]
mod stalls;
mod state;
mod underway;
mod warnings;

use crate::events::{self, Event};
use crate::policy::MaxWait;
use crate::registry;
use crate::semaphore::{Semaphore, WakeList};
use crate::setting::{CLOSED, Unsupported};
use crate::unwind::run_all_then_resume_panic;
use definition::Definition;
use history::History;
use max_wait::MaxWaitSetting;
use state::EngineState;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::broadcast::{self, Receiver};

/// The reason why a limiter does not support settings about refusals.
const CANNOT_REFUSE: &str = "its calls cannot be told that they are refused; give the attribute \
                             `max_waiting` or `max_wait`, or make the limiter with one of them";
/// The same for the bound of all keys.
const KEYS_CANNOT_REFUSE: &str = "its calls cannot be told that they are refused; give the attribute \
                                  `max_waiting_total`, `max_waiting` or `max_wait`, or make the limiter with one of them";

/// The data of a limiter that has been used.
pub(crate) struct Engine {
    pub(crate) name: Arc<str>,
    /// The name that the code gives. Another limiter of the process may have it as well.
    #[cfg(feature = "fleet")]
    pub(crate) wanted: Arc<str>,
    /// The index in the registries. Another limiter may have it after this one was dropped.
    index: usize,
    definition: Definition,
    max_wait: MaxWaitSetting,
    /// Notified of each change of a setting.
    changed: Arc<Notify>,
    history: History,
    state: Mutex<EngineState>,
}

/// Work that follows a change, when no lock is held.
enum FollowUp<'a> {
    Wake(WakeList),
    Serve(&'static Semaphore),
    Notify(&'a Notify),
}

impl FollowUp<'_> {
    fn run(self) {
        match self {
            Self::Wake(wakers) => wakers.wake(),
            Self::Serve(semaphore) => semaphore.serve_all(),
            Self::Notify(notify) => notify.notify_waiters(),
        }
    }
}

impl Engine {
    fn new(
        name: Arc<str>,
        #[cfg_attr(not(feature = "fleet"), expect(unused_variables, reason = "for a ledger"))]
        wanted: &str,
        index: usize,
        definition: Definition,
        history: History,
    ) -> Self {
        let engine = Self {
            #[cfg(feature = "fleet")]
            wanted: if *name == *wanted { Arc::clone(&name) } else { wanted.into() },
            name,
            index,
            definition,
            max_wait: MaxWaitSetting::new(),
            changed: Arc::default(),
            history,
            state: Mutex::default(),
        };
        engine.read_named_variable();
        engine
    }

    /// Returns the default `max_wait` of calls, if a setting overrides the code's.
    #[inline]
    pub(crate) fn max_wait(&self) -> Option<Duration> {
        self.max_wait.get()
    }

    /// Returns the default `max_wait` of calls that the code sets.
    pub(crate) fn max_wait_of_code(&self) -> Option<MaxWait> {
        self.definition.max_wait
    }

    /// Refuses calls from now on.
    ///
    /// # Errors
    ///
    /// If the limiter's calls cannot be refused.
    pub(crate) fn close(&self) -> Result<(), Unsupported> {
        if !self.definition.fallible {
            return Err(self.unsupported(CLOSED, CANNOT_REFUSE));
        }
        self.set_closed(true);
        Ok(())
    }

    /// Admits calls again.
    pub(crate) fn reopen(&self) {
        self.set_closed(false);
    }

    fn set_closed(&self, closed: bool) {
        if let Some(mut state) = self.state_in_use() {
            state.closed = closed;
            let set = if closed { Semaphore::close } else { Semaphore::reopen };
            self.change(state, set);
        }
    }

    fn unsupported(&self, setting: &'static str, reason: &'static str) -> Unsupported {
        Unsupported { limiter: self.name.clone(), setting, reason }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    pub(crate) fn subscribe(&self) -> Receiver<Event> {
        let mut receiver = None;
        let Some(mut state) = self.state_in_use() else {
            // Nothing will happen any more: the channel is closed.
            return broadcast::channel(1).1;
        };
        let subscribers = state.subscribers.get_or_insert_with(|| {
            let (subscribers, first) = broadcast::channel(events::KEPT);
            receiver = Some(first);
            subscribers
        });
        let receiver = receiver.unwrap_or_else(|| subscribers.subscribe());
        let subscribers = subscribers.clone();
        self.change(state, |semaphore| semaphore.subscribe(subscribers.clone()));
        receiver
    }

    /// Changes the semaphores in all runtimes. Semaphores that are bound later read the change from
    /// the state.
    fn change(&self, state: MutexGuard<'_, EngineState>, each: impl Fn(&Semaphore) -> WakeList) {
        let semaphores = self.all_semaphores();
        // All changes are made under the state's lock, so two changes come in the same order at
        // every semaphore.
        let mut wakers = WakeList::default();
        let mut panicked = None;
        for semaphore in &semaphores {
            // A key's `Eq` may panic. The calls that can be served by now are served all the same.
            match catch_unwind(AssertUnwindSafe(|| each(semaphore))) {
                Ok(more) => wakers.append(more),
                Err(panic) => {
                    panicked.get_or_insert(panic);
                }
            }
        }
        // Wakers are foreign code, and `serve_all` locks semaphores: unlock first.
        drop(state);
        let serve = semaphores.into_iter().map(FollowUp::Serve);
        let notify = FollowUp::Notify(&self.changed);
        let follow_ups = iter::once(FollowUp::Wake(wakers)).chain(serve).chain([notify]);
        run_all_then_resume_panic(follow_ups, FollowUp::run);
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
    }

    /// Returns the semaphores in all runtimes. Returns none if the limiter was dropped: the
    /// semaphores may belong to another limiter then.
    pub(crate) fn semaphores(&self) -> Vec<&'static Semaphore> {
        let state = self.state_in_use();
        state.map_or_else(Vec::new, |_state| self.all_semaphores())
    }

    /// Returns the semaphores in all runtimes. The limiter must not have been dropped.
    fn all_semaphores(&self) -> Vec<&'static Semaphore> {
        registry::semaphores(self.index).into_iter().map(|each| each.semaphore).collect()
    }

    /// The index, as semaphores note it.
    pub(crate) fn owner(&self) -> u32 {
        u32::try_from(self.index).expect("registries have room for 2^28 limiters")
    }

    fn state(&self) -> MutexGuard<'_, EngineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.state_in_use().is_none()
    }

    /// Locks the state. Returns `None` if the limiter was dropped: its semaphores may belong to
    /// another limiter. The limiter cannot be dropped while the guard is held.
    fn state_in_use(&self) -> Option<MutexGuard<'_, EngineState>> {
        let state = self.state();
        state.last.is_none().then_some(state)
    }
}

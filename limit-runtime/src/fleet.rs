//! Leases of permits that a fleet of processes shares, for a crate that leases them.
//!
//! Programs use such a crate, [`limit-fleet`]. This module is its way into limiters with
//! [`Scope::Fleet`](crate::Scope::Fleet). Such a limiter has one set of permits for the process, and its
//! limit there is the *share* that the process has leased. An [`Agent`] leases it.
//!
//! * The agent is [started](start). From then on each such limiter lets nobody in without a grant.
//! * The limiter [wakes](Agent::wake) the agent when there is something to look at. The agent takes the
//!   [leases], and looks at the [load](Lease::load) of each.
//! * The agent [grants](Lease::grant) a share until a deadline. Calls that come after the deadline are not
//!   let in, even if the agent has not run since.
//!
//! # Example
//!
//! An agent that grants all that it is asked for:
//!
//! ```
//! use limit_runtime::fleet::{self, Agent};
//! use limit_runtime::{FleetFigures, Limiter, LimiterHandle, Scope};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! #[derive(Debug)]
//! struct Generous;
//!
//! impl Agent for Generous {
//!     // A real agent only tells its own thread, which then talks to the store.
//!     fn wake(&self, limiter: &LimiterHandle) {
//!         for lease in limiter.leases_with_news() {
//!             let start = fleet::now();
//!             let load = lease.load();
//!             let limit = u32::try_from(lease.limit().unwrap_or(0)).unwrap_or(u32::MAX);
//!             let share = limit.min(load.running + load.waiting);
//!             lease.grant(share, start + Duration::from_secs(5), None);
//!         }
//!     }
//!
//!     fn figures(&self, _limiter: &str) -> Option<FleetFigures> {
//!         None
//!     }
//! }
//!
//! static ORDERS: Limiter = Limiter::new("orders-db", 100).scope(Scope::Fleet);
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! fleet::start(Arc::new(Generous)).expect("it is the first");
//! let permit = ORDERS.acquire().await;
//! assert!(permit.is_valid());
//!
//! fleet::stop();
//! assert!(!permit.is_valid());
//! # }
//! ```
//!
//! [`limit-fleet`]: https://docs.rs/limit-fleet

use crate::boot_clock;
use crate::engine::fleet::{self, LeaseAgent};
use crate::engine::{Engine, catalog};
use crate::keying::{Key, sealed};
use crate::limiter::LimiterHandle;
use crate::metrics::FleetFigures;
use crate::scope::OnUnavailable;
use crate::semaphore::KeySource;
pub use crate::semaphore::Load;
use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

/// Leases permits for the limiters of the process.
pub trait Agent: Debug + Send + Sync + 'static {
    /// Is called when there is something to look at: a limiter is used for the first time, a call has
    /// found no permit free, a permit came back while more are out than the share, or the limit was changed.
    ///
    /// A limiter calls this once, and then not again before the agent has looked at the lease
    /// ([`Lease::load`] or [`Lease::lower`]). A changed limit is told each time.
    ///
    /// It is called by the thread of a user's call, under no lock. So it should be quick, and must not
    /// block. It may use the limiter and its leases.
    fn wake(&self, limiter: &LimiterHandle);

    /// Returns what is known of a limiter's ledgers, for its [`Snapshot`](crate::Snapshot).
    fn figures(&self, limiter: &str) -> Option<FleetFigures>;

    /// Returns the same without [members](crate::LedgerFigures::members), for exporters and pages. They read
    /// all limiters again and again, also while nobody looks. So the agent need not ask its store who the
    /// members are.
    ///
    /// The caller may hold locks of its own. So it must not wait for anything.
    fn brief_figures(&self, limiter: &str) -> Option<FleetFigures> {
        let mut figures = self.figures(limiter)?;
        figures.ledgers.iter_mut().for_each(|ledger| ledger.members.clear());
        Some(figures)
    }
}

/// The error of a [`start`] while an agent is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlreadyStarted;

impl fmt::Display for AlreadyStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fleet has been started in this process already, and has not been stopped")
    }
}

impl std::error::Error for AlreadyStarted {}

/// Starts an agent. From now on limiters with [`Scope::Fleet`](crate::Scope::Fleet) let calls in only under
/// a share that the agent grants. The agent is [woken](Agent::wake) for those that are in use.
///
/// Calls that run already go on without a lease.
///
/// # Errors
///
/// If an agent is started.
///
/// # Examples
///
/// See the [module's documentation](self).
pub fn start(agent: Arc<dyn Agent>) -> Result<(), AlreadyStarted> {
    if fleet::start(Arc::new(Adapter(agent))) { Ok(()) } else { Err(AlreadyStarted) }
}

/// Stops the agent, if one is started. All leases lapse. Until the next [`start`], calls of limiters with
/// [`Scope::Fleet`](crate::Scope::Fleet) are refused as
/// [`Unavailable`](crate::RejectedKind::Unavailable), or wait if they cannot be refused.
///
/// # Examples
///
/// See the [module's documentation](self).
pub fn stop() {
    fleet::stop();
}

/// Returns the time since the machine was started. Unlike [`Instant`](std::time::Instant), the clock goes on
/// while the machine is suspended (on Linux and Android).
///
/// Deadlines of leases are on this clock.
#[must_use]
pub fn now() -> Duration {
    boot_clock::since_boot()
}

/// Returns the leases of all limiters: see [`LimiterHandle::leases`].
#[must_use]
pub fn leases() -> Vec<Lease> {
    let limiters = catalog::all().into_iter().map(LimiterHandle::new);
    limiters.flat_map(|limiter| limiter.leases()).collect()
}

/// Makes a user's agent one that the engine knows.
#[derive(Debug)]
struct Adapter(Arc<dyn Agent>);

impl LeaseAgent for Adapter {
    fn wake(&self, limiter: Arc<Engine>) {
        self.0.wake(&LimiterHandle::new(limiter));
    }

    fn figures(&self, limiter: &str) -> Option<FleetFigures> {
        self.0.figures(limiter)
    }

    #[cfg(feature = "inspect")]
    fn brief_figures(&self, limiter: &str) -> Option<FleetFigures> {
        self.0.brief_figures(limiter)
    }
}

/// The share of one ledger that the process has leased. Clones are the same lease.
///
/// A lease does not keep its limiter alive. When the limiter has been dropped, the methods do nothing.
///
/// # Examples
///
/// See the [module's documentation](self).
#[derive(Clone, Debug)]
pub struct Lease {
    limiter: LimiterHandle,
    key: Option<Key<String>>,
}

impl Lease {
    /// Returns the limiter.
    #[must_use]
    pub fn limiter(&self) -> &LimiterHandle {
        &self.limiter
    }

    /// Returns the name of the ledger: the limiter's name in the code. Two limiters of one process may have the
    /// same name there. In figures the second has a number behind it, but both have one ledger.
    #[must_use]
    #[expect(clippy::misnamed_getters, reason = "the limiter's own name may have a number")]
    pub fn name(&self) -> &str {
        &self.limiter.engine.wanted
    }

    /// Returns the key that the ledger is for. `None` for the limiter as a whole, and for the total over all
    /// keys.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_ref().map(Key::text)
    }

    /// Returns the limit that this process wants for the ledger: the setting in force. For the total over
    /// all keys, the total. `None` if the limit is an expression that has not been evaluated.
    #[must_use]
    pub fn limit(&self) -> Option<usize> {
        self.limiter.engine.limit_wanted(self.source()).map(|limit| limit as usize)
    }

    /// Returns what runs and what waits. From now on the limiter may [wake](Agent::wake) the agent again.
    #[must_use]
    pub fn load(&self) -> Load {
        self.limiter.engine.load(self.source(), None)
    }

    /// Lowers the share to `most`, if it is higher, and then does the same as [`load`](Self::load). No call
    /// is let in between the two.
    #[must_use]
    pub fn lower(&self, most: u32) -> Load {
        self.limiter.engine.load(self.source(), Some(most))
    }

    /// Grants a share of so many permits until `deadline` on the clock of [`now`], in place of the former
    /// share, and lets calls in. After a [`lapse`](Self::lapse) this begins a new lease; otherwise it
    /// renews the one that there is. `token` is the [fencing token](crate::Permit::fencing_token).
    ///
    /// Calls that run without a lease count: the share lets nobody in before fewer run.
    pub fn grant(&self, permits: u32, deadline: Duration, token: Option<u64>) {
        self.limiter.engine.grant(self.source(), permits, deadline, token);
    }

    /// Ends the lease: the share is 0. The calls that run have lost it
    /// ([`Permit::lease_lost`](crate::Permit::lease_lost)).
    pub fn lapse(&self) {
        self.limiter.engine.lapse(self.source());
    }

    /// Sets whether calls that would wait are refused while the share is 0, as
    /// [`Unavailable`](crate::RejectedKind::Unavailable). Those that wait are refused now. Does nothing if
    /// the limiter's calls cannot be refused.
    pub fn set_unavailable(&self, unavailable: bool) {
        self.limiter.engine.set_unavailable(self.source(), unavailable);
    }

    /// Ends the lease, and lets so many calls in without one
    /// ([`OnUnavailable::Local`]). This lasts until the next grant or lapse.
    pub fn allow(&self, permits: u32) {
        self.limiter.engine.allow(self.source(), permits);
    }

    /// Gives up the lease of a key, if no call holds or waits for one of its permits, and forgets the key.
    /// Returns whether it did. The share is gone then. A key that asks again has a new lease.
    ///
    /// The lease of a limiter as a whole, and of a total, stays: for it this does nothing.
    #[expect(clippy::must_use_candidate, reason = "a caller may look again later")]
    pub fn release(&self) -> bool {
        self.source().is_some_and(|key| self.limiter.engine.release_lease(key))
    }

    fn source(&self) -> Option<&dyn KeySource> {
        self.key.as_ref().and_then(sealed::Keying::source)
    }

    /// Adds a warning to those of the limiter's [`Snapshot`](crate::Snapshot), and logs it. Does nothing if
    /// the snapshot has the same text already.
    pub fn warn(&self, text: impl Into<String>) {
        self.limiter.engine.warn(text.into());
    }

    /// Takes a [warning](Self::warn) back that is not true any more.
    pub fn withdraw_warning(&self, text: &str) {
        self.limiter.engine.withdraw_warning(text);
    }
}

impl LimiterHandle {
    /// Returns the leases of the limiter: one for the limiter, or with keys, one for each key of which a call
    /// has found no permit free, and one for the total if there is one. The lease of a key is there until
    /// the agent [releases](Lease::release) it.
    ///
    /// There are none if the scope is not [`Scope::Fleet`](crate::Scope::Fleet), no agent has been started,
    /// or no call has needed a permit yet. (Feature `fleet`.)
    #[must_use]
    #[cfg_attr(docsrs, doc(cfg(feature = "fleet")))]
    pub fn leases(&self) -> Vec<Lease> {
        self.leases_of(self.engine.leases(false))
    }

    /// Returns those leases because of which the agent was [woken](Agent::wake), and at which it has not
    /// looked since. This does not look at all keys. (Feature `fleet`.)
    #[must_use]
    #[cfg_attr(docsrs, doc(cfg(feature = "fleet")))]
    pub fn leases_with_news(&self) -> Vec<Lease> {
        self.leases_of(self.engine.leases(true))
    }

    fn leases_of(&self, (is_whole, keys): (bool, Vec<String>)) -> Vec<Lease> {
        let whole = is_whole.then_some(None);
        let keys = keys.into_iter().map(|key| Some(Key::from_text(key)));
        let ledgers = whole.into_iter().chain(keys);
        ledgers.map(|key| Lease { limiter: self.clone(), key }).collect()
    }

    /// Returns what is to become of calls while the fleet cannot be reached, if the limiter says so:
    /// see [`Limiter::on_unavailable`](crate::Limiter::on_unavailable). (Feature `fleet`.)
    #[must_use]
    #[cfg_attr(docsrs, doc(cfg(feature = "fleet")))]
    pub fn on_unavailable(&self) -> Option<OnUnavailable> {
        self.engine.on_unavailable()
    }
}

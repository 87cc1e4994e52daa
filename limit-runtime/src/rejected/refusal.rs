//! A semaphore's reason to refuse a call.

use super::kind::RejectedKind;
use std::fmt;
use std::mem;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A semaphore's reason to refuse a call, with the figures at that moment.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: RejectedKind,
    pub(crate) weight: u32,
    pub(crate) limit: u32,
    pub(crate) in_use: u32,
    pub(crate) waiting: u32,
    /// `true` if the limit is the share of this process in the limit over a fleet.
    pub(crate) of_share: bool,
    /// `true` if the call ran under a lease that has ended.
    pub(crate) lost_lease: bool,
    pub(crate) reason: Reason,
    /// The number of the semaphore's binding at that moment.
    pub(crate) binding: u32,
    pub(crate) estimate: Estimate,
    more: More,
}

/// The bound that the text of a refusal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The limit of all calls, or of each key.
    Limit,
    /// The limit that the call's key has for itself.
    OfKey,
    /// The most permits that a call of its share may want.
    OfShare,
    /// The lower end of the range in which the limit adapts.
    OfRange,
    /// The call holds permits, and wanted more.
    Growth,
}

/// What the reason has besides. One for both takes eight bytes less than a field for each.
#[derive(Clone, Debug)]
enum More {
    Source(Source),
    Details(Option<Box<Details>>),
}

/// The figures that few refusals have.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Details {
    pub(crate) waited: Duration,
    /// The limit over all keys, if all its permits are out and the key has not all of its own.
    pub(crate) reached_total: Option<u32>,
    /// The calls of all keys together that wait, and how many may, if no more of them may.
    pub(crate) waiting_of_all_keys: Option<(usize, u32)>,
    pub(crate) window: Option<Window>,
    /// The calls that the estimate counts, if the refused call is not behind those that waited.
    pub(crate) awaited: Option<Awaited>,
    /// The permits that are let in, if a ramp withholds others.
    pub(crate) let_in: Option<u32>,
    source: Option<Source>,
}

/// The calls whose permits a holder waits for that wants more of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Awaited {
    pub(crate) calls: u32,
    /// The permits of each.
    pub(crate) weight: u32,
}

/// The spent permits of a limit with a rate: they are not in use any more, and not free yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) starts: u32,
    /// The limit of the window.
    pub(crate) limit: u32,
    /// `true` if this is the limit over all keys.
    pub(crate) of_all_keys: bool,
    /// The time until the first of them comes back.
    pub(crate) next: Duration,
}

/// What can estimate when a refused call may try again: a semaphore.
pub(crate) trait Estimates: Sync {
    /// Returns the time until the refused call would be served.
    fn time_for(&self, refusal: &Refusal) -> Option<Duration>;
}

/// The semaphore that has refused a call.
#[derive(Clone, Copy)]
struct Source(&'static dyn Estimates);

/// An estimate changes nothing that a panic could leave half done.
impl UnwindSafe for Source {}
impl RefUnwindSafe for Source {}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

/// An estimate that is worked out when it is asked for, once.
#[derive(Debug)]
pub(crate) struct Estimate(AtomicU64);

/// Stands for an estimate that nobody has asked for.
const UNASKED: u64 = u64::MAX;
/// Stands for no estimate.
const NONE: u64 = u64::MAX - 1;

impl Estimate {
    /// An estimate that is known.
    pub(crate) fn known(time: Option<Duration>) -> Self {
        Self(AtomicU64::new(Self::encode(time)))
    }

    fn encode(time: Option<Duration>) -> u64 {
        time.map_or(NONE, |time| u64::try_from(time.as_nanos()).unwrap_or(NONE).min(NONE))
    }

    /// Returns the estimate, and works it out if nobody has asked before.
    fn get_or(&self, estimate: impl FnOnce() -> Option<Duration>) -> Option<Duration> {
        // Relaxed: the value is all that there is.
        let mut value = self.0.load(Ordering::Relaxed);
        if value == UNASKED {
            value = Self::encode(estimate());
            let first =
                self.0.compare_exchange(UNASKED, value, Ordering::Relaxed, Ordering::Relaxed);
            // If two threads ask at the same time, both have the answer of the first.
            value = first.err().unwrap_or(value);
        }
        (value != NONE).then_some(Duration::from_nanos(value))
    }
}

impl Clone for Estimate {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

impl Refusal {
    /// Makes a refusal that has no estimate.
    #[inline]
    pub(crate) fn new(kind: RejectedKind, limit: u32, in_use: u32, waiting: u32) -> Self {
        Self {
            kind,
            weight: 0,
            limit,
            in_use,
            waiting,
            of_share: false,
            lost_lease: false,
            reason: Reason::Limit,
            binding: 0,
            estimate: Estimate(AtomicU64::new(NONE)),
            more: More::Details(None),
        }
    }

    /// Leaves the estimate to the semaphore, for when somebody asks.
    #[inline]
    pub(crate) fn estimated_later(mut self, binding: u32) -> Self {
        self.binding = binding;
        self.estimate = Estimate(AtomicU64::new(UNASKED));
        self
    }

    /// Sets the semaphore that is asked for an estimate.
    #[inline]
    pub(crate) fn with_source(mut self, semaphore: &'static dyn Estimates) -> Self {
        let source = Source(semaphore);
        if let More::Details(Some(details)) = &mut self.more {
            details.source = Some(source);
        } else {
            self.more = More::Source(source);
        }
        self
    }

    pub(crate) fn details(&self) -> Option<&Details> {
        match &self.more {
            More::Details(details) => details.as_deref(),
            More::Source(_) => None,
        }
    }

    /// Sets details, after making room for them.
    #[cold]
    pub(crate) fn set_details(&mut self, set: impl FnOnce(&mut Details)) {
        let mut details = match mem::replace(&mut self.more, More::Details(None)) {
            More::Source(source) => {
                Box::new(Details { source: Some(source), ..Details::default() })
            }
            More::Details(details) => details.unwrap_or_default(),
        };
        set(&mut details);
        self.more = More::Details(Some(details));
    }

    pub(crate) fn window(&self) -> Option<Window> {
        self.details()?.window
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.estimate.get_or(|| {
            let source = match &self.more {
                More::Source(source) => Some(*source),
                More::Details(details) => details.as_ref().and_then(|details| details.source),
            };
            source?.0.time_for(self)
        })
    }
}

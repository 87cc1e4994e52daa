//! The record of a call.

use super::agent::{Agent, Local};
use super::clock::Moment;
use super::hooks::{ON_END, hooks, is_recording};
use super::info::Info;
use super::polling::Polling;
use super::site::{Arrival, CallSite, Kind, PollPoint};
use super::slot::Slot;
use super::{moved, slots};
use crate::unwind::run_all_then_resume_panic;

/// The place of a call in a limiter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallPlace {
    /// The limiter's index.
    pub(crate) limiter: Option<u32>,
    /// The semaphore's number.
    pub(crate) semaphore: usize,
    /// The call's slot at the semaphore, if it has one.
    pub(crate) slot: Option<u32>,
    pub(crate) weight: u32,
}

/// The state of a recorded call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Holds,
    Waits { gives_up: bool },
}

impl Info {
    #[inline]
    fn new(place: CallPlace, site: CallSite, point: PollPoint, calls: Use) -> Self {
        let CallPlace { limiter, semaphore, slot, weight } = place;
        let holds = calls == Use::Holds;
        let of_thread = |local: &Local| {
            let is_sample = holds && local.is_sample(limiter);
            (local.next_record(), local.under.get(), is_sample)
        };
        // The thread's locals cannot be reached while they are dropped.
        let (id, under, is_sample) = Local::with(of_thread).unwrap_or_default();
        Self {
            id,
            limiter,
            slot,
            semaphore,
            site: site.place,
            since: if is_sample { Moment::exact() } else { Moment::recent() },
            under,
            weight,
            depth: point.depth,
            kind: site.kind,
            holds,
            gives_up: calls == Use::Waits { gives_up: true },
            is_sample,
        }
    }
}

/// The record of a call that waits or holds its permits. Dropping it ends the record.
#[derive(Debug)]
pub(crate) struct CallRecord(Option<&'static Slot>);

impl CallRecord {
    pub(crate) const NONE: Self = Self(None);

    /// Records that the call holds permits. If it is recorded as one that waits, it goes on in the same slot.
    #[inline]
    pub(crate) fn holds(
        self,
        weight: u32,
        place: impl FnOnce() -> CallPlace,
        site: impl FnOnce() -> CallSite,
        point: PollPoint,
    ) -> Self {
        // A call of weight 0 holds nothing.
        if !is_recording() || weight == 0 {
            return Self::NONE;
        }
        match self.into_slot() {
            Some(slot) => Self::go_on(slot, place(), site(), point),
            None => Self::begin(place(), site(), point, Use::Holds),
        }
    }

    /// Records that a call waits. `gives_up` says whether it does so for no longer than a time.
    #[inline]
    pub(crate) fn waits(
        place: impl FnOnce() -> CallPlace,
        site: CallSite,
        point: PollPoint,
        gives_up: bool,
    ) -> Self {
        if is_recording() {
            Self::begin(place(), site, point, Use::Waits { gives_up })
        } else {
            Self::NONE
        }
    }

    #[inline(never)]
    fn begin(place: CallPlace, site: CallSite, point: PollPoint, calls: Use) -> Self {
        let Some(slot) = slots::take() else { return Self::NONE };
        slot.begin(Agent::current(), point.waker);
        slot.write(&Info::new(place, site, point, calls));
        slot.publish(false);
        let record = Self(Some(slot));
        record.tell_of_begin(point.arrival);
        record
    }

    /// Ends the record of a wait, and begins that of the hold in the same slot.
    #[inline(never)]
    fn go_on(slot: &'static Slot, place: CallPlace, site: CallSite, point: PollPoint) -> Self {
        tell_of_end(slot);
        slot.go_on(Agent::current(), point.waker);
        slot.write(&Info::new(place, site, point, Use::Holds));
        slot.publish(false);
        let record = Self(Some(slot));
        record.tell_of_begin(point.arrival);
        record
    }

    /// Tells the hooks of a record that has begun.
    #[inline]
    fn tell_of_begin(&self, arrival: Arrival) {
        let Some(hooks) = hooks() else { return };
        if let Some(record) = self.0.and_then(Slot::read) {
            (hooks.begin)(record, arrival);
        }
    }

    /// Records that the call waits at another place in a queue now. The start of the wait stays. Returns
    /// whether the call is recorded.
    #[inline]
    pub(crate) fn waits_at(&mut self, semaphore: usize, place: Option<u32>) -> bool {
        self.0.is_some_and(|slot| {
            slot.change(false, |info| Info { semaphore, slot: place, ..info });
            true
        })
    }

    /// Records that the call has left its queue, and will wait in another one.
    pub(crate) fn waits_nowhere(&mut self) {
        if let Some(slot) = self.0 {
            slot.change(false, |info| Info { slot: None, ..info });
        }
    }

    /// Notes that the call is polled while it waits. The caller does so before the call can leave its place in the
    /// queue.
    #[inline]
    pub(crate) fn note_poll(&self, point: PollPoint) {
        if let Some(slot) = self.0 {
            slot.note_poll(point);
        }
    }

    /// Notes that the permits go to another task, which polls a future under them.
    pub(crate) fn hand_over(&self) {
        if let Some(slot) = self.0 {
            slot.set_agent(Agent::Nobody);
        }
    }

    /// Notes that a future is polled that runs under the permits.
    #[cfg(any(feature = "task", feature = "tower"))]
    #[inline]
    pub(crate) fn polling(&self) -> Polling {
        Polling::begin(self.0, true)
    }

    /// Notes that work runs under the permits that blocks the thread, and may give them back if it has a name for
    /// them.
    pub(crate) fn working(&self) -> Polling {
        if let Some(slot) = self.0 {
            slot.change(false, |info| match info.kind {
                Kind::Body => Info { kind: Kind::Polled, ..info },
                Kind::Bare | Kind::Polled => info,
            });
        }
        Polling::begin(self.0, false)
    }

    /// Records a part of the permits on its own: held since the call has them.
    pub(crate) fn split(&mut self, weight: u32, place: Option<u32>) -> Self {
        let Some(slot) = self.0 else { return Self::NONE };
        slot.change(false, |info| Info { weight: info.weight.saturating_sub(weight), ..info });
        let part = slot.read().zip(slots::take()).map(|(whole, part)| {
            let id = Local::with(Local::next_record).unwrap_or_default();
            let info = Info { id, weight, slot: place, ..whole.info };
            part.begin(whole.agent, whole.waker);
            part.write(&info);
            part.publish(whole.is_reported());
            part
        });
        let part = Self(part);
        part.tell_of_begin(Arrival::No);
        part
    }

    /// Adds the permits of another record, which ends without a report: its permits are still held.
    pub(crate) fn merge(&mut self, mut other: Self, weight: u32, place: Option<u32>) {
        let Some(slot) = self.0 else {
            *self = other;
            return;
        };
        let is_reported = other.0.take().is_some_and(|other| {
            tell_of_end(other);
            let is_reported = other.end();
            slots::give_back(other);
            is_reported
        });
        slot.change(is_reported, |info| Info {
            weight: info.weight.saturating_add(weight),
            slot: place,
            ..info
        });
    }

    /// Returns the slot, and ends nothing.
    #[inline]
    fn into_slot(mut self) -> Option<&'static Slot> {
        self.0.take()
    }

    /// Returns whether the call is recorded.
    #[inline]
    pub(crate) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Ends the record. Call it before the permit is given back, so that the call is never listed
    /// beside the next holder. Dropping the result reports the call.
    #[inline]
    pub(crate) fn end(&mut self) -> Ended {
        Ended(self.0.take().and_then(end))
    }
}

impl Drop for CallRecord {
    #[inline]
    fn drop(&mut self) {
        // The hook has nothing to do for calls that waited only.
        std::mem::forget(self.end());
    }
}

/// Runs the hook's work for an ended call when it is dropped, after the permits are back. The work
/// calls foreign code, which may panic, take long, or ask for a permit of the same limiter.
#[must_use = "it reports the call when it is dropped"]
pub(crate) struct Ended(Option<Box<dyn FnOnce()>>);

impl Drop for Ended {
    #[inline]
    fn drop(&mut self) {
        if let Some(report) = self.0.take() {
            // A panic does not go on if the thread is unwinding already.
            run_all_then_resume_panic([report], |report| report());
        }
    }
}

#[inline(never)]
fn end(slot: &'static Slot) -> Option<Box<dyn FnOnce()>> {
    tell_of_end(slot);
    let is_sample = slot.is_sample();
    // A future that we poll may be dropped by any task.
    if slot.is_hold_of_program() && slot.agent() != Agent::current() {
        note_moved(slot);
    }
    let is_reported = slot.end();
    let told = if is_reported || is_sample { tell_on_end(slot, is_reported) } else { None };
    slots::give_back(slot);
    told
}

#[cold]
fn note_moved(slot: &Slot) {
    if let Some(info) = slot.content() {
        moved::note(info.site);
    }
}

/// Asks the hook for calls that end. The slot still has the content of the call.
#[cold]
fn tell_on_end(slot: &Slot, is_reported: bool) -> Option<Box<dyn FnOnce()>> {
    let (on_end, info) = ON_END.get().zip(slot.content())?;
    Some(on_end(info, slot.agent(), is_reported))
}

/// Tells the hooks of a record that is about to end.
#[inline]
fn tell_of_end(slot: &'static Slot) {
    if let Some((hooks, id)) = hooks().and_then(|hooks| Some((hooks, slot.id()?))) {
        (hooks.end)(id);
    }
}

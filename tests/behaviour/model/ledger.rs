//! The calls and permits of a model, with or without keys.

use limit_runtime::RejectedKind;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;

/// The state of a call that has no permit yet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Status {
    New,
    Waiting,
    Granted,
    Refused(RejectedKind),
}

/// A call, or the permit that it has been given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// 0 in a model without keys.
    pub(super) key: u32,
    pub(super) weight: usize,
    pub(super) status: Status,
}

/// All calls by number, and what is counted of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) calls: BTreeMap<u32, Call>,
    /// Calls that have ended with a permit, which is still out.
    pub(super) holders: BTreeMap<u32, Call>,
    /// The number of the last call made.
    pub(super) newest: u32,
    pub(super) admitted_at_once: u64,
    pub(super) admitted_after_waiting: u64,
    pub(super) cancelled: u64,
    /// The calls that the last operation woke, in order.
    pub(super) woken: Vec<u32>,
}

impl Ledger {
    /// Adds a call that has not been polled, and returns its number.
    pub(super) fn make(&mut self, key: u32, weight: u32) -> u32 {
        self.newest += 1;
        let call = Call { key, weight: weight as usize, status: Status::New };
        self.calls.insert(self.newest, call);
        self.newest
    }

    pub(super) fn weight(&self, number: u32) -> usize {
        self.calls[&number].weight
    }

    /// Ends a call with a permit, without a wait.
    pub(super) fn admit(&mut self, number: u32) {
        self.hold(number);
        self.admitted_at_once += 1;
    }

    /// Ends a call that was granted its permit.
    pub(super) fn admit_granted(&mut self, number: u32) {
        self.hold(number);
        self.admitted_after_waiting += 1;
    }

    fn hold(&mut self, number: u32) {
        let call = self.remove(number);
        self.holders.insert(number, call);
    }

    /// Ends a call without a permit.
    pub(super) fn remove(&mut self, number: u32) -> Call {
        self.calls.remove(&number).expect("there is such a call")
    }

    pub(super) fn wait(&mut self, number: u32) {
        self.set_status(number, Status::Waiting);
    }

    pub(super) fn grant(&mut self, number: u32) {
        self.set_status(number, Status::Granted);
        self.woken.push(number);
    }

    /// Refuses a call that waits.
    pub(super) fn refuse(&mut self, number: u32, kind: RejectedKind) {
        self.set_status(number, Status::Refused(kind));
        self.woken.push(number);
    }

    fn set_status(&mut self, number: u32, status: Status) {
        self.calls.get_mut(&number).expect("there is such a call").status = status;
    }

    /// Takes a permit back.
    pub(super) fn release(&mut self, number: u32) -> Call {
        self.holders.remove(&number).expect("there is such a permit")
    }

    /// Returns a strategy that chooses one of the calls, if there are any.
    pub(super) fn a_call(&self) -> Option<impl Strategy<Value = u32> + Clone + use<>> {
        one_of(&self.calls)
    }

    /// Returns a strategy that chooses one of the permits, if there are any.
    pub(super) fn a_permit(&self) -> Option<impl Strategy<Value = u32> + Clone + use<>> {
        one_of(&self.holders)
    }
}

fn one_of(calls: &BTreeMap<u32, Call>) -> Option<impl Strategy<Value = u32> + Clone + use<>> {
    (!calls.is_empty()).then(|| select(calls.keys().copied().collect::<Vec<_>>()))
}

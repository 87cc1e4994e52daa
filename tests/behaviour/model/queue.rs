//! The model of a limiter without keys: one queue and a few numbers.

use super::ledger::{Ledger, Status};
use limit_runtime::RejectedKind;
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use std::collections::{BTreeMap, VecDeque};

#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// Makes the future of a call for this many permits.
    Call(u32),
    /// The same for `acquire`.
    CallForOne,
    Poll(u32),
    /// Drops a call's future.
    Drop(u32),
    /// Drops a permit.
    Release(u32),
    SetLimit(usize),
    TryAcquire,
    Close,
    Reopen,
}

/// The outcome of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Outcome {
    #[default]
    Done,
    Waits,
    Admitted,
    Refused(RejectedKind),
}

/// The rules for calls over the limit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Policy {
    /// With a bound, all of a limiter's calls can be refused.
    pub(super) max_waiting: Option<usize>,
    pub(super) lifo: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) policy: Policy,
    pub(super) limit: usize,
    pub(super) closed: bool,
    pub(super) in_use: usize,
    /// The calls that wait, the next to be served first.
    pub(super) queue: VecDeque<u32>,
    pub(super) ledger: Ledger,
    pub(super) most_waiting: usize,
    pub(super) refused: BTreeMap<usize, u64>,
    /// The outcome of the last operation.
    pub(super) outcome: Outcome,
}

impl Model {
    pub(super) fn refusals(&self, kind: RejectedKind) -> u64 {
        self.refused.get(&position(kind)).copied().unwrap_or(0)
    }

    fn count_refusal(&mut self, kind: RejectedKind) {
        *self.refused.entry(position(kind)).or_insert(0) += 1;
    }

    fn poll(&mut self, number: u32) -> Outcome {
        match self.ledger.calls[&number].status {
            Status::New => self.enter(number),
            Status::Waiting => Outcome::Waits,
            Status::Granted => {
                self.ledger.admit_granted(number);
                Outcome::Admitted
            }
            Status::Refused(kind) => {
                self.ledger.remove(number);
                Outcome::Refused(kind)
            }
        }
    }

    fn enter(&mut self, number: u32) -> Outcome {
        let call = self.ledger.calls[&number];
        let refused = if self.closed {
            Some(RejectedKind::Closed)
        } else if self.limit > 0 && call.weight > self.limit {
            Some(RejectedKind::TooHeavy)
        } else if call.weight == 0 || (self.is_next() && self.in_use + call.weight <= self.limit) {
            return self.admit(number);
        } else {
            self.make_room()
        };
        if let Some(kind) = refused {
            return self.refuse_new(number, kind);
        }
        self.ledger.wait(number);
        if self.policy.lifo {
            self.queue.push_front(number);
        } else {
            self.queue.push_back(number);
        }
        self.most_waiting = self.most_waiting.max(self.queue.len());
        Outcome::Waits
    }

    /// Returns whether a call that comes now is before all calls that wait.
    fn is_next(&self) -> bool {
        self.queue.is_empty() || self.policy.lifo
    }

    /// Makes room in the queue for one call; returns the reason if there is none.
    fn make_room(&mut self) -> Option<RejectedKind> {
        if self.policy.max_waiting.is_none_or(|most| self.queue.len() < most) {
            return None;
        }
        match self.queue.back() {
            Some(&oldest) if self.policy.lifo => {
                self.dismiss(oldest, RejectedKind::Evicted);
                None
            }
            _ => Some(RejectedKind::QueueFull),
        }
    }

    /// Refuses a call that waits.
    fn dismiss(&mut self, number: u32, kind: RejectedKind) {
        self.queue.retain(|&waiting| waiting != number);
        self.ledger.refuse(number, kind);
        self.count_refusal(kind);
    }

    /// Refuses a call that has not waited.
    fn refuse_new(&mut self, number: u32, kind: RejectedKind) -> Outcome {
        self.ledger.remove(number);
        self.count_refusal(kind);
        Outcome::Refused(kind)
    }

    /// Closes the limiter if all its calls can be refused.
    fn close(&mut self) {
        if self.policy.max_waiting.is_none() {
            return;
        }
        self.closed = true;
        for number in self.queue.clone() {
            self.dismiss(number, RejectedKind::Closed);
        }
        self.serve();
    }

    fn try_acquire(&mut self) -> Outcome {
        let number = self.ledger.make(0, 1);
        if self.closed {
            self.refuse_new(number, RejectedKind::Closed)
        } else if !self.is_next() || self.in_use >= self.limit {
            self.refuse_new(number, RejectedKind::NoPermits)
        } else {
            self.admit(number)
        }
    }

    fn admit(&mut self, number: u32) -> Outcome {
        self.in_use += self.ledger.weight(number);
        self.ledger.admit(number);
        Outcome::Admitted
    }

    fn drop_call(&mut self, number: u32) {
        let call = self.ledger.remove(number);
        match call.status {
            Status::New | Status::Refused(_) => {}
            Status::Waiting => {
                self.queue.retain(|&waiting| waiting != number);
                self.ledger.cancelled += 1;
            }
            Status::Granted => {
                self.in_use -= call.weight;
                self.ledger.cancelled += 1;
            }
        }
        self.serve();
    }

    fn release(&mut self, number: u32) {
        self.in_use -= self.ledger.release(number).weight;
        self.serve();
    }

    fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        for number in self.queue.clone() {
            if limit > 0 && self.ledger.weight(number) > limit {
                self.dismiss(number, RejectedKind::TooHeavy);
            }
        }
        self.serve();
    }

    fn serve(&mut self) {
        while let Some(&number) = self.queue.front() {
            let weight = self.ledger.weight(number);
            if self.in_use + weight > self.limit {
                return;
            }
            self.queue.pop_front();
            self.in_use += weight;
            self.ledger.grant(number);
        }
    }
}

/// Returns the position of a kind among all kinds, which have no order of their own.
fn position(kind: RejectedKind) -> usize {
    RejectedKind::ALL.iter().position(|&one| one == kind).expect("these are all")
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Operation;

    fn init_state() -> BoxedStrategy<Self> {
        let max_waiting = prop_oneof![
            2 => Just(None),
            1 => Just(Some(usize::MAX)),
            3 => (0..=4_usize).prop_map(Some),
        ];
        (0..=6_usize, max_waiting, any::<bool>())
            .prop_map(|(limit, max_waiting, lifo)| {
                let policy = Policy { max_waiting, lifo };
                Model { policy, limit, ..Model::default() }
            })
            .boxed()
    }

    fn transitions(model: &Self) -> BoxedStrategy<Operation> {
        let mut choices = vec![
            (4, (0..=6_u32).prop_map(Operation::Call).boxed()),
            (2, Just(Operation::CallForOne).boxed()),
            (2, (0..=6_usize).prop_map(Operation::SetLimit).boxed()),
            (1, Just(Operation::TryAcquire).boxed()),
            (1, Just(if model.closed { Operation::Reopen } else { Operation::Close }).boxed()),
        ];
        if let Some(call) = model.ledger.a_call() {
            choices.push((8, call.clone().prop_map(Operation::Poll).boxed()));
            choices.push((2, call.prop_map(Operation::Drop).boxed()));
        }
        if let Some(permit) = model.ledger.a_permit() {
            choices.push((4, permit.prop_map(Operation::Release).boxed()));
        }
        proptest::strategy::Union::new_weighted(choices).boxed()
    }

    fn preconditions(model: &Self, operation: &Operation) -> bool {
        match operation {
            Operation::Poll(call) | Operation::Drop(call) => model.ledger.calls.contains_key(call),
            Operation::Release(call) => model.ledger.holders.contains_key(call),
            _ => true,
        }
    }

    fn apply(mut model: Self, operation: &Operation) -> Self {
        model.outcome = Outcome::Done;
        model.ledger.woken.clear();
        match *operation {
            Operation::Call(weight) => drop(model.ledger.make(0, weight)),
            Operation::CallForOne => drop(model.ledger.make(0, 1)),
            Operation::Poll(call) => model.outcome = model.poll(call),
            Operation::Drop(call) => model.drop_call(call),
            Operation::Release(call) => model.release(call),
            Operation::SetLimit(limit) => model.set_limit(limit),
            Operation::TryAcquire => model.outcome = model.try_acquire(),
            Operation::Close => model.close(),
            Operation::Reopen => model.closed = false,
        }
        model
    }
}

//! The model of a limiter with keys: a queue for each key, and the turns of the keys.

use crate::model::ledger::{Ledger, Status};
use limit_runtime::RejectedKind;
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use std::collections::{BTreeMap, VecDeque};

#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// Makes the future of a call.
    Call {
        key: u32,
        weight: u32,
    },
    TryAcquire(u32),
    Poll(u32),
    /// Drops a call's future.
    Drop(u32),
    /// Drops a permit.
    Release(u32),
    SetLimit(usize),
    SetTotal(usize),
    Close,
    Reopen,
}

impl Operation {
    pub(super) fn is_about_all_keys(&self) -> bool {
        matches!(self, Self::SetLimit(_) | Self::SetTotal(_) | Self::Close | Self::Reopen)
    }
}

/// The outcome of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Outcome {
    #[default]
    Done,
    Waits,
    Admitted,
    /// Refused because no permit was free, with the figures of the key.
    NoneFree {
        kind: RejectedKind,
        in_use: usize,
        waiting: usize,
    },
    Refused(RejectedKind),
}

#[derive(Clone, Debug, Default)]
struct Key {
    in_use: usize,
    /// The calls that wait, the next to be served first.
    queue: VecDeque<u32>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    /// The limit of each key.
    pub(super) limit: usize,
    pub(super) total: usize,
    pub(super) max_waiting: usize,
    closed: bool,
    keys: BTreeMap<u32, Key>,
    /// The keys whose first waiter waits for nothing but the total, in the order of their turns.
    turns: VecDeque<u32>,
    /// The number of turns that the last operation has given.
    turns_given: usize,
    pub(super) ledger: Ledger,
    pub(super) refusals: u64,
    /// The outcome of the last operation.
    pub(super) outcome: Outcome,
}

impl Model {
    pub(super) fn in_use(&self) -> usize {
        self.keys.values().map(|key| key.in_use).sum()
    }

    pub(super) fn waiting(&self) -> usize {
        self.keys.values().map(|key| key.queue.len()).sum()
    }

    pub(super) fn keys_in_use(&self) -> usize {
        self.keys.values().filter(|key| key.in_use > 0 || !key.queue.is_empty()).count()
    }

    fn key(&mut self, key: u32) -> &mut Key {
        self.keys.entry(key).or_default()
    }

    fn poll(&mut self, number: u32) -> Outcome {
        match self.ledger.calls[&number].status {
            Status::New => self.enter(number, true),
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

    fn enter(&mut self, number: u32, may_wait: bool) -> Outcome {
        let call = self.ledger.calls[&number];
        if self.closed {
            return self.refuse_new(number, Outcome::Refused(RejectedKind::Closed));
        }
        if self.too_heavy(call.weight) {
            return self.refuse_new(number, Outcome::Refused(RejectedKind::TooHeavy));
        }
        let free = self.in_use() + call.weight <= self.total && self.turns.is_empty();
        let limit = self.limit;
        let key = self.key(call.key);
        let free = free && key.queue.is_empty() && key.in_use + call.weight <= limit;
        if call.weight == 0 || free {
            key.in_use += call.weight;
            self.ledger.admit(number);
            return Outcome::Admitted;
        }
        let (in_use, waiting) = (key.in_use, key.queue.len());
        if waiting >= self.max_waiting || !may_wait {
            let kind = if may_wait { RejectedKind::QueueFull } else { RejectedKind::NoPermits };
            return self.refuse_new(number, Outcome::NoneFree { kind, in_use, waiting });
        }
        self.key(call.key).queue.push_back(number);
        self.ledger.wait(number);
        self.refresh(call.key);
        self.serve();
        Outcome::Waits
    }

    /// Refuses a call that has not waited.
    fn refuse_new(&mut self, number: u32, outcome: Outcome) -> Outcome {
        self.ledger.remove(number);
        self.refusals += 1;
        outcome
    }

    fn too_heavy(&self, weight: usize) -> bool {
        let over = |limit: usize| limit > 0 && weight > limit;
        over(self.limit) || over(self.total)
    }

    /// Gives a key the last turn, or takes its turn away, as its queue demands.
    fn refresh(&mut self, key: u32) {
        let limit = self.limit;
        let Key { in_use, queue } = self.keys[&key].clone();
        let ready = queue.front().is_some_and(|head| in_use + self.ledger.weight(*head) <= limit);
        let has_turn = self.turns.contains(&key);
        if ready && !has_turn {
            self.turns.push_back(key);
            self.turns_given += 1;
        } else if !ready && has_turn {
            self.turns.retain(|&turn| turn != key);
        }
    }

    fn serve(&mut self) {
        while let Some(&key) = self.turns.front() {
            let number = self.keys[&key].queue[0];
            let weight = self.ledger.weight(number);
            if self.in_use() + weight > self.total {
                return;
            }
            self.turns.pop_front();
            let of_key = self.key(key);
            of_key.queue.pop_front();
            of_key.in_use += weight;
            self.ledger.grant(number);
            self.refresh(key);
        }
    }

    fn give_back(&mut self, key: u32, weight: usize) {
        self.key(key).in_use -= weight;
        self.refresh(key);
        self.serve();
    }

    fn drop_call(&mut self, number: u32) {
        let call = self.ledger.remove(number);
        match call.status {
            Status::New | Status::Refused(_) => {}
            Status::Waiting => {
                self.key(call.key).queue.retain(|&waiting| waiting != number);
                self.refresh(call.key);
                self.ledger.cancelled += 1;
            }
            Status::Granted => {
                self.give_back(call.key, call.weight);
                self.ledger.cancelled += 1;
            }
        }
        self.serve();
    }

    /// Applies a change of the limit, of the total, or from open to closed and back.
    fn changed(&mut self) {
        let keys: Vec<u32> = self.keys.keys().copied().collect();
        for key in keys {
            self.refresh(key);
            for number in self.keys[&key].queue.clone() {
                let kind = match self.closed {
                    true => RejectedKind::Closed,
                    false if self.too_heavy(self.ledger.weight(number)) => RejectedKind::TooHeavy,
                    false => continue,
                };
                self.key(key).queue.retain(|&waiting| waiting != number);
                self.ledger.refuse(number, kind);
                self.refusals += 1;
                self.refresh(key);
            }
        }
    }

    fn perform(&mut self, operation: &Operation) {
        match *operation {
            Operation::Call { key, weight } => {
                self.ledger.make(key, weight);
            }
            Operation::TryAcquire(key) => {
                let number = self.ledger.make(key, 1);
                self.outcome = self.enter(number, false);
            }
            Operation::Poll(call) => self.outcome = self.poll(call),
            Operation::Drop(call) => self.drop_call(call),
            Operation::Release(call) => {
                let permit = self.ledger.release(call);
                self.give_back(permit.key, permit.weight);
            }
            Operation::SetLimit(limit) => self.limit = limit,
            Operation::SetTotal(total) => self.total = total,
            Operation::Close => self.closed = true,
            Operation::Reopen => self.closed = false,
        }
    }
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Operation;

    fn init_state() -> BoxedStrategy<Self> {
        let total = prop_oneof![1 => Just(usize::MAX), 3 => 0..=5_usize];
        let max_waiting = prop_oneof![2 => Just(usize::MAX), 1 => 0..=3_usize];
        (0..=3_usize, total, max_waiting)
            .prop_map(|(limit, total, max_waiting)| Model {
                limit,
                total,
                max_waiting,
                ..Model::default()
            })
            .boxed()
    }

    fn transitions(model: &Self) -> BoxedStrategy<Operation> {
        let key = 0..4_u32;
        let weight = prop_oneof![5 => Just(1), 2 => 0..=4_u32];
        let call = (key.clone(), weight).prop_map(|(key, weight)| Operation::Call { key, weight });
        let mut choices = vec![
            (7, call.boxed()),
            (1, key.prop_map(Operation::TryAcquire).boxed()),
            (1, (0..=3_usize).prop_map(Operation::SetLimit).boxed()),
            (1, (0..=5_usize).prop_map(Operation::SetTotal).boxed()),
        ];
        if model.closed {
            choices.push((3, Just(Operation::Reopen).boxed()));
        } else {
            choices.push((1, Just(Operation::Close).boxed()));
        }
        if let Some(call) = model.ledger.a_call() {
            choices.push((10, call.clone().prop_map(Operation::Poll).boxed()));
            choices.push((2, call.prop_map(Operation::Drop).boxed()));
        }
        if let Some(permit) = model.ledger.a_permit() {
            choices.push((5, permit.prop_map(Operation::Release).boxed()));
        }
        proptest::strategy::Union::new_weighted(choices).boxed()
    }

    fn preconditions(model: &Self, operation: &Operation) -> bool {
        match operation {
            Operation::Poll(call) | Operation::Drop(call) => model.ledger.calls.contains_key(call),
            Operation::Release(call) => model.ledger.holders.contains_key(call),
            operation if operation.is_about_all_keys() => {
                // The order of several keys that get a turn at the same moment is not promised.
                let mut after = model.clone();
                after.turns_given = 0;
                after.perform(operation);
                after.changed();
                after.turns_given <= 1
            }
            _ => true,
        }
    }

    fn apply(mut model: Self, operation: &Operation) -> Self {
        model.outcome = Outcome::Done;
        model.ledger.woken.clear();
        model.perform(operation);
        if operation.is_about_all_keys() {
            model.changed();
            model.serve();
        }
        model
    }
}

//! The plain model.

use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::ReferenceStateMachine;
use std::collections::{BTreeMap, VecDeque};

#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// Makes the future of a call for so many permits.
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
}

/// What an operation gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Outcome {
    #[default]
    Done,
    Waits,
    Admitted,
    QueueFull,
    TooHeavy,
}

#[derive(Clone, Copy, Debug)]
enum Standing {
    New,
    Waiting,
    Granted,
    TooHeavy,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    weight: usize,
    standing: Standing,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) limit: usize,
    pub(super) in_use: usize,
    /// Who waits, the first first.
    pub(super) queue: VecDeque<u32>,
    /// Who holds how many permits.
    pub(super) holders: BTreeMap<u32, usize>,
    calls: BTreeMap<u32, Call>,
    /// The number of the last call made.
    pub(super) newest: u32,
    pub(super) most_waiting: usize,
    pub(super) admitted_at_once: u64,
    pub(super) admitted_after_waiting: u64,
    pub(super) cancelled: u64,
    pub(super) queue_full: u64,
    pub(super) too_heavy: u64,
    /// Of the last operation.
    pub(super) outcome: Outcome,
    /// By the last operation, in order.
    pub(super) woken: Vec<u32>,
}

impl Model {
    fn call(&mut self, weight: u32) {
        let call = Call { weight: weight as usize, standing: Standing::New };
        self.newest += 1;
        self.calls.insert(self.newest, call);
    }

    fn poll(&mut self, number: u32) -> Outcome {
        let Call { weight, standing } = self.calls[&number];
        match standing {
            Standing::New => self.enter(number, weight),
            Standing::Waiting => Outcome::Waits,
            Standing::Granted => {
                self.calls.remove(&number);
                self.holders.insert(number, weight);
                self.admitted_after_waiting += 1;
                Outcome::Admitted
            }
            Standing::TooHeavy => {
                self.calls.remove(&number);
                Outcome::TooHeavy
            }
        }
    }

    fn enter(&mut self, number: u32, weight: usize) -> Outcome {
        if self.limit > 0 && weight > self.limit {
            self.calls.remove(&number);
            self.too_heavy += 1;
            return Outcome::TooHeavy;
        }
        if weight == 0 || (self.queue.is_empty() && self.in_use + weight <= self.limit) {
            self.calls.remove(&number);
            self.admit(number, weight);
            return Outcome::Admitted;
        }
        self.stand(number, Standing::Waiting);
        self.queue.push_back(number);
        self.most_waiting = self.most_waiting.max(self.queue.len());
        Outcome::Waits
    }

    fn try_acquire(&mut self) -> Outcome {
        self.newest += 1;
        if !self.queue.is_empty() || self.in_use >= self.limit {
            self.queue_full += 1;
            return Outcome::QueueFull;
        }
        self.admit(self.newest, 1);
        Outcome::Admitted
    }

    fn admit(&mut self, number: u32, weight: usize) {
        self.holders.insert(number, weight);
        self.in_use += weight;
        self.admitted_at_once += 1;
    }

    fn drop_call(&mut self, number: u32) {
        let call = self.calls.remove(&number).expect("there is such a call");
        match call.standing {
            Standing::New | Standing::TooHeavy => {}
            Standing::Waiting => {
                self.queue.retain(|&waiting| waiting != number);
                self.cancelled += 1;
            }
            Standing::Granted => {
                self.in_use -= call.weight;
                self.cancelled += 1;
            }
        }
        self.serve();
    }

    fn release(&mut self, number: u32) {
        self.in_use -= self.holders.remove(&number).expect("there is such a permit");
        self.serve();
    }

    fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        for number in self.queue.clone() {
            if limit > 0 && self.calls[&number].weight > limit {
                self.queue.retain(|&waiting| waiting != number);
                self.stand(number, Standing::TooHeavy);
                self.too_heavy += 1;
                self.woken.push(number);
            }
        }
        self.serve();
    }

    fn serve(&mut self) {
        while let Some(&number) = self.queue.front() {
            let weight = self.calls[&number].weight;
            if self.in_use + weight > self.limit {
                return;
            }
            self.queue.pop_front();
            self.in_use += weight;
            self.stand(number, Standing::Granted);
            self.woken.push(number);
        }
    }

    fn stand(&mut self, number: u32, standing: Standing) {
        self.calls.get_mut(&number).expect("there is such a call").standing = standing;
    }
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Operation;

    fn init_state() -> BoxedStrategy<Self> {
        let with_limit = |limit| Model { limit, ..Model::default() };
        (0..=6_usize).prop_map(with_limit).boxed()
    }

    fn transitions(model: &Self) -> BoxedStrategy<Operation> {
        let mut choices = vec![
            (4, (0..=6_u32).prop_map(Operation::Call).boxed()),
            (2, Just(Operation::CallForOne).boxed()),
            (2, (0..=6_usize).prop_map(Operation::SetLimit).boxed()),
            (1, Just(Operation::TryAcquire).boxed()),
        ];
        if !model.calls.is_empty() {
            let one = select(model.calls.keys().copied().collect::<Vec<_>>());
            choices.push((8, one.clone().prop_map(Operation::Poll).boxed()));
            choices.push((2, one.prop_map(Operation::Drop).boxed()));
        }
        if !model.holders.is_empty() {
            let one = select(model.holders.keys().copied().collect::<Vec<_>>());
            choices.push((4, one.prop_map(Operation::Release).boxed()));
        }
        proptest::strategy::Union::new_weighted(choices).boxed()
    }

    fn preconditions(model: &Self, operation: &Operation) -> bool {
        match operation {
            Operation::Poll(call) | Operation::Drop(call) => model.calls.contains_key(call),
            Operation::Release(call) => model.holders.contains_key(call),
            _ => true,
        }
    }

    fn apply(mut model: Self, operation: &Operation) -> Self {
        model.outcome = Outcome::Done;
        model.woken.clear();
        match *operation {
            Operation::Call(weight) => model.call(weight),
            Operation::CallForOne => model.call(1),
            Operation::Poll(call) => model.outcome = model.poll(call),
            Operation::Drop(call) => model.drop_call(call),
            Operation::Release(call) => model.release(call),
            Operation::SetLimit(limit) => model.set_limit(limit),
            Operation::TryAcquire => model.outcome = model.try_acquire(),
        }
        model
    }
}

//! The plain model.

use limit_runtime::RejectedKind;
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
    Close,
    Reopen,
}

/// What an operation gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Outcome {
    #[default]
    Done,
    Waits,
    Admitted,
    Refused(RejectedKind),
}

#[derive(Clone, Copy, Debug)]
enum Standing {
    New,
    Waiting,
    Granted,
    Refused(RejectedKind),
}

#[derive(Clone, Copy, Debug)]
struct Call {
    weight: usize,
    fallible: bool,
    standing: Standing,
}

/// What a limiter does with the calls over its limit.
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
    pub(super) refused: BTreeMap<usize, u64>,
    /// Of the last operation.
    pub(super) outcome: Outcome,
    /// By the last operation, in order.
    pub(super) woken: Vec<u32>,
}

impl Model {
    fn call(&mut self, weight: u32, fallible: bool) {
        let fallible = fallible || self.policy.max_waiting.is_some();
        let call = Call { weight: weight as usize, fallible, standing: Standing::New };
        self.newest += 1;
        self.calls.insert(self.newest, call);
    }

    pub(super) fn refusals(&self, kind: RejectedKind) -> u64 {
        self.refused.get(&place(kind)).copied().unwrap_or(0)
    }

    fn count_refusal(&mut self, kind: RejectedKind) {
        *self.refused.entry(place(kind)).or_insert(0) += 1;
    }

    fn poll(&mut self, number: u32) -> Outcome {
        let Call { weight, fallible, standing } = self.calls[&number];
        match standing {
            Standing::New => self.enter(number, weight, fallible),
            Standing::Waiting => Outcome::Waits,
            Standing::Granted => {
                self.calls.remove(&number);
                self.holders.insert(number, weight);
                self.admitted_after_waiting += 1;
                Outcome::Admitted
            }
            Standing::Refused(kind) => {
                self.calls.remove(&number);
                Outcome::Refused(kind)
            }
        }
    }

    fn enter(&mut self, number: u32, weight: usize, fallible: bool) -> Outcome {
        let refused = if self.closed && fallible {
            Some(RejectedKind::Closed)
        } else if self.limit > 0 && weight > self.limit {
            Some(RejectedKind::TooHeavy)
        } else if weight == 0 || (self.is_next() && self.in_use + weight <= self.limit) {
            self.calls.remove(&number);
            self.admit(number, weight);
            return Outcome::Admitted;
        } else {
            self.make_place()
        };
        if let Some(kind) = refused {
            self.calls.remove(&number);
            self.count_refusal(kind);
            return Outcome::Refused(kind);
        }
        self.stand(number, Standing::Waiting);
        if self.policy.lifo {
            self.queue.push_front(number);
        } else {
            self.queue.push_back(number);
        }
        self.most_waiting = self.most_waiting.max(self.queue.len());
        Outcome::Waits
    }

    /// Whether one who comes is before all who wait.
    fn is_next(&self) -> bool {
        self.queue.is_empty() || self.policy.lifo
    }

    /// Why there is no place in the queue, if there is none.
    fn make_place(&mut self) -> Option<RejectedKind> {
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

    /// Refuses a waiter.
    fn dismiss(&mut self, number: u32, kind: RejectedKind) {
        self.queue.retain(|&waiting| waiting != number);
        self.stand(number, Standing::Refused(kind));
        self.count_refusal(kind);
        self.woken.push(number);
    }

    fn close(&mut self) {
        self.closed = true;
        for number in self.queue.clone() {
            if self.calls[&number].fallible {
                self.dismiss(number, RejectedKind::Closed);
            }
        }
        self.serve();
    }

    fn try_acquire(&mut self) -> Outcome {
        self.newest += 1;
        let refused = if self.closed {
            RejectedKind::Closed
        } else if !self.is_next() || self.in_use >= self.limit {
            RejectedKind::QueueFull
        } else {
            self.admit(self.newest, 1);
            return Outcome::Admitted;
        };
        self.count_refusal(refused);
        Outcome::Refused(refused)
    }

    fn admit(&mut self, number: u32, weight: usize) {
        self.holders.insert(number, weight);
        self.in_use += weight;
        self.admitted_at_once += 1;
    }

    fn drop_call(&mut self, number: u32) {
        let call = self.calls.remove(&number).expect("there is such a call");
        match call.standing {
            Standing::New | Standing::Refused(_) => {}
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
                self.dismiss(number, RejectedKind::TooHeavy);
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

/// Kinds have no order of their own.
fn place(kind: RejectedKind) -> usize {
    RejectedKind::ALL.iter().position(|&one| one == kind).expect("these are all")
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Operation;

    fn init_state() -> BoxedStrategy<Self> {
        let max_waiting = prop_oneof![2 => Just(None), 3 => (0..=4_usize).prop_map(Some)];
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
            Operation::Call(weight) => model.call(weight, true),
            Operation::CallForOne => model.call(1, false),
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

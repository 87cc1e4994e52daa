//! The plain model.

use limit_runtime::RejectedKind;
use proptest::prelude::*;
use proptest::sample::select;
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

/// What an operation gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Outcome {
    #[default]
    Done,
    Waits,
    Admitted,
    /// Refused because the queue is full, with the figures of the key.
    Full {
        in_use: usize,
        waiting: usize,
    },
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
    key: u32,
    weight: usize,
    standing: Standing,
}

#[derive(Clone, Debug, Default)]
struct Key {
    in_use: usize,
    /// Who waits, the first first.
    queue: VecDeque<u32>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    /// Of each key.
    pub(super) limit: usize,
    pub(super) total: usize,
    pub(super) max_waiting: usize,
    closed: bool,
    keys: BTreeMap<u32, Key>,
    /// The keys whose first waiter waits for nothing but the total, in the order of their turns.
    turns: VecDeque<u32>,
    /// How many turns the last operation has given.
    turns_given: usize,
    /// Who holds how many permits, of which key.
    pub(super) holders: BTreeMap<u32, (u32, usize)>,
    calls: BTreeMap<u32, Call>,
    /// The number of the last call made.
    pub(super) newest: u32,
    pub(super) admitted_at_once: u64,
    pub(super) admitted_after_waiting: u64,
    pub(super) cancelled: u64,
    pub(super) refusals: u64,
    /// Of the last operation.
    pub(super) outcome: Outcome,
    /// By the last operation, in order.
    pub(super) woken: Vec<u32>,
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
        let Call { key, weight, standing } = self.calls[&number];
        let outcome = match standing {
            Standing::New => self.enter(number, key, weight, true),
            Standing::Waiting => Outcome::Waits,
            Standing::Granted => {
                self.holders.insert(number, (key, weight));
                self.admitted_after_waiting += 1;
                Outcome::Admitted
            }
            Standing::Refused(kind) => Outcome::Refused(kind),
        };
        if outcome != Outcome::Waits {
            self.calls.remove(&number);
        }
        outcome
    }

    fn enter(&mut self, number: u32, key: u32, weight: usize, may_wait: bool) -> Outcome {
        let refused = if self.closed {
            Some(RejectedKind::Closed)
        } else if self.too_heavy(weight) {
            Some(RejectedKind::TooHeavy)
        } else {
            None
        };
        if let Some(kind) = refused {
            self.refusals += 1;
            return Outcome::Refused(kind);
        }
        let free = self.in_use() + weight <= self.total && self.turns.is_empty();
        let limit = self.limit;
        let of_key = self.key(key);
        let free = free && of_key.queue.is_empty() && of_key.in_use + weight <= limit;
        if weight == 0 || free {
            of_key.in_use += weight;
            self.holders.insert(number, (key, weight));
            self.admitted_at_once += 1;
            return Outcome::Admitted;
        }
        let (in_use, waiting) = (of_key.in_use, of_key.queue.len());
        if waiting >= self.max_waiting || !may_wait {
            self.refusals += 1;
            return Outcome::Full { in_use, waiting };
        }
        self.key(key).queue.push_back(number);
        self.stand(number, Standing::Waiting);
        self.refresh(key);
        self.serve();
        Outcome::Waits
    }

    fn too_heavy(&self, weight: usize) -> bool {
        let over = |limit: usize| limit > 0 && weight > limit;
        over(self.limit) || over(self.total)
    }

    /// Gives a key a turn, at the end, or takes it away.
    fn refresh(&mut self, key: u32) {
        let limit = self.limit;
        let Key { in_use, queue } = self.keys[&key].clone();
        let ready = queue.front().is_some_and(|head| in_use + self.calls[head].weight <= limit);
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
            let weight = self.calls[&number].weight;
            if self.in_use() + weight > self.total {
                return;
            }
            self.turns.pop_front();
            let of_key = self.key(key);
            of_key.queue.pop_front();
            of_key.in_use += weight;
            self.stand(number, Standing::Granted);
            self.woken.push(number);
            self.refresh(key);
        }
    }

    fn stand(&mut self, number: u32, standing: Standing) {
        self.calls.get_mut(&number).expect("there is such a call").standing = standing;
    }

    fn give_back(&mut self, key: u32, weight: usize) {
        self.key(key).in_use -= weight;
        self.refresh(key);
        self.serve();
    }

    fn drop_call(&mut self, number: u32) {
        let Call { key, weight, standing } = self.calls[&number];
        match standing {
            Standing::New | Standing::Refused(_) => {}
            Standing::Waiting => {
                self.key(key).queue.retain(|&waiting| waiting != number);
                self.refresh(key);
                self.cancelled += 1;
            }
            Standing::Granted => {
                self.give_back(key, weight);
                self.cancelled += 1;
            }
        }
        self.calls.remove(&number);
        self.serve();
    }

    /// The limit, the total, or whether it is closed, has changed.
    fn changed(&mut self) {
        let keys: Vec<u32> = self.keys.keys().copied().collect();
        for key in keys {
            self.refresh(key);
            for number in self.keys[&key].queue.clone() {
                let kind = match self.closed {
                    true => RejectedKind::Closed,
                    false if self.too_heavy(self.calls[&number].weight) => RejectedKind::TooHeavy,
                    false => continue,
                };
                self.key(key).queue.retain(|&waiting| waiting != number);
                self.stand(number, Standing::Refused(kind));
                self.refusals += 1;
                self.woken.push(number);
                self.refresh(key);
            }
        }
    }

    fn perform(&mut self, operation: &Operation) {
        match *operation {
            Operation::Call { key, weight } => {
                self.newest += 1;
                let call = Call { key, weight: weight as usize, standing: Standing::New };
                self.calls.insert(self.newest, call);
            }
            Operation::TryAcquire(key) => {
                self.newest += 1;
                self.outcome = self.enter(self.newest, key, 1, false);
            }
            Operation::Poll(call) => self.outcome = self.poll(call),
            Operation::Drop(call) => self.drop_call(call),
            Operation::Release(call) => {
                let (key, weight) = self.holders.remove(&call).expect("there is such a permit");
                self.give_back(key, weight);
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
        if !model.calls.is_empty() {
            let one = select(model.calls.keys().copied().collect::<Vec<_>>());
            choices.push((10, one.clone().prop_map(Operation::Poll).boxed()));
            choices.push((2, one.prop_map(Operation::Drop).boxed()));
        }
        if !model.holders.is_empty() {
            let one = select(model.holders.keys().copied().collect::<Vec<_>>());
            choices.push((5, one.prop_map(Operation::Release).boxed()));
        }
        proptest::strategy::Union::new_weighted(choices).boxed()
    }

    fn preconditions(model: &Self, operation: &Operation) -> bool {
        match operation {
            Operation::Poll(call) | Operation::Drop(call) => model.calls.contains_key(call),
            Operation::Release(call) => model.holders.contains_key(call),
            operation if operation.is_about_all_keys() => {
                // Of several keys that get a turn at the same moment it is not said which is first.
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
        model.woken.clear();
        model.perform(operation);
        if operation.is_about_all_keys() {
            model.changed();
            model.serve();
        }
        model
    }
}

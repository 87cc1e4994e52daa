//! All schedules of small cases: a few limits, calls for one and for several of them, and every step of each call at
//! any time. `ALL_SCHEDULES=1 cargo test --release -p limit-runtime --lib rounds` looks at larger cases too.

use super::{ROUNDS, Rounds, Step};
use std::collections::{HashMap, VecDeque};

/// The waits of a call are counted up to this number.
const MANY: u8 = 20;

/// A limit that serves its queue in order.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Limit {
    free: u8,
    queue: VecDeque<u8>,
    /// The calls that were handed permits in the queue, and have not claimed them.
    handed: Vec<u8>,
}

/// The state of a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Progress {
    Asks(Rounds),
    /// It has all its permits.
    Runs,
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Call {
    progress: Progress,
    /// The limits that it has permits of, a bit each.
    has: u8,
    /// The limits that it has waited at, one after the other.
    waits: u8,
    /// It may be dropped at any step.
    may_be_dropped: bool,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct World {
    limits: Vec<Limit>,
    calls: Vec<Call>,
    /// So many grants may be taken back before they are claimed.
    take_backs: u8,
}

/// A case: the limits, and the limits that each call wants, in the common order.
struct Case<'a> {
    limits: &'a [u8],
    wants: &'a [&'a [u8]],
    /// The calls that may be dropped.
    dropped: &'a [usize],
    take_backs: u8,
    /// So many rounds have failed before.
    failed: u8,
    /// Calls for one limit come again and again.
    comes_again: bool,
    /// No round counts as failed, so no call ever holds.
    never_holds: bool,
}

/// The findings of one look at all schedules of a case.
#[derive(Debug, Default)]
struct Found {
    states: usize,
    /// The most queues that a call has joined.
    most_waits: u8,
    /// Some schedule never ends.
    has_circle: bool,
}

impl<'a> Case<'a> {
    fn new(limits: &'a [u8], wants: &'a [&'a [u8]]) -> Self {
        let (failed, take_backs) = (0, 0);
        Self {
            limits,
            wants,
            dropped: &[],
            take_backs,
            failed,
            comes_again: false,
            never_holds: false,
        }
    }

    /// Begins a call that has failed before.
    fn begin(&self, wants: &[u8]) -> Progress {
        let rounds = Rounds::new(u8::try_from(wants.len()).expect("few"));
        if wants.len() == 1 {
            return Progress::Asks(rounds);
        }
        let step = if self.failed < ROUNDS { rounds.step } else { Step::Hold(0) };
        Progress::Asks(Rounds { failed: self.failed, step, ..rounds })
    }
}

impl World {
    fn new(case: &Case<'_>) -> Self {
        let limit = |&free: &u8| Limit { free, queue: VecDeque::new(), handed: Vec::new() };
        let call = |(number, wants): (usize, &&[u8])| Call {
            progress: case.begin(wants),
            has: 0,
            waits: 0,
            may_be_dropped: case.dropped.contains(&number),
        };
        Self {
            limits: case.limits.iter().map(limit).collect(),
            calls: case.wants.iter().enumerate().map(call).collect(),
            take_backs: case.take_backs,
        }
    }

    fn serve(&mut self, limit: u8) {
        let Limit { free, queue, handed } = &mut self.limits[usize::from(limit)];
        while *free > 0 {
            let Some(next) = queue.pop_front() else { return };
            *free -= 1;
            handed.push(next);
        }
    }

    fn give_back(&mut self, call: usize, limit: u8) {
        let bit = 1 << limit;
        assert_ne!(self.calls[call].has & bit, 0, "a call gives back what it has");
        self.calls[call].has &= !bit;
        self.limits[usize::from(limit)].free += 1;
        self.serve(limit);
    }

    /// Leaves the queue of a limit, with what the call was handed there.
    fn leave(&mut self, call: usize, limit: u8) {
        let number = u8::try_from(call).expect("few");
        let Limit { free, queue, handed } = &mut self.limits[usize::from(limit)];
        queue.retain(|&waiter| waiter != number);
        let before = handed.len();
        handed.retain(|&waiter| waiter != number);
        if handed.len() < before {
            *free += 1;
        }
        self.serve(limit);
    }

    /// Does the next step of a call. Returns `None` if it can only wait.
    fn step(&self, call: usize, case: &Case<'_>) -> Option<Self> {
        let (mut next, wants) = (self.clone(), case.wants[call]);
        let number = u8::try_from(call).expect("few");
        let Progress::Asks(mut rounds) = self.calls[call].progress else {
            if self.calls[call].progress == Progress::Ended {
                return None;
            }
            // It gives back one permit at a time, as the guard does.
            match wants.iter().find(|&&limit| self.calls[call].has & (1 << limit) != 0) {
                Some(&limit) => next.give_back(call, limit),
                None if case.comes_again && wants.len() == 1 => {
                    next.calls[call].progress = case.begin(wants);
                    next.calls[call].waits = 0;
                }
                None => next.calls[call].progress = Progress::Ended,
            }
            return Some(next);
        };
        let limit_of = |index: u8| wants[usize::from(index)];
        let succeeded = match rounds.step() {
            Step::Look(index) => {
                let Limit { free, queue, .. } = &self.limits[usize::from(limit_of(index))];
                *free > 0 && queue.is_empty()
            }
            Step::Take(index) => {
                let limit = &mut next.limits[usize::from(limit_of(index))];
                let is_free = limit.free > 0 && limit.queue.is_empty();
                if is_free {
                    limit.free -= 1;
                    next.calls[call].has |= 1 << limit_of(index);
                }
                is_free
            }
            Step::Wait(index) | Step::Hold(index) => {
                let holds = matches!(rounds.step(), Step::Hold(_));
                let limit = limit_of(index);
                let Limit { queue, handed, .. } = &mut next.limits[usize::from(limit)];
                if queue.contains(&number) {
                    return None;
                }
                let is_handed = handed.contains(&number);
                if !is_handed {
                    queue.push_back(number);
                    next.calls[call].waits = (self.calls[call].waits + 1).min(MANY);
                    next.serve(limit);
                } else if holds {
                    handed.retain(|&waiter| waiter != number);
                    next.calls[call].has |= 1 << limit;
                }
                is_handed
            }
            Step::Claim(index) => {
                let Limit { handed, .. } = &mut next.limits[usize::from(limit_of(index))];
                let is_handed = handed.contains(&number);
                handed.retain(|&waiter| waiter != number);
                if is_handed {
                    next.calls[call].has |= 1 << limit_of(index);
                }
                is_handed
            }
            Step::GiveBack(index) => {
                if next.calls[call].has & (1 << limit_of(index)) != 0 {
                    next.give_back(call, limit_of(index));
                } else {
                    next.leave(call, limit_of(index));
                }
                true
            }
            Step::Done => unreachable!("a call that is done runs"),
        };
        rounds.done(succeeded);
        if case.never_holds {
            rounds.failed = 0;
        }
        let is_done = rounds.step() == Step::Done;
        next.calls[call].progress = if is_done { Progress::Runs } else { Progress::Asks(rounds) };
        if is_done {
            let all = wants.iter().fold(0, |all, limit| all | 1 << limit);
            assert_eq!(next.calls[call].has, all, "a call runs with all its permits");
        }
        Some(next)
    }

    /// Drops a call that has not all its permits.
    fn drop_call(&self, call: usize, wants: &[u8]) -> Option<Self> {
        if !self.calls[call].may_be_dropped
            || !matches!(self.calls[call].progress, Progress::Asks(_))
        {
            return None;
        }
        let mut next = self.clone();
        for &limit in wants {
            if next.calls[call].has & (1 << limit) != 0 {
                next.give_back(call, limit);
            } else {
                next.leave(call, limit);
            }
        }
        next.calls[call].progress = Progress::Ended;
        Some(next)
    }

    /// Takes the grant of a call back: it stands at the head of the queue again.
    fn take_back(&self, limit: usize) -> Option<Self> {
        let call = *self.limits[limit].handed.first()?;
        let mut next = self.clone();
        next.take_backs = self.take_backs.checked_sub(1)?;
        let Limit { free, handed, .. } = &mut next.limits[limit];
        handed.remove(0);
        *free += 1;
        // The next in the queue gets it, if there is one.
        next.serve(u8::try_from(limit).expect("few"));
        next.limits[limit].queue.push_front(call);
        next.serve(u8::try_from(limit).expect("few"));
        Some(next)
    }

    fn check(&self, case: &Case<'_>) {
        for (number, limit) in self.limits.iter().enumerate() {
            let out = self.calls.iter().filter(|call| call.has & (1 << number) != 0).count();
            let all = usize::from(limit.free) + limit.handed.len() + out;
            assert_eq!(all, usize::from(case.limits[number]), "no permit is lost or made");
        }
        for (number, call) in self.calls.iter().enumerate() {
            let number = u8::try_from(number).expect("few");
            let waits = self.limits.iter().any(|limit| limit.queue.contains(&number));
            if call.has != 0 && waits {
                let Progress::Asks(rounds) = call.progress else { unreachable!("it waits") };
                assert!(
                    rounds.failed >= ROUNDS,
                    "a call holds nothing before {ROUNDS} rounds have failed"
                );
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Open,
    Closed,
}

/// Looks at all states that a case can come to.
fn explore(case: &Case<'_>) -> Found {
    let mut found = Found::default();
    let mut marks = HashMap::new();
    let first = World::new(case);
    // Depth first, with a stack of our own: a state that is met again while it is open closes a circle.
    let mut stack = vec![(first.clone(), next_states(&first, case))];
    marks.insert(first, Mark::Open);
    while let Some((world, rest)) = stack.last_mut() {
        let Some(next) = rest.pop() else {
            marks.insert(world.clone(), Mark::Closed);
            stack.pop();
            continue;
        };
        match marks.get(&next) {
            Some(Mark::Closed) => continue,
            Some(Mark::Open) => {
                found.has_circle = true;
                continue;
            }
            None => {}
        }
        next.check(case);
        let waits = next.calls.iter().map(|call| call.waits).max().unwrap_or_default();
        found.most_waits = found.most_waits.max(waits);
        let states = next_states(&next, case);
        if states.is_empty() {
            let ended = next.calls.iter().all(|call| call.progress == Progress::Ended);
            assert!(ended, "calls wait for each other: {:?}", case.wants);
        }
        marks.insert(next.clone(), Mark::Open);
        stack.push((next, states));
    }
    found.states = marks.len();
    found
}

fn next_states(world: &World, case: &Case<'_>) -> Vec<World> {
    let calls = 0..world.calls.len();
    let steps = calls.clone().filter_map(|call| world.step(call, case));
    let drops = calls.filter_map(|call| world.drop_call(call, case.wants[call]));
    let taken_back = (0..world.limits.len()).filter_map(|limit| world.take_back(limit));
    steps.chain(drops).chain(taken_back).collect()
}

/// Returns all sets of calls: `most` at most, one of them for two limits or more. Calls for the same limits are alike.
fn all_calls(limits: usize, most: usize) -> Vec<Vec<Vec<u8>>> {
    let sets: Vec<Vec<u8>> = (1..1_u8 << limits)
        .map(|bits| (0..8).filter(|limit| bits & (1 << limit) != 0).collect())
        .collect();
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    let mut calls = Vec::new();
    for _ in 0..most {
        let add = |chosen: &Vec<usize>| {
            let (from, chosen) = (chosen.last().copied().unwrap_or(0), chosen.clone());
            (from..sets.len()).map(move |set| [chosen.clone(), vec![set]].concat())
        };
        all = all.iter().flat_map(add).collect();
        calls
            .extend(all.iter().map(|chosen| chosen.iter().map(|&set| sets[set].clone()).collect()));
    }
    calls.retain(|calls: &Vec<Vec<u8>>| calls.iter().any(|wants| wants.len() > 1));
    calls
}

/// Looks at all schedules of all small cases. Returns how many cases, and how many states they have.
fn explore_all(limits: usize, most: usize, failed: u8, is_dropped: bool) -> (usize, usize) {
    let (mut cases, mut states) = (0, 0);
    for calls in all_calls(limits, most) {
        let wants: Vec<&[u8]> = calls.iter().map(Vec::as_slice).collect();
        for high in 0..1_u8 << limits {
            let sizes: Vec<u8> = (0..limits).map(|limit| 1 + (high >> limit & 1)).collect();
            let joint = wants.iter().position(|wants| wants.len() > 1).expect("there is one");
            let dropped = [joint];
            let case = Case {
                failed,
                dropped: if is_dropped { &dropped } else { &[] },
                take_backs: u8::from(is_dropped),
                ..Case::new(&sizes, &wants)
            };
            let found = explore(&case);
            assert!(!found.has_circle, "a schedule never ends: {sizes:?}, {wants:?}");
            let most = ROUNDS + u8::try_from(limits).expect("few");
            assert!(
                found.most_waits <= most + u8::from(is_dropped),
                "{found:?}: {sizes:?}, {wants:?}"
            );
            (cases, states) = (cases + 1, states + found.states);
        }
    }
    (cases, states)
}

/// Returns whether the larger cases are looked at too: some minutes in a release build.
fn looks_at_all() -> bool {
    std::env::var_os("ALL_SCHEDULES").is_some()
}

#[test]
fn no_schedule_of_two_limits_blocks_or_never_ends() {
    for failed in 0..=ROUNDS {
        let (cases, states) = explore_all(2, if looks_at_all() { 4 } else { 3 }, failed, false);
        println!("{failed} rounds have failed: {cases} cases, {states} states");
    }
}

#[test]
fn no_schedule_of_three_limits_blocks_or_never_ends() {
    for failed in 0..=ROUNDS {
        let (cases, states) = explore_all(3, if looks_at_all() { 3 } else { 2 }, failed, false);
        println!("{failed} rounds have failed: {cases} cases, {states} states");
    }
}

#[test]
fn three_calls_in_a_ring_end_on_each_schedule() {
    const RING: &[&[u8]] = &[&[0, 1], &[1, 2], &[0, 2]];
    for failed in if looks_at_all() { 0 } else { ROUNDS - 1 }..=ROUNDS {
        let found = explore(&Case { failed, ..Case::new(&[1, 1, 1], RING) });
        assert!(!found.has_circle);
        assert!(found.most_waits <= ROUNDS + 2, "{found:?}");
    }
}

#[test]
fn a_call_that_is_dropped_at_any_step_loses_no_permit() {
    for failed in [0, ROUNDS - 1, ROUNDS] {
        explore_all(2, if looks_at_all() { 3 } else { 2 }, failed, true);
    }
}

#[test]
#[should_panic = "calls wait for each other"]
fn without_the_common_order_calls_wait_for_each_other() {
    explore(&Case { failed: ROUNDS, ..Case::new(&[1, 1], &[&[0, 1], &[1, 0]]) });
}

/// Two limits of 1 permit that calls for one of them ask for without end. The first call wants both.
const BUSY: &[&[u8]] = &[&[0, 1], &[0], &[0], &[1], &[1]];

#[test]
fn a_call_waits_so_many_times_at_most_however_busy_the_limits_are() {
    let wants = if looks_at_all() { BUSY } else { &BUSY[..4] };
    let found = explore(&Case { comes_again: true, ..Case::new(&[1, 1], wants) });
    assert_eq!(found.most_waits, ROUNDS + 2);
}

#[test]
fn a_rule_that_never_holds_lets_a_call_wait_without_end() {
    let busy = Case { comes_again: true, never_holds: true, ..Case::new(&[1, 1], &BUSY[..4]) };
    assert_eq!(explore(&busy).most_waits, MANY, "it waits as often as is counted");
}

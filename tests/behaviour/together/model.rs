//! Random calls for one limiter and for several, beside a plain model of the documented rule.
//!
//! `STEPS=1000000 cargo test --release -p limit-tests --test behaviour together` takes a million steps.

use limit_runtime::{Limiter, acquire_all};
use limit_tests::figures::total;
use limit_tests::polling::waiter;
use std::cmp::Ordering::{Greater, Less};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio_test::task::{Spawn, spawn};

type Guard = Box<dyn Send>;
type Call<'a> = Spawn<Pin<Box<dyn Future<Output = Guard> + 'a>>>;

/// A limit as the documentation describes it.
struct Plain {
    limit: usize,
    /// The calls that have permits, claimed or not.
    out: Vec<usize>,
    queue: VecDeque<usize>,
    admitted: u64,
    cancelled: u64,
}

/// A call as the documentation describes it.
struct PlainCall {
    number: usize,
    /// In the common order.
    wants: Vec<usize>,
    failed: usize,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Asks,
    WaitsAt(usize),
    /// It holds so many, and waits for the next.
    Holds(usize),
    Runs,
}

impl Plain {
    fn is_free(&self) -> bool {
        self.queue.is_empty() && self.out.len() < self.limit
    }

    fn serve(&mut self) {
        while self.out.len() < self.limit {
            let Some(next) = self.queue.pop_front() else { return };
            self.out.push(next);
        }
    }

    fn join(&mut self, call: usize) {
        self.queue.push_back(call);
        self.serve();
    }

    fn leave(&mut self, call: usize) {
        self.queue.retain(|&waiting| waiting != call);
        self.out.retain(|&holder| holder != call);
        self.serve();
    }
}

impl PlainCall {
    fn poll(&mut self, limits: &mut [Plain]) -> bool {
        loop {
            let lacking = |at: Option<usize>, limits: &[Plain]| {
                let others = self.wants.iter().copied().filter(|&limit| Some(limit) != at);
                others.into_iter().find(|&limit| !limits[limit].is_free())
            };
            match self.stage {
                Stage::Asks => match lacking(None, limits) {
                    Some(lacking) => self.wait_at(lacking, limits),
                    None => return self.take_all(limits),
                },
                Stage::WaitsAt(at) => {
                    if !limits[at].out.contains(&self.number) {
                        return false;
                    }
                    let Some(lacking) = lacking(Some(at), limits) else {
                        return self.take_all(limits);
                    };
                    limits[at].leave(self.number);
                    self.failed += 1;
                    if self.failed < 3 {
                        self.wait_at(lacking, limits);
                    } else {
                        self.stage = Stage::Holds(0);
                        limits[self.wants[0]].join(self.number);
                    }
                }
                Stage::Holds(held) => {
                    let at = self.wants[held];
                    if !limits[at].out.contains(&self.number) {
                        return false;
                    }
                    limits[at].admitted += 1;
                    if held + 1 == self.wants.len() {
                        self.stage = Stage::Runs;
                        return true;
                    }
                    self.stage = Stage::Holds(held + 1);
                    limits[self.wants[held + 1]].join(self.number);
                }
                Stage::Runs => return true,
            }
        }
    }

    fn wait_at(&mut self, limit: usize, limits: &mut [Plain]) {
        self.stage = Stage::WaitsAt(limit);
        limits[limit].join(self.number);
    }

    fn take_all(&mut self, limits: &mut [Plain]) -> bool {
        for &limit in &self.wants {
            limits[limit].admitted += 1;
            if !limits[limit].out.contains(&self.number) {
                limits[limit].out.push(self.number);
            }
        }
        self.stage = Stage::Runs;
        true
    }

    /// Ends the call, whether it runs or not.
    fn end(&self, limits: &mut [Plain]) {
        match self.stage {
            Stage::WaitsAt(at) => limits[at].cancelled += 1,
            Stage::Holds(held) => limits[self.wants[held]].cancelled += 1,
            Stage::Asks | Stage::Runs => {}
        }
        // As the guard does: in the order in which the call has named them. The order makes no difference.
        for &limit in &self.wants {
            limits[limit].leave(self.number);
        }
    }
}

/// A generator of random numbers (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

fn steps() -> usize {
    std::env::var("STEPS").map_or(15_000, |steps| steps.parse().expect("a number"))
}

#[test]
fn any_calls_go_on_as_the_rule_says() {
    let per_case = 300;
    for case in 0..steps() / per_case {
        let mut random = Random(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(case as u64 + 1));
        run(&mut random, per_case, case);
    }
}

/// Returns whether one limiter is before another in the common order: a call that finds no permit free waits there.
fn is_before(one: &Limiter, other: &Limiter) -> bool {
    let all = |limiter: &Limiter| -> Vec<_> {
        std::iter::from_fn(|| limiter.try_acquire_many(1).ok()).collect()
    };
    let held = (all(one), all(other));
    let call = waiter(acquire_all((one, other)));
    let is_before = total(one).waiting == 1;
    drop((call, held));
    is_before
}

fn run(random: &mut Random, steps: usize, case: usize) {
    let count = 2 + random.below(3);
    let sizes: Vec<_> = (0..count).map(|_| 1 + random.below(2)).collect();
    let make = |&size: &usize| Limiter::new("together-model", size).claim_within(Duration::MAX);
    let mut limiters: Vec<_> = sizes.iter().map(make).collect();
    limiters.sort_by(|one, other| if is_before(one, other) { Less } else { Greater });
    let plain = |limiter: &Limiter| {
        let total = total(limiter);
        Plain {
            limit: total.limit,
            out: Vec::new(),
            queue: VecDeque::new(),
            admitted: total.admitted_at_once,
            cancelled: total.cancelled,
        }
    };
    let mut limits: Vec<_> = limiters.iter().map(plain).collect();
    let mut calls: Vec<(PlainCall, Option<Call<'_>>, Option<Guard>)> = Vec::new();
    for step in 0..steps {
        match random.below(8) {
            0..=2 if calls.len() < 12 => {
                let (plain, call) = begin(random, step, &limiters);
                calls.push((plain, Some(call), None));
                let last = calls.len() - 1;
                poll(&mut calls[last], &mut limits);
            }
            // Mostly the calls that were woken, in any order.
            3..=5 => {
                let woken = |call: &(PlainCall, Option<Call<'_>>, Option<Guard>)| {
                    call.1.as_ref().is_some_and(Spawn::is_woken)
                };
                let any = random.below(calls.len().max(1));
                let next = calls.iter().skip(any).position(woken).map_or(any, |next| next + any);
                if let Some(call) = calls.get_mut(next) {
                    poll(call, &mut limits);
                }
            }
            // A call ends, or is dropped.
            _ if !calls.is_empty() => {
                let ended = random.below(calls.len());
                if calls[ended].0.stage == Stage::Runs || random.below(4) == 0 {
                    let (plain, call, guard) = calls.swap_remove(ended);
                    drop(call);
                    drop(guard);
                    plain.end(&mut limits);
                }
            }
            _ => {}
        }
        for (limiter, plain) in limiters.iter().zip(&limits) {
            let total = total(limiter);
            let admitted = total.admitted_at_once + total.admitted_after_waiting;
            assert_eq!(
                (total.in_use, total.waiting, admitted, total.cancelled),
                (plain.out.len(), plain.queue.len(), plain.admitted, plain.cancelled),
                "case {case}, step {step}"
            );
        }
    }
    // All calls end in the end: at each turn one ends, or some are a step further.
    let mut turns = 0;
    while !calls.is_empty() {
        for call in &mut calls {
            poll(call, &mut limits);
        }
        let (ended, rest) = calls.into_iter().partition(|(plain, ..)| plain.stage == Stage::Runs);
        calls = rest;
        let ended: Vec<_> = ended;
        for (plain, call, guard) in ended {
            drop((call, guard));
            plain.end(&mut limits);
        }
        turns += 1;
        assert!(turns < 200, "case {case}: calls wait for each other");
    }
    for limiter in &limiters {
        assert_eq!((total(limiter).in_use, total(limiter).waiting), (0, 0), "case {case}");
    }
}

fn poll(call: &mut (PlainCall, Option<Call<'_>>, Option<Guard>), limits: &mut [Plain]) {
    let (plain, Some(future), guard) = (&mut call.0, &mut call.1, &mut call.2) else { return };
    let expected = plain.poll(limits);
    match future.poll() {
        Poll::Ready(permits) => {
            assert!(expected, "the call has its permits, and should wait");
            *guard = Some(permits);
            call.1 = None;
        }
        Poll::Pending => assert!(!expected, "the call waits, and should have its permits"),
    }
}

/// Begins a call for one limiter, or for some of them in any order.
fn begin<'a>(random: &mut Random, number: usize, limiters: &'a [Limiter]) -> (PlainCall, Call<'a>) {
    let mut named: Vec<usize> = (0..limiters.len()).collect();
    for last in (1..named.len()).rev() {
        named.swap(last, random.below(last + 1));
    }
    named.truncate(1 + random.below(named.len()));
    let all: Vec<&Limiter> = named.iter().map(|&limit| &limiters[limit]).collect();
    let future: Pin<Box<dyn Future<Output = Guard> + 'a>> = match *all.as_slice() {
        [a] => Box::pin(async move { Box::new(a.acquire().await) as Guard }),
        [a, b] => Box::pin(async move { Box::new(acquire_all((a, b)).await) as Guard }),
        [a, b, c] => Box::pin(async move { Box::new(acquire_all([a, b, c]).await) as Guard }),
        [a, b, c, d] => Box::pin(async move { Box::new(acquire_all((a, b, c, d)).await) as Guard }),
        _ => unreachable!("there are four at most"),
    };
    named.sort_unstable();
    let plain = PlainCall { number, wants: named, failed: 0, stage: Stage::Asks };
    (plain, spawn(future))
}

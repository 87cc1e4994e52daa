//! Random calls on a limiter with shares, and on the plain model of it. After each step both have served the same calls
//! in the same order.

use super::oracle::{Arrival, Oracle, Part};
use limit_runtime::{Acquire, InShare, Limiter, Permit, Rejected, RejectedKind, Share};
use limit_tests::random::Random;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

const SOME: &[Share] = &[
    Share::new("live", 60),
    Share::new("batch", 20).at_most(50),
    Share::new("probe", 10).reserved(),
];
const ALL: &[Share] = &[
    Share::new("one", 50).at_most(60),
    Share::new("two", 25).reserved(),
    Share::new("three", 25),
    Share::new("nothing", 0).at_most(10),
];
const RESERVED: &[Share] = &[Share::new("left", 70).reserved(), Share::new("right", 30).reserved()];
const SMALL: &[Share] = &[Share::new("tenth", 10), Share::new("fifth", 20), Share::new("more", 33)];

fn parts(shares: &[Share]) -> Vec<Part> {
    // Figures do not show these two parts of a share, so they stand here again.
    let (most, reserved): (&[u32], &[bool]) = match shares.len() {
        4 => (&[60, 100, 100, 10], &[false, true, false, false]),
        2 => (&[100, 100], &[true, true]),
        _ if shares[0].name() == "live" => (&[100, 50, 100], &[false, false, true]),
        _ => (&[100; 3], &[false; 3]),
    };
    let percents: &[u32] = match shares[0].name() {
        "live" => &[60, 20, 10],
        "one" => &[50, 25, 25, 0],
        "left" => &[70, 30],
        _ => &[10, 20, 33],
    };
    let rest =
        Part { percent: 100 - percents.iter().sum::<u32>(), at_most: 100, is_reserved: false };
    let part = |((&percent, &at_most), &is_reserved): ((&u32, &u32), &bool)| Part {
        percent,
        at_most,
        is_reserved,
    };
    percents.iter().zip(most).zip(reserved).map(part).chain([rest]).collect()
}

struct Noted(u32, Arc<Mutex<Vec<u32>>>);

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

type Call = Pin<Box<Acquire<'static, Rejected, InShare>>>;

struct Real {
    limiter: &'static Limiter<Rejected>,
    names: Vec<&'static str>,
    waiting: BTreeMap<u32, (usize, u32, Call)>,
    running: Vec<(usize, u32, Permit)>,
    woken: Arc<Mutex<Vec<u32>>>,
    next: u32,
}

impl Real {
    fn poll(&self, number: u32, call: &mut Call) -> Poll<Result<Permit, Rejected>> {
        let waker = Waker::from(Arc::new(Noted(number, Arc::clone(&self.woken))));
        call.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn come(&mut self, oracle: &mut Oracle, share: usize, weight: u32, waits: bool) {
        let number = self.next;
        self.next += 1;
        let arrival = oracle.come(number, share, weight, waits);
        let handle = self.limiter.share(self.names[share]);
        let result = if waits {
            let mut call: Call = Box::pin(handle.acquire().weight(weight));
            match self.poll(number, &mut call) {
                Poll::Pending => {
                    self.waiting.insert(number, (share, weight, call));
                    None
                }
                Poll::Ready(result) => Some(result),
            }
        } else {
            Some(handle.try_acquire_many(weight))
        };
        let found = match &result {
            None => Arrival::Waits,
            Some(Ok(_)) => Arrival::Admitted,
            Some(Err(rejected)) => match rejected.kind() {
                RejectedKind::NoPermits => Arrival::NoPermits,
                RejectedKind::QueueFull => Arrival::QueueFull,
                RejectedKind::TooHeavy => Arrival::TooHeavy,
                other => panic!("{other:?}"),
            },
        };
        assert_eq!(found, arrival, "call {number} of share {share}, weight {weight}: {oracle:#?}");
        if let Some(Ok(permit)) = result {
            self.running.push((share, weight, permit));
        }
    }

    /// Checks that the calls that were woken are those, in that order, and takes their results.
    fn settle(&mut self, served: &[u32], refused: &[u32], oracle: &Oracle) {
        let woken = std::mem::take(&mut *self.woken.lock().unwrap());
        let of = |numbers: &[u32]| -> Vec<u32> {
            woken.iter().copied().filter(|number| numbers.contains(number)).collect()
        };
        assert_eq!(of(served), served, "woken {woken:?}: {oracle:#?}");
        assert_eq!(woken.len(), served.len() + refused.len(), "woken {woken:?}: {oracle:#?}");
        for number in woken {
            let (share, weight, mut call) = self.waiting.remove(&number).expect("it waits");
            match self.poll(number, &mut call) {
                Poll::Ready(Ok(permit)) => self.running.push((share, weight, permit)),
                Poll::Ready(Err(rejected)) => {
                    assert_eq!(rejected.kind(), RejectedKind::TooHeavy);
                    assert!(refused.contains(&number));
                }
                Poll::Pending => panic!("call {number} was woken in vain"),
            }
        }
    }

    fn check(&self, oracle: &Oracle) {
        let shares = self.limiter.snapshot().shares;
        let guaranteed = oracle.guaranteed();
        for (share, figures) in shares.iter().enumerate() {
            let state = &oracle.states[share];
            let expected = (state.in_use as usize, state.queue.len(), guaranteed[share] as usize);
            let found = (figures.in_use, figures.waiting, figures.guaranteed);
            assert_eq!(found, expected, "{}: {oracle:#?}", figures.name);
            assert_eq!(figures.at_most, oracle.at_most(share) as usize);
        }
    }
}

fn run(seed: u64, shares: &'static [Share], steps: usize) {
    let mut random = Random::new(seed);
    let limit = 1 + random.below(12);
    let max_waiting = 1 + random.below(6) as usize;
    let limiter = Limiter::named(format!("shares-random-{seed}"), limit as usize)
        .max_waiting(max_waiting)
        .shares(shares);
    let limiter: &'static Limiter<Rejected> = Box::leak(Box::new(limiter));
    let names: Vec<_> = shares.iter().map(Share::name).chain(["rest"]).collect();
    let mut oracle = Oracle::new(parts(shares), limit, max_waiting);
    let mut real = Real {
        limiter,
        names,
        waiting: BTreeMap::new(),
        running: Vec::new(),
        woken: Arc::default(),
        next: 0,
    };
    let most_weight = 1 + random.below(4);
    for step in 0..steps {
        let mut refused = Vec::new();
        match random.below(20) {
            0..=9 => {
                let share = random.index(real.names.len());
                let weight = 1 + random.below(most_weight);
                let waits = random.below(4) > 0;
                real.come(&mut oracle, share, weight, waits);
            }
            10..=16 if !real.running.is_empty() => {
                let index = random.index(real.running.len());
                let (share, weight, permit) = real.running.swap_remove(index);
                oracle.release(share, weight);
                drop(permit);
            }
            17 if !real.waiting.is_empty() => {
                let index = random.index(real.waiting.len());
                let number = *real.waiting.keys().nth(index).expect("it is there");
                let (share, _, call) = real.waiting.remove(&number).expect("it is there");
                oracle.cancel(share, number);
                drop(call);
            }
            18 if random.below(10) == 0 => {
                let limit = random.below(13);
                refused = oracle.set_limit(limit);
                real.limiter.set_limit(limit as usize);
            }
            _ => {}
        }
        let served = oracle.serve();
        real.settle(&served, &refused, &oracle);
        if step % 50 == 0 {
            real.check(&oracle);
        }
    }
    // All come to an end.
    let refused = oracle.set_limit(12);
    real.limiter.set_limit(12);
    let served = oracle.serve();
    real.settle(&served, &refused, &oracle);
    while let Some((share, weight, permit)) = real.running.pop() {
        oracle.release(share, weight);
        drop(permit);
        let served = oracle.serve();
        real.settle(&served, &[], &oracle);
    }
    assert!(real.waiting.is_empty(), "calls wait and nobody runs: {oracle:#?}");
    real.check(&oracle);
}

#[test]
fn random_calls_are_served_as_the_plain_model_serves_them() {
    // A million steps take a minute in a debug build.
    let cases = std::env::var("CASES").map_or(50, |cases| cases.parse().expect("a number"));
    for case in 0..cases {
        for (shares, seed) in [SOME, ALL, RESERVED, SMALL].into_iter().zip(4 * case + 1..) {
            run(seed, shares, 500);
        }
    }
}

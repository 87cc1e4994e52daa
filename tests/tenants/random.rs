//! Random calls on a limiter with keys, and on the plain model of it. After each step both have served the same calls in
//! the same order.

use super::oracle::{Arrival, Bounds, Oracle};
use limit_runtime::{Acquire, Key, KeyedLimiter, Limiter, Order, Permit, Rejected, RejectedKind};
use limit_tests::random::Random;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

struct Noted(u32, Arc<Mutex<Vec<u32>>>);

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

type Call = Pin<Box<Acquire<'static, Rejected, Key<u32>>>>;

struct Real {
    limiter: &'static KeyedLimiter<Rejected>,
    waiting: BTreeMap<u32, (u32, u32, Call)>,
    running: Vec<(u32, u32, Permit)>,
    woken: Arc<Mutex<Vec<u32>>>,
    next: u32,
}

/// A call that comes.
#[derive(Clone, Copy, Debug)]
struct Comes {
    key: u32,
    weight: u32,
    waits: bool,
    key_weight: Option<u32>,
}

impl Real {
    fn poll(&self, number: u32, call: &mut Call) -> Poll<Result<Permit, Rejected>> {
        let waker = Waker::from(Arc::new(Noted(number, Arc::clone(&self.woken))));
        call.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// A call comes. Returns the calls that it puts out of the queue.
    fn come(&mut self, oracle: &mut Oracle, comes: Comes) -> Vec<u32> {
        let Comes { key, weight, waits, key_weight } = comes;
        let number = self.next;
        self.next += 1;
        let (arrival, evicted) = oracle.come(number, key, weight, waits, key_weight);
        let mut handle = self.limiter.key(key);
        if let Some(key_weight) = key_weight {
            handle = handle.key_weight(key_weight);
        }
        let result = if waits {
            let mut call: Call = Box::pin(handle.acquire().weight(weight));
            match self.poll(number, &mut call) {
                Poll::Pending => {
                    self.waiting.insert(number, (key, weight, call));
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
        assert_eq!(found, arrival, "call {number}, {comes:?}: {oracle:#?}");
        if let Some(Ok(permit)) = result {
            self.running.push((key, weight, permit));
        }
        evicted
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
            let (key, weight, mut call) = self.waiting.remove(&number).expect("it waits");
            match self.poll(number, &mut call) {
                Poll::Ready(Ok(permit)) => self.running.push((key, weight, permit)),
                Poll::Ready(Err(rejected)) => {
                    let kinds = [RejectedKind::TooHeavy, RejectedKind::Evicted];
                    assert!(kinds.contains(&rejected.kind()), "{rejected}");
                    assert!(refused.contains(&number));
                }
                Poll::Pending => panic!("call {number} was woken in vain"),
            }
        }
    }

    fn check(&self, oracle: &Oracle) {
        let figures = self.limiter.snapshot().total;
        let in_use: u32 = oracle.keys.values().map(|key| key.in_use).sum();
        assert_eq!((figures.in_use, figures.waiting), (in_use as usize, oracle.waiting()));
        let is_there = |key: &&super::oracle::Key| key.in_use > 0 || !key.queue.is_empty();
        assert_eq!(figures.keys, oracle.keys.values().filter(is_there).count());
    }
}

/// A change of a bound, of the oracle and of the real limiter.
type Change = Box<dyn Fn(&mut Oracle, Option<&Real>)>;

/// Returns a random change of a bound, for both.
fn change(random: &mut Random, bounds: Bounds) -> Change {
    match random.below(5) {
        3 | 4 => {
            let (key, limit) = (random.below(5), random.below(6));
            let limit = (limit < 5).then_some(limit);
            Box::new(move |oracle, real| {
                match limit {
                    Some(limit) => oracle.own.insert(key, limit),
                    None => oracle.own.remove(&key),
                };
                if let Some(real) = real {
                    let limit = limit.map(|limit| limit as usize);
                    real.limiter.set_key_limit(key, limit).expect("it has keys");
                }
            })
        }
        0 => {
            let limit = random.below(5);
            Box::new(move |oracle, real| {
                oracle.bounds.limit = limit;
                if let Some(real) = real {
                    real.limiter.set_limit(limit as usize);
                }
            })
        }
        1 => {
            let total = random.below(9);
            Box::new(move |oracle, real| {
                oracle.bounds.total = total;
                if let Some(real) = real {
                    real.limiter.set_total(total as usize);
                }
            })
        }
        _ => {
            let most = if bounds.max_waiting_total == usize::MAX || random.below(3) == 0 {
                random.index(9)
            } else {
                usize::MAX
            };
            Box::new(move |oracle, real| {
                oracle.bounds.max_waiting_total = most;
                if let Some(real) = real {
                    real.limiter.set_max_waiting_total(most);
                }
            })
        }
    }
}

fn run(seed: u64, steps: usize) {
    let mut random = Random::new(seed);
    let bounds = Bounds {
        limit: 1 + random.below(4),
        total: 1 + random.below(8),
        max_waiting: if random.below(2) == 0 { usize::MAX } else { 1 + random.index(3) },
        max_waiting_total: if random.below(3) == 0 { usize::MAX } else { 1 + random.index(9) },
        lifo: random.below(3) == 0,
    };
    let limiter = Limiter::named(format!("tenants-random-{seed}"), bounds.limit as usize)
        .order(if bounds.lifo { Order::Lifo } else { Order::Fifo })
        .max_waiting(bounds.max_waiting)
        .keyed()
        .max_waiting_total(bounds.max_waiting_total)
        .total(bounds.total as usize);
    let limiter: &'static KeyedLimiter<Rejected> = Box::leak(Box::new(limiter));
    let mut oracle = Oracle::new(bounds);
    let mut real = Real {
        limiter,
        waiting: BTreeMap::new(),
        running: Vec::new(),
        woken: Arc::default(),
        next: 0,
    };
    let most_weight = 1 + random.below(3);
    let most_key_weight = [0, 1, 3, 6][random.index(4)];
    for step in 0..steps {
        let mut refused = Vec::new();
        match random.below(20) {
            0..=9 => {
                let key = random.below(5);
                let weight = 1 + random.below(most_weight);
                let waits = random.below(5) > 0;
                let key_weight = match most_key_weight {
                    0 => None,
                    _ if random.below(4) == 0 => None,
                    // Mostly each key has the same weight.
                    most if random.below(3) == 0 => Some(1 + random.below(most)),
                    most => Some(1 + key % most),
                };
                refused = real.come(&mut oracle, Comes { key, weight, waits, key_weight });
            }
            10..=15 if !real.running.is_empty() => {
                let index = random.index(real.running.len());
                let (key, weight, permit) = real.running.swap_remove(index);
                oracle.release(key, weight);
                drop(permit);
            }
            16 if !real.waiting.is_empty() => {
                let index = random.index(real.waiting.len());
                let number = *real.waiting.keys().nth(index).expect("it is there");
                let (key, _, call) = real.waiting.remove(&number).expect("it is there");
                oracle.cancel(key, number);
                drop(call);
            }
            17 | 18 => {
                let change = change(&mut random, oracle.bounds);
                // The order of several keys that get a turn at the same moment is not promised.
                let mut trial = oracle.clone();
                trial.turns_given = 0;
                trial.change(|oracle| change(oracle, None));
                if trial.turns_given <= 1 {
                    refused = oracle.change(|oracle| change(oracle, Some(&real)));
                }
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
    limiter.reset();
    limiter.set_limit(usize::MAX);
    limiter.set_total(usize::MAX);
    real.woken.lock().unwrap().clear();
    for (number, (_, _, mut call)) in std::mem::take(&mut real.waiting) {
        assert!(real.poll(number, &mut call).is_ready(), "call {number} is served");
    }
    real.running.clear();
    let figures = limiter.snapshot().total;
    assert_eq!((figures.in_use, figures.waiting, figures.keys), (0, 0, 0));
}

#[test]
fn random_calls_of_keys_are_served_as_the_plain_model_serves_them() {
    // With 2,000 cases these are a million steps.
    let cases = std::env::var("CASES").map_or(100, |cases| cases.parse().expect("a number"));
    for seed in 1..=cases {
        run(seed, 500);
    }
}

//! Random calls on a limiter that sheds calls, and on the plain model of it. Whenever a call is polled, both have decided
//! the same about it.

use super::oracle::{Call, Fate, Oracle};
use limit_runtime::{KeyedLimiter, Limiter, Order, Permit, Rejected};
use limit_tests::random::Random;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::advance;

/// A limiter with one queue, or with one for each key.
enum Subject {
    Plain(Limiter<Rejected>),
    Keyed(KeyedLimiter<Rejected>),
}

type Pending = Pin<Box<dyn Future<Output = Result<Permit, Rejected>>>>;

impl Subject {
    fn call(&'static self, key: usize, call: Call) -> Pending {
        // Without a priority for a call of none, so that a list may stay one that is not ranked.
        macro_rules! with_options {
            ($acquire:expr) => {{
                let mut acquire = $acquire.weight(call.weight);
                if call.priority > 0 {
                    acquire = acquire.priority(call.priority);
                }
                match (call.waits, call.max_wait) {
                    (false, _) => Box::pin(acquire.max_wait(Duration::ZERO)),
                    (_, Some(most)) => Box::pin(acquire.max_wait(Duration::from_millis(most))),
                    _ => Box::pin(acquire),
                }
            }};
        }
        match self {
            Self::Plain(limiter) => with_options!(limiter.acquire()),
            Self::Keyed(limiter) => with_options!(limiter.key(key).acquire()),
        }
    }

    fn set_limit(&self, limit: u32) {
        match self {
            Self::Plain(limiter) => limiter.set_limit(limit as usize),
            Self::Keyed(limiter) => limiter.set_limit(limit as usize),
        }
    }

    fn set_max_waiting(&self, calls: usize) {
        match self {
            Self::Plain(limiter) => limiter.set_max_waiting(calls),
            Self::Keyed(limiter) => limiter.set_max_waiting(calls),
        }
    }

    fn in_use_and_waiting(&self) -> (usize, usize) {
        let total = match self {
            Self::Plain(limiter) => limiter.snapshot().total,
            Self::Keyed(limiter) => limiter.snapshot().total,
        };
        (total.in_use, total.waiting)
    }
}

struct Real {
    subject: &'static Subject,
    waiting: BTreeMap<u32, (usize, Call, Pending)>,
    running: Vec<(usize, u32, Permit)>,
}

impl Real {
    /// Polls a call. Returns its fate, and keeps its permit if it has one.
    fn poll(&mut self, key: usize, call: Call, mut pending: Pending) -> Fate {
        match pending.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => {
                self.waiting.insert(call.number, (key, call, pending));
                Fate::Waits
            }
            Poll::Ready(Ok(permit)) => {
                self.running.push((key, call.weight, permit));
                Fate::Admitted
            }
            Poll::Ready(Err(rejected)) => Fate::Refused(rejected.kind()),
        }
    }

    fn any_waiting(&self, random: &mut Random) -> u32 {
        *self.waiting.keys().nth(random.index(self.waiting.len())).expect("it is there")
    }

    fn check(&self, oracles: &[Oracle]) {
        let in_use = oracles.iter().map(Oracle::in_use).sum();
        let waiting = oracles.iter().map(Oracle::waiting).sum();
        assert_eq!(self.subject.in_use_and_waiting(), (in_use, waiting), "{oracles:#?}");
    }
}

async fn run(seed: u64, order: Order, keys: usize, steps: usize) {
    let mut random = Random::new(seed);
    let limit = 1 + random.below(5);
    let max_waiting = random.below(6) as usize;
    let is_ranked = random.below(2) == 0;
    let mut limiter =
        Limiter::named(format!("shedding-random-{seed}-{keys}-{order:?}"), limit as usize)
            .max_waiting(max_waiting)
            .claim_within(Duration::MAX)
            .order(order);
    if is_ranked {
        limiter = limiter.priority(0);
    }
    let subject = if keys == 1 { Subject::Plain(limiter) } else { Subject::Keyed(limiter.keyed()) };
    let subject: &'static Subject = Box::leak(Box::new(subject));
    let oracle = || {
        let oracle = Oracle::new(order, limit, max_waiting, is_ranked);
        if keys == 1 { oracle } else { oracle.of_key() }
    };
    let mut oracles: Vec<_> = (0..keys).map(|_| oracle()).collect();
    let mut real = Real { subject, waiting: BTreeMap::new(), running: Vec::new() };
    let (most_weight, most_priority) = (1 + random.below(3), 1 + random.below(4));
    let (mut next, mut now) = (0, 0);
    for _ in 0..steps {
        match random.below(20) {
            0..=8 => {
                let key = random.index(keys);
                let waits = random.below(8) > 0;
                let max_wait = (random.below(3) > 0).then(|| 1 + u64::from(random.below(3000)));
                let call = Call {
                    number: next,
                    weight: 1 + random.below(most_weight),
                    priority: random.below(most_priority).try_into().expect("few"),
                    max_wait,
                    waits,
                };
                next += 1;
                let expected = oracles[key].come(call, now);
                let found = real.poll(key, call, subject.call(key, call));
                assert_eq!(found, expected, "{call:?} at {now}: {:#?}", oracles[key]);
            }
            9..=13 if !real.running.is_empty() => {
                let index = random.index(real.running.len());
                let (key, weight, permit) = real.running.swap_remove(index);
                oracles[key].release(weight, now);
                drop(permit);
            }
            14..=16 if !real.waiting.is_empty() => {
                let number = real.any_waiting(&mut random);
                let (key, call, pending) = real.waiting.remove(&number).expect("it is there");
                let expected = oracles[key].poll(number, now);
                let found = real.poll(key, call, pending);
                assert_eq!(found, expected, "{call:?} at {now}: {:#?}", oracles[key]);
            }
            17 if !real.waiting.is_empty() => {
                let number = real.any_waiting(&mut random);
                let (key, call, pending) = real.waiting.remove(&number).expect("it is there");
                oracles[key].cancel(call, now);
                drop(pending);
            }
            18 if random.below(3) == 0 => {
                let limit = random.below(6);
                for oracle in &mut oracles {
                    oracle.set_limit(limit, now);
                }
                subject.set_limit(limit);
            }
            18 => {
                let max_waiting = random.below(6) as usize;
                for oracle in &mut oracles {
                    oracle.max_waiting = max_waiting;
                    oracle.serve(now);
                }
                subject.set_max_waiting(max_waiting);
            }
            _ => {
                let time = [1_u64, 10, 300, 1000][random.index(4)];
                now += time;
                advance(Duration::from_millis(time)).await;
            }
        }
        real.check(&oracles);
    }
    // All come to an end.
    for oracle in &mut oracles {
        oracle.set_limit(5, now);
    }
    subject.set_limit(5);
    while !(real.waiting.is_empty() && real.running.is_empty()) {
        while let Some((key, weight, permit)) = real.running.pop() {
            oracles[key].release(weight, now);
            drop(permit);
        }
        for (number, (key, call, pending)) in std::mem::take(&mut real.waiting) {
            let expected = oracles[key].poll(number, now);
            assert_eq!(real.poll(key, call, pending), expected, "{call:?}");
        }
        real.check(&oracles);
    }
}

#[tokio::test(start_paused = true)]
async fn random_calls_have_the_fate_that_the_plain_model_gives_them() {
    // With CASES=1000, a million steps, it takes some minutes in a debug build.
    let cases = std::env::var("CASES").map_or(30, |cases| cases.parse().expect("a number"));
    // The timers of calls are polled far more often than a task may without yielding.
    let all = async {
        for seed in 0..cases {
            for (keys, order) in
                [(1, Order::Fifo), (3, Order::Fifo), (1, Order::Deadline), (3, Order::Deadline)]
            {
                run(seed, order, keys, 500).await;
            }
        }
    };
    tokio::task::unconstrained(all).await;
}

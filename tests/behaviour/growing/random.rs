//! Random calls that grow and shrink, on a limiter and on the plain model of it. After each step both have served and
//! refused the same calls in the same order.

use super::growth::{Growth, growth};
use super::oracle::{Answer, Oracle};
use limit_runtime::{Acquire, Limiter, Order, Permit, Rejected, RejectedKind};
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

enum Waiting {
    Call(Pin<Box<Acquire<'static, Rejected>>>),
    Growth(Growth),
}

struct Real {
    limiter: &'static Limiter<Rejected>,
    waiting: BTreeMap<u32, Waiting>,
    running: Vec<Permit>,
    woken: Arc<Mutex<Vec<u32>>>,
    next: u32,
}

fn answer(rejected: &Rejected) -> Answer {
    match rejected.kind() {
        RejectedKind::NoPermits => Answer::NoPermits,
        RejectedKind::QueueFull => Answer::QueueFull,
        RejectedKind::TooHeavy => Answer::TooHeavy,
        RejectedKind::Deadlock => Answer::Deadlock,
        RejectedKind::Evicted => Answer::Evicted,
        other => panic!("{other:?}"),
    }
}

impl Real {
    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// Polls one that waits. Returns the answer. The permit is among those that run then.
    fn poll(&mut self, number: u32, mut waiting: Waiting) -> Answer {
        let waker = Waker::from(Arc::new(Noted(number, Arc::clone(&self.woken))));
        let context = &mut Context::from_waker(&waker);
        let (permit, answer) = match &mut waiting {
            Waiting::Call(call) => match call.as_mut().poll(context) {
                Poll::Pending => (None, Answer::Waits),
                Poll::Ready(Ok(permit)) => (Some(permit), Answer::Done),
                Poll::Ready(Err(rejected)) => (None, answer(&rejected)),
            },
            Waiting::Growth(growth) => match growth.poll(context) {
                Poll::Pending => (None, Answer::Waits),
                Poll::Ready((permit, result)) => {
                    let answer = result.map_or(Answer::Waits, |result| {
                        result.as_ref().err().map_or(Answer::Done, answer)
                    });
                    (Some(permit), answer)
                }
            },
        };
        if permit.is_none() && answer == Answer::Waits {
            self.waiting.insert(number, waiting);
        }
        self.running.extend(permit);
        answer
    }

    fn settle(&mut self, served: &[u32], refused: &[(u32, Answer)], oracle: &Oracle) {
        let woken = std::mem::take(&mut *self.woken.lock().unwrap());
        let found: Vec<_> =
            woken.iter().copied().filter(|number| served.contains(number)).collect();
        assert_eq!(found, served, "woken {woken:?}: {oracle:#?}");
        assert_eq!(woken.len(), served.len() + refused.len(), "woken {woken:?}: {oracle:#?}");
        for number in woken {
            let waiting = self.waiting.remove(&number).expect("it waits");
            let expected = refused.iter().find(|&&(of, _)| of == number);
            let expected = expected.map_or(Answer::Done, |&(_, answer)| answer);
            assert_eq!(self.poll(number, waiting), expected, "{number}: {oracle:#?}");
        }
    }

    fn check(&self, oracle: &Oracle) {
        let usage = self.limiter.snapshot().total;
        let expected = (oracle.in_use as usize, oracle.queue.len() + oracle.growers.len());
        assert_eq!((usage.in_use, usage.waiting), expected, "{oracle:#?}");
    }
}

fn run(seed: u64, steps: usize) {
    let mut random = Random::new(seed);
    let (limit, lifo) = (1 + random.below(9), random.below(3) == 0);
    let max_waiting = random.below(5) as usize;
    let limiter = Limiter::named(format!("growing-random-{seed}"), limit as usize)
        .max_waiting(max_waiting)
        .order(if lifo { Order::Lifo } else { Order::Fifo });
    let limiter: &'static Limiter<Rejected> = Box::leak(Box::new(limiter));
    let (queue, growers) = (Vec::new(), Vec::new());
    let mut oracle = Oracle { limit, in_use: 0, lifo, max_waiting, queue, growers };
    let (waiting, running, woken) = (BTreeMap::new(), Vec::new(), Arc::default());
    let mut real = Real { limiter, waiting, running, woken, next: 0 };
    for _ in 0..steps {
        let mut refused = Vec::new();
        match random.below(20) {
            0..=6 => {
                let (weight, waits) = (1 + random.below(4), random.below(4) > 0 && max_waiting > 0);
                let number = real.number();
                let (expected, evicted) = oracle.come(number, weight, waits);
                refused.extend(evicted.map(|number| (number, Answer::Evicted)));
                if waits {
                    let call = Waiting::Call(Box::pin(limiter.acquire().weight(weight)));
                    assert_eq!(real.poll(number, call), expected, "{oracle:#?}");
                } else {
                    let result = limiter.try_acquire_many(weight);
                    let found = result.as_ref().err().map_or(Answer::Done, answer);
                    assert_eq!(found, expected, "weight {weight}: {oracle:#?}");
                    real.running.extend(result.ok());
                }
            }
            7..=13 if !real.running.is_empty() => {
                let index = random.index(real.running.len());
                let mut permit = real.running.swap_remove(index);
                let (held, target) = (permit.weight(), 1 + random.below(8));
                let waits = random.below(4) > 0;
                let number = real.number();
                let expected = oracle.resize(number, held, target, waits);
                let found = if waits {
                    real.poll(number, Waiting::Growth(growth(permit, target)))
                } else {
                    let result = permit.try_resize(target);
                    assert_eq!(permit.weight(), if result.is_ok() { target } else { held });
                    real.running.push(permit);
                    result.as_ref().err().map_or(Answer::Done, answer)
                };
                assert_eq!(found, expected, "from {held} to {target}: {oracle:#?}");
            }
            14..=16 if !real.running.is_empty() => {
                let permit = real.running.swap_remove(random.index(real.running.len()));
                oracle.in_use -= permit.weight();
                drop(permit);
            }
            17 | 18 if !real.waiting.is_empty() => {
                let index = random.index(real.waiting.len());
                let number = *real.waiting.keys().nth(index).expect("it is there");
                oracle.cancel(number);
                match real.waiting.remove(&number).expect("it is there") {
                    Waiting::Call(call) => drop(call),
                    Waiting::Growth(growth) => real.running.push(growth.give_up()),
                }
            }
            19 if random.below(4) == 0 => {
                let limit = random.below(10);
                refused = oracle.set_limit(limit);
                limiter.set_limit(limit as usize);
            }
            _ => {}
        }
        let (served, stuck) = oracle.serve();
        refused.extend(stuck);
        real.settle(&served, &refused, &oracle);
        real.check(&oracle);
    }
    // All come to an end.
    let mut refused = oracle.set_limit(20);
    limiter.set_limit(20);
    loop {
        let (served, stuck) = oracle.serve();
        refused.extend(stuck);
        real.settle(&served, &refused, &oracle);
        real.check(&oracle);
        refused.clear();
        let Some(permit) = real.running.pop() else { break };
        oracle.in_use -= permit.weight();
        drop(permit);
    }
    assert!(real.waiting.is_empty(), "calls wait and nobody runs: {oracle:#?}");
    assert_eq!(oracle.in_use, 0);
}

#[test]
fn random_calls_that_grow_are_served_as_the_plain_model_serves_them() {
    // A million steps take a minute in a debug build: CASES=4000.
    let cases = std::env::var("CASES").map_or(200, |cases| cases.parse().expect("a number"));
    (1..=cases).for_each(|case| run(case, 250));
}

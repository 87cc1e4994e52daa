//! Random calls on a limiter with a ramp, and on the plain model of it. After each step both have served the same calls in
//! the same order.

use super::oracle::{Arrival, Oracle};
use limit_runtime::{Acquire, Limiter, Order, Permit, Rejected, RejectedKind};
use limit_tests::random::Random;
use limit_tests::runtimes::paused;
use std::collections::BTreeMap;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::advance;

struct Noted(u32, Arc<Mutex<Vec<u32>>>);

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

type Call = Pin<Box<Acquire<'static, Rejected>>>;

struct Real {
    limiter: &'static Limiter<Rejected>,
    waiting: BTreeMap<u32, (u32, Call)>,
    running: Vec<(u32, Permit)>,
    woken: Arc<Mutex<Vec<u32>>>,
    next: u32,
}

impl Real {
    fn poll(&self, number: u32, call: &mut Call) -> Poll<Result<Permit, Rejected>> {
        let waker = Waker::from(Arc::new(Noted(number, Arc::clone(&self.woken))));
        call.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// A call comes.
    fn come(&mut self, oracle: &mut Oracle, weight: u32, waits: bool) {
        let number = self.next;
        self.next += 1;
        let arrival = oracle.come(number, weight, waits);
        let result = if waits {
            let mut call: Call = Box::pin(self.limiter.acquire().weight(weight));
            match self.poll(number, &mut call) {
                Poll::Pending => {
                    self.waiting.insert(number, (weight, call));
                    None
                }
                Poll::Ready(result) => Some(result),
            }
        } else {
            Some(self.limiter.try_acquire_many(weight))
        };
        let found = match &result {
            None => Arrival::Waits,
            Some(Ok(_)) => Arrival::Admitted,
            Some(Err(rejected)) => match rejected.kind() {
                RejectedKind::NoPermits => Arrival::NoPermits,
                RejectedKind::TooHeavy => Arrival::TooHeavy,
                other => panic!("{other:?}"),
            },
        };
        assert_eq!(found, arrival, "call {number} of weight {weight}: {oracle:#?}");
        if let Some(Ok(permit)) = result {
            self.running.push((weight, permit));
        }
    }

    /// Checks that the calls that were woken are those, in that order, and takes their results.
    fn settle(&mut self, served: &[u32], refused: &[u32], oracle: &Oracle) {
        let woken = mem::take(&mut *self.woken.lock().unwrap());
        let is_served = |number: &&u32| served.contains(number);
        let those: Vec<_> = woken.iter().filter(is_served).copied().collect();
        assert_eq!(those, served, "woken {woken:?}: {oracle:#?}");
        assert_eq!(woken.len(), served.len() + refused.len(), "woken {woken:?}: {oracle:#?}");
        for number in woken {
            let (weight, mut call) = self.waiting.remove(&number).expect("it waits");
            match self.poll(number, &mut call) {
                Poll::Ready(Ok(permit)) => self.running.push((weight, permit)),
                Poll::Ready(Err(rejected)) => {
                    assert_eq!(rejected.kind(), RejectedKind::TooHeavy);
                    assert!(refused.contains(&number));
                }
                Poll::Pending => panic!("call {number} was woken in vain"),
            }
        }
    }

    fn check(&self, oracle: &Oracle) {
        let figures = self.limiter.snapshot().total;
        let found = (figures.in_use, figures.waiting, figures.withheld, figures.limit);
        let (in_use, withheld) = (oracle.in_use as usize, oracle.withheld() as usize);
        let expected = (in_use, oracle.queue.len(), withheld, oracle.limit as usize);
        assert_eq!(found, expected, "{oracle:#?}");
    }
}

/// Runs a schedule. Returns how often the ramp has started, and how many calls were served by time alone.
async fn run(seed: u64, steps: usize) -> (u32, u32) {
    let mut random = Random::new(seed);
    let limit = 1 + random.below(9);
    let longest = [10, 100, 5_000][random.index(3)];
    let takes = u64::from(1 + random.below(longest));
    let lifo = random.below(3) == 0;
    let limiter = Limiter::named(format!("ramp-random-{seed}"), limit as usize)
        .order(if lifo { Order::Lifo } else { Order::Fifo })
        .max_waiting(usize::MAX)
        .ramp(Duration::from_millis(takes));
    let limiter: &'static Limiter<Rejected> = Box::leak(Box::new(limiter));
    let mut oracle = Oracle::new(limit, takes, lifo);
    let mut real = Real {
        limiter,
        waiting: BTreeMap::new(),
        running: Vec::new(),
        woken: Arc::default(),
        next: 0,
    };
    let most_weight = 1 + random.below(3);
    // In some schedules the permits come back soon, so that there are rests.
    let releases = 2 + random.below(7);
    for step in 0..steps {
        let mut refused = Vec::new();
        let mut is_time = false;
        match random.below(20) {
            0..=6 => {
                let (weight, waits) = (1 + random.below(most_weight), random.below(5) > 0);
                real.come(&mut oracle, weight, waits);
            }
            step if step < 7 + releases && !real.running.is_empty() => {
                let index = random.index(real.running.len());
                let (weight, permit) = real.running.swap_remove(index);
                oracle.release(weight);
                drop(permit);
            }
            16 if !real.waiting.is_empty() => {
                let index = random.index(real.waiting.len());
                let number = *real.waiting.keys().nth(index).expect("it is there");
                let (_, call) = real.waiting.remove(&number).expect("it is there");
                oracle.cancel(number);
                drop(call);
            }
            17 => {
                let limit = random.below(10);
                refused = oracle.set_limit(limit);
                limiter.set_limit(limit as usize);
            }
            _ => {
                let most = [takes / 8, takes, 2 * takes][random.index(3)];
                let time = u64::from(random.below(u32::try_from(most).expect("short") + 1));
                oracle.pass(time);
                // Nothing but the ticker runs.
                advance(Duration::from_millis(time)).await;
                for _ in 0..3 {
                    yield_now().await;
                }
                is_time = true;
            }
        }
        let served = oracle.serve();
        if is_time {
            oracle.served_by_time += u32::try_from(served.len()).expect("few");
        }
        real.settle(&served, &refused, &oracle);
        if step % 10 == 0 {
            real.check(&oracle);
        }
    }
    // All come to an end.
    limiter.set_limit(usize::MAX);
    advance(Duration::from_millis(takes)).await;
    for _ in 0..20 {
        yield_now().await;
    }
    for (number, (_, mut call)) in mem::take(&mut real.waiting) {
        assert!(real.poll(number, &mut call).is_ready(), "call {number} is served");
    }
    real.running.clear();
    let figures = limiter.snapshot().total;
    assert_eq!((figures.in_use, figures.waiting), (0, 0));
    (oracle.starts, oracle.served_by_time)
}

#[test]
fn random_calls_are_let_in_as_the_plain_model_lets_them_in() {
    // With 2,000 cases these are a million steps.
    let cases = std::env::var("CASES").map_or(100, |cases| cases.parse().expect("a number"));
    let (mut starts, mut served) = (0, 0);
    for seed in 1..=cases {
        let (started, by_time) = paused().block_on(run(seed, 500));
        starts += started;
        served += by_time;
    }
    // The schedules reach what they are about.
    assert!(u64::from(starts) > 3 * cases && u64::from(served) > 2 * cases, "{starts}, {served}");
}

//! Operations at random, against a plain model.
//!
//! One thread; futures are polled by hand. The model is a queue and a few numbers; whatever it says
//! of who is woken, who gets in, and what is counted must be so.

mod plain;

use crate::support::assert_all_free;
use limit_runtime::{Limiter, Permit, Rejected, RejectedKind};
use plain::{Model, Operation, Outcome};
use proptest::test_runner::Config;
use proptest_state_machine::{StateMachineTest, prop_state_machine};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake};

prop_state_machine! {
    #![proptest_config(Config {
        failure_persistence: None,
        ..Config::with_cases(512)
    })]

    #[test]
    fn calls_in_any_order_do_what_the_model_does(sequential 1..120 => Real);
}

type Call = Pin<Box<dyn Future<Output = Result<Permit, Rejected>>>>;

/// The limiter, and what the model's calls and permits are in truth.
struct Real {
    limiter: Arc<Limiter>,
    calls: BTreeMap<u32, Call>,
    permits: BTreeMap<u32, Permit>,
    woken: Arc<Mutex<Vec<u32>>>,
}

/// Notes who was woken.
struct Noted {
    call: u32,
    woken: Arc<Mutex<Vec<u32>>>,
}

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap().push(self.call);
    }
}

impl Real {
    fn poll(&mut self, call: u32) -> Outcome {
        let waker = Arc::new(Noted { call, woken: Arc::clone(&self.woken) });
        let future = self.calls.get_mut(&call).expect("the model has it too");
        match future.as_mut().poll(&mut Context::from_waker(&waker.into())) {
            Poll::Pending => Outcome::Waits,
            Poll::Ready(Ok(permit)) => {
                self.calls.remove(&call);
                self.permits.insert(call, permit);
                Outcome::Admitted
            }
            Poll::Ready(Err(rejected)) => {
                self.calls.remove(&call);
                Outcome::of(rejected.kind())
            }
        }
    }

    fn try_acquire(&mut self, call: u32) -> Outcome {
        match self.limiter.try_acquire() {
            Ok(permit) => {
                self.permits.insert(call, permit);
                Outcome::Admitted
            }
            Err(rejected) => Outcome::of(rejected.kind()),
        }
    }

    fn perform(&mut self, operation: &Operation, new: u32) -> Outcome {
        match *operation {
            Operation::Call(weight) => {
                let limiter = Arc::clone(&self.limiter);
                let call = async move { limiter.acquire_many(weight).await };
                self.calls.insert(new, Box::pin(call));
            }
            Operation::CallForOne => {
                let limiter = Arc::clone(&self.limiter);
                let call = async move { Ok(limiter.acquire().await) };
                self.calls.insert(new, Box::pin(call));
            }
            Operation::Poll(call) => return self.poll(call),
            Operation::Drop(call) => drop(self.calls.remove(&call)),
            Operation::Release(call) => drop(self.permits.remove(&call)),
            Operation::SetLimit(limit) => self.limiter.set_limit(limit),
            Operation::TryAcquire => return self.try_acquire(new),
        }
        Outcome::Done
    }
}

impl Outcome {
    fn of(kind: RejectedKind) -> Self {
        match kind {
            RejectedKind::QueueFull => Self::QueueFull,
            RejectedKind::TooHeavy => Self::TooHeavy,
            _ => unreachable!("no other kind yet"),
        }
    }
}

impl StateMachineTest for Real {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(model: &Model) -> Self {
        Self {
            limiter: Arc::new(Limiter::new("model", model.limit)),
            calls: BTreeMap::new(),
            permits: BTreeMap::new(),
            woken: Arc::default(),
        }
    }

    fn apply(mut real: Self, model: &Model, operation: Operation) -> Self {
        let outcome = real.perform(&operation, model.newest);
        assert_eq!(outcome, model.outcome);
        assert_eq!(std::mem::take(&mut *real.woken.lock().unwrap()), model.woken);
        real
    }

    fn check_invariants(real: &Self, model: &Model) {
        let figures = real.limiter.snapshot().total;
        assert_eq!(figures.limit, model.limit);
        assert_eq!(figures.in_use, model.in_use);
        assert_eq!(figures.waiting, model.queue.len());
        assert_eq!(figures.most_waiting, model.most_waiting);
        assert_eq!(figures.admitted_at_once, model.admitted_at_once);
        assert_eq!(figures.admitted_after_waiting, model.admitted_after_waiting);
        assert_eq!(figures.wait.count, model.admitted_after_waiting);
        assert_eq!(figures.cancelled, model.cancelled);
        assert_eq!(figures.rejected.queue_full, model.queue_full);
        assert_eq!(figures.rejected.too_heavy, model.too_heavy);
        assert!(real.permits.keys().eq(model.holders.keys()));
    }

    fn teardown(mut real: Self, model: Model) {
        real.permits.clear();
        real.calls.clear();
        real.limiter.set_limit(model.limit);
        assert_all_free(&real.limiter);
    }
}

//! Operations at random, against a plain model.
//!
//! One thread; futures are polled by hand. The model is a queue and a few numbers; whatever it says
//! of who is woken, who gets in, and what is counted must be so.

mod keys;
mod plain;

use limit_runtime::{Figures, Limiter, Order, Permit, Rejected, RejectedKind};
use limit_tests::figures::{assert_all_free, total};
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

/// Whether its calls can be refused is in a limiter's type.
#[derive(Clone)]
enum Either {
    Infallible(Arc<Limiter>),
    Fallible(Arc<Limiter<Rejected>>),
}

/// The same for both.
macro_rules! either {
    ($either:expr, $limiter:ident => $body:expr) => {
        match $either {
            Either::Infallible($limiter) => $body,
            Either::Fallible($limiter) => $body,
        }
    };
}

impl Either {
    fn new(model: &Model) -> Self {
        let order = if model.policy.lifo { Order::Lifo } else { Order::Fifo };
        let limiter = Limiter::new("model", model.limit).order(order);
        match model.policy.max_waiting {
            None => Self::Infallible(Arc::new(limiter)),
            Some(calls) => Self::Fallible(Arc::new(limiter.max_waiting(calls))),
        }
    }

    async fn acquire(self) -> Result<Permit, Rejected> {
        match self {
            Self::Infallible(limiter) => Ok(limiter.acquire().await),
            Self::Fallible(limiter) => limiter.acquire().await,
        }
    }

    async fn acquire_many(self, weight: u32) -> Result<Permit, Rejected> {
        either!(self, limiter => limiter.acquire_many(weight).await)
    }

    fn try_acquire(&self) -> Result<Permit, Rejected> {
        either!(self, limiter => limiter.try_acquire())
    }

    fn set_limit(&self, limit: usize) {
        either!(self, limiter => limiter.set_limit(limit));
    }

    fn close(&self) {
        either!(self, limiter => limiter.close());
    }

    fn reopen(&self) {
        either!(self, limiter => limiter.reopen());
    }

    fn figures(&self) -> Figures {
        either!(self, limiter => total(limiter))
    }

    fn assert_all_free(&self) {
        either!(self, limiter => assert_all_free(limiter));
    }
}

/// The limiter, and what the model's calls and permits are in truth.
struct Real {
    limiter: Either,
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
                Outcome::Refused(rejected.kind())
            }
        }
    }

    fn try_acquire(&mut self, call: u32) -> Outcome {
        match self.limiter.try_acquire() {
            Ok(permit) => {
                self.permits.insert(call, permit);
                Outcome::Admitted
            }
            Err(rejected) => Outcome::Refused(rejected.kind()),
        }
    }

    fn perform(&mut self, operation: &Operation, new: u32) -> Outcome {
        match *operation {
            Operation::Call(weight) => {
                let call = self.limiter.clone().acquire_many(weight);
                self.calls.insert(new, Box::pin(call));
            }
            Operation::CallForOne => {
                self.calls.insert(new, Box::pin(self.limiter.clone().acquire()));
            }
            Operation::Poll(call) => return self.poll(call),
            Operation::Drop(call) => drop(self.calls.remove(&call)),
            Operation::Release(call) => drop(self.permits.remove(&call)),
            Operation::SetLimit(limit) => self.limiter.set_limit(limit),
            Operation::TryAcquire => return self.try_acquire(new),
            Operation::Close => self.limiter.close(),
            Operation::Reopen => self.limiter.reopen(),
        }
        Outcome::Done
    }
}

impl StateMachineTest for Real {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(model: &Model) -> Self {
        Self {
            limiter: Either::new(model),
            calls: BTreeMap::new(),
            permits: BTreeMap::new(),
            woken: Arc::default(),
        }
    }

    fn apply(mut real: Self, model: &Model, operation: Operation) -> Self {
        let outcome = real.perform(&operation, model.newest);
        assert_eq!(outcome, model.outcome);
        let woken = std::mem::take(&mut *real.woken.lock().unwrap());
        assert_eq!(woken, model.woken);
        real
    }

    fn check_invariants(real: &Self, model: &Model) {
        let figures = real.limiter.figures();
        assert_eq!(figures.limit, model.limit);
        assert_eq!(figures.in_use, model.in_use);
        assert_eq!(figures.waiting, model.queue.len());
        assert_eq!(figures.most_waiting, model.most_waiting);
        assert_eq!(figures.admitted_at_once, model.admitted_at_once);
        assert_eq!(figures.admitted_after_waiting, model.admitted_after_waiting);
        assert_eq!(figures.wait.count, model.admitted_after_waiting);
        assert_eq!(figures.cancelled, model.cancelled);
        for kind in RejectedKind::ALL {
            assert_eq!(figures.rejected.of(kind), model.refusals(kind), "{kind:?}");
        }
        assert!(real.permits.keys().eq(model.holders.keys()));
    }

    fn teardown(mut real: Self, model: Model) {
        real.permits.clear();
        real.calls.clear();
        real.limiter.set_limit(model.limit);
        real.limiter.reopen();
        real.limiter.assert_all_free();
    }
}

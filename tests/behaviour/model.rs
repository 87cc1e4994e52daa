//! Random operations on a limiter and on a model of it.
//!
//! One thread polls all futures by hand. After each operation limiter and model must agree on the
//! outcome, the woken calls and their order, and the figures.

mod keys;
mod ledger;
mod polled;
mod queue;

use limit_runtime::{Figures, Limiter, Order, Permit, Rejected, RejectedKind};
use limit_tests::figures::{assert_all_free, total};
use polled::Calls;
use proptest::test_runner::Config;
use proptest_state_machine::{StateMachineTest, prop_state_machine};
use queue::{Model, Operation, Outcome};
use std::sync::Arc;
use std::task::Poll;

prop_state_machine! {
    #![proptest_config(Config {
        failure_persistence: None,
        ..Config::with_cases(512)
    })]

    #[test]
    fn calls_in_any_order_do_what_the_model_does(sequential 1..120 => Real);
}

/// A limiter of either type: its calls can be refused or not.
#[derive(Clone)]
enum Either {
    Infallible(Arc<Limiter>),
    Fallible(Arc<Limiter<Rejected>>),
}

/// Evaluates the same expression for both types.
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
        match self {
            Self::Infallible(limiter) => {
                // A limiter has a handle from its first use on.
                drop(limiter.snapshot());
                let handle = limit_runtime::find(limiter.name()).expect("it is in use");
                handle.close().expect_err("its calls cannot be refused");
                assert!(!handle.is_closed());
            }
            Self::Fallible(limiter) => limiter.close(),
        }
    }

    fn reopen(&self) {
        match self {
            Self::Infallible(_) => {}
            Self::Fallible(limiter) => limiter.reopen(),
        }
    }

    fn figures(&self) -> Figures {
        either!(self, limiter => total(limiter))
    }

    fn assert_all_free(&self) {
        either!(self, limiter => assert_all_free(limiter));
    }
}

/// The limiter under test, and the model's calls and permits in reality.
struct Real {
    limiter: Either,
    calls: Calls,
}

/// Returns the outcome of a call that has ended.
fn outcome(result: Result<(), Rejected>) -> Outcome {
    match result {
        Ok(()) => Outcome::Admitted,
        Err(rejected) => Outcome::Refused(rejected.kind()),
    }
}

impl Real {
    fn perform(&mut self, operation: &Operation, new: u32) -> Outcome {
        match *operation {
            Operation::Call(weight) => {
                let call = self.limiter.clone().acquire_many(weight);
                self.calls.make(new, call);
            }
            Operation::CallForOne => {
                self.calls.make(new, self.limiter.clone().acquire());
            }
            Operation::Poll(call) => {
                return match self.calls.poll(call) {
                    Poll::Pending => Outcome::Waits,
                    Poll::Ready(result) => outcome(result),
                };
            }
            Operation::Drop(call) => self.calls.cancel(call),
            Operation::Release(call) => self.calls.release(call),
            Operation::SetLimit(limit) => self.limiter.set_limit(limit),
            Operation::TryAcquire => {
                return outcome(self.calls.keep(new, self.limiter.try_acquire()));
            }
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
        Self { limiter: Either::new(model), calls: Calls::default() }
    }

    fn apply(mut real: Self, model: &Model, operation: Operation) -> Self {
        let outcome = real.perform(&operation, model.ledger.newest);
        assert_eq!(outcome, model.outcome);
        assert_eq!(real.calls.take_woken(), model.ledger.woken);
        real
    }

    fn check_invariants(real: &Self, model: &Model) {
        let figures = real.limiter.figures();
        assert_eq!(figures.limit, model.limit);
        assert_eq!(figures.in_use, model.in_use);
        assert_eq!(figures.waiting, model.queue.len());
        assert_eq!(figures.most_waiting, model.most_waiting);
        assert_eq!(figures.admitted_at_once, model.ledger.admitted_at_once);
        assert_eq!(figures.admitted_after_waiting, model.ledger.admitted_after_waiting);
        assert_eq!(figures.wait.count, model.ledger.admitted_after_waiting);
        assert_eq!(figures.cancelled, model.ledger.cancelled);
        for &kind in RejectedKind::ALL {
            assert_eq!(figures.rejected.get(kind), model.refusals(kind), "{kind:?}");
        }
        assert!(real.calls.permits.keys().eq(model.ledger.holders.keys()));
    }

    fn teardown(mut real: Self, model: Model) {
        real.calls.clear();
        real.limiter.set_limit(model.limit);
        real.limiter.reopen();
        real.limiter.assert_all_free();
    }
}

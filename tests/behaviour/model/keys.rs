//! The same test for a limiter whose limit holds for each key, with a cap over all keys.

mod queues;

use super::polled::Calls;
use limit_runtime::{KeyedLimiter, Limiter, Rejected, RejectedKind};
use limit_tests::figures::total;

use proptest::test_runner::Config;
use proptest_state_machine::{StateMachineTest, prop_state_machine};
use queues::{Model, Operation, Outcome};
use std::sync::Arc;
use std::task::Poll;

prop_state_machine! {
    #![proptest_config(Config {
        failure_persistence: None,
        ..Config::with_cases(512)
    })]

    #[test]
    fn keyed_calls_in_any_order_do_what_the_model_does(sequential 1..150 => Real);
}

/// The limiter under test, and the model's calls and permits in reality.
struct Real {
    limiter: Arc<KeyedLimiter<Rejected>>,
    calls: Calls,
}

/// Returns the outcome of a call that has ended.
fn outcome(result: Result<(), Rejected>) -> Outcome {
    match result {
        Ok(()) => Outcome::Admitted,
        Err(rejected) => match rejected.kind() {
            kind @ (RejectedKind::NoPermits | RejectedKind::QueueFull) => {
                let (in_use, waiting) = (rejected.in_use(), rejected.waiting());
                Outcome::NoneFree { kind, in_use, waiting }
            }
            kind => Outcome::Refused(kind),
        },
    }
}

impl Real {
    fn perform(&mut self, operation: &Operation, new: u32) -> Outcome {
        match *operation {
            Operation::Call { key, weight } => {
                let limiter = Arc::clone(&self.limiter);
                let call = async move { limiter.key(key).acquire().weight(weight).await };
                self.calls.make(new, call);
            }
            Operation::TryAcquire(key) => {
                let result = self.limiter.key(key).try_acquire();
                return outcome(self.calls.keep(new, result));
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
            Operation::SetTotal(total) => self.limiter.set_total(total),
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
        let mut limiter =
            Limiter::new("model-keys", model.limit).max_waiting(model.max_waiting).keyed();
        if model.total < usize::MAX {
            limiter = limiter.total(model.total);
        }
        Self { limiter: Arc::new(limiter), calls: Calls::default() }
    }

    fn apply(mut real: Self, model: &Model, operation: Operation) -> Self {
        let outcome = real.perform(&operation, model.ledger.newest);
        assert_eq!(outcome, model.outcome);
        let mut woken = real.calls.take_woken();
        let mut expected = model.ledger.woken.clone();
        if operation.is_about_all_keys() {
            // The order of the keys is not promised.
            woken.sort_unstable();
            expected.sort_unstable();
        }
        assert_eq!(woken, expected);
        real
    }

    fn check_invariants(real: &Self, model: &Model) {
        let figures = total(&real.limiter);
        assert_eq!(figures.limit, model.limit);
        assert_eq!(figures.in_use, model.in_use());
        assert_eq!(figures.waiting, model.waiting());
        assert_eq!(figures.keys, model.keys_in_use());
        assert_eq!(figures.admitted_at_once, model.ledger.admitted_at_once);
        assert_eq!(figures.admitted_after_waiting, model.ledger.admitted_after_waiting);
        assert_eq!(figures.cancelled, model.ledger.cancelled);
        assert_eq!(figures.rejected.total(), model.refusals);
        assert!(real.calls.permits.keys().eq(model.ledger.holders.keys()));
    }

    fn teardown(mut real: Self, _: Model) {
        real.calls.clear();
        real.limiter.reopen();
        real.limiter.set_limit(2);
        real.limiter.set_total(3);
        let figures = total(&real.limiter);
        assert_eq!((figures.in_use, figures.waiting, figures.keys), (0, 0, 0));
        let take = |key: u32| real.limiter.key(key).try_acquire();
        let all = [take(0).unwrap(), take(0).unwrap(), take(1).unwrap()];
        assert!(take(0).is_err() && take(1).is_err() && take(2).is_err());
        drop(all);
    }
}

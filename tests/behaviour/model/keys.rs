//! The same of a limiter whose limit holds for each key, with a cap over all keys.

mod plain;

use super::{Call, Noted};
use limit_runtime::{KeyedLimiter, Limiter, Permit, Rejected, RejectedKind};
use limit_tests::figures::total;
use plain::{Model, Operation, Outcome};
use proptest::test_runner::Config;
use proptest_state_machine::{StateMachineTest, prop_state_machine};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

prop_state_machine! {
    #![proptest_config(Config {
        failure_persistence: None,
        ..Config::with_cases(512)
    })]

    #[test]
    fn keyed_calls_in_any_order_do_what_the_model_does(sequential 1..150 => Real);
}

/// The limiter, and what the model's calls and permits are in truth.
struct Real {
    limiter: Arc<KeyedLimiter<Rejected>>,
    calls: BTreeMap<u32, Call>,
    permits: BTreeMap<u32, Permit>,
    woken: Arc<Mutex<Vec<u32>>>,
}

impl Real {
    fn poll(&mut self, call: u32) -> Outcome {
        let waker = Arc::new(Noted { call, woken: Arc::clone(&self.woken) });
        let future = self.calls.get_mut(&call).expect("the model has it too");
        let result = match future.as_mut().poll(&mut Context::from_waker(&waker.into())) {
            Poll::Pending => return Outcome::Waits,
            Poll::Ready(result) => result,
        };
        self.calls.remove(&call);
        self.admit(call, result)
    }

    fn admit(&mut self, call: u32, result: Result<Permit, Rejected>) -> Outcome {
        match result {
            Ok(permit) => {
                self.permits.insert(call, permit);
                Outcome::Admitted
            }
            Err(rejected) if rejected.kind() == RejectedKind::QueueFull => {
                Outcome::Full { in_use: rejected.in_use(), waiting: rejected.waiting() }
            }
            Err(rejected) => Outcome::Refused(rejected.kind()),
        }
    }

    fn perform(&mut self, operation: &Operation, new: u32) -> Outcome {
        match *operation {
            Operation::Call { key, weight } => {
                let limiter = Arc::clone(&self.limiter);
                let call = async move { limiter.key(key).acquire().weight(weight).await };
                self.calls.insert(new, Box::pin(call));
            }
            Operation::TryAcquire(key) => {
                let result = self.limiter.key(key).try_acquire();
                return self.admit(new, result);
            }
            Operation::Poll(call) => return self.poll(call),
            Operation::Drop(call) => drop(self.calls.remove(&call)),
            Operation::Release(call) => drop(self.permits.remove(&call)),
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
        Self {
            limiter: Arc::new(limiter),
            calls: BTreeMap::new(),
            permits: BTreeMap::new(),
            woken: Arc::default(),
        }
    }

    fn apply(mut real: Self, model: &Model, operation: Operation) -> Self {
        let outcome = real.perform(&operation, model.newest);
        assert_eq!(outcome, model.outcome);
        let mut woken = std::mem::take(&mut *real.woken.lock().unwrap());
        let mut expected = model.woken.clone();
        if operation.is_about_all_keys() {
            // In which order keys are gone through is not promised.
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
        assert_eq!(figures.admitted_at_once, model.admitted_at_once);
        assert_eq!(figures.admitted_after_waiting, model.admitted_after_waiting);
        assert_eq!(figures.cancelled, model.cancelled);
        assert_eq!(figures.rejected.total(), model.refusals);
        assert!(real.permits.keys().eq(model.holders.keys()));
    }

    fn teardown(mut real: Self, _: Model) {
        real.permits.clear();
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

//! The time from when to when a permit is held.

use limit_runtime::{Limiter, Rejected, RejectedKind, concurrency_limit};
use limit_tests::figures::{assert_all_free, assert_figures};
use limit_tests::polling::{permit, served, waiter};
use limit_tests::runtimes::join;
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use tokio_test::{assert_ready, task};

/// Returns how a task ends. On the paused clock a task that never ends times out at once.
async fn ended<T>(task: JoinHandle<T>) -> Result<T, JoinError> {
    timeout(Duration::from_secs(1), task).await.expect("the task ends")
}

/// Returns whether the only permit of a limiter is out.
fn is_held(limiter: &Limiter) -> bool {
    limiter.try_acquire().is_err()
}

#[tokio::test]
async fn a_permit_is_free_again_after_return_and_error() {
    static LIMITER: Limiter = Limiter::new("life-return", 1);

    #[concurrency_limit(limiter = LIMITER)]
    async fn step(number: u8) -> Result<u8, String> {
        if number == 0 {
            return Ok(0);
        }
        let halved: u8 = number.to_string().repeat(2).parse().map_err(|_| "large")?;
        match halved {
            11 => Err("one".to_owned()),
            other => Ok(other),
        }
    }

    for _ in 0..3 {
        assert_eq!(step(0).await, Ok(0), "an early return");
        assert_eq!(step(2).await, Ok(22), "the last expression");
        assert_eq!(step(1).await, Err("one".to_owned()), "an error as value");
        assert_eq!(step(99).await, Err("large".to_owned()), "an error by `?`");
        assert_all_free(&LIMITER);
    }
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_free_again_after_a_panic() {
    static LIMITER: Limiter = Limiter::new("life-panic", 2);

    #[concurrency_limit(limiter = LIMITER)]
    async fn fail(at_once: bool) {
        if !at_once {
            tokio::task::yield_now().await;
        }
        panic!("meant to");
    }

    let panics: Vec<_> = (0..10).map(|n| tokio::spawn(fail(n % 2 == 0))).collect();
    for panicked in panics {
        assert!(ended(panicked).await.unwrap_err().is_panic());
    }
    let both = [permit(&LIMITER), permit(&LIMITER)];
    assert_figures(&LIMITER, 2, 0);
    drop(both);
    assert_all_free(&LIMITER);
}

#[tokio::test(start_paused = true)]
async fn a_panic_with_a_bare_permit_frees_it_too() {
    let limiter = Arc::new(Limiter::new("life-panic-bare", 2));
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move {
                let _permit = limiter.acquire_many(2).await;
                tokio::task::yield_now().await;
                panic!("meant to");
            })
        })
        .collect();
    for task in tasks {
        let result: Result<(), _> = ended(task).await;
        assert!(result.unwrap_err().is_panic());
    }
    assert_all_free(&limiter);
}

#[test]
fn a_future_dropped_in_the_middle_of_its_body_frees_its_permit() {
    static LIMITER: Limiter = Limiter::new("life-dropped", 1);

    #[concurrency_limit(limiter = LIMITER)]
    async fn stay() {
        pending::<()>().await;
    }

    let inside = waiter(stay());
    let mut next = waiter(LIMITER.acquire());
    drop(inside);
    drop(served(&mut next));
    assert_all_free(&LIMITER);
}

#[tokio::test(start_paused = true)]
async fn an_aborted_task_frees_its_permit() {
    #[concurrency_limit(1, name = "life-aborted")]
    async fn stay(ends: bool) {
        if !ends {
            pending::<()>().await;
        }
    }

    for _ in 0..10 {
        let task = tokio::spawn(stay(false));
        tokio::task::yield_now().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }
    ended(tokio::spawn(stay(true))).await.expect("the permit is free");
}

/// On its drop, notes whether the permit is out.
struct Witness<'a>(&'static Limiter, &'a RefCell<Vec<bool>>);

impl Witness<'_> {
    fn value(&self) -> usize {
        self.1.borrow().len()
    }
}

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        let held = is_held(self.0);
        self.1.borrow_mut().push(held);
    }
}

#[tokio::test]
async fn a_permit_is_held_while_the_last_expressions_temporaries_drop_and_not_after() {
    static LIMITER: Limiter = Limiter::new("life-temporaries", 1);

    #[concurrency_limit(limiter = LIMITER)]
    async fn body(log: &RefCell<Vec<bool>>) -> usize {
        let _local = Witness(&LIMITER, log);
        match Witness(&LIMITER, log).value() {
            0 => Witness(&LIMITER, log).value(),
            more => more,
        }
    }

    let log = RefCell::default();
    let length = body(&log).await;
    assert!(!is_held(&LIMITER), "the caller has the result, and the permit is back");
    assert_eq!(length, 0);
    assert_eq!(*log.borrow(), [true; 3], "held at the drop of each");
}

#[tokio::test]
async fn the_waiter_starts_only_after_the_holders_temporaries_are_gone() {
    static LIMITER: Limiter = Limiter::new("life-handed-on", 1);

    #[concurrency_limit(limiter = LIMITER)]
    async fn body(inside: &Cell<u32>) -> u32 {
        struct Leave<'a>(&'a Cell<u32>);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        assert_eq!(inside.get(), 0);
        inside.set(1);
        tokio::task::yield_now().await;
        Leave(inside).0.get()
    }

    let inside = Cell::new(0);
    tokio::join!(body(&inside), body(&inside), body(&inside));
    assert_all_free(&LIMITER);
}

#[test]
fn a_call_that_is_refused_has_not_run_its_body() {
    let limiter = Limiter::new("life-refused", 2);
    let ran = Cell::new(0);
    let attempt = |weight| {
        let (limiter, ran) = (&limiter, &ran);
        task::spawn(async move {
            let _permit = limiter.acquire_many(weight).await?;
            ran.set(ran.get() + 1);
            Ok::<_, Rejected>(())
        })
        .poll()
    };
    let at_once = || {
        let _permit = limiter.try_acquire()?;
        ran.set(ran.get() + 1);
        Ok::<_, Rejected>(())
    };

    assert!(attempt(2).is_ready() && at_once().is_ok());
    assert_eq!(ran.get(), 2);
    let _all = [permit(&limiter), permit(&limiter)];
    assert_eq!(at_once().unwrap_err().kind(), RejectedKind::NoPermits);
    let rejected = assert_ready!(attempt(3), "refused at once").unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::TooHeavy);
    assert_eq!(ran.get(), 2);
    assert_figures(&limiter, 2, 0);
}

#[tokio::test]
async fn a_permit_moved_into_another_task_is_held_until_that_ends() {
    let limiter = Limiter::new("life-moved", 1);
    let permit = limiter.acquire().await;
    let (end, until) = tokio::sync::oneshot::channel::<()>();
    let work = tokio::spawn(async move {
        let _permit = permit;
        until.await.expect("the test ends it");
    });
    tokio::task::yield_now().await;
    assert!(is_held(&limiter));
    end.send(()).expect("the task waits");
    join(vec![work]).await;
    assert_all_free(&limiter);
}

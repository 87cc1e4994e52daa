//! At most `limit` calls run at the same time.

use limit_runtime::{Limiter, concurrency_limit};
use limit_tests::figures::{assert_all_free, assert_figures};
use limit_tests::occupancy::Inside;
use limit_tests::polling::{assert_waits, permit, served, waiter};
use limit_tests::runtimes::{join, workers};
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::num::ParseIntError;
use std::sync::{Arc, Mutex};
use tokio::sync::{Barrier, oneshot};
use tokio_test::task;

#[test]
fn one_call_more_than_the_limit_starts_when_another_leaves() {
    static LIMITER: Limiter = Limiter::new("cap-one-more", 3);

    #[concurrency_limit(limiter = LIMITER)]
    async fn stay(started: &Cell<u32>, until: oneshot::Receiver<u32>) -> u32 {
        started.set(started.get() + 1);
        until.await.expect("the test says when to leave")
    }

    let started = Cell::new(0);
    let (mut leave, mut calls): (Vec<_>, Vec<_>) = (0..5)
        .map(|_| {
            let (leave, until) = oneshot::channel();
            (leave, waiter(stay(&started, until)))
        })
        .unzip();
    assert_eq!(started.get(), 3);
    assert_figures(&LIMITER, 3, 2);

    leave.remove(1).send(7).expect("the call is inside");
    assert_eq!(served(&mut calls.remove(1)), 7);
    assert!(calls[2].poll().is_pending());
    assert_eq!(started.get(), 4, "the fourth call has started");
    assert_waits(&mut calls[3]);
    assert_eq!(started.get(), 4, "the fifth has not");

    drop(calls);
    assert_all_free(&LIMITER);
}

#[test]
fn one_permit_more_than_the_limit_is_given_when_another_comes_back() {
    let limiter = Limiter::new("cap-one-more-permit", 3);
    let mut permits: Vec<_> = (0..3).map(|_| permit(&limiter)).collect();
    let mut fourth = waiter(limiter.acquire());
    drop(permits.remove(1));
    permits.push(served(&mut fourth));
    drop(waiter(limiter.acquire()));
    drop(permits);
    assert_all_free(&limiter);
}

/// Runs 1,000 calls on four workers. Each body waits until `limit` calls are inside: with fewer the
/// test would not end, and more would be counted.
async fn run_a_thousand<F>(limit: usize, call: impl Fn(Arc<Barrier>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let together = Arc::new(Barrier::new(limit));
    let tasks = (0..1000).map(|_| tokio::spawn(call(Arc::clone(&together)))).collect();
    join(tasks).await;
}

async fn be_inside(inside: &Inside, together: &Barrier) {
    let _inside = inside.enter();
    tokio::task::yield_now().await;
    together.wait().await;
    tokio::task::yield_now().await;
}

macro_rules! as_many_as_the_limit {
    ($($test:ident: $limit:literal, $name:literal;)*) => {$(
        #[test]
        fn $test() {
            static LIMITED: Inside = Inside::new();
            static INSIDE: Inside = Inside::new();
            static LIMITER: Limiter = Limiter::new($name, $limit);

            #[concurrency_limit($limit)]
            async fn limited(together: Arc<Barrier>) {
                be_inside(&LIMITED, &together).await;
            }

            workers(4).block_on(async {
                run_a_thousand($limit, limited).await;
                run_a_thousand($limit, |together| async move {
                    let _permit = LIMITER.acquire().await;
                    be_inside(&INSIDE, &together).await;
                })
                .await;
                assert_all_free(&LIMITER);
            });
            for inside in [&LIMITED, &INSIDE] {
                assert_eq!((inside.most(), inside.now()), ($limit, 0));
            }
        }
    )*};
}

as_many_as_the_limit! {
    on_four_threads_one_call_runs_at_once_at_limit_1: 1, "cap-threads-1";
    on_four_threads_four_calls_run_at_once_at_limit_4: 4, "cap-threads-4";
    on_four_threads_a_hundred_calls_run_at_once_at_limit_100: 100, "cap-threads-100";
}

#[tokio::test]
async fn at_limit_1_bodies_run_one_after_another_in_order_of_call() {
    #[concurrency_limit(1)]
    async fn body(log: Arc<Mutex<Vec<(u32, &'static str)>>>, call: u32) {
        log.lock().unwrap().push((call, "starts"));
        for _ in 0..call % 4 {
            tokio::task::yield_now().await;
        }
        log.lock().unwrap().push((call, "ends"));
    }

    let log = Arc::default();
    let tasks = (0..50).map(|call| tokio::spawn(body(Arc::clone(&log), call))).collect();
    join(tasks).await;
    let in_order: Vec<_> = (0..50).flat_map(|call| [(call, "starts"), (call, "ends")]).collect();
    assert_eq!(*log.lock().unwrap(), in_order);
}

#[derive(Debug, PartialEq)]
enum Mistake {
    Parse(ParseIntError),
    Odd(i64),
}

impl From<ParseIntError> for Mistake {
    fn from(error: ParseIntError) -> Self {
        Self::Parse(error)
    }
}

#[concurrency_limit(2)]
async fn halve(text: &str, seen: &mut Vec<String>) -> Result<i64, Mistake> {
    seen.push(text.to_owned());
    let number: i64 = text.parse()?;
    if number % 2 != 0 {
        return Err(Mistake::Odd(number));
    }
    Ok(number / 2)
}

#[concurrency_limit(2)]
async fn longest<'a, T: AsRef<str> + ?Sized>(
    texts: &[&'a T],
    (least, shown): (usize, &dyn fmt::Display),
) -> Option<(&'a T, String)> {
    let text = texts.iter().max_by_key(|text| text.as_ref().len())?;
    (text.as_ref().len() >= least).then(|| (*text, shown.to_string()))
}

#[tokio::test]
async fn arguments_values_and_errors_pass_through_unchanged() {
    let mut seen = Vec::new();
    assert_eq!(halve("84", &mut seen).await, Ok(42));
    assert_eq!(halve("7", &mut seen).await, Err(Mistake::Odd(7)));
    let parse = "x".parse::<i64>().unwrap_err();
    assert_eq!(halve("x", &mut seen).await, Err(Mistake::Parse(parse)));
    assert_eq!(seen, ["84", "7", "x"]);

    let found = longest(&["a", "ccc", "bb"], (2, &5)).await;
    assert_eq!(found, Some(("ccc", "5".to_owned())));
    assert_eq!(longest::<str>(&[], (0, &'x')).await, None);
}

#[test]
fn a_future_that_is_not_polled_has_taken_nothing() {
    static LIMITER: Limiter = Limiter::new("cap-not-polled", 2);

    #[concurrency_limit(limiter = LIMITER)]
    async fn limited(ran: &Cell<bool>) {
        ran.set(true);
    }

    let ran = Cell::new(false);
    let calls: Vec<_> = (0..5).map(|_| limited(&ran)).collect();
    let bare: Vec<_> = (0..5).map(|_| LIMITER.acquire()).collect();
    let heavy = LIMITER.acquire_many(2);
    assert!(limit_runtime::find("cap-not-polled").is_none(), "nothing is registered either");
    assert_all_free(&LIMITER);
    drop((calls, bare, heavy));
    assert!(!ran.get());
    assert_eq!(LIMITER.snapshot().total.cancelled, 0);
    assert_all_free(&LIMITER);

    assert!(task::spawn(limited(&ran)).poll().is_ready(), "the first poll takes a permit");
    assert!(ran.get());
}

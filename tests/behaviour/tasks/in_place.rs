//! `task::local`: futures that are not `Send`, or that borrow.

use super::{Work, ms};
use limit_runtime::task::{StreamExt, local};
use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn they_may_borrow_and_share_what_is_not_send() {
    let names = vec![String::from("Ann"), String::from("Bob"), String::from("Eve")];
    let order = RefCell::new(Vec::new());
    let greet = async |name: &String| {
        let rc = Rc::new(name.len());
        sleep(ms(5)).await;
        order.borrow_mut().push(name.clone());
        *rc
    };
    assert_eq!(local::map(2, &names, greet).ordered().collect::<Vec<_>>().await, [3, 3, 3]);
    assert_eq!(order.into_inner(), names);
    assert_eq!(local::gather(2, names.iter().map(async |name| name.len())).await, [3, 3, 3]);
}

#[tokio::test(start_paused = true)]
async fn the_limit_holds_and_is_made_use_of() {
    let (work, start) = (Work::default(), Instant::now());
    local::gather(3, (0..9).map(|_| work.clone().take(ms(10)))).await;
    assert_eq!((work.most(), work.ended()), (3, 9));
    assert_eq!(start.elapsed(), ms(30));
    let results = local::map(3, 0.., |_| work.clone().take(ms(10))).unordered();
    assert_eq!(results.take(30).count().await, 30);
    assert_eq!(work.most(), 3);
}

#[tokio::test(start_paused = true)]
async fn outputs_are_in_the_order_that_was_asked_for() {
    let nap = |time: u64| async move {
        sleep(ms(time)).await;
        time
    };
    let times = [30, 10, 20, 5];
    assert_eq!(local::gather(3, times.map(nap)).await, times);
    assert_eq!(local::map(3, times, nap).ordered().collect::<Vec<_>>().await, times);
    let completed = [10, 5, 20, 30];
    assert_eq!(local::map(3, times, nap).unordered().collect::<Vec<_>>().await, completed);
    assert_eq!(local::as_completed(3, times.map(nap)).collect::<Vec<_>>().await, completed);
}

#[tokio::test(start_paused = true)]
async fn the_first_error_ends_it_and_drops_the_others() {
    let work = Work::default();
    let attempt = |n| work.clone().attempt(n);
    assert_eq!(local::try_gather(4, (0..).map(attempt)).await, Err(2));
    let results: Vec<_> = local::try_map(4, 0.., attempt).ordered().collect().await;
    assert_eq!(results, [Ok(0), Ok(1), Err(2)]);
    let mut results = pin!(local::try_as_completed(4, (0..).map(attempt)));
    assert_eq!((results.next().await, results.next().await), (Some(Ok(3)), Some(Err(2))));
    assert_eq!(work.now(), 0, "the others are gone, with the stream still there");
}

#[tokio::test(start_paused = true)]
async fn they_stand_still_while_nobody_polls() {
    let work = Work::default();
    let mut results = pin!(local::map(3, 0..6, |_| work.clone().take(ms(10))).unordered());
    results.next().await.expect("six");
    let ended = work.ended();
    sleep(ms(1_000)).await;
    assert_eq!(work.ended(), ended, "this is what the documentation warns of");
}

#[test]
fn no_runtime_is_needed() {
    let lengths = local::gather(2, ["one", "three"].map(|word| async move { word.len() }));
    assert_eq!(futures::executor::block_on(lengths), [3, 5]);
}

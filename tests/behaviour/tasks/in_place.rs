//! `task::local`: futures that are not `Send`, or that borrow.

use super::{Work, ms};
use limit_runtime::task::local;
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
    assert_eq!(local::gather(2, names.iter().map(greet)).await, [3, 3, 3]);
    assert_eq!(order.into_inner(), names);
}

#[tokio::test(start_paused = true)]
async fn the_limit_holds_and_is_made_use_of() {
    let (work, start) = (Work::default(), Instant::now());
    local::gather(3, (0..9).map(|_| work.clone().take(ms(10)))).await;
    assert_eq!((work.most(), work.ended()), (3, 9));
    assert_eq!(start.elapsed(), ms(30));
}

#[tokio::test(start_paused = true)]
async fn outputs_are_in_the_order_of_the_input_whichever_is_there_first() {
    let nap = |time: u64| async move {
        sleep(ms(time)).await;
        time
    };
    let times = [30, 10, 20, 5];
    assert_eq!(local::gather(3, times.map(nap)).await, times);
}

#[tokio::test(start_paused = true)]
async fn the_first_error_ends_it_and_drops_the_others() {
    let work = Work::default();
    let attempt = |n| work.clone().attempt(n);
    let mut gathered = pin!(local::try_gather(4, (0..).map(attempt)));
    assert_eq!(gathered.as_mut().await, Err(2));
    assert_eq!(work.now(), 0, "the others are gone, with the future still there");
}

#[test]
fn no_runtime_is_needed() {
    let lengths = local::gather(2, ["one", "three"].map(|word| async move { word.len() }));
    assert_eq!(futures::executor::block_on(lengths), [3, 5]);
}

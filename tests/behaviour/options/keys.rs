//! Limits for each key.

use super::figures;
use limit_runtime::{KeyedLimiter, Limiter, Rejected, concurrency_limit};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::sleep;
use tokio_test::assert_ready;
use tokio_test::task;

const TICK: Duration = Duration::from_millis(10);

#[test]
fn a_busy_key_does_not_delay_another() {
    #[concurrency_limit(1, key = tenant, name = "options-keyed")]
    async fn limited(tenant: String) -> String {
        tokio::task::yield_now().await;
        tenant
    }

    let call = |tenant: &str| task::spawn(limited(String::from(tenant)));
    let (mut first, mut second, mut other) = (call("acme"), call("acme"), call("umbrella"));
    assert!(first.poll().is_pending() && second.poll().is_pending() && other.poll().is_pending());
    let total = figures("options-keyed");
    assert_eq!((total.in_use, total.waiting, total.keys), (2, 1, 2));
    assert_eq!(assert_ready!(other.poll()), "umbrella");
    assert_eq!(assert_ready!(first.poll()), "acme");
    assert!(second.is_woken());
    drop(second);
    assert_eq!(figures("options-keyed").keys, 0);
}

#[tokio::test(start_paused = true)]
async fn under_a_total_the_keys_are_served_in_turn() {
    #[concurrency_limit(9, key = *tenant, total = 1)]
    async fn limited(tenant: &&'static str, log: &RefCell<Vec<&'static str>>) {
        sleep(TICK).await;
        log.borrow_mut().push(*tenant);
    }

    let log = RefCell::default();
    tokio::join!(
        biased;
        limited(&"busy", &log),
        limited(&"busy", &log),
        limited(&"busy", &log),
        limited(&"busy", &log),
        limited(&"quiet", &log),
        limited(&"quiet", &log),
    );
    let log = log.into_inner();
    let place = |tenant| log.iter().rposition(|served| *served == tenant).unwrap();
    assert!(place("quiet") <= 4, "{log:?}");
    assert_eq!(log.len(), 6);
}

#[test]
fn a_key_of_several_arguments_leaves_them_to_the_body() {
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct User(u64);

    #[concurrency_limit(1, key = (tenant, user), max_waiting = 0)]
    async fn limited(tenant: String, user: User) -> Result<(String, u64), Rejected> {
        tokio::task::yield_now().await;
        Ok((tenant, user.0))
    }

    let call = |user| task::spawn(limited(String::from("acme"), User(user)));
    let (mut first, mut same, mut other) = (call(1), call(1), call(2));
    assert!(first.poll().is_pending());
    assert!(assert_ready!(same.poll()).is_err());
    assert!(other.poll().is_pending());
    assert_eq!(assert_ready!(first.poll()).unwrap(), (String::from("acme"), 1));
}

#[test]
fn a_lock_that_the_key_is_read_under_is_not_held_while_the_call_waits() {
    static LIMITER: KeyedLimiter = Limiter::new("options-locked", 1).keyed();

    #[concurrency_limit(limiter = LIMITER, key = users.lock().unwrap()[name])]
    async fn limited(users: &Mutex<HashMap<&'static str, u64>>, name: &str) {
        std::future::pending::<()>().await;
    }

    let users = Mutex::new(HashMap::from([("ann", 1), ("bob", 2)]));
    let mut calls = ["ann", "ann", "bob"].map(|name| task::spawn(limited(&users, name)));
    for call in &mut calls {
        assert!(call.poll().is_pending());
        assert!(users.try_lock().is_ok());
    }
    let total = LIMITER.snapshot().total;
    assert_eq!((total.in_use, total.waiting, total.keys), (2, 1, 2));
}

#[tokio::test]
async fn keys_used_once_leave_nothing_behind() {
    #[concurrency_limit(1, key = number, name = "options-once")]
    async fn limited(number: u64) {}

    for number in 0..10_000 {
        limited(number).await;
    }
    let total = figures("options-once");
    assert_eq!((total.admitted_at_once, total.keys), (10_000, 0));
}

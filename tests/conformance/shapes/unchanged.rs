//! Properties that the attribute must not change: `Send`-ness, size, the order of drops.

use crate::support::run;
use limit_runtime::{Limiter, concurrency_limit};
use std::cell::RefCell;
use std::mem::size_of_val;

fn assert_send<T: Send>(_: &T) {}

#[concurrency_limit(1)]
async fn generic<T>(value: T) -> T {
    tokio::task::yield_now().await;
    value
}

#[concurrency_limit(1)]
async fn locals_that_are_not_send() -> u8 {
    let number = {
        let shared = std::rc::Rc::new(1);
        *shared
    };
    tokio::task::yield_now().await;
    number
}

#[concurrency_limit(limiter = limiter)]
async fn generic_with_limiter<T>(limiter: &Limiter, value: T) -> T {
    tokio::task::yield_now().await;
    value
}

struct Shared(std::sync::Mutex<std::sync::Arc<Limiter>>);

impl Shared {
    #[concurrency_limit(limiter = self.0.lock().unwrap().clone())]
    async fn behind_a_lock(&self) -> bool {
        // The guard, which is not `Send`, is dropped before the await.
        self.0.try_lock().is_ok()
    }
}

#[test]
fn a_future_is_send_if_what_it_holds_is() {
    let limiter = Limiter::new("unchanged-send", 1);
    assert_send(&generic(1_u8));
    assert_send(&locals_that_are_not_send());
    assert_send(&generic_with_limiter(&limiter, 1_u8));
    let shared = Shared(std::sync::Mutex::new(std::sync::Arc::new(Limiter::new("shared", 1))));
    assert_send(&shared.behind_a_lock());
    run(async {
        // The future is not `Send`, and is accepted.
        assert_eq!(*generic(std::rc::Rc::new(1)).await, 1);
        assert_eq!(locals_that_are_not_send().await, 1);
        assert!(shared.behind_a_lock().await);
        assert_eq!(*generic_with_limiter(&limiter, std::rc::Rc::new(1)).await, 1);
    });
}

async fn large_plain(bytes: [u8; 4096]) -> u8 {
    tokio::task::yield_now().await;
    bytes[0]
}

#[concurrency_limit(1)]
async fn large_limited(bytes: [u8; 4096]) -> u8 {
    tokio::task::yield_now().await;
    bytes[0]
}

#[test]
fn a_large_argument_is_not_held_once_more() {
    let (plain, limited) = (large_plain([1; 4096]), large_limited([1; 4096]));
    assert!(size_of_val(&limited) < size_of_val(&plain) + 512);
    run(async {
        assert_eq!(Box::pin(plain).await, Box::pin(limited).await);
    });
}

/// Notes its drop.
struct Logged<'a>(&'static str, &'a RefCell<Vec<&'static str>>);

impl Logged<'_> {
    fn value(&self) -> u8 {
        self.1.borrow_mut().push("value");
        1
    }
}

impl Drop for Logged<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

type Log = RefCell<Vec<&'static str>>;

async fn drops_plain<'a>(log: &'a Log, _: Logged<'a>, _argument: Logged<'a>) -> u8 {
    let _first = Logged("first", log);
    let _second = Logged("second", log);
    let _ = Logged("ignored", log);
    Logged("temporary", log).value()
}

#[concurrency_limit(1)]
async fn drops_limited<'a>(log: &'a Log, _: Logged<'a>, _argument: Logged<'a>) -> u8 {
    let _first = Logged("first", log);
    let _second = Logged("second", log);
    let _ = Logged("ignored", log);
    Logged("temporary", log).value()
}

#[test]
fn locals_and_arguments_are_dropped_in_the_same_order() {
    let (plain, limited) = (Log::default(), Log::default());
    run(async {
        drops_plain(&plain, Logged("unnamed", &plain), Logged("argument", &plain)).await;
        drops_limited(&limited, Logged("unnamed", &limited), Logged("argument", &limited)).await;
    });
    let (plain, limited) = (plain.into_inner(), limited.into_inner());
    assert_eq!(plain, limited);
    assert!(plain.contains(&"temporary") && plain.ends_with(&["argument", "unnamed"]));
}

static HELD: Limiter = Limiter::new("unchanged-held", 1);

/// On its drop, notes whether the permit is out.
struct Witness<'a>(&'a RefCell<Vec<bool>>);

impl Witness<'_> {
    fn value(&self) -> usize {
        self.0.borrow().len()
    }
}

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        let held = HELD.try_acquire().is_err();
        self.0.borrow_mut().push(held);
    }
}

#[concurrency_limit(limiter = HELD)]
async fn witnessed(log: &RefCell<Vec<bool>>) -> usize {
    let _local = Witness(log);
    Witness(log).value()
}

#[test]
fn the_permit_is_held_until_locals_and_temporaries_are_dropped() {
    let log = RefCell::default();
    run(async {
        assert_eq!(witnessed(&log).await, 0);
        assert!(HELD.try_acquire().is_ok());
    });
    assert_eq!(log.into_inner(), [true, true]);
}

//! Functions and methods that share permits, and those that do not.

mod scope;

use limit_runtime::{Limiter, concurrency_limit};
use limit_tests::occupancy::Inside;
use limit_tests::polling::{assert_waits, served, waiter};
use std::future::pending;
use tokio_test::task::{self, Spawn};

/// Stays inside until it is dropped.
async fn stay(inside: &Inside) {
    let _inside = inside.enter();
    pending::<()>().await;
}

/// Starts a call whose body does not end.
#[track_caller]
fn holder<F: Future<Output = ()>>(future: F, inside: &Inside) -> Spawn<F> {
    let before = inside.now();
    let mut call = task::spawn(future);
    assert!(call.poll().is_pending(), "the body does not end");
    assert_eq!(inside.now(), before + 1, "the body has started");
    call
}

/// Asserts that a waiter has been handed a permit, and starts the body of its call.
#[track_caller]
fn assert_enters<F: Future<Output = ()>>(call: &mut Spawn<F>, inside: &Inside) {
    assert!(call.is_woken(), "the waiter was woken");
    let before = inside.now();
    assert!(call.poll().is_pending(), "the body does not end");
    assert_eq!(inside.now(), before + 1, "the body has started");
}

#[test]
fn two_annotated_functions_never_share() {
    #[concurrency_limit(1)]
    async fn left(inside: &Inside) {
        stay(inside).await;
    }
    #[concurrency_limit(1)]
    async fn right(inside: &Inside) {
        stay(inside).await;
    }

    let inside = Inside::new();
    let of_left = holder(left(&inside), &inside);
    let mut next_left = waiter(left(&inside));
    let of_right = holder(right(&inside), &inside);
    let mut next_right = waiter(right(&inside));

    drop(of_left);
    assert_enters(&mut next_left, &inside);
    assert_waits(&mut next_right);
    drop(of_right);
    assert_enters(&mut next_right, &inside);
}

#[test]
fn two_functions_of_one_name_in_two_modules_never_share() {
    mod one {
        #[limit_runtime::concurrency_limit(1)]
        pub(super) async fn get(inside: &super::Inside) {
            super::stay(inside).await;
        }
    }
    mod other {
        #[limit_runtime::concurrency_limit(1)]
        pub(super) async fn get(inside: &super::Inside) {
            super::stay(inside).await;
        }
    }

    let inside = Inside::new();
    let _one = holder(one::get(&inside), &inside);
    let _other = holder(other::get(&inside), &inside);
    assert_eq!(inside.now(), 2);
}

#[test]
fn two_functions_naming_one_limiter_share_its_permits_and_queue() {
    static STORE: Limiter = Limiter::new("sharing store", 2);

    #[concurrency_limit(limiter = STORE)]
    async fn read(inside: &Inside) {
        stay(inside).await;
    }
    #[concurrency_limit(limiter = STORE)]
    async fn write(inside: &Inside) {
        stay(inside).await;
    }

    let inside = Inside::new();
    let first = holder(read(&inside), &inside);
    let second = holder(write(&inside), &inside);
    let mut third = waiter(write(&inside));
    let mut fourth = waiter(read(&inside));
    let mut fifth = waiter(STORE.acquire());
    assert_eq!(STORE.snapshot().total.waiting, 3, "in one queue");

    drop(second);
    assert_enters(&mut third, &inside);
    assert_waits(&mut fourth);
    drop(first);
    assert_enters(&mut fourth, &inside);
    assert_waits(&mut fifth);
    drop(third);
    drop(served(&mut fifth));
    assert_eq!(inside.most(), 2);
}

#[test]
fn a_method_on_two_instances_shares() {
    struct Client(u32);

    impl Client {
        #[concurrency_limit(1, name = "sharing client")]
        async fn get(&self, inside: &Inside) {
            let _ = self.0;
            stay(inside).await;
        }
    }

    let (one, other) = (Client(1), Client(2));
    let inside = Inside::new();
    let of_one = holder(one.get(&inside), &inside);
    let mut of_other = waiter(other.get(&inside));
    drop(of_one);
    assert_enters(&mut of_other, &inside);
}

#[test]
fn a_limiter_held_in_self_is_for_each_instance() {
    struct Client {
        limiter: Limiter,
    }

    impl Client {
        #[concurrency_limit(limiter = self.limiter)]
        async fn get(&self, inside: &Inside) {
            stay(inside).await;
        }

        #[concurrency_limit(limiter = self.limiter)]
        async fn put(&mut self, inside: &Inside) {
            stay(inside).await;
        }
    }

    let client = |name| Client { limiter: Limiter::named(name, 1) };
    let (one, mut other) = (client("sharing one"), client("sharing other"));
    let inside = Inside::new();
    let of_one = holder(one.get(&inside), &inside);
    let mut next_of_one = waiter(one.get(&inside));
    let of_other = holder(other.put(&inside), &inside);

    drop(of_other);
    assert_waits(&mut next_of_one);
    drop(of_one);
    assert_enters(&mut next_of_one, &inside);
}

#[test]
fn a_generic_function_shares_over_all_instantiations() {
    #[concurrency_limit(1)]
    async fn send<T: Clone, const N: usize>(items: [T; N], inside: &Inside) {
        let _items = items.clone();
        stay(inside).await;
    }
    #[concurrency_limit(1)]
    async fn show(item: impl ToString, inside: &Inside) {
        let _item = item.to_string();
        stay(inside).await;
    }

    let inside = Inside::new();
    let numbers = holder(send([1_u8, 2], &inside), &inside);
    let mut more_numbers = waiter(send([1_u8, 2, 3], &inside));
    let mut words = waiter(send(["a", "b"], &inside));
    drop(numbers);
    assert_enters(&mut more_numbers, &inside);
    assert_waits(&mut words);
    drop(more_numbers);
    assert_enters(&mut words, &inside);

    let number = holder(show(1, &inside), &inside);
    let mut word = waiter(show("a", &inside));
    drop(number);
    assert_enters(&mut word, &inside);
}

#[test]
fn a_method_of_a_generic_type_shares_over_all_its_types() {
    struct Pool<T>(T);

    impl<T> Pool<T> {
        #[concurrency_limit(1, name = "sharing pool")]
        async fn take(&self, inside: &Inside) {
            let _ = &self.0;
            stay(inside).await;
        }
    }

    let (numbers, words) = (Pool(1), Pool("a"));
    let inside = Inside::new();
    let number = holder(numbers.take(&inside), &inside);
    let mut word = waiter(words.take(&inside));
    drop(number);
    assert_enters(&mut word, &inside);
}

/// All implementors share the permits of a default method. A type with its own method does not
/// share.
trait Fetch {
    #[concurrency_limit(1, name = "sharing fetch")]
    async fn fetch(&self, inside: &Inside) {
        stay(inside).await;
    }
}

#[test]
fn a_default_method_shares_over_all_implementors_that_keep_it() {
    struct Http;
    struct Ftp;
    struct File;
    impl Fetch for Http {}
    impl Fetch for Ftp {}
    impl Fetch for File {
        #[concurrency_limit(1, name = "sharing fetch of files")]
        async fn fetch(&self, inside: &Inside) {
            stay(inside).await;
        }
    }

    let inside = Inside::new();
    let http = holder(Http.fetch(&inside), &inside);
    let mut ftp = waiter(Ftp.fetch(&inside));
    let _file = holder(File.fetch(&inside), &inside);
    drop(http);
    assert_enters(&mut ftp, &inside);
}

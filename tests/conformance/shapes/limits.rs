//! Expressions that a limit and the options beside it may be.

use crate::support::{assert_limited, run};
use limit_runtime::{Limiter, Scope, concurrency_limit};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const CONST: usize = 2;

mod config {
    pub(crate) const LIMIT: usize = 2;

    pub(crate) struct Config {
        pub(crate) max_downloads: usize,
    }

    pub(crate) fn config() -> Config {
        Config { max_downloads: 2 }
    }
}

struct Numbers;

impl Numbers {
    const LIMIT: usize = 2;
}

#[concurrency_limit(CONST)]
async fn constant() -> u8 {
    1
}

#[concurrency_limit(config::LIMIT)]
async fn path() -> u8 {
    2
}

#[concurrency_limit(Numbers::LIMIT)]
async fn associated_constant() -> u8 {
    3
}

#[concurrency_limit(config::config().max_downloads)]
async fn call() -> u8 {
    4
}

#[concurrency_limit((CONST + 1) * 2)]
async fn arithmetic() -> u8 {
    5
}

#[concurrency_limit({ let per_core = 2; per_core * CONST })]
async fn block() -> u8 {
    6
}

#[concurrency_limit(if cfg!(debug_assertions) { 1 } else { 2 })]
async fn choice() -> u8 {
    7
}

#[concurrency_limit(usize::MAX)]
async fn greatest() -> u8 {
    8
}

#[concurrency_limit(3usize)]
async fn suffix() -> u8 {
    9
}

#[concurrency_limit((1_000_000))]
async fn digits() -> u8 {
    10
}

#[concurrency_limit(0x10, name = "limits-named", scope = process, env = "LIMIT_CONFORMANCE_UNSET")]
async fn all_options() -> u8 {
    11
}

#[concurrency_limit(3, env = "LIMIT_CONFORMANCE_UNSET", scope = runtime, name = concat!("a", "b"),)]
async fn other_order() -> u8 {
    12
}

static EVALUATED: AtomicUsize = AtomicUsize::new(0);

fn counted() -> usize {
    EVALUATED.fetch_add(1, Ordering::Relaxed);
    4
}

#[concurrency_limit(counted())]
async fn evaluated_once() -> u8 {
    13
}

static SHARED: Limiter = Limiter::new("limits-shared", 2).scope(Scope::Process);

#[concurrency_limit(limiter = SHARED)]
async fn shared() -> u8 {
    14
}

#[concurrency_limit(limiter = &SHARED)]
async fn shared_by_reference() -> u8 {
    15
}

struct Client {
    own: Limiter,
    boxed: Box<Limiter>,
    counted: Arc<Limiter>,
}

impl Client {
    fn limiter(&self) -> &Limiter {
        &self.own
    }

    fn made(&self) -> Arc<Limiter> {
        Arc::clone(&self.counted)
    }

    #[concurrency_limit(limiter = self.own)]
    async fn field(&self) -> u8 {
        16
    }

    #[concurrency_limit(limiter = self.boxed)]
    async fn boxed_field(&mut self) -> u8 {
        17
    }

    #[concurrency_limit(limiter = self.counted)]
    async fn counted_field(self: Arc<Self>) -> u8 {
        18
    }

    #[concurrency_limit(limiter = self.limiter())]
    async fn method(&self) -> u8 {
        19
    }

    #[concurrency_limit(limiter = self.made())]
    async fn temporary(&self) -> u8 {
        20
    }

    #[concurrency_limit(limiter = self.own)]
    async fn field_of_a_value(self) -> u8 {
        21
    }

    #[concurrency_limit(limiter = if self.limiter().limit() > Some(9) { &*self.boxed } else { &self.own })]
    async fn choice(&self) -> u8 {
        29
    }

    #[concurrency_limit(limiter = { self.limiter() })]
    async fn block(&self) -> u8 {
        22
    }
}

#[concurrency_limit(limiter = limiter)]
async fn argument(limiter: &Limiter) -> u8 {
    23
}

#[concurrency_limit(3, crate = renamed)]
async fn renamed_crate() -> u8 {
    24
}

#[concurrency_limit(limiter = SHARED, crate = ::limit_runtime)]
async fn absolute_crate() -> u8 {
    25
}

mod reexported {
    pub(crate) use limit_runtime as limits;
}

#[concurrency_limit(CONST, scope = process, crate = self::reexported::limits)]
async fn reexported_crate() -> u8 {
    26
}

#[concurrency_limit(3)]
#[concurrency_limit(limiter = SHARED)]
async fn twice() -> u8 {
    27
}

#[concurrency_limit(3)]
#[concurrency_limit(CONST)]
#[concurrency_limit(1)]
fn thrice() -> impl std::future::Future<Output = u8> {
    async move { 28 }
}

#[test]
fn limits_of_every_form_let_a_call_in() {
    run(async {
        assert_eq!(constant().await, 1);
        assert_eq!(path().await, 2);
        assert_eq!(associated_constant().await, 3);
        assert_eq!(call().await, 4);
        assert_eq!(arithmetic().await, 5);
        assert_eq!(block().await, 6);
        assert_eq!(choice().await, 7);
        assert_eq!(greatest().await, 8);
        assert_eq!(suffix().await, 9);
        assert_eq!(digits().await, 10);
        assert_eq!(all_options().await, 11);
        assert_eq!(other_order().await, 12);
        assert_eq!(renamed_crate().await, 24);
        assert_eq!(reexported_crate().await, 26);
        assert_eq!(twice().await, 27);
        assert_eq!(thrice().await, 28);
    });
    let functions = [
        "constant",
        "path",
        "associated_constant",
        "call",
        "arithmetic",
        "block",
        "choice",
        "greatest",
        "suffix",
        "digits",
        "renamed_crate",
        "reexported_crate",
    ];
    assert_limited(module_path!(), &functions);
}

#[test]
fn an_existing_limiter_lets_a_call_in_however_it_is_named() {
    run(async {
        assert_eq!(shared().await, 14);
        assert_eq!(shared_by_reference().await, 15);
        let limiter = Limiter::new("limits-argument", 1);
        assert_eq!(argument(&limiter).await, 23);
        assert_eq!(absolute_crate().await, 25);
        let mut client = Client {
            own: limiter,
            boxed: Box::new(Limiter::new("limits-boxed", 1)),
            counted: Arc::new(Limiter::new("limits-counted", 1)),
        };
        assert_eq!(client.field().await, 16);
        assert_eq!(client.boxed_field().await, 17);
        assert_eq!(client.method().await, 19);
        assert_eq!(client.temporary().await, 20);
        assert_eq!(client.block().await, 22);
        assert_eq!(client.choice().await, 29);
        let client = Arc::new(client);
        assert_eq!(Arc::clone(&client).counted_field().await, 18);
        let client = Arc::try_unwrap(client).map_err(|_| "shared").expect("no other reference");
        assert_eq!(client.field_of_a_value().await, 21);
    });
}

#[test]
fn the_limit_is_evaluated_once_for_all_calls() {
    run(async {
        for _ in 0..3 {
            assert_eq!(evaluated_once().await, 13);
        }
    });
    assert_eq!(EVALUATED.load(Ordering::Relaxed), 1);
}

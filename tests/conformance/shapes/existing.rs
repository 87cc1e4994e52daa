//! Existing limiters from all places that they may come from.

use crate::support::run;
use limit_runtime::{Limiter, concurrency_limit};
use std::future::Future;
use std::sync::{Arc, LazyLock};

static LIMITER: Limiter = Limiter::new("existing::LIMITER", 2);
static ALL: [Limiter; 2] =
    [Limiter::new("existing::ALL[0]", 2), Limiter::new("existing::ALL[1]", 2)];
static LAZY: LazyLock<Limiter> = LazyLock::new(|| Limiter::named("existing::LAZY", 2));
static MANY: LazyLock<Vec<Limiter>> =
    LazyLock::new(|| vec![Limiter::named(String::from("existing::MANY"), 2)]);
static POOLS: Pools = Pools {
    own: Limiter::new("existing::POOLS.own", 2),
    pair: (Limiter::new("existing::POOLS.pair", 2), 1),
};

struct Pools {
    own: Limiter,
    pair: (Limiter, u8),
}

mod small {
    use limit_runtime::Limiter;

    #[allow(non_upper_case_globals)]
    pub(crate) static limiter: Limiter = Limiter::new("existing::small::limiter", 2);
}

fn by_reference() -> &'static Limiter {
    &LIMITER
}

fn counted() -> Arc<Limiter> {
    static COUNTED: LazyLock<Arc<Limiter>> =
        LazyLock::new(|| Arc::new(Limiter::new("existing::COUNTED", 2)));
    Arc::clone(&COUNTED)
}

macro_rules! limiter {
    () => {
        LIMITER
    };
}

#[concurrency_limit(limiter = LIMITER)]
async fn of_a_static() -> u8 {
    1
}

#[concurrency_limit(limiter = &LIMITER)]
async fn of_a_reference_to_it() -> u8 {
    2
}

#[concurrency_limit(limiter = small::limiter)]
async fn of_a_path() -> u8 {
    3
}

#[concurrency_limit(limiter = ALL[number])]
async fn of_an_element(number: usize) -> u8 {
    assert_eq!(number, 1);
    4
}

#[concurrency_limit(limiter = LAZY)]
async fn of_a_lazy_one() -> u8 {
    5
}

#[concurrency_limit(limiter = *LAZY)]
async fn of_what_is_behind_it() -> u8 {
    6
}

#[concurrency_limit(limiter = MANY[0])]
async fn of_an_element_behind_it() -> u8 {
    7
}

#[concurrency_limit(limiter = POOLS.own)]
async fn of_a_field() -> u8 {
    8
}

#[concurrency_limit(limiter = POOLS.pair.0)]
async fn of_a_part() -> u8 {
    POOLS.pair.1 + 8
}

#[concurrency_limit(limiter = by_reference())]
async fn of_a_function() -> u8 {
    10
}

#[concurrency_limit(limiter = counted())]
async fn of_a_counted_one() -> u8 {
    11
}

#[concurrency_limit(limiter = limiter!())]
async fn of_a_macro() -> u8 {
    12
}

#[concurrency_limit(limiter = { static INSIDE: Limiter = Limiter::new("existing::INSIDE", 2); &INSIDE })]
async fn of_a_block() -> u8 {
    13
}

#[concurrency_limit(limiter = if number > 3 { &LIMITER } else { by_reference() })]
async fn of_a_branch(number: u8) -> u8 {
    number
}

#[concurrency_limit(limiter = limiter)]
async fn of_an_argument(limiter: &Limiter) -> u8 {
    15
}

#[allow(clippy::let_and_return, clippy::redundant_locals)]
#[concurrency_limit(limiter = { let limiter = limiter; limiter })]
async fn of_a_variable_of_its_name(limiter: &'static Limiter) -> u8 {
    19
}

#[allow(non_snake_case)]
#[concurrency_limit(limiter = L)]
async fn of_an_argument_written_large(L: Arc<Limiter>) -> u8 {
    16
}

#[concurrency_limit(limiter = chosen)]
fn of_a_variable(number: usize) -> impl Future<Output = u8> {
    let chosen = &ALL[number];
    async move { 17 }
}

#[concurrency_limit(limiter = LIMITER, blocking)]
fn of_a_static_and_blocks() -> u8 {
    18
}

#[test]
fn an_existing_limiter_may_be_found_in_many_places() {
    run(async {
        assert_eq!(of_a_static().await, 1);
        assert_eq!(of_a_reference_to_it().await, 2);
        assert_eq!(of_a_path().await, 3);
        assert_eq!(of_an_element(1).await, 4);
        assert_eq!(of_a_lazy_one().await, 5);
        assert_eq!(of_what_is_behind_it().await, 6);
        assert_eq!(of_an_element_behind_it().await, 7);
        assert_eq!(of_a_field().await, 8);
        assert_eq!(of_a_part().await, 9);
        assert_eq!(of_a_function().await, 10);
        assert_eq!(of_a_counted_one().await, 11);
        assert_eq!(of_a_macro().await, 12);
        assert_eq!(of_a_block().await, 13);
        assert_eq!(of_a_branch(14).await, 14);
        assert_eq!(of_an_argument(&LIMITER).await, 15);
        assert_eq!(of_an_argument_written_large(counted()).await, 16);
        assert_eq!(of_a_variable(1).await, 17);
        assert_eq!(of_a_static_and_blocks().await, 18);
        assert_eq!(of_a_variable_of_its_name(&LIMITER).await, 19);
    });
    for name in ["LIMITER", "small::limiter", "ALL[1]", "LAZY", "MANY", "INSIDE", "COUNTED"] {
        let limiter = limit_runtime::find(&format!("existing::{}", name));
        let snapshot = limiter.unwrap_or_else(|| panic!("no limiter {}", name)).snapshot();
        assert!(snapshot.total.admitted_at_once > 0, "{} let nobody in", name);
    }
}

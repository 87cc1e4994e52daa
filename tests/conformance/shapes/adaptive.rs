//! Limits that are ranges.

use crate::support::{assert_limited, run};
use limit_runtime::{Rejected, concurrency_limit};

const FEW: usize = 2;
const MANY: usize = 20;

const fn doubled(number: usize) -> usize {
    number * 2
}

mod bounds {
    pub(crate) const MOST: usize = 40;
}

#[concurrency_limit(4..=200)]
async fn range() -> u8 {
    1
}

#[concurrency_limit(..=200, start = 50)]
async fn to_inclusive() -> u8 {
    2
}

#[concurrency_limit((FEW)..=doubled(MANY) - 1, start = FEW + 1, adapt = advise)]
async fn constants() -> u8 {
    3
}

#[concurrency_limit((FEW..={ const MORE: usize = 1; bounds::MOST + MORE }), start = (FEW), adapt = (advise), scope = process)]
async fn braces() -> u8 {
    4
}

#[concurrency_limit(1_0usize..=0xff, max_waiting = 3, weight = 10, order = lifo)]
async fn spelt_out() -> Result<u8, Rejected> {
    Ok(5)
}

#[concurrency_limit(3, key = number, total = 4..=MANY, start = 5, adapt = advise, weight = 1)]
async fn total(number: u8) -> Option<u8> {
    Some(number)
}

#[test]
fn a_limit_that_is_a_range_lies_in_it() {
    run(async {
        assert_eq!(range().await + to_inclusive().await + constants().await + braces().await, 10);
        assert_eq!(spelt_out().await.unwrap() + total(1).await.unwrap(), 6);
    });
    let limits = [("to_inclusive", 50), ("constants", 3), ("braces", 2)];
    for (function, limit) in limits.iter() {
        let limiter = limit_runtime::find(&format!("{}::{}", module_path!(), function));
        assert_eq!(limiter.unwrap().limit(), Some(*limit), "{}", function);
    }
    let functions = ["range", "to_inclusive", "constants", "braces", "spelt_out", "total"];
    assert_limited(module_path!(), &functions);
}

//! Warnings about functions whose calls can be refused, and of which much is asked.

use limit_runtime::concurrency_limit;

#[derive(Debug)]
pub struct Failure;

impl From<limit_runtime::Rejected> for Failure {
    fn from(_: limit_runtime::Rejected) -> Self {
        Self
    }
}

type Answer<T> = Result<T, Failure>;

#[concurrency_limit(3, max_waiting = 1)]
pub async fn unused(number: u8) -> Option<u8> {
    return Some(1);
}

#[concurrency_limit(3, max_waiting = 1)]
pub async fn never_at_its_end() -> Answer<u8> {
    loop {}
}

#[concurrency_limit(3, max_waiting = 1)]
pub async fn wrapped_for_nothing() -> Option<u8> {
    let value = Some(1);
    value
}

#[concurrency_limit(3, max_waiting = (2), key = (tenant, number), total = { 1_000_000 }, per = ("1s"))]
pub async fn much_is_asked(tenant: String, number: u8) -> Option<usize> {
    let value = Some(tenant.len() + usize::from(number));
    value
}

#[concurrency_limit(3, weight = u32::from(number), priority = { number }, enabled = (number > 0))]
pub async fn more_is_asked(number: u8) -> Option<u8> {
    let value = Some(number);
    value
}

#[concurrency_limit(3, max_wait = (std::time::Duration::from_secs(1)), on_reject = |_| (None))]
pub async fn handled(number: u8) -> Option<u8> {
    let value = Some(number);
    value
}

fn main() {}

//! Mistakes in functions whose calls can be refused.

use limit_runtime::concurrency_limit;

#[derive(Debug)]
struct Failure;

impl From<limit_runtime::Rejected> for Failure {
    fn from(_: limit_runtime::Rejected) -> Self {
        Self
    }
}

type Answer<T> = Result<T, Failure>;

#[concurrency_limit(3, max_waiting = 1)]
async fn mismatched_tail() -> Answer<u8> {
    "text"
}

#[concurrency_limit(3, max_waiting = 1)]
async fn value_not_wrapped() -> Option<u8> {
    1
}

#[concurrency_limit(3, max_waiting = 1)]
async fn wrapped_otherwise() -> Answer<u8> {
    Some(1)
}

#[concurrency_limit(3, max_waiting = 1)]
async fn mismatched_return(early: bool) -> Answer<u8> {
    if early {
        return String::new();
    }
    Ok(1)
}

#[concurrency_limit(3, max_waiting = 1)]
async fn mismatched_inside() -> Answer<u8> {
    Ok("text")
}

#[concurrency_limit(3, max_waiting = 1)]
async fn no_tail() -> Answer<u8> {
    let number = 1_u8;
    Ok::<_, Failure>(number);
}

#[concurrency_limit(3, max_waiting = 1)]
async fn empty() -> Answer<()> {}

#[concurrency_limit(3, weight = 2)]
async fn missing_conversion() -> Answer<u8> {
    let number: u8 = "1".parse()?;
    Ok(number)
}

#[concurrency_limit(3, max_wait = "1s")]
async fn not_inferred() -> Option<()> {
    let values = Vec::new();
    None
}

#[concurrency_limit(3, max_waiting = 1)]
async fn branches(first: bool) -> Answer<u8> {
    if first { Ok(1) } else { Err("2") }
}

#[concurrency_limit(3, max_waiting = 1)]
async fn not_the_trait() -> Option<impl std::fmt::Display> {
    Some(Failure)
}

#[concurrency_limit(3, max_waiting = 1)]
async fn used_after_move(text: String) -> Option<usize> {
    drop(text);
    Some(text.len())
}

fn main() {}

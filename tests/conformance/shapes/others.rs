//! Functions that also have attributes of tokio and tracing.

use crate::support::{assert_limited, run};
use limit_runtime::concurrency_limit;

#[concurrency_limit(1)]
#[tokio::test]
async fn above_a_tokio_test() {
    tokio::task::yield_now().await;
}

#[concurrency_limit(1)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn above_a_tokio_test_that_returns_a_result() -> Result<(), std::num::ParseIntError> {
    let number: u8 = "1".parse()?;
    assert_eq!(number, 1);
    Ok(())
}

#[concurrency_limit(1)]
#[tokio::main(flavor = "current_thread")]
async fn above_tokio_main() -> u8 {
    tokio::task::yield_now().await;
    2
}

#[concurrency_limit(2)]
#[tracing::instrument]
async fn above_instrument(number: u8) -> u8 {
    tokio::task::yield_now().await;
    number
}

#[tracing::instrument(skip_all, ret)]
#[concurrency_limit(2)]
async fn below_instrument(number: u8) -> Result<u8, std::num::ParseIntError> {
    let more: u8 = "1".parse()?;
    Ok(number + more)
}

#[tracing::instrument]
#[concurrency_limit(2)]
fn boxed_below(
    number: u8,
) -> std::pin::Pin<Box<dyn std::future::Future<Output = u8> + Send + 'static>> {
    Box::pin(async move { number })
}

#[concurrency_limit(2)]
#[tracing::instrument]
fn boxed_above(
    number: u8,
) -> std::pin::Pin<Box<dyn std::future::Future<Output = u8> + Send + 'static>> {
    Box::pin(async move { number })
}

#[concurrency_limit(2)]
#[tracing::instrument]
#[concurrency_limit(3)]
async fn around_instrument(number: u8) -> u8 {
    number
}

#[concurrency_limit(2, max_waiting = 1, weight = number, permit = permit)]
#[tracing::instrument(ret, err)]
async fn refusing_above(number: u32) -> Result<u32, limit_runtime::Rejected> {
    drop(permit);
    Ok(number)
}

#[tracing::instrument(ret, err)]
#[concurrency_limit(2, max_waiting = 1, weight = number, on_reject = |rejected| Err(rejected))]
async fn refusing_below(number: u32) -> Result<u32, limit_runtime::Rejected> {
    Ok(number)
}

#[concurrency_limit(2, blocking)]
#[tracing::instrument]
fn blocking_above(number: u8) -> u8 {
    number
}

#[tracing::instrument]
#[concurrency_limit(2, blocking)]
fn blocking_below(number: u8) -> u8 {
    number
}

#[concurrency_limit(1, max_waiting = 1)]
#[tokio::main(flavor = "current_thread")]
async fn refusing_above_tokio_main() -> Option<u8> {
    Some(2)
}

#[test]
fn a_function_above_tokio_main_starts_its_runtime() {
    assert_eq!(above_tokio_main(), 2);
    assert_eq!(refusing_above_tokio_main(), Some(2));
    assert_limited(module_path!(), &["above_tokio_main"]);
}

#[test]
fn instrumented_functions_return_what_they_would_without_a_limit() {
    run(async {
        assert_eq!(above_instrument(1).await, 1);
        assert_eq!(below_instrument(2).await, Ok(3));
        assert_eq!(boxed_below(3).await, 3);
        assert_eq!(boxed_above(3).await, 3);
        assert_eq!(around_instrument(4).await, 4);
        assert!(refusing_above(3).await.is_err() && refusing_below(3).await.is_err());
        assert_eq!(refusing_above(2).await.unwrap() + refusing_below(2).await.unwrap(), 4);
        assert_eq!(blocking_above(1).await + blocking_below(2).await, 3);
    });
    let functions = [
        "above_instrument",
        "below_instrument",
        "boxed_below",
        "boxed_above",
        "around_instrument",
        "around_instrument#2",
    ];
    assert_limited(module_path!(), &functions);
}

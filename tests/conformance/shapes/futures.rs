//! Functions that are not `async` but end with an `async` block.

use crate::support::{assert_limited, run};
use limit_runtime::concurrency_limit;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[concurrency_limit(3)]
fn opaque(number: u8) -> impl Future<Output = u8> {
    async move { number }
}

#[concurrency_limit(3)]
fn opaque_send<'a>(text: &'a str) -> impl Future<Output = usize> + Send + 'a {
    async move { text.len() }
}

#[concurrency_limit(3)]
fn boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
    Box::pin(async move { text.len() })
}

#[concurrency_limit(3)]
fn boxed_elided(text: &str) -> Pin<Box<dyn Future<Output = usize> + Send + '_>> {
    let trimmed = text.trim();
    Box::pin(async move { trimmed.len() })
}

#[concurrency_limit(3)]
fn aliased(number: u8) -> BoxFuture<'static, Result<u8, std::num::TryFromIntError>> {
    Box::pin(async move {
        let number = i32::from(number);
        Ok(std::convert::TryFrom::try_from(number)?)
    })
}

#[concurrency_limit(3)]
fn cast(number: u8) -> BoxFuture<'static, u8> {
    #[allow(clippy::as_conversions)]
    {
        Box::pin(async move { number }) as BoxFuture<'static, u8>
    }
}

#[concurrency_limit(3)]
fn pinned_from_box(number: u8) -> BoxFuture<'static, u8> {
    Pin::from(Box::new(async move { number }))
}

#[concurrency_limit(3)]
fn returned(number: u8) -> impl Future<Output = u8> {
    let number = number + 1;
    #[allow(clippy::needless_return)]
    return async move { number };
}

trait Boxed: Future + Sized + Send {
    fn boxed<'a>(self) -> BoxFuture<'a, Self::Output>
    where
        Self: 'a,
    {
        Box::pin(self)
    }
}

impl<F: Future + Send> Boxed for F {}

#[concurrency_limit(3)]
fn boxed_by_a_method(number: u8) -> BoxFuture<'static, u8> {
    async move { number }.boxed()
}

#[concurrency_limit(3)]
fn validated(number: u8) -> BoxFuture<'static, Result<u8, String>> {
    if number == 0 {
        return Box::pin(std::future::ready(Err(String::from("zero"))));
    }
    Box::pin(async move { Ok(number) })
}

#[concurrency_limit(3)]
fn statements_before<'a>(calls: &'a Cell<u8>) -> impl Future<Output = u8> + 'a {
    calls.set(calls.get() + 1);
    async move {
        calls.set(calls.get() + 1);
        calls.get()
    }
}

struct Service(u8);

impl Service {
    #[concurrency_limit(3)]
    fn method(&self, more: u8) -> BoxFuture<'_, u8> {
        Box::pin(async move { self.0 + more })
    }

    #[concurrency_limit(3)]
    fn opaque_method<'a>(&'a mut self) -> impl Future<Output = u8> + 'a {
        self.0 += 1;
        async move { self.0 }
    }
}

trait Call {
    type Future: Future<Output = u8>;

    fn call(&mut self) -> Self::Future;

    fn later(&self) -> impl Future<Output = u8> + Send;
}

impl Call for Service {
    type Future = BoxFuture<'static, u8>;

    #[concurrency_limit(3)]
    fn call(&mut self) -> Self::Future {
        let answer = self.0;
        Box::pin(async move { answer })
    }

    #[concurrency_limit(3)]
    #[allow(clippy::manual_async_fn)]
    fn later(&self) -> impl Future<Output = u8> + Send {
        async move { self.0 }
    }
}

#[test]
fn functions_returning_an_async_block_return_what_they_would_without_a_limit() {
    run(async {
        assert_eq!(opaque(1).await, 1);
        assert_eq!(opaque_send("ab").await, 2);
        assert_eq!(boxed("ab").await, 2);
        assert_eq!(boxed_elided(" ab ").await, 2);
        assert_eq!(aliased(3).await, Ok(3));
        assert_eq!(cast(4).await, 4);
        assert_eq!(pinned_from_box(4).await, 4);
        assert_eq!(returned(4).await, 5);
        assert_eq!(boxed_by_a_method(5).await, 5);
        assert_eq!(validated(1).await, Ok(1));
        assert!(validated(0).await.is_err());
        let mut service = Service(1);
        assert_eq!(service.method(1).await, 2);
        assert_eq!(service.opaque_method().await, 2);
        assert_eq!(service.call().await, 2);
        assert_eq!(service.later().await, 2);
    });
    let functions = [
        "opaque",
        "opaque_send",
        "boxed",
        "boxed_elided",
        "aliased",
        "cast",
        "pinned_from_box",
        "returned",
        "boxed_by_a_method",
        "validated",
        "method",
        "opaque_method",
        "call",
        "later",
    ];
    assert_limited(module_path!(), &functions);
}

#[test]
fn statements_before_the_block_run_when_the_function_is_called() {
    let calls = Cell::new(0);
    let future = statements_before(&calls);
    assert_eq!(calls.get(), 1);
    assert_eq!(run(future), 2);
}

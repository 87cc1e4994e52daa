use limit_runtime::concurrency_limit;
use std::future::Future;
use std::pin::Pin;

trait FutureExt: Future + Sized {
    fn then<F, R: Future>(self, _: F) -> impl Future<Output = R::Output>
    where
        F: FnOnce(Self::Output) -> R,
    {
        async { loop {} }
    }

    fn map<R, F: FnOnce(Self::Output) -> R>(self, _: F) -> impl Future<Output = R> {
        async { loop {} }
    }

    fn boxed(self) -> Pin<Box<dyn Future<Output = Self::Output>>>
    where
        Self: 'static,
    {
        Box::pin(self)
    }
}

impl<F: Future> FutureExt for F {}

#[concurrency_limit(3)]
fn goes_on() -> impl Future<Output = u8> {
    async { 1 }.then(|number| async move { number + 1 })
}

#[concurrency_limit(3)]
fn goes_on_boxed() -> Pin<Box<dyn Future<Output = u8>>> {
    async { 1 }.boxed().map(|number| number + 1).boxed()
}

#[concurrency_limit(3, blocking)]
fn goes_on_and_blocks() -> Pin<Box<dyn Future<Output = u8>>> {
    async { 1 }.boxed().map(|number| number + 1).boxed()
}

#[concurrency_limit(3)]
fn new_of_two_arguments() -> impl Future<Output = u8> {
    Map::new(async { 1 }, |number: u8| number + 1)
}

struct Map;

impl Map {
    fn new<T, R>(future: impl Future<Output = T>, _: fn(T) -> R) -> impl Future<Output = R> {
        drop(future);
        async { loop {} }
    }
}

fn main() {}

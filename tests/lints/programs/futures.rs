//! Functions that are not async and end with an `async` block.

use limit_runtime::concurrency_limit;
use std::future::Future;
use std::pin::Pin;

#[concurrency_limit(3)]
pub fn plain(number: u8) -> impl Future<Output = u8> {
    async move {
        std::future::ready(()).await;
        number + 1
    }
}

#[concurrency_limit(3)]
pub fn boxed(text: String) -> Pin<Box<dyn Future<Output = usize> + Send>> {
    let text = String::from(text);
    Box::pin(async move {
        std::future::ready(()).await;
        let text = String::from(text);
        return text.len();
    })
}

#[concurrency_limit(3)]
pub fn unused(number: u8) -> impl Future<Output = ()> {
    let mut other = 1;
    async move {
        let mut inner = 2;
        println!("{inner}");
    }
}

#[concurrency_limit(3)]
pub fn with_an_inner_attribute(number: u8) -> impl Future<Output = u8> {
    #![allow(unused_variables)]
    async { 1 }
}

#[concurrency_limit(3)]
fn never_called() -> impl Future<Output = ()> {
    async {}
}

fn main() {}

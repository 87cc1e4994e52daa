//! Lints, of the compiler and of clippy.

use limit_runtime::concurrency_limit;

#[concurrency_limit(3)]
async fn unused_names(argument: u8) {
    let local = 1;
    let mut never_changed = 2;
    println!("{never_changed}");
}

#[concurrency_limit(3)]
async fn unused_results() {
    fallible();
    tokio::task::yield_now();
    1 + 1;
}

fn fallible() -> Result<(), String> {
    Err(String::new())
}

#[concurrency_limit(3)]
async fn unreachable() -> u8 {
    return 1;
    2
}

#[concurrency_limit(3)]
async fn needless_return() -> u8 {
    return 1;
}

#[concurrency_limit(3)]
async fn unneeded_parentheses(number: u8) -> u8 {
    let double = (number * 2);
    if (double > 3) { 1 } else { (2) }
}

#[concurrency_limit(3)]
async fn let_and_return(number: u8) -> u8 {
    tokio::task::yield_now().await;
    let result = number + 1;
    result
}

#[concurrency_limit(3)]
async fn redundant_clone(text: &str) -> String {
    tokio::task::yield_now().await;
    let owned = text.to_string().to_string();
    owned.clone()
}

#[concurrency_limit(3)]
async fn guard_across_await(mutex: &std::sync::Mutex<u8>) -> u8 {
    let guard = mutex.lock().unwrap();
    tokio::task::yield_now().await;
    *guard
}

#[concurrency_limit(3)]
async fn unused_unit() -> () {
    tokio::task::yield_now().await
}

#[concurrency_limit(3)]
#[allow(unused_variables)]
async fn silenced(argument: u8) {
    let local = 1;
    tokio::task::yield_now().await;
}

#[concurrency_limit(3)]
#[must_use]
async fn must_be_used() -> u8 {
    tokio::task::yield_now().await;
    1
}

#[concurrency_limit(100000)]
async fn many_digits() -> u8 {
    tokio::task::yield_now().await;
    100000
}

#[concurrency_limit(3)]
async fn yields_a_future() -> impl std::future::Future<Output = ()> {
    tokio::task::yield_now().await;
    async {}
}

#[concurrency_limit(3)]
async fn clean(number: &mut u8) -> Option<u8> {
    tokio::task::yield_now().await;
    *number = number.checked_add(1)?;
    Some(*number)
}

#[concurrency_limit(3)]
fn clean_block(number: u8) -> std::pin::Pin<Box<dyn std::future::Future<Output = u8> + Send>> {
    let number = number + 1;
    Box::pin(async move {
        tokio::task::yield_now().await;
        number
    })
}

#[concurrency_limit(3)]
async fn needless_value(text: String, mut number: u8) -> usize {
    tokio::task::yield_now().await;
    text.len()
}

#[concurrency_limit(3)]
async fn needless_lifetime<'a>(text: &'a str) -> usize {
    tokio::task::yield_now().await;
    text.len()
}

#[concurrency_limit(3)]
#[deprecated]
async fn too_many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> u8 {
    tokio::task::yield_now().await;
    a + b + c + d + e + f + g + h
}

#[derive(Clone, Copy)]
struct Client;

impl Client {
    #[concurrency_limit(3)]
    async fn unused_self(&self, number: u8) -> u8 {
        tokio::task::yield_now().await;
        number
    }

    #[concurrency_limit(3)]
    async fn needless_exclusive(&mut self) -> Self {
        tokio::task::yield_now().await;
        *self
    }

    #[concurrency_limit(3)]
    async fn never_used(&self) {}
}

async fn never_called() {}

fn main() {
    must_be_used();
    needless_value(String::new(), 1);
    drop((needless_lifetime(""), too_many(1, 2, 3, 4, 5, 6, 7, 8)));
    drop((Client.unused_self(1), Client.needless_exclusive()));
    drop((unused_names(1), unused_results(), unreachable(), needless_return()));
    drop((unneeded_parentheses(1), let_and_return(1), redundant_clone(""), unused_unit()));
    drop((silenced(1), many_digits(), yields_a_future(), clean(&mut 1), clean_block(1)));
    drop(guard_across_await(&std::sync::Mutex::new(1)));
}

//! Type errors in a body.

use limit_runtime::concurrency_limit;

#[concurrency_limit(3)]
async fn mismatched_tail() -> u8 {
    "text"
}

#[concurrency_limit(3)]
async fn mismatched_return(early: bool) -> u8 {
    if early {
        return String::new();
    }
    1
}

#[concurrency_limit(3)]
async fn no_tail() -> u8 {
    let number = 1_u8;
    number + 1;
}

#[concurrency_limit(3)]
async fn empty() -> String {}

#[concurrency_limit(3)]
async fn value_where_none_is_expected() {
    1
}

#[concurrency_limit(3)]
async fn wrong_argument() -> u8 {
    takes_text(1)
}

#[concurrency_limit(3)]
async fn too_many_arguments() -> u8 {
    takes_text("a", "b")
}

fn takes_text(text: &str) -> u8 {
    u8::from(text.is_empty())
}

struct Failure;

#[concurrency_limit(3)]
async fn missing_conversion() -> Result<u8, Failure> {
    let number: u8 = "1".parse()?;
    Ok(number)
}

#[concurrency_limit(3)]
async fn question_mark_without_result() -> u8 {
    "1".parse::<u8>()?
}

#[concurrency_limit(3)]
async fn missing_bound<T>(value: T) -> String {
    value.to_string()
}

#[concurrency_limit(3)]
async fn not_inferred() {
    let values = Vec::new();
}

#[concurrency_limit(3)]
async fn missing_method(text: &str) -> usize {
    text.lenght()
}

#[concurrency_limit(3)]
async fn branches(first: bool) -> u8 {
    if first { 1 } else { "2" }
}

#[concurrency_limit(3)]
async fn arms(number: u8) -> u8 {
    match number {
        0 => 1,
        1 => "2",
        _ => {}
    }
}

#[concurrency_limit(3)]
async fn await_of_no_future() -> u8 {
    1_u8.await
}

#[concurrency_limit(3)]
async fn not_the_trait() -> impl std::fmt::Display {
    Failure
}

#[concurrency_limit(3)]
async fn comes_back() -> ! {
    1
}

#[concurrency_limit(3)]
async fn not_exhaustive(number: Option<u8>) -> u8 {
    match number {
        Some(number) => number,
    }
}

#[concurrency_limit(3)]
fn in_a_block() -> impl std::future::Future<Output = u8> {
    let text = "text";
    async move { text }
}

#[concurrency_limit(3)]
fn in_a_boxed_block(
    number: u16,
) -> std::pin::Pin<Box<dyn std::future::Future<Output = u8> + Send>> {
    Box::pin(async move {
        let number: u8 = number;
        number
    })
}

struct Client;

impl Client {
    #[concurrency_limit(3)]
    async fn method(&self) -> u8 {
        self.missing
    }
}

fn main() {}

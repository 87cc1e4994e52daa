//! Borrow errors in a body.

use limit_runtime::concurrency_limit;

#[concurrency_limit(3)]
async fn used_after_move(text: String) -> usize {
    drop(text);
    text.len()
}

#[concurrency_limit(3)]
async fn borrowed_twice(mut values: Vec<u8>) {
    let first = &mut values;
    let second = &mut values;
    first.push(1);
    second.push(2);
}

#[concurrency_limit(3)]
async fn not_mutable(values: Vec<u8>) {
    values.push(1);
}

#[concurrency_limit(3)]
async fn reference_to_a_local() -> &'static str {
    let text = String::from("text");
    &text
}

#[concurrency_limit(3)]
async fn dropped_too_early() -> usize {
    let reference;
    {
        let text = String::from("text");
        reference = &text;
    }
    reference.len()
}

#[concurrency_limit(3)]
async fn lifetime_too_short<'a>(first: &'a str, second: &str) -> &'a str {
    if first.is_empty() { second } else { first }
}

#[concurrency_limit(3)]
async fn not_initialised() -> u8 {
    let number: u8;
    number
}

#[concurrency_limit(3)]
async fn moved_out_of_a_reference(text: &String) -> String {
    *text
}

fn main() {}

//! Mistakes in functions that block. The plain one is not `async`.

use limit_runtime::concurrency_limit;

struct Failure;

#[concurrency_limit(3, blocking)]
fn mismatched_tail() -> u8 {
    "text"
}

#[concurrency_limit(3, blocking)]
fn mismatched_return(early: bool) -> u8 {
    if early {
        return String::new();
    }
    1
}

#[concurrency_limit(3, blocking)]
fn missing_conversion() -> Result<u8, Failure> {
    let number: u8 = "1".parse()?;
    Ok(number)
}

#[concurrency_limit(3, blocking)]
fn name() -> u8 {
    number
}

#[concurrency_limit(3, blocking)]
fn not_inferred() {
    let values = Vec::new();
}

#[concurrency_limit(3, blocking)]
fn wrong_argument() -> u8 {
    takes_text(1)
}

fn takes_text(text: &str) -> u8 {
    u8::from(text.is_empty())
}

fn main() {}

//! Above the attributes of tokio.

use limit_runtime::concurrency_limit;

/// Panics.
#[concurrency_limit(3)]
#[tokio::main(flavor = "current_thread")]
pub async fn panics(number: u8) -> u8 {
    assert!(number > 3);
    number + 1
}

/// Unwraps.
#[concurrency_limit(3)]
#[tokio::main]
pub async fn unwraps(text: &str) -> u8 {
    std::future::ready(()).await;
    text.parse().unwrap()
}

/// Panics at once.
#[concurrency_limit(3)]
#[tokio::main]
pub async fn panics_at_once() {
    panic!("at once");
}

/// Returns.
#[concurrency_limit(3)]
#[tokio::main(flavor = "current_thread")]
pub async fn returns(text: String) -> usize {
    let text = String::from(text);
    return text.len();
}

fn main() {}

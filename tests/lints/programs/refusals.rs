//! Functions whose calls can be refused, in whose place something stands that no lint is about.

use limit_runtime::Rejected;
use limit_runtime::concurrency_limit;

pub struct Failure;

impl From<Rejected> for Failure {
    fn from(_: Rejected) -> Self {
        return Failure;
    }
}

#[concurrency_limit(3, max_waiting = 2)]
pub async fn result(number: u8) -> Result<u8, Failure> {
    std::future::ready(()).await;
    if number > 3 {
        return Err(Failure);
    }
    Ok(number)
}

#[concurrency_limit(3, max_wait = "50ms")]
pub async fn option(text: String) -> Option<String> {
    std::future::ready(()).await;
    let text = String::from(text);
    Some(text)
}

#[concurrency_limit(3, max_waiting = 2, on_reject = |_| return 3)]
#[allow(clippy::needless_return)]
pub async fn handled(number: u8) -> u8 {
    std::future::ready(()).await;
    return number;
}

#[concurrency_limit(3, max_waiting = 2, on_reject = |rejected| drop(rejected))]
pub async fn handled_without_a_value(number: u8) {
    std::future::ready(()).await;
    println!("{}", number);
}

#[concurrency_limit(3, max_waiting = 2, on_reject = |_| panic!())]
pub async fn diverges_without_a_value(number: u8) {
    std::future::ready(()).await;
    println!("{}", number);
}

#[concurrency_limit(3, max_waiting = 2, on_reject = |rejected| panic!("{rejected}"))]
pub async fn diverges(number: u8) -> u8 {
    std::future::ready(()).await;
    number
}

fn main() {}

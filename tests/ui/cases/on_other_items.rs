use limit_runtime::concurrency_limit;

#[concurrency_limit(3)]
const NUMBER: u8 = 1;

#[concurrency_limit(3)]
static TEXT: &str = "";

#[concurrency_limit(3)]
type Alias = u8;

#[concurrency_limit(3)]
pub use std::fmt as format;

#[concurrency_limit(3)]
macro_rules! nothing {
    () => {};
}

nothing!();

fn main() {}

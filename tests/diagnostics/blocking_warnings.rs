//! Warnings about functions that block. The plain one is not `async`, for which clippy has other
//! advice; and its arguments are not moved, as they are here.
#![allow(
    clippy::missing_const_for_fn,
    clippy::must_use_candidate,
    clippy::needless_pass_by_value,
    clippy::unused_async
)]

use limit_runtime::concurrency_limit;

pub struct Config {
    path: String,
}

#[concurrency_limit(3, blocking)]
pub fn unused(number: u8, mut other: u8) -> u8 {
    2
}

#[concurrency_limit(3, blocking)]
pub fn part_of_an_argument(config: Config, _named: String) -> usize {
    let mut length = config.path.len();
    length
}

#[concurrency_limit(3, blocking)]
pub fn unreachable(number: u8) -> u8 {
    return number;
    number + 1;
}

impl Config {
    #[concurrency_limit(3, blocking)]
    pub fn by_value(self) -> String {
        let path = self.path;
        path
    }
}

fn main() {}

//! Functions that block.

use limit_runtime::concurrency_limit;
use std::collections::HashMap;
use std::sync::Arc;

#[concurrency_limit(3, blocking)]
fn never_called() {}

#[concurrency_limit(3, blocking)]
pub fn unit_error(number: u8) -> Result<u8, ()> {
    if number > 3 { Err(()) } else { Ok(1) }
}

#[concurrency_limit(3, blocking)]
pub fn boxed(value: Box<u8>) -> u8 {
    *value
}

#[concurrency_limit(3, blocking)]
pub fn ends_with_a_value(number: u8) -> u8 {
    number + 1
}

#[concurrency_limit(3, blocking)]
pub fn ends_with_a_return(number: u8) -> u8 {
    return number + 1;
}

#[concurrency_limit(3, blocking)]
pub fn ends_with_a_branch(number: u8) -> &'static str {
    if number > 3 { "many" } else { return "few" }
}

#[concurrency_limit(3, blocking)]
pub fn never_ends(number: u8) -> ! {
    panic!("{}", number)
}

#[concurrency_limit(3, blocking)]
pub fn useless_conversions(text: String, values: Vec<u8>) -> Vec<u8> {
    let text = String::from(text);
    let mut all: Vec<u8> = values.into_iter().into_iter().collect();
    all.extend(text.into_bytes().into_iter());
    all.into()
}

#[concurrency_limit(3, blocking)]
pub fn items_first(number: u8) -> u8 {
    const MORE: u8 = 2;
    number + MORE
}

#[concurrency_limit(3, blocking)]
pub fn items_between(number: u8) -> u8 {
    let number = number + 1;
    const MORE: u8 = 2;
    number + MORE
}

#[concurrency_limit(3, blocking)]
pub fn loops(values: Vec<u8>) -> u8 {
    let mut sum = 0;
    for index in 0..values.len() {
        sum += values[index];
    }
    for value in values.iter() {
        sum = sum + *value;
    }
    sum
}

#[concurrency_limit(3, blocking)]
pub fn question_marks(text: String) -> Result<u8, std::num::ParseIntError> {
    let first: u8 = text.parse()?;
    return Ok(first.to_string().parse()?);
}

#[concurrency_limit(3, blocking)]
pub fn unwraps(map: HashMap<String, Option<u8>>) -> u8 {
    let first = map.get("first").unwrap().unwrap();
    let second = map["second"].expect("a second");
    first / second
}

#[concurrency_limit(3, blocking)]
pub fn unused(number: u8, mut other: u8) {
    let local = 1;
    "1".parse::<u8>();
}

#[concurrency_limit(3, blocking)]
pub unsafe fn not_safe(number: u8) -> u8 {
    number + 1
}

#[concurrency_limit(3, blocking, max_waiting = 2)]
pub fn blocking(number: u8) -> Option<u8> {
    return Some(number);
}

#[concurrency_limit(3, blocking, max_waiting = 2, on_reject = |_| return None)]
#[allow(clippy::needless_return)]
pub fn blocking_and_handled(number: u8) -> Option<u8> {
    return Some(number);
}

pub struct Client {
    name: String,
}

impl Client {
    #[concurrency_limit(3, blocking)]
    pub fn shared(self: Arc<Self>, more: String) -> String {
        format!("{}{}", self.name, more)
    }

    #[concurrency_limit(3, blocking)]
    fn never_called(self) {}
}

fn main() {}

//! Bodies of async functions, and what stands at their end.

use limit_runtime::concurrency_limit;
use std::collections::HashMap;
use std::sync::Mutex;

#[concurrency_limit(3)]
async fn ends_with_a_value(number: u8) -> u8 {
    std::future::ready(()).await;
    number + 1
}

#[concurrency_limit(3)]
async fn ends_with_a_return(number: u8) -> u8 {
    std::future::ready(()).await;
    return number + 1;
}

#[concurrency_limit(3)]
async fn ends_with_a_branch(number: u8) -> u8 {
    std::future::ready(()).await;
    if number > 3 { 1 } else { return 2 }
}

#[concurrency_limit(3)]
async fn ends_with_a_match(number: u8) -> &'static str {
    match number {
        0 => "none",
        1 => "one",
        _ => {
            std::future::ready(()).await;
            "many"
        }
    }
}

#[concurrency_limit(3)]
async fn ends_with_an_await() -> u8 {
    std::future::ready(1).await
}

#[concurrency_limit(3)]
async fn ends_with_a_loop(mut number: u8) -> u8 {
    loop {
        std::future::ready(()).await;
        number -= 1;
        if number == 0 {
            break number;
        }
    }
}

#[concurrency_limit(3)]
async fn ends_with_a_macro(number: u8) -> String {
    std::future::ready(()).await;
    format!("{}", number)
}

#[concurrency_limit(3)]
async fn ends_with_a_panic() -> u8 {
    std::future::ready(()).await;
    todo!()
}

#[concurrency_limit(3)]
async fn useless_conversions(text: String, values: Vec<u8>) -> Vec<u8> {
    std::future::ready(()).await;
    let text = String::from(text);
    let mut all: Vec<u8> = values.into_iter().into_iter().collect();
    all.extend(text.into_bytes().into_iter());
    all.into()
}

#[concurrency_limit(3)]
async fn question_marks(text: &str) -> Result<u8, std::num::ParseIntError> {
    std::future::ready(()).await;
    let first: u8 = text.parse()?;
    return Ok(first.to_string().parse()?);
}

#[concurrency_limit(3)]
async fn items_between(number: u8) -> u8 {
    std::future::ready(()).await;
    const MORE: u8 = 2;
    fn double(number: u8) -> u8 {
        number * 2
    }
    double(number) + MORE
}

#[concurrency_limit(3)]
async fn closures(values: &[u8]) -> Vec<u8> {
    std::future::ready(()).await;
    values.iter().map(|value| value.clone()).map(|value| { value + 1 }).collect::<Vec<_>>()
}

#[concurrency_limit(3)]
async fn shadowed(number: u8) -> u8 {
    std::future::ready(()).await;
    let number = number + 1;
    let other = number;
    let number = "3".len() as u8;
    number + other
}

#[concurrency_limit(3)]
async fn unwraps(map: HashMap<String, Option<u8>>) -> u8 {
    std::future::ready(()).await;
    let first = map.get("first").unwrap().unwrap();
    let second = map["second"].expect("a second");
    first / second
}

#[concurrency_limit(3)]
async fn locks(mutex: &Mutex<Vec<u8>>) -> usize {
    let length = mutex.lock().unwrap().len();
    std::future::ready(()).await;
    let guard = mutex.lock().unwrap();
    let more = guard.len();
    length + more
}

#[concurrency_limit(3)]
async fn assigns(mut text: String, other: &String) -> String {
    std::future::ready(()).await;
    text = other.clone();
    let copy;
    copy = text.clone();
    copy
}

#[concurrency_limit(3)]
async fn nested_ifs(number: u8, flag: bool) -> bool {
    std::future::ready(()).await;
    if flag {
        if number > 3 {
            println!("many");
        }
    }
    if number > 3 { true } else { false }
}

#[concurrency_limit(3)]
async fn loops(values: Vec<u8>) -> u8 {
    std::future::ready(()).await;
    let mut sum = 0;
    for index in 0..values.len() {
        sum += values[index];
    }
    for value in values.iter() {
        sum = sum + *value;
    }
    sum
}

#[concurrency_limit(3)]
async fn unit_values() {
    let nothing = std::future::ready(()).await;
    println!("{:?}", nothing);
    ()
}

#[concurrency_limit(3)]
async fn unused_result() {
    std::future::ready(()).await;
    "1".parse::<u8>();
    let _ = "1".parse::<u8>();
    "text".to_string();
}

#[concurrency_limit(3)]
async fn temporaries(mutex: &Mutex<Option<u8>>) -> u8 {
    std::future::ready(()).await;
    match *mutex.lock().unwrap() {
        Some(number) => number,
        None => 0,
    }
}

#[concurrency_limit(3)]
async fn long(mut number: u64) -> u64 {
    std::future::ready(()).await;
    number += 1;
    number += 2;
    number += 3;
    number ^= 0xFFFFFFFF;
    number = number.wrapping_mul(31);
    number as u32 as u64
}

fn main() {
    drop((ends_with_a_value(1), ends_with_a_return(1), ends_with_a_branch(1)));
    drop((ends_with_a_match(1), ends_with_an_await(), ends_with_a_loop(1), ends_with_a_macro(1)));
    drop((ends_with_a_panic(), useless_conversions(String::new(), Vec::new())));
    drop((question_marks(""), items_between(1), closures(&[]), shadowed(1)));
    drop((unwraps(HashMap::new()), locks(&Mutex::new(Vec::new()))));
    drop((assigns(String::new(), &String::new()), nested_ifs(1, true), loops(Vec::new())));
    drop((unit_values(), unused_result(), temporaries(&Mutex::new(None)), long(1)));
}

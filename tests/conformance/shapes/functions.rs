//! Free functions.

use crate::support::{assert_limited, run};
use limit_runtime::concurrency_limit;
use std::fmt::Display;

#[concurrency_limit(3)]
async fn plain(text: &str) -> usize {
    text.len()
}

#[concurrency_limit(3)]
pub(crate) async fn nothing_returned() {}

#[concurrency_limit(3)]
async fn fallible(text: &str) -> Result<u8, std::num::ParseIntError> {
    let number: u8 = text.parse()?;
    Ok(number)
}

#[concurrency_limit(3)]
async fn early(number: u8) -> u8 {
    if number > 1 {
        return 0;
    }
    number + 1
}

#[concurrency_limit(3)]
async fn generic<T, const N: usize>(values: [T; N]) -> usize
where
    T: Copy + Into<usize>,
{
    values.iter().map(|value| (*value).into()).sum()
}

#[concurrency_limit(3)]
async fn named_lifetime<'a, 'b: 'a>(a: &'a str, b: &'b str) -> &'a str {
    if a.is_empty() { b } else { a }
}

#[concurrency_limit(3)]
async fn higher_ranked<F>(choose: F) -> usize
where
    F: for<'x> Fn(&'x str) -> &'x str,
{
    choose("abc").len()
}

#[concurrency_limit(3)]
async fn impl_argument(value: impl Display + Send) -> String {
    value.to_string()
}

#[concurrency_limit(3)]
async fn impl_return(count: u32) -> impl Iterator<Item = u32> {
    (0..count).rev()
}

struct Point {
    x: u8,
    y: u8,
}

#[concurrency_limit(3)]
async fn patterns((a, mut b): (u8, u8), Point { x, y: other }: Point, [first, ..]: [u8; 3]) -> u8 {
    b += 1;
    a + b + x + other + first
}

#[concurrency_limit(3)]
async fn ignored(_: u8, _named: u8, mut counted: u8) -> u8 {
    counted += 1;
    counted
}

#[concurrency_limit(3)]
async fn attributes_on_arguments(
    #[allow(unused_variables, reason = "the attribute is what is tested")] unused: u8,
    #[cfg(any())] missing: Missing,
    #[cfg(not(any()))] present: u8,
) -> u8 {
    present
}

#[concurrency_limit(3)]
async fn r#match(r#type: u8) -> u8 {
    r#type
}

#[concurrency_limit(3)]
async fn never(stop: &std::sync::atomic::AtomicBool) -> ! {
    loop {
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}

#[concurrency_limit(3)]
#[allow(improper_ctypes_definitions, reason = "a future has no equivalent in C, limited or not")]
async extern "C" fn foreign_abi(number: u8) -> u8 {
    number
}

#[concurrency_limit(3)]
async fn boxed_trait_object() -> Box<dyn Display> {
    Box::new(1_u8)
}

#[concurrency_limit(9)]
async fn recursive(depth: u8) -> u8 {
    if depth == 0 {
        return 0;
    }
    1 + Box::pin(recursive(depth - 1)).await
}

#[concurrency_limit(3)]
async fn inner_attributes() -> u8 {
    //! Documentation inside.
    #![allow(unused_variables, reason = "the attribute is what is tested")]
    let unused = 1;
    2
}

#[concurrency_limit(3)]
async fn items_inside() -> u8 {
    const ONE: u8 = 1;
    fn two() -> u8 {
        2
    }
    ONE + two()
}

/// Documented.
#[inline]
#[must_use]
#[concurrency_limit(3)]
#[doc(hidden)]
pub(crate) async fn among_attributes() -> u8 {
    1
}

#[concurrency_limit(3)]
async fn tail_is_a_macro() -> String {
    format!("{}", 1)
}

#[concurrency_limit(3)]
async fn labels_and_breaks(limit: u8) -> u8 {
    let mut count = 0;
    'outer: loop {
        loop {
            count += 1;
            if count == limit {
                break 'outer count;
            }
            if count % 2 == 0 {
                continue 'outer;
            }
        }
    }
}

#[test]
fn free_functions_return_what_they_would_without_a_limit() {
    run(async {
        assert_eq!(plain("abc").await, 3);
        nothing_returned().await;
        assert_eq!(fallible("7").await, Ok(7));
        assert!(fallible("x").await.is_err());
        assert_eq!((early(1).await, early(2).await), (2, 0));
        assert_eq!(generic([1_u8, 2]).await + generic([3_usize]).await, 6);
        assert_eq!(named_lifetime("", "b").await, "b");
        assert_eq!(higher_ranked(|text| &text[1..]).await, 2);
        assert_eq!(impl_argument(5).await, "5");
        assert_eq!(impl_return(3).await.collect::<Vec<_>>(), [2, 1, 0]);
        assert_eq!(patterns((1, 2), Point { x: 3, y: 4 }, [5, 6, 7]).await, 16);
        assert_eq!(ignored(1, 2, 3).await, 4);
        assert_eq!(attributes_on_arguments(1, 2).await, 2);
        assert_eq!(r#match(3).await, 3);
        assert_eq!(foreign_abi(4).await, 4);
        assert_eq!(boxed_trait_object().await.to_string(), "1");
        assert_eq!(recursive(4).await, 4);
        assert_eq!(inner_attributes().await, 2);
        assert_eq!(items_inside().await, 3);
        assert_eq!(among_attributes().await, 1);
        assert_eq!(tail_is_a_macro().await, "1");
        assert_eq!(labels_and_breaks(3).await, 3);
    });
    let functions = [
        "plain",
        "nothing_returned",
        "fallible",
        "early",
        "generic",
        "named_lifetime",
        "higher_ranked",
        "impl_argument",
        "impl_return",
        "patterns",
        "ignored",
        "attributes_on_arguments",
        "match",
        "foreign_abi",
        "boxed_trait_object",
        "recursive",
        "inner_attributes",
        "items_inside",
        "among_attributes",
        "tail_is_a_macro",
        "labels_and_breaks",
    ];
    assert_limited(module_path!(), &functions);
}

#[test]
fn a_function_that_never_returns_runs_until_it_is_dropped() {
    run(async {
        let started = std::sync::atomic::AtomicBool::new(false);
        tokio::select! {
            biased;
            never = never(&started) => never,
            () = tokio::task::yield_now() => {}
        }
        assert!(started.into_inner());
    });
}

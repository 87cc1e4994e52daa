//! Functions whose output is judged.

use crate::support::{assert_limited, run};
use limit_runtime::{Limiter, Permit, Rejected, concurrency_limit};
use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const FEW: usize = 2;
const MANY: usize = 20;

#[derive(Debug, PartialEq)]
enum Failure {
    Busy,
    Odd,
    Refused,
}

impl Failure {
    fn is_busy(&self) -> bool {
        *self == Failure::Busy
    }
}

impl From<std::num::ParseIntError> for Failure {
    fn from(_: std::num::ParseIntError) -> Self {
        Failure::Odd
    }
}

impl From<Rejected> for Failure {
    fn from(_: Rejected) -> Self {
        Failure::Refused
    }
}

static JUDGED: AtomicUsize = AtomicUsize::new(0);

/// Counts its calls.
fn counted<T>(_: &T) -> bool {
    JUDGED.fetch_add(1, Ordering::Relaxed);
    false
}

fn retry_after(output: &Result<u8, Failure>) -> Option<Duration> {
    output.as_ref().err().filter(|failure| failure.is_busy()).map(|_| Duration::from_millis(1))
}

// The type of the error is known from the signature alone, both in the body and in the closure.
#[concurrency_limit(..=9, max_waiting = 0, overload = |output| output.as_ref().is_err_and(|e| e.is_busy()))]
async fn result(text: &str) -> Result<u8, Failure> {
    let number = text.parse()?;
    if number > 100 {
        return Err(Failure::Busy);
    }
    tokio::task::yield_now().await;
    Ok(number)
}

#[concurrency_limit(..=9, overload = retry_after, weight = 1, priority = 3)]
async fn path(number: u8) -> Result<u8, Failure> {
    Ok(number)
}

#[concurrency_limit(..=9, overload = |output: &Option<u8>| -> bool { output.is_none() })]
async fn typed_closure(number: u8) -> Option<u8> {
    number.checked_add(1)
}

#[concurrency_limit(..=9, overload = |_| Some(Duration::from_millis(1)).filter(|_| false))]
async fn nothing(seen: &Cell<u8>) {
    if seen.get() == 0 {
        return;
    }
    seen.set(seen.get() + 1);
}

#[concurrency_limit(..=9, overload = |&length| length > limit)]
async fn sees_arguments(text: String, limit: usize) -> usize {
    drop(limit.to_string() + &text);
    text.len()
}

#[concurrency_limit(..=9, overload = counted)]
async fn coerced(text: &str) -> Box<dyn Fn(u8) -> u8 + Send> {
    if text.is_empty() {
        return Box::new(|number| number);
    }
    Box::new(|number| number + 1)
}

#[concurrency_limit(..=9, overload = |output| output.is_empty())]
async fn elided(text: &str) -> &str {
    text.trim()
}

#[concurrency_limit(..=9, overload = |output| output.is_none())]
async fn with_lifetimes<'a, 'b: 'a, T: Clone + 'a>(first: &'a [T], _other: &'b T) -> Option<&'a T> {
    tokio::task::yield_now().await;
    first.first()
}

#[concurrency_limit(..=9, overload = |output| output.is_err())]
async fn opaque(
    most: u8,
) -> Result<impl Iterator<Item = u8>, Box<dyn std::error::Error + Send + Sync>> {
    let most: u8 = most.to_string().parse()?;
    if most == 0 {
        return Err("there is none".into());
    }
    Ok((0..most).map(|number| number + 1))
}

#[concurrency_limit(..=9, overload = |output| output.len() > 2)]
async fn opaque_alone(text: &str) -> impl AsRef<str> + '_ {
    text.to_owned()
}

#[concurrency_limit(..=9, overload = counted)]
async fn mutable(mut number: u8, (left, right): (u8, String), text: &mut String) -> u8 {
    number += left;
    text.push_str(&right);
    tokio::task::yield_now().await;
    text.push('!');
    number
}

#[concurrency_limit(..=9, overload = |output| output.is_err())]
async fn never_ok(number: u8) -> Result<Infallible, Failure> {
    if number > 1 {
        return Err(Failure::Odd);
    }
    Err(Failure::Busy)
}

#[concurrency_limit(..=9, overload = |output| *output > 3)]
fn future(number: u8) -> impl Future<Output = u8> {
    let more = number + 1;
    async move { more }
}

#[concurrency_limit(..=9, overload = |output| output.as_ref().is_err_and(Failure::is_busy), max_wait = "1s")]
fn boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Result<u8, Failure>> + Send + 'a>> {
    Box::pin(async move {
        let number = text.parse()?;
        Ok(number)
    })
}

#[concurrency_limit(..=9, blocking, overload = |output| output.as_ref().is_err_and(|e| e.is_busy()))]
fn blocks(text: String, more: Vec<u8>) -> Result<u8, Failure> {
    let number: u8 = text.parse()?;
    if more.is_empty() {
        return Err(Failure::Busy);
    }
    Ok(number + more[0])
}

#[concurrency_limit(..=9, blocking, overload = |output| AsRef::<str>::as_ref(output).len() > 3, max_waiting = 0, on_reject = |_| {
    String::new()
})]
fn blocks_opaque(text: String) -> impl AsRef<str> + Send {
    text + "!"
}

struct Store {
    base: u8,
}

impl Store {
    #[concurrency_limit(..=9, overload = |output| *output > self.base)]
    async fn add(&self, number: u8) -> u8 {
        self.base + number
    }

    #[concurrency_limit(..=9, overload = |this| this.base == 3)]
    async fn into_self(mut self, number: u8) -> Self {
        self.base = number;
        self
    }

    #[concurrency_limit(..=9, overload = counted)]
    async fn change(&mut self) -> &mut u8 {
        self.base += 1;
        &mut self.base
    }

    #[concurrency_limit(..=9, blocking, overload = counted)]
    fn shared(self: Arc<Self>) -> u8 {
        self.base
    }
}

#[async_trait::async_trait]
trait Load: Sync {
    #[concurrency_limit(..=9, max_wait = "1s", overload = |output| output.as_ref().is_err_and(|e| e.is_busy()))]
    async fn load(&self, text: &str) -> Result<u8, Failure> {
        let number = text.parse()?;
        Ok(number)
    }
}

impl Load for Store {}

static EXISTING: Limiter = Limiter::adaptive("judged-existing", 1..=9);
static PLAIN: Limiter<Rejected> = Limiter::new("judged-plain", 1).max_waiting(0);

#[concurrency_limit(limiter = EXISTING, overload = |output| *output == 0)]
async fn existing(number: u8) -> u8 {
    number
}

#[concurrency_limit(limiter = PLAIN, overload = counted, on_reject = |_| 9)]
async fn existing_plain(number: u8) -> u8 {
    number
}

#[concurrency_limit(..=9, overload = counted)]
#[concurrency_limit(limiter = EXISTING, permit = permit)]
#[concurrency_limit(3, key = number, total = ..=9, overload = counted)]
async fn thrice(number: u8) -> (Permit, u8) {
    (permit, number)
}

#[concurrency_limit(..=9, blocking, overload = counted)]
#[concurrency_limit(..=8, overload = |output| output.is_err())]
fn twice_blocking(text: String) -> Result<u8, Failure> {
    if text.is_empty() {
        return Err(Failure::Busy);
    }
    Ok(text.parse()?)
}

macro_rules! made {
    ($name:ident, $low:literal, $high:expr, $range:expr, $overload:expr) => {
        #[concurrency_limit($low..=$high, overload = $overload)]
        #[concurrency_limit($range, start = $high)]
        async fn $name(number: u8) -> u8 {
            number
        }
    };
}

made!(made_of_fragments, 2, FEW + 1, FEW..=MANY, |output| *output > 1);

#[test]
fn a_function_whose_output_is_judged_returns_what_it_would_without_a_limit() {
    run(async {
        assert_eq!(result("7").await, Ok(7));
        assert_eq!(result("x").await, Err(Failure::Odd));
        assert_eq!(result("101").await, Err(Failure::Busy));
        assert_eq!(path(7).await, Ok(7));
        assert_eq!(typed_closure(7).await, Some(8));
        let seen = Cell::new(0);
        nothing(&seen).await;
        seen.set(1);
        nothing(&seen).await;
        assert_eq!(seen.get(), 2);
        assert_eq!(sees_arguments(String::from("ab"), 3).await, 2);
        assert_eq!((coerced("").await)(1) + (coerced("a").await)(1), 3);
        assert_eq!(elided(" ab ").await, "ab");
        assert_eq!(with_lifetimes(&[1, 2], &3).await, Some(&1));
        assert_eq!(opaque(3).await.unwrap().sum::<u8>(), 6);
        assert!(opaque(0).await.is_err());
        assert_eq!(opaque_alone("ab").await.as_ref(), "ab");
        let mut text = String::from("a");
        assert_eq!(mutable(1, (2, String::from("b")), &mut text).await, 3);
        assert_eq!(text, "ab!");
        assert_eq!(never_ok(1).await, Err(Failure::Busy));
        assert_eq!(never_ok(2).await, Err(Failure::Odd));
        assert_eq!(future(1).await, 2);
        assert_eq!(boxed("1").await, Ok(1));
        assert_eq!(boxed("x").await, Err(Failure::Odd));
        assert_eq!(blocks(String::from("1"), vec![2]).await, Ok(3));
        assert_eq!(blocks(String::from("1"), vec![]).await, Err(Failure::Busy));
        assert_eq!(blocks(String::from("x"), vec![]).await, Err(Failure::Odd));
        assert_eq!(blocks_opaque(String::from("a")).await.as_ref(), "a!");
        let store = Store { base: 1 };
        assert_eq!(store.add(1).await, 2);
        assert_eq!(store.load("1").await, Ok(1));
        assert_eq!(store.load("x").await, Err(Failure::Odd));
        let mut store = store.into_self(3).await;
        assert_eq!(*store.change().await, 4);
        assert_eq!(Arc::new(store).shared().await, 4);
        assert_eq!(existing(1).await + existing_plain(1).await, 2);
        assert_eq!(thrice(1).await.1, 1);
        assert_eq!(twice_blocking(String::from("1")).await, Ok(1));
        assert_eq!(twice_blocking(String::new()).await, Err(Failure::Busy));
        assert_eq!(twice_blocking(String::from("x")).await, Err(Failure::Odd));
        assert_eq!(made_of_fragments(1).await, 1);
    });
    let functions = [
        "result",
        "path",
        "typed_closure",
        "nothing",
        "sees_arguments",
        "coerced",
        "elided",
        "with_lifetimes",
        "opaque",
        "opaque_alone",
        "mutable",
        "never_ok",
        "future",
        "boxed",
        "blocks",
        "blocks_opaque",
        "add",
        "into_self",
        "change",
        "shared",
        "load",
        "thrice",
        "twice_blocking",
        "made_of_fragments",
    ];
    assert_limited(module_path!(), &functions);
}

//! What `overload` sees, when it is asked, and what it leaves as it was.

use crate::support::{poll_once, run};
use limit_runtime::{Limiter, Rejected, concurrency_limit};
use std::cell::{Cell, RefCell};
use std::mem::size_of_val;
use std::rc::Rc;

#[derive(Debug)]
struct Failure;

impl From<Rejected> for Failure {
    fn from(_: Rejected) -> Self {
        Failure
    }
}

impl From<std::num::ParseIntError> for Failure {
    fn from(_: std::num::ParseIntError) -> Self {
        Failure
    }
}

static ONE: Limiter<Rejected> = Limiter::new("verdicts-one", 1).max_waiting(0);

/// Notes an output, and whether its permit is held.
fn note(seen: &RefCell<Vec<(Option<u8>, bool)>>, output: &Result<u8, Failure>) -> bool {
    seen.borrow_mut().push((output.as_ref().ok().copied(), ONE.try_acquire().is_err()));
    false
}

#[concurrency_limit(limiter = ONE, overload = |output| note(seen, output))]
async fn ends(text: &str, seen: &RefCell<Vec<(Option<u8>, bool)>>) -> Result<u8, Failure> {
    if text.is_empty() {
        return Err(Failure);
    }
    let number = text.parse()?;
    if number == 9 {
        std::future::pending::<()>().await;
    }
    Ok(number)
}

#[test]
fn the_closure_sees_each_output_once_and_under_the_permit() {
    run(async {
        let seen = RefCell::default();
        assert_eq!(ends("7", &seen).await.unwrap(), 7);
        assert!(ONE.try_acquire().is_ok(), "the permit is back");
        assert!(ends("", &seen).await.is_err());
        assert!(ends("x", &seen).await.is_err());
        assert_eq!(seen.into_inner(), [(Some(7), true), (None, true), (None, true)]);
    });
}

#[test]
fn the_closure_is_not_asked_about_calls_that_are_refused_or_dropped() {
    run(async {
        let seen = RefCell::default();
        {
            let mut waits = Box::pin(ends("9", &seen));
            assert!(poll_once(waits.as_mut()).await.is_none());
            assert!(ends("7", &seen).await.is_err());
        }
        assert!(ONE.try_acquire().is_ok(), "the permit of the dropped call is back");
        assert!(seen.into_inner().is_empty());
    });
}

static PANICS: Limiter<Rejected> = Limiter::new("verdicts-panics", 1).max_waiting(0);

#[concurrency_limit(limiter = PANICS, overload = |output| output.as_ref().unwrap().is_none())]
async fn panics() -> Result<Option<u8>, Failure> {
    Err(Failure)
}

#[test]
fn a_closure_that_panics_gives_the_permit_back() {
    run(async {
        let panicked = tokio::spawn(panics()).await.unwrap_err();
        assert!(panicked.is_panic());
        assert!(PANICS.try_acquire().is_ok());
    });
}

fn assert_send<T: Send>(_: &T) {}

#[concurrency_limit(..=9, overload = |_| false)]
async fn generic<T>(value: T) -> T {
    tokio::task::yield_now().await;
    value
}

#[concurrency_limit(..=9, overload = |_| false)]
async fn not_sync(cell: Cell<u8>) -> u8 {
    cell.set(cell.get() + 1);
    tokio::task::yield_now().await;
    cell.get()
}

#[concurrency_limit(..=9, overload = |_| false)]
async fn output_is_not_send() -> Rc<u8> {
    tokio::task::yield_now().await;
    Rc::new(1)
}

#[test]
fn a_future_is_send_if_what_it_holds_is() {
    assert_send(&generic(1_u8));
    assert_send(&not_sync(Cell::new(1)));
    assert_send(&output_is_not_send());
    run(async {
        // The future is not `Send`, and is accepted.
        assert_eq!(*generic(Rc::new(1)).await, 1);
        assert_eq!(not_sync(Cell::new(1)).await, 2);
        assert_eq!(*output_is_not_send().await, 1);
    });
}

#[concurrency_limit(..=9)]
async fn large(bytes: [u8; 4096]) -> u8 {
    tokio::task::yield_now().await;
    bytes[0]
}

#[concurrency_limit(..=9, overload = |_| false)]
async fn large_and_judged(bytes: [u8; 4096]) -> u8 {
    tokio::task::yield_now().await;
    bytes[0]
}

#[test]
fn a_future_holds_its_arguments_once_more_at_most() {
    let (plain, judged) = (large([0; 4096]), large_and_judged([0; 4096]));
    let (plain, judged) = (size_of_val(&plain), size_of_val(&judged));
    assert!(judged <= plain + 4096 + 64, "{} and {}", plain, judged);
}

/// A value that notes its name when it is dropped.
struct Noted<'a>(&'static str, &'a RefCell<Vec<&'static str>>);

impl Noted<'_> {
    fn note(&self, text: &'static str) {
        self.1.borrow_mut().push(text);
    }
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.note(self.0);
    }
}

#[concurrency_limit(..=9, overload = |_| { noted.borrow_mut().push("closure"); false })]
async fn drops<'a>(
    noted: &'a RefCell<Vec<&'static str>>,
    _unused: Noted<'a>,
    used: Noted<'a>,
) -> Noted<'a> {
    let _first = Noted("first", noted);
    let _second = Noted("second", noted);
    used.note("body");
    Noted("output", noted)
}

#[test]
fn locals_are_dropped_in_their_order_and_before_the_closure_is_asked() {
    run(async {
        let noted = RefCell::default();
        let output = drops(&noted, Noted("unused", &noted), Noted("used", &noted)).await;
        drop(output);
        let expected = ["body", "second", "first", "used", "closure", "unused", "output"];
        assert_eq!(noted.into_inner(), expected);
    });
}

#[concurrency_limit(..=9, overload = |output| *output > 9)]
async fn closures_in_the_body(number: u8) -> u8 {
    let add = async |more: u8| {
        if more == 0 {
            return number;
        }
        number + more
    };
    let double = |number: u8| number * 2;
    double(add(1).await) + add(0).await
}

#[concurrency_limit(..=9, overload = |output| output.is_empty())]
#[tracing::instrument(level = "trace", skip_all)]
async fn instrumented_below(text: &str) -> String {
    text.to_owned()
}

#[tracing::instrument(level = "trace", skip_all)]
#[concurrency_limit(..=9, overload = |output| output.as_ref().is_ok_and(|number| *number > 9))]
async fn instrumented_above(text: &str) -> Result<u8, Failure> {
    Ok(text.parse()?)
}

#[test]
fn the_body_may_have_closures_and_the_function_other_attributes() {
    run(async {
        assert_eq!(closures_in_the_body(3).await, 11);
        assert_eq!(instrumented_below("ab").await, "ab");
        assert_eq!(instrumented_above("7").await.unwrap(), 7);
    });
}

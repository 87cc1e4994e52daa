//! Functions that block, made async.

use crate::support::{assert_limited, run};
use limit_runtime::{Limiter, Permit, Rejected, concurrency_limit};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[concurrency_limit(2, blocking)]
fn plain(text: String) -> usize {
    text.len()
}

#[concurrency_limit(2, blocking)]
pub(crate) fn nothing_returned(counter: Arc<AtomicUsize>) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[concurrency_limit(2, blocking)]
fn fallible(text: &'static str) -> Result<u8, std::num::ParseIntError> {
    let number: u8 = text.parse()?;
    if number > 9 {
        return Ok(9);
    }
    Ok(number)
}

#[concurrency_limit(2, blocking)]
fn generic<T, const N: usize>(values: [T; N]) -> usize
where
    T: Copy + Into<usize> + Send + 'static,
{
    values.iter().map(|value| (*value).into()).sum::<usize>() + N
}

#[concurrency_limit(2, blocking)]
fn opaque(count: u32) -> impl Iterator<Item = u32> {
    (0..count).rev()
}

#[concurrency_limit(2, blocking)]
fn coerced(number: u8) -> Box<dyn std::fmt::Display + Send> {
    Box::new(number)
}

#[concurrency_limit(2, blocking)]
fn patterns((a, mut b): (u8, u8), _: u8, _unused: u8, mut counted: u8) -> u8 {
    b += 1;
    counted += 1;
    a + b + counted
}

#[concurrency_limit(2, blocking)]
fn never(stop: bool) -> ! {
    if stop {
        panic!("stopped");
    }
    std::process::abort()
}

#[concurrency_limit(2, blocking)]
#[allow(improper_ctypes_definitions, reason = "a future has no equivalent in C, limited or not")]
pub(crate) extern "C" fn foreign_abi(number: u8) -> u8 {
    number
}

#[concurrency_limit(2, blocking)]
fn inner_attributes(number: u8) -> u8 {
    #![allow(unused_variables, reason = "the attribute is what is tested")]
    let unused = 1;
    number
}

struct Service {
    answer: u8,
}

impl Service {
    #[concurrency_limit(2, blocking)]
    fn by_value(self) -> u8 {
        self.answer
    }

    #[concurrency_limit(2, blocking)]
    fn by_arc(self: Arc<Self>, more: u8) -> u8 {
        self.answer + more
    }

    #[concurrency_limit(2, blocking)]
    fn associated(answer: u8) -> Self {
        Self { answer }
    }
}

#[allow(async_fn_in_trait)]
trait Work: Sized + Send + 'static {
    async fn work(self) -> u8;

    #[concurrency_limit(2, blocking)]
    fn by_default(self) -> u8 {
        2
    }
}

impl Work for Service {
    #[concurrency_limit(2, blocking)]
    fn work(self) -> u8 {
        self.answer
    }
}

static LIMITER: Limiter<Rejected> = Limiter::new("blocking-limiter", 1).max_waiting(0);

#[concurrency_limit(limiter = LIMITER, blocking, permit = permit)]
fn existing(number: u8) -> Result<(u8, Permit), Rejected> {
    Ok((number, permit))
}

#[concurrency_limit(1, blocking, max_wait = "1s", key = text, weight = text.len() as u32,
    on_reject = |rejected| format!("{} of {}: {}", rejected.weight(), rejected.limit(), text))]
fn handled(text: String) -> String {
    text
}

static LOWER: Limiter = Limiter::new("blocking-lower", 1);

#[concurrency_limit(limiter = LIMITER, blocking, on_reject = |_| (false, false))]
#[concurrency_limit(limiter = LOWER, permit = lower)]
fn twice() -> (bool, bool) {
    let before = LOWER.try_acquire().is_err() && LIMITER.try_acquire().is_err();
    drop(lower);
    (before, LOWER.try_acquire().is_ok())
}

macro_rules! made {
    ($name:ident, $argument:ident: $type:ty, $output:ty, $body:block) => {
        #[concurrency_limit(2, blocking)]
        fn $name($argument: $type) -> $output $body
    };
}

made!(made_of_fragments, number: u8, Option<u8>, {
    let number = number.checked_add(1)?;
    Some(number)
});

#[test]
fn blocking_functions_return_what_they_would_without_a_limit() {
    run(async {
        assert_eq!(plain(String::from("abc")).await, 3);
        let counter = Arc::new(AtomicUsize::new(0));
        nothing_returned(Arc::clone(&counter)).await;
        assert_eq!(counter.load(Ordering::Relaxed), 1);
        assert_eq!((fallible("7").await, fallible("70").await), (Ok(7), Ok(9)));
        assert!(fallible("x").await.is_err());
        assert_eq!(generic([1_u8, 2]).await, 5);
        assert_eq!(opaque(3).await.collect::<Vec<_>>(), [2, 1, 0]);
        assert_eq!(coerced(3).await.to_string(), "3");
        assert_eq!(patterns((1, 2), 3, 4, 5).await, 10);
        assert_eq!(foreign_abi(4).await, 4);
        assert_eq!(inner_attributes(5).await, 5);
        assert_eq!(Service { answer: 1 }.by_value().await, 1);
        assert_eq!(Arc::new(Service::associated(2).await).by_arc(3).await, 5);
        assert_eq!(
            Service { answer: 1 }.work().await + Service { answer: 1 }.by_default().await,
            3
        );
        assert_eq!(made_of_fragments(1).await, Some(2));
        assert_eq!(made_of_fragments(255).await, None);
        assert_eq!(handled(String::from("a")).await, "a");
        assert_eq!(handled(String::from("ab")).await, "2 of 1: ab");
        let (number, permit) = existing(3).await.unwrap();
        assert!(existing(4).await.is_err());
        drop(permit);
        assert_eq!(number, 3);
        assert_eq!(twice().await, (true, true));
    });
    let functions = [
        "plain",
        "nothing_returned",
        "fallible",
        "generic",
        "opaque",
        "coerced",
        "patterns",
        "foreign_abi",
        "inner_attributes",
        "by_value",
        "by_arc",
        "associated",
        "work",
        "by_default",
        "handled",
        "made_of_fragments",
    ];
    assert_limited(module_path!(), &functions);
}

#[test]
fn a_panic_goes_on_in_the_caller() {
    let call = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let panicked = call.block_on(async { tokio::spawn(async { never(true).await }).await });
    assert!(panicked.unwrap_err().is_panic());
}

/// Notes its drop.
struct Logged(&'static str, Arc<std::sync::Mutex<Vec<&'static str>>>);

impl Drop for Logged {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0);
    }
}

fn drops_plain(_first: Logged, second: Logged, _third: (Logged, Logged)) {
    let _local = Logged("local", Arc::clone(&second.1));
}

#[concurrency_limit(1, blocking)]
fn drops_limited(_first: Logged, second: Logged, _third: (Logged, Logged)) {
    let _local = Logged("local", Arc::clone(&second.1));
}

#[test]
fn locals_and_arguments_are_dropped_in_the_same_order() {
    let (plain, limited) = (Arc::default(), Arc::default());
    let logged = |name, log: &Arc<_>| Logged(name, Arc::clone(log));
    let pair = |log| (logged("left", log), logged("right", log));
    drops_plain(logged("first", &plain), logged("second", &plain), pair(&plain));
    run(drops_limited(logged("first", &limited), logged("second", &limited), pair(&limited)));
    let (plain, limited) = (plain.lock().unwrap(), limited.lock().unwrap());
    assert_eq!(*plain, *limited);
    assert_eq!(plain.len(), 5);
}

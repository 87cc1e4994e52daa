//! Functions that block run on tokio's blocking pool.

use super::in_use;
use limit_runtime::{Limiter, Permit, Rejected, RejectedKind, concurrency_limit};
use limit_tests::occupancy::Inside;
use limit_tests::runtimes::join;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use tokio::sync::oneshot;
use tokio_test::task;

/// Waits until `limiter` has no permit out.
async fn all_back(limiter: &Limiter) {
    while in_use(limiter) > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_threads_than_the_limit_are_busy_with_it() {
    static INSIDE: Inside = Inside::new();

    #[concurrency_limit(4, blocking)]
    fn limited(number: usize) -> usize {
        let _inside = INSIDE.enter();
        for _ in 0..100 {
            thread::yield_now();
        }
        number
    }

    let calls = (0..200).map(|number| tokio::spawn(limited(number))).collect();
    assert_eq!(join(calls).await, (0..200).collect::<Vec<_>>());
    assert!(INSIDE.most() <= 4, "{} at once", INSIDE.most());
    assert_eq!(INSIDE.now(), 0);
}

#[tokio::test]
async fn the_work_runs_on_another_thread() {
    #[concurrency_limit(1, blocking)]
    fn limited() -> thread::ThreadId {
        thread::current().id()
    }

    assert_ne!(limited().await, thread::current().id());
}

#[tokio::test]
async fn arguments_that_live_as_long_as_the_program_go_to_the_pool() {
    #[concurrency_limit(1, blocking)]
    fn constant(text: &'static str, table: &'static [u8]) -> usize {
        text.len() + table.len()
    }

    #[concurrency_limit(1, blocking)]
    fn parameters<'a: 'static, 'b>(text: &'a str, other: Cow<'b, str>) -> usize
    where
        'b: 'static,
    {
        text.len() + other.len()
    }

    #[concurrency_limit(1, blocking)]
    fn functions(
        one: fn(&str) -> usize,
        two: impl Fn(&str) -> usize + Send + 'static,
        three: Box<dyn Fn(&str) -> usize + Send>,
    ) -> usize {
        one("1") + two("2") + three("3")
    }

    #[concurrency_limit(1, blocking)]
    fn projection<'a, T: Split<Part<'a>: Send + 'static>>(part: T::Part<'a>) -> usize {
        size_of_val(&part)
    }

    assert_eq!(constant("text", b"table").await, 9);
    assert_eq!(parameters("text", Cow::Borrowed("other")).await, 9);
    assert_eq!(functions(str::len, str::len, Box::new(str::len)).await, 3);
    assert_eq!(projection::<String>(7).await, 1);
}

/// A type whose parts may be borrowed from it, but are not.
trait Split {
    type Part<'a>;
}

impl Split for String {
    type Part<'a> = u8;
}

#[tokio::test]
async fn a_borrowed_argument_that_the_body_does_not_use_stays_with_the_caller() {
    #[concurrency_limit(1, blocking)]
    #[expect(unused_variables, reason = "that is the point")]
    fn limited(_: &str, text: &str) -> &'static str {
        "/texts/{text}"
    }

    let text = String::from("borrowed");
    assert_eq!(limited(&text, &text).await, "/texts/{text}");
}

#[tokio::test]
async fn a_cancelled_caller_frees_no_permit_before_the_work_ends() {
    static LIMITER: Limiter = Limiter::new("options-blocking", 1);
    static ENDED: AtomicBool = AtomicBool::new(false);

    #[concurrency_limit(limiter = LIMITER, blocking)]
    fn limited(started: oneshot::Sender<()>, go_on: mpsc::Receiver<()>) {
        started.send(()).expect("the test waits for it");
        go_on.recv().expect("the test sends it");
        ENDED.store(true, Ordering::SeqCst);
    }

    let (started, has_started) = oneshot::channel();
    let (go_on, waits) = mpsc::channel();
    let mut call = task::spawn(limited(started, waits));
    assert!(call.poll().is_pending());
    has_started.await.unwrap();
    drop(call);
    assert!(LIMITER.try_acquire().is_err());
    go_on.send(()).unwrap();
    drop(LIMITER.acquire().await);
    assert!(ENDED.load(Ordering::SeqCst), "the permit came back when the work had ended");
    assert_eq!(in_use(&LIMITER), 0);
}

#[tokio::test]
async fn arguments_that_live_as_long_as_the_function_outlast_a_cancelled_caller() {
    static LIMITER: Limiter = Limiter::new("options-blocking-arguments", 1);
    static GONE: AtomicBool = AtomicBool::new(false);

    struct Directory;

    impl Drop for Directory {
        fn drop(&mut self) {
            GONE.store(true, Ordering::SeqCst);
        }
    }

    struct Job {
        go_on: mpsc::Receiver<()>,
        _directory: Directory,
    }

    #[concurrency_limit(limiter = LIMITER, blocking)]
    fn a_guard(go_on: mpsc::Receiver<()>, _directory: Directory) {
        let _ = go_on.recv();
        assert!(!GONE.load(Ordering::SeqCst));
    }

    #[concurrency_limit(limiter = LIMITER, blocking)]
    fn a_part(job: Job) {
        let _ = job.go_on.recv();
        assert!(!GONE.load(Ordering::SeqCst));
    }

    for part in [false, true] {
        GONE.store(false, Ordering::SeqCst);
        let (go_on, waits) = mpsc::channel();
        if part {
            let call = a_part(Job { go_on: waits, _directory: Directory });
            assert!(task::spawn(call).poll().is_pending());
        } else {
            assert!(task::spawn(a_guard(waits, Directory)).poll().is_pending());
        }
        assert!(!GONE.load(Ordering::SeqCst), "the caller is gone, the argument is not");
        go_on.send(()).unwrap();
        all_back(&LIMITER).await;
        while !GONE.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_panic_goes_on_in_the_caller_and_gives_the_permit_back() {
    static LIMITER: Limiter = Limiter::new("options-blocking-panic", 1);

    #[concurrency_limit(limiter = LIMITER, blocking)]
    fn limited(number: u8) -> u8 {
        assert_ne!(number, 3, "three");
        number
    }

    for _ in 0..10 {
        let panic = tokio::spawn(async { limited(3).await }).await.unwrap_err().into_panic();
        let message = panic.downcast_ref::<String>().expect("a message");
        assert!(message.contains("three"), "{message}");
        all_back(&LIMITER).await;
    }
    assert_eq!(limited(4).await, 4);
}

#[tokio::test]
async fn a_refused_call_does_not_reach_the_pool() {
    static RAN: AtomicBool = AtomicBool::new(false);

    #[concurrency_limit(2, blocking, weight = 3, on_reject = |rejected| {
        tokio::task::yield_now().await;
        Err((text, rejected.kind()))
    })]
    fn limited(text: String) -> Result<String, (String, RejectedKind)> {
        RAN.store(true, Ordering::SeqCst);
        Ok(text)
    }

    let refused = limited(String::from("a")).await;
    assert_eq!(refused, Err((String::from("a"), RejectedKind::TooHeavy)));
    assert!(!RAN.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_permit_that_is_named_is_the_works_own() {
    #[concurrency_limit(1, blocking, permit = permit, max_waiting = 0)]
    fn limited() -> Result<Permit, Rejected> {
        Ok(permit)
    }

    let permit = limited().await.unwrap();
    assert_eq!(limited().await.unwrap_err().kind(), RejectedKind::QueueFull);
    drop(permit);
    assert!(limited().await.is_ok());
}

#[tokio::test]
async fn under_two_attributes_both_permits_stay_with_the_work() {
    static UPPER: Limiter = Limiter::new("options-blocking-upper", 1);
    static LOWER: Limiter = Limiter::new("options-blocking-lower", 1);

    #[concurrency_limit(limiter = UPPER, blocking)]
    #[concurrency_limit(limiter = LOWER)]
    fn limited(service: Arc<u8>, go_on: mpsc::Receiver<()>) -> u8 {
        let _ = go_on.recv();
        *service
    }

    let (go_on, waits) = mpsc::channel();
    let mut call = task::spawn(limited(Arc::new(7), waits));
    assert!(call.poll().is_pending());
    drop(call);
    assert_eq!((in_use(&UPPER), in_use(&LOWER)), (1, 1));
    go_on.send(()).unwrap();
    all_back(&UPPER).await;
    all_back(&LOWER).await;

    let (go_on, waits) = mpsc::channel();
    go_on.send(()).unwrap();
    assert_eq!(limited(Arc::new(7), waits).await, 7);
}

#[test]
fn nothing_runs_before_the_first_poll() {
    #[concurrency_limit(1, blocking)]
    fn limited() {
        unreachable!("it is never polled");
    }

    drop(limited());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { drop(limited()) });
}

#[test]
fn a_call_that_waits_when_its_turn_comes_goes_to_the_pool_then() {
    static LIMITER: Limiter = Limiter::new("options-blocking-waits", 1);

    #[concurrency_limit(limiter = LIMITER, blocking)]
    fn limited() -> u8 {
        5
    }

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let held = LIMITER.acquire().await;
        let mut call = task::spawn(limited());
        assert!(call.poll().is_pending());
        assert_eq!(LIMITER.snapshot().total.waiting, 1);
        drop(held);
        assert!(call.is_woken());
        assert_eq!(call.await, 5);
    });
}

#[tokio::test]
async fn an_argument_of_which_the_body_gets_a_copy_may_be_borrowed() {
    struct Item<'a> {
        id: u32,
        _name: &'a str,
    }

    #[concurrency_limit(1, blocking)]
    fn reference(&number: &u32) -> u32 {
        number + 1
    }

    #[concurrency_limit(1, blocking)]
    fn pair(&(one, other): &(u32, u32)) -> u32 {
        one + other
    }

    #[concurrency_limit(1, blocking)]
    fn owned_half((_, number): (&str, u32)) -> u32 {
        number + 1
    }

    #[concurrency_limit(1, blocking)]
    fn owned_field(Item { id, .. }: Item<'_>) -> u32 {
        id + 1
    }

    assert_eq!((reference(&1).await, pair(&(1, 2)).await), (2, 3));
    assert_eq!(owned_half(("one", 1)).await, 2);
    assert_eq!(owned_field(Item { id: 1, _name: "one" }).await, 2);
}

#[tokio::test]
async fn an_argument_that_the_body_does_not_name_may_be_borrowed() {
    #[expect(unused_variables, reason = "that is the point")]
    #[concurrency_limit(1, blocking)]
    fn limited(text: &str) -> String {
        format!("{{text}} {}", 1)
    }

    assert_eq!(limited("").await, "{text} 1");
}

#[tokio::test]
async fn a_lifetime_that_is_static_by_a_bound_elsewhere_is_no_borrow() {
    struct Texts<'a>(Vec<&'a str>);

    impl<'a: 'static> Texts<'a> {
        #[concurrency_limit(1, blocking)]
        fn len(self, text: &'a str) -> usize {
            self.0.len() + text.len()
        }
    }

    #[concurrency_limit(1, blocking)]
    fn len<'a, 'b>(text: &'a str) -> usize
    where
        'a: 'b,
        'b: 'static,
    {
        text.len()
    }

    assert_eq!(Texts(vec!["one"]).len("two").await, 4);
    assert_eq!(len("two").await, 3);
}

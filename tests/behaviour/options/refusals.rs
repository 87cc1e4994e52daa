//! Refused calls: the reason, the error, and the value that `on_reject` returns instead.

use super::{figures, in_its_body};
use limit_runtime::{Limiter, Rejected, RejectedKind, concurrency_limit};
use std::cell::Cell;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_test::assert_ready;
use tokio_test::task;

const TICK: Duration = Duration::from_millis(10);

#[test]
fn with_n_running_and_q_waiting_the_next_is_refused_with_the_figures_and_has_not_run() {
    #[concurrency_limit(2, max_waiting = 3, name = "options-bounded")]
    async fn limited(ran: &Cell<usize>) -> Result<(), Rejected> {
        ran.set(ran.get() + 1);
        std::future::pending().await
    }

    let ran = Cell::new(0);
    let mut calls: Vec<_> = (0..5).map(|_| in_its_body(limited(&ran))).collect();
    let rejected = assert_ready!(task::spawn(limited(&ran)).poll()).unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::QueueFull);
    assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (2, 2, 3));
    assert_eq!(rejected.limiter(), "options-bounded");
    assert_eq!(ran.get(), 2, "only those inside have run");
    assert_eq!(figures("options-bounded").rejected.queue_full, 1);

    drop(calls.pop());
    calls.push(in_its_body(limited(&ran)));
    assert!(assert_ready!(task::spawn(limited(&ran)).poll()).is_err());
    assert_eq!(ran.get(), 2);
}

#[test]
fn without_a_queue_the_next_is_refused_and_those_inside_are_unaffected() {
    #[concurrency_limit(1, max_waiting = 0)]
    async fn limited() -> Option<u8> {
        tokio::task::yield_now().await;
        Some(1)
    }

    let mut inside = in_its_body(limited());
    assert_eq!(assert_ready!(task::spawn(limited()).poll()), None);
    assert_eq!(assert_ready!(inside.poll()), Some(1));
    drop(inside);
    drop(in_its_body(limited()));
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_as_long_as_it_may() {
    #[concurrency_limit(1, max_wait = "30ms")]
    async fn limited(stay: Duration) -> Result<(), Rejected> {
        sleep(stay).await;
        Ok(())
    }

    let start = Instant::now();
    let (first, in_time) = tokio::join!(limited(2 * TICK), limited(Duration::ZERO));
    assert!(first.is_ok() && in_time.is_ok());

    let (first, late) = tokio::join!(limited(4 * TICK), limited(Duration::ZERO));
    let rejected = late.unwrap_err();
    assert!(first.is_ok());
    assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::TimedOut, 3 * TICK));
    assert_eq!(start.elapsed(), 6 * TICK);
}

#[tokio::test(start_paused = true)]
async fn the_wait_may_be_that_of_a_request() {
    struct Request {
        deadline: Instant,
    }

    #[concurrency_limit(1, max_wait = request.deadline)]
    async fn limited(request: Request, stay: Duration) -> Result<Instant, Rejected> {
        sleep(stay).await;
        Ok(request.deadline)
    }

    let start = Instant::now();
    let request = |ticks| Request { deadline: start + ticks * TICK };
    let past = Request { deadline: start };
    assert_eq!(limited(past, TICK).await.unwrap(), start, "a free permit is taken all the same");
    let (first, second) =
        tokio::join!(limited(request(1), 4 * TICK), limited(request(3), Duration::ZERO));
    assert!(first.is_ok());
    assert_eq!(second.unwrap_err().waited(), 2 * TICK);
}

#[test]
fn a_call_takes_as_many_permits_as_its_arguments_say() {
    // The limiter has a name, because other tests have a function of this name too.
    #[concurrency_limit(
        4,
        weight = u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        name = "options-weight"
    )]
    async fn limited(bytes: &[u8]) -> Result<usize, Rejected> {
        std::future::pending::<()>().await;
        Ok(bytes.len())
    }

    let name = "options-weight";
    let three = in_its_body(limited(&[0; 3]));
    let weightless = in_its_body(limited(&[]));
    assert_eq!((figures(name).in_use, figures(name).admitted_at_once), (3, 2));
    let two = in_its_body(limited(&[0; 2]));
    assert_eq!(figures(name).waiting, 1);
    let rejected = assert_ready!(task::spawn(limited(&[0; 5])).poll()).unwrap_err();
    assert_eq!((rejected.kind(), rejected.weight()), (RejectedKind::TooHeavy, 5));
    drop((three, weightless, two));
}

#[test]
fn a_refusal_handler_sees_the_arguments_and_the_reason() {
    #[derive(Debug, PartialEq)]
    enum Answer {
        Ran(String),
        Refused(String, RejectedKind, usize),
    }

    #[concurrency_limit(1, max_waiting = 0, on_reject = |rejected| {
        Answer::Refused(name, rejected.kind(), rejected.in_use())
    })]
    async fn limited(name: String) -> Answer {
        tokio::task::yield_now().await;
        Answer::Ran(name)
    }

    let mut inside = in_its_body(limited(String::from("first")));
    let refused = assert_ready!(task::spawn(limited(String::from("second"))).poll());
    assert_eq!(refused, Answer::Refused(String::from("second"), RejectedKind::QueueFull, 1));
    assert_eq!(assert_ready!(inside.poll()), Answer::Ran(String::from("first")));
}

#[test]
fn an_error_of_the_body_never_reaches_the_refusal_handler() {
    /// Takes the type that the handler receives.
    fn of_another_limiter() -> Rejected {
        let other = Limiter::new("options-other", 1);
        let _permit = other.try_acquire();
        other.try_acquire().unwrap_err()
    }

    #[concurrency_limit(1, max_waiting = 0, on_reject = |_| panic!("it was not refused"))]
    async fn limited() -> Result<(), Rejected> {
        Err(of_another_limiter())?;
        Ok(())
    }

    let error = assert_ready!(task::spawn(limited()).poll()).unwrap_err();
    assert_eq!(error.limiter(), "options-other");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_handler_may_await_and_return() {
    async fn cached(id: u8) -> Result<u8, std::num::ParseIntError> {
        sleep(TICK).await;
        "7".parse::<u8>().map(|seven| seven + id)
    }

    #[concurrency_limit(1, max_wait = "10ms", on_reject = |rejected: Rejected| {
        if rejected.waited() < TICK {
            return Ok(0);
        }
        cached(id).await?
    }.checked_add(100).ok_or_else(|| "".parse::<u8>().unwrap_err()))]
    async fn limited(id: u8, stay: Duration) -> Result<u8, std::num::ParseIntError> {
        sleep(stay).await;
        Ok(id)
    }

    let start = Instant::now();
    let (first, second) = tokio::join!(limited(1, 5 * TICK), limited(2, 5 * TICK));
    assert_eq!((first, second), (Ok(1), Ok(109)));
    assert_eq!(start.elapsed(), 5 * TICK);
}

#[test]
fn a_refused_handler_holds_no_permit() {
    static LIMITER: Limiter<Rejected> = Limiter::new("options-handler", 2).max_waiting(0);

    #[concurrency_limit(limiter = LIMITER, weight = 3, on_reject = |_| {
        LIMITER.snapshot().total.in_use
    })]
    async fn limited() -> usize {
        9
    }

    assert_eq!(assert_ready!(task::spawn(limited()).poll()), 0);
}

#[test]
fn calls_that_give_way_in_a_deadlock_can_be_refused() {
    #[concurrency_limit(1, on_deadlock = refuse, name = "options-gives-way")]
    async fn gives_way() -> Result<u8, Rejected> {
        Ok(1)
    }
    #[concurrency_limit(
        3, on_deadlock = refuse, scope = fleet, key = tenant, claim_within = never,
        on_reject = |rejected| rejected.limiter().len(), name = "options-gives-way-2"
    )]
    async fn with_a_value(tenant: u8) -> usize {
        usize::from(tenant)
    }
    #[concurrency_limit(1, weight = 1, max_waiting = 9, on_deadlock = refuse, order = lifo, per = "1ns")]
    async fn with_others() -> Option<u8> {
        Some(2)
    }

    assert_eq!(assert_ready!(task::spawn(gives_way()).poll()).expect("it is free"), 1);
    assert_eq!(assert_ready!(task::spawn(with_a_value(5)).poll()), 5);
    assert_eq!(assert_ready!(task::spawn(with_others()).poll()), Some(2));
    for name in ["options-gives-way", "options-gives-way-2"] {
        let handle = limit_runtime::find(name).expect("it is in use");
        handle.close().expect("its calls can be refused");
        assert_eq!(handle.settings().max_waiting.value, None, "there is no bound");
    }
    let refused = assert_ready!(task::spawn(gives_way()).poll()).unwrap_err();
    assert_eq!(refused.kind(), RejectedKind::Closed);
    assert_eq!(assert_ready!(task::spawn(with_a_value(5)).poll()), "options-gives-way-2".len());
}

#[test]
fn calls_that_wait_on_in_a_deadlock_are_not_refused() {
    #[concurrency_limit(1, on_deadlock = warn, name = "options-waits-on")]
    async fn waits_on() {}

    assert_ready!(task::spawn(waits_on()).poll());
    let handle = limit_runtime::find("options-waits-on").expect("it is in use");
    handle.close().expect_err("its calls cannot be told");
}

#[test]
fn a_closed_limiter_refuses_through_the_attribute() {
    #[concurrency_limit(1, max_waiting = 9, name = "options-closed")]
    async fn limited() -> Result<(), Rejected> {
        std::future::pending().await
    }

    let inside = in_its_body(limited());
    let mut waiter = in_its_body(limited());
    let handle = limit_runtime::find("options-closed").expect("it is in use");
    handle.close().expect("its calls can be refused");
    for call in [&mut waiter, &mut task::spawn(limited())] {
        assert_eq!(assert_ready!(call.poll()).unwrap_err().kind(), RejectedKind::Closed);
    }
    drop(inside);
}

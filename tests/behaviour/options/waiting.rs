//! Options that decide which call is served first, and when.

use limit_runtime::{Rejected, RejectedKind, concurrency_limit};
use std::cell::RefCell;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const TICK: Duration = Duration::from_millis(10);

type Log = RefCell<Vec<u8>>;

#[tokio::test(start_paused = true)]
async fn the_newest_goes_first_where_the_order_says_so() {
    #[concurrency_limit(1, order = lifo)]
    async fn limited(log: &Log, number: u8) {
        sleep(TICK).await;
        log.borrow_mut().push(number);
    }

    let log = Log::default();
    tokio::join!(
        biased;
        limited(&log, 9),
        limited(&log, 0),
        limited(&log, 1),
        limited(&log, 2),
        limited(&log, 3),
        limited(&log, 4),
    );
    assert_eq!(log.into_inner(), [9, 4, 3, 2, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_is_refused_to_let_the_newest_in() {
    #[concurrency_limit(1, order = lifo, max_waiting = 2, on_reject = |rejected| {
        log.borrow_mut().push(100 + number);
        Err(rejected)
    })]
    async fn limited(log: &Log, number: u8) -> Result<(), Rejected> {
        sleep(TICK).await;
        log.borrow_mut().push(number);
        Ok(())
    }

    let log = Log::default();
    let (_, oldest, ..) = tokio::join!(
        biased;
        limited(&log, 0),
        limited(&log, 1),
        limited(&log, 2),
        limited(&log, 3),
    );
    assert_eq!(oldest.unwrap_err().kind(), RejectedKind::Evicted);
    assert_eq!(log.into_inner(), [101, 0, 3, 2]);
}

#[tokio::test(start_paused = true)]
async fn the_higher_go_first_and_within_one_priority_who_came_first() {
    #[concurrency_limit(1, priority = urgent)]
    async fn limited(log: &Log, number: u8, urgent: u8) {
        sleep(TICK).await;
        log.borrow_mut().push(number);
    }

    let log = Log::default();
    tokio::join!(
        biased;
        limited(&log, 0, 0),
        limited(&log, 1, 1),
        limited(&log, 2, 200),
        limited(&log, 3, 200),
        limited(&log, 4, 255),
        limited(&log, 5, 1),
    );
    assert_eq!(log.into_inner(), [0, 4, 2, 3, 1, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_low_one_does_not_wait_for_ever_under_a_stream_of_higher_ones() {
    #[concurrency_limit(1, priority = urgent)]
    async fn limited(urgent: u8, stay: Duration) -> Instant {
        sleep(stay).await;
        Instant::now()
    }

    let start = Instant::now();
    let stream = async {
        // Two calls at any time, so that one always waits.
        let half = || async {
            while start.elapsed() < Duration::from_secs(20) {
                limited(5, Duration::from_millis(500)).await;
            }
        };
        tokio::join!(half(), half(), half())
    };
    let low = async {
        sleep(TICK).await;
        limited(0, Duration::ZERO).await
    };
    let (_, served) = tokio::join!(stream, low);
    let waited = served - start;
    assert!(waited >= Duration::from_secs(5), "{waited:?}");
    assert!(waited < Duration::from_secs(7), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn no_window_has_more_starts_than_the_limit() {
    #[concurrency_limit(3, per = "60s")]
    async fn limited(starts: &RefCell<Vec<Instant>>) {
        starts.borrow_mut().push(Instant::now());
        sleep(TICK).await;
    }

    let starts = RefCell::default();
    let start = Instant::now();
    for call in 0..10_u32 {
        limited(&starts).await;
        // The window does not delay the caller.
        let begun = starts.borrow()[call as usize];
        assert_eq!(begun.elapsed(), TICK);
    }
    let starts = starts.into_inner();
    for window in starts.windows(4) {
        assert!(window[3] - window[0] >= Duration::from_secs(60));
    }
    assert!(start.elapsed() < Duration::from_secs(181), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_window_may_be_a_constant() {
    const WINDOW: Duration = Duration::from_secs(2);

    #[concurrency_limit(1, per = WINDOW, max_wait = "1s500ms")]
    async fn limited() -> Result<(), Rejected> {
        Ok(())
    }

    assert!(limited().await.is_ok());
    assert_eq!(limited().await.unwrap_err().kind(), RejectedKind::TimedOut);
    let start = Instant::now();
    assert!(limited().await.is_ok());
    assert_eq!(start.elapsed(), Duration::from_millis(500));
}

//! Limits that find themselves.

mod backend;
mod cancelled;
mod edges;
mod held;
mod limits;
mod model;
mod vector;
mod verdicts;

use backend::{Backend, load, settled};
use limit_runtime::{AdaptiveCause, Limiter};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn the_limit_comes_to_what_the_backend_works_on_at_a_time() {
    static DB: Limiter = Limiter::adaptive("adapting-knee", 1..=400);
    let backend = Backend::new(10, Duration::from_millis(20));
    load(&DB, &backend, 300, 90 * SECOND).await;
    let limit = settled(&DB).await;
    // 10 work, and √10 more keep them busy.
    assert!((10..=20).contains(&limit), "{limit}");
    let figures = DB.snapshot().adaptive.expect("it adapts");
    let base_time = figures.base_time.expect("it has asked");
    assert!(base_time < 2 * backend.work && base_time >= backend.work, "{figures:?}");
    assert!(figures.queue.is_some_and(|queue| queue <= 5), "{figures:?}");
}

#[tokio::test(start_paused = true)]
async fn the_limit_follows_the_backend() {
    static DB: Limiter = Limiter::adaptive("adapting-follows", 1..=400);
    let backend = Backend::new(4, Duration::from_millis(20));
    load(&DB, &backend, 100, 150 * SECOND).await;
    let few = settled(&DB).await;
    assert!((4..=9).contains(&few), "{few}");
    backend.add_workers(36);
    load(&DB, &backend, 100, 60 * SECOND).await;
    let many = settled(&DB).await;
    assert!((36..=80).contains(&many), "{many}");
}

#[tokio::test(start_paused = true)]
async fn without_waiters_nothing_changes() {
    static DB: Limiter = Limiter::adaptive("adapting-idle", 1..=100).start(10);
    let backend = Backend::new(1, Duration::from_millis(20));
    // 10 tasks take all of the limit, and nobody waits.
    load(&DB, &backend, 10, 600 * SECOND).await;
    let snapshot = DB.snapshot();
    assert_eq!((DB.limit(), snapshot.total.admitted_after_waiting), (Some(10), 0));
    assert_eq!(snapshot.total.adapted.total(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_question_is_over_when_somebody_looks_though_nobody_calls() {
    static DB: Limiter = Limiter::adaptive("adapting-question", 1..=100);
    let backend = Backend::new(8, Duration::from_millis(50));
    let running = tokio::spawn({
        let backend = backend.clone();
        async move { load(&DB, &backend, 200, 600 * SECOND).await }
    });
    let is_asking = || DB.snapshot().adaptive.is_some_and(|figures| figures.is_asking);
    while !is_asking() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (half, asked) = (DB.limit(), DB.snapshot().total.adapted.question);
    running.abort();
    assert!(running.await.is_err());
    tokio::time::sleep(60 * SECOND).await;
    let snapshot = DB.snapshot();
    let figures = snapshot.adaptive.expect("it adapts");
    assert!(!figures.is_asking && DB.limit() > half, "{figures:?}");
    assert_eq!(figures.last_change, Some(AdaptiveCause::Answer));
    assert_eq!((snapshot.total.adapted.question, snapshot.total.in_use), (asked, 0));
}

#[tokio::test(start_paused = true)]
async fn each_runtime_adapts_by_itself() {
    static DB: Limiter = Limiter::adaptive("adapting-runtimes", 1..=400);
    let here = Backend::new(4, Duration::from_millis(20));
    load(&DB, &here, 50, 150 * SECOND).await;
    let other = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let backend = Backend::new(40, Duration::from_millis(20));
            load(&DB, &backend, 100, 60 * SECOND).await;
            DB.snapshot().runtimes
        })
    });
    let runtimes = other.join().expect("no panic");
    let limits: Vec<_> = runtimes.iter().map(|runtime| runtime.figures.limit).collect();
    assert!(limits.len() == 2 && limits[0] < 10 && limits[1] > 30, "{limits:?}");
    let adaptive = runtimes.iter().map(|runtime| runtime.adaptive.expect("it adapts").limit);
    assert!(adaptive.eq(limits));
}

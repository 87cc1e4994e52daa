//! Calls whose callers give up soon.

use super::SECOND;
use super::backend::Backend;
use limit_runtime::{AdaptiveFigures, Limiter, concurrency_limit};
use std::future::Future;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Makes calls from 100 tasks for two minutes. Every other caller gives up a millisecond after its call was admitted.
async fn with_impatient_callers<F>(call: impl Fn(&'static Notify) -> F + Clone + Send + 'static)
where
    F: Future<Output = ()> + Send,
{
    let end = Instant::now() + 120 * SECOND;
    let mut load = JoinSet::new();
    for task in 0_u32..100 {
        let call = call.clone();
        load.spawn(async move {
            sleep(Duration::from_micros(137) * task).await;
            let admitted: &'static Notify = Box::leak(Box::default());
            while Instant::now() < end {
                let gives_up = async {
                    admitted.notified().await;
                    sleep(Duration::from_millis(1)).await;
                    if task % 2 == 0 {
                        std::future::pending::<()>().await;
                    }
                };
                tokio::select! {
                    () = call(admitted) => {}
                    () = gives_up => {}
                }
            }
        });
    }
    load.join_all().await;
}

fn figures(limiter: &'static Limiter) -> AdaptiveFigures {
    limiter.snapshot().adaptive.expect("it adapts")
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_cancelled_early_does_not_count_where_the_output_is_judged() {
    static API: Limiter = Limiter::adaptive("cancelled-judged", 1..=400);
    #[concurrency_limit(limiter = API, overload = |()| false)]
    async fn judged(backend: Backend, admitted: &Notify) {
        admitted.notify_one();
        backend.call().await;
    }
    let backend = Backend::new(10, Duration::from_millis(20));
    with_impatient_callers(move |admitted| judged(backend.clone(), admitted)).await;
    let figures = figures(&API);
    // A call takes 20 ms of its backend, and a cancelled one is gone after 1 ms.
    assert!(figures.time >= Some(Duration::from_millis(20)), "{figures:?}");
    assert!(figures.base_time >= Some(Duration::from_millis(20)), "{figures:?}");
}

#[tokio::test(start_paused = true)]
async fn elsewhere_a_cancelled_call_counts_with_the_time_that_it_had() {
    static API: Limiter = Limiter::adaptive("cancelled-unjudged", 1..=400);
    #[concurrency_limit(limiter = API)]
    async fn unjudged(backend: Backend, admitted: &Notify) {
        admitted.notify_one();
        backend.call().await;
    }
    let backend = Backend::new(10, Duration::from_millis(20));
    with_impatient_callers(move |admitted| unjudged(backend.clone(), admitted)).await;
    let figures = figures(&API);
    assert!(figures.base_time < Some(Duration::from_millis(15)), "{figures:?}");
}

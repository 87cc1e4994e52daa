//! Deadlocks that are found.

use crate::support::{deadlocks, runtime, until_found};
use limit_runtime::concurrency_limit;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;

#[test]
fn two_functions_that_call_each_other_under_two_limits() {
    #[concurrency_limit(1, name = "found-a")]
    async fn a(both: Arc<Barrier>, is_outer: bool) {
        if is_outer {
            both.wait().await;
            Box::pin(b(both, false)).await;
        }
    }

    #[concurrency_limit(1, name = "found-b")]
    async fn b(both: Arc<Barrier>, is_outer: bool) {
        if is_outer {
            both.wait().await;
            Box::pin(a(both, false)).await;
        }
    }

    let runtime = runtime();
    let both = Arc::new(Barrier::new(2));
    let tasks = [runtime.spawn(a(Arc::clone(&both), true)), runtime.spawn(b(both, true))];
    let deadlock = until_found("found-a");
    assert_eq!(deadlock.calls().len(), 2, "{deadlock}");
    assert!(!deadlock.is_reentry());
    assert!(deadlock.age() >= Duration::from_secs(1));
    let text = deadlock.to_string();
    for stuck in deadlock.calls() {
        let [holder] = stuck.holders() else { panic!("one holds it: {text}") };
        assert_eq!(holder.limiter(), stuck.call().limiter());
        assert_ne!(holder.task(), stuck.call().task());
        let ids = tasks.each_ref().map(|task| Some(task.id()));
        assert!(ids.contains(&holder.task()) && ids.contains(&stuck.call().task()), "{text}");
        assert!(text.contains(&holder.place().to_string()), "{text}");
    }
    eprintln!("{text}");
    tasks[0].abort();
    let _ = runtime.block_on(tasks.into_iter().next().expect("two"));
    assert!(deadlocks("found-a").is_empty(), "it is resolved");
}

//! `gather` and `as_completed`, with their `try_` forms.

use super::{Work, ms, settle};
use futures::{FutureExt, stream};
use limit_runtime::Limiter;
use limit_runtime::task::{self, LimitStreamExt, StreamExt, local};
use limit_tests::runtimes::workers;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn outputs_are_in_the_order_of_the_input_whichever_is_there_first() {
    let outputs = task::gather(
        3,
        (0..10_u64).map(|n| async move {
            sleep(ms(100 - 10 * n)).await;
            n
        }),
    );
    assert_eq!(outputs.await, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[tokio::test(start_paused = true)]
async fn as_many_run_as_the_limit_says_and_never_more() {
    let (work, start) = (Work::default(), Instant::now());
    task::gather(3, (0..9).map(|_| work.clone().take(ms(10)))).await;
    assert_eq!((work.most(), work.ended()), (3, 9));
    assert_eq!(start.elapsed(), ms(30), "three times three at once");
}

#[test]
fn the_limit_holds_on_many_threads() {
    let most = workers(4).block_on(async {
        let work = Work::default();
        let yields = |_| {
            let work = work.clone();
            async move {
                let _inside = work.0.inside.enter();
                tokio::task::yield_now().await;
            }
        };
        assert_eq!(task::gather(7, (0..2_000).map(yields)).await.len(), 2_000);
        work.most()
    });
    assert!(most <= 7, "{most} at once");
}

#[tokio::test(start_paused = true)]
async fn a_slow_first_one_does_not_keep_the_others_from_starting() {
    let start = Instant::now();
    let times = [100, 10, 10, 10, 10, 10, 10];
    task::gather(2, times.map(|time| sleep(ms(time)))).await;
    assert_eq!(start.elapsed(), ms(100));
}

#[tokio::test]
async fn fewer_futures_than_the_limit_and_none_at_all_are_no_trouble() {
    assert_eq!(task::gather(usize::MAX, [async { 1 }]).await, [1]);
    assert!(task::gather(5, Vec::<std::future::Ready<u8>>::new()).await.is_empty());
    assert_eq!(task::try_gather(5, [async { Ok::<_, ()>(1) }]).await, Ok(vec![1]));
}

#[tokio::test(start_paused = true)]
async fn futures_are_made_when_there_is_room_for_them() {
    let (work, made) = (Work::default(), Arc::new(AtomicUsize::new(0)));
    let futures = (0..100).map({
        let (work, made) = (work.clone(), Arc::clone(&made));
        move |_| {
            made.fetch_add(1, Ordering::SeqCst);
            work.clone().take(ms(10))
        }
    });
    let gathered = tokio::spawn(task::gather(4, futures));
    settle().await;
    assert_eq!(made.load(Ordering::SeqCst), 4);
    sleep(ms(15)).await;
    assert_eq!(made.load(Ordering::SeqCst), 8);
    gathered.abort();
    assert!(gathered.await.unwrap_err().is_cancelled());
    settle().await;
    assert_eq!((work.now(), work.begun(), work.ended()), (0, 8, 4), "the others are cancelled");
}

#[tokio::test]
async fn nothing_begins_before_the_first_poll() {
    let work = Work::default();
    let gathered = task::gather(4, [work.clone().take(ms(1))]);
    tokio::task::yield_now().await;
    drop(gathered);
    assert_eq!(work.begun(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_first_error_in_time_ends_it_and_cancels_the_others() {
    let work = Work::default();
    let results = (0..100).map(|n| {
        let work = work.clone();
        async move {
            work.take(ms(if n == 0 { 1_000 } else { 10 * n })).await;
            if n >= 3 { Err(n) } else { Ok(n) }
        }
    });
    let start = Instant::now();
    assert_eq!(task::try_gather(4, results).await, Err(3));
    assert_eq!(start.elapsed(), ms(30));
    settle().await;
    // Tasks 0 to 3 began at once, 4 when 1 had ended, and 5 when 2 had ended.
    assert_eq!((work.now(), work.begun(), work.ended()), (0, 6, 3));
}

#[tokio::test(start_paused = true)]
async fn a_panic_goes_on_in_whoever_gathers_and_cancels_the_others() {
    let work = Work::default();
    let slow = {
        let work = work.clone();
        async move { work.take(ms(1_000)).await }
    };
    let futures = vec![
        slow.boxed(),
        async {
            sleep(ms(5)).await;
            panic!("out of paper");
        }
        .boxed(),
    ];
    let gathered = tokio::spawn(task::gather(2, futures));
    let panic = gathered.await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"out of paper"));
    settle().await;
    assert_eq!((work.now(), work.begun(), work.ended()), (0, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn as_completed_gives_outputs_as_they_come() {
    let naps = [30, 10, 20, 5].map(|time| async move {
        sleep(ms(time)).await;
        time
    });
    let outputs: Vec<_> = task::as_completed(3, naps).collect().await;
    assert_eq!(outputs, [10, 5, 20, 30]);

    let results = [3_u8, 1, 2].map(|n| async move {
        sleep(ms(n.into())).await;
        if n == 2 { Err(n) } else { Ok(n) }
    });
    let outputs: Vec<_> = task::try_as_completed(3, results).collect().await;
    assert_eq!(outputs, [Ok(1), Err(2)]);
}

#[tokio::test]
async fn futures_may_come_from_a_stream() {
    let futures = futures::stream::iter(0..5).then(async |n| std::future::ready(n));
    assert_eq!(task::gather(2, futures).await, [0, 1, 2, 3, 4]);
}

#[test]
fn a_limit_of_zero_panics_at_once() {
    use futures::future::{Ready, ready};
    let none = std::iter::empty::<Ready<Result<(), ()>>>;
    let calls: [(&str, &dyn Fn()); 9] = [
        ("gather", &|| drop(task::gather(0, none()))),
        ("try_gather", &|| drop(task::try_gather(0, none()))),
        ("as_completed", &|| drop(task::as_completed(0, none()))),
        ("try_as_completed", &|| drop(task::try_as_completed(0, none()))),
        ("map", &|| drop(task::map(0, 0..1, ready))),
        ("try_map", &|| drop(task::try_map(0, 0..1, |_| ready(Ok::<_, ()>(()))))),
        ("pool", &|| drop(task::Pool::new(0))),
        ("local::gather", &|| drop(task::local::gather(0, none()))),
        ("local::try_gather", &|| drop(task::local::try_gather(0, none()))),
    ];
    for (name, call) in calls {
        let panic = catch_unwind(AssertUnwindSafe(call)).expect_err(name);
        let message = panic.downcast_ref::<&str>().expect("text");
        assert!(message.contains("a limit of 0"), "{name}: {message}");
    }
}

#[test]
fn they_are_send_over_an_iterator_of_references_too() {
    struct App {
        names: Vec<String>,
    }

    async fn len(name: String) -> usize {
        tokio::task::yield_now().await;
        name.len()
    }

    async fn result(name: String) -> Result<usize, ()> {
        tokio::task::yield_now().await;
        Ok(name.len())
    }

    async fn borrowed(name: &str) -> usize {
        tokio::task::yield_now().await;
        name.len()
    }

    async fn all(app: Arc<App>, limiter: Arc<Limiter>) {
        let names = || app.names.iter();
        task::gather(2, names().map(|name| len(name.clone()))).await;
        drop(task::try_gather(2, names().map(|name| result(name.clone()))).await);
        let mut lengths = task::as_completed(2, names().map(|name| len(name.clone())));
        while lengths.next().await.is_some() {}
        let mut lengths = task::try_as_completed(2, names().map(|name| result(name.clone())));
        while lengths.next().await.is_some() {}
        local::gather(2, names().map(|name| borrowed(name))).await;
        drop(local::try_gather(2, names().map(|name| result(name.clone()))).await);
        let mut lengths = task::map(2, names(), |name| len(name.clone())).ordered();
        while lengths.next().await.is_some() {}
        let mut lengths = task::map(2, names().map(|name| format!("{name}!")), len).ordered();
        while lengths.next().await.is_some() {}
        let names = stream::iter(names().map(|name| format!("{name}!")));
        let mut lengths = names.map_limited(&limiter, len).ordered();
        while lengths.next().await.is_some() {}
    }

    fn sent<T: Send>(value: T) -> T {
        value
    }
    let limiter = Arc::new(Limiter::new("gather-send", 1));
    drop(sent(all(Arc::new(App { names: Vec::new() }), limiter)));
}

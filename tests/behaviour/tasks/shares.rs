//! Tasks that belong to a share of a limiter's permits.

use super::{ms, settle};
use futures::stream;
use limit_runtime::task::{LimitStreamExt, Pool, StreamExt};
use limit_runtime::{Limiter, Share};
use limit_tests::polling::{assert_waits, served, waiter};
use std::future::pending;
use std::sync::Arc;
use std::sync::mpsc;
use tokio::time::sleep;

const SHARES: &[Share] = &[Share::new("live", 50).reserved(), Share::new("batch", 50)];

/// Returns in use and waiting of each share, and of the rest.
fn uses(limiter: &Limiter) -> [(usize, usize); 3] {
    let shares = limiter.snapshot().shares;
    [0, 1, 2].map(|number| (shares[number].in_use, shares[number].waiting))
}

#[tokio::test(start_paused = true)]
async fn the_tasks_of_a_pool_leave_the_reserves_of_others_alone() {
    static LIMITER: Limiter = Limiter::new("pool-shares", 4).shares(SHARES);
    let pool = Pool::over(&LIMITER).share("batch");
    for _ in 0..2 {
        pool.spawn(pending::<()>()).await;
    }
    let mut third = waiter(pool.spawn(async {}));
    assert_eq!(uses(&LIMITER), [(0, 0), (2, 1), (0, 0)]);
    let live = LIMITER.share("live").try_acquire().expect("it is reserved");
    assert_waits(&mut third);
    pool.abort_all();
    settle().await;
    served(&mut third).await.expect("it is done");
    drop(live);
    pool.join_all().await.expect("nobody panicked");
    assert_eq!(uses(&LIMITER), [(0, 0); 3]);
}

#[tokio::test(start_paused = true)]
async fn the_tasks_of_a_stream_belong_to_its_share_whoever_owns_the_limiter() {
    static LIMITER: Limiter = Limiter::new("map-limited-shares", 4).shares(SHARES);
    let counted = Arc::new(Limiter::new("map-limited-shares-arc", 4).shares(SHARES));
    let of_static = stream::iter(0..6).map_limited(&LIMITER, |_| sleep(ms(100))).share("batch");
    let of_arc = stream::iter(0..6).map_limited(&counted, |_| sleep(ms(100))).share("batch");
    let (of_static, of_arc) =
        (tokio::spawn(of_static.ordered().count()), tokio::spawn(of_arc.unordered().count()));
    sleep(ms(50)).await;
    // As many are pulled as the limit says, of which two may run.
    assert_eq!(uses(&LIMITER), [(0, 0), (2, 2), (0, 0)]);
    assert_eq!(uses(&counted), [(0, 0), (2, 2), (0, 0)]);
    assert_eq!((of_static.await.expect("no panic"), of_arc.await.expect("no panic")), (6, 6));
    assert_eq!((uses(&LIMITER), uses(&counted)), ([(0, 0); 3], [(0, 0); 3]));
}

#[tokio::test(start_paused = true)]
async fn without_a_share_tasks_are_of_the_rest_and_so_with_an_unknown_name() {
    let limiter = Arc::new(Limiter::new("tasks-shares-rest", 4).shares(SHARES));
    let pools = [Pool::over(&limiter), Pool::over(&limiter).share("bulk")];
    for pool in &pools {
        pool.spawn(pending::<()>()).await;
    }
    assert_eq!(uses(&limiter), [(0, 0), (0, 0), (2, 0)]);
    let warnings = limiter.snapshot().to_string();
    assert!(warnings.contains("the share `bulk`"), "{warnings}");
    drop(pools);
}

#[tokio::test]
async fn one_future_can_run_or_be_spawned_for_a_share() {
    static LIMITER: Limiter = Limiter::new("run-shares", 2).shares(SHARES);
    let ran = LIMITER.share("batch").acquire().run(async { uses(&LIMITER) }).await;
    assert_eq!(ran, [(0, 0), (1, 0), (0, 0)]);
    let task = LIMITER.share("live").acquire().spawn(async { uses(&LIMITER) }).await;
    assert_eq!(task.await.expect("it does not panic"), [(1, 0), (0, 0), (0, 0)]);
}

#[tokio::test]
async fn blocking_work_of_one_share_leaves_the_reserve_of_another_alone() {
    static LIMITER: Limiter = Limiter::new("blocking-shares", 2).shares(SHARES);
    let (end, ended) = mpsc::channel::<()>();
    let work = move || ended.recv().is_err();
    let first = waiter(LIMITER.share("batch").blocking(work));
    let mut second = waiter(LIMITER.share("batch").blocking(|| 7));
    assert_eq!(LIMITER.share("live").blocking(|| 8).await, 8);
    assert_waits(&mut second);
    drop(end);
    assert!(first.await);
    assert_eq!(second.await, 7);
}

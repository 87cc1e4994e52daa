use std::time::Duration;

use tokio::time::sleep;

use crate::programs::adapting::{DATABASE, Database, clients};

/// Returns the limit at the first moment after this time at which the limiter asks nothing.
async fn limit_after(seconds: u64) -> usize {
    sleep(Duration::from_secs(seconds)).await;
    loop {
        let figures = DATABASE.snapshot().adaptive.expect("it adapts");
        if !figures.is_asking {
            return figures.limit;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

// The file has one test, because all tests of the process would share the figures.
#[tokio::test(start_paused = true)]
async fn the_limit_follows_the_database() {
    let database = Database::new(10);
    let _clients = clients(&database);
    let limit = limit_after(60).await;
    assert!((10..=20).contains(&limit), "{limit} for 10 workers");
    database.add_workers(30);
    let limit = limit_after(60).await;
    assert!((40..=70).contains(&limit), "{limit} for 40 workers");
    database.remove_workers(30).await;
    let limit = limit_after(60).await;
    assert!((10..=20).contains(&limit), "{limit} for 10 workers again");
}

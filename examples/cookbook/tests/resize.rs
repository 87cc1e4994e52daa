use cookbook::Server;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::programs::resize::{REQUESTS, fetch};

// The file has one test, because all tests of the process would share the limit.
#[tokio::test(start_paused = true)]
async fn calls_that_wait_follow_the_limit() {
    let server = Server::new();
    let calls: JoinSet<_> = (1..=26).map(|page| fetch(server.clone(), page)).collect();
    // The new limit, and the number of calls inside: just after the change, and when the calls
    // from before it are done.
    for (limit, at_once, afterwards) in [(2, 2, 2), (4, 4, 4), (1, 4, 1), (0, 1, 0), (3, 3, 3)] {
        sleep(Server::LATENCY.mul_f64(0.5)).await;
        REQUESTS.set_limit(limit);
        sleep(Server::LATENCY.mul_f64(0.1)).await;
        assert_eq!(server.now(), at_once, "set to {limit}");
        sleep(Server::LATENCY.mul_f64(1.7)).await;
        assert_eq!(server.now(), afterwards, "some time after it was set to {limit}");
    }
    assert_eq!(calls.join_all().await.len(), 26);
    assert_eq!(server.most(), 4);
}

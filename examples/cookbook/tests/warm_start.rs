use tokio::time::{Duration, sleep};

use crate::programs::warm_start::{slow_server, twelve};

const COLD: &str = "after 0.0 s: 1\n\
                    after 1.0 s: 2, 3\n\
                    after 2.0 s: 4, 5, 6\n\
                    after 3.0 s: 7, 8, 9, 10\n\
                    after 4.0 s: 11, 12\n\
                    at most 4 at once";

const WARM: &str = "after 0.0 s: 1, 2, 3, 4\n\
                    after 1.0 s: 5, 6, 7, 8\n\
                    after 2.0 s: 9, 10, 11, 12\n\
                    at most 4 at once";

#[tokio::test(start_paused = true)]
async fn the_limit_rises_at_first_and_after_a_rest() {
    for (pause, expected) in [(1, COLD), (3, WARM), (0, COLD)] {
        let server = slow_server();
        twelve(&server).await;
        assert_eq!(server.to_string(), expected);
        sleep(Duration::from_secs(pause)).await;
    }
}

use cookbook::Server;

use crate::programs::tenants::{small_and_large, trial_and_crowd};

#[tokio::test(start_paused = true)]
async fn tenants_share_by_weight_and_a_crowd_is_refused() {
    let server = Server::new();
    assert_eq!(small_and_large(&server).await, 0);
    assert_eq!(
        server.to_string(),
        "after 0.0 s: 101, 102, 103, 104\n\
         after 0.1 s: 1, 2, 3, 105\n\
         after 0.2 s: 4, 5, 6, 106\n\
         after 0.3 s: 7, 8, 9\n\
         at most 4 at once"
    );

    let server = Server::new();
    // Four run, and twenty wait.
    assert_eq!(trial_and_crowd(&server).await.expect("it has keys"), 33 - 24);
    let starts = server.to_string();
    let line_of = |page: &str| {
        starts.lines().position(|line| line.split([' ', ',']).any(|word| word == page))
    };
    let [first, second, third] = ["1", "2", "3"].map(|page| line_of(page).expect("it was called"));
    assert!(first < second && second < third, "one at a time: {starts}");
}

use cookbook::Server;

use crate::programs::shares::jobs_and_visitors;

#[tokio::test(start_paused = true)]
async fn visitors_get_their_part_and_jobs_the_rest() {
    let server = Server::new();
    jobs_and_visitors(&server).await;
    assert_eq!(
        server.to_string(),
        "after 0.0 s: 1, 2, 3, 4\n\
         after 0.1 s: 101, 102, 103, 5\n\
         after 0.2 s: 104, 105, 106, 6\n\
         after 0.3 s: 7, 8, 9, 10\n\
         after 0.4 s: 11, 12\n\
         at most 4 at once"
    );
}

use cookbook::Server;
use tokio::sync::mpsc::channel;
use tokio::time::sleep;

use crate::NINE_BY_THREES;
use crate::programs::queue::work;

#[tokio::test(start_paused = true)]
async fn three_jobs_are_worked_on_until_the_last_is_done() {
    let server = Server::new();
    let (jobs, queue) = channel(9);
    for page in 1..=9 {
        jobs.send(page).await.expect("the queue is open");
    }
    drop(jobs);
    work(&server, queue, 3).await.expect("nothing panics");
    assert_eq!(server.to_string(), NINE_BY_THREES);
    assert_eq!(server.now(), 0, "it has waited for the last");
}

#[tokio::test(start_paused = true)]
async fn who_makes_jobs_is_held_back() {
    let server = Server::new();
    let (jobs, queue) = channel(2);
    let mut made = Vec::new();
    let produce = async {
        for page in 1..=9 {
            jobs.send(page).await.expect("the queue is open");
            made.push(page);
        }
    };
    // The test stops before the first jobs are done.
    tokio::select! {
        _ = async { tokio::join!(produce, work(&server, queue, 3)) } => panic!("done at once"),
        () = sleep(Server::LATENCY / 2) => {}
    }
    // Three jobs run, one waits for a permit, and two are in the queue.
    assert_eq!(made, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_panics_takes_nobody_with_it() {
    let server = Server::new();
    let (jobs, queue) = channel(9);
    for page in [0, 1, 0, 2, 0, 3, 0, 4] {
        jobs.send(page).await.expect("the queue is open");
    }
    drop(jobs);
    let panicked = work(&server, queue, 2).await.expect_err("four jobs panic");
    assert_eq!(panicked.messages(), ["there is no page 0"; 4]);
    assert_eq!((server.begun().len(), server.most()), (8, 2));
}

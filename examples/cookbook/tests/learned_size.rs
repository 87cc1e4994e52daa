use limit_runtime::RejectedKind;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::programs::learned_size::{FILES, LATENCY, READING, download};

// The file has one test, because all tests of the process would share the limit.
#[tokio::test(start_paused = true)]
async fn downloads_take_the_memory_that_they_need_and_no_more_than_there_is() {
    let start = Instant::now();
    let downloads: JoinSet<_> = FILES.into_iter().map(download).collect();
    let results = downloads.join_all().await;
    let refused: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert_eq!(refused.len(), 1, "{results:?}");
    assert_eq!((refused[0].kind(), refused[0].weight()), (RejectedKind::TooHeavy, 70));
    let (order, most) = &*READING.lock().expect("no holder panics");
    assert_eq!(order.len(), 4, "{order:?}");
    // The film is first or last: it leaves no room for another body, and all others have room beside each other.
    assert!(order[0] == "film" || order[3] == "film", "{order:?}");
    assert!(*most <= 64, "{most}");
    let steps = start.elapsed().as_millis() / LATENCY.as_millis();
    assert_eq!(steps, 4, "the head, the film's body, the other bodies, and the checksum");
}

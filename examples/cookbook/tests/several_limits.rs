use std::sync::Arc;
use tokio::task::JoinSet;

use crate::programs::several_limits::{Limited, copy};

#[tokio::test(start_paused = true)]
async fn copies_in_both_directions_end_and_keep_both_limits() {
    let (here, there) = (Limited::new("test-here", 2), Limited::new("test-there", 1));
    let mut copies = JoinSet::new();
    for page in 1..=4 {
        copies.spawn(copy(Arc::clone(&here), Arc::clone(&there), page));
        copies.spawn(copy(Arc::clone(&there), Arc::clone(&here), page + 4));
    }
    assert_eq!(copies.join_all().await.len(), 8);
    for limited in [here, there] {
        assert!(limited.server.to_string().ends_with("at most 1 at once"), "{}", limited.server);
    }
}

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{RwLock, mpsc};
use tokio::time::timeout;

use crate::Result;
use crate::programs::cpu_bound::{checksum, checksums};

/// A time longer than any call takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Default)]
struct Threads {
    now: AtomicUsize,
    most: AtomicUsize,
    gate: RwLock<()>,
}

/// Returns an iterator over one item. The thread that takes the item waits at the gate.
fn behind_the_gate(
    threads: &Arc<Threads>,
    entered: &mpsc::UnboundedSender<()>,
    item: u32,
) -> impl Iterator<Item = u32> + Send + 'static {
    let (threads, entered) = (Arc::clone(threads), entered.clone());
    std::iter::once_with(move || {
        let now = threads.now.fetch_add(1, Ordering::SeqCst) + 1;
        threads.most.fetch_max(now, Ordering::SeqCst);
        // The receiver is gone if the test has failed.
        let _ = entered.send(());
        drop(threads.gate.blocking_read());
        threads.now.fetch_sub(1, Ordering::SeqCst);
        item
    })
}

#[tokio::test]
async fn a_thousand_calls_are_on_five_threads() -> Result {
    let threads = Arc::new(Threads::default());
    let (entered, mut has_entered) = mpsc::unbounded_channel();
    let closed = threads.gate.write().await;
    let inputs = (0..1_000).map(|item| behind_the_gate(&threads, &entered, item));
    let watch = async {
        for _ in 0..5 {
            timeout(PATIENCE, has_entered.recv()).await?;
        }
        drop(closed);
        Ok::<_, crate::Error>(())
    };
    let (sums, watched) = tokio::join!(checksums(inputs.collect::<Vec<_>>()), watch);
    watched?;
    assert_eq!(threads.most.load(Ordering::SeqCst), 5);
    let expected: Vec<_> = (0..1_000).map(|item| 32 ^ item).collect();
    assert_eq!(sums, expected, "in the order of the inputs");
    Ok(())
}

#[tokio::test]
async fn a_caller_that_is_gone_leaves_its_thread_counted() -> Result {
    let threads = Arc::new(Threads::default());
    let (entered, mut has_entered) = mpsc::unbounded_channel();
    let closed = threads.gate.write().await;
    let gone: Vec<_> = (0..5)
        .map(|item| tokio::spawn(checksum(behind_the_gate(&threads, &entered, item))))
        .collect();
    for call in &gone {
        timeout(PATIENCE, has_entered.recv()).await?;
        call.abort();
    }
    for call in gone {
        assert!(call.await.is_err_and(|error| error.is_cancelled()));
    }
    let sixth = tokio::spawn(checksum(behind_the_gate(&threads, &entered, 6)));
    // The sixth call gets every chance to begin.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(threads.now.load(Ordering::SeqCst), 5);
    drop(closed);
    assert_eq!(timeout(PATIENCE, sixth).await??, 32 ^ 6);
    assert_eq!(threads.most.load(Ordering::SeqCst), 5);
    Ok(())
}

//! The program of `deadlock`, where a call gives way.

use std::sync::Arc;

use limit_runtime::{Rejected, concurrency_limit};
use tokio::spawn;
use tokio::sync::Barrier;
use tokio::try_join;

#[concurrency_limit(1, on_deadlock = refuse)]
async fn author(with_book: Option<Arc<Barrier>>) -> Result<(), Rejected> {
    if let Some(both) = with_book {
        both.wait().await;
        Box::pin(book(None)).await?;
    }
    Ok(())
}

#[concurrency_limit(1, on_deadlock = refuse)]
async fn book(with_author: Option<Arc<Barrier>>) -> Result<(), Rejected> {
    if let Some(both) = with_author {
        both.wait().await;
        Box::pin(author(None)).await?;
    }
    Ok(())
}

/// Returns what the author and the book have got.
pub(crate) async fn run() -> [Result<(), Rejected>; 2] {
    let both = Some(Arc::new(Barrier::new(2)));
    let (author, book) = (spawn(author(both.clone())), spawn(book(both)));
    let (author, book) = try_join!(author, book).expect("no task panics");
    [author, book]
}

//! An author is loaded with a book, and a book with its author. Both functions have one permit, and want the other's.

use std::sync::Arc;

use limit_runtime::concurrency_limit;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

#[concurrency_limit(1)]
async fn author(with_book: Option<Arc<Barrier>>) {
    if let Some(both) = with_book {
        both.wait().await; // A book is loaded at the same time.
        Box::pin(book(None)).await;
    }
}

#[concurrency_limit(1)]
async fn book(with_author: Option<Arc<Barrier>>) {
    if let Some(both) = with_author {
        both.wait().await;
        Box::pin(author(None)).await;
    }
}

pub(crate) async fn run() {
    let both = Some(Arc::new(Barrier::new(2)));
    let mut tasks = JoinSet::new();
    tasks.spawn(author(both.clone()));
    tasks.spawn(book(both));
    tasks.join_all().await;
}

/// The same with semaphores.
pub(crate) mod by_hand {
    use std::sync::Arc;

    use tokio::sync::{Barrier, Semaphore};
    use tokio::task::JoinSet;

    static AUTHORS: Semaphore = Semaphore::const_new(1);
    static BOOKS: Semaphore = Semaphore::const_new(1);

    async fn author(with_book: Option<Arc<Barrier>>) {
        let _permit = AUTHORS.acquire().await;
        if let Some(both) = with_book {
            both.wait().await;
            Box::pin(book(None)).await;
        }
    }

    async fn book(with_author: Option<Arc<Barrier>>) {
        let _permit = BOOKS.acquire().await;
        if let Some(both) = with_author {
            both.wait().await;
            Box::pin(author(None)).await;
        }
    }

    pub(crate) async fn run() {
        let both = Some(Arc::new(Barrier::new(2)));
        let mut tasks = JoinSet::new();
        tasks.spawn(author(both.clone()));
        tasks.spawn(book(both));
        tasks.join_all().await;
    }
}

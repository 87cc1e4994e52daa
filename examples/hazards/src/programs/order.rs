//! The functions of `deadlock`, called one after the other. All goes well, until there are more callers.

use limit_runtime::concurrency_limit;

#[concurrency_limit(1)]
async fn author(with_book: bool) {
    if with_book {
        Box::pin(book(false)).await;
    }
}

#[concurrency_limit(1)]
async fn book(with_author: bool) {
    if with_author {
        Box::pin(author(false)).await;
    }
}

pub(crate) async fn run() {
    author(true).await;
    book(true).await;
}

/// The same with semaphores.
pub(crate) mod by_hand {
    use tokio::sync::Semaphore;

    static AUTHORS: Semaphore = Semaphore::const_new(1);
    static BOOKS: Semaphore = Semaphore::const_new(1);

    async fn author(with_book: bool) {
        let _permit = AUTHORS.acquire().await;
        if with_book {
            Box::pin(book(false)).await;
        }
    }

    async fn book(with_author: bool) {
        let _permit = BOOKS.acquire().await;
        if with_author {
            Box::pin(author(false)).await;
        }
    }

    pub(crate) async fn run() {
        author(true).await;
        book(true).await;
    }
}

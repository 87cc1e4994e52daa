use limit_runtime::concurrency_limit;
use std::pin::Pin;

trait Stream {
    type Item;
}

struct Pages;

impl Stream for Pages {
    type Item = String;
}

#[concurrency_limit(3)]
fn pages() -> impl Stream<Item = String> {
    Pages
}

#[concurrency_limit(3)]
fn boxed() -> Pin<Box<dyn Stream<Item = String> + Send>> {
    Box::pin(Pages)
}

// A type that is named `Stream` is no stream, and a future that gives one is a future.

mod media {
    pub struct Stream;
}

#[concurrency_limit(3)]
fn connect() -> Result<media::Stream, std::io::Error> {
    Ok(media::Stream)
}

#[concurrency_limit(3)]
fn connect_later() -> impl Future<Output = Pages> {
    std::future::ready(Pages)
}

fn main() {}

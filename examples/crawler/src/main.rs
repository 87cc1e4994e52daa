//! Crawls a site, at most three pages at a time, into a database.
//!
//! ```text
//! cargo run --release -p crawler
//! cargo run --release -p crawler -- --url https://example.com/ --limit 5 --max-pages 200
//! DATABASE_URL=mysql://user:password@localhost/crawl cargo run --release -p crawler --features mysql
//! ```
//!
//! Every page gets a task of its own as soon as a link to it is seen. Only the attribute on
//! [`fetch::fetch`] keeps the program from fetching more than three pages at once. A second limited
//! function, [`store::Store::write`], has its own permits. `--limit` changes a limit while the
//! program runs, and the progress bar reads its figures from the limiter. Ctrl-C drops the calls
//! that wait for a permit, and lets the calls that hold a permit finish.
//!
//! Without `--url` the program crawls a small site that it serves itself.
#![forbid(unsafe_code)]

mod args;
mod crawl;
mod crawled;
mod fetch;
mod page;
mod report;
mod site;
mod status;
mod store;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::status::Status;
use crate::store::Store;

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
            eprintln!("crawler: {line}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let url = args.url()?;
    let store = Store::open(args::database_url().as_deref()).await?;
    let start = match url {
        Some(url) => url,
        None => site::serve().await?,
    };
    let client = fetch::client(&start, args.timeout)?;
    report::print_start(&start, &store);

    let crawled = crawl::crawl(client, store.clone(), start.clone(), args).await?;
    let rows = store.count().await;
    let last = store.read(&crawled.last).await;
    store.close().await;

    let first = &crawled.start_page;
    if matches!(first.status, Status::Unreachable | Status::TimedOut) {
        anyhow::bail!("cannot reach {start}: {}", first.detail);
    }
    report::print(&crawled, rows?, &last?, &store);
    if first.status == Status::RedirectOut {
        println!("\nThe start page is elsewhere now. Crawl it there: --url {}", first.detail);
    }
    Ok(())
}

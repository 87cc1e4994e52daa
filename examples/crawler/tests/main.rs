//! The crawler as its user runs it, against sites and databases that each test makes.
//!
//! Each test runs the example's program, which `cargo test` builds along with the tests.
#![forbid(unsafe_code)]

#[cfg(feature = "mysql")]
mod mariadb;
mod odd_site;
#[path = "../../../tests/support/program.rs"]
mod program;
mod rows;
mod site;

use tempfile::TempDir;

use crate::program::Program;
use crate::rows::{count, rows};
use crate::site::Site;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn crawler(database: &str) -> Program {
    Program::new(env!("CARGO_BIN_EXE_crawler")).env("DATABASE_URL", database)
}

/// Returns the URL of a database in a file that does not exist yet.
fn sqlite(directory: &TempDir) -> String {
    format!("sqlite://{}", directory.path().join("crawl.sqlite").display())
}

/// Returns a crawler that gives up on no page.
fn patient_crawler(database: &str) -> Program {
    crawler(database).args(&["--timeout", "600"])
}

/// Checks that odd pages become rows with a status, and that the crawler requests each page once.
async fn check_odd_pages(database: &str) -> Result {
    let site = odd_site::serve().await?;
    // One page never arrives. The timeout is long enough for the others, even if this process is
    // stopped for some seconds.
    let args = ["--url", &site.url("/"), "--timeout", "20"];
    let end = crawler(database).args(&args).run().await?;

    assert_eq!(end.code, Some(0), "{end:?}");
    assert_eq!(end.errors, "");
    let expected = odd_site::expected_rows(&site);
    assert_eq!(rows(database, &site).await?, expected);
    assert!(end.output.contains(&format!("{} rows written", expected.len())), "{end:?}");
    for (path, times) in site.requests() {
        assert_eq!(times, 1, "{path} was asked for {times} times");
    }
    Ok(())
}

/// Checks the limit, by a site that answers its pages only when `limit` of them are requested at
/// once.
async fn check_limit(database: &str, limit: usize, args: &[&str]) -> Result {
    let site = Site::that_gathers(limit, 3 * limit).await?;
    let end = patient_crawler(database).args(&["--url", &site.url("/")]).args(args).run().await?;

    assert_eq!(end.code, Some(0), "{end:?}");
    assert_eq!(site.most_at_once(), limit);
    assert_eq!(count(database, "ok").await?, 3 * i64::try_from(limit)? + 1);
    Ok(())
}

#[tokio::test]
async fn odd_pages_are_rows_with_a_status() -> Result {
    check_odd_pages(&sqlite(&TempDir::new()?)).await
}

#[tokio::test]
async fn three_pages_are_fetched_at_once_and_never_more() -> Result {
    check_limit(&sqlite(&TempDir::new()?), 3, &[]).await
}

#[tokio::test]
async fn the_limit_is_lowered_on_request() -> Result {
    check_limit(&sqlite(&TempDir::new()?), 2, &["--limit", "2"]).await
}

#[tokio::test]
async fn the_limit_is_raised_on_request() -> Result {
    check_limit(&sqlite(&TempDir::new()?), 5, &["--limit", "5"]).await
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn mariadb_takes_the_same_rows() -> Result {
    use std::io::Write;

    let Some(mariadb) = mariadb::MariaDb::start()? else {
        // This line bypasses the test harness, which would swallow the output of a passing test.
        writeln!(
            std::io::stderr(),
            "\n*** SKIPPED mariadb_takes_the_same_rows: no mariadbd here; \
             to run it: apt-get install mariadb-server ***\n"
        )?;
        return Ok(());
    };
    check_odd_pages(&mariadb.url()).await?;
    // The second crawl uses the same table, which holds only the rows of the latest crawl.
    check_limit(&mariadb.url(), 3, &[]).await
}

#[tokio::test]
async fn a_crawl_leaves_only_its_own_rows() -> Result {
    let directory = TempDir::new()?;
    let database = sqlite(&directory);
    for _ in 0..2 {
        check_limit(&database, 2, &["--limit", "2"]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn max_pages_is_the_number_of_rows() -> Result {
    let directory = TempDir::new()?;
    let database = sqlite(&directory);
    let site = Site::that_gathers(1, 9).await?;
    let args = ["--url", &site.url("/"), "--max-pages", "4"];
    let end = patient_crawler(&database).args(&args).run().await?;

    assert_eq!(end.code, Some(0), "{end:?}");
    assert_eq!(count(&database, "ok").await?, 4);
    assert_eq!(site.requests().len(), 4);
    assert!(end.output.contains("6 more were seen and left alone"), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn loopback_needs_neither_certificates_nor_a_proxy() -> Result {
    let directory = TempDir::new()?;
    let site = Site::that_gathers(1, 1).await?;
    let proxy = site::closed_port()?;
    let end = patient_crawler(&sqlite(&directory))
        .args(&["--url", &site.url("/")])
        .env("SSL_CERT_FILE", "/nonexistent")
        .env("SSL_CERT_DIR", "/nonexistent")
        .env("http_proxy", &format!("http://{}", proxy.address))
        .run()
        .await?;
    assert_eq!(end.code, Some(0), "{end:?}");
    assert_eq!(site.requests().len(), 2);
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_lets_running_pages_finish_and_starts_no_more() -> Result {
    let directory = TempDir::new()?;
    let database = sqlite(&directory);
    let mut site = Site::that_waits(9).await?;
    let mut crawler = patient_crawler(&database).args(&["--url", &site.url("/")]).start()?;

    site.until_inside(3).await?;
    crawler.interrupt()?;
    let line = crawler.next_error().await?;
    assert_eq!(line, "stopping: waiting for 3 pages (Ctrl-C again to leave at once)");
    site.open();
    let end = crawler.end().await?;

    assert_eq!(end.code, Some(0), "{end:?}");
    assert_eq!(end.errors, "");
    assert_eq!(site.requests().len(), 4, "the start page and three more");
    assert_eq!(count(&database, "ok").await?, 4);
    assert!(end.output.contains("6 more were seen and left alone"), "{end:?}");
    assert_eq!(rows::integrity(&database).await?, "ok");
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_ctrl_c_leaves_at_once_and_the_database_is_whole() -> Result {
    let directory = TempDir::new()?;
    let database = sqlite(&directory);
    let mut site = Site::that_waits(9).await?;
    let mut crawler = patient_crawler(&database).args(&["--url", &site.url("/")]).start()?;

    site.until_inside(3).await?;
    crawler.interrupt()?;
    crawler.next_error().await?;
    crawler.interrupt()?;
    let end = crawler.end().await?;

    assert_eq!(end.code, Some(1), "{end:?}");
    assert_eq!(end.errors, "crawler: stopped before the last pages were done\n");
    assert_eq!(count(&database, "ok").await?, 1);
    assert_eq!(rows::integrity(&database).await?, "ok");
    Ok(())
}

/// Runs the crawler with `args`, and checks for exit code 1 and a single line of errors. Returns
/// that line.
async fn one_line(database: &str, args: &[&str]) -> Result<String> {
    let end = crawler(database).args(args).run().await?;
    assert_eq!(end.code, Some(1), "{end:?}");
    assert_eq!(end.errors.lines().count(), 1, "{end:?}");
    Ok(end.errors.trim_end().to_owned())
}

#[tokio::test]
async fn a_bad_url_is_one_line_and_exit_code_1() -> Result {
    let database = sqlite(&TempDir::new()?);
    assert_eq!(
        one_line(&database, &["--url", "nonsense"]).await?,
        "crawler: --url nonsense is not a URL; write all of it, as in https://example.com/"
    );
    assert_eq!(
        one_line(&database, &["--url", "ftp://example.com/"]).await?,
        "crawler: --url ftp://example.com/ cannot be crawled; write an http:// or https:// address"
    );
    Ok(())
}

#[tokio::test]
async fn a_start_page_out_of_reach_is_one_line_and_exit_code_1() -> Result {
    let directory = TempDir::new()?;
    let closed = site::closed_port()?;
    let url = format!("http://{}/", closed.address);
    let line = one_line(&sqlite(&directory), &["--url", &url]).await?;
    let expected = format!("crawler: cannot reach {url}: ");
    assert!(line.starts_with(&expected), "{line}");
    Ok(())
}

#[tokio::test]
async fn a_database_out_of_reach_is_one_line_without_its_password_and_exit_code_1() -> Result {
    #[cfg(feature = "mysql")]
    {
        let closed = site::closed_port()?;
        let address = closed.address;
        let line = one_line(&format!("mysql://someone:secret@{address}/crawl"), &[]).await?;
        let expected =
            format!("crawler: cannot reach the database mysql://someone@{address}/crawl: ");
        assert!(line.starts_with(&expected), "{line}");
    }

    let directory = TempDir::new()?;
    let file = directory.path().join("missing/crawl.sqlite");
    let line = one_line(&format!("sqlite://{}", file.display()), &[]).await?;
    assert!(line.starts_with("crawler: cannot open the database "), "{line}");
    assert!(line.contains("missing/crawl.sqlite: "), "{line}");

    let line = one_line("postgres://someone:secret@localhost/crawl", &[]).await?;
    assert!(line.starts_with("crawler: DATABASE_URL must start with mysql://"), "{line}");
    Ok(())
}

#[cfg(not(feature = "mysql"))]
#[tokio::test]
async fn a_crawler_built_without_mysql_says_how_to_build_it_with() -> Result {
    let line = one_line("mysql://someone:secret@localhost/crawl", &[]).await?;
    assert!(line.ends_with("cargo run --release -p crawler --features mysql"), "{line}");
    assert!(!line.contains("secret"), "{line}");
    Ok(())
}

/// Returns the lines of a text from the line that contains `first` on, up to the next empty line.
fn section<'a>(text: &'a str, first: &str) -> Vec<&'a str> {
    let lines = text.lines().skip_while(|line| !line.contains(first));
    lines.take_while(|line| !line.is_empty()).collect()
}

#[tokio::test]
async fn the_own_site_is_crawled_and_its_failures_and_last_rows_are_shown() -> Result {
    let directory = TempDir::new()?;
    let end = patient_crawler(&sqlite(&directory)).args(&["--limit", "40"]).run().await?;

    assert_eq!(end.code, Some(0), "{end:?}");
    assert!(!end.output.contains('\u{1b}'), "a pipe gets no colours: {end:?}");
    let failures = section(&end.output, "2 pages failed");
    assert_eq!(failures.len(), 3, "{end:?}");
    let has = |status: &str, path: &str| {
        failures.iter().any(|line| line.contains(status) && line.contains(path))
    };
    assert!(has("http 404", "/book/4/13  Not Found"), "{end:?}");
    assert!(has("http 503", "/book/7/7  Service Unavailable"), "{end:?}");
    let pages = section(&end.output, "133 pages in ");
    assert!(pages[0].ends_with(" a second"), "{end:?}");
    let rows = section(&end.output, "133 rows written to ");
    assert_eq!(rows.len(), 1 + 5, "{end:?}");
    assert!(rows[1..].iter().all(|row| row.contains("http://127.0.0.1:")), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn one_of_a_kind_is_singular_and_a_wait_that_nobody_had_is_a_dash() -> Result {
    let directory = TempDir::new()?;
    let site = Site::that_gathers(1, 1).await?;
    let args = ["--url", &site.url("/"), "--max-pages", "1"];
    let end = patient_crawler(&sqlite(&directory)).args(&args).run().await?;

    assert_eq!(end.code, Some(0), "{end:?}");
    assert!(!end.output.contains("failed"), "{end:?}");
    assert!(end.output.contains("\n1 page in "), "{end:?}");
    assert!(end.output.contains("     1 more was seen and left alone"), "{end:?}");
    assert!(end.output.contains("\n1 row written to "), "{end:?}");
    let waits: Vec<_> = end.output.lines().filter(|line| line.starts_with("wait ")).collect();
    assert_eq!(waits.len(), 4, "{end:?}");
    for line in waits {
        assert_eq!(line.split_whitespace().skip(2).collect::<Vec<_>>(), ["–", "–"], "{line}");
    }
    Ok(())
}

#[tokio::test]
async fn numbers_out_of_range_are_refused_by_name() -> Result {
    for option in ["--limit", "--max-pages"] {
        for value in ["0", "-1", "many"] {
            let end = crawler("sqlite://unused").args(&[option, value]).run().await?;
            assert_eq!(end.code, Some(2), "{end:?}");
            assert!(end.errors.contains(option), "{end:?}");
            assert!(end.errors.contains("must be a whole number from 1 up"), "{end:?}");
        }
    }
    Ok(())
}

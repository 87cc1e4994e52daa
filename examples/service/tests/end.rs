//! The service stops.
#![cfg(unix)]

use tokio::net::TcpStream;

use crate::clients::Download;
use crate::program::End;
use crate::{Result, Service};

const MEGABYTES: u64 = 12;
const BYTES: usize = 12 * 1024 * 1024;

/// The settings of a service whose calls may wait long.
const PATIENT: &str = "['*']\nmax_wait = '10m'";

/// The arguments of a service that, at its end, waits long for the calls inside.
const LONG: &[&str] = &["--patience", "600"];

#[tokio::test]
async fn sigterm_lets_all_who_were_let_in_finish_and_nobody_new_in() -> Result {
    let mut service = Service::start(PATIENT, LONG).await?;
    let mut inside = Vec::new();
    for _ in 0..4 {
        inside.push(service.clients.download(MEGABYTES).await?);
    }
    let wait = service.clients.ask("download/1", 6);
    service.until(|figures| figures.waiting("download") == 6).await?;

    service.program.terminate()?;
    service.program.until_says("closed: waiting for 4 calls").await?;
    for answer in wait.answers().await? {
        answer.assert_refused("closed");
    }
    // The service answers requests while the downloads are inside, and refuses at every function.
    for path in ["download/1", "report/1", "orders/east"] {
        service.clients.get(path).await?.assert_refused("closed");
    }
    assert_eq!(service.figures().await?.in_use("download"), 4);
    let taken = futures_util::future::join_all(inside.into_iter().map(Download::finish)).await;
    assert_eq!(taken.into_iter().collect::<Result<Vec<_>>>()?, [BYTES; 4]);

    let end = service.program.end().await?;
    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""), "{end:?}");
    // The service calls each function once itself, at the start.
    assert_eq!(row(&end, "download")?, [5, 0, 0, 7]);
    assert_eq!(row(&end, "report")?, [1, 0, 0, 1]);
    assert!(TcpStream::connect(service.address).await.is_err(), "nobody listens any more");
    Ok(())
}

#[tokio::test]
async fn who_takes_too_long_is_left_behind_and_named() -> Result {
    let mut service = Service::start(PATIENT, &["--patience", "0.1"]).await?;
    let _inside = service.clients.download(MEGABYTES).await?;
    service.program.terminate()?;
    service.program.until_says("closed: waiting for 1 call ").await?;

    let end = service.program.end().await?;
    let expected = "service: concurrency limit `download` not drained in time: 1 permits still in \
                    use, 0 waiting\n";
    assert_eq!((end.code, end.errors.as_str()), (Some(1), expected), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn a_second_ctrl_c_ends_it_at_once() -> Result {
    let mut service = Service::start(PATIENT, LONG).await?;
    let _inside = service.clients.download(MEGABYTES).await?;
    service.program.interrupt()?;
    service.program.until_says("closed: waiting for 1 call ").await?;
    service.program.interrupt()?;

    let end = service.program.end().await?;
    let expected = "service: stopped before the last requests were answered\n";
    assert_eq!((end.code, end.errors.as_str()), (Some(1), expected), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn its_own_load_is_answered_to_the_last_request() -> Result {
    let mut service = Service::start("", &["--load", "--patience", "600"]).await?;
    service.program.until_says(" asked, ").await?;
    service.program.terminate()?;
    let end = service.program.end().await?;

    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""), "{end:?}");
    let (limiters, load) = end.output.split_once("\nthe load ").ok_or("no load")?;
    for function in ["report", "exchange-rate", "fingerprint", "orders", "search"] {
        let [admitted, queue_full, timed_out, closed] = figures(limiters, function)?;
        let [asked, answered, refused, failed] = figures(load, function)?;
        assert_eq!((asked, failed), (answered + refused, 0), "{end:?}");
        assert_eq!(refused, queue_full + timed_out + closed, "{end:?}");
        assert_eq!(answered + 1, admitted, "with its own at the start: {end:?}");
    }
    Ok(())
}

fn row(end: &End, name: &str) -> Result<[u64; 4]> {
    figures(&end.output, name)
}

/// Returns the four figures in the line that begins with this name.
fn figures(text: &str, name: &str) -> Result<[u64; 4]> {
    let words = text.lines().map(str::split_whitespace);
    let mut lines = words.filter_map(|mut words| (words.next() == Some(name)).then_some(words));
    let words = lines.next().ok_or_else(|| format!("no {name} in {text}"))?;
    let figures = words.take(4).map(str::parse).collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(figures.as_slice().try_into()?)
}

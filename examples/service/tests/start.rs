//! The service starts, and serves its paths.

use std::net::TcpListener;

use crate::program::{End, Program};
use crate::{PATHS, Result, Service};

async fn fails(args: &[&str]) -> Result<End> {
    Program::new(env!("CARGO_BIN_EXE_service")).args(args).run().await
}

#[tokio::test]
async fn it_serves_what_it_says() -> Result {
    let service = Service::start("['report']\nlimit = 3", &[]).await?;
    let index = service.clients.get("").await?;
    for (_, path) in PATHS {
        let (first, _) = path.split_once('/').ok_or("not a path")?;
        assert!(index.text.contains(&format!("/{first}/")), "{index:?}");
        assert_eq!(service.clients.get(path).await?.status, 200, "{path}");
    }
    for path in ["report/13", "exchange/eur", "orders/nobody", "download/65", "elsewhere"] {
        assert_eq!(service.clients.get(path).await?.status, 404, "{path}");
    }
    assert_eq!(service.clients.get("report/may").await?.status, 400);
    assert_eq!(service.clients.get("limits").await?.status, 200);
    assert_eq!(service.figures().await?.limit("report"), 3);
    Ok(())
}

#[tokio::test]
async fn what_comes_of_an_edit_is_told() -> Result {
    let mut service = Service::start("['reprot']\nlimit = 5", &[]).await?;
    let edit = "['report']\nlimit = 5\n['order']\nlimit = 1";
    service.edit(edit, |figures| figures.limit("report") == 5).await?;
    service.program.until_says("settings: report: limit 2 -> 5").await?;
    let pending = service.program.until_says("settings: no limiter named `order`").await?;
    assert!(pending.contains("did you mean `orders`?"), "{pending}");

    service.edit("['report']\nlimit = -1", |_| true).await?;
    // The log also warned of the name that nobody uses.
    let error = loop {
        let line = service.program.next_error().await?;
        if !line.contains(" WARN ") {
            break line;
        }
    };
    assert!(error.contains("service.toml:2:9: `limit` is "), "{error}");
    assert_eq!(service.figures().await?.limit("report"), 5);
    Ok(())
}

#[tokio::test]
async fn without_settings_it_says_so_and_goes_on() -> Result {
    let args = ["--addr", "127.0.0.1:0", "--settings", "/nowhere/service.toml"];
    let mut program = Program::new(env!("CARGO_BIN_EXE_service")).args(&args).start()?;
    program.until_says("no settings: there is no /nowhere/service.toml").await?;
    program.until_says("serving").await?;
    Ok(())
}

#[tokio::test]
async fn wrong_settings_are_named() -> Result {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("service.toml");
    std::fs::write(&file, "['report']\nlimits = 5")?;
    let file = file.to_str().ok_or("a path that is not Unicode")?;
    let end = fails(&["--addr", "127.0.0.1:0", "--settings", file]).await?;
    assert_eq!(end.code, Some(1), "{end:?}");
    let expected = format!("service: {file}:2:1: unknown field `limits`");
    assert!(end.errors.starts_with(&expected), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() -> Result {
    let taken = TcpListener::bind(("127.0.0.1", 0))?;
    let address = taken.local_addr()?.to_string();
    let end = fails(&["--addr", &address]).await?;
    assert_eq!(end.code, Some(1), "{end:?}");
    let expected = format!("service: cannot listen on {address}; --addr takes another");
    assert!(end.errors.starts_with(&expected), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_named() -> Result {
    for (argument, value, problem) in [
        ("--addr", "0.0.0.0:3000", "must be on loopback"),
        ("--addr", "here", "must be an address and a port"),
        ("--patience", "1e300", "must be a number of seconds up to 86400"),
        ("--patience", "NaN", "must be a number of seconds"),
        ("--token", " ", "must be of letters, digits and signs of ASCII, at least one"),
        ("--token", "naïve", "of ASCII"),
    ] {
        let end = fails(&[argument, value]).await?;
        assert_eq!(end.code, Some(2), "{end:?}");
        assert!(end.errors.contains(problem), "{end:?}");
    }
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn its_own_settings_mean_its_limiters() -> Result {
    let mut program =
        Program::new(env!("CARGO_BIN_EXE_service")).args(&["--addr", "127.0.0.1:0"]).start()?;
    let line = program.until_says("settings: ").await?;
    assert!(line.contains("service.toml"), "{line}");
    program.interrupt()?;
    let end = program.end().await?;
    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""), "{end:?}");
    assert!(end.output.contains("closed: waiting for 0 calls"), "{end:?}");
    assert!(!end.output.contains("no limiter named"), "{end:?}");
    Ok(())
}

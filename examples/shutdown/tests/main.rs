//! The server as its user stops it.
//!
//! Each test runs the example's program, which `cargo test` builds along with the tests.
#![forbid(unsafe_code)]

#[path = "../../../tests/support/program.rs"]
mod program;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::program::{Program, Running};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Returns the address at which the server listens.
#[cfg(unix)]
async fn address(server: &mut Running) -> Result<String> {
    let line = server.until_says("serving").await?;
    let (_, after) = line.split_once("http://").ok_or("it says no address")?;
    Ok(after.split('/').next().unwrap_or_default().to_owned())
}

/// An upload whose text is yet to be sent. If the server admits the upload, it stays inside until
/// the text is sent.
#[cfg(unix)]
struct Upload(TcpStream);

#[cfg(unix)]
impl Upload {
    async fn begin(address: &str) -> Result<Self> {
        let mut connection = TcpStream::connect(address).await?;
        let head = "POST /upload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\
                    connection: close\r\n\r\n";
        connection.write_all(head.as_bytes()).await?;
        Ok(Self(connection))
    }

    async fn finish(mut self) -> Result<String> {
        self.0.write_all(b"hello").await?;
        self.answer().await
    }

    async fn answer(mut self) -> Result<String> {
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}

#[cfg(unix)]
fn assert_refused_because_it_is_closed(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
    assert!(answer.contains("\r\n\r\nconcurrency limit `uploads` is closed"), "{answer}");
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_lets_uploads_finish_and_nobody_new_in() -> Result {
    let mut server = Program::new(env!("CARGO_BIN_EXE_shutdown")).args(&["--serve"]).start()?;
    let address = address(&mut server).await?;
    let inside = [Upload::begin(&address).await?, Upload::begin(&address).await?];
    server.until_says("2/2 in use, 0 waiting").await?;
    let waits = Upload::begin(&address).await?;
    server.until_says("2/2 in use, 1 waiting").await?;

    server.interrupt()?;
    server.until_says("closed: waiting for 2 uploads").await?;
    assert_refused_because_it_is_closed(&waits.answer().await?);
    assert_refused_because_it_is_closed(&Upload::begin(&address).await?.answer().await?);
    for upload in inside {
        let answer = upload.finish().await?;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n5 bytes taken"), "{answer}");
    }
    let end = server.end().await?;

    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""), "{end:?}");
    assert!(end.output.contains("\n2 uploads done after it was closed\n"), "{end:?}");
    assert!(end.output.contains("\nrefused: 0 queue full, 0 timed out, 2 closed\n"), "{end:?}");
    assert!(TcpStream::connect(&address).await.is_err(), "nobody listens any more");
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn with_nobody_inside_ctrl_c_stops_it_at_once() -> Result {
    let mut server = Program::new(env!("CARGO_BIN_EXE_shutdown")).args(&["--serve"]).start()?;
    address(&mut server).await?;
    server.interrupt()?;
    let end = server.end().await?;
    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""), "{end:?}");
    assert!(end.output.contains("\n0 uploads done after it was closed\n"), "{end:?}");
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_ctrl_c_ends_it_at_once() -> Result {
    let mut server = Program::new(env!("CARGO_BIN_EXE_shutdown")).args(&["--serve"]).start()?;
    let _inside = Upload::begin(&address(&mut server).await?).await?;
    server.until_says("1/2 in use, 0 waiting").await?;

    server.interrupt()?;
    server.until_says("closed: waiting for 1 upload ").await?;
    server.interrupt()?;
    let end = server.end().await?;

    assert_eq!(end.code, Some(1), "{end:?}");
    assert_eq!(end.errors, "shutdown: stopped before the last uploads were done\n");
    Ok(())
}

#[tokio::test]
async fn it_shows_itself_with_visitors_of_its_own() -> Result {
    let end = Program::new(env!("CARGO_BIN_EXE_shutdown")).args(&[]).start()?.end().await?;
    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""), "{end:?}");
    assert!(end.output.contains("\nvisitor  1: 200: 5 bytes taken\n"), "{end:?}");
    assert!(end.output.contains(": 503"), "{end:?}");
    assert!(!end.output.contains("no answer"), "{end:?}");
    assert!(end.output.contains(" uploads done after it was closed\n"), "{end:?}");
    Ok(())
}

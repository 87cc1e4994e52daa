//! Tests the functions on real answers of a server on loopback, and on statuses of `tonic`.

use std::future::pending;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::routing::get;
use reqwest::Client;
use tokio::net::TcpListener;
use tonic::{Code, Status};

use crate::Result;
use crate::programs::overload::{PAGES, client, fetch, greet, grpc_overload, http_overload};

async fn answer(Path((status, later)): Path<(u16, String)>) -> impl axum::response::IntoResponse {
    (StatusCode::from_u16(status).expect("a status"), [(RETRY_AFTER, later)])
}

/// Starts a server that answers with the status and the time in the path. Returns its address.
async fn serve() -> Result<String> {
    let site =
        Router::new().route("/{status}/{later}", get(answer)).route("/never", get(pending::<&str>));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, site).into_future());
    Ok(url)
}

async fn send(client: &Client, url: String) -> reqwest::Result<reqwest::Response> {
    client.get(url).send().await
}

#[tokio::test]
async fn http_answers_are_overload_if_less_load_would_help() -> Result {
    let (client, url) = (client()?, serve().await?);
    for (path, expected) in [
        ("200/5", None),
        ("404/5", None),
        ("500/5", None),
        ("429/5", Some(5)),
        ("503/7", Some(7)),
        ("503/soon", Some(0)),
        ("503/Wed, 21 Oct 2037 07:28:00 GMT", Some(0)),
    ] {
        let result = send(&client, format!("{url}/{path}")).await;
        assert_eq!(http_overload(&result), expected.map(Duration::from_secs), "{path}");
    }
    let result =
        send(&client, format!("{url}/503/7")).await.and_then(reqwest::Response::error_for_status);
    assert_eq!(http_overload(&result), Some(Duration::ZERO), "{result:?}");
    let late = client.get(format!("{url}/never")).timeout(Duration::from_millis(1)).send().await;
    assert_eq!(http_overload(&late), Some(Duration::ZERO), "{late:?}");
    let nobody = send(&client, "http://127.0.0.1:1/".to_owned()).await;
    assert_eq!(http_overload(&nobody), None, "{nobody:?}");
    Ok(())
}

#[tokio::test]
async fn retry_after_holds_new_calls_off() -> Result {
    let (client, url) = (client()?, serve().await?);
    fetch(client.clone(), format!("{url}/200/60")).await?;
    assert!(PAGES.try_acquire().is_ok());
    fetch(client, format!("{url}/503/60")).await?;
    assert!(PAGES.try_acquire().is_err());
    assert!(PAGES.snapshot().adaptive.is_some_and(|figures| figures.is_held_off));
    Ok(())
}

#[tokio::test]
async fn grpc_statuses_are_overload_if_less_load_would_help() {
    let failed = |code, pushback: &str| {
        let mut status = Status::new(code, "of a test");
        if !pushback.is_empty() {
            let pushback = pushback.parse().expect("it is ASCII");
            status.metadata_mut().insert("grpc-retry-pushback-ms", pushback);
        }
        grpc_overload::<()>(&Err(status))
    };
    let milliseconds = |number| Some(Duration::from_millis(number));
    assert_eq!(failed(Code::ResourceExhausted, "1500"), milliseconds(1500));
    assert_eq!(failed(Code::Unavailable, "20"), milliseconds(20));
    assert_eq!(failed(Code::Unavailable, ""), milliseconds(0));
    assert_eq!(failed(Code::Unavailable, "-1"), milliseconds(0));
    assert_eq!(failed(Code::DeadlineExceeded, ""), milliseconds(0));
    assert_eq!(failed(Code::NotFound, "20"), None);
    assert_eq!(grpc_overload(&Ok(tonic::Response::new(()))), None);
    assert!(greet("").await.is_err() && greet("Ferris").await.is_ok());
}

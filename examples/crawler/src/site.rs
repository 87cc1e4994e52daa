//! The default site: a made-up bookshop on loopback.
//!
//! The shop is slow on purpose, like most sites. Some of its links lead nowhere.

use std::convert::Infallible;
use std::fmt::Write;
use std::time::Duration;

use anyhow::Context;
use hyper::header::{CONTENT_TYPE, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::net::TcpListener;

const SHELVES: usize = 10;
const BOOKS_ON_A_SHELF: usize = 12;

/// Serves the shop on a free port of 127.0.0.1 and returns the address of its start page.
pub(crate) async fn serve() -> anyhow::Result<Url> {
    let listener =
        TcpListener::bind(("127.0.0.1", 0)).await.context("cannot listen on 127.0.0.1")?;
    let start = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async move {
        // The site ends with the crawl. An error here shows there, as a page out of reach.
        while let Ok((connection, _)) = listener.accept().await {
            let connection = TokioIo::new(connection);
            tokio::spawn(http1::Builder::new().serve_connection(connection, service_fn(answer)));
        }
    });
    Ok(Url::parse(&start)?)
}

async fn answer<T>(request: Request<T>) -> Result<Response<String>, Infallible> {
    let path = request.uri().path();
    // 20 to 60 ms, always the same for the same page.
    let letters: u64 = path.bytes().map(u64::from).sum();
    tokio::time::sleep(Duration::from_millis(20 + letters * 7 % 41)).await;
    Ok(page(path))
}

fn page(path: &str) -> Response<String> {
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let numbers: Vec<usize> = parts[1..].iter().flat_map(|part| part.parse()).collect();
    match (parts[0], &*numbers) {
        ("", []) => {
            let shelves = (1..=SHELVES).map(|shelf| (format!("/shelf/{shelf}"), shelf));
            html(
                "A made-up bookshop",
                shelves.map(|(path, shelf)| (path, format!("shelf {shelf}"))),
            )
        }
        ("shelf", &[shelf @ 1..=SHELVES]) => {
            // One book more than there is, on one of the shelves.
            let last = BOOKS_ON_A_SHELF + usize::from(shelf == 4);
            let books = (1..=last)
                .map(|book| (format!("/book/{shelf}/{book}"), format!("book {book}")))
                .chain([("/sale".to_owned(), "our sale".to_owned())]);
            html(&format!("Shelf {shelf}"), books)
        }
        ("book", [7, 7]) => error(StatusCode::SERVICE_UNAVAILABLE),
        ("book", &[shelf @ 1..=SHELVES, book @ 1..=BOOKS_ON_A_SHELF]) => {
            let next = book % BOOKS_ON_A_SHELF + 1;
            let links = [
                (format!("/book/{shelf}/{next}"), "the next book".to_owned()),
                (format!("/shelf/{shelf}"), "back to the shelf".to_owned()),
            ];
            html(&format!("Book {book} of shelf {shelf}"), links)
        }
        ("sale", []) => {
            let mut response = error(StatusCode::FOUND);
            response.headers_mut().insert(LOCATION, hyper::header::HeaderValue::from_static("/"));
            response
        }
        _ => error(StatusCode::NOT_FOUND),
    }
}

fn html(title: &str, links: impl IntoIterator<Item = (String, String)>) -> Response<String> {
    let mut text = format!("<!doctype html><title>{title}</title><h1>{title}</h1>");
    for (path, words) in links {
        // Writing to a string cannot fail.
        let _ = write!(text, "<p><a href='{path}'>{words}</a>");
    }
    let mut response = Response::new(text);
    let kind = hyper::header::HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn error(status: StatusCode) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = status;
    response
}

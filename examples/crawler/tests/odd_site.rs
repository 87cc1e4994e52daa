//! A site with one page of each kind that a crawler meets.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::response::{Html, IntoResponse};
use axum::routing::get;

use crate::Result;
use crate::rows::Row;
use crate::site::{Site, closed_port};

const LONG: usize = 3000;

/// Serves the site.
pub(crate) async fn serve() -> Result<Site> {
    let start = format!(
        "<!doctype html><title>Start</title>
        <a href='plain'>a page</a> <a href='/plain#part'>a part of it</a> <a href='./#top'>here</a>
        <a href='based'>with a base</a> <a href='untitled'>no title</a>
        <a href='missing'>404</a> <a href='failing'>500</a> <a href='image.png'>not HTML</a>
        <a href='latin-1'>in its header</a> <a href='meta-latin-1'>in its text</a>
        <a href='invalid'>neither</a>
        <a href='moved'>moved</a> <a href='moved-out'>moved out</a> <a href='circle'>circle</a>
        <a href='moved-nowhere'>moved nowhere</a>
        <a href='slow'>slow</a> <a href='{long}'>long</a>
        <a href='http://{closed}/'>another host</a> <a href='https://elsewhere.invalid/'>too</a>
        <a href='mailto:someone@example.com'>mail</a> <a href='javascript:void(0)'>script</a>
        <a href='http://['>not a URL</a> <a>no address</a>",
        long = "x".repeat(LONG),
        closed = closed_port()?.address,
    );
    let router = Router::new()
        .route("/", get(async move || Html(start)))
        .route(
            "/plain",
            get(async || Html("<title> Crabs &amp;\n\t\u{1f980} </title><a href=plain>")),
        )
        .route("/based", get(async || Html("<base href='/deep/'><a href='down'>down</a>")))
        .route("/deep/down", get(async || Html("<title>Deep down</title>")))
        .route("/untitled", get(async || Html("<p>no title</p></div></table><a href=")))
        .route("/failing", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/image.png", get(async || text("image/png", b"\x89PNG\r\n\x1a\n")))
        .route("/latin-1", get(async || text("text/html; charset=ISO-8859-1", CAFE)))
        .route("/meta-latin-1", get(async || text("text/html", META_CAFE)))
        .route("/invalid", get(async || text("text/html; charset=utf-8", CAFE)))
        .route("/moved", get(async || moved("/target#part")))
        .route("/target", get(async || Html("<title>Target</title>")))
        .route("/moved-out", get(async || moved("https://elsewhere.invalid/")))
        .route("/moved-nowhere", get(async || moved("http://[")))
        .route("/circle", get(async || moved("/circle")))
        .route("/slow", get(async || std::future::pending::<()>().await));
    Site::serve(router).await
}

const CAFE: &[u8] = b"<title>Caf\xe9</title>";
const META_CAFE: &[u8] = b"<meta charset=\"iso-8859-1\"><title>Caf\xe9</title>";

fn text(content_type: &'static str, body: &'static [u8]) -> impl IntoResponse {
    ([(CONTENT_TYPE, content_type)], body)
}

fn moved(location: &'static str) -> impl IntoResponse {
    (StatusCode::FOUND, [(LOCATION, location)])
}

/// Returns the rows that a crawl of the site leaves, in the order of their addresses.
pub(crate) fn expected_rows(site: &Site) -> Vec<Row> {
    let long = format!("/{}", "x".repeat(2048 - site.url("/").len()));
    let long_detail = format!("{} characters, not fetched", site.url("/").len() + LONG);
    let (circle, target) = (site.url("/circle"), site.url("/target#part"));
    let elsewhere = "https://elsewhere.invalid/";
    let mut rows = vec![
        row("/", "ok", "Start", ""),
        row("/based", "ok", "", ""),
        row("/circle", "redirect", "", &circle),
        row("/deep/down", "ok", "Deep down", ""),
        row("/failing", "http 500", "", "Internal Server Error"),
        row("/image.png", "not html", "", "image/png"),
        row("/invalid", "not utf-8", "Caf\u{fffd}", ""),
        row("/latin-1", "ok", "Caf\u{e9}", "windows-1252"),
        row("/meta-latin-1", "ok", "Caf\u{e9}", "windows-1252"),
        row("/missing", "http 404", "", "Not Found"),
        row("/moved", "redirect", "", &target),
        row("/moved-nowhere", "redirect out", "", "moved to `http://[`, which is not a URL"),
        row("/moved-out", "redirect out", "", elsewhere),
        row("/plain", "ok", "Crabs & \u{1f980}", ""),
        row("/slow", "timed out", "", "operation timed out"),
        row("/target", "ok", "Target", ""),
        row("/untitled", "ok", "", ""),
        row(&long, "url too long", "", &long_detail),
    ];
    rows.sort();
    rows
}

fn row(path: &str, status: &str, title: &str, detail: &str) -> Row {
    [path, status, title, detail].map(str::to_owned)
}

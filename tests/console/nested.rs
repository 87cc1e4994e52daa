//! The page at any path.

use crate::support::{Console, served};
use axum::Router;
use axum::http::StatusCode;
use limit_console::{Options, router, serve, serve_with};
use std::net::{Ipv4Addr, SocketAddr};

/// Resolves a relative address on a page.
fn resolve(page: &str, relative: &str) -> String {
    let (folder, _) = page.rsplit_once('/').expect("a path");
    format!("{folder}/{}", relative.trim_start_matches("./"))
}

#[tokio::test]
async fn page_and_what_it_needs_are_found_wherever_it_is_nested() {
    let console = || router(Options::new());
    let all = [
        // `nest` has the page at the path alone, `nest_service` also with a slash at its end.
        ("/limits", Router::new().nest("/limits", console()), 1),
        ("/limits", Router::new().nest_service("/limits", console()), 2),
        ("/ops/limits", Router::new().nest("/ops", Router::new().nest("/limits", console())), 1),
        ("", console(), 2),
        ("", Router::new().merge(console()), 2),
        ("", Router::new().fallback_service(console()), 2),
    ];
    for (prefix, router, pages) in all {
        let console = Console::of(router);
        let mut found = 0;
        for page in [prefix.to_owned(), format!("{prefix}/")] {
            let answer = console.get(if page.is_empty() { "/" } else { &page }).await;
            if answer.status == StatusCode::NOT_FOUND {
                continue;
            }
            found += 1;
            let names: Vec<_> = answer
                .body
                .split('"')
                .filter(|text| [".css", ".js", ".svg"].iter().any(|end| text.ends_with(end)))
                .collect();
            assert_eq!(names.len(), 5, "{names:?}");
            for name in names {
                let path = resolve(if page.is_empty() { "/" } else { &page }, name);
                assert_eq!(console.get(&path).await.status, StatusCode::OK, "{path}");
            }
        }
        assert_eq!(found, pages, "{prefix}");
        assert_eq!(console.get(&format!("{prefix}/api/limiters")).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn path_of_the_page_is_not_taken_for_html() {
    let console = Console::of(Router::new().nest("/x/{anything}", router(Options::new())));
    let script = async |path: &str| {
        let answer = console.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let line =
            answer.body.lines().find(|line| line.contains("console.js")).map(ToOwned::to_owned);
        line.expect("the script")
    };
    let plain = script("/x/a").await;
    for path in ["/x/a'b", "/x/a&quot;b", "/x/a%22%3E%3Cscript%3E", "/x/a:b", "/x/%3Cb%3E"] {
        let line = script(path).await;
        let marks = |line: &str| line.matches(['<', '>', '"', '\'', '&']).count();
        assert_eq!(marks(&line), marks(&plain), "{line}");
        assert!(line.contains("\"./"), "{line}");
    }
}

#[tokio::test]
async fn it_is_served_alone() {
    let http = crate::support::http_client();
    let (address, server) = served(Ipv4Addr::LOCALHOST, serve).await;
    let url = format!("http://{address}/api/limiters");
    let all = answered(&http, &url, None).await.text().await.expect("text");
    let all: serde_json::Value = serde_json::from_str(&all).expect("JSON");
    assert_eq!(all["writable"], false);
    server.abort();

    // On all addresses, reading needs the token.
    let with_token = |address: SocketAddr| serve_with(address, Options::new().writable("a token"));
    let (address, server) = served(Ipv4Addr::UNSPECIFIED, with_token).await;
    let url = format!("http://{address}/api/limiters");
    assert_eq!(answered(&http, &url, None).await.status(), 401);
    assert_eq!(answered(&http, &url, Some("wrong")).await.status(), 401);
    assert_eq!(answered(&http, &url, Some("a token")).await.status(), 200);
    server.abort();
}

async fn answered(http: &reqwest::Client, url: &str, password: Option<&str>) -> reqwest::Response {
    let mut request = http.get(url);
    if let Some(password) = password {
        request = request.basic_auth("ops", Some(password));
    }
    request.send().await.expect("it answers")
}

//! Requests that are refused and change nothing.

use crate::support::{Console, TOKEN, get, post, request, served};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use limit_console::{Options, serve, serve_with};
use limit_runtime::Limiter;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

/// Sends a good change that `change` has made a bad one, and checks that it is refused.
async fn assert_refused(
    console: &Console,
    change: impl FnOnce(&mut Request<Body>),
    status: StatusCode,
    words: &str,
) {
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let limiter = Limiter::named(format!("hostile::{number}"), 5);
    drop(limiter.acquire().await);
    let before = limiter.snapshot();
    let mut request =
        post(json!({"name": before.name, "limit": 100, "enabled": false}).to_string());
    change(&mut request);
    let answer = console.ask(request).await;
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(answer.error().contains(words), "{}", answer.body);
    assert_eq!(limiter.snapshot(), before);
}

fn set(name: &'static str, value: &str) -> impl FnOnce(&mut Request<Body>) {
    let value = value.parse().expect("a header");
    move |request| {
        request.headers_mut().insert(name, value);
    }
}

#[tokio::test]
async fn changes_need_the_token() {
    let console = Console::writable();
    let unauthorized = StatusCode::UNAUTHORIZED;
    let basic = "Basic OmNvcnJlY3QgaG9yc2UgYmF0dGVyeSBzdGFwbGU="; // The right token, as a browser sends it by itself.
    for wrong in [
        "Bearer wrong",
        "Bearer",
        "Bearer ",
        TOKEN,
        "bearer correct horse",
        "Token correct horse battery staple",
        basic,
    ] {
        assert_refused(&console, set("authorization", wrong), unauthorized, "needs the token")
            .await;
    }
    let other = set("authorization", "Bearer wrong");
    assert_refused(&console, other, unauthorized, "and this is another").await;
    let without = |request: &mut Request<Body>| drop(request.headers_mut().remove("authorization"));
    assert_refused(&console, without, unauthorized, "needs the token").await;
    let twice = |request: &mut Request<Body>| {
        request.headers_mut().append("authorization", "Bearer wrong".parse().expect("a header"));
    };
    assert_refused(&console, twice, unauthorized, "needs the token").await;
    // A token in the address does not count.
    let in_query = |request: &mut Request<Body>| {
        without(request);
        *request.uri_mut() =
            format!("/api/settings?token={}", TOKEN.replace(' ', "+")).parse().expect("a URI");
    };
    assert_refused(&console, in_query, unauthorized, "needs the token").await;
}

#[tokio::test]
async fn read_only_console_changes_nothing_whatever_the_token() {
    for options in [Options::new(), Options::new().writable(""), Options::new().writable(" \n")] {
        let console = Console::new(options);
        let forbidden = StatusCode::FORBIDDEN;
        for token in [&format!("Bearer {TOKEN}"), "Bearer ", "Bearer"] {
            assert_refused(&console, set("authorization", token), forbidden, "read-only").await;
        }
        assert_eq!(console.get("/api/limiters").await.json()["writable"], false);
    }
}

#[tokio::test]
async fn names_that_lead_here_from_elsewhere_are_not_answered_to() {
    let console = Console::writable();
    let forbidden = StatusCode::FORBIDDEN;
    for host in [
        "evil.example",
        "evil.example:9999",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example@127.0.0.1",
        "127.0.0.1@evil.example",
        "0.0.0.0:9999",
        "192.168.0.1",
        "[2001:db8::1]",
        "",
        "a b",
    ] {
        assert_refused(&console, set("host", host), forbidden, "allow_host").await;
        let mut page = get("/");
        set("host", host)(&mut page);
        assert_eq!(console.ask(page).await.status, forbidden, "{host}");
    }
    let without = |request: &mut Request<Body>| drop(request.headers_mut().remove("host"));
    assert_refused(&console, without, forbidden, "allow_host").await;
    // The URI has the host in requests to a proxy and in HTTP/2. A request with two hosts is refused.
    for (uri, host, status) in [
        ("http://127.0.0.1/api/limiters", Some("evil.example"), 403),
        ("http://evil.example/api/limiters", Some("127.0.0.1"), 403),
        ("http://evil.example/api/limiters", None, 403),
        ("http://127.0.0.1@evil.example/api/limiters", None, 403),
        ("http://localhost:80/api/limiters", Some("LOCALHOST:80"), 200),
        ("http://localhost:80/api/limiters", None, 200),
    ] {
        let mut request = get("/");
        *request.uri_mut() = uri.parse().expect("a URI");
        request.headers_mut().remove("host");
        if let Some(host) = host {
            set("host", host)(&mut request);
        }
        assert_eq!(console.ask(request).await.status.as_u16(), status, "{uri} {host:?}");
    }
    let twice = |request: &mut Request<Body>| {
        request.headers_mut().append("host", "127.0.0.1:9999".parse().expect("a header"));
    };
    assert_refused(&console, twice, forbidden, "allow_host").await;
    for host in [
        "localhost",
        "LOCALHOST:80",
        "127.0.0.1",
        "127.8.9.1:1",
        "[::1]:9999",
        "[::ffff:127.0.0.1]",
    ] {
        let mut request = get("/");
        set("host", host)(&mut request);
        assert_eq!(console.ask(request).await.status, StatusCode::OK, "{host}");
    }
    // Hosts as in an address bar, with and without ports and brackets.
    let options = ["ops.example.com:8443", "[2001:db8::1]", "2001:db8::2", "[2001:db8::3]:80"]
        .into_iter()
        .fold(Options::new(), Options::allow_host);
    let console = Console::new(options);
    for (host, status) in [
        ("[2001:db8::2]", 200),
        ("[2001:db8::3]:8080", 200),
        ("[2001:db8::4]", 403),
        ("ops.example.com", 200),
        ("OPS.example.com:8443", 200),
        ("[2001:db8::1]:80", 200),
        ("127.0.0.1", 200),
        ("ops.example.com.evil.example", 403),
        ("example.com", 403),
    ] {
        let mut request = get("/");
        set("host", host)(&mut request);
        assert_eq!(console.ask(request).await.status.as_u16(), status, "{host}");
    }
}

#[tokio::test]
async fn other_sites_are_not_answered() {
    let console = Console::writable();
    let forbidden = StatusCode::FORBIDDEN;
    for origin in [
        "http://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:9998",
        "http://localhost:9999",
        "http://127.0.0.1:9999.evil.example",
        "127.0.0.1:9999",
        "",
    ] {
        assert_refused(&console, set("origin", origin), forbidden, "another site").await;
        let mut request = get("/api/limiters");
        set("origin", origin)(&mut request);
        let answer = console.ask(request).await;
        assert_eq!(answer.status, forbidden, "{origin}");
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    let twice = |request: &mut Request<Body>| {
        request.headers_mut().append("origin", "http://127.0.0.1:9999".parse().expect("a header"));
    };
    assert_refused(&console, twice, forbidden, "another site").await;
    // A browser asks this before it sends a request of another site with a header.
    let preflight = request("OPTIONS", "/api/settings")
        .header("origin", "http://evil.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization");
    let answer = console.ask(preflight.body(Body::empty()).expect("a request")).await;
    assert!(!answer.status.is_success());
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
}

#[tokio::test]
async fn only_posts_in_json_change_something() {
    let console = Console::writable();
    for method in ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"] {
        let limiter = Limiter::new("hostile::method", 5);
        drop(limiter.acquire().await);
        let mut request = post(json!({"name": "hostile::method", "limit": 100}).to_string());
        *request.method_mut() = method.parse().expect("a method");
        assert_eq!(console.ask(request).await.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(limiter.limit(), Some(5));
    }
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
    ] {
        assert_refused(
            &console,
            set("content-type", kind),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "application/json",
        )
        .await;
    }
    let large = |request: &mut Request<Body>| {
        let padding = " ".repeat(100_000);
        *request.body_mut() = Body::from(format!("{{{padding}\"name\": \"x\", \"limit\": 1}}"));
    };
    assert_refused(&console, large, StatusCode::PAYLOAD_TOO_LARGE, "").await;
    for body in [
        "",
        "null",
        "[]",
        "{\"name\": \"hostile::0\", \"name\": \"x\", \"limit\": 1}",
        "{\"limit\": 1}",
        "\u{feff}{}",
    ] {
        let broken = |request: &mut Request<Body>| *request.body_mut() = Body::from(body);
        let answer = {
            let mut request = post(String::new());
            broken(&mut request);
            console.ask(request).await
        };
        assert!(answer.status.is_client_error(), "{body}: {}", answer.status);
        answer.error();
    }
}

#[tokio::test]
async fn private_console_is_read_with_the_token_only() {
    let console = Console::new(Options::new().writable(TOKEN).private());
    for path in ["/", "/console.js", "/api/limiters", "/api/stream", "/openapi.json", "/nothing"] {
        let refused = console.get(path).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(
            refused.headers["www-authenticate"]
                .to_str()
                .is_ok_and(|with| with.starts_with("Basic "))
        );
    }
    let basic = "Basic b3BzOmNvcnJlY3QgaG9yc2UgYmF0dGVyeSBzdGFwbGU="; // ops: and the token
    for right in [&format!("Bearer {TOKEN}"), basic] {
        let mut request = get("/api/limiters");
        set("authorization", right)(&mut request);
        assert_eq!(console.ask(request).await.status, StatusCode::OK, "{right}");
    }
    for wrong in [
        "Basic b3BzOndyb25n",
        "Basic !!",
        "Basic",
        "Basic Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==",
    ] {
        let mut request = get("/api/limiters");
        set("authorization", wrong)(&mut request);
        assert_eq!(console.ask(request).await.status, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    let nobody = Console::new(Options::new().private());
    for token in ["Bearer ", "Basic Og=="] {
        let mut request = get("/");
        set("authorization", token)(&mut request);
        let refused = nobody.ask(request).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "no token is the right one");
        let told = "nobody can read: the program gives no token, see `Options::writable`";
        assert_eq!(refused.error(), told);
        let asks = refused.headers.contains_key("www-authenticate");
        assert!(!asks, "a browser asks for no password that does not exist");
    }
}

#[tokio::test]
async fn every_answer_forbids_what_a_page_could_be_made_to_do() {
    let console = Console::writable();
    for path in ["/", "/console.js", "/console.css", "/api/limiters", "/nothing", "/api/limiter"] {
        let answer = console.get(path).await;
        let header = |name: &str| answer.headers[name].to_str().expect("text").to_owned();
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"));
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
    }
    let refused = {
        let mut request = get("/");
        set("host", "evil.example")(&mut request);
        console.ask(request).await
    };
    assert!(refused.headers.contains_key("content-security-policy"));
    // The page and its script keep to the policy.
    let page = console.get("/").await.body;
    for forbidden in
        ["style=", "<style", "onclick", "onload", "javascript:", "http://", "https://", "//cdn"]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for (name, script) in scripts(&console).await {
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "document.write",
            "eval(",
            "new Function",
            "insertAdjacentHTML",
        ] {
            assert!(!script.contains(forbidden), "{name}: {forbidden}");
        }
    }
}

/// Returns the text of each script of the page: of `console.js`, and of the scripts that one of them imports.
async fn scripts(console: &Console) -> BTreeMap<String, String> {
    let mut scripts = BTreeMap::new();
    let mut wanted = vec!["console.js".to_owned()];
    while let Some(name) = wanted.pop() {
        if scripts.contains_key(&name) {
            continue;
        }
        let answer = console.get(&format!("/{name}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        assert_eq!(answer.headers["content-type"], "text/javascript; charset=utf-8", "{name}");
        let imports = answer.body.split(" from './").skip(1);
        wanted.extend(imports.filter_map(|rest| Some(rest.split_once('\'')?.0.to_owned())));
        scripts.insert(name, answer.body);
    }
    scripts
}

#[test]
fn files_of_the_page_are_small_enough_to_read() {
    let written = page_files().into_iter().filter(|(name, _)| !is_of_kind(name, "svg"));
    for (name, text) in written {
        let lines = text.lines().count();
        assert!(lines <= 300, "{name}: {lines} lines");
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(140), "{name}: a line of {longest:?} characters");
    }
}

#[tokio::test]
async fn every_script_in_the_folder_of_the_page_is_served_and_imported() {
    let scripts = scripts(&Console::read_only()).await;
    let files = page_files().into_keys().filter(|name| is_of_kind(name, "js"));
    assert_eq!(files.collect::<Vec<_>>(), scripts.into_keys().collect::<Vec<_>>());
}

fn is_of_kind(name: &str, kind: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == kind)
}

/// Returns the text of each file in the folder of the page.
fn page_files() -> BTreeMap<String, String> {
    let folder = format!("{}/../integrations/limit-console/src/page", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).expect("it is there");
    let files = files.map(|file| {
        let path = file.expect("it can be listed").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).expect("it can be read"))
    });
    files.collect()
}

#[tokio::test]
async fn addresses_beyond_loopback_are_refused_without_a_token() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
        let address: SocketAddr = address.parse().expect("an address");
        let refused = serve(address).await.expect_err("it is not loopback");
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{address}");
        assert!(refused.to_string().contains("Options::writable"), "{refused}");
        let refused = serve_with(address, Options::new().writable("")).await.expect_err("no token");
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{address}");
    }
}

/// Returns the first line of the answer of a console that is served.
async fn answer_to(address: SocketAddr, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    stream.write_all(request.as_bytes()).await.expect("it listens");
    let mut answer = Vec::new();
    while !answer.contains(&b'\n') {
        let mut more = [0; 1024];
        match stream.read(&mut more).await.expect("it answers") {
            0 => break,
            read => answer.extend_from_slice(&more[..read]),
        }
    }
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn requests_that_are_no_browser_s_are_no_way_in() {
    let limiter = Limiter::new("hostile::raw", 5);
    drop(limiter.acquire().await);
    let with_token = |address: SocketAddr| serve_with(address, Options::new().writable(TOKEN));
    let (address, server) = served(Ipv4Addr::LOCALHOST, with_token).await;
    let right =
        format!("GET /api/limiters HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    assert_eq!(answer_to(address, &right).await, "HTTP/1.1 200 OK");
    let body = r#"{"name":"hostile::raw","limit":1}"#;
    let change = |first: &str, headers: &str| {
        format!(
            "{first}\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n{headers}\r\n{body}",
            body.len()
        )
    };
    let post = "POST /api/settings HTTP/1.1";
    let evil = "host: evil.example\r\n";
    let ours = &format!("host: {address}\r\n");
    for refused in [
        change(post, evil),
        change(post, ""),
        change(post, &format!("{ours}{evil}")),
        change(post, &format!("{evil}{ours}")),
        change("POST /api/settings HTTP/1.0", ""),
        change(&format!("POST http://{address}/api/settings HTTP/1.1"), evil),
        change("POST http://evil.example/api/settings HTTP/1.1", ours),
        change(&format!("POST http://evil@{address}/api/settings HTTP/1.1"), ours),
        change("GET /api/settings HTTP/1.1", &format!("{ours}x-http-method-override: POST\r\n")),
        change("GET /api/settings?_method=POST HTTP/1.1", ours),
        change("POST /api%2Fsettings HTTP/1.1", ours),
        change("POST //api/settings HTTP/1.1", ours),
        change("POST /api/settings/ HTTP/1.1", ours),
        change("POST /api/./settings HTTP/1.1", ours),
        change(&format!("CONNECT {address} HTTP/1.1"), ours),
        change("OPTIONS * HTTP/1.1", ours),
        change(post, &format!("{ours}origin: http://evil.example\r\n")),
        change(post, &format!("{ours}origin: null\r\n")),
    ] {
        let answer = answer_to(address, &refused).await;
        assert!(
            answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4"),
            "{answer:?} to {refused}"
        );
        assert_eq!(limiter.limit(), Some(5), "{refused}");
    }
    assert_eq!(answer_to(address, &change(post, ours)).await, "HTTP/1.1 200 OK");
    assert_eq!(limiter.limit(), Some(1));
    server.abort();
}

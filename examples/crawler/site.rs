//! The default site: the documentation of this workspace's own crates, on loopback.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use axum::Router;
use reqwest::Url;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

const START_PAGE: &str = "limit_runtime/index.html";

/// Serves the documentation on a free port of 127.0.0.1 and returns the address of its start page.
pub(crate) async fn serve_documentation() -> anyhow::Result<Url> {
    let directory = tokio::task::spawn_blocking(documentation).await??;
    let listener =
        TcpListener::bind(("127.0.0.1", 0)).await.context("cannot listen on 127.0.0.1")?;
    let start = format!("http://{}/{START_PAGE}", listener.local_addr()?);
    let router = Router::new().fallback_service(ServeDir::new(directory));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(Url::parse(&start)?)
}

/// Returns cargo's target directory: this program is in `<target>/<profile>/examples/`.
pub(crate) fn target_directory() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let built_by_cargo = program.parent().is_some_and(|parent| parent.ends_with("examples"));
    match program.ancestors().nth(3) {
        Some(target) if built_by_cargo => target.to_owned(),
        _ => workspace().join("target"),
    }
}

/// Returns the directory of the workspace in which this program was compiled.
fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// Returns the directory with the documentation, and builds the documentation if it is missing.
fn documentation() -> anyhow::Result<PathBuf> {
    let target = target_directory().join("crawler-docs");
    let whole = target.join("site");
    if whole.join(START_PAGE).is_file() {
        return Ok(whole);
    }
    let manifest = workspace().join("Cargo.toml");
    if !manifest.is_file() {
        anyhow::bail!(
            "the workspace is not at {} any more, so its documentation cannot be made; \
             crawl something else with --url",
            workspace().display()
        );
    }
    eprintln!("making the documentation to crawl (only this once) …");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(&cargo)
        .args(["doc", "--no-deps", "--package", "limit-macros", "--package", "limit-runtime"])
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target)
        .stdin(Stdio::null())
        .status()
        .with_context(|| {
            let cargo = cargo.display();
            format!("cannot run `{cargo}` to make the documentation; crawl a site with --url")
        })?;
    if !status.success() {
        anyhow::bail!("`cargo doc` failed ({status}); crawl another site with --url");
    }
    // The rename is one step, so an interrupted build never passes for a complete one.
    std::fs::rename(target.join("doc"), &whole)
        .with_context(|| format!("cannot move the documentation to {}", whole.display()))?;
    Ok(whole)
}

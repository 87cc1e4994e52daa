//! The console's page, as far as it concerns the service.

use crate::{Result, Service};

const TOKEN: &str = "a token of the test";

#[tokio::test]
async fn limit_that_is_raised_on_the_page_lets_the_queue_drain_and_is_told() -> Result {
    let mut service = Service::start("['report']\nlimit = 0", &["--token", TOKEN]).await?;
    let ask = service.clients.ask("report/7", 5);
    service.until(|figures| figures.waiting("report") == 5).await?;

    let raise = r#"{"name": "report", "limit": 8, "by": "a test"}"#;
    let refused = service.clients.post("limits/api/settings", "another token", raise).await?;
    assert_eq!(refused.status, 401, "{refused:?}");
    assert_eq!(service.figures().await?.waiting("report"), 5);
    let changed = service.clients.post("limits/api/settings", TOKEN, raise).await?;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert!(changed.text.contains("\"by\":\"a test (127.0.0.1)\""), "{changed:?}");
    for answer in ask.answers().await? {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(service.figures().await?.limit("report"), 8);
    service.program.until_says("the page set report: limit 8").await?;
    service.edit("['report']\nlimit = 5", |_| true).await?;
    service.program.until_says("settings: report: limit 5 is not in force").await?;
    let reset = r#"{"name": "report", "reset": true}"#;
    let reset = service.clients.post("limits/api/settings", TOKEN, reset).await?;
    assert_eq!(reset.status, 200, "{reset:?}");
    service.program.until_says("the page reset report: limit").await?;
    Ok(())
}

#[tokio::test]
async fn file_that_is_broken_is_shown_with_its_line() -> Result {
    let service = Service::start("['report']\nlimit = 3", &[]).await?;
    let shown = "service.toml:2:9: ";
    assert!(!service.clients.get("limits/api/limiters").await?.text.contains(shown));
    service.edit("['report']\nlimit = 'many'", |figures| figures.limit("report") == 3).await?;
    let mut page = service.clients.open("limits/api/stream").await?;
    let mut told = String::new();
    while !told.contains(shown) {
        let chunk = page.chunk().await?.ok_or("the stream ends")?;
        told.push_str(&String::from_utf8_lossy(&chunk));
    }
    Ok(())
}

#[tokio::test]
async fn page_that_is_open_does_not_hold_up_the_end() -> Result {
    let service = Service::start("", &["--patience", "600"]).await?;
    let mut page = service.clients.open("limits/api/stream").await?;
    assert!(page.chunk().await?.is_some_and(|first| first.starts_with(b"event: all")));
    service.program.terminate()?;
    while page.chunk().await?.is_some() {}
    let end = service.program.end().await?;
    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn token_is_told_at_the_start_and_is_another_each_time() -> Result {
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let mut service = Service::start("", &[]).await?;
        let line = service.program.until_says("the limits: ").await?;
        let (_, token) = line.rsplit_once("/limits#token=").ok_or("no token")?;
        let change = r#"{"name": "report", "limit": 8}"#;
        let changed = service.clients.post("limits/api/settings", token.trim(), change).await?;
        assert_eq!(changed.status, 200, "{changed:?}");
        tokens.push(token.to_owned());
    }
    assert_ne!(tokens[0], tokens[1]);
    Ok(())
}

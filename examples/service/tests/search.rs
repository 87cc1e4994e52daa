//! The search, whose limit finds itself.

use crate::{Result, Service};

#[tokio::test]
async fn limit_of_the_search_grows_while_searches_wait_and_stays_where_a_file_holds_it() -> Result {
    // Enough searches wait for long enough that the limiter knows their time.
    let service = Service::start("['search']\nmax_wait = '10m'", &[]).await?;
    assert_eq!(service.figures().await?.limit("search"), 2);
    let searches = service.clients.ask("search/100", 100);
    service.until(|figures| figures.limit("search") > 4).await?;
    service.edit("['search']\nlimit = 3", |figures| figures.limit("search") == 3).await?;
    service.edit("['search']\nlimit = '5..=9'", |figures| figures.limit("search") > 4).await?;
    for answer in searches.answers().await? {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert!((5..=9).contains(&service.figures().await?.limit("search")));
    Ok(())
}

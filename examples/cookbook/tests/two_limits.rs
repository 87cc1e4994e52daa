use cookbook::Server;
use tokio::task::JoinSet;

use crate::programs::two_limits::translated;

#[tokio::test(start_paused = true)]
async fn each_part_has_its_own_limit() {
    let (site, translator) = (Server::new(), Server::new());
    let calls: JoinSet<_> =
        (1..=8).map(|page| translated(site.clone(), translator.clone(), page)).collect();
    let mut texts = calls.join_all().await;
    texts.sort();
    assert_eq!(texts[0], "page 1, and translated: page 1");
    assert_eq!(texts.len(), 8);

    // The site serves further pages while the translator is behind.
    assert_eq!(
        site.to_string(),
        "after 0.0 s: 1, 2, 3, 4\nafter 0.1 s: 5, 6, 7, 8\nat most 4 at once"
    );
    assert_eq!(
        translator.to_string(),
        "after 0.0 s: 1, 2\nafter 0.1 s: 3, 4\nafter 0.2 s: 5, 6\nafter 0.3 s: 7, 8\n\
         at most 2 at once"
    );
}

//! The routes of the service.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use limit_console::{self as console, Options};
use limit_exporters::prometheus::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::database::Database;
use crate::download::download;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::fingerprint::fingerprint;
use crate::orders::orders;
use crate::replica::Replica;
use crate::report::report;
use crate::search::search;

const INDEX: &str = "\
/report/{month}         what was sold in a month, 1 to 12
/exchange/{currency}    chf, gbp, jpy or usd, from the bank
/fingerprint/{text}     slow to find
/orders/{tenant}        of north, east, south, west or noisy
/download/{megabytes}   takes a while
/search/{cents}         the orders of this amount or more
/metrics                for Prometheus
/limits                 the limits, live, and a knob to turn
";

/// The state that the handlers share.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    database: Arc<Database>,
    exchange: Exchange,
    pub(crate) replica: Replica,
    metrics: Arc<Registry>,
}

impl Service {
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let mut metrics = Registry::default();
        metrics.register_collector(Box::new(Collector::new()));
        Ok(Self {
            database: Arc::new(Database::open().await?),
            exchange: Exchange::open().await?,
            replica: Replica::new(),
            metrics: Arc::new(metrics),
        })
    }

    /// Calls each of the limited functions.
    pub(crate) async fn call_each_once(&self) -> Result<(), Error> {
        tokio::try_join!(
            report(&self.database, 1),
            self.exchange.rate("usd"),
            fingerprint(String::new()),
            orders(&self.database, "north".to_owned()),
            download(1),
            search(&self.database, &self.replica, 100),
        )?;
        Ok(())
    }
}

/// Returns the routes; `page` has the options of the page at `/limits`.
pub(crate) fn router(service: Service, page: Options) -> Router {
    Router::new()
        .route("/", get(INDEX))
        .route("/report/{month}", get(get_report))
        .route("/exchange/{currency}", get(get_rate))
        .route("/fingerprint/{text}", get(get_fingerprint))
        .route("/orders/{tenant}", get(get_orders))
        .route("/download/{megabytes}", get(get_download))
        .route("/search/{cents}", get(get_search))
        .route("/metrics", get(get_metrics))
        .nest_service("/limits", console::router(page))
        .with_state(service)
}

async fn get_report(
    State(service): State<Service>,
    Path(month): Path<u32>,
) -> Result<String, Error> {
    report(&service.database, month).await
}

async fn get_rate(
    State(service): State<Service>,
    Path(currency): Path<String>,
) -> Result<String, Error> {
    service.exchange.rate(&currency).await
}

async fn get_fingerprint(Path(text): Path<String>) -> Result<String, Error> {
    fingerprint(text).await
}

async fn get_orders(
    State(service): State<Service>,
    Path(tenant): Path<String>,
) -> Result<String, Error> {
    orders(&service.database, tenant).await
}

async fn get_download(Path(megabytes): Path<u64>) -> Result<Response, Error> {
    download(megabytes).await
}

async fn get_search(
    State(service): State<Service>,
    Path(cents): Path<u32>,
) -> Result<String, Error> {
    search(&service.database, &service.replica, cents).await
}

async fn get_metrics(State(service): State<Service>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &service.metrics) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

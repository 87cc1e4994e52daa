//! A client for HTTP servers on loopback.

/// Returns a builder of clients that use no proxy and need no certificates.
pub fn client() -> reqwest::ClientBuilder {
    // This workspace builds reqwest without a default provider of cryptography, and the builder
    // needs one. An error means that another test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tls_certs_only([])
}

//! Writes `assets/`: a dashboard and alerting rules, from the list of metrics.
//!
//! `cargo run -p limit-tests --example assets --features prometheus`

mod assets;

fn main() -> std::io::Result<()> {
    for (path, content) in assets::all() {
        std::fs::create_dir_all(path.parent().expect("it is in a directory"))?;
        std::fs::write(&path, content)?;
        println!("{}", path.display());
    }
    Ok(())
}

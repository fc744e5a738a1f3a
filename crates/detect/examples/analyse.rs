//! Prints what detection makes of a folder, as JSON: `cargo run -p ergon-detect --example analyse -- DIR`.

use std::io::Write as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).ok_or("name a folder")?;
    let tree = ergon_detect::disk::DiskTree::open(std::path::Path::new(&folder))?;
    let analysis = ergon_detect::analyse(&tree);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string_pretty(&analysis)?)?;
    if let Ok(plans) = ergon_detect::plan::plan(&analysis.manifest, &tree) {
        for plan in plans {
            writeln!(out, "{}", ergon_detect::dockerfile::render(&plan).text)?;
        }
    }
    Ok(())
}

//! Generates the list of `migrations/*.sql` that `store::migrate` includes, so that no file can be
//! left out of it.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=migrations");
    let mut names = fs::read_dir("migrations")?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>, std::io::Error>>()?;
    names.sort();

    let mut list = String::from("&[\n");
    for (index, name) in names.iter().enumerate() {
        let number = format!("{:04}_", index + 1);
        let stem = name.strip_suffix(".sql");
        if !stem.is_some_and(|stem| stem.starts_with(&number)) {
            return Err(
                format!("rename migrations/{name} to {number}….sql, the next number").into(),
            );
        }
        let path = format!("/migrations/{name}");
        writeln!(
            list,
            "include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?})),"
        )?;
    }
    list.push(']');
    fs::write(
        PathBuf::from(env::var("OUT_DIR")?).join("migrations.rs"),
        list,
    )?;
    Ok(())
}

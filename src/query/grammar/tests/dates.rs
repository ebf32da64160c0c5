//! Sentences about times, with their arguments and the words that are left out. No date may be read as a different one.

use super::judge;

#[test]
fn a_date_is_not_read_as_another_one() {
    let lines = include_str!("dates.tsv").lines();
    let wrong: Vec<String> = lines
        .filter(|line| !line.starts_with('#'))
        .map(judge)
        .filter(|(is_right, _)| !is_right)
        .map(|(_, difference)| difference)
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

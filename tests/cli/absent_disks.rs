//! Links to photos whose disk is not there, and copies of them.

use std::fs;
use std::path::Path;

use crate::testenv::TestEnv;

/// The photos to which the links of a folder lead, in order, whether or not they are there.
fn links(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut targets: Vec<_> = entries
        .filter_map(|entry| {
            let target = fs::read_link(entry.path()).ok()?;
            Some((entry.file_name(), target.to_str().unwrap().to_owned()))
        })
        .collect();
    targets.sort();
    targets.into_iter().map(|(_, target)| target).collect()
}

#[test]
fn links_to_photos_stay_while_their_disk_is_absent() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.index();
    let query = "query --order date";
    let fill = format!("{query} --link-into best --format paths");
    env.run(&fill).found();
    let filled = links(&env.path("best"));
    assert_eq!(filled.len(), 2);

    // A root that is not there, and one whose disk is not mounted at its folder.
    fs::rename(env.path("album"), env.path("away")).unwrap();
    for how in ["absent", "empty"] {
        let run = env.run(&fill);
        assert!(
            run.code == 0 && !run.stderr.contains("left out"),
            "{how}: {run:?}"
        );
        assert_eq!(links(&env.path("best")), filled, "{how}");
        let run = env.run(&format!("{query} --copy-into {how}"));
        let left_out = run.stderr.matches("its disk is not there").count();
        assert_eq!((run.code, left_out), (0, 2), "{how}: {run:?}");
        let _ = fs::create_dir(env.path("album"));
    }
    fs::remove_dir(env.path("album")).unwrap();
    fs::rename(env.path("away"), env.path("album")).unwrap();
    for target in &filled {
        assert!(env.path("best").join(target).is_file(), "{target}");
    }

    // What was deleted is left out, and the index does not know it yet.
    fs::remove_file(env.album("hopper.jpg")).unwrap();
    let run = env.run(&fill);
    assert!(run.stderr.contains("it is no longer there"), "{run:?}");
    assert_eq!(links(&env.path("best")).len(), 1);
}

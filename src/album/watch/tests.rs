use std::time::Duration;

use super::*;

fn next(watch: &Watch) -> Change {
    let wait = Duration::from_secs(20);
    watch.changes().recv_timeout(wait).expect("a change")
}

#[cfg(target_os = "linux")]
#[test]
fn changes_arrive_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut watch = Watch::new(0).unwrap();
    assert_eq!(watch.add(dir.path()), Followed::Watched);
    let [a, b, sub] = ["a.jpg", "b.jpg", "sub"].map(|name| dir.path().join(name));
    fs::write(&a, "x").unwrap();
    fs::rename(&a, &b).unwrap();
    fs::create_dir(&sub).unwrap();
    fs::remove_file(&b).unwrap();
    let expected = [
        Change::Touched(a.clone()),
        Change::Written(a.clone()),
        Change::Closed(a.clone()),
        Change::Moved(a.clone()),
        Change::Moved(b.clone()),
        Change::Renamed {
            from: a,
            to: b.clone(),
        },
        Change::NewFolder(sub),
        Change::Moved(b),
    ];
    for change in expected {
        assert_eq!(next(&watch), change);
    }
    assert!(!watch.take_overflow());
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_stays_watched_when_a_link_to_it_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let [folder, link] = ["folder", "link"].map(|name| dir.path().join(name));
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    let mut watch = Watch::new(0).unwrap();
    watch.add(&folder);
    watch.add(&link);
    fs::write(link.join("a.jpg"), "x").unwrap();
    let change = next(&watch);
    assert_eq!(change, Change::Touched(link.join("a.jpg")));
    let others = watch.under_other_paths(&change);
    assert_eq!(others, [Change::Touched(folder.join("a.jpg"))]);
    watch.remove_tree(&link);
    assert_eq!(watch.count(), 1);
    assert_eq!(watch.take_missed(), [folder.as_path()]);
    fs::write(folder.join("b.jpg"), "x").unwrap();
    let is_reported = |change: Change| change == Change::Closed(folder.join("b.jpg"));
    while !is_reported(next(&watch)) {}
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_stays_watched_when_a_link_to_it_leads_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let [folder, other, link] = ["folder", "other", "link"].map(|name| dir.path().join(name));
    fs::create_dir(&folder).unwrap();
    fs::create_dir(&other).unwrap();
    let mut watch = Watch::new(0).unwrap();
    watch.add(&folder);
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    watch.add(&link);
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&other, &link).unwrap();
    watch.add(&link);
    assert_eq!(watch.take_missed(), [folder.as_path()]);
    for path in [folder.join("a.jpg"), link.join("b.jpg")] {
        fs::write(&path, "x").unwrap();
        while next(&watch) != Change::Closed(path.clone()) {}
    }
}

#[test]
fn folders_beyond_the_limit_are_polled() {
    let dir = tempfile::tempdir().unwrap();
    let mut watch = Watch::new(1).unwrap();
    assert_eq!(watch.add(dir.path()), Followed::Watched);
    assert_eq!(watch.add(dir.path()), Followed::Watched);
    let sub = dir.path().join("sub");
    fs::create_dir(&sub).unwrap();
    assert_eq!(watch.add(&sub), Followed::Polled);
    watch.remove_tree(dir.path());
    assert_eq!(watch.count(), 0);
    assert_eq!(watch.add(&sub), Followed::Watched);
}

#[cfg(target_os = "linux")]
#[test]
fn network_shares_are_polled_and_disks_are_watched() {
    // As `stat -f -c %t` prints them: nfs, smb2, cifs, fuseblk (ntfs-3g), v9fs, ceph.
    for magic in [
        "6969", "fe534d42", "ff534d42", "65735546", "1021997", "c36400",
    ] {
        assert!(
            is_remote(u32::from_str_radix(magic, 16).unwrap()),
            "{magic}"
        );
    }
    // ext4, btrfs, xfs, tmpfs, overlayfs, f2fs, zfs, exfat, vfat.
    for magic in [
        "ef53", "9123683e", "58465342", "1021994", "794c7630", "f2f52010", "2fc12fc1", "2011bab0",
        "4d44",
    ] {
        assert!(
            !is_remote(u32::from_str_radix(magic, 16).unwrap()),
            "{magic}"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    assert!(!needs_polling(&dir.path().join("nowhere")));
}

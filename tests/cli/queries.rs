//! Filters, free text and output formats.

use std::fs;
use std::process::Stdio;

use crate::common::{fixture, photo_taken};
use crate::testenv::{Run, TestEnv};

const FLORENCE: (f64, f64) = (43.77, 11.25);
const BERLIN: (f64, f64) = (52.52, 13.40);

/// An album of three photos with dates, places and cameras: two at home, one on a trip.
fn album() -> TestEnv {
    let env = TestEnv::new();
    for (name, fixture_name, date, position, camera) in [
        (
            "Trips/Tuscany 2019/a.jpg",
            "astronaut.jpg",
            "2019:07:14 09:00:00",
            FLORENCE,
            "NIKON D850",
        ),
        (
            "home/b.jpg",
            "hopper.jpg",
            "2019:12:31 23:59:59",
            BERLIN,
            "Canon EOS R5",
        ),
        (
            "home/c.jpg",
            "camera.jpg",
            "2020:01:01 00:00:01",
            BERLIN,
            "Canon EOS R5",
        ),
    ] {
        env.add(name, photo_taken(fixture_name, date, position, camera));
    }
    env.index();
    env
}

const A: &str = "Trips/Tuscany 2019/a.jpg";
const B: &str = "home/b.jpg";
const C: &str = "home/c.jpg";

#[test]
fn every_filter_finds_its_photos() {
    let env = album();
    let sorted = |options: &str| {
        let mut names = env.query(options);
        names.sort();
        names
    };
    for (options, expected) in [
        ("", &[A, B, C][..]),
        ("--emotion happy --emotion sad --all", &[A, B, C]),
        ("--away", &[A]),
        ("--away=2000", &[]),
        ("--near florence", &[A]),
        ("--near italy", &[A]),
        ("--near toskana", &[A]),
        ("--near tuscany --near berlin", &[A, B, C]),
        ("--near europe --camera canon", &[B, C]),
        ("--near europe --away", &[A]),
        ("--near bavaria", &[]),
        ("--near 52.5,13.4 --within 5", &[B, C]),
        ("--near germany --since 2020", &[C]),
        ("--camera nikon", &[A]),
        ("--album tuscany", &[A]),
        ("--text tuscany", &[A]),
        ("--faces 1", &[A, B, C]),
        ("--faces 2..", &[]),
        ("--one-per-burst", &[A, B]),
        ("--min-face-size 5000 --emotion happy", &[]),
        ("--order date --limit 1 --offset 1", &[B]),
        ("--order random --seed 3", &[A, B, C]),
    ] {
        let found = sorted(options);
        if options == "--one-per-burst" {
            // Of the two photos taken two seconds apart, the first in the order of the answer: without an emotion, the
            // latest.
            assert_eq!(found, [A, C], "{options}");
        } else {
            assert_eq!(found, expected, "{options}");
        }
    }
    assert_eq!(env.query("--order date"), [C, B, A]);
    let sentence = env.run("query --near Nowhereville").refused();
    assert!(sentence.contains("\"Nowhereville\""), "{sentence}");
}

#[test]
fn keywords_of_a_sidecar_are_found() {
    let env = TestEnv::new();
    env.add("a.jpg", fixture("chelsea.jpg"));
    env.add("b.jpg", fixture("coffee.jpg"));
    let keyword =
        "<rdf:RDF><dc:subject><rdf:Bag><rdf:li>Beaches</rdf:li></rdf:Bag></dc:subject></rdf:RDF>";
    env.add("a.jpg.xmp", keyword);
    env.index();
    assert_eq!(env.query("--text beach"), ["a.jpg"]);
    assert_eq!(env.show("a.jpg")["keywords"][0], "Beaches");
    // A sidecar that was added later is found too.
    env.add("b.xmp", keyword);
    env.index();
    assert_eq!(env.query("--text beach").len(), 2);
}

#[test]
fn find_understands_plain_words() {
    let env = album();
    let run = env.run("find happy vacation photos in italy july 2019 -v");
    assert_eq!(run.text().lines().count(), 1, "{run:?}");
    assert!(run.text().ends_with("a.jpg\n"), "{run:?}");
    let flags = "fer-index query --emotion happy --since 'july 2019' --until 'july 2019' --near \
                 italy --away=100";
    assert!(run.stderr.contains(flags), "{run:?}");

    let run = env.run("find photos jpg in 2019-07");
    assert!(run.code == 0 && run.text().ends_with("a.jpg\n"), "{run:?}");
    assert!(
        run.stderr
            .contains("searched as text in paths, descriptions and keywords: jpg")
    );
    let run = env.run("find happy photos from tuscany");
    assert!(run.code == 0 && run.text().ends_with("a.jpg\n"), "{run:?}");
    assert!(run.stderr.contains("in Tuscany, Italy"), "{run:?}");
    assert_eq!(env.run("find photos tuscany in 2020").code, 1);
    assert_eq!(env.run("find happy --min-score 200").code, 2);
}

#[test]
fn results_can_be_piped_to_xargs_and_explained() {
    let env = album();
    let run = env.run("query -0 --order date").found();
    let expected = [C, B, A].map(|name| format!("{}\0", env.album(name).display()));
    assert_eq!(run.text(), expected.concat());

    let run = env.run("query --emotion happy --all --limit 1 --explain");
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (0, "1 of 3; --offset 1 for more\n")
    );
    let lines: Vec<_> = run.text().lines().collect();
    assert!(
        lines[2].starts_with("    face ") && lines[2].matches(" %").count() == 8,
        "{run:?}"
    );

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = Run::of(
        env.command("query -0")
            .stderr(Stdio::piped())
            .stdout(writer),
    );
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[cfg(unix)]
#[test]
fn a_folder_of_links_is_updated_by_the_next_query() {
    let env = album();
    env.run("query --order date --link-into best/of").found();
    let names = || {
        let mut names: Vec<_> = fs::read_dir(env.path("best/of"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["001 c.jpg", "002 b.jpg", "003 a.jpg"]);
    let link = env.path("best/of/003 a.jpg");
    assert!(fs::read_link(&link).unwrap().is_relative());
    assert_eq!(fs::read(&link).unwrap(), fs::read(env.album(A)).unwrap());
    env.run("query --camera nikon --copy-into best/of").found();
    assert_eq!(names(), ["001 a.jpg"]);
    let sentence = env.run("query --link-into album").refused();
    assert!(sentence.contains("did not put there"), "{sentence}");
    assert!(env.album(A).exists());
}

#[test]
fn a_contact_sheet_is_self_contained() {
    let env = album();
    fs::remove_file(env.album(C)).unwrap();
    env.run("query --emotion happy --all --contact-sheet sheet.html")
        .found();
    let page = fs::read_to_string(env.path("sheet.html")).unwrap();
    assert_eq!(page.matches("src=\"data:image/jpeg;base64,").count(), 2);
    assert_eq!(
        page.matches("<rect ").count(),
        2,
        "the photo that is gone has no frame"
    );
    let is_linked = ["http:", "https:", "url("]
        .iter()
        .any(|link| page.contains(link));
    assert!(page.contains("unreadable") && !is_linked, "{}", page.len());
    // A heading, and a link to each original.
    assert!(page.contains("<h1>3 photos"), "{}", &page[..2000]);
    let path = env.album(A).display().to_string().replace(' ', "%20");
    let original = format!("<a href=\"file://{path}\">");
    assert!(page.contains(&original), "{original}");
    env.run("query --emotion happy --all --contact-sheet sheet.png")
        .found();
    let picture = image::open(env.path("sheet.png")).unwrap().into_rgb8();
    let frames = picture
        .pixels()
        .filter(|pixel| pixel.0 == [255, 60, 40])
        .count();
    assert!(picture.width() > 900 && frames > 500, "{frames}");
    let sentence = env.run("query --contact-sheet sheet.gif").refused();
    assert!(sentence.contains(".html or .png"), "{sentence}");
}

#[cfg(feature = "train")]
#[test]
fn stats_draws_a_plot() {
    let env = album();
    env.run("stats --by year --plot shares").found();
    assert!(env.path("shares.svg").exists() && env.path("shares.png").exists());
}

#[test]
fn stats_counts_by_year_and_place() {
    let env = album();
    let all = env.run("stats --json").found().json();
    assert_eq!(
        (&all[0]["photos"], &all[0]["faces"]),
        (&3.into(), &3.into())
    );
    let years = env.run("stats --by year --json").found().json();
    assert_eq!(
        (&years[0]["year"], &years[0]["photos"]),
        (&"2019".into(), &2.into())
    );
    assert_eq!(years[1]["year"], "2020");
    let sum: f64 = years[0]["shares"]
        .as_object()
        .unwrap()
        .values()
        .map(|v| v.as_f64().unwrap())
        .sum();
    assert!((sum - 1.0).abs() < 1e-9, "{years}");
    let table = env.run("stats --by place").found();
    assert!(table.text().contains("Italy, Florence"), "{table:?}");
}

#[test]
fn export_writes_keywords_and_does_not_change_photos() {
    let env = album();
    let before = fs::read(env.album(A)).unwrap();
    let run = env.run("export --xmp --camera nikon --min-score 0.1 --dry-run");
    let sidecar = env.album("Trips/Tuscany 2019/a.jpg.xmp");
    assert_eq!(
        (run.text(), run.stderr.as_str()),
        (
            format!("would write {}: happy\n", sidecar.display()).as_str(),
            "1 photo found: 1 sidecars would be written, 0 need no change\n"
        )
    );
    assert!(!sidecar.exists());
    let run = env.run("export --xmp --camera nikon --min-score 0.1");
    assert_eq!(
        run.stderr,
        "1 photo found: 1 sidecars written, 0 need no change\n"
    );
    let packet = fs::read_to_string(&sidecar).unwrap();
    assert!(
        packet.contains("<rdf:li>Emotion|Happy</rdf:li>"),
        "{packet}"
    );
    assert_eq!(fs::read(env.album(A)).unwrap(), before);
    assert_eq!(
        env.run("export --xmp --camera nikon --min-score 0.1 --quiet")
            .found()
            .text(),
        ""
    );
}

#[test]
fn a_new_sidecar_carries_the_keywords_rating_and_title_of_the_photo() {
    const PACKET: &str = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta
        xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
        rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
        xmp:Rating="4"><dc:subject><rdf:Bag><rdf:li>Beach</rdf:li></rdf:Bag></dc:subject><dc:title><rdf:Alt><rdf:li
        xml:lang="x-default">At the sea</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket
        end="w"?>"#;
    let env = TestEnv::new();
    let photo = fixture("astronaut.jpg");
    let (start_of_image, rest) = photo.split_at(2);
    let packet = [b"http://ns.adobe.com/xap/1.0/\0", PACKET.as_bytes()].concat();
    let length = (2 + packet.len() as u16).to_be_bytes();
    let photo = [start_of_image, b"\xff\xe1", &length, &packet, rest].concat();
    env.add("a.jpg", &photo);
    env.index();
    assert_eq!(env.query("--text beach"), ["a.jpg"]);
    assert_eq!(env.run("export --xmp").code, 0);
    let sidecar = fs::read_to_string(env.album("a.jpg.xmp")).unwrap();
    for part in [
        "xmp:Rating=\"4\"",
        "<rdf:li>Beach</rdf:li><rdf:li>Happy</rdf:li></rdf:Bag></dc:subject>",
        ">At the sea</rdf:li>",
        "<ferIndex:Exported",
    ] {
        assert!(sidecar.contains(part), "{part}: {sidecar}");
    }
    assert_eq!(fs::read(env.album("a.jpg")).unwrap(), photo);
    // The next run changes nothing, and the index does not read the exported emotions as keywords of the user.
    assert_eq!(env.run("export --xmp --quiet").found().text(), "");
    env.run("reindex album").found();
    let shown = env.show("a.jpg");
    assert_eq!(shown["keywords"], serde_json::json!(["Beach"]));
    assert_eq!(shown["title"], "At the sea");
}

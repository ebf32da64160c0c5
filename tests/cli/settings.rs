//! The origins of settings, the paths of files, and their permissions.

use std::fs;

use crate::common::fixture;
use crate::testenv::{Run, TestEnv};

fn configure(env: &TestEnv, text: &str) {
    fs::create_dir_all(env.config_file().parent().unwrap()).unwrap();
    fs::write(env.config_file(), text).unwrap();
}

#[test]
fn config_show_prints_settings_with_their_origins() {
    let env = TestEnv::new();
    let path = env.run("config path").found();
    let expected = format!("{}\n", env.config_file().display());
    assert_eq!(path.text(), expected);

    configure(&env, "[query]\nlimit = 7\nmin_detection = 0.7\n");
    let mut command = env.command("config show --threads 3");
    command.env("FER_INDEX_QUERY_MIN_DETECTION", "0.8");
    let shown = Run::of(&mut command).found();
    let line = |start: &str| {
        let found = shown.text().lines().find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("{start}: {shown:?}"))
    };
    let file = env.config_file().display().to_string();
    let limit = line("limit = 7");
    assert!(limit.contains("config.toml"), "{limit} {file}");
    assert!(line("min_detection = 0.8").contains("FER_INDEX_QUERY_MIN_DETECTION"));
    assert!(line("threads = 3").contains("--threads"));
    shown.text().parse::<toml::Table>().unwrap();
}

#[test]
fn an_unknown_setting_is_named_with_the_most_similar_one() {
    let env = TestEnv::new();
    configure(&env, "[detector]\nthreshhold = 0.5\n");
    let sentence = env.run("query --emotion happy --all").refused();
    assert!(sentence.contains("`detector.threshhold`"), "{sentence}");
    assert!(sentence.contains("`detector.threshold`?"), "{sentence}");

    // A file given with --config replaces it.
    fs::write(env.path("other.toml"), "threads = 1\n").unwrap();
    env.run("config show --config other.toml").found();
    let mut command = env.command("config show");
    Run::of(command.env("FER_INDEX_CONFIG", env.path("other.toml"))).found();
    let sentence = env.run("config show --config none.toml").refused();
    assert!(sentence.contains("none.toml"), "{sentence}");

    configure(&env, "");
    let mut command = env.command("config show");
    let sentence = Run::of(command.env("FER_INDEX_TREADS", "2")).refused();
    assert!(sentence.contains("`FER_INDEX_THREADS`?"), "{sentence}");
}

#[test]
fn settings_take_effect() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.add("private/camera.jpg", fixture("camera.jpg"));
    configure(
        &env,
        "[album]\nroots = [\"~/../album\"]\nexclude = [\"private\"]\n[query]\nlimit = 1\n",
    );
    let run = env.run("index --json").found();
    assert_eq!(run.json()["photos"], 2);
    assert_eq!(env.query("--emotion happy --all"), ["astronaut.jpg"]);
    assert_eq!(env.query("--emotion happy --all --limit 5").len(), 2);
}

#[test]
fn the_database_path_can_be_set() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    let with_env = |line: &str| {
        let mut command = env.command(line);
        Run::of(command.env("FER_INDEX_DATABASE", env.path("by-env.sqlite3")))
    };
    env.run("index album --database by-flag.sqlite3").found();
    assert!(env.path("by-flag.sqlite3").is_file());
    env.run("query --emotion happy --all --database by-flag.sqlite3")
        .found();

    with_env("query --emotion happy --all").refused();
    with_env("index album").found();
    assert!(env.path("by-env.sqlite3").is_file());
    with_env("query --emotion happy --all").found();
    // A flag overrides the environment.
    with_env("query --emotion happy --all --database none.sqlite3").refused();
    assert!(!env.database().exists());
    env.index();
    assert!(env.database().is_file());
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_index() {
    use std::os::unix::fs::PermissionsExt;

    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    env.index();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = env.database().parent().unwrap().to_owned();
    assert_eq!(mode(&folder), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path);
    }
    assert!(names.contains(&env.database()));
    // An existing folder keeps its mode.
    env.run("index album --database index.sqlite3").found();
    assert_eq!(mode(&env.path("index.sqlite3")), 0o600);
}

#[test]
fn every_command_has_a_manual_page() {
    let env = TestEnv::new();
    let list = env.run("man --list").found();
    let pages: Vec<&str> = list.text().lines().collect();
    for page in ["fer-index", "fer-index-query", "fer-index-service-install"] {
        assert!(pages.contains(&page), "{pages:?}");
    }
    let is_hidden = |page: &&str| page.ends_with("-decoder") || page.ends_with("-complete");
    assert!(!pages.iter().any(is_hidden), "{pages:?}");
    for page in pages {
        let text = env.run(&format!("man {page}")).found();
        assert!(text.text().contains(".SH SYNOPSIS"), "{page}: {text:?}");
    }
    assert!(env.run("man query").refused().contains("--list"));
}

#[test]
fn completions_are_printed_for_every_shell() {
    let env = TestEnv::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = env.run(&format!("completions {shell}")).found();
        for word in ["fer-index", "query", "emotion"] {
            assert!(script.text().contains(word), "{shell}: {word}");
        }
    }
}

/// The proposals of the bash script for the last of these words.
#[cfg(unix)]
fn proposed(env: &TestEnv, words: &[&str]) -> Option<Vec<String>> {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_fer-index"));
    let folder = program.parent().unwrap().display();
    let script = format!(
        "PATH={folder}:$PATH; source <(fer-index completions bash); COMP_WORDS=(fer-index {}); COMP_CWORD={}; \
         _fer_index_values fer-index \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words.len()
    );
    let mut bash = std::process::Command::new("bash");
    env.place(&mut bash);
    match bash.args(["-c", &script]).output() {
        Ok(output) => {
            let text = String::from_utf8(output.stdout).unwrap();
            Some(text.lines().map(str::to_owned).collect())
        }
        Err(error) => {
            crate::common::skip(&format!("bash cannot be run: {error}"));
            None
        }
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_emotions_places_cameras_and_keywords() {
    let env = TestEnv::new();
    let taken = crate::common::photo_taken(
        "chelsea.jpg",
        "2019:07:14 09:00:00",
        (43.77, 11.25),
        "NIKON D850",
    );
    env.add("a.jpg", taken);
    let keywords =
        "<rdf:RDF><dc:subject><rdf:Bag><rdf:li>Ada Smith</rdf:li></rdf:Bag></dc:subject></rdf:RDF>";
    env.add("a.jpg.xmp", keywords);
    env.index();
    let Some(emotions) = proposed(&env, &["query", "--emotion", "s"]) else {
        return;
    };
    assert_eq!(emotions, ["sad", "surprise"]);
    // Commands and their flags.
    assert_eq!(proposed(&env, &["que"]).unwrap(), ["query"]);
    assert_eq!(
        proposed(&env, &["query", "--file"]).unwrap(),
        ["--file-dates"]
    );
    for (words, expected) in [
        (["query", "--near", "floren"], "Florence"),
        (["find", "--near", "new\\ yor"], "New\\ York\\ City"),
        (["stats", "--camera", "nik"], "NIKON\\ D850"),
        (["query", "--text", "ada"], "Ada\\ Smith"),
        (["export", "--near", "ital"], "Italy"),
        // A space within quotes does not end a word.
        (["query", "--camera", "\\\"NIK"], "NIKON D850"),
        (["query", "--camera", "\\'nik"], "NIKON D850"),
    ] {
        let values = proposed(&env, &words).unwrap();
        assert!(values.iter().any(|value| value == expected), "{values:?}");
    }
}

#[test]
fn help_and_version_are_printed_to_standard_output() {
    let env = TestEnv::new();
    let version = env.run("--version").found();
    let expected = format!("fer-index {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(version.text(), expected);
    for line in ["--help", "index --help", "query --help", "classify --help"] {
        assert!(env.run(line).found().text().contains("Usage: fer-index"));
    }
}

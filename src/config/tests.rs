use super::*;

fn platform(folder: &Path) -> PlatformPaths {
    PlatformPaths {
        home: "/home/me".into(),
        pictures: "/home/me/Bilder".into(),
        config_file: folder.join("config.toml"),
        models: "/home/me/.local/share/fer-index/models".into(),
        database: "/home/me/.local/share/fer-index/index.sqlite3".into(),
        thumbnails: "/home/me/.cache/fer-index/thumbnails".into(),
    }
}

/// Loads the settings from a configuration file with this text, these variables and these flags.
fn load(file: &str, variables: &[(&str, &str)], flags: &Overrides) -> Result<Effective> {
    let folder = tempfile::tempdir().unwrap();
    let platform = platform(folder.path());
    if !file.is_empty() {
        fs::write(&platform.config_file, file).unwrap();
    }
    let variables = variables.iter().map(|(n, v)| (n.into(), v.into()));
    Effective::from_parts(&platform, None, variables, flags)
}

fn sentence(file: &str, variables: &[(&str, &str)]) -> String {
    match load(file, variables, &Overrides::default()) {
        Err(Error::Config(sentence)) => sentence,
        other => panic!("expected Error::Config, not {other:?}"),
    }
}

#[test]
fn without_settings_the_defaults_apply() {
    let config = load("", &[], &Overrides::default()).unwrap().config;
    assert_eq!(
        config.database,
        Path::new("/home/me/.local/share/fer-index/index.sqlite3")
    );
    assert_eq!(config.album.roots, [Path::new("/home/me/Bilder")]);
    assert!(config.threads >= 1);
    assert!(config.album.exclude.iter().any(|glob| glob == "@eaDir"));
}

#[test]
fn each_layer_overrides_the_one_below() {
    let file = "threads = 2\n[query]\nlimit = 30\nmin_detection = 0.7\n[detector]\nthreshold = 1";
    let variables = [
        ("FER_INDEX_QUERY_LIMIT", "40"),
        ("FER_INDEX_QUERY_MIN_DETECTION", "0.8"),
        ("FER_INDEX_LOG", "debug"),
        ("FER_INDEX_THREADS", ""),
        ("PATH", "/bin"),
    ];
    let flags = Overrides {
        min_detection: Some(0.9),
        ..Overrides::default()
    };
    let effective = load(file, &variables, &flags).unwrap();
    let config = &effective.config;
    assert_eq!((config.threads, config.query.limit), (2, 40));
    assert_eq!(
        (config.query.min_detection, config.detector.threshold),
        (0.9, 1.0)
    );

    let shown = effective.show();
    for line in [
        "limit = 40 # FER_INDEX_QUERY_LIMIT",
        "min_detection = 0.9 # --min-detection",
        "hidden = false # default",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
    let threads = shown
        .lines()
        .find(|line| line.starts_with("threads = 2 # "));
    assert!(threads.unwrap().ends_with("config.toml"), "{shown}");
}

#[test]
fn the_output_of_show_is_a_configuration_file() {
    let before = load(
        "[album]\nroots = [\"~/a\", '/b \"c\"']",
        &[],
        &Overrides::default(),
    );
    let before = before.unwrap();
    let after = load(&before.show(), &[], &Overrides::default()).unwrap();
    assert_eq!(after.config, before.config);
    assert_eq!(before.config.album.roots[0], Path::new("/home/me/a"));
}

#[test]
fn a_path_in_the_file_leads_to_the_same_place_from_every_folder() {
    let folder = tempfile::tempdir().unwrap();
    let platform = platform(folder.path());
    let text = "database = 'x.db'\nthumbnails = './~t'\n[album]\nroots = ['../a', '/b']\n[classifier]\nmodel = '~/m'";
    fs::write(&platform.config_file, text).unwrap();
    let load = |variables: &[(&str, &str)], flags: &Overrides| {
        let variables = variables.iter().map(|(n, v)| (n.into(), v.into()));
        Effective::from_parts(&platform, None, variables, flags).unwrap()
    };
    let effective = load(&[], &Overrides::default());
    let config = &effective.config;
    assert_eq!(config.database, folder.path().join("x.db"));
    assert_eq!(config.thumbnails, folder.path().join("~t"));
    let roots = [folder.path().join("../a"), "/b".into()];
    assert_eq!(config.album.roots, roots);
    assert!(effective.show().contains("model = \"/home/me/m\" # "));
    // As in a shell, for what is typed there.
    let typed = load(
        &[("FER_INDEX_THUMBNAILS", "t")],
        &Overrides {
            database: Some("$y.db".into()),
            ..Overrides::default()
        },
    );
    let typed = [typed.config.database, typed.config.thumbnails];
    assert_eq!(typed, ["$y.db", "t"].map(PathBuf::from));
}

#[test]
fn what_only_a_shell_replaces_is_refused_in_paths() {
    for path in ["~tess/x.db", "$HOME/x.db", "${HOME}/x.db"] {
        let refused = sentence(&format!("database = '{path}'"), &[]);
        assert!(
            refused.contains("config.toml must be a path that begins with"),
            "{refused}"
        );
        assert!(refused.contains(&format!("\"./{path}\"")), "{refused}");
        let refused = sentence("", &[("FER_INDEX_ALBUM_ROOTS", path)]);
        assert!(
            refused.starts_with("`album.roots` in FER_INDEX_ALBUM_ROOTS"),
            "{refused}"
        );
    }
}

#[test]
fn lists_and_paths_are_read_from_the_environment() {
    let variables = [
        ("FER_INDEX_ALBUM_ROOTS", "~/a:/b"),
        ("FER_INDEX_DATABASE", "~/x.sqlite3"),
        ("FER_INDEX_ALBUM_HIDDEN", "true"),
        (
            "FER_INDEX_FACTS_CLOCK_OFFSETS",
            "Canon: -1:00; NIKON: +0:30",
        ),
    ];
    let config = load("", &variables, &Overrides::default()).unwrap().config;
    assert_eq!(config.album.roots, ["/home/me/a", "/b"].map(PathBuf::from));
    assert_eq!(config.database, Path::new("/home/me/x.sqlite3"));
    assert!(config.album.hidden);
    let offsets = config.facts.clock_offsets.iter();
    let seconds: Vec<i32> = offsets.map(|offset| offset.seconds).collect();
    assert_eq!(seconds, [-3600, 1800]);
}

#[cfg(unix)]
#[test]
fn a_flag_may_name_a_path_that_is_not_unicode() {
    use std::os::unix::ffi::OsStrExt as _;
    let path = Path::new(std::ffi::OsStr::from_bytes(b"/caf\xe9.sqlite3")).to_owned();
    let flags = Overrides {
        database: Some(path.clone()),
        ..Overrides::default()
    };
    assert_eq!(load("", &[], &flags).unwrap().config.database, path);
}

#[test]
fn the_error_for_an_unknown_key_names_its_file_and_the_nearest_key() {
    for (file, key, nearest) in [
        (
            "[detector]\ntreshold = 1",
            "detector.treshold",
            "detector.threshold",
        ),
        (
            "[detectr]\nthreshold = 1",
            "detectr.threshold",
            "detector.threshold",
        ),
        ("threshold = 1", "threshold", "detector.threshold"),
        ("[threads]\nx = 1", "threads.x", "threads"),
        ("[fancy]", "fancy", "threads"),
    ] {
        let sentence = sentence(file, &[]);
        assert!(
            sentence.contains(&format!("`{key}`")) && sentence.contains("config.toml"),
            "{sentence}"
        );
        if key != "fancy" {
            assert!(sentence.contains(&format!("`{nearest}`?")), "{sentence}");
        }
    }
    let sentence = sentence("", &[("FER_INDEX_TREADS", "2")]);
    assert!(sentence.contains("`FER_INDEX_THREADS`?"), "{sentence}");
}

#[test]
fn the_error_for_a_wrong_value_says_what_is_allowed() {
    for (file, allowed) in [
        (
            "threads = 'many'",
            "a whole number from 0 to 1024, not \"many\"",
        ),
        ("threads = 2.5", "a whole number"),
        ("threads = -1", "from 0 to 1024, not -1"),
        (
            "[detector]\nbackend = \"bultin\"",
            "\"builtin\" or \"command\"",
        ),
        (
            "[detector]\nthreshold = 1.5",
            "a number from 0 to 1, not 1.5",
        ),
        ("[detector]\nthreshold = nan", "a number from 0 to 1"),
        ("[query]\nlimit = 0", "from 1 to"),
        ("[album]\nhidden = 'no'", "true or false"),
        ("[album]\nroots = '~/a'", "a list of strings"),
        ("[album]\nroots = ['~/a', 1]", "a list of strings"),
        (
            "[album]\nexclude = ['[a']",
            "a list of globs, and \"[a\" is not one",
        ),
        (
            "[facts]\nclock_offsets = ['Canon']",
            "a list of offsets, and \"Canon\" is none",
        ),
        ("database = 1", "a string in quotes"),
        ("[gallery]\nlisten = 'localhost'", "an address and a port"),
        ("detector = 1", "is a section"),
        ("threads = 1\nthreads =", "line 2, is not TOML"),
    ] {
        let sentence = sentence(file, &[]);
        assert!(
            sentence.contains(allowed) && sentence.contains("config.toml"),
            "{sentence}"
        );
    }
    let sentence = sentence("", &[("FER_INDEX_THREADS", "many")]);
    assert!(
        sentence.contains("`threads` in FER_INDEX_THREADS must be a whole number"),
        "{sentence}"
    );
}

#[test]
fn a_file_that_was_named_must_exist() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.toml");
    let loaded = Effective::from_parts(
        &platform(folder.path()),
        Some(&missing),
        [],
        &Overrides::default(),
    );
    assert!(matches!(loaded, Err(Error::Io { path, .. }) if path == missing));
}

#[test]
fn every_number_has_a_range() {
    let effective = load("", &[], &Overrides::default()).unwrap();
    for (key, value, _) in effective.layers.iter() {
        let is_number = value.is_integer() || value.is_float();
        assert_eq!(check::range(key).is_some(), is_number, "{key}");
    }
}

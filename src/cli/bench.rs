//! `fer-index bench`: measures what a photo costs on this machine, stage by stage.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueHint};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};

use super::Outcome;
use super::context::Context;
use super::index::count;
use super::stdout::Stdout;
use crate::album::{FoundFile, ScanProblem, Visitor, resolve_root, scan};
use crate::error::{Error, Result};
use crate::file::FileMeta;
use crate::pipeline::{IndexOptions, LocalAnalyser, Silent, Stage, index};
use crate::sidecar::SidecarFile;
use crate::store::{Models, PhotoRecord, Store};

/// Width of the longest bar of the chart, in characters.
const BAR: f64 = 30.0;

/// The file metadata stored in the temporary database of a measurement, which nothing reads.
const NO_META: FileMeta = FileMeta {
    size: 0,
    mtime_ns: 0,
    ctime_ns: 0,
    inode: 0,
    device: 0,
};

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Folders or photos [default: the setting album.roots, initially ~/Pictures]
    #[arg(value_name = "DIR", value_hint = ValueHint::AnyPath)]
    roots: Vec<PathBuf>,
    /// How many photos to measure, spread evenly over the folders
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    photos: u32,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &BenchArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let roots = if args.roots.is_empty() {
        &context.config().album.roots
    } else {
        &args.roots
    };
    let filter = context.filter()?;
    let mut found = Found::default();
    for root in roots {
        match resolve_root(root) {
            Ok(root) => drop(scan(&root, &filter, &mut found)),
            // A disk of the settings may not be mounted now.
            Err(error) if args.roots.is_empty() => tracing::warn!("{error}"),
            Err(error) => return Err(error),
        }
    }
    let photos = spread(found.0, args.photos as usize);
    if photos.is_empty() {
        tracing::warn!("there is no photo to measure; name a folder that has some");
        return Ok(Outcome::Nothing);
    }
    let folder = tempfile::tempdir().map_err(|source| Error::Io {
        path: std::env::temp_dir(),
        source,
    })?;
    let local = context.local_analyser(context.config().detector.threshold)?;
    let stages = Stages::measure(&local, &photos, &folder.path().join("stages.sqlite3"))?;
    if stages.records == 0 {
        tracing::warn!("none of the {} photos can be decoded", photos.len());
        return Ok(Outcome::Nothing);
    }
    drop(local);
    // The whole pipeline, with as many threads as `index` would use.
    let analyser = context.analyser()?;
    let mut store = Store::open(&folder.path().join("index.sqlite3"))?;
    let options = IndexOptions {
        threads: context.threads(),
        reanalyse: false,
    };
    let started = Instant::now();
    index(&mut store, &analyser, &photos, &filter, options, &Silent)?;
    let report = Report {
        stages,
        whole: started.elapsed(),
        files: photos.len(),
        threads: context.threads().get(),
        models: analyser.models(),
    };
    if args.json {
        out.json(&report.json())?;
    } else {
        report.print(out)?;
    }
    Ok(Outcome::Found)
}

/// The photos that a scan finds.
#[derive(Default)]
struct Found(Vec<PathBuf>);

impl Visitor for Found {
    fn folder(&mut self, _: &Path) {}

    fn file(&mut self, file: FoundFile, _: Vec<SidecarFile>) {
        self.0.push(file.path);
    }

    fn problem(&mut self, problem: ScanProblem) {
        tracing::warn!("{}: {}", problem.path.display(), problem.skip);
    }
}

/// At most `most` of the paths, at even distances.
fn spread(mut paths: Vec<PathBuf>, most: usize) -> Vec<PathBuf> {
    paths.sort();
    paths.dedup();
    let (all, most) = (paths.len(), most.min(paths.len()));
    (0..most)
        .map(|index| std::mem::take(&mut paths[index * all / most]))
        .collect()
}

/// The CPU times of the stages, measured photo by photo on one thread.
struct Stages {
    /// CPU time of all photos, by stage.
    times: [Duration; Stage::ALL.len()],
    records: usize,
    faces: usize,
    pixels: u64,
    bytes: u64,
}

impl Stages {
    fn measure(analyser: &LocalAnalyser, photos: &[PathBuf], database: &Path) -> Result<Self> {
        let mut times = [Duration::ZERO; Stage::ALL.len()];
        let mut records: Vec<(&PathBuf, PhotoRecord)> = Vec::new();
        for path in photos {
            let mut last = cpu_time();
            let record = analyser.file_by_stages(path, &mut |stage| {
                let now = cpu_time();
                times[stage as usize] += now.saturating_sub(last);
                last = now;
            });
            match record {
                Ok(record) => records.push((path, record)),
                Err(skip) => tracing::warn!("{}: {skip}", path.display()),
            }
        }
        let mut store = Store::open(database)?;
        let before = cpu_time();
        store.batch(|batch| {
            for (path, record) in &records {
                batch.put_photo(record, &[((*path).clone(), NO_META)])?;
            }
            Ok(())
        })?;
        times[Stage::Store as usize] = cpu_time().saturating_sub(before);
        let contents = || {
            records
                .iter()
                .filter_map(|(_, record)| record.content.as_ref().ok())
        };
        Ok(Self {
            times,
            records: records.len(),
            faces: contents().map(|photo| photo.faces.len()).sum(),
            pixels: contents()
                .map(|photo| u64::from(photo.width) * u64::from(photo.height))
                .sum(),
            bytes: records.iter().map(|(_, record)| record.bytes).sum(),
        })
    }

    /// CPU milliseconds of a stage for one photo.
    fn ms(&self, stage: Stage) -> f64 {
        1000.0 * self.times[stage as usize].as_secs_f64() / self.records as f64
    }

    fn total_ms(&self) -> f64 {
        Stage::ALL.iter().map(|stage| self.ms(*stage)).sum()
    }
}

/// The CPU time that this process has taken, user and system.
#[cfg(unix)]
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The time since the first call, for systems without a clock of CPU time.
#[cfg(not(unix))]
fn cpu_time() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

struct Report {
    stages: Stages,
    /// How long `index` took for all files into a new database.
    whole: Duration,
    files: usize,
    threads: usize,
    models: Models,
}

impl Report {
    /// Files that `index` processed in a second, with all threads.
    fn per_second(&self) -> f64 {
        self.files as f64 / self.whole.as_secs_f64()
    }

    fn json(&self) -> Value {
        let stages: serde_json::Map<String, Value> = Stage::ALL
            .iter()
            .map(|stage| (stage.name().to_owned(), json!(self.stages.ms(*stage))))
            .collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            "detector": self.models.detector,
            "classifier": self.models.classifier,
            "photos": self.stages.records,
            "skipped": self.files - self.stages.records,
            "megapixels": self.stages.pixels as f64 / 1e6,
            "megabytes": self.stages.bytes as f64 / 1e6,
            "faces": self.stages.faces,
            "cpu_ms_per_photo": stages,
            "total_cpu_ms_per_photo": self.stages.total_ms(),
            "threads": self.threads,
            "files_per_second": self.per_second(),
        })
    }

    fn print(&self, out: &mut Stdout) -> Result<()> {
        let Stages {
            records,
            faces,
            pixels,
            bytes,
            ..
        } = &self.stages;
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(["stage", "CPU ms per photo", ""]);
        let longest = Stage::ALL
            .iter()
            .map(|stage| self.stages.ms(*stage))
            .fold(f64::MIN_POSITIVE, f64::max);
        for stage in Stage::ALL {
            let ms = self.stages.ms(stage);
            let bar = "█".repeat((BAR * ms / longest).round() as usize);
            table.add_row([stage.name().to_owned(), format!("{ms:.2}"), bar]);
        }
        table.add_row([
            "all".to_owned(),
            format!("{:.2}", self.stages.total_ms()),
            String::new(),
        ]);
        for column in table.column_iter_mut().skip(1).take(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        out.line(format_args!(
            "fer-index {} on {} {}; {} of {:.1} megapixels and {:.1} MB on average, {}\n",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
            std::env::consts::ARCH,
            count(*records as u64, "photo"),
            *pixels as f64 / 1e6 / *records as f64,
            *bytes as f64 / 1e6 / *records as f64,
            count(*faces as u64, "face"),
        ))?;
        for line in table.lines() {
            let line = line.trim_end();
            out.line(line.strip_prefix(' ').unwrap_or(line))?;
        }
        out.line(format_args!(
            "\nindex with {}: {:.1} photos per second",
            count(self.threads as u64, "thread"),
            self.per_second(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_are_taken_from_the_whole_album() {
        let paths: Vec<PathBuf> = (10..30).map(|number| format!("{number}").into()).collect();
        let chosen = |most| spread(paths.clone(), most);
        assert_eq!(chosen(4), ["10", "15", "20", "25"].map(PathBuf::from));
        assert_eq!(chosen(100), paths);
        assert_eq!(spread(Vec::new(), 3), Vec::<PathBuf>::new());
    }
}

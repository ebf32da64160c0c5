//! `fer-index gallery`: serves the web page and opens it in the browser.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tokio::runtime::Builder;

use super::Outcome;
use super::context::Context;
use super::stdout::Stdout;
use crate::error::{Error, Result};
use crate::export::{Placement, add_to_folder, fill_folder, is_filled};
use crate::gallery::{Albums, Gallery, Origin, Settings, open_address};
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct GalleryArgs {
    /// Address and port of the page [default: the setting gallery.listen, initially 127.0.0.1:3373; if
    /// that is in use, another port]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// A host name under which browsers may open the page, in addition to this machine's addresses; can be
    /// given several times
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    host: Vec<String>,
    /// The address at which a proxy makes the page reachable; can be given several times
    #[arg(long, value_name = "ADDRESS")]
    origin: Vec<Origin>,
    /// The folder in which the page creates albums of selected photos; without it, it cannot create any
    #[arg(long, value_name = "FOLDER")]
    albums: Option<PathBuf>,
    /// Print the link without opening a browser
    #[arg(long)]
    no_open: bool,
}

pub(super) fn run(args: &GalleryArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let config = context.config();
    if let Some(folder) = args.albums.as_deref().filter(|path| path.exists())
        && !folder.is_dir()
    {
        return Err(Error::Usage(format!(
            "{} is not a folder; --albums needs one in which albums can be made",
            folder.display()
        )));
    }
    let store = open_store(&config.database)?;
    let settings = Settings {
        names: args.host.clone(),
        origins: args.origin.clone(),
        thumbnails: config.thumbnails.clone(),
        decoder: Arc::new(context.decoder()?),
        threads: context.threads().get(),
        defaults: (&config.query).into(),
        albums: args.albums.clone().map(albums),
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::Io {
        path: "the gallery's runtime".into(),
        source,
    })?;
    runtime.block_on(async {
        let gallery = match args.listen {
            Some(address) => Gallery::open(store, address, settings).await?,
            None => open_near(store, config.gallery.listen, settings).await?,
        };
        let end = end_signal()?;
        print(&gallery, out)?;
        if !args.no_open {
            start_browser(gallery.link_once()?);
        }
        gallery.run(end).await;
        Ok(())
    })?;
    Ok(Outcome::Found)
}

/// A name as browsers send it in the header `Host`, without the port.
fn host_name(text: &str) -> Result<String, String> {
    let is_part = |part: &str| {
        let is_right = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !part.is_empty() && part.len() <= 63 && part.chars().all(is_right)
    };
    let mut parts = text.strip_suffix('.').unwrap_or(text).split('.');
    if text.len() <= 253 && parts.all(is_part) {
        return Ok(text.to_owned());
    }
    Err(
        "not the name of a machine; write it without a scheme, port or path, as in nas.local, and \
         a name in other letters as browsers send it (xn--…)"
            .to_owned(),
    )
}

/// Opens the database for writing, since the page stores corrections. This also creates it if nothing is indexed yet;
/// photos then appear in the open page as they are indexed. A read-only database, such as a backup, is shown as well,
/// but refuses corrections.
fn open_store(database: &Path) -> Result<Store> {
    Store::open(database).or_else(|error| {
        let store = Store::open_existing(database).map_err(|_| error)?;
        tracing::warn!(
            "the database {} can only be read, so corrections cannot be stored",
            database.display()
        );
        Ok(store)
    })
}

/// Albums in `folder`: folders of links, filled by the functions behind `query --link-into`.
fn albums(folder: PathBuf) -> Albums {
    Albums {
        folder,
        exists: is_filled,
        fill: |folder, photos, index| fill_folder(folder, photos, Placement::Linked, false, index),
        add: add_to_folder,
    }
}

/// Opens the gallery at the address of the settings or, if that is in use (perhaps by another gallery), at another
/// port.
async fn open_near(store: Store, address: SocketAddr, settings: Settings) -> Result<Gallery> {
    let path = store.path().to_owned();
    match Gallery::open(store, address, settings.clone()).await {
        Err(Error::Usage(_)) => {
            let any_port = SocketAddr::new(address.ip(), 0);
            Gallery::open(open_store(&path)?, any_port, settings).await
        }
        opened => opened,
    }
}

fn print(gallery: &Gallery, out: &mut Stdout) -> Result<()> {
    let address = gallery.address();
    if !address.ip().is_loopback() {
        tracing::warn!(
            "the gallery can be reached from the network at {address}: everybody who has the link sees the \
             photos, and the connection is not encrypted"
        );
    }
    out.line(gallery.link())?;
    for link in gallery.links_of_proxies() {
        out.line(link)?;
    }
    if Stdout::is_terminal() {
        out.line("Ctrl-C ends the gallery.")?;
    }
    out.flush()
}

/// Starts the browser from a separate thread, since the call blocks on some desktops.
fn start_browser(link: String) {
    std::thread::spawn(move || {
        if let Err(error) = open_address(&link) {
            tracing::warn!("cannot start a browser ({error}); open the link yourself");
        }
    });
}

/// Completes on Ctrl-C, or when a supervisor or the terminal ends the program.
fn end_signal() -> Result<impl Future<Output = ()>> {
    let explain = |source| Error::Io {
        path: "the system's signals".into(),
        source,
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(explain)?;
        let mut hang_up = signal(SignalKind::hangup()).map_err(explain)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(explain)?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        let _ = explain;
        Ok(async {
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_without_scheme_port_or_path() {
        for name in [
            "nas",
            "nas.local",
            "My-Mac_2.local.",
            "192.168.1.7",
            "xn--caf-dma.example",
        ] {
            assert_eq!(host_name(name).as_deref(), Ok(name));
        }
        for wrong in [
            "",
            " ",
            "a b",
            "http://x",
            "nas:8080",
            "x/y",
            "a@b",
            ".",
            "a..b",
            "café.example",
            "[::1]",
            "http://",
            "x\n",
        ] {
            assert!(host_name(wrong).is_err(), "{wrong:?}");
        }
    }
}

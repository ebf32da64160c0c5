//! The gallery: a local web page on which the indexed photos are viewed and corrected.
//!
//! ```text
//! browser ──▶ guard (Host, origin, cookie) ──▶ routes ──▶ store, thumbnails
//! ```
//!
//! Requests name photos by number, never by path. The bytes of a file are sent only if their hash is that of the
//! indexed photo, so no other content can be read, even if a path leads to another file by then.

mod album;
mod answer;
mod api_error;
mod assets;
mod desktop;
mod faces;
mod folders;
mod guard;
mod list;
mod live;
mod origin;
mod photo;
mod pictures;
mod places;
mod request;
mod serve;
mod standing;
mod stores;
mod tokens;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::error::{Error, Result};
use crate::imaging::Thumbnails;
use crate::pipeline::Decoder;
use crate::query::Defaults;
use crate::store::{Photo, PhotoId, Store};

pub use album::Albums;
pub use desktop::open_address;
pub use origin::Origin;

use api_error::ApiError;
use guard::{ALBUM_PATH, ENTER_PATH, Guard};
use serve::ConnectionLimits;
use stores::Stores;
use tokens::{Token, Tokens};

/// How long answers in progress may take after the gallery got the signal to end.
const SHUTDOWN_TIME: Duration = Duration::from_secs(2);

/// Settings of a gallery.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names of this machine, besides its addresses and `localhost`, that browsers may use.
    pub names: Vec<String>,
    /// Addresses at which proxies make the page reachable; their hosts are also names of this machine.
    pub origins: Vec<Origin>,
    /// The folder in which thumbnails are kept.
    pub thumbnails: PathBuf,
    /// Decodes the photos that are shown.
    pub decoder: Arc<Decoder>,
    /// How many photos may be decoded at the same time.
    pub threads: usize,
    /// The settings for what a filter does not state.
    pub defaults: Defaults,
    /// Makes albums of selected photos; `None` if the gallery may not make albums.
    pub albums: Option<Albums>,
}

/// The state that all requests share.
#[derive(Debug)]
struct Shared {
    guard: Guard,
    stores: Stores,
    thumbnails: Thumbnails,
    decoder: Arc<Decoder>,
    defaults: Defaults,
    albums: Option<Albums>,
    /// One permit for each photo that may be decoded at the same time.
    decoding: Semaphore,
    /// One permit, so that only one task at a time updates the personal layer.
    learning: Semaphore,
    revisions: watch::Receiver<i64>,
    stopping: watch::Receiver<bool>,
    /// Whether only browsers on this machine can connect, so that its file manager is the user's own.
    is_local: bool,
}

/// A gallery that listens at its address and is ready to run.
#[derive(Debug)]
pub struct Gallery {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
}

impl Gallery {
    /// Opens a gallery on `store` at `address`; port 0 picks any free port. Must be called inside a
    /// tokio runtime.
    ///
    /// # Errors
    /// [`Error::Usage`] when the gallery cannot listen at `address`; an error of the store when the database
    /// cannot be opened again.
    pub async fn open(store: Store, address: SocketAddr, settings: Settings) -> Result<Self> {
        let explain = |error: std::io::Error| {
            Error::Usage(format!(
                "the gallery cannot listen at {address} ({error}); choose another address with \
                 --listen, such as 127.0.0.1:0"
            ))
        };
        let listener = TcpListener::bind(address).await.map_err(explain)?;
        let address = listener.local_addr().map_err(explain)?;
        let stores = Stores::new(store)?;
        let (stop, stopping) = watch::channel(false);
        let shared = Shared {
            guard: Guard::new(address, settings.names, settings.origins, Tokens::random()?),
            revisions: live::follow(stores.open()?),
            stores,
            thumbnails: Thumbnails::new(settings.thumbnails),
            decoder: settings.decoder,
            defaults: settings.defaults,
            albums: settings.albums,
            decoding: Semaphore::new(settings.threads.max(1)),
            learning: Semaphore::new(1),
            stopping,
            is_local: address.ip().is_loopback(),
        };
        Ok(Self {
            listener,
            address,
            shared: Arc::new(shared),
            stop,
        })
    }

    /// The address at which the gallery listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A link that gives access to whoever holds it, for as long as the gallery runs.
    pub fn link(&self) -> String {
        self.link_with(self.shared.guard.tokens().link())
    }

    /// A link that gives access to one browser, once.
    ///
    /// # Errors
    /// When the system's random number generator fails.
    pub fn link_once(&self) -> Result<String> {
        Ok(self.link_with(&self.shared.guard.tokens().once()?))
    }

    /// The same link at each address of a proxy.
    pub fn links_of_proxies(&self) -> impl Iterator<Item = String> + use<'_> {
        let token = self.shared.guard.tokens().link().as_str();
        let path = format!("{ENTER_PATH}?token={token}");
        let origins = self.shared.guard.origins().iter();
        origins.map(move |origin| origin.address(&path))
    }

    fn link_with(&self, token: &Token) -> String {
        let mut host = self.address;
        if host.ip().is_unspecified() {
            host.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{host}{ENTER_PATH}?token={}", token.as_str())
    }

    /// Answers requests until `end` completes.
    pub async fn run(self, end: impl Future<Output = ()>) {
        let stopping = self.stop.subscribe();
        let server = serve::serve(
            self.listener,
            routes(self.shared),
            stopping,
            ConnectionLimits::DEFAULT,
        );
        let end = async {
            end.await;
            self.stop.send_replace(true);
            tokio::time::sleep(SHUTDOWN_TIME).await;
        };
        tokio::select! {
            () = server => {}
            () = end => {}
        }
    }
}

fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(assets::page))
        .route(ENTER_PATH, get(enter))
        .route("/assets/{name}", get(assets::asset))
        .route("/favicon.ico", get(assets::favicon))
        .route("/thumb/{photo}", get(pictures::thumbnail))
        .route("/view/{photo}", get(pictures::view))
        .route("/api/photos", get(list::photos))
        .route("/api/counts", get(list::counts))
        .route("/api/photo/{photo}", get(photo::photo))
        .route("/api/photo/{photo}/index", get(standing::index))
        .route("/api/between/{one}/{other}", get(standing::between))
        .route("/api/photo/{photo}/reveal", post(photo::reveal))
        .route("/api/places", get(places::places))
        .route(ALBUM_PATH, post(album::make_album))
        .route("/api/face/{face}", post(faces::correct))
        .route("/api/live", get(live::live))
        .fallback(|| async { ApiError::NotFound })
        .layer(middleware::from_fn_with_state(
            Arc::clone(&shared),
            guard::guard,
        ))
        .with_state(shared)
}

#[derive(Deserialize)]
struct Entrance {
    #[serde(default)]
    token: String,
}

/// `GET /enter?token=…`: exchanges a link's token for the cookie. The answer is a page, not a redirect: after
/// a link on another page was followed, browsers do not send a strict cookie along with a redirect.
async fn enter(
    State(shared): State<Arc<Shared>>,
    Query(entrance): Query<Entrance>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let guard = &shared.guard;
    let session = guard
        .tokens()
        .exchange(&entrance.token)
        .ok_or(ApiError::NoToken)?;
    let html = "<!doctype html><meta charset=\"utf-8\"><title>fer-index</title>\
                <meta http-equiv=\"refresh\" content=\"0; url=./\"><a href=\"./\">To the gallery</a>";
    let headers = [
        (header::SET_COOKIE, guard.cookie(session, &headers)),
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
    ];
    Ok((headers, html).into_response())
}

impl Shared {
    /// A photo that can be shown: it was analysed, and at least one of its files exists.
    async fn photo(self: &Arc<Self>, id: PhotoId) -> Result<Photo, ApiError> {
        let found = self.with_store(move |store| Ok(store.photo(id)?)).await?;
        found
            .filter(|photo| photo.content.is_ok() && !photo.paths.is_empty())
            .ok_or(ApiError::NoPhoto)
    }

    /// Runs `work` with a database connection on a thread that may block.
    async fn with_store<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Store) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let shared = Arc::clone(self);
        run_blocking(move || shared.stores.with(work)).await
    }
}

/// Runs `work` on a thread that may block.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(ApiError::Failed(error.to_string())))
}

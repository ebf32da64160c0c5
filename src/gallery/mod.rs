//! The local page: what the index knows, to look at and to correct.
//!
//! ```text
//! browser ──▶ guard (Host, origin, cookie) ──▶ routes ──▶ store, thumbnails
//! ```
//!
//! Photos are named by number, never by path, and a file's bytes are handed on only if their hash is
//! that of the indexed photo: whatever a path leads to by now, nothing else can be read.

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
mod photo;
mod pictures;
mod places;
mod request;
mod stores;
mod tokens;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::header;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::error::{Error, Result};
use crate::imaging::{Limits, Thumbnails};
use crate::store::{Photo, PhotoId, Store};

pub use album::Albums;
pub use desktop::open_address;

use api_error::ApiError;
use guard::{ENTRANCE, Guard};
use stores::Stores;
use tokens::{Token, Tokens};

/// Requests are some numbers and words.
const MAX_BODY: usize = 4096;

/// How long answers that are on their way may take once the gallery is to end.
const GRACE: Duration = Duration::from_secs(2);

/// How to go about it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names of this machine, besides its addresses and `localhost`, that browsers may use.
    pub names: Vec<String>,
    /// Where the small copies of photos are kept.
    pub thumbnails: PathBuf,
    /// What decoding a photo may cost.
    pub limits: Limits,
    /// How many photos are decoded at once.
    pub threads: usize,
    /// Least detection score of a face that counts, 0 to 1.
    pub min_detection: f32,
    /// What makes albums of photos that are chosen in the page, if it may.
    pub albums: Option<Albums>,
}

/// What all requests share.
#[derive(Debug)]
struct Shared {
    guard: Guard,
    stores: Stores,
    thumbnails: Thumbnails,
    limits: Limits,
    min_detection: f32,
    albums: Option<Albums>,
    /// A permit for each photo that may be decoded at once.
    decoding: Semaphore,
    revisions: watch::Receiver<i64>,
    stopping: watch::Receiver<bool>,
    /// Whether browsers are on this machine, so that its file manager is theirs.
    is_local: bool,
}

/// A gallery that has its address and waits to be run.
#[derive(Debug)]
pub struct Gallery {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
}

impl Gallery {
    /// Opens a page on `store` at `address`; with port 0 at any that is free. To be called inside
    /// of a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Usage`] when the address cannot be had; when the database cannot be opened again.
    pub async fn open(store: Store, address: SocketAddr, settings: Settings) -> Result<Self> {
        let explain = |error: std::io::Error| {
            Error::Usage(format!(
                "the gallery cannot have the address {address} ({error}); name another with \
                 --listen, such as 127.0.0.1:0"
            ))
        };
        let listener = TcpListener::bind(address).await.map_err(explain)?;
        let address = listener.local_addr().map_err(explain)?;
        let stores = Stores::new(store);
        let (stop, stopping) = watch::channel(false);
        let shared = Shared {
            guard: Guard::new(address, settings.names, Tokens::random()?),
            revisions: live::follow(stores.open()?),
            stores,
            thumbnails: Thumbnails::new(settings.thumbnails),
            limits: settings.limits,
            min_detection: settings.min_detection,
            albums: settings.albums,
            decoding: Semaphore::new(settings.threads.max(1)),
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

    /// Where it is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A link that lets in whoever holds it, for as long as the gallery runs.
    pub fn link(&self) -> String {
        self.link_with(self.shared.guard.tokens().link())
    }

    /// A link that lets one browser in, once.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn link_once(&self) -> Result<String> {
        Ok(self.link_with(&self.shared.guard.tokens().once()?))
    }

    fn link_with(&self, token: &Token) -> String {
        let mut host = self.address;
        if host.ip().is_unspecified() {
            host.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{host}{ENTRANCE}?token={}", token.as_str())
    }

    /// Answers until `end` comes.
    ///
    /// # Errors
    /// When the network fails as a whole.
    pub async fn run(self, end: impl Future<Output = ()>) -> Result<()> {
        let routes = routes(self.shared);
        let mut stopping = self.stop.subscribe();
        let stopped = async move {
            let _ = stopping.wait_for(|stopping| *stopping).await;
        };
        let server = axum::serve(self.listener, routes).with_graceful_shutdown(stopped);
        let end = async {
            end.await;
            self.stop.send_replace(true);
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            ended = server => ended.map_err(|source| Error::Io {
                path: self.address.to_string().into(),
                source,
            }),
            () = end => Ok(()),
        }
    }
}

fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(assets::page))
        .route(ENTRANCE, get(enter))
        .route("/assets/{name}", get(assets::asset))
        .route("/favicon.ico", get(assets::favicon))
        .route("/thumb/{photo}", get(pictures::thumbnail))
        .route("/view/{photo}", get(pictures::view))
        .route("/api/photos", get(list::photos))
        .route("/api/counts", get(list::counts))
        .route("/api/photo/{photo}", get(photo::photo))
        .route("/api/photo/{photo}/reveal", post(photo::reveal))
        .route("/api/places", get(places::places))
        .route("/api/album", post(album::make))
        .route("/api/face/{face}", post(faces::say))
        .route("/api/live", get(live::live))
        .fallback(|| async { ApiError::NotFound })
        .layer(DefaultBodyLimit::max(MAX_BODY))
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

/// `GET /enter?token=…`: exchanges a link's token for the cookie. Not a redirect: where the link was
/// followed from another page, a browser keeps a strict cookie back on the way of a redirect.
async fn enter(
    State(shared): State<Arc<Shared>>,
    Query(entrance): Query<Entrance>,
) -> Result<Response, ApiError> {
    let guard = &shared.guard;
    let session = guard
        .tokens()
        .exchange(&entrance.token)
        .ok_or(ApiError::NoToken)?;
    let html = "<!doctype html><meta charset=\"utf-8\"><title>fer-index</title>\
                <meta http-equiv=\"refresh\" content=\"0; url=/\"><a href=\"/\">To the gallery</a>";
    let headers = [
        (header::SET_COOKIE, guard.cookie(session)),
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
    ];
    Ok((headers, html).into_response())
}

impl Shared {
    /// A photo that can be shown: scanned, and not gone from everywhere.
    async fn photo(self: &Arc<Self>, id: PhotoId) -> Result<Photo, ApiError> {
        let found = self.ask(move |store| Ok(store.photo(id)?)).await?;
        found
            .filter(|photo| photo.content.is_ok() && !photo.paths.is_empty())
            .ok_or(ApiError::NotFound)
    }

    /// Runs `work` with a database, on a thread that may wait for it.
    async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Store) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let shared = Arc::clone(self);
        waiting(move || shared.stores.with(work)).await
    }
}

/// Runs `work` on a thread that may wait.
async fn waiting<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(ApiError::Failed(error.to_string())))
}

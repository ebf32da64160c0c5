//! Accepts connections, and limits their number and how long each may delay the gallery.
//!
//! Any program on this machine can connect, with or without the cookie. A connection counts as a *stranger's* until one
//! of its requests has sent the cookie. When there are too many connections, the oldest stranger's is closed in favour
//! of a new one. So a program that keeps connections open without a request, or sends requests slowly, does not prevent
//! others from connecting.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Sleep;

use super::api_error::ApiError;

/// Most bytes of a request's first line and headers; up to twice as many may be read before the excess is noticed.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// How long to wait after the system could not accept a connection, for example because of too many open files.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Limits of the connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConnectionLimits {
    /// Most connections at a time.
    pub connections: usize,
    /// Time for the headers of a request, from the answer to the previous one.
    pub header_timeout: Duration,
    /// Time for the client to receive a part of the answer.
    pub write_timeout: Duration,
}

impl ConnectionLimits {
    /// More connections than the pages of one person need, since a browser opens up to six to a server.
    pub const DEFAULT: Self = Self {
        connections: 256,
        header_timeout: Duration::from_secs(15),
        write_timeout: Duration::from_secs(30),
    };
}

/// Whether a connection has sent the cookie; every request has the value of its connection as an extension.
#[derive(Debug, Clone, Default)]
pub(super) struct Authenticated(Arc<AtomicBool>);

impl Authenticated {
    /// Records that the connection has sent the cookie.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Answers requests by `routes` until `stopping` becomes true and the answers in progress are sent.
pub(super) async fn serve(
    listener: TcpListener,
    routes: Router,
    mut stopping: watch::Receiver<bool>,
    limits: ConnectionLimits,
) {
    let mut connections = Connections {
        routes,
        too_many: Router::new().fallback(|| async { ApiError::TooMany }),
        stopping: stopping.clone(),
        limits,
        tasks: JoinSet::new(),
        open: Vec::new(),
    };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        match accepted {
            Ok((stream, _)) => connections.add(stream),
            Err(error) if is_of_client(&error) => {}
            Err(error) => {
                tracing::warn!("the gallery cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
    drop(listener);
    while connections.tasks.join_next().await.is_some() {}
}

/// Whether accepting failed because the client has disconnected.
fn is_of_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

/// The open connections.
struct Connections {
    routes: Router,
    /// Answers if there are too many connections that are not strangers'.
    too_many: Router,
    stopping: watch::Receiver<bool>,
    limits: ConnectionLimits,
    tasks: JoinSet<()>,
    /// In the order in which they were opened.
    open: Vec<(AbortHandle, Authenticated)>,
}

impl Connections {
    fn add(&mut self, stream: TcpStream) {
        while self.tasks.try_join_next().is_some() {}
        self.open.retain(|(task, _)| !task.is_finished());
        if self.open.len() >= self.limits.connections
            && let Some(stranger) = self
                .open
                .iter()
                .position(|(_, authenticated)| !authenticated.get())
        {
            self.open.remove(stranger).0.abort();
        }
        let authenticated = Authenticated::default();
        let routes = if self.open.len() < self.limits.connections {
            self.routes.clone().layer(Extension(authenticated.clone()))
        } else {
            self.too_many.clone()
        };
        let task = answer(stream, routes, self.stopping.clone(), self.limits);
        self.open.push((self.tasks.spawn(task), authenticated));
    }
}

/// Answers the requests of one connection.
async fn answer(
    stream: TcpStream,
    routes: Router,
    mut stopping: watch::Receiver<bool>,
    limits: ConnectionLimits,
) {
    let stream = WriteTimeout {
        stream,
        timeout: limits.write_timeout,
        stalled: None,
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    let stopped = async move {
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection was closed");
    }
}

/// A connection that fails if nothing can be written to it for a while, because its client does not read.
struct WriteTimeout {
    stream: TcpStream,
    timeout: Duration,
    /// When it fails; set while bytes wait to be written.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl WriteTimeout {
    fn fail_if_stalled<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let timeout = self.timeout;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for WriteTimeout {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for WriteTimeout {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.fail_if_stalled(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.fail_if_stalled(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpStream};
    use std::thread::JoinHandle;
    use std::time::Instant;

    use axum::body::Body;
    use axum::routing::get;
    use futures_util::stream::pending;

    use super::*;

    /// Far longer than the limits of these tests, and shorter than the usual limits.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// A server with short time limits, to which a request for `/known` counts as one with the cookie.
    struct Server {
        address: SocketAddr,
        stop: watch::Sender<bool>,
        thread: Option<JoinHandle<()>>,
    }

    impl Server {
        fn start(connections: usize) -> Self {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            let address = listener.local_addr().unwrap();
            let (stop, stopping) = watch::channel(false);
            let limits = ConnectionLimits {
                connections,
                header_timeout: Duration::from_millis(300),
                write_timeout: Duration::from_millis(300),
            };
            let thread = std::thread::spawn(move || {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = runtime.enable_all().build().unwrap();
                runtime.block_on(async {
                    let authenticated = |Extension(authenticated): Extension<Authenticated>| async move {
                        authenticated.set();
                        Body::from_stream(pending::<io::Result<Vec<u8>>>())
                    };
                    let large = || async { vec![b'x'; 64 << 20] };
                    let routes = Router::new()
                        .route("/", get(|| async { "ok" }))
                        .route("/known", get(authenticated))
                        .route("/large", get(large));
                    let listener = TcpListener::from_std(listener).unwrap();
                    serve(listener, routes, stopping, limits).await;
                });
            });
            Self {
                address,
                stop,
                thread: Some(thread),
            }
        }

        fn send(&self, text: &str) -> TcpStream {
            let mut stream = TcpStream::connect(self.address).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
            stream
        }

        /// The answer to a whole request.
        fn get(&self, path: &str) -> String {
            let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            let mut answer = String::new();
            self.send(&request).read_to_string(&mut answer).unwrap();
            answer
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            self.stop.send_replace(true);
            let ended = self.thread.take().unwrap().join();
            assert!(ended.is_ok() || std::thread::panicking());
        }
    }

    /// Whether the server closes the connection, whatever it sends before.
    fn is_ended(mut stream: TcpStream) -> bool {
        match stream.read_to_end(&mut Vec::new()) {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    #[test]
    fn who_sends_nothing_or_a_byte_at_a_time_is_not_waited_for() {
        let server = Server::start(8);
        for beginning in ["", "G", "GET / HTTP/1.1\r\nhost: x\r\nx-a: "] {
            assert!(is_ended(server.send(beginning)), "{beginning:?}");
        }
        let mut slow = server.send("GET / HTTP/1.1\r\nhost: x\r\nx-a: ");
        let start = Instant::now();
        while slow.write_all(b"a").is_ok() {
            assert!(start.elapsed() < PATIENCE, "its headers never end");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(server.get("/").ends_with("ok"));
    }

    #[test]
    fn who_reads_nothing_is_not_waited_for() {
        let server = Server::start(8);
        let mut stream = server.send("GET /large HTTP/1.1\r\nhost: x\r\n\r\n");
        let mut first = [0; 1];
        stream.read_exact(&mut first).unwrap();
        std::thread::sleep(Duration::from_secs(1));
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.len() < 64 << 20, "{} bytes came after all", rest.len());
    }

    #[test]
    fn strangers_make_room_and_others_are_refused_in_words() {
        let server = Server::start(4);
        let strangers: Vec<TcpStream> = (0..40).map(|_| server.send("GET / HT")).collect();
        assert!(server.get("/").ends_with("ok"));
        let ask = "GET /known HTTP/1.1\r\nhost: x\r\n\r\n";
        let authenticated: Vec<TcpStream> = (0..4)
            .map(|_| {
                let mut stream = server.send(ask);
                stream.read_exact(&mut [0; 12]).unwrap();
                stream
            })
            .collect();
        let start = Instant::now();
        let refused = loop {
            let answer = server.get("/");
            if answer.contains("503") {
                break answer;
            }
            assert!(start.elapsed() < PATIENCE, "{answer}");
        };
        assert!(refused.contains("too many"), "{refused}");
        drop((authenticated, strangers));
        while !server.get("/").ends_with("ok") {
            assert!(start.elapsed() < PATIENCE, "their places stay taken");
        }
    }
}

//! Drives a headless browser over `WebDriver` (W3C) with the few commands that the tests need.
//!
//! The crates for `WebDriver` depend on more than forty others; the protocol is JSON over HTTP, for which the
//! other tests already have a client.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::skip;
use crate::http::Request;
use crate::server::wait_for;

/// The key under which `WebDriver` passes the reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser; dropping the value ends it.
pub struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    /// The folder of the browser's profile; it is removed with the value.
    profile: TempDir,
}

impl Browser {
    /// Starts a desktop browser; `None`, with a note on standard error, if there is none.
    pub fn desktop() -> Option<Self> {
        Self::start(json!({}))
    }

    /// Starts a desktop browser that records what its threads do, until [`Self::work_of_frames`] is called.
    pub fn traced() -> Option<Self> {
        let categories = "devtools.timeline,disabled-by-default-devtools.timeline";
        Self::start(json!({"perfLoggingPrefs": {"traceCategories": categories}}))
    }

    /// Starts a phone's browser, with touch instead of a mouse.
    pub fn phone() -> Option<Self> {
        let metrics = json!({"width": 390, "height": 844, "pixelRatio": 2, "touch": true});
        Self::start(json!({"mobileEmulation": {"deviceMetrics": metrics}}))
    }

    #[allow(clippy::print_stderr)]
    fn start(mut options: Value) -> Option<Self> {
        // The driver chooses its port: if tests chose ports, two of them could choose the same one and use the same
        // driver.
        let spawned = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut driver) = spawned else {
            let missing = "there is no chromedriver; install it (Debian: chromium-driver) to test \
                           the gallery in a browser";
            skip(missing);
            return None;
        };
        let port = announced_port(driver.stdout.take().unwrap());
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self {
            driver,
            address: (Ipv4Addr::LOCALHOST, port).into(),
            session: String::new(),
            profile,
        };
        wait_for("chromedriver", || TcpStream::connect(browser.address).ok());
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(), // CI runs as root, in a container
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--lang=en-GB".to_owned(),
            "--window-size=1280,800".to_owned(),
            format!("--user-data-dir={}", browser.profile.path().display()),
        ];
        options["args"] = json!(arguments);
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let session = browser.call("POST", "/session", Some(&wanted));
        session["sessionId"]
            .as_str()
            .unwrap()
            .clone_into(&mut browser.session);
        Some(browser)
    }

    pub fn open(&self, address: &str) {
        self.post("/url", &json!({"url": address}));
    }

    /// Runs a script in the page and returns its result.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until an expression is true in the page.
    #[track_caller]
    pub fn wait_until(&self, expression: &str) {
        let script = format!("return Boolean({expression})");
        wait_for(expression, || (self.run(&script) == true).then_some(()));
    }

    /// Clicks the element that a CSS selector finds, as a person does: once the element exists, at its position,
    /// and only if nothing covers it. The page may redraw the element between finding and clicking; then it is
    /// found again.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        let find = json!({"using": "css selector", "value": selector});
        let click = || {
            let element = self.ask("/element", &find)?;
            let id = element[ELEMENT].as_str().unwrap();
            self.ask(&format!("/element/{id}/click"), &json!({}))
        };
        wait_for(selector, || match click() {
            Ok(_) => Some(()),
            Err(error) => {
                let is_absent = ["no such element", "stale element reference"]
                    .iter()
                    .any(|absent| error["error"] == *absent);
                assert!(is_absent, "{selector}: {error}");
                None
            }
        });
    }

    /// Sets the colour scheme that the system prefers: `light` or `dark`.
    pub fn prefer(&self, colours: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": colours});
        let command =
            json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": [feature]}});
        self.post("/goog/cdp/execute", &command);
    }

    /// Sets the size of the page, in CSS pixels.
    pub fn resize(&self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        let command = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": size});
        self.post("/goog/cdp/execute", &command);
    }

    /// Runs a script that ends by calling its last argument; returns the value passed to that call.
    pub fn run_async(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({"script": script, "args": []}))
    }

    /// The accessible name and the role of the element that has the focus.
    pub fn focused(&self) -> (String, String) {
        let element = self.call("GET", &self.target("/element/active"), None);
        let id = element[ELEMENT].as_str().unwrap();
        let ask = |what: &str| {
            let reported = self.call(
                "GET",
                &self.target(&format!("/element/{id}/computed{what}")),
                None,
            );
            reported.as_str().unwrap_or_default().to_owned()
        };
        (ask("label"), ask("role"))
    }

    /// Presses a key: a character, or one of `WebDriver`'s code points.
    pub fn press(&self, key: char) {
        let strokes = [
            json!({"type": "keyDown", "value": key}),
            json!({"type": "keyUp", "value": key}),
        ];
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": strokes});
        self.post("/actions", &json!({"actions": [keyboard]}));
    }

    /// Presses a key while another one is held.
    pub fn press_with(&self, held: char, key: char) {
        let strokes = [
            ("keyDown", held),
            ("keyDown", key),
            ("keyUp", key),
            ("keyUp", held),
        ]
        .map(|(kind, key)| json!({"type": kind, "value": key}));
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": strokes});
        self.post("/actions", &json!({"actions": [keyboard]}));
    }

    /// Clicks the element that a CSS selector finds with the mouse, in the middle of the window, while a key is held.
    #[track_caller]
    pub fn click_with(&self, held: char, selector: &str) {
        let find = json!({"using": "css selector", "value": selector});
        let pause = json!({"type": "pause"});
        let click = || {
            let element = self.ask("/element", &find)?;
            let scroll = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
            let scroll = json!({"script": scroll, "args": [element]});
            self.ask("/execute/sync", &scroll)?;
            let to = json!({"type": "pointerMove", "origin": element, "x": 0, "y": 0});
            let (down, up) = (
                json!({"type": "pointerDown", "button": 0}),
                json!({"type": "pointerUp", "button": 0}),
            );
            let (hold, release) = (
                json!({"type": "keyDown", "value": held}),
                json!({"type": "keyUp", "value": held}),
            );
            let mouse = json!({"type": "pointer", "id": "mouse", "actions": [to, pause, down, up]});
            let keys = [&pause, &hold, &pause, &pause, &release];
            let keyboard = json!({"type": "key", "id": "keyboard", "actions": keys});
            self.ask("/actions", &json!({"actions": [keyboard, mouse]}))
        };
        wait_for(selector, || click().ok());
    }

    pub fn reload(&self) {
        self.post("/refresh", &json!({}));
    }

    /// Goes to the tab that was opened last, once there are `count` of them.
    #[track_caller]
    pub fn go_to_tab(&self, count: usize) {
        let last = || {
            let tabs = self.call("GET", &self.target("/window/handles"), None);
            let tabs = tabs.as_array().unwrap();
            (tabs.len() == count).then(|| tabs[count - 1].clone())
        };
        let tab = wait_for("a tab", last);
        self.post("/window", &json!({"handle": tab}));
    }

    /// The messages on the page's console since the last call.
    pub fn console(&self) -> Vec<String> {
        let entries = self.log("browser");
        entries.iter().map(ToString::to_string).collect()
    }

    /// The addresses that the pages requested since the last call.
    pub fn requests(&self) -> Vec<String> {
        let event = |entry: &Value| -> Option<String> {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            let sent = message["method"] == "Network.requestWillBeSent";
            let address = message["params"]["request"]["url"].as_str()?;
            sent.then(|| address.to_owned())
        };
        self.log("performance").iter().filter_map(event).collect()
    }

    /// The processor time, in ms, that the page's main thread took for each of the last `count` frames that ran a
    /// script: all its tasks from the one that begins the frame to the one that begins the next.
    pub fn work_of_frames(&self, count: usize) -> Vec<f64> {
        let events: Vec<Value> = self
            .log("performance")
            .iter()
            .filter_map(|entry| serde_json::from_str(entry["message"].as_str()?).ok())
            .filter(|entry: &Value| entry["message"]["method"] == "Tracing.dataCollected")
            .map(|mut entry| entry["message"]["params"].take())
            .collect();
        let at = |event: &Value, field: &str| event[field].as_f64().unwrap_or_default();
        let named = |name: &'static str| events.iter().filter(move |event| event["name"] == name);
        let last = named("FireAnimationFrame")
            .max_by(|a, b| at(a, "ts").total_cmp(&at(b, "ts")))
            .expect("the trace has frames");
        let is_there = |event: &&Value| event["pid"] == last["pid"] && event["tid"] == last["tid"];
        // The begin, the end and the processor time of each task, in µs.
        let mut tasks: Vec<(f64, f64, f64)> = named("RunTask")
            .filter(is_there)
            .map(|task| {
                (
                    at(task, "ts"),
                    at(task, "ts") + at(task, "dur"),
                    at(task, "tdur"),
                )
            })
            .collect();
        tasks.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut begins: Vec<usize> = named("FireAnimationFrame")
            .filter(is_there)
            .map(|frame| tasks.partition_point(|task| task.1 < at(frame, "ts")))
            .collect();
        begins.sort_unstable();
        begins.dedup();
        let begins = &begins[begins.len().saturating_sub(count + 1)..];
        let work = |frame: &[usize]| {
            tasks[frame[0]..frame[1]]
                .iter()
                .map(|task| task.2)
                .sum::<f64>()
        };
        begins
            .windows(2)
            .map(|frame| work(frame) / 1000.0)
            .collect()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.post("/se/log", &json!({"type": kind}));
        entries.as_array().unwrap().clone()
    }

    fn target(&self, command: &str) -> String {
        format!("/session/{}{command}", self.session)
    }

    #[track_caller]
    fn post(&self, command: &str, body: &Value) -> Value {
        self.call("POST", &self.target(command), Some(body))
    }

    /// Sends a command; returns its result or its error.
    fn ask(&self, command: &str, body: &Value) -> Result<Value, Value> {
        self.try_call("POST", &self.target(command), Some(body))
    }

    #[track_caller]
    fn call(&self, method: &'static str, target: &str, body: Option<&Value>) -> Value {
        let answer = self.try_call(method, target, body);
        answer.unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    fn try_call(
        &self,
        method: &'static str,
        target: &str,
        body: Option<&Value>,
    ) -> Result<Value, Value> {
        let mut request = Request::get(self.address, target).method(method);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send();
        let mut answer: Value = serde_json::from_str(&response.text()).unwrap();
        let value = answer["value"].take();
        if response.status == 200 {
            Ok(value)
        } else {
            Err(value)
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Does not use `call`, which may panic: the value may be dropped by a failing test.
        if let Ok(mut stream) = TcpStream::connect(self.address) {
            let quit = format!(
                "DELETE {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
                self.target(""),
                self.address
            );
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = stream.write_all(quit.as_bytes());
            // The answer arrives after the browser has ended.
            let _ = stream.read(&mut [0]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Reads the port that a driver announces once it listens ("… was started successfully on port 4711."). The rest of its
/// output is read and dropped, so that a full pipe never blocks the driver.
fn announced_port(output: ChildStdout) -> u16 {
    let mut lines = BufReader::new(output).lines();
    let announced = lines.by_ref().find_map(|line| {
        let line = line.unwrap();
        let (_, port) = line.rsplit_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    std::thread::spawn(move || lines.for_each(drop));
    announced.expect("chromedriver ended before it announced its port")
}

//! A running server, and what it has kept.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use model::Record;
use serde_json::Value;

use super::clock::{PATIENCE, until};
use super::http::{self, Response};
use super::setup::{API_KEY, Setup};
use super::signal;

/// A server without its registry and its database takes its time to start and to stop, the more so on a machine that is busy.
const COMES_OR_GOES: Duration = PATIENCE.saturating_mul(4);

/// A server of a scenario's own. It ends with the value; its logs are printed if the scenario fails.
#[derive(Debug)]
pub struct Server {
    setup: Setup,
    child: Child,
}

impl Server {
    pub(super) fn ready(setup: Setup, child: Child) -> Self {
        let mut server = Self { setup, child };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        until("the server to be ready", COMES_OR_GOES, || {
            let gone = self.child.try_wait().unwrap();
            assert!(gone.is_none(), "the server ended: {gone:?}");
            let answer = http::request(self.http(), "GET", "/readyz", &[], &[]);
            answer.ok().filter(|response| response.status == 200)
        });
    }

    /// Where RTMP comes in.
    pub fn rtmp(&self) -> SocketAddr {
        SocketAddr::from((self.setup.address, self.setup.rtmp_port))
    }

    /// Where RTMP over TLS comes in.
    pub fn rtmps(&self) -> SocketAddr {
        SocketAddr::from((self.setup.address, self.setup.rtmps_port))
    }

    /// Where HTTPS comes in.
    pub fn https(&self) -> SocketAddr {
        SocketAddr::from((self.setup.address, self.setup.https_port))
    }

    /// Where SRT comes in.
    pub fn srt(&self) -> SocketAddr {
        SocketAddr::from((self.setup.address, self.setup.srt_port))
    }

    /// Where HTTP comes in.
    pub fn http(&self) -> SocketAddr {
        SocketAddr::from((self.setup.address, self.setup.http_port))
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.setup.data
    }

    /// The password that the first start made for the console's `admin`.
    pub fn console_password(&self) -> String {
        let text = std::fs::read_to_string(self.data().join("secrets.toml")).unwrap();
        let secrets: toml::Table = text.parse().unwrap();
        secrets["console"]["password"].as_str().unwrap().to_owned()
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed.
    pub fn printed(&self) -> String {
        ["stdout", "stderr"]
            .map(|name| std::fs::read_to_string(self.setup.folder.path().join(name)).unwrap_or_default())
            .concat()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        signal::kill(&mut self.child);
    }

    /// SIGTERM, and waits for the end.
    pub fn terminate(&mut self) -> ExitStatus {
        signal::send(&self.child, "TERM");
        signal::wait(&mut self.child, COMES_OR_GOES)
    }

    /// Starts it again on the same folder and ports.
    pub fn start_again(&mut self) {
        self.child = self.setup.spawn();
        self.wait_until_ready();
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Runs a command of the program; what it prints.
    ///
    /// # Panics
    /// When it fails.
    pub fn cli(&self, args: &[&str]) -> String {
        let output = self.setup.run(args);
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "lastframe {args:?}: {err}");
        out
    }

    /// Runs a command of the program, and gives what came of it.
    #[cfg(feature = "cluster")]
    pub fn output(&self, args: &[&str]) -> std::process::Output {
        self.setup.run(args)
    }

    /// Starts a command of the program that does not end by itself; its output can be read.
    pub fn start_cli(&self, args: &[&str]) -> Child {
        self.setup.command(args).stdout(Stdio::piped()).spawn().unwrap()
    }

    /// A signed push URL for `localhost`.
    pub fn url(&self, stream: &str) -> String {
        let args = ["url", "--domain", "localhost", "--app", "live", "--stream", stream];
        self.cli(&args).trim().to_owned()
    }

    /// An unsigned push URL for the open domain; it names an address, so encoders need no name service.
    pub fn open_url(&self, stream: &str) -> String {
        format!("rtmp://{}/live/{stream}?domain={}", self.rtmp(), super::setup::DOMAIN)
    }

    /// Records by the command line, newest first.
    pub fn records(&self, filter: &[&str]) -> Vec<Record> {
        let mut args = vec!["records", "--format", "json", "--limit", "100000"];
        args.extend_from_slice(filter);
        let lines = self.cli(&args);
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in {line}")))
            .collect()
    }

    /// The record of a stream, once it is there.
    ///
    /// # Panics
    /// When there is none in time, or more than one.
    pub fn record(&self, stream: &str) -> Record {
        self.record_within(stream, PATIENCE)
    }

    /// As [`Server::record`], with a limit of its own.
    ///
    /// # Panics
    /// As there.
    pub fn record_within(&self, stream: &str, limit: Duration) -> Record {
        let what = format!("the record of {stream}");
        let mut records = until(&what, limit, || {
            let records = self.records(&["--stream", stream]);
            (!records.is_empty()).then_some(records)
        });
        assert_eq!(records.len(), 1, "one record for {stream}: {records:#?}");
        records.remove(0)
    }

    /// The code of the record of a stream, such as `18/503`.
    pub fn code(&self, stream: &str) -> String {
        self.record(stream).code().to_string()
    }

    /// All records of a stream, once there are so many.
    ///
    /// # Panics
    /// When there are not in time, or more.
    pub fn records_of(&self, stream: &str, count: usize) -> Vec<Record> {
        until(&format!("{count} records of {stream}"), PATIENCE, || {
            let records = self.records(&["--stream", stream]);
            assert!(records.len() <= count, "{records:#?}");
            (records.len() == count).then_some(records)
        })
    }

    /// Their codes, in the order of their text.
    ///
    /// # Panics
    /// As there.
    pub fn codes(&self, stream: &str, count: usize) -> Vec<String> {
        let records = self.records_of(stream, count);
        let mut codes: Vec<_> = records.iter().map(|record| record.code().to_string()).collect();
        codes.sort();
        codes
    }

    /// The only record of a code, for ends that never named a stream.
    pub fn record_of_code(&self, code: &str) -> Record {
        let mut records = until(&format!("a record {code}"), PATIENCE, || {
            let records = self.records(&["--code", code]);
            (!records.is_empty()).then_some(records)
        });
        assert_eq!(records.len(), 1, "one record {code}: {records:#?}");
        records.remove(0)
    }

    /// Asks the API with the key of [`Setup::open`].
    pub fn get(&self, path: &str) -> Value {
        self.ask("GET", path, API_KEY, &[]).json()
    }

    /// Tells the API something with the key of [`Setup::open`].
    ///
    /// # Panics
    /// When it refuses.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.ask("POST", path, API_KEY, body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Asks the API with any key.
    pub fn ask(&self, method: &str, path: &str, key: &str, body: &[u8]) -> Response {
        let bearer = format!("Bearer {key}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        http::request(self.http(), method, path, &headers, body).unwrap()
    }

    /// Waits until the API lists so many live pushes.
    pub fn wait_for_pushes(&self, count: usize) {
        until(&format!("{count} live pushes"), PATIENCE, || {
            let list = self.get("/api/v1/pushes");
            (list["pushes"].as_array()?.len() == count).then_some(())
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        signal::kill(&mut self.child);
        if std::thread::panicking() {
            let printed = self.printed();
            let from = printed.char_indices().rev().nth(6000).map_or(0, |(at, _)| at);
            eprintln!("--- the server's own words, to their end ---\n{}", &printed[from..]);
        }
    }
}

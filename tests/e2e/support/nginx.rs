//! nginx with its RTMP module, as another server that streams are passed on to.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use super::clock::{PATIENCE, until, until_true};
use super::{http, ports, signal};

/// A running nginx. It ends with the value.
#[derive(Debug)]
pub struct Nginx {
    child: Child,
    folder: tempfile::TempDir,
    rtmp_port: u16,
    http_port: u16,
}

impl Nginx {
    /// Starts it with an app `live`.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same with more directives for the app; `/deny` on its own HTTP port, `{http}`, answers 403.
    pub fn start_with(directives: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (rtmp_port, http_port) = (ports::free(), ports::free());
        let directives = directives.replace("{http}", &format!("http://127.0.0.1:{http_port}"));
        let at = folder.path().display();
        let config = format!(
            "load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
            daemon off; master_process off; worker_processes 1; pid {at}/pid; error_log {at}/error.log info;
            events {{ worker_connections 256; }}
            rtmp {{ server {{ listen 127.0.0.1:{rtmp_port};
                application live {{ live on; {directives} }}
            }} }}
            http {{ access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
                fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
                server {{ listen 127.0.0.1:{http_port};
                location /deny {{ return 403; }}
                location /control {{ rtmp_control all; }}
                location /stat {{ rtmp_stat all; }}
            }} }}"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let log = || std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("nginx")
            .args(["-p", &at.to_string(), "-c"])
            .arg(&file)
            .env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()))
            .stdin(Stdio::null())
            .stdout(log())
            .stderr(log())
            .spawn()
            .unwrap();
        let nginx = Self { child, folder, rtmp_port, http_port };
        until("nginx to be ready", PATIENCE, || nginx.get("/stat").filter(|answer| answer.status == 200));
        nginx
    }

    /// Where RTMP comes in.
    pub fn rtmp(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.rtmp_port))
    }

    /// Whether it has a publisher of this stream.
    pub fn publishes(&self, stream: &str) -> bool {
        self.stat().contains(&format!("<name>{stream}</name>")) && self.stat().contains("<publishing/>")
    }

    /// Waits until it has a publisher of this stream, or has none.
    pub fn wait_for(&self, stream: &str, published: bool) {
        until_true(&format!("{stream} at nginx: {published}"), PATIENCE, || {
            self.publishes(stream) == published
        });
    }

    /// Its own report.
    pub fn stat(&self) -> String {
        self.get("/stat").map(|answer| answer.text()).unwrap_or_default()
    }

    /// Asks it to drop a publisher.
    pub fn drop_publisher(&self, stream: &str) {
        let path = format!("/control/drop/publisher?app=live&name={stream}");
        let answer = self.get(&path).unwrap();
        assert_eq!(answer.text().trim(), "1", "publishers dropped");
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        signal::kill(&mut self.child);
    }

    /// Stops it where it stands.
    pub fn freeze(&self) {
        signal::send(&self.child, "STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        signal::send(&self.child, "CONT");
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&mut self) {
        signal::send(&self.child, "TERM");
        signal::wait(&mut self.child, PATIENCE);
    }

    fn get(&self, path: &str) -> Option<http::Response> {
        let address = SocketAddr::from(([127, 0, 0, 1], self.http_port));
        http::request(address, "GET", path, &[], &[]).ok()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        signal::kill(&mut self.child);
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
            eprintln!("--- nginx's own words ---\n{log}");
        }
    }
}

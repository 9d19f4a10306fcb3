//! A PostgreSQL of a test's own: a folder, a socket in it, and processes that end with it.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use store::Remote;

#[derive(Debug)]
pub struct Postgres {
    dir: tempfile::TempDir,
    bin: PathBuf,
    owner: Option<(u32, u32)>,
    postmaster: Option<Child>,
    /// The port on which it speaks TLS, and nothing else.
    tls: Option<u16>,
    /// The network namespace that it is in, and its address there.
    net: Option<(PathBuf, Ipv4Addr)>,
}

/// A running PostgreSQL; `None` where none is installed, which must not be for root, who could install it.
pub fn postgres() -> Option<Postgres> {
    postgres_in(None)
}

/// The same in a network namespace, by its file, where it is reached at this address with the password of
/// [`Postgres::url`].
pub fn postgres_in(net: Option<(PathBuf, Ipv4Addr)>) -> Option<Postgres> {
    let Some(bin) = programs() else {
        assert!(!is_root(), "PostgreSQL is not installed: ./test.sh installs it");
        eprintln!("left out: PostgreSQL is not installed");
        return None;
    };
    let dir = tempfile::tempdir().unwrap();
    // PostgreSQL will not run as root.
    let owner = is_root().then(|| user("postgres").or_else(|| user("nobody")).unwrap());
    if let Some((uid, gid)) = owner {
        std::os::unix::fs::chown(dir.path(), Some(uid), Some(gid)).unwrap();
    }
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let mut server = Postgres { dir, bin, owner, postmaster: None, tls: None, net };
    let made = server
        .command("initdb")
        .args(["-A", "trust", "-U", "lastframe", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
        .arg(server.dir.path().join("data"))
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success(), "initdb");
    if server.net.is_some() {
        let rules = "local all all trust\nhost all all 0.0.0.0/0 scram-sha-256\n";
        fs::write(server.dir.path().join("data/pg_hba.conf"), rules).unwrap();
    }
    server.start();
    server.sql("alter role lastframe password 'hush'").unwrap();
    Some(server)
}

impl Postgres {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        if let Some((uid, gid)) = self.owner {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// The server as a program of the namespace; who may enter one is root, whom PostgreSQL will not have.
    fn command_in(&self, net: &Path) -> Command {
        let (uid, gid) = self.owner.unwrap();
        let mut command = Command::new("nsenter");
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command.arg(format!("--net={}", net.display()));
        command.args([format!("--setuid={uid}"), format!("--setgid={gid}")]);
        command.arg(self.bin.join("postgres"));
        command
    }

    /// Starts it and waits until it answers.
    pub fn start(&mut self) {
        let mut command = match &self.net {
            None => self.command("postgres"),
            Some((net, _)) => self.command_in(net),
        };
        command.arg("-D").arg(self.dir.path().join("data")).arg("-k").arg(self.dir.path());
        for setting in ["shared_buffers=64MB", "fsync=off", "max_connections=40", "logging_collector=off"] {
            command.args(["-c", setting]);
        }
        match self.tls {
            None if self.net.is_some() => command.args(["-c", "listen_addresses=*"]),
            None => command.args(["-c", "listen_addresses="]),
            Some(port) => command
                .args(["-c", "listen_addresses=127.0.0.1", "-c", "ssl=on", "-c"])
                .arg(format!("port={port}"))
                .args(["-c", "ssl_cert_file=server.crt", "-c", "ssl_key_file=server.key"]),
        };
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        self.postmaster = Some(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
        for _ in 0..600 {
            if self.sql("select 1").is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL does not answer: {}", fs::read_to_string(self.log()).unwrap());
    }

    /// Starts it anew, with TLS and only with TLS on a port of 127.0.0.1, which it gives.
    pub fn restart_with_tls(&mut self) -> u16 {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        self.write(&self.certificate(), &made.cert.pem(), 0o644);
        self.restart_secured(&made.cert.pem(), &made.signing_key.serialize_pem(), "trust")
    }

    /// The same with a certificate that is there (PEM), and for those who have the password of [`Postgres::url`].
    pub fn restart_with_password(&mut self, certificate: &Path, key: &Path) -> u16 {
        let read = |path| fs::read_to_string(path).unwrap();
        self.restart_secured(&read(certificate), &read(key), "scram-sha-256")
    }

    fn restart_secured(&mut self, certificate: &str, key: &str, method: &str) -> u16 {
        self.kill();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let data = self.dir.path().join("data");
        let rules = format!("local all all trust\nhostssl all all 127.0.0.1/32 {method}\n");
        for (name, text) in [("server.crt", certificate), ("server.key", key), ("pg_hba.conf", &rules)] {
            self.write(&data.join(name), text, 0o600);
        }
        self.tls = Some(port);
        self.start();
        port
    }

    fn write(&self, path: &Path, text: &str, mode: u32) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        if let Some((uid, gid)) = self.owner {
            std::os::unix::fs::chown(path, Some(uid), Some(gid)).unwrap();
        }
    }

    /// The certificate that it shows, PEM.
    pub fn certificate(&self) -> PathBuf {
        self.dir.path().join("authority.pem")
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// Everything of it, without a goodbye.
    pub fn kill(&mut self) {
        let Some(mut postmaster) = self.postmaster.take() else { return };
        let pid = postmaster.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let _ = postmaster.kill();
        for child in children.split_whitespace() {
            let _ = Command::new("kill").args(["-9", child]).stderr(Stdio::null()).status();
        }
        let _ = postmaster.wait();
    }

    /// Everything of it stands still: it takes connections, and answers nothing.
    pub fn freeze(&self, frozen: bool) {
        let pid = self.postmaster.as_ref().unwrap().id();
        let signal = |pid: &str| {
            let signal = if frozen { "-STOP" } else { "-CONT" };
            Command::new("kill").args([signal, pid]).stderr(Stdio::null()).status().unwrap().success()
        };
        // First, so that it has no further children; one of those that it has may be about to end.
        assert!(signal(&pid.to_string()));
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        for child in children.split_whitespace() {
            signal(child);
        }
    }

    pub fn url(&self) -> String {
        if let Some((_, address)) = &self.net {
            return format!("postgres://lastframe:hush@{address}/postgres?sslmode=disable");
        }
        let folder = self.dir.path().to_str().unwrap().replace('/', "%2F");
        format!("postgres://lastframe:hush@{folder}/postgres")
    }

    pub fn remote(&self) -> Remote {
        Remote::parse(&self.url()).unwrap()
    }

    /// What psql prints, a row a line.
    pub fn sql(&self, sql: &str) -> Result<String, String> {
        let out = Command::new(self.bin.join("psql"))
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "lastframe",
                "-d",
                "postgres",
                "-h",
            ])
            .arg(self.dir.path())
            .args(["-p", &self.tls.unwrap_or(5432).to_string()])
            .args(["-c", "set search_path = lastframe, public", "-c", sql])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if out.status.success() { Ok(text(&out.stdout)) } else { Err(text(&out.stderr)) }
    }

    /// The number that it says; 0 while there is no such table, or no server.
    pub fn number(&self, sql: &str) -> u64 {
        self.sql(sql).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

fn is_root() -> bool {
    fs::read_to_string("/proc/self/status").unwrap().contains("\nUid:\t0\t")
}

fn user(name: &str) -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut numbers = line.split(':').skip(2).map(|part| part.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// Where `initdb` and the server are: Debian keeps them out of the path.
fn programs() -> Option<PathBuf> {
    let on_path = std::env::split_paths(&std::env::var_os("PATH")?).find(|dir| dir.join("initdb").exists());
    let debian = || {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        versions
            .flatten()
            .map(|entry| entry.path().join("bin"))
            .filter(|dir| dir.join("initdb").exists())
            .max()
    };
    let dir = debian().or(on_path)?;
    fs::canonicalize(dir).ok()
}

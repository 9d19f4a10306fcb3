//! What a scenario needs of the machine. Where it is missing a scenario is left out, and says so; root has no excuse.

use std::path::Path;

/// Whether the process is root.
pub fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

/// Whether the scenario can run here, given the programs it starts.
///
/// # Panics
/// For root, who can install them: `test.sh` does.
pub fn has(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().filter(|program| !is_installed(program)).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(!is_root(), "missing {missing:?}: run test.sh, which installs them");
    eprintln!("left out: missing {missing:?}");
    false
}

/// Whether the scenario can run here: it needs root, and these programs.
///
/// # Panics
/// As [`has`].
pub fn has_as_root(programs: &[&str]) -> bool {
    if !is_root() {
        eprintln!("left out: needs root");
        return false;
    }
    has(programs)
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    let also = ["/usr/sbin", "/sbin"];
    path.split(':').chain(also).any(|folder| Path::new(folder).join(program).is_file())
}

use std::path::Path;

use super::*;

fn write(folder: &Path, file: &str, names: &[&str]) -> CertificateFiles {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let files = CertificateFiles {
        cert: folder.join(format!("{file}.pem")),
        key: folder.join(format!("{file}.key")),
    };
    std::fs::write(&files.cert, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    files
}

#[test]
fn a_name_chooses_its_certificate_and_others_get_the_default() {
    let dir = tempfile::tempdir().unwrap();
    let files = vec![write(dir.path(), "a", &["a.test"]), write(dir.path(), "b", &["b.test", "*.wild.test"])];
    let shown = Certificates::read(files.clone()).unwrap();
    let [a, b] = [&files[0], &files[1]].map(|files| files.read().unwrap().cert);
    for (name, expected) in [
        (None, &a),
        (Some("a.test"), &a),
        (Some("b.test"), &b),
        (Some("x.wild.test"), &b),
        (Some("c.test"), &a),
        (Some("no name at all"), &a),
    ] {
        assert_eq!(&shown.named(name).unwrap().cert, expected, "{name:?}");
    }
}

#[test]
fn files_that_cannot_be_used_are_named_and_leave_the_old_ones_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let files = write(dir.path(), "a", &["a.test"]);
    let shown = Certificates::read(vec![files.clone()]).unwrap();
    let before = shown.fingerprint();

    let other = write(dir.path(), "b", &["b.test"]);
    std::fs::copy(&other.key, &files.key).unwrap();
    assert!(matches!(shown.reload(), Err(CertificateError::Mismatch { .. })));
    std::fs::write(&files.cert, "no certificate").unwrap();
    assert!(matches!(shown.reload(), Err(CertificateError::Cert { path, .. }) if path == files.cert));
    std::fs::copy(&other.cert, &files.cert).unwrap();
    std::fs::remove_file(&files.key).unwrap();
    assert!(matches!(shown.reload(), Err(CertificateError::Key { path, .. }) if path == files.key));
    assert_eq!(shown.fingerprint(), before);

    std::fs::copy(&other.key, &files.key).unwrap();
    shown.reload().unwrap();
    assert_ne!(shown.fingerprint(), before);
}

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Barrier;

use super::*;

fn file(path: &Path, profile: &str) -> CredentialsFile {
    CredentialsFile::new(Some(path), profile).unwrap()
}

fn key(id: &str) -> SecretKey {
    SecretKey { id: id.to_owned(), secret: SecretString::from(format!("secret of {id}").replace(' ', "/")) }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_that_is_not_there_is_made_with_its_folder_for_its_owner_only() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("new/.aws/credentials");
    let ours = file(&path, "sms");
    assert!(ours.read().unwrap().is_none());
    ours.write(&key("A"), &[]).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(ours.read().unwrap().unwrap().secret.expose_secret(), "secret/of/A");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_file_that_everybody_may_read_is_its_owner_s_only_once_a_key_is_in_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    fs::write(&path, "[a]\nx = 1").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    file(&path, "sms").write(&key("A"), &[]).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert!(fs::read_to_string(&path).unwrap().starts_with("[a]\nx = 1\n"));
}

#[test]
fn a_proof_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    file(&path, "sms").prove(&[]).unwrap();
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    fs::write(&path, "[a]").unwrap();
    file(&path, "sms").prove(&[]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "[a]");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn links_are_followed_to_what_is_there_and_to_what_is_not_there_yet() {
    let home = tempfile::tempdir().unwrap();
    let (real, link) = (home.path().join("far/real"), home.path().join("credentials"));
    symlink("middle", &link).unwrap();
    symlink(&real, home.path().join("middle")).unwrap();
    for id in ["A", "B"] {
        file(&link, "sms").write(&key(id), &["A".to_owned()]).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&real).unwrap().contains(id));
    }
    symlink("round", home.path().join("round")).unwrap();
    let error = file(&home.path().join("round"), "sms").prove(&[]).unwrap_err().to_string();
    assert!(error.contains("round"), "{error}");
}

#[test]
fn a_file_that_is_no_text_is_an_error_and_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    let bytes = b"[a]\naws_secret_access_key = hush\xff\n";
    fs::write(&path, bytes).unwrap();
    let ours = file(&path, "sms");
    let errors = [ours.read().map(drop), ours.prove(&[]), ours.write(&key("A"), &[]), ours.remove(&["A".to_owned()])];
    for error in errors {
        let error = error.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("UTF-8") && shown.contains("credentials") && !shown.contains("hush"), "{shown}");
    }
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn what_is_no_file_or_has_one_for_a_folder_is_an_error_that_names_it() {
    let home = tempfile::tempdir().unwrap();
    let folder = file(home.path(), "sms").prove(&[]).unwrap_err().to_string();
    assert!(folder.contains("cannot read") && folder.contains(&home.path().display().to_string()), "{folder}");
    fs::write(home.path().join("a"), "").unwrap();
    let below = file(&home.path().join("a/credentials"), "sms").prove(&[]).unwrap_err().to_string();
    assert!(below.contains("a/credentials") && below.contains("account.credentials_file"), "{below}");
}

#[test]
fn only_a_section_that_has_one_of_the_keys_is_removed() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    file(&path, "sms").remove(&["A".to_owned()]).unwrap();
    assert!(!path.exists());
    file(&path, "other").write(&key("O"), &[]).unwrap();
    let before = fs::read_to_string(&path).unwrap();
    file(&path, "sms").write(&key("A"), &[]).unwrap();
    file(&path, "sms").remove(&["B".to_owned()]).unwrap();
    assert_eq!(file(&path, "sms").read().unwrap().unwrap().id, "A");
    file(&path, "sms").remove(&["B".to_owned(), "A".to_owned()]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
}

#[test]
fn what_a_key_takes_the_place_of_is_kept_beside_the_file_once_each() {
    let home = tempfile::tempdir().unwrap();
    let (link, real) = (home.path().join("credentials"), home.path().join("far/real"));
    fs::create_dir(home.path().join("far")).unwrap();
    symlink(&real, &link).unwrap();
    let theirs = "[sms]\nregion = eu-west-1\naws_access_key_id = T\naws_secret_access_key = U\n";
    let ours = file(&link, "sms");
    let kept_in = home.path().join("far/real.replaced");
    for _ in 0..2 {
        fs::write(&real, theirs).unwrap();
        let displaced = ours.displaced(&["A".to_owned()]).unwrap();
        assert_eq!(displaced, Some(Displaced { key: Some("T".to_owned()), kept_in: kept_in.clone() }));
        ours.prove(&[]).unwrap();
        ours.write(&key("A"), &[]).unwrap();
        ours.write(&key("B"), &["A".to_owned()]).unwrap();
    }
    let first = "# Replaced by sms-provision in the credentials file beside this one.\n\
        [sms]\naws_access_key_id = T\naws_secret_access_key = U\n";
    assert_eq!(fs::read_to_string(&kept_in).unwrap(), first);
    assert_eq!(mode(&kept_in), 0o600);
    assert_eq!(ours.displaced(&["B".to_owned()]).unwrap(), None);

    fs::write(&real, "[sms]\ncredential_process = /bin/true\n").unwrap();
    assert_eq!(ours.displaced(&[]).unwrap(), Some(Displaced { key: None, kept_in: kept_in.clone() }));
    ours.write(&key("A"), &[]).unwrap();
    let kept = fs::read_to_string(&kept_in).unwrap();
    assert!(kept.starts_with(&format!("{first}\n# ")) && kept.ends_with("[sms]\ncredential_process = /bin/true\n"));
    assert_eq!(fs::read_dir(home.path().join("far")).unwrap().count(), 2);
}

#[test]
fn where_what_is_replaced_cannot_be_kept_it_is_not_replaced() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    let theirs = "[sms]\naws_access_key_id = T\naws_secret_access_key = U\n";
    fs::write(&path, theirs).unwrap();
    fs::create_dir(home.path().join("credentials.replaced")).unwrap();
    for error in [file(&path, "sms").prove(&[]), file(&path, "sms").write(&key("A"), &[])] {
        let error = error.unwrap_err().to_string();
        assert!(error.contains("credentials.replaced") && error.contains("account.credentials_file"), "{error}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), theirs);
}

#[test]
fn a_look_touches_nothing_and_names_the_file_that_cannot_be_read() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("new/credentials");
    file(&path, "sms").look(&[]).unwrap();
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    let theirs = "[sms]\naws_access_key_id = T\naws_secret_access_key = U\n";
    fs::create_dir_all(home.path().join("new/credentials.replaced")).unwrap();
    fs::write(&path, theirs).unwrap();
    let error = file(&path, "sms").look(&[]).unwrap_err().to_string();
    assert!(error.contains("credentials.replaced: it is not a file"), "{error}");
    file(&path, "sms").look(&["T".to_owned()]).unwrap();
    file(&path, "other").look(&[]).unwrap();
}

#[test]
fn what_a_run_that_was_cut_off_left_behind_goes_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    for name in [".sms-provision-draft-aB3dE6gH9jKl", ".sms-provision-draft-backup", ".sms-provision-draft-public12345"]
    {
        fs::write(home.path().join(name), "x").unwrap();
        let mode = if name.contains("public") { 0o644 } else { 0o600 };
        fs::set_permissions(home.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    symlink("/etc/hostname", home.path().join(".sms-provision-draft-aLink4567890")).unwrap();
    file(&home.path().join("not/there"), "sms").tidy();
    file(&path, "sms").tidy();
    file(&path, "sms").write(&key("A"), &[]).unwrap();
    let mut left: Vec<_> = fs::read_dir(home.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    left.sort_unstable();
    let others = ["aLink4567890", "backup", "public12345"].map(|rest| format!(".sms-provision-draft-{rest}"));
    let expected = others.into_iter().chain(["credentials".to_owned()]).map(std::ffi::OsString::from);
    assert_eq!(left, expected.collect::<Vec<_>>());
}

#[test]
fn a_folder_is_tried_without_leaving_a_trace() {
    let home = tempfile::tempdir().unwrap();
    file(&home.path().join("new/folder/credentials"), "sms").try_folder().unwrap();
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    assert!(file(Path::new("/proc/sms/credentials"), "sms").try_folder().is_err());
}

#[test]
fn two_names_of_one_file_are_told_from_two_files() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    fs::create_dir(path("far")).unwrap();
    symlink("far/real", path("link")).unwrap();
    symlink("far", path("near")).unwrap();
    assert!(file(&path("link"), "sms").is_in(&path("far/real")));
    assert!(file(&path("near/real"), "sms").is_in(&path("link")));
    assert!(!file(&path("link"), "sms").is_in(&path("far/other")));
}

#[test]
fn many_who_write_at_once_lose_nothing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    fs::write(&path, "[default]\nregion = us-east-1\n").unwrap();
    let start = Barrier::new(16);
    std::thread::scope(|scope| {
        for n in 0..16 {
            let (start, path) = (&start, &path);
            scope.spawn(move || {
                start.wait();
                for round in 0..8 {
                    let ours: Vec<String> = (0..round).map(|round| format!("K{n}R{round}")).collect();
                    file(path, &format!("target-{n}")).write(&key(&format!("K{n}R{round}")), &ours).unwrap();
                }
            });
        }
    });
    for n in 0..16 {
        assert_eq!(file(&path, &format!("target-{n}")).read().unwrap().unwrap().id, format!("K{n}R7"));
    }
    assert!(fs::read_to_string(&path).unwrap().starts_with("[default]\nregion = us-east-1\n"));
}

#[test]
fn debug_shows_no_secret() {
    assert!(!format!("{:?}", key("A")).contains("secret/of"));
}

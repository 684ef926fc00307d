//! Private certificates, with a proxy before them and without.

use super::*;

/// STS behind TLS, with a certificate of its own that is put into that file: for every connection, past a proxy's
/// `CONNECT` if one comes first. Answers what the proxy was asked.
async fn sts_behind_tls(bundle: &Path) -> (std::net::SocketAddr, tokio::sync::mpsc::UnboundedReceiver<String>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "sts.example.test".to_owned()]).unwrap();
    std::fs::write(bundle, made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let ring = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions().unwrap();
    let tls = tls.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let tls = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(tls));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (told, asked) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut first = [0];
            stream.peek(&mut first).await.unwrap();
            if first == *b"C" {
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    head.push(char::from(stream.read_u8().await.unwrap()));
                }
                told.send(head).unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            }
            let Ok(mut stream) = tls.accept(stream).await else { continue };
            let mut asked = Vec::new();
            while !asked.ends_with(b"Version=2011-06-15")
                && !String::from_utf8_lossy(&asked).contains("RoleSessionName")
            {
                asked.push(stream.read_u8().await.unwrap());
            }
            let (length, body) = (ROLE_ANSWER.len(), ROLE_ANSWER);
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
            drop(stream.shutdown().await);
        }
    });
    (address, asked)
}

/// A role of an STS at that endpoint.
async fn role_at(endpoint: String) -> Result<AwsAccess, AwsError> {
    let settings = Aws {
        region: Some("eu-central-1".to_owned()),
        endpoint_url: Some(endpoint),
        role_arn: Some("arn:aws:iam::123456789012:role/sender".to_owned()),
        ..Aws::default()
    };
    AwsAccess::load(&settings, OPTIONS).await
}

#[test]
fn a_bundle_of_the_environment_or_of_the_profile_is_trusted_in_place_of_the_systems_certificates() {
    let home = tempfile::tempdir().unwrap();
    let (bundle, config) = (home.path().join("ca.pem"), home.path().join("config"));
    std::fs::write(&config, format!("[default]\nca_bundle = {}\n", bundle.display())).unwrap();
    let name = "a_bundle_of_the_environment_or_of_the_profile_is_trusted_in_place_of_the_systems_certificates";
    let key = [("AWS_ACCESS_KEY_ID", "AKIDBASE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let paths = [("BUNDLE", bundle.to_str().unwrap())];
    let elsewhere = [("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")];
    let by_variable = [("AWS_CA_BUNDLE", bundle.to_str().unwrap())];
    let by_profile = [("AWS_CONFIG_FILE", config.to_str().unwrap()), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")];
    for way in [&by_variable[..], &by_profile, &elsewhere] {
        let trusted = if way == elsewhere { "" } else { "1" };
        let variables = [&key[..], &paths, way, &[("TRUSTED", trusted)]].concat();
        scenario(&format!("tls::{name}"), &variables, async {
            let bundle = PathBuf::from(std::env::var_os("BUNDLE").unwrap());
            let (address, _) = sts_behind_tls(&bundle).await;
            let access = role_at(format!("https://localhost:{}", address.port())).await.unwrap();
            let had = access.credentials.ready().await;
            if std::env::var_os("TRUSTED").is_some_and(|trusted| !trusted.is_empty()) {
                assert_eq!(had, Ok(()));
            } else {
                let why = had.unwrap_err();
                assert!(why.contains("certificate"), "{why}");
            }
        });
    }
}

#[test]
fn calls_by_https_go_through_a_tunnel_of_the_proxy_and_trust_the_bundle_there() {
    let home = tempfile::tempdir().unwrap();
    let bundle = home.path().join("ca.pem");
    let name = "calls_by_https_go_through_a_tunnel_of_the_proxy_and_trust_the_bundle_there";
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIDBASE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_CA_BUNDLE", bundle.to_str().unwrap()),
    ];
    scenario(&format!("tls::{name}"), &variables, async {
        let bundle = PathBuf::from(std::env::var_os("AWS_CA_BUNDLE").unwrap());
        let (address, mut asked) = sts_behind_tls(&bundle).await;
        let proxy = format!("http://user:p%40ss@{address}");
        let proxies = Proxies::read(&|name| (name == "HTTPS_PROXY").then(|| proxy.clone())).unwrap();
        let trust = trust::trusted(&Aws::default(), &environment::env()).await.unwrap();
        let mut settings = Aws { endpoint_url: Some("https://sts.example.test".to_owned()), ..Aws::default() };
        settings.region = Some("eu-central-1".to_owned());
        settings.role_arn = Some("arn:aws:iam::123456789012:role/sender".to_owned());
        let base = base(&settings, Some(http::client(proxies, trust))).no_credentials().load().await;
        let credentials = Credentials::new(settings, base);
        assert_eq!(credentials.ready().await, Ok(()));
        let head = asked.recv().await.unwrap().to_lowercase();
        assert!(head.starts_with("connect sts.example.test:443 "), "{head}");
        assert!(head.contains("proxy-authorization: basic dxnlcjpwqhnz"), "{head}");
    });
}

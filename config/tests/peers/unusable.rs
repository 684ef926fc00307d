//! Values of the environment that no program can use. What must not be shown has `sesame` in it.

/// Variables, each with a value that cannot be used.
pub(crate) const UNUSABLE: [(&str, &str); 20] = [
    ("AWS_REGION", "us-east-1 sesame"),
    ("AWS_REGION", "us-east-1\nsesame"),
    ("AWS_REGION", "SESAME"),
    ("AWS_DEFAULT_REGION", "sesame/"),
    ("AWS_PROFILE", "sesame\n"),
    ("AWS_DEFAULT_PROFILE", "sesame\n"),
    ("AWS_ACCESS_KEY_ID", "AKIA\nsesame"),
    ("AWS_SECRET_ACCESS_KEY", "AKIA\nsesame"),
    ("AWS_ACCESS_KEY_ID", "\"sesame\""),
    ("AWS_SECRET_ACCESS_KEY", "'sesame'"),
    ("AWS_USE_FIPS_ENDPOINT", "sesame"),
    ("AWS_USE_DUALSTACK_ENDPOINT", "sesame"),
    ("AWS_SESSION_TOKEN", "t sesame"),
    ("AWS_ENDPOINT_URL", "sesame"),
    ("AWS_ENDPOINT_URL_SNS", "http://sesame:99999"),
    ("AWS_CA_BUNDLE", "/sesame.pem"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/sesame\n"),
    ("HTTPS_PROXY", "socks5://sesame"),
    ("http_proxy", "http://u:sesame@"),
    ("ALL_PROXY", "ftp://sesame"),
];

// SPDX-License-Identifier: Apache-2.0
//! The URLs of `[database] connection`, in the forms that SQLAlchemy and its Python drivers take, as options of connections.
//!
//! Owns: which parameters are obeyed. Every other one is refused by name: a parameter that is passed over may be the one that the operator
//! relies on. Invariant: no error repeats the URL, which may carry a password.

use std::{path::Path, str::FromStr as _};

use neutrino_types::{Error, Result, error::kinds};
use sqlx::{
    mysql::{MySqlConnectOptions, MySqlSslMode},
    postgres::PgConnectOptions,
};

/// What a URL is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    Sqlite,
    MySql,
    Postgres,
}

/// Parameters of Python's drivers about Python: they change nothing here, whatever their value.
const ABOUT_PYTHON: [&str; 4] = ["use_unicode", "binary_prefix", "program_name", "client_encoding"];
const MYSQL: &str = "charset, unix_socket, ssl_ca, ssl_cert, ssl_key, ssl_mode, ssl_disabled, ssl_check_hostname, ssl_verify_cert, \
    ssl_verify_identity, read_default_file, read_default_group";
const POSTGRES: &str = "host, port, dbname, user, password, sslmode, sslrootcert, sslcert, sslkey, application_name, options";

fn refused(base: &str, why: &str) -> Error {
    kinds::BAD_REQUEST.error(format!("\"{base}://...\" cannot be used: {why}"))
}

/// `mysql+pymysql://rest` as what it is of, and the rest.
///
/// # Errors
/// When it is no URL, or of no database that is known.
pub fn split(url: &str) -> Result<(Base, &str)> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(refused("", "it has no scheme, as in mysql+pymysql://user:password@host/neutron"));
    };
    let base = match scheme.split('+').next().unwrap_or_default() {
        "sqlite" => Base::Sqlite,
        "mysql" | "mariadb" => Base::MySql,
        "postgresql" | "postgres" => Base::Postgres,
        other => return Err(refused(scheme, &format!("\"{other}\" is not one of sqlite, mysql, mariadb, postgresql"))),
    };
    Ok((base, rest))
}

/// The parameters of a URL, decoded.
fn parameters(rest: &str) -> Vec<(String, String)> {
    let Some((_, query)) = rest.split_once('?') else { return Vec::new() };
    let decode = |text: &str| percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pair = |part: &str| part.split_once('=').map_or_else(|| (decode(part), String::new()), |(k, v)| (decode(k), decode(v)));
    query.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

fn without_parameters(rest: &str) -> &str {
    rest.split('?').next().unwrap_or_default()
}

/// The path of `sqlite:///relative` or `sqlite:////absolute`, without `sqlite://`.
///
/// # Errors
/// For a database in memory, or parameters.
pub fn sqlite_file(rest: &str) -> Result<&str> {
    let path = without_parameters(rest);
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() || path == ":memory:" {
        return Err(refused("sqlite", "a file is needed; a database in memory would be lost with the process"));
    }
    match parameters(rest).iter().find(|(name, _)| !["timeout", "check_same_thread", "cached_statements"].contains(&name.as_str())) {
        Some((name, _)) => Err(refused("sqlite", &format!("its parameter \"{name}\" is not supported"))),
        None => Ok(path),
    }
}

/// Options of a MySQL connection, as `PyMySQL` and `mysqlclient` understand them.
///
/// # Errors
/// For what cannot be obeyed, with what can be.
pub fn mysql(rest: &str) -> Result<MySqlConnectOptions> {
    let parameters = parameters(rest);
    let base = without_parameters(rest);
    let mut options =
        MySqlConnectOptions::from_str(&format!("mysql://{}", with_host(base))).map_err(|error| refused("mysql", &error.to_string()))?;
    let value = |wanted: &str| parameters.iter().rev().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    if let Some(file) = value("read_default_file") {
        options = from_file(options, Path::new(file), value("read_default_group").unwrap_or("client"), base)?;
    }
    let mut tls = Tls::default();
    for (name, value) in &parameters {
        match name.as_str() {
            "charset" => charset(value)?,
            "unix_socket" | "socket" => options = options.socket(value),
            "ssl_ca" | "ssl-ca" => tls.authority = Some(file("ssl_ca", value)?),
            "ssl_cert" | "ssl-cert" => options = options.ssl_client_cert(file("ssl_cert", value)?),
            "ssl_key" | "ssl-key" => options = options.ssl_client_key(file("ssl_key", value)?),
            "ssl_mode" | "ssl-mode" => {
                tls.mode = Some(MySqlSslMode::from_str(value).map_err(|error| refused("mysql", &error.to_string()))?)
            }
            "ssl_disabled" => tls.disabled = truth(name, value)?,
            "ssl_check_hostname" | "ssl_verify_identity" => tls.identity = Some(truth(name, value)?),
            "ssl_verify_cert" => tls.certificate = Some(truth(name, value)?),
            "read_default_file" | "read_default_group" => {}
            known if ABOUT_PYTHON.contains(&known) => {}
            other => return Err(refused("mysql", &format!("its parameter \"{other}\" is not supported; these are: {MYSQL}"))),
        }
        tls.named |= name.starts_with("ssl");
    }
    if let Some(mode) = tls.mode()? {
        options = options.ssl_mode(mode);
    }
    Ok(if let Some(authority) = tls.authority { options.ssl_ca(authority) } else { options })
}

/// What the parameters say of TLS, put together.
#[derive(Default)]
struct Tls {
    named: bool,
    disabled: bool,
    mode: Option<MySqlSslMode>,
    authority: Option<String>,
    certificate: Option<bool>,
    identity: Option<bool>,
}

impl Tls {
    /// `None`: nothing was said, so it is used where the server offers it. With an authority the certificate and its name are checked unless
    /// that is turned off.
    fn mode(&self) -> Result<Option<MySqlSslMode>> {
        if self.disabled {
            return Ok(Some(MySqlSslMode::Disabled));
        }
        if self.mode.is_some() || !self.named {
            return Ok(self.mode);
        }
        let checks = self.certificate.unwrap_or(self.authority.is_some() || self.identity == Some(true));
        if checks && self.authority.is_none() {
            return Err(refused("mysql", "to check the server's certificate, ssl_ca must name the file of the authorities to trust"));
        }
        Ok(Some(match (checks, self.identity) {
            (false, _) => MySqlSslMode::Required,
            (true, Some(false)) => MySqlSslMode::VerifyCa,
            (true, _) => MySqlSslMode::VerifyIdentity,
        }))
    }
}

/// Both `host` and what has only a path or a user: `user@/db` has no host for a parser of URLs.
fn with_host(base: &str) -> String {
    let (authority, path) = base.split_once('/').map_or((base, String::new()), |(authority, path)| (authority, format!("/{path}")));
    match authority.rsplit_once('@') {
        Some((user, "")) => format!("{user}@localhost{path}"),
        None if authority.is_empty() => format!("localhost{path}"),
        _ => base.to_owned(),
    }
}

/// Names need the whole of Unicode on the wire, whatever the tables take: `utf8` is three bytes a character to MySQL only.
fn charset(value: &str) -> Result<()> {
    if matches!(value.to_ascii_lowercase().as_str(), "utf8" | "utf8mb3" | "utf8mb4") {
        return Ok(());
    }
    Err(refused("mysql", &format!("charset={value} is not supported; utf8, utf8mb3 and utf8mb4 are")))
}

fn truth(name: &str, value: &str) -> Result<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(refused("mysql", &format!("its parameter \"{name}\" must be true or false"))),
    }
}

fn file(name: &str, value: &str) -> Result<String> {
    if Path::new(value).is_file() { Ok(value.to_owned()) } else { Err(refused("mysql", &format!("{name}: there is no file {value}"))) }
}

/// A group of an option file of MySQL's (`my.cnf`). What the URL itself says counts before it.
fn from_file(mut options: MySqlConnectOptions, path: &Path, group: &str, base: &str) -> Result<MySqlConnectOptions> {
    let text =
        std::fs::read_to_string(path).map_err(|error| refused("mysql", &format!("read_default_file {}: {error}", path.display())))?;
    let authority = base.split('/').next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let mut inside = false;
    let mut authorities = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = name.trim() == group;
            continue;
        }
        if !inside {
            continue;
        }
        let (name, value) = line.split_once('=').map_or((line, ""), |(name, value)| (name.trim(), value.trim().trim_matches(['"', '\''])));
        options = match name.replace('_', "-").as_str() {
            "user" if user.is_empty() => options.username(value),
            "password" if !user.contains(':') => options.password(value),
            "host" if host.is_empty() => options.host(value),
            "port" if !host.contains(':') => {
                options.port(value.parse().map_err(|_| refused("mysql", &format!("{}: port {value}", path.display())))?)
            }
            "socket" if host.is_empty() || host == "localhost" => options.socket(value),
            "ssl-ca" => {
                authorities = true;
                options.ssl_ca(file("ssl-ca", value)?).ssl_mode(MySqlSslMode::VerifyIdentity)
            }
            "ssl-cert" => options.ssl_client_cert(file("ssl-cert", value)?),
            "ssl-key" => options.ssl_client_key(file("ssl-key", value)?),
            "ssl" if value != "0" && !authorities => options.ssl_mode(MySqlSslMode::Required),
            // The others are other programs' or of no meaning here, as in the Python driver, which reads the ones above.
            _ => options,
        };
    }
    Ok(options)
}

/// Options of a PostgreSQL connection, as libpq understands them.
///
/// # Errors
/// For what cannot be obeyed, with what can be.
pub fn postgres(rest: &str) -> Result<PgConnectOptions> {
    let known: Vec<&str> = POSTGRES.split(", ").collect();
    let mut kept = Vec::new();
    for (name, value) in parameters(rest) {
        if known.contains(&name.as_str()) {
            let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
            kept.push(format!("{name}={encoded}"));
        } else if !ABOUT_PYTHON.contains(&name.as_str()) {
            return Err(refused("postgresql", &format!("its parameter \"{name}\" is not supported; these are: {}", known.join(", "))));
        }
    }
    let url = format!("postgres://{}?{}", with_host(without_parameters(rest)), kept.join("&"));
    PgConnectOptions::from_str(&url).map_err(|error| refused("postgresql", &error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mysql_of(rest: &str) -> MySqlConnectOptions {
        mysql(rest).unwrap_or_else(|error| panic!("{rest}: {error}"))
    }

    fn refusal(rest: &str) -> String {
        mysql(rest).err().map(|error| error.message().to_owned()).unwrap_or_default()
    }

    #[test]
    fn forms_that_operators_have_are_understood() {
        let options = mysql_of("neutron:p%40ss@db.example:3307/neutron?charset=utf8mb4&use_unicode=1");
        assert_eq!((options.get_host(), options.get_port(), options.get_username()), ("db.example", 3307, "neutron"));
        assert_eq!((options.get_database(), options.get_charset()), (Some("neutron"), "utf8mb4"));
        let options = mysql_of("neutron:secret@/neutron?unix_socket=/run/mysqld/mysqld.sock&charset=utf8");
        assert_eq!(options.get_socket().and_then(|path| path.to_str()), Some("/run/mysqld/mysqld.sock"));
        assert_eq!(options.get_charset(), "utf8mb4");
        assert_eq!(mysql_of("u@[::1]:3306/d").get_host(), "[::1]");
        for (url, base) in
            [("mariadb+pymysql://h/d", Base::MySql), ("postgresql+psycopg2://h/d", Base::Postgres), ("sqlite:////x", Base::Sqlite)]
        {
            assert_eq!(split(url).map(|(base, _)| base).ok(), Some(base), "{url}");
        }
        assert!(split("oracle://u:secret@h/d").is_err_and(|error| !error.message().contains("secret")));
    }

    #[test]
    fn tls_is_as_strict_as_the_parameters_say() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let authority = folder.path().join("ca.pem");
        std::fs::write(&authority, "x").unwrap_or_else(|error| panic!("{error}"));
        let ca = authority.display();
        for (parameters, mode) in [
            (String::new(), MySqlSslMode::Preferred),
            ("?ssl_disabled=true".to_owned(), MySqlSslMode::Disabled),
            ("?ssl_mode=REQUIRED".to_owned(), MySqlSslMode::Required),
            (format!("?ssl_ca={ca}"), MySqlSslMode::VerifyIdentity),
            (format!("?ssl_ca={ca}&ssl_check_hostname=false"), MySqlSslMode::VerifyCa),
            (format!("?ssl_ca={ca}&ssl_verify_cert=false"), MySqlSslMode::Required),
            (format!("?ssl_verify_cert=true&ssl_ca={ca}"), MySqlSslMode::VerifyIdentity),
            ("?ssl_verify_cert=false".to_owned(), MySqlSslMode::Required),
        ] {
            let options = mysql_of(&format!("u@h/d{parameters}"));
            assert!(
                std::mem::discriminant(&options.get_ssl_mode()) == std::mem::discriminant(&mode),
                "{parameters}: {:?}",
                options.get_ssl_mode()
            );
        }
        assert!(refusal("u@h/d?ssl_verify_cert=true").contains("ssl_ca"));
        assert!(refusal("u@h/d?ssl_ca=/no/such").contains("/no/such"));
    }

    #[test]
    fn what_cannot_be_obeyed_is_refused_by_name() {
        assert!(refusal("u:secret@h/d?read_timeout=5").contains("\"read_timeout\" is not supported"));
        assert!(!refusal("u:secret@h/d?read_timeout=5").contains("secret"));
        assert!(refusal("u@h/d?charset=latin1").contains("latin1"));
        assert!(refusal("u@h/d?ssl_disabled=perhaps").contains("true or false"));
        assert!(postgres("u@h/d?connect_timeout=5").is_err_and(|error| error.message().contains("connect_timeout")));
        assert!(postgres("u@/d?host=/run/postgresql&sslmode=disable&client_encoding=utf8").is_ok());
        assert!(sqlite_file("/:memory:").is_err() && sqlite_file("//abs?mode=ro").is_err());
    }

    #[test]
    fn a_file_of_defaults_gives_what_the_url_leaves_out() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let file = folder.path().join("my.cnf");
        let text = "[mysqld]\nport=1\n[client]\n# ours\nhost = db.example\nport=3310\nuser=\"neutron\"\nssl=1\n[tripleo]\nuser=t\n";
        std::fs::write(&file, text).unwrap_or_else(|error| panic!("{error}"));
        let options = mysql_of(&format!("/neutron?read_default_file={}", file.display()));
        assert_eq!((options.get_host(), options.get_port(), options.get_username()), ("db.example", 3310, "neutron"));
        assert!(matches!(options.get_ssl_mode(), MySqlSslMode::Required));
        let options = mysql_of(&format!("me:pw@other/neutron?read_default_file={}", file.display()));
        assert_eq!((options.get_host(), options.get_username()), ("other", "me"));
        assert!(refusal("u@h/d?read_default_file=/no/such.cnf").contains("/no/such.cnf"));
    }
}

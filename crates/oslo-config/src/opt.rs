// SPDX-License-Identifier: Apache-2.0
//! Declarations of options as constant data.
//!
//! Owns: what an option is called, of which type it is, its default and its older names. Refuses to own:
//! values. An option is declared once, in a `static` table, next to the code that obeys it:
//!
//! ```
//! use oslo_config::Opt;
//! pub static OPTIONS: &[Opt] = &[
//!     Opt::port("DEFAULT", "bind_port").default("9696").help("Port of the API."),
//!     Opt::str("ml2", "overlay_ip_version").default("4").choices(&["4", "6"]),
//! ];
//! ```

/// A further check of a string value; the error says what is wrong with it, e.g. "must be a MAC address".
pub type Check = fn(&str) -> Result<(), String>;

/// The type of an option's value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text. `max_length` counts characters; 0 means no limit.
    Str {
        max_length: usize,
    },
    Bool,
    Int {
        min: i64,
        max: i64,
    },
    Float {
        min: f64,
        max: f64,
    },
    /// 0 to 65535.
    Port,
    /// Items separated by commas, inside `[` and `]` when `bounds`.
    List {
        item: &'static Kind,
        bounds: bool,
    },
    /// `key:value` pairs separated by commas, inside `{` and `}` when `bounds`.
    Dict {
        item: &'static Kind,
        bounds: bool,
    },
    /// A string that may be given several times; all are kept, in order.
    MultiStr,
    /// An IPv4 or IPv6 address.
    Ip,
    Hostname,
    /// An IP address or a host name.
    HostAddress,
    /// As `HostAddress`, underscores allowed.
    HostDomain,
    /// Scheme and host are required; `schemes` empty means any.
    Uri {
        schemes: &'static [&'static str],
    },
    /// `a-b`, or `a` alone.
    Range {
        min: i64,
        max: i64,
    },
}

impl Kind {
    pub const TEXT: Kind = Kind::Str { max_length: 0 };

    pub(crate) const fn is_multi(&self) -> bool {
        matches!(self, Kind::MultiStr)
    }
}

/// One declared option. Build it with the `const` functions below.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    pub group: &'static str,
    /// With underscores, as it is written in files; a hyphen in a declaration stands for an underscore in files.
    pub name: &'static str,
    pub kind: Kind,
    /// In the form in which an operator would write it. References are substituted.
    pub default: Option<&'static str>,
    pub choices: &'static [&'static str],
    pub ignore_case: bool,
    /// Older names, `(group, name)`.
    pub deprecated: &'static [(&'static str, &'static str)],
    /// Why the option will go, if it will.
    pub removal: Option<&'static str>,
    pub required: bool,
    /// Never shown in logs or errors.
    pub secret: bool,
    /// May change when the configuration is reloaded.
    pub mutable: bool,
    pub check: Option<Check>,
    pub help: &'static str,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:expr;)*) => {
        $($(#[$doc])*
        #[must_use]
        pub const fn $name(group: &'static str, name: &'static str) -> Opt {
            Opt::new(group, name, $kind)
        })*
    };
}

impl Opt {
    #[must_use]
    pub const fn new(group: &'static str, name: &'static str, kind: Kind) -> Opt {
        Opt {
            group,
            name,
            kind,
            default: None,
            choices: &[],
            ignore_case: false,
            deprecated: &[],
            removal: None,
            required: false,
            secret: false,
            mutable: false,
            check: None,
            help: "",
        }
    }

    constructors! {
        str => Kind::TEXT;
        bool => Kind::Bool;
        int => Kind::Int { min: i64::MIN, max: i64::MAX };
        float => Kind::Float { min: f64::NEG_INFINITY, max: f64::INFINITY };
        port => Kind::Port;
        list => Kind::List { item: &Kind::TEXT, bounds: false };
        dict => Kind::Dict { item: &Kind::TEXT, bounds: false };
        multi => Kind::MultiStr;
        ip => Kind::Ip;
        hostname => Kind::Hostname;
        host_address => Kind::HostAddress;
        host_domain => Kind::HostDomain;
        uri => Kind::Uri { schemes: &[] };
        range => Kind::Range { min: i64::MIN, max: i64::MAX };
    }

    #[must_use]
    pub const fn default(mut self, text: &'static str) -> Opt {
        self.default = Some(text);
        self
    }

    #[must_use]
    pub const fn choices(mut self, choices: &'static [&'static str]) -> Opt {
        self.choices = choices;
        self
    }

    /// Choices are compared without regard to case (the value keeps the operator's spelling).
    #[must_use]
    pub const fn ignore_case(mut self) -> Opt {
        self.ignore_case = true;
        self
    }

    /// Lower limit of an integer or a range; of a float, rounded to the same number.
    #[must_use]
    pub const fn min(mut self, limit: i64) -> Opt {
        self.kind = match self.kind {
            Kind::Int { max, .. } => Kind::Int { min: limit, max },
            Kind::Range { max, .. } => Kind::Range { min: limit, max },
            Kind::Float { max, .. } => Kind::Float { min: limit as f64, max },
            other => other,
        };
        self
    }

    /// Upper limit, as [`Opt::min`].
    #[must_use]
    pub const fn max(mut self, limit: i64) -> Opt {
        self.kind = match self.kind {
            Kind::Int { min, .. } => Kind::Int { min, max: limit },
            Kind::Range { min, .. } => Kind::Range { min, max: limit },
            Kind::Float { min, .. } => Kind::Float { min, max: limit as f64 },
            other => other,
        };
        self
    }

    #[must_use]
    pub const fn float_limits(mut self, min: f64, max: f64) -> Opt {
        self.kind = Kind::Float { min, max };
        self
    }

    #[must_use]
    pub const fn max_length(mut self, characters: usize) -> Opt {
        self.kind = Kind::Str { max_length: characters };
        self
    }

    /// Type of the items of a list, or of the values of a dict.
    #[must_use]
    pub const fn item(mut self, item: &'static Kind) -> Opt {
        self.kind = match self.kind {
            Kind::List { bounds, .. } => Kind::List { item, bounds },
            Kind::Dict { bounds, .. } => Kind::Dict { item, bounds },
            other => other,
        };
        self
    }

    #[must_use]
    pub const fn schemes(mut self, schemes: &'static [&'static str]) -> Opt {
        self.kind = Kind::Uri { schemes };
        self
    }

    #[must_use]
    pub const fn deprecated(mut self, names: &'static [(&'static str, &'static str)]) -> Opt {
        self.deprecated = names;
        self
    }

    #[must_use]
    pub const fn removal(mut self, reason: &'static str) -> Opt {
        self.removal = Some(reason);
        self
    }

    #[must_use]
    pub const fn required(mut self) -> Opt {
        self.required = true;
        self
    }

    #[must_use]
    pub const fn secret(mut self) -> Opt {
        self.secret = true;
        self
    }

    #[must_use]
    pub const fn mutable(mut self) -> Opt {
        self.mutable = true;
        self
    }

    #[must_use]
    pub const fn check(mut self, check: Check) -> Opt {
        self.check = Some(check);
        self
    }

    #[must_use]
    pub const fn help(mut self, text: &'static str) -> Opt {
        self.help = text;
        self
    }

    /// The name as files have it.
    #[must_use]
    pub fn dest(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Whether two declarations of one name agree; help texts may differ.
    pub(crate) fn agrees_with(&self, other: &Opt) -> bool {
        let same_kind = format!("{:?}", self.kind) == format!("{:?}", other.kind);
        same_kind
            && self.default == other.default
            && self.choices == other.choices
            && (self.ignore_case, self.required, self.secret, self.mutable)
                == (other.ignore_case, other.required, other.secret, other.mutable)
            && self.deprecated == other.deprecated
            && self.check.is_some() == other.check.is_some()
    }
}

/// Groups are compared in lower case, except DEFAULT.
pub(crate) fn normal_group(group: &str) -> String {
    if group == "DEFAULT" { group.to_owned() } else { group.to_lowercase() }
}

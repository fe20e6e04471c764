// SPDX-License-Identifier: Apache-2.0
//! Values bound to statements.

use chrono::NaiveDateTime;

/// One bound value. `NaiveDateTime` is UTC, as everywhere in Neutron's schema.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Time(NaiveDateTime),
}

impl From<bool> for Arg {
    fn from(v: bool) -> Self {
        Self::Bool(v)
    }
}
impl From<i64> for Arg {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}
impl From<i32> for Arg {
    fn from(v: i32) -> Self {
        Self::Int(v.into())
    }
}
impl From<u32> for Arg {
    fn from(v: u32) -> Self {
        Self::Int(v.into())
    }
}
impl From<u8> for Arg {
    fn from(v: u8) -> Self {
        Self::Int(v.into())
    }
}
impl From<u16> for Arg {
    fn from(v: u16) -> Self {
        Self::Int(v.into())
    }
}
impl From<&str> for Arg {
    fn from(v: &str) -> Self {
        Self::Text(v.to_owned())
    }
}
impl From<String> for Arg {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}
impl From<&String> for Arg {
    fn from(v: &String) -> Self {
        Self::Text(v.clone())
    }
}
impl From<NaiveDateTime> for Arg {
    fn from(v: NaiveDateTime) -> Self {
        Self::Time(v)
    }
}
impl<T: Into<Arg>> From<Option<T>> for Arg {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

/// `args![a, b, c]`: a `Vec<Arg>` of anything that converts.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::Arg::from($value)),*] };
}

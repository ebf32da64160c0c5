//! The filters of queries as flags: each has a name, a help text, and a way to parse and print its value. The names
//! are the flags of `fer-index query`, the parameters of the gallery's address, and what `find -v` prints.

use std::ffi::OsStr;

use super::filters::UserFilter;

mod table;
mod values;

pub use table::FLAGS;
pub use values::parse_probability;

/// A flag of the table: its name, and how its value is parsed and printed.
#[derive(Debug)]
pub struct Flag {
    /// The flag without its hyphens; also the name of the parameter in the gallery's address.
    pub name: &'static str,
    /// The flag's one-letter form.
    pub short: Option<char>,
    /// The placeholder of the value in the help; `None` if the flag takes no value.
    pub value: Option<&'static str>,
    /// The value if the flag is given without one; such a flag takes a value only after `=`.
    pub default_value: Option<&'static str>,
    /// All possible values with their meanings; empty if other values are possible.
    pub choices: &'static [(&'static str, &'static str)],
    /// The kind of the values, by which a shell completes them.
    pub kind: Kind,
    /// Whether the flag may be given several times.
    pub is_repeatable: bool,
    /// Whether the value may begin with a hyphen.
    pub takes_negative: bool,
    /// Another flag that must be given together with this one.
    pub requires: Option<&'static str>,
    /// Another flag that must not be given together with this one.
    pub conflicts_with: Option<&'static str>,
    /// The help text.
    pub help: &'static str,
    set: fn(&mut UserFilter, &OsStr) -> Result<(), String>,
    values: fn(&UserFilter) -> Vec<String>,
}

impl Flag {
    /// Parses a value and sets the filter's field; a flag without values ignores it.
    ///
    /// # Errors
    /// A sentence that says how to write the value.
    pub fn set(&self, filter: &mut UserFilter, value: &OsStr) -> Result<(), String> {
        (self.set)(filter, value)
    }
}

/// The kinds of values that flags have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// None of the following.
    Other,
    /// Names of emotions.
    Emotion,
    /// A place.
    Place,
    /// A folder.
    Folder,
    /// A camera of the index.
    Camera,
    /// A person whom a photo of the index names.
    Person,
    /// A word or keyword of the index.
    Word,
}

impl UserFilter {
    /// Parses flags and their values, in any order, into a filter. An empty value is the default of a flag that has one. Names
    /// that are not flags are ignored.
    ///
    /// # Errors
    /// A sentence that says how to write a value.
    pub fn read<'a>(given: &[(&'a str, &'a str)]) -> Result<Self, String> {
        let mut filter = Self::new();
        for flag in FLAGS {
            for (_, value) in given.iter().filter(|(name, _)| *name == flag.name) {
                // `?away` in an address is what `--away` is on the command line.
                let default = flag.default_value.filter(|_| value.is_empty());
                flag.set(&mut filter, OsStr::new(default.unwrap_or(value)))?;
            }
        }
        Ok(filter)
    }

    /// The flags that are set, with their values.
    pub fn set_flags(&self) -> Vec<(&'static Flag, String)> {
        FLAGS
            .iter()
            .flat_map(|flag| {
                let values = (flag.values)(self).into_iter();
                values.map(move |value| (flag, value))
            })
            .collect()
    }

    /// The filter as arguments of `fer-index query`.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        for (flag, value) in self.set_flags() {
            let name = flag.name;
            match (flag.value, flag.default_value) {
                (None, _) => arguments.push(format!("--{name}")),
                (Some(_), Some(_)) => arguments.push(format!("--{name}={value}")),
                (Some(_), None) => arguments.extend([format!("--{name}"), value]),
            }
        }
        arguments
    }
}

#[cfg(test)]
mod tests;

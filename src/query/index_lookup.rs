//! Looks up the words of a sentence in the index: whether people or albums have such names, and whether any photo meets
//! a filter.

use std::cell::OnceCell;
use std::fmt;

use super::filters::{Defaults, UserFilter};
use super::people::People;
use crate::error::Result;
use crate::store::{Store, words_of_name};

/// The parts of the index that the grammar uses.
pub struct Known<'a> {
    people: People,
    albums: OnceCell<Vec<Album>>,
    read_albums: Box<dyn Fn() -> Vec<String> + 'a>,
    finds: Box<dyn Fn(&UserFilter) -> bool + 'a>,
}

#[derive(Debug)]
struct Album {
    name: String,
    /// Its words, in the form in which names are compared.
    words: Vec<String>,
}

impl fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known")
            .field("people", &self.people)
            .finish_non_exhaustive()
    }
}

impl<'a> Known<'a> {
    /// The people, albums and photos of an index.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn of(store: &'a Store, defaults: Defaults) -> Result<Self> {
        let finds = move |filter: &UserFilter| {
            let query = filter.resolve(store, defaults, Some(1));
            // The later search reports the error.
            query
                .and_then(|query| store.query(&query))
                .is_ok_and(|hits| !hits.is_empty())
        };
        Ok(Self {
            people: People::new(store.people()?),
            albums: OnceCell::new(),
            read_albums: Box::new(|| store.album_names().unwrap_or_default()),
            finds: Box::new(finds),
        })
    }

    /// An index without albums in which every filter finds a photo: words have their usual meanings.
    pub fn nothing() -> Self {
        Self::new(People::default(), Vec::new(), |_| true)
    }

    /// An index with these people and albums, in which a filter finds a photo if `finds` returns `true`.
    pub(super) fn new(
        people: People,
        albums: Vec<String>,
        finds: impl Fn(&UserFilter) -> bool + 'a,
    ) -> Self {
        Self {
            people,
            albums: OnceCell::new(),
            read_albums: Box::new(move || albums.clone()),
            finds: Box::new(finds),
        }
    }

    pub(super) const fn people(&self) -> &People {
        &self.people
    }

    /// Whether any photo meets a filter.
    pub(super) fn finds(&self, filter: &UserFilter) -> bool {
        (self.finds)(filter)
    }

    /// The album whose whole name is these words.
    pub(super) fn album(&self, words: &[String]) -> Option<&str> {
        let albums = self.albums.get_or_init(|| {
            let album = |name: String| Album {
                words: words_of_name(&name),
                name,
            };
            (self.read_albums)().into_iter().map(album).collect()
        });
        let named = albums.iter().find(|album| album.words == words);
        named.map(|album| album.name.as_str())
    }
}

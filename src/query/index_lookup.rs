//! Looks up the words of a sentence in the index: whether people or albums have such names, and whether any photo meets
//! a filter.

use std::cell::OnceCell;
use std::fmt;

use super::filters::{Defaults, UserFilter};
use super::people::People;
use crate::error::Result;
use crate::store::{Store, words_of_name};

/// The parts of the index that the grammar uses.
pub struct IndexLookup<'a> {
    people: People,
    albums: OnceCell<Vec<Album>>,
    read_albums: Box<dyn Fn() -> Vec<String> + 'a>,
    any_photo_meets: Box<dyn Fn(&UserFilter) -> bool + 'a>,
}

#[derive(Debug)]
struct Album {
    name: String,
    /// Its words, in the form in which names are compared.
    words: Vec<String>,
}

impl fmt::Debug for IndexLookup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known")
            .field("people", &self.people)
            .finish_non_exhaustive()
    }
}

impl<'a> IndexLookup<'a> {
    /// The people, albums and photos of an index.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn of(store: &'a Store, defaults: Defaults) -> Result<Self> {
        let any_photo_meets = move |filter: &UserFilter| {
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
            any_photo_meets: Box::new(any_photo_meets),
        })
    }

    /// An index without albums in which every filter finds a photo: words have their usual meanings.
    pub fn with_usual_meanings() -> Self {
        Self::new(People::default(), Vec::new(), |_| true)
    }

    /// An index with these people and albums, in which a filter finds a photo if `any_photo_meets` returns `true`.
    pub(super) fn new(
        people: People,
        albums: Vec<String>,
        any_photo_meets: impl Fn(&UserFilter) -> bool + 'a,
    ) -> Self {
        Self {
            people,
            albums: OnceCell::new(),
            read_albums: Box::new(move || albums.clone()),
            any_photo_meets: Box::new(any_photo_meets),
        }
    }

    pub(super) const fn people(&self) -> &People {
        &self.people
    }

    /// Whether any photo meets a filter.
    pub(super) fn any_photo_meets(&self, filter: &UserFilter) -> bool {
        (self.any_photo_meets)(filter)
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

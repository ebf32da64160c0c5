//! Places the labels of faces: near their faces, within the photo, and without overlaps.

/// A rectangle in the photo: left, top, width, height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Area {
    fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    fn lies_in(&self, (width, height): (f32, f32)) -> bool {
        self.x >= 0.0
            && self.y >= 0.0
            && self.x + self.width <= width
            && self.y + self.height <= height
    }

    fn middle(&self) -> (f32, f32) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

/// A text with its position.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    pub text: String,
    pub at: Area,
}

/// Places a label for each face. Each face has its possible texts, longest first: if one does not fit into the photo,
/// the next is tried; a face without a text that fits gets no label. `measure` returns width and height of a text.
pub(super) fn place_labels(
    photo: (f32, f32),
    faces: &[(Area, Vec<String>)],
    measure: impl Fn(&str) -> (f32, f32),
) -> Vec<Option<Label>> {
    let boxes: Vec<Area> = faces.iter().map(|(face, _)| *face).collect();
    let mut taken: Vec<Area> = Vec::new();
    let mut labels = Vec::new();
    for (face, texts) in faces {
        let found = texts.iter().find_map(|text| {
            let at = free_area(photo, face, measure(text), &boxes, &taken)?;
            let text = text.clone();
            Some(Label { text, at })
        });
        taken.extend(found.as_ref().map(|label| label.at));
        labels.push(found);
    }
    labels
}

/// A free area of this size for the label of `face`: beside the face and, if possible, covering no face; otherwise the
/// nearest free area.
fn free_area(
    photo: (f32, f32),
    face: &Area,
    (width, height): (f32, f32),
    faces: &[Area],
    taken: &[Area],
) -> Option<Area> {
    let within = |at: f32, size: f32, whole: f32| at.min(whole - size).max(0.0);
    let area = |x: f32, y: f32| Area {
        x: within(x, width, photo.0),
        y: within(y, height, photo.1),
        width,
        height,
    };
    let (right, below) = (face.x + face.width, face.y + face.height);
    // Below, above, right, left; then a grid over the whole photo.
    let adjacent = [
        area(face.x, below),
        area(face.x, face.y - height),
        area(right, face.y),
        area(face.x - width, face.y),
    ];
    let rows = (photo.1 / height) as usize;
    let columns = (photo.0 / (width / 2.0)) as usize;
    let anywhere = (0..rows).flat_map(|row| {
        (0..columns).map(move |column| area(column as f32 * width / 2.0, row as f32 * height))
    });
    let is_free = |at: &Area| at.lies_in(photo) && taken.iter().all(|other| !at.overlaps(other));
    let covers_no_face = |at: &Area| faces.iter().all(|other| !at.overlaps(other));
    let all: Vec<Area> = adjacent.into_iter().filter(is_free).collect();
    let distance = |at: &Area| {
        let (a, b) = (at.middle(), face.middle());
        (a.0 - b.0).hypot(a.1 - b.1)
    };
    all.iter()
        .find(|at| covers_no_face(at))
        .or_else(|| all.first())
        .copied()
        .or_else(|| {
            anywhere
                .filter(is_free)
                .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(columns: usize, rows: usize) -> Vec<(Area, Vec<String>)> {
        let size = (480.0 / columns as f32, 320.0 / rows as f32);
        (0..columns * rows)
            .map(|number| {
                let face = Area {
                    x: (number % columns) as f32 * size.0,
                    y: (number / columns) as f32 * size.1,
                    width: size.0 * 0.8,
                    height: size.1 * 0.8,
                };
                (
                    face,
                    vec!["surprise 100 %".to_owned(), "surprise".to_owned()],
                )
            })
            .collect()
    }

    fn placed(faces: &[(Area, Vec<String>)]) -> Vec<Option<Label>> {
        place_labels((480.0, 320.0), faces, |text| {
            (text.chars().count() as f32 * 9.0, 20.0)
        })
    }

    #[test]
    fn labels_do_not_overlap_in_any_crowd() {
        for (columns, rows) in [(1, 1), (2, 1), (4, 3), (8, 6), (20, 15)] {
            let faces = crowd(columns, rows);
            let labels = placed(&faces);
            assert_eq!(labels.len(), faces.len());
            let there: Vec<&Area> = labels.iter().flatten().map(|label| &label.at).collect();
            for (index, one) in there.iter().enumerate() {
                assert!(one.lies_in((480.0, 320.0)), "{one:?}");
                assert!(there[index + 1..].iter().all(|other| !one.overlaps(other)));
            }
            assert!(
                there.len() >= faces.len().min(12),
                "{columns}: {}",
                there.len()
            );
        }
    }

    #[test]
    fn a_label_is_below_its_face_if_there_is_space() {
        let faces = crowd(2, 2);
        let labels = placed(&faces);
        let (face, label) = (&faces[0].0, labels[0].as_ref().unwrap());
        assert_eq!((label.at.x, label.at.y), (face.x, face.y + face.height));
        assert_eq!(label.text, "surprise 100 %");
        // At the lower edge of the photo, the label is above the face.
        let edge = Area {
            x: 10.0,
            y: 200.0,
            width: 100.0,
            height: 120.0,
        };
        let labels = placed(&[(edge, vec!["sad".to_owned()])]);
        assert!((labels[0].as_ref().unwrap().at.y - 180.0).abs() < 1e-3);
    }

    #[test]
    fn a_photo_that_is_too_small_gets_no_label() {
        let (face, texts) = crowd(1, 1).remove(0);
        let labels = place_labels((10.0, 10.0), &[(face, texts)], |_| (90.0, 20.0));
        assert_eq!(labels, [None]);
    }
}

use super::*;

fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32 + 8).to_be_bytes();
    [&length, &kind[..], content].concat()
}

/// A box with a version and flags.
fn full_box(kind: [u8; 4], version: u8, content: &[u8]) -> Vec<u8> {
    boxed(kind, &[&[version, 0, 0, 0], content].concat())
}

/// A file whose primary picture is item 1, with these boxes in addition.
fn file(boxes: &[Vec<u8>]) -> Vec<u8> {
    let handler = full_box(*b"hdlr", 0, b"\0\0\0\0pict");
    let primary = full_box(*b"pitm", 0, &[0, 1]);
    let items = full_box(*b"iinf", 0, &[0, 0]);
    let boxes = [handler, primary, items, boxes.concat()].concat();
    full_box(*b"meta", 0, &boxes)
}

/// The location of an item's data: the construction method, and the extents, each with a source, an offset and a
/// length.
fn location(item: u16, construction: u16, extents: &[[u32; 3]]) -> Vec<u8> {
    let head = [item, construction, 0, extents.len() as u16];
    let extents = extents.iter().flatten();
    let head = head.iter().flat_map(|number| number.to_be_bytes());
    head.chain(extents.flat_map(|number| number.to_be_bytes()))
        .collect()
}

fn locations(fields: [u8; 2], all: &[Vec<u8>]) -> Vec<u8> {
    let number = (all.len() as u16).to_be_bytes();
    full_box(*b"iloc", 1, &[&fields, &number[..], &all.concat()].concat())
}

#[test]
fn items_made_of_items_are_read_while_their_parts_are_few() {
    const FROM_FILE: u16 = 0;
    const FROM_ITEM: u16 = 2;
    let chain: Vec<_> = (5..=8)
        .map(|item| location(item, FROM_ITEM, &[[u32::from(item) + 1, 0, 1]; 20]))
        .chain([location(9, FROM_FILE, &[[0, 4, 4]])])
        .collect();
    let file = file(&[locations([0x44, 0x04], &chain)]);
    let context = open(&file).unwrap();
    assert_eq!(*context.item_data(9).unwrap(), *b"meta");
    assert_eq!(*context.item_data(8).unwrap(), [b'm'; 20]);
    assert_eq!(*context.item_data(6).unwrap(), [b'm'; 20]);
    // Each level has twenty times as many parts: these would be 160,000.
    assert!(matches!(context.item_data(5), Err(Error::Malformed(_))));
}

#[test]
fn an_extent_without_fields_is_the_whole_file_and_there_is_one() {
    let item = |extents: u16| {
        let numbers = [1, 0, 0, extents];
        numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
    };
    let one = file(&[locations([0, 0], &[item(1)])]);
    let context = open(&one).unwrap();
    assert_eq!(*context.item_data(1).unwrap(), *one);
    let two = file(&[locations([0, 0], &[item(2)])]);
    assert!(matches!(open(&two), Err(Error::Malformed(_))));
}

/// A file whose only property is a rotation. The list associates it with item 1 in several entries, in each as often as
/// `times` says.
fn rotated(times: &[u8]) -> Vec<u8> {
    let rotation = boxed(*b"ipco", &boxed(*b"irot", &[1]));
    let mut list = (times.len() as u32).to_be_bytes().to_vec();
    for &times in times {
        list.extend([0, 1, times]);
        list.extend(vec![1; times.into()]);
    }
    let properties = boxed(*b"iprp", &[rotation, full_box(*b"ipma", 0, &list)].concat());
    file(&[properties])
}

#[test]
fn an_item_has_at_most_16_transforms_and_255_properties() {
    let turns = |times: &[u8]| {
        let file = rotated(times);
        let props = open(&file)?.props(1)?;
        Ok::<_, Error>(props.transforms.len())
    };
    assert_eq!(turns(&[16]).unwrap(), 16);
    assert_eq!(turns(&[8, 8]).unwrap(), 16);
    let too_many = turns(&[9, 8]).unwrap_err();
    assert!(matches!(too_many, Error::Malformed(_)), "{too_many}");
    assert!(open(&rotated(&[200, 55])).is_ok());
    assert!(open(&rotated(&[200, 56])).is_err());
}

#[test]
fn of_two_entries_of_an_item_the_first_counts() {
    let twice = [location(1, 0, &[[0, 4, 4]]), location(1, 0, &[[0, 0, 4]])];
    let file = file(&[locations([0x44, 0x04], &twice)]);
    assert_eq!(*open(&file).unwrap().item_data(1).unwrap(), *b"meta");
}

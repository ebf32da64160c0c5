//! Writes the few messages of ONNX that an exported network needs, in protobuf's wire format.
//!
//! Field numbers are those of `onnx.proto` (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>, Apache-2.0),
//! which never change.

/// A protobuf message that is being written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message(Vec<u8>);

impl Message {
    /// The bytes of the message.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// Appends an integer field.
    #[must_use]
    pub fn int(mut self, field: u32, value: i64) -> Self {
        self.varint(u64::from(field) << 3);
        self.varint(value.cast_unsigned());
        self
    }

    /// Appends a field of 32 bits.
    #[must_use]
    pub fn float(mut self, field: u32, value: f32) -> Self {
        self.varint(u64::from(field) << 3 | 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Appends a field of bytes: text or data.
    #[must_use]
    pub fn bytes(mut self, field: u32, value: &[u8]) -> Self {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    /// Appends a text field.
    #[must_use]
    pub fn text(self, field: u32, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    /// Appends a message.
    #[must_use]
    pub fn message(self, field: u32, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// Appends each of some messages.
    #[must_use]
    pub fn messages<'a>(self, field: u32, values: impl IntoIterator<Item = &'a Self>) -> Self {
        let append = |message: Self, value| message.message(field, value);
        values.into_iter().fold(self, append)
    }
}

/// ONNX's numbers of element types.
const FLOAT: i64 = 1;
const INT64: i64 = 7;

/// A dimension of a tensor: a number, or a name for one that is not fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Fixed.
    Fixed(usize),
    /// Any number; equal names mean equal numbers.
    Any(&'static str),
}

/// A `ValueInfoProto`: an input or output of 32-bit floats.
pub fn value(name: &str, dimensions: &[Dimension]) -> Message {
    let shape = dimensions.iter().fold(Message::default(), |shape, d| {
        shape.message(
            1,
            &match d {
                Dimension::Fixed(n) => Message::default().int(1, *n as i64),
                Dimension::Any(name) => Message::default().text(2, name),
            },
        )
    });
    let tensor = Message::default().int(1, FLOAT).message(2, &shape);
    let kind = Message::default().message(1, &tensor);
    Message::default().text(1, name).message(2, &kind)
}

/// A `TensorProto` of 32-bit floats.
pub fn floats(name: &str, shape: &[usize], values: &[f32]) -> Message {
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    tensor(name, shape, FLOAT, &data)
}

/// A `TensorProto` of 64-bit integers in one dimension.
pub fn integers(name: &str, values: &[i64]) -> Message {
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    tensor(name, &[values.len()], INT64, &data)
}

fn tensor(name: &str, shape: &[usize], kind: i64, data: &[u8]) -> Message {
    let with = |tensor: Message, &side: &usize| tensor.int(1, side as i64);
    let shaped = shape.iter().fold(Message::default(), with);
    shaped.int(2, kind).text(8, name).bytes(9, data)
}

/// The value of an attribute of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// A number.
    Float(f32),
    /// An integer.
    Int(i64),
    /// Several integers.
    Ints(Vec<i64>),
}

impl Attribute {
    /// The `AttributeProto`.
    fn message(&self, name: &str) -> Message {
        let named = Message::default().text(1, name);
        match self {
            Self::Float(value) => named.float(2, *value).int(20, 1),
            Self::Int(value) => named.int(3, *value).int(20, 2),
            Self::Ints(values) => {
                let with = |message: Message, &value: &i64| message.int(8, value);
                values.iter().fold(named, with).int(20, 7)
            }
        }
    }
}

/// A `NodeProto` with one output.
pub fn node(
    operator: &str,
    inputs: &[&str],
    output: &str,
    attributes: &[(&str, Attribute)],
) -> Message {
    let with = |node: Message, input: &&str| node.text(1, input);
    let node = inputs.iter().fold(Message::default(), with);
    let node = node.text(2, output).text(3, output).text(4, operator);
    let attributes: Vec<_> = attributes.iter().map(|(n, a)| a.message(n)).collect();
    node.messages(5, &attributes)
}

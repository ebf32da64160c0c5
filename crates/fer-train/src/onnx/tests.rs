use std::collections::{BTreeMap, BTreeSet};

use fer_core::classify::BUILT_IN;
use fer_core::network::{HeadOutput, LayerSpec, NetworkSpec, Padding, SequentialSpec, TrunkSpec};

use super::*;
use crate::weights;

/// The fields of a message: its number and its value, which is empty for numbers.
fn fields(mut bytes: &[u8]) -> Vec<(u64, &[u8])> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let (&byte, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let value: &[u8] = match key & 7 {
            0 => {
                varint(&mut bytes);
                &[]
            }
            5 => bytes.split_off(..4).unwrap(),
            _ => {
                let length = varint(&mut bytes) as usize;
                bytes.split_off(..length).unwrap()
            }
        };
        found.push((key >> 3, value));
    }
    found
}

fn all(message: &[u8], field: u64) -> Vec<&[u8]> {
    let fields = fields(message).into_iter();
    fields
        .filter(|(n, _)| *n == field)
        .map(|(_, v)| v)
        .collect()
}

fn text(message: &[u8], field: u64) -> String {
    String::from_utf8(all(message, field)[0].to_vec()).unwrap()
}

/// Checks that every input of a node is computed before it, and counts the operators.
fn operators(file: &[u8]) -> BTreeMap<String, usize> {
    let graph = all(file, 7)[0];
    let mut known: BTreeSet<String> = [graph::INPUT.to_owned()].into();
    known.extend(all(graph, 5).into_iter().map(|tensor| text(tensor, 8)));
    let mut counts = BTreeMap::new();
    for node in all(graph, 1) {
        for input in all(node, 1) {
            let input = String::from_utf8(input.to_vec()).unwrap();
            assert!(
                known.contains(&input),
                "{input} is not computed before it is used"
            );
        }
        assert!(known.insert(text(node, 2)), "two nodes have one output");
        *counts.entry(text(node, 4)).or_default() += 1;
    }
    assert!(known.contains(graph::OUTPUT));
    counts
}

fn model(spec: &NetworkSpec) -> ModelFile {
    let folder = tempfile::tempdir().unwrap();
    let (map, _) = weights::build_network(spec).unwrap();
    crate::network::initialise(&map, 7).unwrap();
    let tensors = weights::sorted_variables(&map);
    let tensors = tensors
        .into_iter()
        .map(|(name, v)| (name, v.as_detached_tensor()));
    let path = folder.path().join("model.safetensors");
    let metadata = [("spec".to_owned(), serde_json::to_string(spec).unwrap())];
    weights::save(&path, tensors.collect(), metadata).unwrap();
    ModelFile::parse(&std::fs::read(path).unwrap(), "the test's model").unwrap()
}

#[test]
fn the_graph_of_the_built_in_model_is_complete_and_holds_its_weights() {
    let model = ModelFile::parse(BUILT_IN.0, BUILT_IN.1).unwrap();
    let file = export(&model).unwrap();
    let counts = operators(&file);
    let TrunkSpec::Residual(trunk) = &model.spec.trunk else {
        panic!("the built-in model is a residual network")
    };
    assert_eq!(counts["BatchNormalization"], counts["Conv"]);
    assert!(counts["Conv"] > 2 * trunk.blocks.len());
    assert_eq!(counts["Gemm"], model.spec.heads.len());

    // The stem's kernel is transposed from [y, x, in, out] to [out, in, y, x].
    let graph = all(&file, 7)[0];
    let tensors = all(graph, 5);
    let stem = tensors
        .into_iter()
        .find(|t| text(t, 8) == "stem.conv.weight");
    let data = all(stem.unwrap(), 9)[0];
    let values: Vec<f32> = data
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b))
        .collect();
    let ours = model
        .weights
        .values("stem.conv.weight", &[3, 3, 1, trunk.stem])
        .unwrap();
    for (channel, tap) in [(0, 0), (5, 7), (trunk.stem - 1, 8)] {
        assert_eq!(
            values[channel * 9 + tap].to_bits(),
            ours[tap * trunk.stem + channel].to_bits()
        );
    }
}

#[test]
fn sequential_gated_and_sigmoid_networks_have_graphs_too() {
    let mut gated = NetworkSpec::residual(8, &[(8, 1), (16, 2)], 0.0);
    if let TrunkSpec::Residual(trunk) = &mut gated.trunk {
        trunk.squeeze_excitation = Some(4);
    }
    assert_eq!(
        operators(&export(&model(&gated)).unwrap())["GlobalAveragePool"],
        3
    );

    let convolution = LayerSpec::Convolution {
        channels: 4,
        kernel: 3,
        padding: Padding::Valid,
    };
    let layers = vec![
        convolution,
        LayerSpec::Relu,
        LayerSpec::MaxPool,
        LayerSpec::Dropout { rate: 0.5 },
        LayerSpec::Flatten,
        LayerSpec::Dense { values: 6 },
    ];
    let mut sequential = NetworkSpec {
        trunk: TrunkSpec::Sequential(SequentialSpec { layers }),
        ..gated
    };
    sequential.heads[0].output = HeadOutput::Sigmoid;
    let counts = operators(&export(&model(&sequential)).unwrap());
    assert_eq!(
        (counts["Transpose"], counts["Sigmoid"], counts["MaxPool"]),
        (1, 1, 1)
    );
    assert!(!counts.contains_key("Dropout"));
}

//! Builds the ONNX graph of a network, node by node.

use super::protobuf::{Attribute, Dimension, Message, floats, integers, node, value};
use fer_core::classify::FACE_SIDE;
use fer_core::emotion::Emotion;
use fer_core::network::{
    DEVIATION_FLOOR, EPSILON, HeadInput, HeadOutput, HeadSpec, LayerSpec, MIN_SUM, NetworkSpec,
    PixelScaling, ResidualSpec, SequentialSpec, TrunkSpec, WeightError, Weights,
};

/// The name of the input: grey faces `[n, 1, 48, 48]`, 0 to 255.
pub const INPUT: &str = "faces";

/// The name of the output: the emotion scores `[n, 8]`.
pub const OUTPUT: &str = "scores";

type Result<T> = std::result::Result<T, WeightError>;

/// A graph under construction. Every method that adds nodes takes the name of its input and returns that of its output.
pub struct Graph<'w> {
    weights: &'w Weights,
    nodes: Vec<Message>,
    constants: Vec<Message>,
}

impl<'w> Graph<'w> {
    /// The `GraphProto` of a network: from grey faces to emotion scores, with the mirror image of each face.
    pub fn of(spec: &NetworkSpec, weights: &'w Weights) -> Result<Message> {
        let mut graph = Self {
            weights,
            nodes: Vec::new(),
            constants: Vec::new(),
        };
        let scaled = graph.scale(spec.pixels);
        let both = graph.with_mirror_images(&scaled);
        let read = match &spec.trunk {
            TrunkSpec::Residual(trunk) => {
                let mut heads = spec.heads.iter();
                let all = heads.any(|head| head.input == HeadInput::Blocks);
                graph.residual(trunk, &both, all)?
            }
            TrunkSpec::Sequential(trunk) => graph.sequential(trunk, &both)?,
        };
        graph.scores(&spec.heads, &read)?;
        let any = Dimension::Any("n");
        let side = Dimension::Fixed(FACE_SIDE);
        let input = value(INPUT, &[any, Dimension::Fixed(1), side, side]);
        let output = value(OUTPUT, &[any, Dimension::Fixed(Emotion::COUNT)]);
        let done = Message::default().messages(1, &graph.nodes);
        let done = done.text(2, "fer-index").messages(5, &graph.constants);
        Ok(done.message(11, &input).message(12, &output))
    }

    fn add(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        let output = format!("{}_{}", operator.to_ascii_lowercase(), self.nodes.len());
        self.nodes.push(node(operator, inputs, &output, attributes));
        output
    }

    fn constant(&mut self, shape: &[usize], values: &[f32]) -> String {
        let name = format!("constant_{}", self.constants.len());
        self.constants.push(floats(&name, shape, values));
        name
    }

    fn number(&mut self, value: f32) -> String {
        self.constant(&[1], &[value])
    }

    fn indices(&mut self, values: &[i64]) -> String {
        let name = format!("constant_{}", self.constants.len());
        self.constants.push(integers(&name, values));
        name
    }

    /// A weight under its own name.
    fn weight(&mut self, name: &str, shape: &[usize]) -> Result<String> {
        let values = self.weights.values(name, shape)?;
        self.constants.push(floats(name, shape, values));
        Ok(name.to_owned())
    }

    fn scale(&mut self, pixels: PixelScaling) -> String {
        if pixels == PixelScaling::Unit {
            let divisor = self.number(255.0);
            return self.add("Div", &[INPUT, &divisor], &[]);
        }
        let axes = [("axes", Attribute::Ints(vec![1, 2, 3]))];
        let mean = self.add("ReduceMean", &[INPUT], &axes);
        let centred = self.add("Sub", &[INPUT, &mean], &[]);
        let squares = self.add("Mul", &[&centred, &centred], &[]);
        let variance = self.add("ReduceMean", &[&squares], &axes);
        let n = (FACE_SIDE * FACE_SIDE) as f32;
        let unbiased = self.number(n / (n - 1.0));
        let variance = self.add("Mul", &[&variance, &unbiased], &[]);
        let deviation = self.add("Sqrt", &[&variance], &[]);
        let floor = self.number(DEVIATION_FLOOR);
        let deviation = self.add("Max", &[&deviation, &floor], &[]);
        self.add("Div", &[&centred, &deviation], &[])
    }

    /// The faces, then the mirror image of each.
    fn with_mirror_images(&mut self, faces: &str) -> String {
        let [start, end, axis, step] = [-1, i64::MIN, 3, -1].map(|i| self.indices(&[i]));
        let mirrored = self.add("Slice", &[faces, &start, &end, &axis, &step], &[]);
        self.add(
            "Concat",
            &[faces, &mirrored],
            &[("axis", Attribute::Int(0))],
        )
    }

    /// A convolution with a kernel `[k, k, in, out]` of the model file, which ONNX has as `[out, in, k, k]`.
    fn convolution(&mut self, x: &str, name: &str, shape: ConvShape, bias: bool) -> Result<String> {
        let ConvShape {
            kernel: k,
            input,
            output,
            stride,
            padding,
        } = shape;
        let name = format!("{name}.weight");
        let values = self.weights.values(&name, &[k, k, input, output])?;
        let mut turned = Vec::with_capacity(values.len());
        for o in 0..output {
            for i in 0..input {
                turned.extend((0..k * k).map(|tap| values[(tap * input + i) * output + o]));
            }
        }
        self.constants
            .push(floats(&name, &[output, input, k, k], &turned));
        let mut inputs = vec![x.to_owned(), name.clone()];
        if bias {
            inputs.push(self.weight(&name.replace(".weight", ".bias"), &[output])?);
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let ints = |value: usize, count| Attribute::Ints(vec![value as i64; count]);
        let attributes = [
            ("kernel_shape", ints(k, 2)),
            ("strides", ints(stride, 2)),
            ("pads", ints(padding, 4)),
        ];
        Ok(self.add("Conv", &inputs, &attributes))
    }

    fn normalised(&mut self, x: &str, [conv, norm]: [&str; 2], shape: ConvShape) -> Result<String> {
        let y = self.convolution(x, conv, shape, false)?;
        let mut inputs = vec![y];
        for part in ["weight", "bias", "running_mean", "running_var"] {
            inputs.push(self.weight(&format!("{norm}.{part}"), &[shape.output])?);
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let epsilon = [("epsilon", Attribute::Float(EPSILON))];
        Ok(self.add("BatchNormalization", &inputs, &epsilon))
    }

    fn dense(&mut self, x: &str, name: &str, [input, output]: [usize; 2]) -> Result<String> {
        let weight = self.weight(&format!("{name}.weight"), &[output, input])?;
        let bias = self.weight(&format!("{name}.bias"), &[output])?;
        let transposed = [("transB", Attribute::Int(1))];
        Ok(self.add("Gemm", &[x, &weight, &bias], &transposed))
    }

    /// The mean over the pixels of each channel.
    fn averaged(&mut self, x: &str) -> String {
        let pooled = self.add("GlobalAveragePool", &[x], &[]);
        self.add("Flatten", &[&pooled], &[])
    }

    /// A residual trunk; the means of all its blocks if `all`.
    fn residual(&mut self, spec: &ResidualSpec, x: &str, all: bool) -> Result<Read> {
        let stem = ConvShape::same(3, 1, spec.stem, spec.stem_stride);
        let x = self.normalised(x, ["stem.conv", "stem.bn"], stem)?;
        let mut x = self.add("Relu", &[&x], &[]);
        let mut channels = spec.stem;
        let mut outputs = Vec::new();
        for (index, block) in spec.blocks.iter().enumerate() {
            if all && index > 0 {
                outputs.push(self.averaged(&x));
            }
            let name = |part: &str| format!("blocks.{index}.{part}");
            let width = block.width;
            let first = ConvShape::same(3, channels, width, block.stride);
            let y = self.normalised(&x, [&name("conv1"), &name("bn1")], first)?;
            let y = self.add("Relu", &[&y], &[]);
            let second = ConvShape::same(3, width, width, 1);
            let mut y = self.normalised(&y, [&name("conv2"), &name("bn2")], second)?;
            if let Some(reduction) = spec.squeeze_excitation {
                y = self.gated(&y, &name("se"), width, reduction)?;
            }
            if channels != width || block.stride != 1 {
                let shape = ConvShape::same(1, channels, width, block.stride);
                let names = [name("projection.conv"), name("projection.bn")];
                x = self.normalised(&x, [&names[0], &names[1]], shape)?;
            }
            let sum = self.add("Add", &[&y, &x], &[]);
            x = self.add("Relu", &[&sum], &[]);
            channels = width;
        }
        let features = (self.averaged(&x), channels);
        outputs.push(features.0.clone());
        let blocks = if all {
            let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
            let side_by_side = [("axis", Attribute::Int(1))];
            let concatenated = self.add("Concat", &outputs, &side_by_side);
            (concatenated, spec.channels())
        } else {
            features.clone()
        };
        Ok(Read { features, blocks })
    }

    fn gated(&mut self, x: &str, name: &str, width: usize, reduction: usize) -> Result<String> {
        let inner = fer_core::network::squeezed(width, reduction);
        let means = self.averaged(x);
        let squeezed = self.dense(&means, &format!("{name}.squeeze"), [width, inner])?;
        let squeezed = self.add("Relu", &[&squeezed], &[]);
        let excited = self.dense(&squeezed, &format!("{name}.excite"), [inner, width])?;
        let gate = self.add("Sigmoid", &[&excited], &[]);
        let shape = self.indices(&[-1, width as i64, 1, 1]);
        let gate = self.add("Reshape", &[&gate, &shape], &[]);
        Ok(self.add("Mul", &[x, &gate], &[]))
    }

    fn sequential(&mut self, spec: &SequentialSpec, x: &str) -> Result<Read> {
        let shapes = spec.shapes(FACE_SIDE).map_err(WeightError::Architecture)?;
        let mut x = x.to_owned();
        let mut input = vec![FACE_SIDE, FACE_SIDE, 1];
        for (index, (layer, output)) in spec.layers.iter().zip(shapes).enumerate() {
            let name = format!("layers.{index}");
            let depth = input.last().copied().unwrap_or_default();
            x = match *layer {
                LayerSpec::Convolution {
                    channels,
                    kernel,
                    padding,
                } => {
                    let shape = ConvShape {
                        kernel,
                        input: depth,
                        output: channels,
                        stride: 1,
                        padding: padding.zeros(kernel),
                    };
                    self.convolution(&x, &name, shape, true)?
                }
                LayerSpec::Relu => self.add("Relu", &[&x], &[]),
                LayerSpec::MaxPool => {
                    let two = || Attribute::Ints(vec![2, 2]);
                    self.add(
                        "MaxPool",
                        &[&x],
                        &[("kernel_shape", two()), ("strides", two())],
                    )
                }
                LayerSpec::Dropout { .. } => x,
                LayerSpec::Flatten if input.len() == 1 => x,
                LayerSpec::Flatten => {
                    // In the model file, the channels of a pixel are adjacent, so the values are transposed before they
                    // become a vector.
                    let order = [("perm", Attribute::Ints(vec![0, 2, 3, 1]))];
                    let turned = self.add("Transpose", &[&x], &order);
                    self.add("Flatten", &[&turned], &[])
                }
                LayerSpec::Dense { values } => self.dense(&x, &name, [depth, values])?,
            };
            input = output;
        }
        let features = (x, input.last().copied().unwrap_or_default());
        Ok(Read {
            blocks: features.clone(),
            features,
        })
    }

    /// The blend of all heads, as `fer_core::classify::blend` computes it.
    fn scores(&mut self, heads: &[HeadSpec], read: &Read) -> Result<()> {
        let mut sum: Option<String> = None;
        for head in heads {
            let classes = head.emotions.len();
            let name = format!("heads.{}", head.name);
            let (values, count) = match head.input {
                HeadInput::Features => &read.features,
                HeadInput::Blocks => &read.blocks,
            };
            let logits = self.dense(values, &name, [*count, classes])?;
            let pairs = self.indices(&[2, -1, classes as i64]);
            let pairs = self.add("Reshape", &[&logits, &pairs], &[]);
            let first = [
                ("axes", Attribute::Ints(vec![0])),
                ("keepdims", Attribute::Int(0)),
            ];
            let logits = self.add("ReduceMean", &[&pairs], &first);
            let shift = |emotion| head.album.shift.get(emotion).copied().unwrap_or_default();
            let shifts: Vec<f32> = head.emotions.iter().map(shift).collect();
            let answer = self.answer(&logits, head.output, &shifts);
            let mut placed = vec![0.0; classes * Emotion::COUNT];
            for (row, emotion) in head.emotions.iter().enumerate() {
                placed[row * Emotion::COUNT + emotion.index()] = head.album.weight;
            }
            let placed = self.constant(&[classes, Emotion::COUNT], &placed);
            let answer = self.add("MatMul", &[&answer, &placed], &[]);
            sum = Some(match sum {
                Some(sum) => self.add("Add", &[&sum, &answer], &[]),
                None => answer,
            });
        }
        let sum = sum.ok_or_else(|| WeightError::Architecture("it has no head".to_owned()))?;
        let total = self.total(&sum);
        self.nodes.push(node("Div", &[&sum, &total], OUTPUT, &[]));
        Ok(())
    }

    /// The shifted probabilities of a head.
    fn answer(&mut self, logits: &str, output: HeadOutput, shifts: &[f32]) -> String {
        let last = [("axis", Attribute::Int(-1))];
        match output {
            // A shift of the logits multiplies the probabilities before they are divided by their sum.
            HeadOutput::Softmax => {
                let shifts = self.constant(&[shifts.len()], shifts);
                let shifted = self.add("Add", &[logits, &shifts], &[]);
                self.add("Softmax", &[&shifted], &last)
            }
            HeadOutput::Sigmoid => {
                let p = self.add("Sigmoid", &[logits], &[]);
                let total = self.total(&p);
                let least = self.number(MIN_SUM);
                let few = self.add("Less", &[&total, &least], &[]);
                let enough = self.add("Not", &[&few], &[]);
                let float = [("to", Attribute::Int(1))];
                let enough = self.add("Cast", &[&enough], &float);
                let p = self.add("Mul", &[&p, &enough], &[]);
                let factors: Vec<f32> = shifts.iter().map(|shift| shift.exp()).collect();
                let factors = self.constant(&[factors.len()], &factors);
                let shifted = self.add("Mul", &[&p, &factors], &[]);
                let total = self.total(&shifted);
                self.add("Div", &[&shifted, &total], &[])
            }
        }
    }

    /// The sum of each row, at least the smallest positive number.
    fn total(&mut self, x: &str) -> String {
        let axis = self.indices(&[-1]);
        let total = self.add("ReduceSum", &[x, &axis], &[]);
        let least = self.number(f32::MIN_POSITIVE);
        self.add("Max", &[&total, &least], &[])
    }
}

/// The outputs of a trunk that heads read, each with its number of values.
struct Read {
    features: (String, usize),
    /// The means of all blocks, if a head needs them.
    blocks: (String, usize),
}

/// The sizes of a convolution.
#[derive(Debug, Clone, Copy)]
struct ConvShape {
    kernel: usize,
    input: usize,
    output: usize,
    stride: usize,
    padding: usize,
}

impl ConvShape {
    /// Padded so that a stride of 1 keeps the size.
    const fn same(kernel: usize, input: usize, output: usize, stride: usize) -> Self {
        Self {
            kernel,
            input,
            output,
            stride,
            padding: kernel / 2,
        }
    }
}

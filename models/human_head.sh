#!/bin/sh
# Fits the head for human faces to a model and writes the model with it. It takes minutes, and can be run alone after the
# rules of detection have changed:
#
#     models/human_head.sh models/emotion.safetensors emotion.safetensors \
#         fer2013.csv fer2013new.csv EXPRESSIONS GENKI MASKS ANIMALS...
#
# The arguments after the two models are those of train.sh; monkeys weigh twice if their folder has the name `monkeys`. Writes the faces' features to human/ in the current folder; uses
# the fer-index on the PATH, cargo, and python3 with numpy.
set -eu
folder=$(dirname "$0")
model=$1 out=$2 rows=$3 votes=$4 expressions=$5 genki=$6 masks=$7
shift 7

# features NAME PATH...: the features of the faces in folders, or of a table's rows, as the model sees them.
features() {
    name=$1
    shift
    cargo run --release --quiet --manifest-path "$folder/../Cargo.toml" --example human_faces -- --model "$model" "$@" \
        > "human/$name.jsonl"
}

mkdir -p human
for table in "$rows" "$votes"; do
    awk 'NR == 1 || NR % 3 == 0' "$table" > "human/$(basename "$table")"
done
features rows "human/$(basename "$rows")"
features expressions "$expressions/images"
# Changed copies of people's faces, and what the detector doubts in pictures of breeds.
features genki --copies 3 "$genki/images"
features masks --copies 3 "$masks/images"
others=
for animals; do
    name=$(basename "$animals")
    case $name in
    *-breeds) features "$name" --copies 1 --threshold 0.3 "$animals" ;;
    *) features "$name" "$animals" ;;
    esac
    others="$others human/$name.jsonl"
done
# shellcheck disable=SC2086 # several files
python3 "$folder/human_head.py" "$model" human/emotion.safetensors --votes "human/$(basename "$votes")" \
    --rows human/rows.jsonl --faces human/genki.jsonl human/expressions.jsonl --boxes human/masks.jsonl "$masks/labels.csv" \
    --others $others --leave-out "$folder/human_head_left_out.txt"
fer-index model pack human/emotion.safetensors --out "$out"

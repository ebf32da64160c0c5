#!/bin/sh
# Makes emotion.safetensors anew, in about four hours on two cores; takes up an interrupted run where it was left.
#
#     models/train.sh fer2013.csv fer2013new.csv
#
# Works in the current folder (fer2013.safetensors, runs/) with the fer-index that is on the PATH.
set -eu
recipes=$(dirname "$0")/../config/recipes
[ -e fer2013.safetensors ] || fer-index dataset import "$1" --ferplus "$2"

train() { fer-index train --recipe "$recipes/$1.toml"; }
calibrate() { fer-index model calibrate "$@"; }
# With the weights that a run started from.
mean() {
    fer-index model average "runs/$1/best.safetensors" runs/sixth/calibrated.safetensors --share 0.2 \
        --out "runs/$1/mean.safetensors"
}

# From nothing, and once more from its own weights: the teachers of a wider network.
for run in third fourth sixth; do
    train $run
    calibrate runs/$run/best.safetensors --half --out runs/$run/calibrated.safetensors
done

# The last run without the validation rows, which judge and calibrate it.
fer-index train --recipe "$recipes/eleventh.toml" --set 'train_on=["training"]' --out runs/check
mean check
calibrate runs/check/mean.safetensors --shift angry=0.2 --out runs/check/calibrated.safetensors
fer-index evaluate runs/check/calibrated.safetensors

# And with them.
train eleventh
mean eleventh
calibrate runs/eleventh/mean.safetensors --like runs/check/calibrated.safetensors --half --out emotion.safetensors
echo "emotion.safetensors is made; models/emotion.safetensors is the place for it"

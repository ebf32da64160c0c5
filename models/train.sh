#!/bin/sh
# Makes emotion.safetensors anew, in about five hours on two cores; takes up an interrupted run where it was left.
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
    fer-index model average "runs/$1/best.safetensors" runs/third/calibrated.safetensors --share 0.7 \
        --out "runs/$1/mean.safetensors"
}

# From nothing, then its teachers: once more from its own weights, and a wider network.
train third
calibrate runs/third/best.safetensors --half --out runs/third/calibrated.safetensors
train fourth
calibrate runs/fourth/best.safetensors --half --out runs/fourth/calibrated.safetensors
train sixth
calibrate runs/sixth/best.safetensors --half --out runs/sixth/plain.safetensors

# The last run without the validation rows, which judge and calibrate it.
fer-index train --recipe "$recipes/seventh.toml" --set 'train_on=["training"]' --out runs/check
mean check
calibrate runs/check/mean.safetensors --shift angry=0.4,sad=0.4 --out runs/check/calibrated.safetensors
fer-index evaluate runs/check/calibrated.safetensors

# And with them.
train seventh
mean seventh
calibrate runs/seventh/mean.safetensors --like runs/check/calibrated.safetensors --half --out emotion.safetensors
echo "emotion.safetensors is made; models/emotion.safetensors is the place for it"

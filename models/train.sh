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
# Of two runs' weights, 30 % of the second's.
mean() {
    mkdir -p "runs/$3"
    fer-index model average "runs/$1/best.safetensors" "runs/$2/best.safetensors" --share 0.3 --out "runs/$3/mean.safetensors"
}

# From nothing, and once more from its own weights: the teachers of a wider network.
for run in third fourth sixth; do
    train $run
    calibrate runs/$run/best.safetensors --half --out runs/$run/calibrated.safetensors
done

# The two last runs without the validation rows, which judge and calibrate the mean of their weights.
for run in eleventh twelfth; do
    fer-index train --recipe "$recipes/$run.toml" --set 'train_on=["training"]' --out runs/check-$run
done
mean check-eleventh check-twelfth check
calibrate runs/check/mean.safetensors --shift angry=0.05,sad=0.05 --half --out runs/check/calibrated.safetensors
fer-index evaluate runs/check/calibrated.safetensors

# And with them.
for run in eleventh twelfth; do
    train $run
done
mean eleventh twelfth shipped
calibrate runs/shipped/mean.safetensors --like runs/check/calibrated.safetensors --half --out emotion.safetensors
echo "emotion.safetensors is made; models/emotion.safetensors is the place for it"

#!/bin/sh
# Makes emotion.safetensors anew, in about seven hours and a half on two cores; takes up an interrupted run where it was left.
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

# From nothing, and once more from its own weights: the teachers of a wider network. The eighth and the fourteenth, at
# full resolution, have other faces wrong.
for run in third fourth sixth eighth fourteenth; do
    train $run
    calibrate runs/$run/best.safetensors --half --out runs/$run/calibrated.safetensors
done

# Light finishes without the validation rows: their mean teaches the last run.
for run in eleventh twelfth; do
    fer-index train --recipe "$recipes/$run.toml" --set 'train_on=["training"]' --out runs/check-$run
done
mean check-eleventh check-twelfth check
calibrate runs/check/mean.safetensors --shift angry=0.05,sad=0.05 --half --out runs/check/calibrated.safetensors

# The last run without these rows as well: the mean of its weights and the twelfth's judges and calibrates what is shipped.
fer-index train --recipe "$recipes/fifteenth.toml" --set 'train_on=["training"]' --out runs/check-fifteenth
mean check-fifteenth check-twelfth judged
calibrate runs/judged/mean.safetensors --shift angry=0.3,fear=0.4,sad=0.2 --half --out runs/judged/calibrated.safetensors
fer-index evaluate runs/judged/calibrated.safetensors

# And with them.
for run in twelfth fifteenth; do
    train $run
done
mean fifteenth twelfth shipped
calibrate runs/shipped/mean.safetensors --like runs/judged/calibrated.safetensors --half --out emotion.safetensors
echo "emotion.safetensors is made; models/emotion.safetensors is the place for it"

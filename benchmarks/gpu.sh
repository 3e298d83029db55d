#!/usr/bin/env bash
# Everything that is to be seen on a borrowed GPU, in one go: each step under a limit of its
# own, in parallel where it does not disturb, all tables printed last.
#
#     bash benchmarks/gpu.sh pbc28.npz OUT [CORES OF EACH CPU STEP, such as 14,15 12,13 10,11]
#
# OUT gets one text file a step. With pairs of cores, under_load.py runs on them meanwhile.
set -u
data=$(realpath "$1"); out=$(realpath -m "$2"); shift 2
here=$(cd "$(dirname "$0")" && pwd); mkdir -p "$out"; work=$(mktemp -d)
export PATCHMAP_CACHE="$work/cache" PYTHONUNBUFFERED=1
step() {  # name, seconds, command ...
  local name=$1 limit=$2; shift 2
  echo "== $name: $*" > "$out/$name.txt"
  timeout -k 5 "$limit" "$@" >> "$out/$name.txt" 2>&1 || echo "-- ended with $?" >> "$out/$name.txt"
}
load=0
for cores in "$@"; do
  step "under_load_$load" 420 taskset -c "$cores" python3 "$here/under_load.py" "$data" \
    --minutes 1 --loads "$load" &
  load=$((load + 1))
done
patchmap() { echo "python3 -m napari_patchmap.cli $*"; }
step resume 150 python3 "$here/gpu_resume.py" --device cuda
step simclr_2min 170 $(patchmap embed "$data" --out "$work/simclr" --augment rotations --minutes 2 \
  --method simclr --optimiser muon --tsne-metric cosine --last-exaggeration 2)
step tsimcne_1min 100 $(patchmap embed "$data" --out "$work/tsimcne" --augment rotations --minutes 1)
wait
for file in "$out"/*.txt; do tr '\r' '\n' < "$file" | tail -n 45; echo; done
rm -rf "$work"

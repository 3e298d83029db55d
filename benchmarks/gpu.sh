#!/usr/bin/env bash
# Everything that is to be seen on a GPU that is borrowed for a quarter of an hour.
#
#     bash benchmarks/gpu.sh pbc28.npz OUT [--minutes 12] [--peer PYTHON]
#
# Steps run in order of worth, each under a limit of its own, until the minutes are over: does
# everything run, does a killed run go on, how fast, how good, what else. OUT gets one text file
# a step while it runs, so that nothing finished is lost, and all tables are printed last, ready
# for benchmarks/README.md. It needs no napari, Qt, imagecodecs or zarr. PYTHON is that of an
# environment with tsimcne.
set -u
data=$(realpath "$1"); out=$(realpath -m "$2"); shift 2
minutes=12 peer=()
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) minutes=$2; shift 2 ;;
    --peer) peer=(--peer "$2" --workers 14); shift 2 ;;
    *) echo "gpu.sh: what is $1?" >&2; exit 2 ;;
  esac
done
here=$(cd "$(dirname "$0")" && pwd); mkdir -p "$out"; work=$(mktemp -d); number=0
export PATCHMAP_CACHE="$work/cache" PYTHONUNBUFFERED=1 PYTHONPATH="$here/../src${PYTHONPATH:+:$PYTHONPATH}"
over=$(($(date +%s) + minutes * 60))

step() {  # name, seconds at most, command ...
  local name limit left file; name=$1 limit=$2; shift 2
  left=$((over - $(date +%s))); number=$((number + 1))
  file=$out/$(printf %02d $number)_$name.txt
  echo "== $name: $*" > "$file"
  if [ $left -lt 10 ]; then echo "-- no time was left" >> "$file"; return; fi
  [ $left -lt "$limit" ] && limit=$left
  local began; began=$(date +%s)
  timeout -k 5 "$limit" "$@" >> "$file" 2>&1 || echo "-- ended with $?" >> "$file"
  echo "-- $(($(date +%s) - began)) s" >> "$file"
}
map() {  # name, seconds at most, arguments of patchmap embed ...
  local name=$1 limit=$2; shift 2
  step "$name" "$limit" python3 -m napari_patchmap.cli embed "$data" --out "$work/$name" --augment rotations "$@"
}

step machine 30 python3 -c "import torch, platform; c = torch.cuda
print(c.get_device_name(), '| driver and CUDA', torch.version.cuda, '| torch', torch.__version__, '| Python', platform.python_version())"
step everything 60 python3 "$here/gpu_everything.py" "$data"
step resume 120 python3 "$here/gpu_resume.py" --device cuda --at-once 3
map simclr_2min 150 --method simclr --minutes 2
step tsne 100 python3 "$here/layout_speed.py" "$work/simclr_2min" --patches 17092
map default_2min 150 --minutes 2
step speed 120 python3 "$here/training_speed.py" "$data" --device cuda --seconds 6 "${peer[@]}"
step step_parts 120 python3 "$here/step_parts.py" "$data"
step trials 90 python3 "$here/recipe_trials.py" "$work/trials" "$data" --epochs 20 --device cuda \
  --trials "ResNet18 as it is" "ResNet18, first layer whitened"
map default_5min 330 --minutes 5
step tsne_300000 120 python3 "$here/layout_speed.py" "$work/simclr_2min" --patches 300000 --without-peer
map paper 600 --preset paper
for file in "$out"/*.txt; do tr '\r' '\n' < "$file" | tail -n 30; echo; done
rm -rf "$work"

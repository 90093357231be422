#!/bin/sh
# Times steps on a GPU of NVIDIA against those of PyTorch, and holds what both compute against double precision.
#
#   bench/gpu.sh pack [--release]   where there is a compiler: builds, and gathers what is needed in target/gpu
#   bench/gpu.sh [OPTION...]        where there are a GPU, PyTorch 2.11 and what was packed: measures; builds and fetches nothing
#
# Options are those of run.py. What is measured is written to target/gpu/RESULTS.md, too.
set -eu
cd "$(dirname "$0")/.."
pack=target/gpu

if [ "${1-}" = pack ]; then
    shift
    cargo build --quiet -p nas-torch --example step "$@"
    profile=debug
    [ "${1-}" = --release ] && profile=release
    mkdir -p "$pack/python"
    cp "target/$profile/examples/step" "$pack/step"
    strip "$pack/step"
    python3 -m pip install --quiet --upgrade --no-deps --target "$pack/python" safetensors==0.8.0
    du -sh "$pack"
    exit
fi

# What was packed comes last: NumPy and the like are the machine's own.
export PYTHONPATH="${PYTHONPATH-}:$PWD/$pack/python"
LIBTORCH=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))')
export LIBTORCH LD_LIBRARY_PATH="$LIBTORCH/lib:${LD_LIBRARY_PATH-}"
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
python3 -c 'import torch; print("PyTorch", torch.__version__)'
# Each case is measured for itself, so that what fails in one leaves the others.
status=0
: > "$pack/RESULTS.md"
for case in "squeezenas mixture" "squeezenas hard" "darts mixture" "darts hard" "squeezenas retrain"; do
    python3 bench/run.py --device cuda --nasc "$pack/step" --only "$case" --compile --limit 90 --rounds 10 --steps 5 "$@" \
        > "$pack/case.md" || status=1
    tee -a "$pack/RESULTS.md" < "$pack/case.md"
done
exit "$status"

"""Lets MKL find out what the processor is before two threads ask at once. To be imported.

torch computes square roots, exponentials, logarithms, sines and their like on Intel's
processors with MKL, which at the first of them looks up the processor and writes it down
for all threads in two steps: by the number it has among all, and then by that among those
it has kernels for. A thread that reads the first number (8 and 9 are the usual ones: AVX2
and AVX-512) takes the kernels of another precision, whose results are wrong by 3e-4: in
about every fourth process the first root that two threads compute (MKL 2024.2,
``mkl_vml_serv_cpu_detect``). One root in one thread settles it for all functions and types.
"""

import torch

torch.ones(1).sqrt_()

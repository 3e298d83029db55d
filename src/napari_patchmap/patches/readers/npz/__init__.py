"""NPZ files: MedMNIST's splits, or images with columns beside them."""

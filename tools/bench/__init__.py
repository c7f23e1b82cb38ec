"""The benchmarks of `make bench`: ratios against something bare, measured in the same run."""

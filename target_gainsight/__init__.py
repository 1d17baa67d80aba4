"""Singer target and Meltano loader for Gainsight CS."""

"""What a project keeps beside its plan: colors, pictures, pictures that are being edited."""

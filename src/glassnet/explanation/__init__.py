"""Why a network answers as it does, down to one neuron's arithmetic."""

"""`hf:`: references from a data set on the Hugging Face Hub."""

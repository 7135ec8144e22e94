"""Song vectors, and the learners that make them."""
